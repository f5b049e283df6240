//! A log in files that is closed and opened again after whatever changes it: what is in memory is
//! always only what the files tell.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, LogError, LogErrorKind, Past, PastOf, Prune, Query, RunLog,
};
use tokio::sync::Mutex;

pub(crate) trait Open: RunLog + Sized {
    fn open(path: PathBuf) -> Self;
}

#[cfg(feature = "csv")]
impl Open for redengine_log::CsvLog {
    fn open(path: PathBuf) -> Self {
        let log = Self::builder(path).fsync(redengine_log::Fsync::Never).rotate_at(5000);
        when_free(|| log.clone().open())
    }
}

#[cfg(feature = "jsonl")]
impl Open for redengine_log::JsonlLog {
    fn open(path: PathBuf) -> Self {
        let log = Self::builder(path).fsync(redengine_log::Fsync::Never).rotate_at(5000);
        when_free(|| log.clone().open())
    }
}

/// Opens a log as soon as it is free: an append whose future was dropped goes on, and has it open.
fn when_free<L>(open: impl Fn() -> Result<L, LogError>) -> L {
    let opened = std::iter::repeat_with(|| {
        std::thread::yield_now();
        open()
    });
    let is_over = |opened: &Result<L, LogError>| {
        opened.as_ref().err().is_none_or(|error| error.kind() != LogErrorKind::Locked)
    };
    opened.take(1_000_000).find(is_over).expect("a log that becomes free").unwrap()
}

pub(crate) struct Reopened<L> {
    path: PathBuf,
    log: Mutex<Option<L>>,
}

impl<L: Open> Reopened<L> {
    pub(crate) fn new(path: PathBuf) -> Self {
        let log = Mutex::new(Some(L::open(path.clone())));
        Self { path, log }
    }

    async fn change<T>(
        &self,
        change: impl AsyncFnOnce(&L) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let mut log = self.log.lock().await;
        // Who was dropped half-way has left none.
        let open = log.take().unwrap_or_else(|| L::open(self.path.clone()));
        let done = change(&open).await;
        drop(open);
        *log = Some(L::open(self.path.clone()));
        done
    }
}

impl<L> fmt::Debug for Reopened<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reopened").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl<L: Open> RunLog for Reopened<L> {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        self.change(async |log| log.append(batch).await).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.log.lock().await.as_ref().unwrap().read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.log.lock().await.as_ref().unwrap().past(of).await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.log.lock().await.as_ref().unwrap().last_seq().await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.log.lock().await.as_ref().unwrap().count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        loop {
            let last = self.last_seq().await?;
            if last > after {
                return Ok(last);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        self.change(async |log| log.prune(prune).await).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.change(async |log| log.import(records).await).await
    }
}
