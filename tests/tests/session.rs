//! What a session can be asked before, while and after it runs, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use expect_test::expect;
use redengine_core::Task;
use redengine_core::param::{Params, Return, RunInfo};
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Query, RunLog};
use redengine_core::session::Session;
use redengine_core::task::TaskType;
use redengine_log::MemoryLog;
use redengine_runtime::{RunError, RunSession};
use redengine_tests::world::{
    actions, at, failing, pass, reason, run_for, run_while, serving, session, slow, span, starts,
    task, timeline,
};

// ---- ending

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_live_runs_and_starts_none() {
    let session = session("2026-11-24 07:00")
        .task(slow("live", "daily", "20 s"))
        .task(task("next", "after task 'live'"))
        .task(task("every", "every 6 s"))
        .build()
        .unwrap();
    run_for(&session, "10 s").await.unwrap();
    expect![[r#"
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 every run
        24 07:00:00 every success
        24 07:00:06 every run
        24 07:00:06 every success
        24 07:00:20 live success
    "#]]
    .assert_eq(&timeline(&session).await);
}

/// Runs end on other threads faster than the scheduler can take them, so that there is always one
/// more. Without its turn for all else it would hear of nothing any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_never_has_nothing_to_do_can_be_asked_to_end() {
    let runs = Arc::new(AtomicU32::new(0));
    let tasks = (0..1000).map(|number| {
        let runs = runs.clone();
        Task::new(format!("task {number}"), "true", move || {
            let runs = runs.clone();
            async move {
                runs.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let session =
        Session::builder().log(redengine_log::MemoryLog::bounded(4)).tasks(tasks).build().unwrap();
    let story = async {
        while runs.load(Ordering::Relaxed) < 20_000 {
            tokio::task::yield_now().await;
        }
        session.shutdown();
    };
    let run = tokio::spawn(session.clone().run().without_signals().typed());
    story.await;
    run.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_shutdown_stops_live_runs_at_once() {
    let session = session("2026-11-24 07:00").task(serving("t", "daily")).build().unwrap();
    let story = async {
        pass("10 s").await;
        session.shutdown();
        pass("5 s").await;
        session.shutdown();
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:15 t terminate: the session shuts down; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn two_shutdowns_in_one_breath_are_two() {
    let session = session("2026-11-24 07:00").task(serving("t", "daily")).build().unwrap();
    let story = async {
        pass("10 s").await;
        session.shutdown();
        session.shutdown();
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "t").await, "run terminate");
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:10 t terminate: the session shuts down; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_shutdown_stops_what_is_still_live() {
    let session = session("2026-11-24 07:00")
        .configure(|config| {
            config.shutdown_deadline = span("20 s");
            config.termination_grace = span("3 s");
        })
        .task(serving("listens", "daily"))
        .task(slow("deaf", "daily", "10 hours"))
        .build()
        .unwrap();
    run_for(&session, "10 s").await.unwrap();
    expect![[r#"
        24 07:00:00 listens run (due 24 00:00:00)
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:30 listens terminate: the session shuts down; it ended with: stopped
        24 07:00:33 deaf terminate: the session shuts down
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn shutdown_now_does_not_wait() {
    let session = session("2026-11-24 07:00").task(serving("t", "daily")).build().unwrap();
    let story = async {
        pass("10 s").await;
        session.shutdown_now();
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:10 t terminate: the session shuts down; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_before_the_run_is_not_lost() {
    let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
    session.shutdown();
    let ended = tokio::time::timeout(span("1 hour"), session.run().without_signals().into_future());
    ended.await.expect("the end").unwrap();
    assert_eq!(timeline(&session).await, "");
    // It was for that run only.
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(actions(&session, "t").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn a_session_runs_again_after_it_has_ended() {
    let session = session("2026-11-24 07:00").task(task("t", "every 1 min")).build().unwrap();
    run_for(&session, "90 s").await.unwrap();
    run_for(&session, "90 s").await.unwrap();
    expect!["24 07:00:00, 24 07:01:00, 24 07:02:00"].assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn a_signal_of_ones_own_ends_the_session_in_order() {
    let session =
        session("2026-11-24 07:00").task(slow("t", "every 1 min", "10 s")).build().unwrap();
    let (end, ended) = futures::channel::oneshot::channel::<()>();
    let run = session.run().with_graceful_shutdown(async { ended.await.unwrap_or(()) });
    let story = async {
        pass("1 min 5 s").await;
        end.send(()).unwrap();
    };
    let (result, ()) = tokio::join!(run.into_future(), story);
    result.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:00:10 t success
        24 07:01:00 t run
        24 07:01:10 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

// ---- running twice, and nothing to run

#[tokio::test(start_paused = true)]
async fn a_session_has_one_scheduler_at_a_time() {
    let session = session("2026-11-24 07:00").task(task("t", "every 1 min")).build().unwrap();
    let story = async {
        pass("1 s").await;
        let error = session.run().without_signals().into_future().await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(RunError::AlreadyRunning)), "{error:?}");
        pass("2 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await.split(", ").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_session_without_tasks_says_so_unless_they_come_later() {
    let session = session("2026-11-24 07:00").build().unwrap();
    let error = session.run().without_signals().into_future().await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(RunError::NoTasks)), "{error:?}");
    let story = async {
        pass("1 min").await;
        session.add_task(task("a", "every 10 s")).unwrap();
        session.add_task(task("b", "after task 'a'")).unwrap();
        pass("15 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:01:00 a run
        24 07:01:00 a success
        24 07:01:00 b run
        24 07:01:00 b success
        24 07:01:10 a run
        24 07:01:10 a success
        24 07:01:10 b run
        24 07:01:10 b success
    "#]]
    .assert_eq(&timeline(&session).await);
}

// ---- dropping

#[tokio::test(start_paused = true)]
async fn dropping_the_run_stops_all_and_the_session_can_run_again_at_once() {
    let ticks = Arc::new(AtomicU32::new(0));
    let count = ticks.clone();
    let session = session("2026-11-24 07:00")
        .task(Task::new("t", "daily", move || {
            let count = count.clone();
            async move {
                for _ in 0..u32::MAX {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        }))
        .task(task("other", "every 1 hour"))
        .build()
        .unwrap();
    let run =
        tokio::time::timeout(span("10 s 500 ms"), session.run().without_signals().into_future());
    assert!(run.await.is_err());
    // A crash does not use up the day, so it would run again.
    session.disable("t").unwrap();
    let story = async {
        assert_eq!(ticks.load(Ordering::Relaxed), 10);
        pass("1 min").await;
        assert_eq!(ticks.load(Ordering::Relaxed), 10);
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "t").await, "run crash");
    assert_eq!(reason(&session, "t").await, "its process ended before it did");
    assert_eq!(actions(&session, "other").await, "run success");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_run_frees_the_session_on_many_threads_too() {
    let session = Session::builder()
        .log(redengine_log::MemoryLog::new())
        .task(slow("t", "every 10 ms", "5 ms"))
        .build()
        .unwrap();
    for _ in 0..20 {
        let run = session.run().without_signals().into_future();
        let result = tokio::time::timeout(Duration::from_millis(15), run).await;
        assert!(result.is_err(), "{result:?}");
    }
    run_for(&session, "20 ms").await.unwrap();
    let records = session.history(Query::task("t")).await.unwrap();
    let begun = records.iter().filter(|known| known.record.action == Action::Run).count();
    assert_eq!(begun * 2, records.len(), "each run has one end");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_never_awaited_does_nothing() {
    let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
    drop(session.run());
    pass("1 hour").await;
    assert_eq!(timeline(&session).await, "");
}

// ---- holding

#[tokio::test(start_paused = true)]
async fn hold_starts_nothing_and_resume_makes_up_what_is_due() {
    let session = session("2026-11-24 07:00")
        .task(task("every", "every 10 s"))
        .task(task("asked", "false"))
        .task(serving("cut", "daily").end("time of minute after 30"))
        .task(task("missed", "time of minute between 25 and 35 & minutely"))
        .build()
        .unwrap();
    let story = async {
        pass("5 s").await;
        session.hold();
        let ended = session.request_run("asked", Params::new()).unwrap();
        pass("50 s").await;
        session.resume();
        assert_eq!(ended.await.unwrap().action, Action::Success);
        pass("1 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 every run
        24 07:00:00 cut run (due 24 00:00:00)
        24 07:00:00 every success
        24 07:00:30 cut terminate: its end condition holds: time of minute after 30; it ended with: stopped
        24 07:00:55 every run (due 24 07:00:10)
        24 07:00:55 asked run
        24 07:00:55 every success
        24 07:00:55 asked success
    "#]].assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_hold_before_the_run_is_not_lost() {
    let session = session("2026-11-24 07:00").task(task("t", "every 10 s")).build().unwrap();
    session.hold();
    let story = async {
        pass("35 s").await;
        session.resume();
        pass("1 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:00:35");
}

// ---- tasks that come and go

#[tokio::test(start_paused = true)]
async fn a_task_that_is_added_later_has_its_past() {
    let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
    let story = async {
        pass("1 min").await;
        session.remove_task("t").unwrap();
        pass("1 min").await;
        session.add_task(task("t", "daily")).unwrap();
        pass("1 day").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:00:00, 25 00:00:00");
}

#[tokio::test(start_paused = true)]
async fn a_task_may_be_added_with_a_condition_that_looks_further_back_than_the_others() {
    let session = session("2026-11-24 07:00").task(task("t", "every 1 min")).build().unwrap();
    let story = async {
        pass("10 min 30 s").await;
        let condition = "task 't' has succeeded at least 5 times past 4 min 31 s & ~has started";
        session.add_task(task("later", condition)).unwrap();
        pass("1 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "later").await, "24 07:10:30");
}

#[tokio::test(start_paused = true)]
async fn removing_a_task_breaks_what_names_it_and_adding_it_again_heals() {
    let session = session("2026-11-24 07:00")
        .task(slow("a", "every 10 s", "1 s"))
        .task(task("b", "after task 'a'"))
        .task(slow("not", "~task 'a' is running", "2 s"))
        .build()
        .unwrap();
    let story = async {
        pass("15 s").await;
        session.remove_task("a").unwrap();
        assert!(session.remove_task("a").is_err());
        pass("30 s").await;
        session.add_task(slow("a", "every 10 s", "1 s")).unwrap();
        pass("6 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 a run
        24 07:00:00 not run
        24 07:00:01 a success
        24 07:00:01 b run
        24 07:00:01 b success
        24 07:00:02 not success
        24 07:00:02 not run (due 24 07:00:01)
        24 07:00:04 not success
        24 07:00:04 not run (due 24 07:00:01)
        24 07:00:06 not success
        24 07:00:06 not run (due 24 07:00:01)
        24 07:00:08 not success
        24 07:00:08 not run (due 24 07:00:01)
        24 07:00:10 a run
        24 07:00:10 not success
        24 07:00:11 a success
        24 07:00:11 b run
        24 07:00:11 not run
        24 07:00:11 b success
        24 07:00:13 not success
        24 07:00:13 not run (due 24 07:00:11)
        24 07:00:15 not success
        24 07:00:15 not run (due 24 07:00:11)
        24 07:00:17 not success
        24 07:00:45 not run (due 24 07:00:11)
        24 07:00:45 a run (due 24 07:00:20)
        24 07:00:46 a success
        24 07:00:46 b run
        24 07:00:46 b success
        24 07:00:47 not success
        24 07:00:47 not run (due 24 07:00:46)
        24 07:00:49 not success
        24 07:00:49 not run (due 24 07:00:46)
        24 07:00:51 not success
        24 07:00:51 not run (due 24 07:00:46)
        24 07:00:53 not success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_removed_task_breaks_what_names_it_whenever_it_was_removed() {
    for before in [true, false] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.silence_cond_check = false)
            .task(task("a", "false"))
            .task(task("b", "~task 'a' has succeeded & daily after 08:00"))
            .build()
            .unwrap();
        let story = async {
            pass("1 min").await;
            if !before {
                session.remove_task("a").unwrap();
            }
            pass("2 hours").await;
            session.shutdown();
        };
        if before {
            session.remove_task("a").unwrap();
        }
        let error = run_while(&session, story).await.expect_err("an error");
        assert!(error.to_string().contains("task `a` was removed"), "{error}");
        assert_eq!(timeline(&session).await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn the_live_run_of_a_removed_task_ends_as_it_would() {
    let session = session("2026-11-24 07:00").task(slow("t", "daily", "1 min")).build().unwrap();
    let story = async {
        pass("10 s").await;
        session.remove_task("t").unwrap();
        pass("2 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "t").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_changed_while_nothing_ran_is_what_it_was_changed_to() {
    let session = session("2026-11-24 07:00")
        .task(task("a", "every 1 min"))
        .task(task("b", "every 1 min"))
        .build()
        .unwrap();
    let story = async {
        pass("30 s").await;
        session.shutdown();
        // The scheduler may not hear of this any more.
        session.add_task(task("late", "every 1 min")).unwrap();
        session.disable("a").unwrap();
    };
    run_while(&session, story).await.unwrap();
    session.remove_task("late").unwrap();
    session.enable("a").unwrap();
    session.disable("b").unwrap();
    run_for(&session, "100 s").await.unwrap();
    assert_eq!(actions(&session, "late").await, "");
    assert_eq!(starts(&session, "a").await.split(", ").count(), 3);
    assert_eq!(starts(&session, "b").await.split(", ").count(), 1);
}

// ---- enabling

#[tokio::test(start_paused = true)]
async fn a_disabled_task_is_not_looked_at_until_it_is_enabled() {
    let session =
        session("2026-11-24 07:00").task(task("t", "every 10 s").disabled()).build().unwrap();
    let story = async {
        pass("15 s").await;
        session.enable("t").unwrap();
        pass("15 s").await;
        session.disable("t").unwrap();
        assert!(session.enable("tt").unwrap_err().to_string().contains("did you mean `t`"));
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:00:15, 24 07:00:25");
}

// ---- asking for runs

#[tokio::test(start_paused = true)]
async fn requests_are_served_in_order_one_at_a_time() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = seen.clone();
    let session = session("2026-11-24 07:00")
        .task(
            Task::new(
                "t",
                "false",
                move |redengine_core::param::Param(n): redengine_core::param::Param<u8>,
                      info: RunInfo| {
                    list.lock().unwrap().push((n, info.is_forced(), info.due()));
                    tokio::time::sleep(Duration::from_secs(10))
                },
            )
            .disabled(),
        )
        .param("n", 0_u8)
        .build()
        .unwrap();
    let first = session.request_run("t", Params::new().with("n", 1_u8)).unwrap();
    let story = async {
        pass("5 s").await;
        let second = session.request_run("t", Params::new().with("n", 2_u8)).unwrap();
        let third = session.request_run("t", Params::new()).unwrap();
        let (first, second, third) = tokio::join!(first, second, third);
        for ended in [first, second, third] {
            assert_eq!(ended.unwrap().action, Action::Success);
        }
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [(1, true, None), (2, true, None), (0, true, None)]);
    expect!["24 07:00:00, 24 07:00:10, 24 07:00:20"].assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn the_reply_to_a_request_tells_how_the_run_ended() {
    let session = session("2026-11-24 07:00")
        .task(failing("bad", "false"))
        .task(serving("cut", "false").timeout(Duration::from_secs(5)))
        .build()
        .unwrap();
    let story = async {
        let ended = session.request_run("bad", Params::new()).unwrap().await.unwrap();
        assert_eq!((ended.action, ended.reason), (Action::Fail, Some("no luck".into())));
        let ended = session.request_run("cut", Params::new()).unwrap().await.unwrap();
        assert_eq!(ended.action, Action::Terminate);
        let records = session.history(Query::task("cut")).await.unwrap();
        assert_eq!(records[1].record.run, ended.run);
        assert!(session.request_run("ba", Params::new()).is_err());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_never_served_is_answered_by_nothing() {
    let session = session("2026-11-24 07:00")
        .task(slow("t", "daily", "20 s"))
        .task(slow("gone", "daily", "20 s"))
        .build()
        .unwrap();
    let mut replies = None;
    let story = async {
        pass("1 s").await;
        let cut_off = session.request_run("t", Params::new()).unwrap();
        let removed = session.request_run("gone", Params::new()).unwrap();
        pass("1 s").await;
        session.remove_task("gone").unwrap();
        // The task is gone while the session goes on.
        let removed = tokio::time::timeout(span("1 min"), removed).await;
        assert_eq!(removed.expect("an answer"), None);
        pass("10 s").await;
        let late = session.request_run("t", Params::new()).unwrap();
        session.shutdown();
        replies = Some((cut_off, late));
    };
    let story = async {
        story.await;
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    let _ = replies;
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_when_the_session_ends_are_answered_by_nothing() {
    let session = session("2026-11-24 07:00").task(slow("t", "daily", "20 s")).build().unwrap();
    let waiting = Arc::new(AtomicBool::new(true));
    let flag = waiting.clone();
    let story = async {
        pass("1 s").await;
        let reply = session.request_run("t", Params::new()).unwrap();
        tokio::spawn(async move {
            assert_eq!(reply.await, None);
            flag.store(false, Ordering::Relaxed);
        });
        pass("1 s").await;
        session.shutdown();
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    pass("1 s").await;
    assert!(!waiting.load(Ordering::Relaxed));
    assert_eq!(actions(&session, "t").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn dropping_a_reply_does_not_take_the_request_back() {
    let session = session("2026-11-24 07:00").task(task("t", "false")).build().unwrap();
    drop(session.request_run("t", Params::new()).unwrap());
    run_for(&session, "1 s").await.unwrap();
    assert_eq!(actions(&session, "t").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn a_run_can_use_the_session_that_runs_it() {
    let session = session("2026-11-24 07:00")
        .task(Task::new("maker", "daily", |session: Session| async move {
            session.add_task(task("made", "after task 'maker'"))?;
            Ok::<_, redengine_core::BuildError>(())
        }))
        .task(Task::new("ender", "after task 'made'", |session: Session| async move {
            session.shutdown();
        }))
        .build();
    // `made` is not there yet.
    let error = session.unwrap_err().to_string();
    assert!(error.contains("unknown task `made`"), "{error}");

    let session = redengine_tests::world::session("2026-11-24 07:00")
        .task(Task::new("maker", "daily", |session: Session| async move {
            session.add_task(task("made", "after task 'maker'"))?;
            session.add_task(Task::new(
                "ender",
                "after task 'made'",
                |session: Session| async move {
                    session.shutdown();
                },
            ))?;
            Ok::<_, redengine_core::BuildError>(())
        }))
        .build()
        .unwrap();
    let run = session.run().without_signals().into_future();
    tokio::time::timeout(span("1 min"), run).await.expect("an end").unwrap();
    expect![[r#"
        24 07:00:00 maker run (due 24 00:00:00)
        24 07:00:00 maker success
        24 07:00:00 made run
        24 07:00:00 made success
        24 07:00:00 ender run
        24 07:00:00 ender success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[test]
fn a_run_is_a_future_that_can_be_sent() {
    fn check<T: Send>(_: T) {}
    let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
    check(session.run().into_future());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_comes_later_has_what_it_returned_before() {
    struct Price;
    impl TaskType for Price {
        type Output = u32;
        const NAME: &'static str = "price";

        fn task() -> Task {
            Task::new(Self::NAME, "daily", || async { Ok::<_, String>(42_u32) })
        }

        fn decode(json: &str) -> Option<u32> {
            json.parse().ok()
        }
    }

    let log = MemoryLog::new();
    let begin = Record {
        task: Price::NAME.into(),
        run: RunId::new(at("2026-11-24 07:00"), [0; 10]),
        action: Action::Run,
        at: at("2026-11-24 07:00"),
        started: at("2026-11-24 07:00"),
        due: None,
        details: None,
    };
    let details = Details::default().with_output("41").shared();
    let end = Record { action: Action::Success, details, ..begin.clone() };
    let records = (1..).zip([begin, end]).map(|(seq, record)| Recorded { seq: Seq(seq), record });
    log.import(records.collect()).await.unwrap();
    let later = session("2026-11-24 08:00").log(log).task(task("tick", "every 1 min"));
    let later = later.build().unwrap();
    let spent = Arc::new(AtomicU32::new(0));
    let spend = spent.clone();
    let story = async {
        pass("1 s").await;
        later.add_task(Price::task()).unwrap();
        let spend = Task::new("spend", "daily", move |price: Return<Price>| {
            spend.store(*price, Ordering::Relaxed);
            async {}
        });
        later.add_task(spend).unwrap();
        pass("1 min").await;
        later.shutdown();
    };
    run_while(&later, story).await.unwrap();
    assert_eq!(actions(&later, "price").await, "run success", "it did not run again");
    assert_eq!(spent.load(Ordering::Relaxed), 41, "{}", timeline(&later).await);
}
