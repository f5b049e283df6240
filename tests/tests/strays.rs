//! Runs of tasks that a session does not have, or no longer: it ends them when their sessions are gone.

use std::sync::Arc;

use redengine_core::record::{Action, Record, RunId};
use redengine_core::runlog::{Append, Expect, RunLog};
use redengine_core::session::SessionBuilder;
use redengine_core::{Session, Task};
use redengine_log::MemoryLog;
use redengine_runtime::RunSession;
use redengine_tests::shared::Server;
use redengine_tests::world::{actions, at, pass, run_for, run_while, session, slow, task};
use tokio::task::JoinHandle;

/// A log that several sessions share: whether they know of each other by leases or by looking at
/// processes must make no difference.
fn logs() -> [Arc<dyn Fn() -> SessionBuilder>; 2] {
    let server = Server::new();
    let with_leases = move || session("2026-11-24 07:00").log(server.line()).clock(server.clock());
    let log = MemoryLog::new();
    let without = move || session("2026-11-24 07:00").log(log.clone());
    [Arc::new(with_leases), Arc::new(without)]
}

fn spawn(session: &Session) -> JoinHandle<()> {
    let run = session.run().without_signals().typed();
    tokio::spawn(async move { run.await.unwrap() })
}

fn long() -> Task {
    slow("long", "daily", "1 hour")
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_left_behind_is_ended_by_a_session_that_begins_without_its_task() {
    for on in logs() {
        let first = on().task(long()).build().unwrap();
        let killed = spawn(&first);
        pass("10 s").await;
        killed.abort();
        pass("1 min").await;
        let second = on().task(task("tick", "every 10 s")).build().unwrap();
        run_for(&second, "30 s").await.unwrap();
        assert_eq!(actions(&second, "long").await, "run crash");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_session_goes_is_ended_by_one_that_never_had_its_task() {
    for on in logs() {
        for is_first_there in [true, false] {
            let first = on().task(slow("long", "every 1 s", "1 hour")).build().unwrap();
            let second = on().task(task("tick", "every 10 s")).build().unwrap();
            let mut killed = None;
            if is_first_there {
                killed = Some(spawn(&first));
                pass("10 s").await;
            }
            let story = async {
                pass("1 s").await;
                let killed = killed.unwrap_or_else(|| spawn(&first));
                pass("30 s").await;
                // As long as its session is there it goes on.
                assert!(actions(&second, "long").await.ends_with("run"));
                killed.abort();
                pass("30 s").await;
                assert!(actions(&second, "long").await.ends_with("run crash"));
                second.shutdown();
            };
            run_while(&second, story).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_of_a_task_that_was_removed_is_ended_too() {
    for on in logs() {
        for is_removed_before in [true, false] {
            let first = on().task(slow("long", "every 1 s", "1 hour")).build().unwrap();
            let second =
                on().task(task("tick", "every 10 s")).task(long().disabled()).build().unwrap();
            if is_removed_before {
                second.remove_task("long").unwrap();
            }
            let killed = spawn(&first);
            pass("10 s").await;
            let story = async {
                pass("1 s").await;
                if !is_removed_before {
                    second.remove_task("long").unwrap();
                }
                pass("1 s").await;
                killed.abort();
                pass("30 s").await;
                assert!(actions(&second, "long").await.ends_with("run crash"));
                second.shutdown();
            };
            run_while(&second, story).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_added_after_its_run_was_left_behind_begins_anew() {
    for on in logs() {
        let first = on().task(long()).build().unwrap();
        let killed = spawn(&first);
        pass("10 s").await;
        let second = on().task(task("tick", "every 10 s")).build().unwrap();
        let story = async {
            pass("1 s").await;
            killed.abort();
            second.add_task(slow("long", "daily", "1 min")).unwrap();
            pass("2 min").await;
            second.shutdown();
        };
        run_while(&second, story).await.unwrap();
        assert_eq!(actions(&second, "long").await, "run crash run success");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_of_nobody_is_left_alone() {
    let log = MemoryLog::new();
    let record = Record {
        task: "foreign".into(),
        run: RunId::new(at("2026-11-24 06:00"), [1; 10]),
        action: Action::Run,
        at: at("2026-11-24 06:00"),
        started: at("2026-11-24 06:00"),
        due: None,
        details: None,
    };
    log.append(vec![Append { record, expect: Expect::Latest(None) }]).await.unwrap();
    let session =
        session("2026-11-24 07:00").log(log).task(task("tick", "every 10 s")).build().unwrap();
    run_for(&session, "25 hours").await.unwrap();
    assert_eq!(actions(&session, "foreign").await, "run");
}
