//! Run logs in files that a person can read.
//!
//! Invariants: all records are in memory too, and every question is answered from there, so that it
//! means what it means to [`MemoryLog`](crate::MemoryLog); a record is seen only when it is in the
//! file; one program has a log open at a time.
//!
//! What a line looks like is the business of `csv` and `jsonl`; neither knows of files.

#[cfg(feature = "csv")]
pub(crate) mod csv;
mod error;
mod flush;
pub(crate) mod format;
#[cfg(feature = "jsonl")]
pub(crate) mod jsonl;
mod open;
mod paths;
mod write;

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{Append, Appended, LogError, Past, PastOf, Prune, Query, RunLog};

use self::format::Format;
use self::paths::Paths;
use self::write::Writer;
use crate::memory::MemoryLog;
use crate::queue::Queue;

/// Keeps records in CSV files: a row is a record, to be looked at in a spreadsheet.
///
/// See [`FileLog`] for what holds for it.
#[cfg(feature = "csv")]
pub type CsvLog = FileLog<csv::Csv>;

/// Keeps records in files of JSON lines: a line is a record, to be searched with `grep` and `jq`.
///
/// See [`FileLog`] for what holds for it.
#[cfg(feature = "jsonl")]
pub type JsonlLog = FileLog<jsonl::Jsonl>;

/// Keeps records in files that a person can read: [`CsvLog`] or [`JsonlLog`].
///
/// Nothing that was acknowledged is lost when the process is killed. What a crash has torn at the
/// end was never acknowledged: it is cut off when the log is opened, and kept in a file `.torn` beside
/// it. A line in the middle that is no record is an error that names it.
///
/// All records are in memory too, some 100 bytes each, and opening reads all files. One program has a
/// log open at a time: take [`SqliteLog`](crate::SqliteLog) for long logs, and to share one.
///
/// When the file has grown to a size ([`FileLogBuilder::rotate_at`]), it is put aside as `runs.1.csv`,
/// then `runs.2.csv`, and another is begun; all of them are the log. [`RunLog::prune`] makes one
/// file of what stays. The file must be on a local disk.
///
/// Clones share their file.
///
/// # Cancel safety
///
/// A dropped future of [`RunLog::append`] or [`RunLog::import`] has written all of its batch or
/// nothing, and may still do so after it was dropped. Appending the batch again is safe. One of
/// [`RunLog::prune`] has removed all or nothing, and may still do so. The others only read.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "jsonl")] {
/// use redengine_core::runlog::{Query, RunLog};
/// use redengine_log::JsonlLog;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("runs.jsonl");
/// let log = JsonlLog::open(path)?; // "runs.jsonl"
/// assert!(log.read(Query::all()).await?.is_empty());
/// # Ok(())
/// # }
/// # main().unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct FileLog<F: Format> {
    path: Arc<Path>,
    memory: MemoryLog,
    shared: Arc<Shared<F>>,
}

/// What clones share.
struct Shared<F: Format> {
    queue: Arc<Queue<Writer<F>>>,
}

/// When to wait for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// Before an append is acknowledged: nothing is lost when the power fails. Appends that wait do so
    /// together.
    #[default]
    EachBatch,
    /// So long after an append, in a thread of its own. After a power failure or a crash of the
    /// system the records of about that time may be missing, and a run that was recorded there may
    /// run again; the end of the process alone loses nothing.
    ///
    /// If the disk does not take them then, the next append fails and says from which record on, and the
    /// one after it first writes all records to a new file.
    Every(Duration),
    /// Never: the system does it when it likes. As [`Fsync::Every`], with more to lose.
    Never,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    fsync: Fsync,
    rotate_at: u64,
}

