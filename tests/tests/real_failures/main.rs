//! Sessions whose real run log fails: a disk without room, files that may not be written, a file that
//! another process holds, a server that goes away, and a newer version that changes the format.
//!
//! Each trouble is made for real and lived through three times: it goes away; the session is one that
//! stops; and it does not go away before the session is to end. Logs work on threads of their own, in
//! which Tokio's paused clock does not advance, so all that takes is virtual time.

#![cfg(target_os = "linux")]

mod files;
#[path = "../../../crates/log/tests/shared/process.rs"]
mod process;
mod servers;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::record::{Action, Recorded, RunId};
use redengine_core::runlog::{LogErrorKind, RunLog};
use redengine_core::session::{LogHealth, OnLogFailure, SessionBuilder};
use redengine_runtime::RunError;
use redengine_tests::world::{
    actions, pass, run_for, run_while, session, slow, starts, task, timeline,
};

use self::process::{FILE, ROLE};

/// Something that keeps a log from being written.
#[async_trait]
trait Trouble {
    async fn begin(&mut self);
    async fn end(&mut self);
}

/// A new log, and what will happen to it.
struct Scene<T> {
    log: Arc<dyn RunLog>,
    trouble: T,
}

/// What is told of a trouble.
#[derive(Clone, Copy)]
struct Told {
    /// The first error that a session hears of is of one of these kinds.
    kinds: &'static [LogErrorKind],
    /// What health says then, one of them.
    words: &'static [&'static str],
}

/// Begins a session with two live runs that end while its log fails.
fn begin(log: &Arc<dyn RunLog>) -> SessionBuilder {
    session("2026-11-24 07:00")
        .log(log.clone())
        .task(slow("long", "daily", "20 s"))
        .task(slow("short", "daily", "10 s"))
        .task(task("tick", "every 5 s"))
        .task(task("next", "after task 'long'"))
}

/// Lives through a trouble in all ways.
async fn live_through<T: Trouble>(make: impl AsyncFn() -> Scene<T>, told: Told) {
    goes_away(make().await, told).await;
    stops_a_session(make().await, told).await;
    does_not_go_away(make().await).await;
}

/// Nothing starts, live runs go on, their ends are kept and written later in order, and it goes on.
async fn goes_away<T: Trouble>(Scene { log, mut trouble }: Scene<T>, told: Told) {
    let session = begin(&log).build().unwrap();
    let story = async {
        pass("7 s").await;
        assert!(session.health().is_well());
        trouble.begin().await;
        pass("5 s").await;
        let health = session.health();
        let LogHealth::Down { error, .. } = &health.log else { panic!("{health:?}") };
        assert!(told.words.iter().any(|words| error.contains(words)), "{error}");
        assert_eq!(health.unwritten, 1, "{health:?}");
        pass("18 s").await;
        let health = session.health();
        assert!(!health.is_well() && health.unwritten == 2, "{health:?}");
        trouble.end().await;
        pass("30 s").await;
        let health = session.health();
        assert!(health.is_well() && health.unwritten == 0, "{health:?}");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let timeline = timeline(&session).await;
    let place = |text: &str| timeline.find(text).unwrap_or_else(|| panic!("{text} in\n{timeline}"));
    assert!(place("24 07:00:10 short success") < place("24 07:00:20 long success"), "{timeline}");
    assert!(place("24 07:00:20 long success") < place("next run"), "{timeline}");
    let ticks = starts(&session, "tick").await;
    let ticks: Vec<&str> = ticks.split(", ").collect();
    assert_eq!(&ticks[..2], ["24 07:00:00", "24 07:00:05"]);
    assert!(ticks[2..].iter().all(|at| ("24 07:00:30".."24 07:01:00").contains(at)), "{ticks:?}");
    assert!(ticks.len() >= 5, "{ticks:?}");
    for name in ["long", "short", "next"] {
        assert_eq!(actions(&session, name).await, "run success");
    }
    assert_eq!(actions(&session, "tick").await, ["run success"].repeat(ticks.len()).join(" "));
}

/// A session that is to stop ends with the error, and what was live is written if it can be.
async fn stops_a_session<T: Trouble>(Scene { log, mut trouble }: Scene<T>, told: Told) {
    let stop = |config: &mut redengine_core::Config| config.on_log_failure = OnLogFailure::Stop;
    let session = begin(&log).configure(stop).build().unwrap();
    let story = async {
        pass("7 s").await;
        trouble.begin().await;
        pass("5 s").await;
        trouble.end().await;
        pass("1 hour").await;
        panic!("it goes on");
    };
    let error = run_while(&session, story).await.unwrap_err();
    let RunError::LogFailed(error) = &error else { panic!("{error:?}") };
    assert!(told.kinds.contains(&error.kind()), "{error:?}");
    assert_eq!(starts(&session, "tick").await, "24 07:00:00, 24 07:00:05");
    for name in ["long", "short"] {
        assert_eq!(actions(&session, name).await, "run success");
    }
}

/// A session that is to end does not wait for its log for ever, and says what was not written. The
/// next one finds what it has left.
async fn does_not_go_away<T: Trouble>(Scene { log, mut trouble }: Scene<T>) {
    let session = begin(&log).build().unwrap();
    let story = async {
        pass("7 s").await;
        trouble.begin().await;
        pass("23 s").await;
        session.shutdown();
        // The deadline of the shutdown, the grace, and five seconds for the last records.
        pass("30 s").await;
        assert!(session.health().running);
        pass("11 s").await;
        panic!("it waits for a log that does not come back");
    };
    let error = run_while(&session, story).await.unwrap_err();
    let RunError::Unwritten { ends, error: Some(_) } = &error else { panic!("{error:?}") };
    let mut ends: Vec<_> = ends.iter().map(|(task, action)| (&**task, *action)).collect();
    ends.sort_unstable();
    assert_eq!(ends, [("long", Action::Success), ("short", Action::Success)]);
    assert!(error.to_string().contains("`long` (success)"), "{error}");
    trouble.end().await;
    let next = begin(&log).build().unwrap();
    run_for(&next, "1 s").await.unwrap();
    for name in ["long", "short"] {
        assert!(actions(&next, name).await.starts_with("run crash"), "{name}");
    }
}

/// Checks that each run has one end, and tells how many there are.
fn ended(records: &[Recorded]) -> usize {
    let (begun, ended): (Vec<_>, Vec<_>) =
        records.iter().partition(|known| known.record.action == Action::Run);
    let runs = |records: Vec<&Recorded>| {
        let mut runs: Vec<RunId> = records.iter().map(|known| known.record.run).collect();
        runs.sort_unstable();
        runs
    };
    let (begun, ended) = (runs(begun), runs(ended));
    assert_eq!(begun, ended);
    begun.len()
}

/// What another process does; see [`process`].
#[test]
fn as_another_process() {
    let (Ok(role), Some(file)) = (std::env::var(ROLE), std::env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    match &*role {
        "fill" => in_virtual_time(files::fill_the_disk(&file)),
        "unsynced" => in_virtual_time(files::live_through_what_is_told_later(&file)),
        "hold" => files::hold(&file),
        role => panic!("unknown role {role}"),
    }
}

fn in_virtual_time(story: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(story);
    process::say("whole");
}
