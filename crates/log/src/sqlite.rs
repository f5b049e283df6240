//! A run log in an SQLite file.
//!
//! Invariants: all that a batch changes is one `BEGIN IMMEDIATE` transaction, so every expectation
//! is decided against what is on disk, whoever wrote it; no database call runs on the reactor; and
//! a file that cannot be opened as a run log is left as it was.
//!
//! There is one connection that writes and one that reads: SQLite has one writer at a time, and a
//! long read must not hold up an append.

mod error;
mod open;
mod read;
mod row;
mod schema;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, LogError, LogErrorKind, Past, PastOf, Prune, Query, RunLog,
};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use self::error::Failure;

/// Keeps records in an SQLite file.
///
/// Nothing that was acknowledged is lost when the process is killed, and several processes may
/// use one file: the log decides who runs. The file must be on a local disk; SQLite's locks do not
/// work over most network file systems. Beside it there are two more while it is in use, with
/// `-wal` and `-shm` after its name: they are part of it.
///
/// Clones share their connections.
///
/// # Cancel safety
///
/// A dropped future of [`RunLog::append`] has written all of its batch or nothing, and may
/// still do so after it was dropped. Appending the batch again is safe. The others only read.
///
/// # Examples
///
/// ```
/// use redengine_core::runlog::{Query, RunLog};
/// use redengine_log::SqliteLog;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("runs.db");
/// let log = SqliteLog::open(path)?; // "runs.db"
/// assert!(log.read(Query::all()).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteLog {
    path: Arc<Path>,
    writer: Arc<Mutex<Connection>>,
    reader: Arc<Mutex<Connection>>,
}

impl SqliteLog {
    /// Opens a run log, or makes it if there is no such file.
    ///
    /// This blocks while it looks at the file: call it before the session runs.
    ///
    /// # Errors
    ///
    /// In none of these cases is the file changed.
    ///
    /// - [`LogErrorKind::Open`]: the folder is missing, the path is not a file, the file is not an
    ///   SQLite database, or the database is not a run log.
    /// - [`LogErrorKind::Version`]: a newer version made it.
    /// - [`LogErrorKind::Locked`]: another process has locked it for itself.
    /// - [`LogErrorKind::ReadOnly`]: the file or its folder may not be written to.
    /// - [`LogErrorKind::Corrupt`]: tables are missing, or SQLite cannot make sense of the file.
    /// - [`LogErrorKind::Io`]: reading or writing failed.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LogError> {
        Self::builder(path).open()
    }

    /// Opens a run log in other ways than [`SqliteLog::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// use redengine_log::{SqliteLog, Synchronous};
    ///
    /// # fn main() -> Result<(), redengine_core::runlog::LogError> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("runs.db");
    /// let log = SqliteLog::builder(path).synchronous(Synchronous::Normal).open()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(path: impl Into<PathBuf>) -> SqliteLogBuilder {
        SqliteLogBuilder {
            path: path.into(),
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
        }
    }

    /// Tells the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for SqliteLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLog").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What an acknowledged record survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// The end of the process, of the system, and a power failure: each append waits for the disk.
    #[default]
    Full,
    /// The end of the process. After a power failure or a crash of the system the latest records
    /// may be missing; the file is whole, but a run that was recorded there may run again.
    Normal,
}

/// Opens a [`SqliteLog`]; made by [`SqliteLog::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteLogBuilder {
    path: PathBuf,
    synchronous: Synchronous,
    busy_timeout: Duration,
}

impl SqliteLogBuilder {
    /// Sets what an acknowledged record survives; [`Synchronous::Full`] if not set.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Sets how long to wait for other processes that write; 5 seconds if not set.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Opens the run log, or makes it if there is no such file.
    ///
    /// # Errors
    ///
    /// As [`SqliteLog::open`].
    pub fn open(self) -> Result<SqliteLog, LogError> {
        let (writer, reader) = open::open(&self.path, self.synchronous, self.busy_timeout)?;
        tracing::debug!(path = %self.path.display(), "opened the run log");
        Ok(SqliteLog {
            path: self.path.into(),
            writer: Arc::new(Mutex::new(writer)),
            reader: Arc::new(Mutex::new(reader)),
        })
    }
}

#[async_trait]
impl RunLog for SqliteLog {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.call(&self.writer, "write to", move |connection| write::append(connection, batch))
            .await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.call(&self.reader, "read", move |connection| read::read(connection, &query)).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.call(&self.reader, "read", move |connection| read::past(connection, &of)).await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.call(&self.reader, "read", |connection| read::last_seq(connection)).await
    }

    async fn count(&self, mut query: Query) -> Result<u64, LogError> {
        query.limit = None;
        Ok(self.read(query).await?.len() as u64)
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        loop {
            let last = self.last_seq().await?;
            if last > after {
                return Ok(last);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn prune(&self, _prune: Prune) -> Result<u64, LogError> {
        Ok(0)
    }

    async fn import(&self, _records: Vec<Recorded>) -> Result<(), LogError> {
        Err(LogError::new(LogErrorKind::Io, "not yet"))
    }
}

impl SqliteLog {
    /// Does something with a connection, off the reactor.
    ///
    /// Who waits for the connection waits as a future, so that a hundred waiting appends hold no
    /// threads and go in the order in which they came. While the call runs, Tokio's paused clock
    /// does not advance: a test in virtual time sees an append take no time.
    async fn call<T: Send + 'static>(
        &self,
        connection: &Arc<Mutex<Connection>>,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, LogError> {
        let mut connection = Arc::clone(connection).lock_owned().await;
        let result = match Handle::try_current() {
            Ok(runtime) => {
                let called = runtime.spawn_blocking(move || work(&mut connection)).await;
                called.map_err(|error| {
                    let path = self.path.display();
                    let message = format!("cannot {doing} `{path}`: the runtime is shutting down");
                    LogError::new(LogErrorKind::Io, message).because(error)
                })?
            }
            // Without Tokio there is no reactor to hold up.
            Err(_) => work(&mut connection),
        };
        result.map_err(|failure| failure.explain(doing, &self.path))
    }
}
