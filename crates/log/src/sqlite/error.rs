//! What can go wrong with a file that is open, and how to say so.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;

use redengine_core::runlog::{LogError, LogErrorKind};
use rusqlite::ErrorCode;

use super::schema::VERSION;

/// An error that does not know yet which log it is of.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite's.
    Sqlite(rusqlite::Error),
    /// Something in the file is not what only a run log would have written.
    Corrupt(String),
    /// A newer version has changed the file's format to this one while it was open here.
    Version(i32),
    /// It knows which log it is of after all.
    Explained(LogError),
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::Explained(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failure {
    /// Makes it an error about the log at `path`, with which one wanted to be `doing` something.
    pub(super) fn explain(self, doing: &str, path: &Path) -> LogError {
        let (file, path) = (path, path.display());
        let error = match self {
            Self::Corrupt(what) => {
                let message = format!(
                    "cannot {doing} `{path}`: {what}; restore the file from a copy, or move it away"
                );
                return LogError::new(LogErrorKind::Corrupt, message);
            }
            Self::Version(version) => {
                let message = format!(
                    "cannot {doing} `{path}`: a newer version has changed its format to {version} \
                     meanwhile (the latest known here is {VERSION}); update this program"
                );
                return LogError::new(LogErrorKind::Version, message);
            }
            Self::Explained(error) => return error,
            Self::Sqlite(error) => error,
        };
        let (kind, advice) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                LogErrorKind::Locked,
                "another process holds it; end that process, or choose another file",
            ),
            Some(ErrorCode::SystemIoFailure) if may_not_be_written(file) => (
                LogErrorKind::ReadOnly,
                "it may not be written to any more; look whether its disk is mounted read-only",
            ),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
                LogErrorKind::ReadOnly,
                "it may not be written to; give this user the right to write to the file and its \
                 folder",
            ),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
                LogErrorKind::Corrupt,
                "SQLite cannot make sense of it; restore it from a copy, or move it away",
            ),
            Some(ErrorCode::DiskFull) => (LogErrorKind::Full, "the disk is full; make room on it"),
            Some(ErrorCode::CannotOpen) => (
                LogErrorKind::Io,
                "SQLite cannot open one of its files; look whether the folder is still there",
            ),
            // A statement that does not fit the tables, or a value that does not fit its column.
            Some(ErrorCode::Unknown) | None => (
                LogErrorKind::Corrupt,
                "its tables are not those of a run log; restore it from a copy, or move it away",
            ),
            _ => (LogErrorKind::Io, "SQLite reported an error"),
        };
        LogError::new(kind, format!("cannot {doing} `{path}`: {advice}")).because(error)
    }
}

/// Tells whether it is for want of a right that nothing can be written, which SQLite does not tell.
///
/// Appends go to the write-ahead log, which is never locked: to open and close it drops no lock.
fn may_not_be_written(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let opened = OpenOptions::new().append(true).open(log).map_err(|error| error.kind());
    matches!(opened, Err(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem))
}
