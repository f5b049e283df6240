//! A standby, which follows another server and can take over from it.
//!
//! It begins as a copy of the files of the server, which is stopped for that long. `pg_basebackup`
//! would not need to, but is not there wherever a server is.

use std::io::{self, Write as _};
use std::process::Command;

use crate::cramped::Disk;
use crate::{Server, run};

impl Server {
    /// Restarts the server, and starts a standby that follows it and can be read from.
    ///
    /// # Errors
    ///
    /// If `pg_ctl` or `cp` fails.
    pub fn start_standby(&self) -> io::Result<Self> {
        let mut standby = Self::without_data(Disk::None)?;
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.data()).arg(standby.data());
        self.control(&["-m", "fast", "stop"])?;
        let copied = run(copy, standby.folder.path());
        self.resume()?;
        copied?;
        // The file keeps its owner, and an empty one only has to be there.
        let settings = standby.data().join("postgresql.auto.conf");
        let mut settings = std::fs::OpenOptions::new().append(true).open(settings)?;
        let primary = format!("host=127.0.0.1 port={} user=redengine", self.port);
        writeln!(settings, "primary_conninfo = '{primary}'")?;
        std::fs::write(standby.data().join("standby.signal"), "")?;
        standby.listen()?;
        Ok(standby)
    }

    /// Crashes the server and starts it again as a standby, which can be read and takes no writes.
    ///
    /// # Errors
    ///
    /// If `pg_ctl` fails, or its folder cannot be written to.
    pub fn stand_by(&self) -> io::Result<()> {
        self.crash()?;
        let signal = self.data().join("standby.signal");
        std::fs::write(&signal, "")?;
        if let Some(owner) = &self.owner {
            std::os::unix::fs::chown(&signal, Some(owner.uid), Some(owner.gid))?;
        }
        self.resume()
    }

    /// Makes a standby a server of its own, which takes writes.
    ///
    /// # Errors
    ///
    /// If `pg_ctl` fails, as it does if this is no standby.
    pub fn promote(&self) -> io::Result<()> {
        self.control(&["promote"])
    }
}
