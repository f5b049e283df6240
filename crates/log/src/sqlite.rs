//! A run log in an SQLite file.
//!
//! Invariants: all that a batch changes is one `BEGIN IMMEDIATE` transaction, so every expectation
//! is decided against what is on disk, whoever wrote it; no database call runs on the reactor; and
//! a file that cannot be opened as a run log is left as it was.
//!
//! There is one connection that writes, one that tells pasts, and some that read whatever is asked for:
//! SQLite has one writer at a time, and a long read must hold up neither an append nor a scheduler. Who
//! writes and who tells pasts know the ledger of what they see (`kept`): one for both would make
//! who reads wait for the disk of who writes.

mod error;
mod hours;
mod kept;
mod open;
mod origin;
mod prune;
mod read;
mod readers;
mod row;
mod schema;
mod watch;
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
use self::kept::Kept;
use self::origin::Origin;
use self::prune::Search;
use self::readers::Readers;
use self::watch::Watch;
use self::write::Writer;
use crate::queue::Queue;

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
/// A dropped future of [`RunLog::append`] or [`RunLog::import`] has written all of its batch or
/// nothing, and may still do so after it was dropped. Appending the batch again is safe. One of
/// [`RunLog::prune`] has removed a part. The others only read.
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
    shared: Arc<Shared>,
}

/// What clones share. The order is that of the ends: the thread that looks, then who reads, then who
/// writes, which puts the file in order.
struct Shared {
    watch: Watch,
    readers: Arc<Readers>,
    pasts: Arc<Mutex<Pasts>>,
    queue: Arc<Queue<Writer>>,
    origin: Origin,
    busy_timeout: Duration,
}

/// The connection that tells pasts, and what it knows of the file.
struct Pasts {
    connection: Connection,
    kept: Option<Kept>,
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
        let busy_timeout = self.busy_timeout;
        let (writer, reader) = open::open(&self.path, self.synchronous, busy_timeout)?;
        // Wherever this process goes, it is the same file.
        let path: Arc<Path> = std::path::absolute(&self.path).unwrap_or(self.path).into();
        let failed = |failure: Failure| failure.explain("open", &path);
        let pasts = open::reader(&path, busy_timeout).map_err(|error| failed(error.into()))?;
        let origin = Origin::of(Arc::clone(&path)).map_err(|error| {
            let message = format!("cannot open `{}`: it cannot be looked at", path.display());
            LogError::new(LogErrorKind::Io, message).because(error)
        })?;
        tracing::debug!(path = %path.display(), "opened the run log");
        let watch = Watch::new(origin.clone());
        let writer = Writer::new(writer, origin.clone());
        let queue = Queue::new(Arc::clone(&path), writer, watch.teller());
        let shared = Shared {
            watch,
            readers: Arc::new(Readers::new(reader, origin.clone(), busy_timeout)),
            pasts: Arc::new(Mutex::new(Pasts { connection: pasts, kept: None })),
            queue: Arc::new(queue),
            origin,
            busy_timeout,
        };
        Ok(SqliteLog { path, shared: Arc::new(shared) })
    }
}

#[async_trait]
impl RunLog for SqliteLog {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.shared.queue.append(batch).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.with_reader(move |connection| read::read(connection, &query)).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.with_pasts(move |Pasts { connection, kept }| read::past(connection, kept, &of)).await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.with_pasts(|Pasts { connection, kept }| read::unfinished(connection, kept)).await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.with_reader(|connection| read::last_seq(connection)).await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.with_reader(move |connection| read::count(connection, &query)).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        let mut told = self.shared.watch.wait()?;
        loop {
            let now = *told.borrow_and_update();
            let last = now.last.number();
            if last > after {
                return Ok(last);
            }
            if now.last.has_lost(after) {
                return Err(self.replaced(after, last));
            }
            // Nobody may have looked yet, or looking failed.
            let last = self.last_seq().await?;
            if last > after {
                return Ok(last);
            }
            // OK because `self` keeps the sender.
            told.changed().await.expect("the log is there");
        }
    }

    /// Gives the room of removed records back to the disk.
    ///
    /// Appends wait until it is done: some seconds for a million records, and as much room as the
    /// file has is needed meanwhile. Without it, new records take the room of removed ones.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or there is no room for a copy ([`LogErrorKind::Full`]). It
    /// is whole then.
    ///
    /// # Cancel safety
    ///
    /// It goes on when it is dropped.
    async fn compact(&self) -> Result<(), LogError> {
        self.shared.queue.call("compact", Writer::compact).await
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        if prune.before.is_none() && prune.beyond.is_none() {
            return Ok(0);
        }
        let (origin, timeout) = (self.shared.origin.clone(), self.shared.busy_timeout);
        let mut search = self
            .blocking("read", move || {
                origin.check()?;
                Search::new(open::reader(origin.path(), timeout)?, &prune)
            })
            .await?;
        let mut removed = 0;
        loop {
            let found;
            (search, found) = self
                .blocking("read", move || {
                    let found = search.next()?;
                    Ok((search, found))
                })
                .await?;
            let Some(found) = found else { return Ok(removed) };
            if !found.is_empty() {
                removed +=
                    self.shared.queue.call("prune", move |writer| writer.remove(&found)).await?;
            }
        }
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        if records.is_empty() {
            return Ok(());
        }
        let tell = self.shared.watch.teller();
        let import = move |writer: &mut Writer| writer.import(&records).map(tell);
        self.shared.queue.call("write to", import).await
    }
}

