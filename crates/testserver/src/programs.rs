//! Where PostgreSQL's programs are, and as whom they run.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;

/// The oldest version that a log works on.
const OLDEST: u32 = 13;

/// What names the folder of the programs, to try a version that is not the newest.
const NAMED: &str = "REDENGINE_POSTGRES";

/// The folder with `initdb` and `pg_ctl`.
#[derive(Clone, Debug)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// Finds the programs that are named, else the newest, and installs them if there are none and
    /// that is possible.
    pub(crate) fn find() -> io::Result<Self> {
        if let Some(folder) = std::env::var_os(NAMED) {
            return Self::named(Path::new(&folder));
        }
        if let Some(found) = Self::look() {
            return Ok(found);
        }
        install::install()?;
        Self::look().ok_or_else(|| missing("the package `postgresql` has not brought them"))
    }

    fn named(folder: &Path) -> io::Result<Self> {
        // The programs are run in another folder.
        let there = folder.canonicalize().ok();
        there.filter(|folder| version(folder) >= Some(OLDEST)).map(Self).ok_or_else(|| {
            io::Error::other(format!(
                "`{NAMED}` names `{}`, and there is no `initdb` and `pg_ctl` of PostgreSQL \
                 {OLDEST} or newer in it",
                folder.display()
            ))
        })
    }

    /// Finds the newest programs that are there.
    pub(crate) fn look() -> Option<Self> {
        let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .collect();
        let path = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&path));
        let versions = folders.into_iter().filter_map(|folder| Some((version(&folder)?, folder)));
        let newest = versions.max_by_key(|(version, _)| *version)?;
        (newest.0 >= OLDEST).then_some(Self(newest.1))
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }

    /// Makes a command that runs as the owner.
    pub(crate) fn command(&self, program: &str, owner: Option<&Owner>) -> Command {
        let mut command = Command::new(self.path(program));
        if let Some(owner) = owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        set_apart(&mut command);
        command
    }
}

/// Hides what the environment says of other servers.
pub(crate) fn set_apart(command: &mut Command) {
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
}

pub(crate) fn missing(why: &str) -> io::Error {
    io::Error::other(format!(
        "there is no `initdb` and `pg_ctl` of PostgreSQL {OLDEST} or newer in `PATH` or \
         `/usr/lib/postgresql`, and {why}; install the package `postgresql`"
    ))
}

/// The version of the programs in a folder, if both are there.
fn version(folder: &Path) -> Option<u32> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    // "pg_ctl (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)"
    let said = Command::new(folder.join("pg_ctl")).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let word = said.split_whitespace().nth(2)?;
    let digits = word.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Who runs the server if not this process' own user: it refuses to run as root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    pub(crate) fn of_this_process() -> io::Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let users = std::fs::read_to_string("/etc/passwd")?;
        let named = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2).map(|field| field.parse().ok());
            Some(Self { uid: fields.next()??, gid: fields.next()?? })
        };
        named("postgres").or_else(|| named("nobody")).map(Some).ok_or_else(|| {
            io::Error::other(
                "the server refuses to run as root, and there is neither a user `postgres` nor \
                 `nobody`",
            )
        })
    }
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}
