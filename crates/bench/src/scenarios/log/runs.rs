//! Whole runs through the scheduler: each is won in the log, started, and its end recorded.

use std::path::Path;
use std::time::Duration;

use super::{Subject, float};
use crate::clock::Stopwatch;
use crate::harness::{Due, Running};
use crate::starts::{Noting, Starts};

/// The tables fill and connections are made before the measurement.
const BEFORE: Duration = Duration::from_millis(300);

/// Tells how many runs a second a session of tasks that are always due gets done on a log.
pub(super) async fn per_second(
    subject: &Subject,
    folder: &Path,
    tasks: usize,
    seconds: f64,
) -> Result<f64, String> {
    let log = subject.open(folder).await?;
    let starts = Starts::prepare(Noting::Total);
    let mut running = Running::start_on(log, tasks, |_| Due::Always)?;
    running.during(tokio::time::sleep(BEFORE)).await?;
    let (before, clock) = (starts.all(), Stopwatch::start());
    running.during(tokio::time::sleep(Duration::from_secs_f64(seconds))).await?;
    let (runs, took) = (starts.all() - before, clock.seconds());
    running.end().await?;
    Ok(float(usize::try_from(runs).unwrap_or(usize::MAX)) / took)
}
