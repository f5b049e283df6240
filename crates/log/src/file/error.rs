//! What can go wrong with files, and how to say so.

use std::io::{Error, ErrorKind};
use std::path::Path;

use redengine_core::runlog::{LogError, LogErrorKind};

/// Explains why nothing could be done with a file.
pub(super) fn explain(error: Error, doing: &str, path: &Path) -> LogError {
    let path = path.display();
    let (kind, advice) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (LogErrorKind::Full, "the disk is full; make room on it")
        }
        ErrorKind::FileTooLarge => {
            (LogErrorKind::Full, "it has become too large; let it rotate at a smaller size")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            LogErrorKind::ReadOnly,
            "it may not be written to; give this user the right to write to the file and its folder",
        ),
        _ => (LogErrorKind::Io, "reading or writing failed"),
    };
    LogError::new(kind, format!("cannot {doing} `{path}`: {advice}")).because(error)
}

/// Says that a path cannot be opened.
pub(super) fn refuse(path: &Path, why: &str) -> LogError {
    LogError::new(LogErrorKind::Open, format!("cannot open `{}`: {why}", path.display()))
}
