//! A PostgreSQL server of our own, for tests and benchmarks.
//!
//! Always: a server lives in a temporary folder, listens on the loopback interface and on a socket
//! in that folder, writes to the disk as a real one does (`fsync = on`), and is gone with the
//! program that started it, however that ends: a small shell waits for the other end of a pipe to
//! close, stops the server and removes the folder.
//!
//! The programs of PostgreSQL 13 or newer are found in `PATH` or where Debian puts them. If there
//! are none, and this is a Debian that we may change, the package is installed; else the error says
//! what is missing. To try another version, name the folder that has `initdb`, `pg_ctl` and
//! `postgres` of it: `REDENGINE_POSTGRES=/opt/postgresql-18/bin cargo test -p redengine-log ..`.

mod cramped;
mod install;
mod programs;
mod standby;
mod tls;

use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

pub use crate::cramped::CrampedServer;
use crate::cramped::Disk;
use crate::programs::{Owner, Programs};
pub use crate::tls::Papers;

/// A running server. It ends when it is dropped, and with the program at the latest.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    owner: Option<Owner>,
    folder: TempDir,
    port: u16,
    disk: Disk,
    guard: Child,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    ///
    /// If there are no programs of PostgreSQL 13 or newer, or they fail: the message is one line
    /// that says what is missing.
    pub fn start() -> io::Result<Self> {
        Self::start_beside(Disk::None)
    }

    /// Starts a server that has another disk beside the usual one.
    fn start_beside(disk: Disk) -> io::Result<Self> {
        let mut server = Self::without_data(disk)?;
        let mut init = server.programs.command("initdb", server.owner.as_ref());
        init.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"])
            .arg("--username=redengine")
            .arg("--pgdata")
            .arg(server.data());
        run(init, server.folder.path())?;
        server.listen()?;
        Ok(server)
    }

    /// Makes the folder of a server, and what will remove it; there is nothing to start in it yet.
    fn without_data(disk: Disk) -> io::Result<Self> {
        let programs = Programs::find()?;
        let owner = Owner::of_this_process()?;
        let folder = tempfile::Builder::new().prefix("redengine-postgres-").tempdir()?;
        if let Some(owner) = &owner {
            std::os::unix::fs::chown(folder.path(), Some(owner.uid), Some(owner.gid))?;
        }
        // Before anything is in the folder, so that it goes also if this is killed meanwhile.
        let guard = guard(&programs, owner.as_ref(), folder.path())?;
        Ok(Self { programs, owner, folder, port: 0, disk, guard })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Gives the server that all tests of this program share.
    ///
    /// # Panics
    ///
    /// If it cannot be started, as [`Server::start`] says.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start() {
            Ok(server) => server,
            Err(error) => panic!("cannot start a PostgreSQL server for the tests: {error}"),
        })
    }

    /// Tells the address of its database: `postgres://redengine@127.0.0.1:5432/postgres`.
    pub fn url(&self) -> String {
        format!("postgres://redengine@127.0.0.1:{}/postgres", self.port)
    }

    /// Tells the address of a schema in its database that nobody was told before.
    pub fn url_of_new_schema(&self) -> String {
        static SCHEMAS: AtomicU32 = AtomicU32::new(0);
        let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
        format!("{}?schema=log_{}_{number}", self.url(), std::process::id())
    }

    /// Tells the port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server as a crash does: what is on the disk is all that is left.
    ///
    /// # Errors
    ///
    /// If `pg_ctl` fails.
    pub fn crash(&self) -> io::Result<()> {
        self.control(&["-m", "immediate", "stop"])
    }

    /// Starts the server again after [`Server::crash`], on the same port.
    ///
    /// # Errors
    ///
    /// If `pg_ctl` fails.
    pub fn resume(&self) -> io::Result<()> {
        let folder = self.folder.path();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={} -c fsync=on \
             -c max_connections=200 -c shared_buffers=256MB -c logging_collector=off",
            self.port,
            folder.display()
        );
        self.control(&["-l", &folder.join("log").to_string_lossy(), "-o", &options, "start"])
    }

    /// Crashes the server and starts it again.
    ///
    /// # Errors
    ///
    /// If `pg_ctl` fails.
    pub fn restart(&self) -> io::Result<()> {
        self.crash()?;
        self.resume()
    }

    /// Chooses a free port and starts the server on it, again if somebody else took it meanwhile.
    fn listen(&mut self) -> io::Result<()> {
        let mut tries = 5;
        loop {
            self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            match self.resume() {
                Err(_) if tries > 0 => tries -= 1,
                started => return started,
            }
        }
    }

    fn control(&self, arguments: &[&str]) -> io::Result<()> {
        let owner = self.owner.as_ref();
        let mut control = match self.disk {
            Disk::None => self.programs.command("pg_ctl", owner),
            Disk::Small => cramped::command(&self.programs, "pg_ctl", owner, self.folder.path())?,
        };
        control.arg("--wait").arg("--silent").arg("--pgdata").arg(self.data());
        control.args(arguments);
        run(control, self.folder.path())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The guard stops the server and removes the folder; it is done when it has ended.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Starts the shell that ends the server when this program has ended or dropped the pipe to it.
fn guard(programs: &Programs, owner: Option<&Owner>, folder: &Path) -> io::Result<Child> {
    // An `initdb` that was left alone may write for a moment yet.
    let script = "read -r _; \"$0\" --wait --silent --pgdata \"$1/data\" -m immediate stop; \
                  for _ in 1 2 3 4 5; do rm -rf \"$1\" && break; sleep 1; done";
    let mut shell = Command::new("sh");
    if let Some(owner) = owner {
        shell.uid(owner.uid).gid(owner.gid);
    }
    shell
        .arg("-c")
        .arg(script)
        .arg(programs.path("pg_ctl"))
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C on the terminal is for the program; the guard must outlive it.
        .process_group(0)
        .spawn()
}

/// Runs a program to its end; what it said goes into the error if it fails.
fn run(mut command: Command, folder: &Path) -> io::Result<()> {
    // Files, not pipes: the server inherits them and never closes them.
    let said: PathBuf = folder.join("said");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&said)?;
    let status = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()?;
    if status.success() {
        return Ok(());
    }
    let said = std::fs::read_to_string(said).unwrap_or_default();
    let said: Vec<&str> = said.lines().rev().take(3).collect();
    let program = command.get_program().to_string_lossy().into_owned();
    Err(io::Error::other(format!("`{program}` failed ({status}): {}", said.join("; "))))
}
