//! The suite that every run log must pass.
//!
//! Each check gets an empty log of its own and looks at it only through [`RunLog`], so that it
//! holds for any: numbers may be skipped, and [`Past`](redengine_core::runlog::Past) may hold more
//! records than it must. A log without [`leases`](RunLog::leases) passes the checks of them.
//!
//! - [`run`]: what any log must do.
//! - [`run_reopened`]: what a log must do that keeps its records when it is closed.
//! - [`run_shared`]: what logs must do of which several may be open on the same records.
//!
//! # Examples
//!
//! ```
//! use redengine_log::{MemoryLog, conformance};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), conformance::Failures> {
//! conformance::run(async || MemoryLog::new()).await
//! # }
//! ```

mod append;
mod follow;
mod import;
mod kit;
mod leases;
mod past;
mod prune;
mod race;
mod read;
mod reopened;
mod shared;
mod store;
mod unfinished;
mod whole;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use redengine_core::runlog::RunLog;

pub use self::store::{StoreCheck, reopened_checks, run_reopened, run_shared, shared_checks};

type Run = fn(Arc<dyn RunLog>) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One thing that a run log must do.
#[derive(Clone, Copy)]
pub struct Check {
    name: &'static str,
    run: Run,
}

impl Check {
    /// Tells its name, which is a sentence in snake case.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Checks an empty log. Needs a Tokio runtime; several threads make the races of some
    /// checks real.
    ///
    /// # Errors
    ///
    /// What the log did wrong.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the log has any of the check's records.
    pub async fn run(&self, log: Arc<dyn RunLog>) -> Result<(), String> {
        (self.run)(log).await
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// Lists all checks, for a test harness that wants each to be a test.
///
/// # Examples
///
/// ```
/// assert!(redengine_log::conformance::checks().iter().any(|check| check.name().contains("order")));
/// ```
pub fn checks() -> Vec<Check> {
    [
        append::CHECKS,
        read::CHECKS,
        past::CHECKS,
        race::CHECKS,
        whole::CHECKS,
        follow::CHECKS,
        prune::CHECKS,
        import::CHECKS,
        leases::CHECKS,
        unfinished::CHECKS,
    ]
    .concat()
}

/// Runs all checks, each with a new log.
///
/// Needs a Tokio runtime; several threads make the races of some checks real.
///
/// # Errors
///
/// All checks that failed.
///
/// # Cancel safety
///
/// When dropped, some checks did not run.
pub async fn run<L: RunLog>(make: impl AsyncFn() -> L) -> Result<(), Failures> {
    let mut failures = Vec::new();
    for check in checks() {
        if let Err(why) = check.run(Arc::new(make().await)).await {
            failures.push((check.name, why));
        }
    }
    Failures::of(failures, checks().len())
}

/// The checks that a run log did not pass.
#[derive(Clone)]
pub struct Failures {
    failures: Vec<(&'static str, String)>,
    /// How many checks there were.
    checks: usize,
}

impl Failures {
    fn of(failures: Vec<(&'static str, String)>, checks: usize) -> Result<(), Self> {
        if failures.is_empty() { Ok(()) } else { Err(Self { failures, checks }) }
    }

    /// Lists the names of the checks that failed, and why they did.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.failures.iter().map(|(name, why)| (*name, why.as_str()))
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} checks failed", self.failures.len(), self.checks)?;
        self.iter().try_for_each(|(name, why)| write!(f, "\n  {name}: {why}"))
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failures {}
