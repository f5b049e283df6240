//! Who waits for whom when a task is due in several sessions on one log.

use std::collections::BTreeSet;
use std::sync::Arc;

use redengine_core::record::{Action, Recorded};
use redengine_core::runlog::Query;
use redengine_core::session::SessionBuilder;
use redengine_core::{Session, Task};
use redengine_runtime::RunSession;
use redengine_tests::shared::{Line, Server};
use redengine_tests::world::{clock, pass, run_while, session, slow, task};
use tokio::task::JoinHandle;

/// Begins a session on a log that is shared.
fn on(line: &Line) -> SessionBuilder {
    session("2026-11-24 07:00").log(line.clone()).clock(line.clock())
}

fn spawn(session: &Session) -> JoinHandle<()> {
    let run = session.run().without_signals().typed();
    tokio::spawn(async move { run.await.unwrap() })
}

/// So many that of two sessions each is for certain the first in the order of one: the order hangs on
/// the sessions' names, which are random.
fn tasks(condition: &str) -> Vec<Task> {
    (0..20)
        .map(|n| task(&format!("task {n}"), condition.parse::<redengine_core::Expr>().unwrap()))
        .collect()
}

fn node(recorded: &Recorded) -> Option<Arc<str>> {
    recorded.record.details.as_ref()?.node.clone()
}

/// The `run` records of the tasks at or after an instant of this hour.
async fn begun(session: &Session, since: &str) -> Vec<Recorded> {
    let records = session.history(Query::all().actions([Action::Run])).await.unwrap();
    let since = format!("24 07:{since}");
    records
        .into_iter()
        .filter(|known| known.record.task.starts_with("task"))
        .filter(|known| clock(known.record.at) >= since)
        .collect()
}

/// Tells how many of them were late.
fn late(begun: &[Recorded]) -> usize {
    begun.iter().filter(|known| clock(known.record.at).contains('.')).count()
}

#[tokio::test(start_paused = true)]
async fn a_short_opportunity_is_not_left_to_a_session_that_has_no_such_task() {
    let server = Server::new();
    let other = on(&server.line()).task(task("other", "every 10 s")).build().unwrap();
    let running = spawn(&other);
    // It has its lease when the other one begins.
    pass("100 ms").await;
    let session =
        on(&server.line()).tasks(tasks("cron '* * * * * *' within 80 ms")).build().unwrap();
    let story = async {
        pass("3400 ms").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    other.shutdown();
    running.await.unwrap();
    // At 1, 2 and 3 s.
    assert_eq!(begun(&session, "00:00").await.len(), 3 * 20);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_has_no_such_task_is_not_waited_for_each_time() {
    let server = Server::new();
    let other = on(&server.line()).task(task("other", "every 10 s")).build().unwrap();
    let running = spawn(&other);
    pass("100 ms").await;
    let session = on(&server.line()).tasks(tasks("cron '* * * * * *'")).build().unwrap();
    let story = async {
        pass("30 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    other.shutdown();
    running.await.unwrap();
    let begun = begun(&session, "00:01").await;
    assert_eq!(begun.len(), 30 * 20);
    let late = late(&begun);
    assert_ne!(late, 0, "the other one comes first in the order of none");
    assert!(late <= 3 * 20, "{late} of {}", begun.len());
}

#[tokio::test(start_paused = true)]
async fn a_session_on_hold_is_not_waited_for_each_time_and_has_its_share_again_afterwards() {
    let server = Server::new();
    let tasks = || (0..20).map(|n| slow(&format!("task {n}"), "every 1 s", "500 ms"));
    let sessions = [(), ()].map(|()| on(&server.line()).tasks(tasks()).build().unwrap());
    let handles = sessions.each_ref().map(spawn);
    pass("10 s").await;
    sessions[0].hold();
    pass("50 s").await;
    sessions[0].resume();
    pass("2 min").await;
    for session in &sessions {
        session.shutdown();
    }
    for handle in handles {
        handle.await.unwrap();
    }
    // Now and then one is waited for again, in case it goes on.
    let held = begun(&sessions[0], "00:16").await;
    let held: Vec<Recorded> =
        held.into_iter().filter(|known| clock(known.record.at).as_str() < "24 07:01:00").collect();
    let late = late(&held);
    assert!((1..=2 * 20).contains(&late), "{late} of {}", held.len());
    let nodes = |begun: &[Recorded]| begun.iter().filter_map(node).collect::<BTreeSet<_>>();
    assert_eq!(nodes(&held).len(), 1);
    let after = begun(&sessions[0], "02:30").await;
    assert_eq!(nodes(&after).len(), 2);
    for n in 0..20 {
        let name = format!("task {n}");
        let of_one: Vec<Recorded> =
            after.iter().filter(|known| *known.record.task == *name).cloned().collect();
        assert_eq!(nodes(&of_one).len(), 1, "{name}");
    }
}
