//! A session in virtual time, and its run log as text.
//!
//! Always: Tokio's clock is paused (`#[tokio::test(start_paused = true)]`), so a day passes in
//! milliseconds and two runs of a test see the same. Sessions are in UTC unless a test says otherwise.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redengine_core::param::Cancel;
use redengine_core::record::{Action, Recorded};
use redengine_core::runlog::Query;
use redengine_core::session::SessionBuilder;
use redengine_core::time::{Zone, duration};
use redengine_core::{Expr, Session, Task, Timestamp};
use redengine_log::MemoryLog;
use redengine_runtime::{RunError, RunSession, VirtualClock};

/// Reads an instant like `2026-11-24 07:00` or `2026-11-24 07:00:30.5`, in UTC.
///
/// # Panics
///
/// If it is none.
pub fn at(text: &str) -> Timestamp {
    let (date, time) = text.split_once(' ').expect("a date and a time");
    let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
    format!("{date}T{time}{seconds}Z").parse().expect("an instant")
}

/// Reads a duration like `2 hours 30 min`.
///
/// # Panics
///
/// If it is none.
pub fn span(text: &str) -> Duration {
    duration::parse(text).expect("a duration")
}

/// Begins a session in UTC whose clock shows `start` when it begins to run.
pub fn session(start: &str) -> SessionBuilder {
    Session::builder()
        .log(MemoryLog::new())
        .clock(VirtualClock::starting(at(start)))
        .configure(|config| config.timezone = Some(Zone::utc()))
}

/// Makes a task that takes no time.
pub fn task(name: &str, condition: impl Into<Expr>) -> Task {
    Task::new(name, condition, || async {})
}

/// Makes a task that takes some time.
pub fn slow(name: &str, condition: impl Into<Expr>, takes: &str) -> Task {
    let takes = span(takes);
    Task::new(name, condition, move || tokio::time::sleep(takes))
}

/// Makes a task that fails.
pub fn failing(name: &str, condition: impl Into<Expr>) -> Task {
    Task::new(name, condition, || async { Err::<(), _>("no luck") })
}

/// Makes a task that takes some time and then fails.
pub fn slow_failing(name: &str, condition: impl Into<Expr>, takes: &str) -> Task {
    let takes = span(takes);
    Task::new(name, condition, move || async move {
        tokio::time::sleep(takes).await;
        Err::<(), _>("no luck")
    })
}

/// Makes a task that runs until it is told to stop, and then ends at once with an error.
pub fn serving(name: &str, condition: impl Into<Expr>) -> Task {
    Task::new(name, condition, |cancel: Cancel| async move {
        cancel.cancelled().await;
        Err::<(), _>("stopped")
    })
}

/// Makes a task whose runs fail so many times, and then succeed.
pub fn failing_times(name: &str, condition: impl Into<Expr>, times: u32) -> Task {
    let left = Arc::new(AtomicU32::new(times));
    Task::new(name, condition, move || {
        let left = left.clone();
        async move {
            let fails =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if fails.is_ok() { Err("no luck") } else { Ok(()) }
        }
    })
}

/// Sleeps by the virtual clock.
pub async fn pass(time: &str) {
    tokio::time::sleep(span(time)).await;
}

/// Does something that takes real time, such as waiting for another thread or a server; the virtual
/// clock stands still meanwhile.
pub async fn still<T>(work: impl Future<Output = T>) -> T {
    // Tokio's paused clock does not advance while somebody works on the pool for that.
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || is_done.recv());
    let result = work.await;
    drop(done);
    result
}

/// Runs a session for so long, then shuts it down in order.
///
/// # Errors
///
/// As running it.
pub async fn run_for(session: &Session, time: &str) -> Result<(), RunError> {
    let stop = async {
        pass(time).await;
        session.shutdown();
    };
    run_while(session, stop).await
}

/// Runs a session, and at the same time something that ends it.
///
/// # Errors
///
/// As running it.
pub async fn run_while(session: &Session, story: impl Future<Output = ()>) -> Result<(), RunError> {
    let run = session.run().without_signals().allow_empty().typed();
    tokio::pin!(run, story);
    // If the session ends first, there is nobody to tell the rest of the story to.
    tokio::select! {
        result = &mut run => result,
        () = &mut story => run.await,
    }
}

/// Tells the records of a session, one a line: `24 07:00:00 name action [due] [reason]`.
///
/// # Panics
///
/// If the log cannot be read.
pub async fn timeline(session: &Session) -> String {
    render(&session.history(Query::all()).await.expect("a log that can be read"))
}

/// Tells when runs of a task began: `24 07:00:00`, separated by commas.
///
/// # Panics
///
/// If the log cannot be read.
pub async fn starts(session: &Session, task: &str) -> String {
    times(session, task, Action::Run).await
}

/// Tells when a task got records of an action.
///
/// # Panics
///
/// If the log cannot be read.
pub async fn times(session: &Session, task: &str, action: Action) -> String {
    let query = Query::task(task).actions([action]);
    let records = session.history(query).await.expect("a log that can be read");
    records.iter().map(|known| clock(known.record.at)).collect::<Vec<_>>().join(", ")
}

/// Tells the actions of a task's records, separated by blanks.
///
/// # Panics
///
/// If the log cannot be read.
pub async fn actions(session: &Session, task: &str) -> String {
    let records = session.history(Query::task(task)).await.expect("a log that can be read");
    records.iter().map(|known| known.record.action.as_str()).collect::<Vec<_>>().join(" ")
}

/// Tells the reason of the last record of a task.
///
/// # Panics
///
/// If the log cannot be read or there is no record.
pub async fn reason(session: &Session, task: &str) -> String {
    let query = Query::task(task).newest_first().limit(1);
    let records = session.history(query).await.expect("a log that can be read");
    let details = records[0].record.details.as_ref();
    let reason = details.and_then(|details| details.reason.as_ref());
    reason.map(ToString::to_string).unwrap_or_default()
}

/// Renders records, one a line.
pub fn render(records: &[Recorded]) -> String {
    let mut text = String::new();
    for Recorded { record, .. } in records {
        // OK because writing to a text does not fail.
        let _ = write!(text, "{} {} {}", clock(record.at), record.task, record.action);
        if let Some(due) = record.due.filter(|due| *due != record.at && !record.action.ends()) {
            let _ = write!(text, " (due {})", clock(due));
        }
        let reason = record.details.as_ref().and_then(|details| details.reason.as_ref());
        if let Some(reason) = reason {
            let _ = write!(text, ": {reason}");
        }
        text.push('\n');
    }
    text
}

/// Tells an instant as the day of the month and the time of day.
pub fn clock(at: Timestamp) -> String {
    let at = at.to_utc();
    let finer = at.timestamp_subsec_micros();
    let pattern = match finer {
        0 => "%d %H:%M:%S",
        _ if finer.is_multiple_of(1000) => "%d %H:%M:%S%.3f",
        _ => "%d %H:%M:%S%.6f",
    };
    at.format(pattern).to_string()
}