impl SqliteLog {
    /// Asks the ledger of what is there something, off the reactor.
    async fn with_pasts<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Pasts) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, LogError> {
        let mut pasts = Arc::clone(&self.shared.pasts).lock_owned().await;
        let origin = self.shared.origin.clone();
        self.blocking("read", move || {
            origin.check()?;
            work(&mut pasts)
        })
        .await
    }

    /// Reads something, off the reactor, when there is a place to.
    async fn with_reader<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, LogError> {
        let readers = Arc::clone(&self.shared.readers);
        let place = readers.place().await;
        self.blocking("read", move || readers.read(&place, work)).await
    }

    /// Does something with the file, off the reactor.
    ///
    /// While it is done, Tokio's paused clock does not advance: a test in virtual time sees it take
    /// no time.
    async fn blocking<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, LogError> {
        let result = match Handle::try_current() {
            Ok(runtime) => {
                let called = runtime.spawn_blocking(work).await;
                called.map_err(|error| {
                    let path = self.path.display();
                    let message = format!("cannot {doing} `{path}`: the runtime is shutting down");
                    LogError::new(LogErrorKind::Io, message).because(error)
                })?
            }
            // Without Tokio there is no reactor to hold up.
            Err(_) => work(),
        };
        result.map_err(|failure| failure.explain(doing, &self.path))
    }

    /// The error of who waits for more than a record that is not there any more.
    fn replaced(&self, after: Seq, last: Seq) -> LogError {
        let message = format!(
            "cannot follow `{}`: its last record is {last} now, and {after} was told before: it was \
             restored from a backup",
            self.path.display()
        );
        LogError::new(LogErrorKind::Replaced, message)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // On whatever thread this is: to close the connections takes the disk as well.
        if let Err(failure) = self.queue.close() {
            // Whoever opens the file next has to read a few more records.
            tracing::debug!(?failure, "the ledger was not written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use redengine_core::facts::Keep;

    use super::*;

    #[tokio::test]
    async fn long_reads_hold_up_neither_pasts_nor_another_read() {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path().join("runs.db")).unwrap();
        let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
        let mut reads = tokio::task::JoinSet::new();
        let mut over = Vec::new();
        for _ in 1..readers::READERS {
            let (end, ends) = mpsc::channel::<()>();
            over.push(end);
            let (log, begun) = (log.clone(), begun.clone());
            reads.spawn(async move {
                log.with_reader(move |_| {
                    begun.send(()).unwrap();
                    // As long as it takes, but for a test that has failed.
                    Ok(ends.recv_timeout(Duration::from_secs(20)))
                })
                .await
            });
            has_begun.recv().await.unwrap();
        }
        for _ in 0..2 {
            let of = PastOf { task: "a".into(), keep: Keep::default() };
            assert_eq!(log.past(vec![of]).await.unwrap().len(), 1);
            assert_eq!(log.last_seq().await.unwrap(), Seq(0));
            assert!(log.read(Query::all()).await.unwrap().is_empty());
            assert_eq!(log.count(Query::all()).await.unwrap(), 0);
        }
        for end in over {
            end.send(()).unwrap();
        }
        for read in reads.join_all().await {
            assert!(read.unwrap().is_ok(), "the others waited for it");
        }
    }
}
