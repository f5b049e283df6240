//! What is measured: waiting, lateness, a burst, a steady load, as much as it can; and the parts.
//!
//! A scenario of a session registers its tasks, lets the session settle, and then watches from
//! outside. The parts (reading, looking, finding edges) are called directly.

mod burst;
mod claims;
mod edge;
mod eval;
mod idle;
mod log;
mod log_read;
mod parse;
mod steady;

use std::time::Duration;

use clap::ValueEnum;

use crate::clock::Unix;
use crate::harness::Figures;
pub(crate) use crate::scenarios::log::LogName;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// N tasks that are due once a day, none of them soon: what waiting costs.
    Idle,
    /// K tasks that are due at each full second, among N that wait: how late they start.
    Lateness,
    /// N tasks that are due at the same full second: how long until all have started.
    Burst,
    /// N tasks that are due at each full second.
    #[value(name = "every1s")]
    Every1s,
    /// N tasks that are always due, one run at a time each.
    Throughput,
    /// Reading conditions from text, as often as it can in the given time.
    Parse,
    /// One look at a condition, as often as it can in the given time.
    Eval,
    /// The next edge of a period, as often as it can; for cron, beside two crates that do it too.
    Edge,
    /// Records of N tasks that are appended to each run log: one at a time, 512 at a time, and by 512
    /// callers at once; beside raw inserts of the same rows, for files raw appends of the same lines. And whole runs of N tasks that are always
    /// due, with each.
    Log,
    /// Runs of N tasks that four nodes claim at once on one PostgreSQL server: each of its own tasks,
    /// and all of the same.
    Claims,
    /// What is asked of a run log that has R records of N tasks.
    LogRead,
}

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub tasks: usize,
    pub seconds: f64,
    pub probes: usize,
    /// The seconds from the start to the burst; 0: what registration is expected to need.
    pub lead: f64,
    pub records: usize,
    /// The only run log to measure; `None`: all.
    pub log: Option<LogName>,
}

impl Scenario {
    /// Measures it.
    pub(crate) async fn run(self, size: Size) -> Result<Figures, String> {
        // A random phase, so that what repeats with the full second does not begin with it.
        let phase = Duration::from_nanos(Unix::now().0 % 1_000_000_000);
        tokio::time::sleep(Duration::from_millis(200) + phase).await;
        match self {
            Self::Idle => idle::run(size).await,
            Self::Lateness => steady::lateness(size).await,
            Self::Burst => burst::run(size).await,
            Self::Every1s => steady::every_second(size).await,
            Self::Throughput => steady::throughput(size).await,
            Self::Parse => parse::run(size),
            Self::Eval => eval::run(size),
            Self::Edge => edge::run(size),
            Self::Log => log::run(size).await,
            Self::Claims => claims::run(size).await,
            Self::LogRead => log_read::run(size).await,
        }
    }
}
