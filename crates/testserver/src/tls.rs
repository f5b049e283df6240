//! A server that speaks TLS, and lets in whom it is told to.

use std::io;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::{fs, io::Write};

use crate::Server;

/// What a server shows and whom it asks, in the form of PEM.
#[derive(Clone, Copy, Debug)]
pub struct Papers<'a> {
    /// Its certificate.
    pub certificate: &'a str,
    /// The key of that.
    pub key: &'a str,
    /// The certificate of who signs those of its clients.
    pub clients: &'a str,
}

impl Server {
    /// Has it speak TLS with a certificate, and let in whom lines of `pg_hba.conf` name.
    ///
    /// It is stopped and started again for that.
    ///
    /// # Errors
    ///
    /// If the files cannot be written, or the server does not start with them.
    pub fn speak_tls(&self, papers: Papers<'_>, lets_in: &str) -> io::Result<()> {
        self.write("server.crt", papers.certificate)?;
        self.write("server.key", papers.key)?;
        self.write("clients.crt", papers.clients)?;
        self.write("pg_hba.conf", lets_in)?;
        self.write("postgresql.auto.conf", "ssl = on\nssl_ca_file = 'clients.crt'\n")?;
        // A crash would have it write all of its files to the disk before it starts.
        self.control(&["-m", "fast", "stop"])?;
        self.resume()
    }

    /// Writes a file beside its data that nobody else may read, as it wants for a key.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let path = self.folder.path().join("data").join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        match &self.owner {
            Some(owner) => chown(&path, Some(owner.uid), Some(owner.gid)),
            None => Ok(()),
        }
    }
}
