//! Stores: what keeps the records while no log is open, and what several open logs share.

use std::fmt;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use redengine_core::runlog::RunLog;

use super::kit::{Checked, Log};
use super::{Failures, reopened, shared};

type Open<'a> = dyn Fn() -> LocalBoxFuture<'a, Log> + 'a;

/// An empty store, and how a log of it is opened.
#[derive(Clone, Copy)]
pub(super) struct Store<'a> {
    open: &'a Open<'a>,
}

impl Store<'_> {
    pub(super) async fn open(&self) -> Log {
        (self.open)().await
    }
}

/// One thing that logs of one store must do.
#[derive(Clone, Copy)]
pub struct StoreCheck {
    pub(super) name: &'static str,
    pub(super) run: for<'a> fn(Store<'a>) -> LocalBoxFuture<'a, Checked>,
}

impl StoreCheck {
    /// Tells its name, which is a sentence in snake case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks an empty store, of which `open` opens a log whenever it is called.
    ///
    /// # Errors
    ///
    /// What the logs did wrong.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the store has any of the check's records.
    ///
    /// # Examples
    ///
    /// ```
    /// use redengine_log::{MemoryLog, conformance};
    ///
    /// # #[tokio::main]
    /// # async fn main() {
    /// for check in conformance::shared_checks() {
    ///     let log = MemoryLog::new();
    ///     check.run(async || log.clone()).await.unwrap();
    /// }
    /// # }
    /// ```
    pub async fn run<L: RunLog>(&self, open: impl AsyncFn() -> L) -> Result<(), String> {
        let open = &open;
        let open =
            || -> LocalBoxFuture<'_, Log> { Box::pin(async { Arc::new(open().await) as Log }) };
        (self.run)(Store { open: &open }).await
    }
}

impl fmt::Debug for StoreCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreCheck").field(&self.name).finish()
    }
}

/// Lists the checks of [`run_reopened`], for a test harness that wants each to be a test.
pub fn reopened_checks() -> Vec<StoreCheck> {
    reopened::CHECKS.to_vec()
}

/// Lists the checks of [`run_shared`], for a test harness that wants each to be a test.
pub fn shared_checks() -> Vec<StoreCheck> {
    shared::CHECKS.to_vec()
}

/// Runs the checks of logs that are closed and opened again: what was written is there, and the log
/// goes on as if it had never been closed.
///
/// Whoever is given the number of a store opens a log of it. Each check has a store of its own, which
/// is empty when it is first opened; one log of it is open at a time.
///
/// # Errors
///
/// All checks that failed.
///
/// # Cancel safety
///
/// When dropped, some checks did not run.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "jsonl")] {
/// use redengine_log::{JsonlLog, conformance};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), conformance::Failures> {
/// let folder = tempfile::tempdir().unwrap();
/// let path = |store| folder.path().join(format!("{store}.jsonl"));
/// conformance::run_reopened(async |store| JsonlLog::open(path(store)).unwrap()).await
/// # }
/// # main().unwrap();
/// # }
/// ```
pub async fn run_reopened<L: RunLog>(open: impl AsyncFn(usize) -> L) -> Result<(), Failures> {
    run_all(reopened::CHECKS, 0, open).await
}

/// Runs the checks of logs of one store that are open at the same time, as those of several processes
/// or nodes are: what one writes counts for all.
///
/// Whoever is given the number of a store opens a log of it. Each check has a store of its own, which
/// is empty when it is first opened, and which no check of [`run_reopened`] has. Needs a Tokio runtime;
/// several threads make the races of some checks real.
///
/// # Errors
///
/// All checks that failed.
///
/// # Cancel safety
///
/// When dropped, some checks did not run.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use redengine_log::{SqliteLog, conformance};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), conformance::Failures> {
/// let folder = tempfile::tempdir().unwrap();
/// let path = |store| folder.path().join(format!("{store}.db"));
/// conformance::run_shared(async |store| SqliteLog::open(path(store)).unwrap()).await
/// # }
/// # main().unwrap();
/// # }
/// ```
pub async fn run_shared<L: RunLog>(open: impl AsyncFn(usize) -> L) -> Result<(), Failures> {
    run_all(shared::CHECKS, reopened::CHECKS.len(), open).await
}

async fn run_all<L: RunLog>(
    checks: &[StoreCheck],
    first: usize,
    open: impl AsyncFn(usize) -> L,
) -> Result<(), Failures> {
    let mut failures = Vec::new();
    for (store, check) in (first..).zip(checks) {
        if let Err(why) = check.run(async || open(store).await).await {
            failures.push((check.name, why));
        }
    }
    Failures::of(failures, checks.len())
}