impl<F: Format> FileLog<F> {
    /// Opens a run log, or makes it if there is no such file.
    ///
    /// This blocks while it reads the files: call it before the session runs.
    ///
    /// # Errors
    ///
    /// - [`LogErrorKind::Open`]: the folder is missing, the path is not a file, the file is not a run
    ///   log of this format.
    /// - [`LogErrorKind::Locked`]: another program has it open, or this one has already.
    /// - [`LogErrorKind::ReadOnly`]: the file or its folder may not be written to.
    /// - [`LogErrorKind::Corrupt`]: a line that is not the last is no record; it is named.
    /// - [`LogErrorKind::Version`]: a newer version wrote it.
    /// - [`LogErrorKind::Full`], [`LogErrorKind::Io`]: reading or writing failed.
    ///
    /// [`LogErrorKind::Open`]: redengine_core::runlog::LogErrorKind::Open
    /// [`LogErrorKind::Locked`]: redengine_core::runlog::LogErrorKind::Locked
    /// [`LogErrorKind::ReadOnly`]: redengine_core::runlog::LogErrorKind::ReadOnly
    /// [`LogErrorKind::Corrupt`]: redengine_core::runlog::LogErrorKind::Corrupt
    /// [`LogErrorKind::Version`]: redengine_core::runlog::LogErrorKind::Version
    /// [`LogErrorKind::Full`]: redengine_core::runlog::LogErrorKind::Full
    /// [`LogErrorKind::Io`]: redengine_core::runlog::LogErrorKind::Io
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LogError> {
        Self::builder(path).open()
    }

    /// Opens a run log in other ways than [`FileLog::open`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "csv")] {
    /// use redengine_log::{CsvLog, Fsync};
    ///
    /// # fn main() -> Result<(), redengine_core::runlog::LogError> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("runs.csv");
    /// let log = CsvLog::builder(path).fsync(Fsync::Never).rotate_at(1_000_000).open()?;
    /// # Ok(())
    /// # }
    /// # main().unwrap();
    /// # }
    /// ```
    pub fn builder(path: impl Into<PathBuf>) -> FileLogBuilder<F> {
        let options = Options { fsync: Fsync::default(), rotate_at: 64 << 20 };
        FileLogBuilder { path: path.into(), options, format: PhantomData }
    }

    /// Tells the path of the file that is written to.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<F: Format> fmt::Debug for FileLog<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog")
            .field("format", &F::NAME)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Opens a [`FileLog`]; made by [`FileLog::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct FileLogBuilder<F> {
    path: PathBuf,
    options: Options,
    format: PhantomData<F>,
}

impl<F: Format> FileLogBuilder<F> {
    /// Sets when to wait for the disk; [`Fsync::EachBatch`] if not set.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.options.fsync = fsync;
        self
    }

    /// Sets at how many bytes a file is put aside and another begun; 64 MiB if not set. Batches are
    /// not divided, so files become a little longer.
    pub fn rotate_at(mut self, bytes: u64) -> Self {
        // An empty file is never put aside.
        self.options.rotate_at = bytes.max(F::HEADER.map_or(0, str::len) as u64 + 2);
        self
    }

    /// Opens the run log, or makes it if there is no such file.
    ///
    /// # Errors
    ///
    /// As [`FileLog::open`].
    pub fn open(self) -> Result<FileLog<F>, LogError> {
        let paths = Paths::new(&self.path, F::NAME)?;
        let (writer, memory) = Writer::<F>::open(paths, self.options)?;
        tracing::debug!(path = %self.path.display(), format = F::NAME, "opened the run log");
        let path: Arc<Path> = self.path.into();
        // The log in memory tells who waits.
        let queue = Arc::new(Queue::new(Arc::clone(&path), writer, |_| ()));
        Ok(FileLog { path, memory, shared: Arc::new(Shared { queue }) })
    }
}

#[async_trait]
impl<F: Format> RunLog for FileLog<F> {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        self.shared.queue.append(batch).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.memory.read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.memory.past(of).await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.memory.unfinished().await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.memory.last_seq().await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.memory.count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        self.memory.changed(after).await
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        let prune = move |writer: &mut Writer<F>| writer.prune(&prune);
        self.shared.queue.call("prune", prune).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        if records.is_empty() {
            return Ok(());
        }
        let import = move |writer: &mut Writer<F>| writer.import(records);
        self.shared.queue.call("write to", import).await
    }
}

impl<F: Format> Drop for Shared<F> {
    fn drop(&mut self) {
        // Whoever opens the log next in this process must find it free.
        if let Err(error) = self.queue.close() {
            tracing::warn!(%error, "the run log was closed in disorder");
        }
    }
}
