//! Whether the file that is open is the one at its path.
//!
//! A file that was moved away can be written to for as long as it is open, and nobody would find the
//! records: so it is looked at before anything is read or written.

use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use redengine_core::runlog::{LogError, LogErrorKind};

use super::error::Failure;

/// A file that was there when it was opened.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    path: Arc<Path>,
    /// Which file it is; `None`: the system does not tell.
    identity: Option<(u64, u64)>,
}

impl Origin {
    /// Takes note of the file at a path.
    pub(super) fn of(path: Arc<Path>) -> io::Result<Self> {
        let identity = identity(&path.metadata()?);
        Ok(Self { path, identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that it is still there.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let what = match self.path.metadata() {
            Ok(file) if identity(&file) == self.identity => return Ok(()),
            Ok(_) => "another file was put in its place while it was open",
            Err(error) if error.kind() == ErrorKind::NotFound => {
                "it was moved or removed while it was open"
            }
            // Whoever reads or writes it is told what is the matter.
            Err(_) => return Ok(()),
        };
        let message = format!(
            "cannot go on with `{}`: {what}; put it back, or end this program. To restore a backup \
             while it runs, use SQLite's own means (`.restore`)",
            self.path.display()
        );
        Err(LogError::new(LogErrorKind::Replaced, message).into())
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not tell")]
fn identity(file: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}
