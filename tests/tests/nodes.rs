//! Several sessions on one log: each opportunity is taken once, and what a session leaves behind is
//! taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use redengine_core::param::Params;
use redengine_core::record::{Action, Recorded};
use redengine_core::runlog::{Query, RunLog};
use redengine_core::session::{LeaseHealth, LogHealth, SessionBuilder};
use redengine_core::{Session, Task};
use redengine_log::MemoryLog;
use redengine_runtime::RunSession;
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{
    at, clock, pass, render, run_while, session, slow, starts, task, timeline,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Begins a session on a log that is shared.
fn on(line: &Line) -> SessionBuilder {
    session("2026-11-24 07:00").log(line.clone()).clock(line.clock())
}

/// Runs a session until it is told to end, or its handle is aborted as if its process was killed.
fn spawn(session: &Session) -> JoinHandle<()> {
    let run = session.run().without_signals().typed();
    tokio::spawn(async move { run.await.unwrap() })
}

/// Tells the name of a running session.
fn node(session: &Session) -> Arc<str> {
    session.health().node.expect("a running session")
}

fn node_of(recorded: &Recorded) -> Option<Arc<str>> {
    recorded.record.details.as_ref()?.node.clone()
}

/// Checks that no two runs of a task overlap and each one ends; tells how often each task began.
fn begun(records: &[Recorded]) -> BTreeMap<Arc<str>, usize> {
    let mut begun = BTreeMap::new();
    let mut live: BTreeMap<Arc<str>, _> = BTreeMap::new();
    for Recorded { record, .. } in records {
        if record.action == Action::Run {
            *begun.entry(record.task.clone()).or_default() += 1;
            let other = live.insert(record.task.clone(), record.run);
            assert_eq!(other, None, "two at a time of {}", record.task);
        } else {
            assert_eq!(live.remove(&record.task), Some(record.run), "an end without its run");
        }
    }
    assert!(live.is_empty(), "{live:?}");
    begun
}

async fn all(log: &dyn RunLog) -> Vec<Recorded> {
    log.read(Query::all()).await.unwrap()
}

// ---- who runs what

/// Runs two sessions with the same tasks for five minutes.
async fn two(first: SessionBuilder, second: SessionBuilder) -> Vec<Recorded> {
    let tasks = || {
        let often = (0..20).map(|n| slow(&format!("often {n}"), "every 10 s", "1 s"));
        let chained = (0..20).map(|n| {
            task(
                &format!("chained {n}"),
                format!("after task 'often {n}'").parse::<redengine_core::Expr>().unwrap(),
            )
        });
        often.chain(chained).collect::<Vec<Task>>()
    };
    let sessions = [first, second].map(|builder| builder.tasks(tasks()).build().unwrap());
    let handles = sessions.each_ref().map(spawn);
    pass("299 s").await;
    for session in &sessions {
        session.shutdown();
    }
    for handle in handles {
        handle.await.unwrap();
    }
    sessions[0].history(Query::all()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_sessions_on_one_log_take_each_opportunity_once() {
    let log = MemoryLog::new();
    let begin = || session("2026-11-24 07:00").log(log.clone());
    let records = two(begin(), begin()).await;
    let begun = begun(&records);
    assert_eq!(begun.len(), 40);
    assert!(begun.values().all(|count| *count == 30), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn where_sessions_know_of_each_other_the_work_spreads() {
    let server = Server::new();
    let records = two(on(&server.line()), on(&server.line())).await;
    let begun = begun(&records);
    // A chained task may wait for its turn past the end.
    assert_eq!(begun.len(), 40);
    assert!(begun.values().all(|count| *count == 30), "{begun:?}");
    // Each task has its session, once all know who is there.
    let late = records.iter().filter(|known| known.record.at >= at("2026-11-24 07:00:10"));
    let mut nodes: BTreeMap<&str, BTreeSet<Arc<str>>> = BTreeMap::new();
    for recorded in late.filter(|known| known.record.action == Action::Run) {
        nodes.entry(&recorded.record.task).or_default().extend(node_of(recorded));
    }
    assert!(nodes.values().all(|nodes| nodes.len() == 1), "{nodes:?}");
    let all: BTreeSet<&Arc<str>> = nodes.values().flatten().collect();
    assert_eq!(all.len(), 2, "{nodes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_with_a_label_runs_only_where_it_is() {
    let server = Server::new();
    let begin = |labels: &[&str]| {
        let labels = labels.iter().map(|label| Arc::from(*label)).collect();
        on(&server.line())
            .configure(|config| config.node_labels = labels)
            .task(task("train", "every 10 s").on("gpu"))
            .task(task("mail", "every 10 s").on("smtp"))
            .build()
            .unwrap()
    };
    let (plain, gpu) = (begin(&[]), begin(&["gpu", "big"]));
    let handles = [spawn(&plain), spawn(&gpu)];
    pass("35 s").await;
    let own = node(&gpu);
    expect![[r#"
        task `train`: its condition does not hold; it does not start since it runs on `gpu`, which this session's `node_labels` lack
        ✘ every 10 s, since 2026-11-24 07:00:30: has its last run at 2026-11-24 07:00:30 (record 7); due at 2026-11-24 07:00:40
          may change at 2026-11-24 07:00:40, or on a record (run) of task `train`"#]].assert_eq(&plain.why("train").await.unwrap().to_string());
    plain.shutdown();
    gpu.shutdown();
    for handle in handles {
        handle.await.unwrap();
    }
    let records = all(&server.line()).await;
    let starts = records.iter().filter(|known| known.record.action == Action::Run);
    let starts: Vec<_> = starts.collect();
    assert!(starts.iter().all(|start| &*start.record.task == "train"));
    assert!(starts.iter().all(|start| node_of(start) == Some(own.clone())));
    // Nobody waits for the turn of a session that cannot run it.
    let at: Vec<String> = starts.iter().map(|start| clock(start.record.at)).collect();
    expect!["24 07:00:00, 24 07:00:10, 24 07:00:20, 24 07:00:30"].assert_eq(&at.join(", "));
}

// ---- who is gone

/// A task that takes long once.
fn long() -> Task {
    slow("long", "every 1 hour", "30 min")
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_session_leaves_is_taken_over() {
    let server = Server::new();
    let line = server.line();
    let first = on(&line).task(long()).task(task("tick", "every 10 s")).build().unwrap();
    let killed = spawn(&first);
    pass("25 s").await;
    let second = on(&server.line())
        .task(long())
        .task(task("tick", "every 10 s"))
        .task(task("mourn", "after task 'long' terminated | task 'long' has crashed & daily"))
        .build()
        .unwrap();
    let story = async {
        killed.abort();
        pass("30 s").await;
        second.shutdown();
    };
    run_while(&second, story).await.unwrap();
    expect![[r#"
        24 07:00:00 long run
        24 07:00:00 tick run
        24 07:00:00 tick success
        24 07:00:10 tick run
        24 07:00:10 tick success
        24 07:00:20 tick run
        24 07:00:20 tick success
        24 07:00:30 tick run
        24 07:00:30 long crash: its process ended before it did
        24 07:00:30 mourn run
        24 07:00:30 tick success
        24 07:00:30 mourn success
        24 07:00:40 tick run
        24 07:00:40 tick success
        24 07:00:50 tick run
        24 07:00:50 tick success
    "#]]
    .assert_eq(&timeline(&second).await);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_renew_its_lease_steps_down_before_others_take_over() {
    let server = Server::new();
    let lines = [server.line(), server.line()];
    let tasks = || [long(), task("tick", "every 1 s")];
    let sessions = lines.each_ref().map(|line| on(line).tasks(tasks()).build().unwrap());
    let first = spawn(&sessions[0]);
    pass("100 ms").await;
    let second = spawn(&sessions[1]);
    pass("10 s").await;
    let cut = node(&sessions[0]);
    // It stands still: nothing gets through, and it hears of no failure.
    lines[0].set(Fault::Silence);
    pass("60 s").await;
    let health = sessions[0].health();
    let LogHealth::Down { since, .. } = health.log else { panic!("{health:?}") };
    // A renewal that hangs is not waited for until it gives up.
    expect!["24 07:00:23.500"].assert_eq(&clock(since));
    let taken_over = all(&lines[1]).await;
    let crash = taken_over.iter().find(|known| known.record.action == Action::Crash).unwrap();
    // The lease lasts 15 s from its last renewal, which was at 07:00:10; who looks does so each 5 s.
    expect![[r#"
        24 07:00:25.100 long crash: its process ended before it did
    "#]]
    .assert_eq(&render(std::slice::from_ref(crash)));
    let ticks_of_second = taken_over.iter().filter(|known| {
        &*known.record.task == "tick" && known.record.action == Action::Run && known.seq > crash.seq
    });
    assert!(ticks_of_second.clone().all(|tick| node_of(tick) != Some(cut.clone())));
    assert!(ticks_of_second.count() >= 30);
    // It comes back: it has another name, and what it ran is over for the others.
    lines[0].set(Fault::None);
    pass("60 s").await;
    assert_ne!(node(&sessions[0]), cut);
    assert!(sessions[0].health().is_well());
    for session in &sessions {
        session.shutdown();
    }
    first.await.unwrap();
    second.await.unwrap();
    let records = all(&lines[1]).await;
    let of_run: Vec<Recorded> =
        records.iter().filter(|known| known.record.run == crash.record.run).cloned().collect();
    expect![[r#"
        24 07:00:00 long run
        24 07:00:25.100 long crash: its process ended before it did
    "#]]
    .assert_eq(&render(&of_run));
    begun(&records);
}

#[tokio::test(start_paused = true)]
async fn a_session_starts_nothing_from_before_its_lease_ends_until_it_is_renewed() {
    let line = Server::new().line();
    let session = on(&line).task(task("tick", "every 1 s")).build().unwrap();
    let mut well = Vec::new();
    let story = async {
        pass("10500 ms").await;
        line.set(Fault::Unrenewed);
        pass("10 s").await;
        well.push(session.health().is_well());
        pass("20 s").await;
        well.push(session.health().is_well());
        line.set(Fault::None);
        pass("5 s").await;
        well.push(session.health().is_well());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(well, [true, false, true]);
    // The last renewal was at 07:00:10, so the lease ends at 07:00:25. Who tries again does not do so
    // at the same instants as others, so the last one that it may try may be up to 3 s earlier.
    let starts = starts(&session, "tick").await;
    let (before, after): (Vec<_>, Vec<_>) = starts.split(", ").partition(|at| *at < "24 07:00:30");
    let last = *before.last().unwrap();
    assert!(("24 07:00:20".."24 07:00:24").contains(&last), "{starts}");
    let first = *after.first().unwrap();
    assert!(("24 07:00:40".."24 07:00:43").contains(&first), "{starts}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_others_took_for_gone_begins_nothing_under_its_old_name() {
    let server = Server::new();
    let line = server.line();
    let session = on(&line).tasks([long(), task("tick", "every 1 s")]).build().unwrap();
    let mut names = Vec::new();
    let story = async {
        pass("6500 ms").await;
        names.push(node(&session));
        // It has just renewed its lease and knows nothing of this.
        server.end_lease(&names[0]);
        pass("3 s").await;
        names.push(node(&session));
        pass("3 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_ne!(names[0], names[1]);
    let records = all(&line).await;
    let ticks: Vec<_> = records
        .iter()
        .filter(|known| &*known.record.task == "tick" && known.record.action == Action::Run)
        .collect();
    let own = |tick: &&&Recorded| node_of(tick).as_ref() == Some(&names[0]);
    assert_eq!(ticks.iter().filter(own).count(), 7);
    // Nothing is lost: the tick that was refused comes under the new name.
    let at: Vec<String> = ticks.iter().map(|tick| clock(tick.record.at)).collect();
    expect!["24 07:00:00, 24 07:00:01, 24 07:00:02, 24 07:00:03, 24 07:00:04, 24 07:00:05, 24 07:00:06, 24 07:00:07, 24 07:00:08, 24 07:00:09, 24 07:00:10, 24 07:00:11, 24 07:00:12"].assert_eq(&at.join(", "));
    let of_long: Vec<Recorded> =
        records.iter().filter(|known| &*known.record.task == "long").cloned().collect();
    expect![[r#"
        24 07:00:00 long run
        24 07:00:12 long terminate: its session's lease ended, and others have taken over
    "#]]
    .assert_eq(&render(&of_long));
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_well_until_it_has_a_lease_again() {
    let server = Server::new();
    let line = server.line();
    let session = on(&line).task(task("tick", "every 1 s")).build().unwrap();
    let mut told = Vec::new();
    let mut tell = || {
        let health = session.health();
        let lease = match &health.lease {
            LeaseHealth::Lost { since } => format!("lost since {}", clock(*since)),
            other => format!("{other:?}"),
        };
        told.push(format!("{lease}, {:?}, {}", health.log, health.is_well()));
    };
    let story = async {
        pass("6500 ms").await;
        tell();
        server.end_lease(&node(&session));
        line.set(Fault::Unrenewed);
        pass("2 s").await;
        tell();
        line.set(Fault::None);
        pass("3 s").await;
        tell();
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(told, ["Held, Up, true", "lost since 24 07:00:07, Up, false", "Held, Up, true"]);
    assert_eq!(session.health().lease, LeaseHealth::NotNeeded);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_gives_its_lease_back() {
    let server = Server::new();
    let session = on(&server.line()).task(task("tick", "every 1 s")).build().unwrap();
    let other = on(&server.line()).task(task("tick", "every 1 s")).build().unwrap();
    let handle = spawn(&other);
    pass("1 s").await;
    let mut name = None;
    run_while(&session, async {
        pass("10 s").await;
        name = session.health().node;
        session.shutdown();
    })
    .await
    .unwrap();
    assert!(!server.has_lease(&name.unwrap()));
    pass("6 s").await;
    // Nobody waits for its turns any longer.
    let before = all(&server.line()).await.len();
    pass("10 s").await;
    other.shutdown();
    handle.await.unwrap();
    let records = all(&server.line()).await;
    let late = records[before..].iter().filter(|known| known.record.action == Action::Run);
    let late: Vec<String> = late.map(|known| clock(known.record.at)).collect();
    assert!(late.iter().all(|at| !at.contains('.')), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_begin_gives_its_lease_back() {
    let server = Server::new();
    let line = server.line();
    let session = on(&line).task(task("tick", "every 1 s")).build().unwrap();
    line.set(Fault::Unread);
    let error = session.run().without_signals().typed().await.unwrap_err();
    assert_eq!(error.to_string(), "the run log cannot be read");
    assert_eq!(server.lease_count(), 0);
    // It had one, as it has when it can begin.
    line.set(Fault::None);
    let story = async {
        pass("1 s").await;
        assert_eq!(server.lease_count(), 1);
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(server.lease_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_lease_is_renewed_waits_no_longer_for_its_log() {
    let line = Server::new().line();
    let tasks = [slow("long", "every 1 hour", "12 s"), task("tick", "every 1 s")];
    let session = on(&line).tasks(tasks).build().unwrap();
    let mut waited = Vec::new();
    let story = async {
        pass("10 s").await;
        line.set(Fault::Cut);
        pass("15 s").await;
        waited.push(session.health().unwritten);
        // The next try to write would be up to ten seconds later; the lease is tried more often.
        line.set(Fault::None);
        pass("3 s").await;
        waited.push(session.health().unwritten);
        assert!(session.health().is_well());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(waited, [1, 0]);
    let ticks = starts(&session, "tick").await;
    assert!(ticks.rsplit(", ").next().unwrap() > "24 07:00:25", "{ticks}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_a_session_without_the_label_cannot_serve_is_told_so_at_once() {
    let server = Server::new();
    let session = on(&server.line()).task(task("train", "daily").on("gpu")).build().unwrap();
    let story = async {
        pass("1 s").await;
        let ended = session.request_run("train", Params::default()).unwrap();
        assert_eq!(timeout(Duration::from_secs(1), ended).await.unwrap(), None);
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}
