//! A server with a disk that is soon full.
//!
//! The disk is a small file system in memory, mounted where only the server's own processes see it
//! (a mount namespace). So the kernel itself takes it away with the last of them, however they end,
//! and there is nothing to unmount. Who is not root is root in a user namespace for so long. The
//! alternative, a limit on the size of files, needs no namespace; but servers from 16 on report it
//! as an error of another kind than a full disk.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Server;
use crate::programs::{Owner, Programs, set_apart};

/// What a server has beside the disk that it is on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disk {
    None,
    Small,
}

/// A server with a small disk beside the usual one. It cannot be restarted: the disk would be empty.
#[derive(Debug)]
pub struct CrampedServer(Server);

impl CrampedServer {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] if this system lets us mount nothing; else as
    /// [`Server::start`].
    pub fn start() -> io::Result<Self> {
        let mount = tempfile::tempdir()?;
        let mut probe = in_namespace(mount.path(), Owner::of_this_process()?.as_ref())?;
        let probe = probe.arg("true").stdin(Stdio::null()).output()?;
        if !probe.status.success() {
            let said = String::from_utf8_lossy(&probe.stderr).trim().to_owned();
            let why = format!("a small disk cannot be mounted in a namespace of its own: {said}");
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        Server::start_beside(Disk::Small).map(Self)
    }

    /// Tells the address of its database, which is not on the small disk.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Tells the folder of the small disk, for `create tablespace`. It has 4 MiB.
    pub fn disk(&self) -> PathBuf {
        disk(self.0.folder.path())
    }
}

fn disk(folder: &Path) -> PathBuf {
    folder.join("small")
}

/// Makes a command that runs as the owner where the small disk is mounted.
pub(crate) fn command(
    programs: &Programs,
    program: &str,
    owner: Option<&Owner>,
    folder: &Path,
) -> io::Result<Command> {
    let disk = disk(folder);
    std::fs::create_dir_all(&disk)?;
    let mut command = in_namespace(&disk, owner)?;
    set_apart(&mut command);
    command.arg(programs.path(program));
    Ok(command)
}

/// Makes a command that lacks the program that it runs.
fn in_namespace(disk: &Path, owner: Option<&Owner>) -> io::Result<Command> {
    let script = "mount -t tmpfs -o \"size=4m,mode=0700$1\" tmpfs \"$0\" && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    let options = match owner {
        Some(Owner { uid, gid }) => format!(",uid={uid},gid={gid}"),
        None => {
            command.args(["--user", "--map-root-user"]);
            String::new()
        }
    };
    command.args(["--mount", "sh", "-c", script]).arg(disk).arg(options);
    match owner {
        Some(Owner { uid, gid }) => {
            command.arg("setpriv").arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
            command.arg("--clear-groups");
        }
        None => {
            let this = std::fs::metadata("/proc/self")?;
            command.args(["unshare", "--user"]);
            command.arg(format!("--map-user={}", this.uid()));
            command.arg(format!("--map-group={}", this.gid()));
        }
    }
    Ok(command)
}
