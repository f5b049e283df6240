//! How a session ends, and what it can be asked while it runs.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use expect_test::expect;
use futures::FutureExt as _;
use redengine_core::Task;
use redengine_core::param::{Cancel, Param, Params, Return};
use redengine_core::record::Action;
use redengine_core::session::{Ended, OnConflict, Session};
use redengine_core::task::TaskType;
use redengine_runtime::{RunError, RunSession};
use redengine_tests::world::{
    actions, failing, pass, reason, run_for, run_while, serving, session, slow, span, starts, task,
    timeline, times,
};

fn outcome(ended: Option<Ended>) -> String {
    match ended {
        Some(Ended { action, reason: Some(reason), .. }) => format!("{action}: {reason}"),
        Some(Ended { action, .. }) => action.to_string(),
        None => "none".to_owned(),
    }
}

fn request(session: &Session, name: &str) -> impl Future<Output = String> + use<> {
    let ended = session.request_run(name, Params::new()).expect("a task of that name");
    ended.map(outcome)
}

/// Ignores that it is told to stop.
fn deaf(name: &str) -> Task {
    Task::new(name, "daily", std::future::pending::<()>)
}

/// Tells when it is dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A value that is never there.
struct Nothing;

impl TaskType for Nothing {
    type Output = u32;
    const NAME: &'static str = "nothing";

    fn task() -> Task {
        Task::new(Self::NAME, "false", || async { Ok::<_, String>(5_u32) })
    }
}

// ---- in order, and now

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_live_runs_and_starts_no_more() {
    let session = session("2026-11-24 07:00")
        .task(slow("long", "daily", "20 s"))
        .task(task("often", "every 1 s"))
        .task(task("next", "after task 'long'"))
        .build()
        .unwrap();
    run_for(&session, "2 s 500 ms").await.unwrap();
    expect![[r#"
        24 07:00:00 long run (due 24 00:00:00)
        24 07:00:00 often run
        24 07:00:00 often success
        24 07:00:01 often run
        24 07:00:01 often success
        24 07:00:02 often run
        24 07:00:02 often success
        24 07:00:20 long success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_second_shutdown_stops_what_is_live() {
    for second in [Session::shutdown, Session::shutdown_now] {
        let session = session("2026-11-24 07:00")
            .task(serving("polite", "daily"))
            .task(deaf("deaf"))
            .task(slow("short", "daily", "12 s"))
            .build()
            .unwrap();
        let story = async {
            pass("10 s").await;
            session.shutdown();
            pass("5 s").await;
            second(&session);
            // More of them do not make it faster.
            pass("2 s").await;
            second(&session);
            pass("1 hour").await;
            panic!("it did not end");
        };
        run_while(&session, story).await.unwrap();
        expect![[r#"
            24 07:00:00 polite run (due 24 00:00:00)
            24 07:00:00 deaf run (due 24 00:00:00)
            24 07:00:00 short run (due 24 00:00:00)
            24 07:00:12 short success
            24 07:00:15 polite terminate: the session shuts down; it ended with: stopped
            24 07:00:20 deaf terminate: the session shuts down
        "#]]
        .assert_eq(&timeline(&session).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_now_waits_for_the_grace_alone() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.termination_grace = span("3 s"))
        .task(serving("polite", "daily"))
        .task(Task::new("slowly", "daily", |cancel: Cancel| async move {
            cancel.cancelled().await;
            pass("2 s").await;
        }))
        .task(deaf("deaf"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        session.shutdown_now();
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 polite run (due 24 00:00:00)
        24 07:00:00 slowly run (due 24 00:00:00)
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:10 polite terminate: the session shuts down; it ended with: stopped
        24 07:00:12 slowly success
        24 07:00:13 deaf terminate: the session shuts down
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_shutdown_stops_what_is_live() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = dropped.clone();
    let session = session("2026-11-24 07:00")
        .configure(|config| {
            config.shutdown_deadline = span("10 s");
            config.termination_grace = span("3 s");
        })
        .task(Task::new("deaf", "daily", move || {
            let guard = Guard(flag.clone());
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            }
        }))
        .task(deaf("late").timeout(span("1 min 12 s")))
        .task(serving("polite", "daily"))
        .task(slow("in time", "daily", "1 min 9 s"))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    expect![[r#"
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:00 late run (due 24 00:00:00)
        24 07:00:00 polite run (due 24 00:00:00)
        24 07:00:00 in time run (due 24 00:00:00)
        24 07:01:09 in time success
        24 07:01:10 polite terminate: the session shuts down; it ended with: stopped
        24 07:01:13 late terminate: the session shuts down
        24 07:01:13 deaf terminate: the session shuts down
    "#]]
    .assert_eq(&timeline(&session).await);
    assert!(dropped.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn timeouts_and_end_conditions_hold_while_the_session_ends() {
    let session = session("2026-11-24 07:00")
        .task(serving("timeout", "daily").timeout(span("1 min 5 s")))
        .task(serving("end", "daily").end("time of day after 07:01:06"))
        .task(serving("asked", "daily"))
        .build()
        .unwrap();
    let story = async {
        pass("1 min").await;
        session.shutdown();
        pass("7 s").await;
        session.terminate("asked").unwrap();
        pass("1 hour").await;
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 timeout run (due 24 00:00:00)
        24 07:00:00 end run (due 24 00:00:00)
        24 07:00:00 asked run (due 24 00:00:00)
        24 07:01:05 timeout terminate: its timeout passed after 1 min 5 s; it ended with: stopped
        24 07:01:06 end terminate: its end condition holds: time of day after 07:01:06; it ended with: stopped
        24 07:01:07 asked terminate: it was terminated on request; it ended with: stopped
    "#]].assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_before_the_run_ends_it_before_anything_starts() {
    for end in [Session::shutdown, Session::shutdown_now] {
        let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
        let ended = request(&session, "t");
        end(&session);
        session.run().without_signals().typed().await.unwrap();
        assert_eq!(timeline(&session).await, "");
        assert_eq!(ended.await, "none");
        // It was meant for that run alone.
        run_for(&session, "1 min").await.unwrap();
        assert_eq!(actions(&session, "t").await, "run success");
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_run_was_asked_does_not_hit_the_next() {
    let session = session("2026-11-24 07:00")
        .task(slow("t", "every 1 min", "30 s"))
        .task(task("u", "false"))
        .build()
        .unwrap();
    for _ in 0..2 {
        let story = async {
            pass("10 s").await;
            session.shutdown();
            session.hold();
            session.terminate("u").unwrap();
            drop(request(&session, "u"));
            pass("5 s").await;
            session.hold();
            session.shutdown();
            session.shutdown();
            session.shutdown_now();
            session.shutdown_now();
        };
        run_while(&session, story).await.unwrap();
        session.terminate("t").unwrap();
        pass("1 min").await;
    }
    run_for(&session, "1 min 45 s").await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:00:20 t terminate: the session shuts down
        24 07:01:20 t run (due 24 07:01:00)
        24 07:01:40 t terminate: the session shuts down
        24 07:02:40 t run (due 24 07:02:00)
        24 07:03:10 t success
        24 07:03:10 t run (due 24 07:03:00)
        24 07:03:40 t success
        24 07:04:00 t run
        24 07:04:30 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_signal_of_ones_own_ends_the_session_in_order() {
    let session = session("2026-11-24 07:00").task(slow("t", "daily", "20 s")).build().unwrap();
    session.run().with_graceful_shutdown(async { pass("10 s").await }).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:20 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_is_there_already_ends_the_session_in_order() {
    let session = session("2026-11-24 07:00").task(slow("t", "hourly", "20 s")).build().unwrap();
    session.run().with_graceful_shutdown(async {}).await.unwrap();
    let actions = actions(&session, "t").await;
    assert!(["", "run success"].contains(&actions.as_str()), "{actions}");
}

#[tokio::test(start_paused = true)]
async fn a_task_may_end_its_session() {
    let session = session("2026-11-24 07:00")
        .task(Task::new("stop", "daily after 07:01", |session: Session| async move {
            session.shutdown();
            pass("1 s").await;
        }))
        .task(slow("other", "every 50 s", "20 s"))
        .build()
        .unwrap();
    session.run().without_signals().await.unwrap();
    expect![[r#"
        24 07:00:00 other run
        24 07:00:20 other success
        24 07:00:50 other run
        24 07:01:00 stop run
        24 07:01:01 stop success
        24 07:01:10 other success
    "#]]
    .assert_eq(&timeline(&session).await);
}

// ---- hold

#[tokio::test(start_paused = true)]
async fn a_session_on_hold_starts_nothing_until_it_is_resumed() {
    let session = session("2026-11-24 07:00")
        .task(task("often", "every 1 min"))
        .task(slow("live", "daily", "2 min"))
        .task(task("next", "after task 'live'"))
        .task(serving("ended", "daily").end("time of day after 07:01:30"))
        .task(task("asked", "false"))
        .task(task("missed", "time of day between 07:02 and 07:03"))
        .build()
        .unwrap();
    let story = async {
        pass("30 s").await;
        session.hold();
        session.hold();
        drop(request(&session, "asked"));
        pass("3 min").await;
        session.resume();
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 often run
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 ended run (due 24 00:00:00)
        24 07:00:00 often success
        24 07:01:30 ended terminate: its end condition holds: time of day after 07:01:30; it ended with: stopped
        24 07:02:00 live success
        24 07:03:30 often run (due 24 07:01:00)
        24 07:03:30 next run (due 24 07:02:00)
        24 07:03:30 asked run
        24 07:03:30 often success
        24 07:03:30 next success
        24 07:03:30 asked success
    "#]].assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_hold_before_the_run_holds_from_its_beginning() {
    let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
    session.hold();
    let story = async {
        pass("1 min").await;
        session.resume();
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:01:00");
}

#[tokio::test(start_paused = true)]
async fn a_session_on_hold_can_be_shut_down() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.shut_cond = Some("time of day after 07:05".into()))
        .task(task("t", "every 1 min"))
        .build()
        .unwrap();
    let story = async {
        pass("90 s").await;
        session.hold();
        pass("1 hour").await;
        panic!("it did not end");
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:00:00, 24 07:01:00");
}

// ---- one scheduler at a time

#[tokio::test(start_paused = true)]
async fn a_session_that_runs_cannot_be_run_a_second_time() {
    let session = session("2026-11-24 07:00").task(task("t", "every 1 min")).build().unwrap();
    let story = async {
        pass("90 s").await;
        let error = session.clone().run().typed().await.unwrap_err();
        assert!(matches!(error, RunError::AlreadyRunning), "{error:?}");
        expect!["the session runs already; a session has one scheduler at a time"]
            .assert_eq(&error.to_string());
        // The first one is not disturbed.
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await.split(", ").count(), 3);
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(starts(&session, "t").await.split(", ").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_not_awaited_does_nothing() {
    let session = session("2026-11-24 07:00").task(task("t", "daily")).build().unwrap();
    drop(session.run());
    let waiting = session.run().without_signals();
    pass("1 min").await;
    assert_eq!(timeline(&session).await, "");
    run_for(&session, "1 min").await.unwrap();
    drop(waiting);
    assert_eq!(actions(&session, "t").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_aborts_what_is_live_and_the_session_can_run_again() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = dropped.clone();
    let session = session("2026-11-24 07:00")
        .task(Task::new("cut", "hourly", move || {
            let guard = Guard(flag.clone());
            async move {
                let _guard = guard;
                pass("10 min").await;
            }
        }))
        .task(task("done", "hourly"))
        .task(task("next", "after task 'cut'"))
        .build()
        .unwrap();
    let run = session.run().without_signals().typed();
    let cut = tokio::time::timeout(span("1 min"), run).await;
    assert!(cut.is_err(), "{cut:?}");
    let ended = request(&session, "done");
    pass("1 min").await;
    assert!(dropped.load(Ordering::Relaxed));
    assert_eq!(actions(&session, "cut").await, "run");
    for _ in 0..2 {
        run_for(&session, "1 min").await.unwrap();
    }
    expect![[r#"
        24 07:00:00 cut run
        24 07:00:00 done run
        24 07:00:00 done success
        24 07:02:00 cut crash: its process ended before it did
        24 07:02:00 cut run (due 24 07:00:00)
        24 07:02:00 done run
        24 07:02:00 done success
        24 07:03:35 cut terminate: the session shuts down
    "#]]
    .assert_eq(&timeline(&session).await);
    assert_eq!(times(&session, "cut", Action::Crash).await.split(", ").count(), 1);
    expect!["the session shuts down"].assert_eq(&reason(&session, "cut").await);
    expect!["success"].assert_eq(&ended.await);
}

#[tokio::test(start_paused = true)]
async fn a_session_can_run_again_after_its_run_is_dropped_without_a_pause() {
    let session = session("2026-11-24 07:00").task(slow("t", "daily", "1 hour")).build().unwrap();
    for _ in 0..3 {
        let run = session.run().without_signals().typed();
        let cut = tokio::time::timeout(span("1 min"), run).await;
        assert!(cut.is_err(), "{cut:?}");
    }
}

// ---- tasks that come and go

#[tokio::test(start_paused = true)]
async fn a_session_without_tasks_runs_only_where_that_is_meant() {
    let session = session("2026-11-24 07:00").build().unwrap();
    let error = session.run().typed().await.unwrap_err();
    assert!(matches!(error, RunError::NoTasks), "{error:?}");
    let error = session.run().await.unwrap_err();
    expect![[r#"the session has no tasks, so there is nothing to run; give a function `#[task("..")]`, add one with `session.add_task(..)`, or call `.allow_empty()` on `run()` if tasks come later"#]].assert_eq(&error.to_string());
    let story = async {
        pass("1 hour").await;
        session.add_task(slow("t", "every 1 min", "10 s")).unwrap();
        session.add_task(task("u", "after task 't'")).unwrap();
        pass("90 s").await;
        session.remove_task("t").unwrap();
        session.remove_task("u").unwrap();
        // To have none any more is fine.
        pass("1 hour").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 08:00:00 t run
        24 08:00:10 t success
        24 08:00:10 u run
        24 08:00:10 u success
        24 08:01:00 t run
        24 08:01:10 t success
        24 08:01:10 u run
        24 08:01:10 u success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn what_names_a_removed_task_is_in_error_until_it_comes_back() {
    let session = session("2026-11-24 07:00")
        .task(slow("up", "every 1 min", "10 s"))
        .task(task("down", "after task 'up'"))
        .task(task("not", "~task 'up' has failed & every 1 min"))
        .task(task("either", "after task 'up' failed | every 1 min"))
        .task(serving("served", "daily").end("task 'up' has failed"))
        .build()
        .unwrap();
    let mut told = String::new();
    let story = async {
        pass("1 min 5 s").await;
        // Its live run goes on.
        session.remove_task("up").unwrap();
        assert!(session.task("up").is_err());
        pass("2 min").await;
        for name in ["down", "not", "either"] {
            writeln!(told, "{}", session.why(name).await.unwrap()).unwrap();
        }
        session.add_task(failing("up", "every 1 min")).unwrap();
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        task `down`: its condition does not hold
        ! after task 'up', in error: task `up` was removed: task `up` has its last success at 2026-11-24 07:01:10 (record 15); this task has its last run at 2026-11-24 07:00:10 (record 8)
          may change on a record (run, success, fail, terminate, inaction, crash) of task `up`
        task `not`: its condition does not hold
        ! ~task 'up' has failed & every 1 min, since 2026-11-24 07:02:00, in error: task `up` was removed
          may change on a record (run, success, fail, terminate, inaction, crash) of task `up`, or on a record (run) of task `not`
          ! ~task 'up' has failed, in error: task `up` was removed
            ! task 'up' has failed, in error: task `up` was removed: 0 such records in all; task `up` has no fail yet
          ✔ every 1 min, since 2026-11-24 07:02:00: has its last run at 2026-11-24 07:01:00 (record 11); due at 2026-11-24 07:02:00
        task `either`: its condition does not hold
        ! after task 'up' failed | every 1 min, since 2026-11-24 07:03:00, in error: task `up` was removed
          may change at 2026-11-24 07:04:00, or on a record (run, success, fail, terminate, inaction, crash) of task `up`, or on a record (run) of task `either`
          ! after task 'up' failed, in error: task `up` was removed: task `up` has no fail yet; this task has its last run at 2026-11-24 07:03:00 (record 18)
          ✘ every 1 min, since 2026-11-24 07:03:00: has its last run at 2026-11-24 07:03:00 (record 18); due at 2026-11-24 07:04:00
    "#]].assert_eq(&told);
    expect![[r#"
        24 07:00:00 up run
        24 07:00:00 not run
        24 07:00:00 either run
        24 07:00:00 served run (due 24 00:00:00)
        24 07:00:00 not success
        24 07:00:00 either success
        24 07:00:10 up success
        24 07:00:10 down run
        24 07:00:10 down success
        24 07:01:00 up run
        24 07:01:00 not run
        24 07:01:00 either run
        24 07:01:00 not success
        24 07:01:00 either success
        24 07:01:10 up success
        24 07:02:00 either run
        24 07:02:00 either success
        24 07:03:00 either run
        24 07:03:00 either success
        24 07:03:05 down run (due 24 07:01:10)
        24 07:03:05 not run (due 24 07:02:00)
        24 07:03:05 up run (due 24 07:02:00)
        24 07:03:05 down success
        24 07:03:05 not success
        24 07:03:05 up fail: no luck
        24 07:03:05 either run
        24 07:03:05 served terminate: its end condition holds: task 'up' has failed; it ended with: stopped
        24 07:03:05 either success
    "#]].assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_removed_task_ends_a_session_where_broken_conditions_do() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.silence_cond_check = false)
        .task(task("up", "every 1 min"))
        .task(task("down", "after task 'up'"))
        .build()
        .unwrap();
    let story = async {
        pass("90 s").await;
        session.remove_task("up").unwrap();
        pass("1 hour").await;
    };
    let error = run_while(&session, story).await.unwrap_err();
    assert!(matches!(&error, RunError::Condition { task: Some(task), .. } if &**task == "down"));
    expect!["the condition of task `down` is in error: `task 'up'`: task `up` was removed"]
        .assert_eq(&error.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_comes_back_has_its_history_and_waits_for_its_live_run() {
    let session = session("2026-11-24 07:00")
        .task(slow("t", "daily", "1 min"))
        .task(task("done", "daily"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        session.remove_task("t").unwrap();
        session.remove_task("done").unwrap();
        pass("10 s").await;
        session.add_task(task("t", "every 5 s")).unwrap();
        session.add_task(task("done", "daily")).unwrap();
        pass("45 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:00 done run (due 24 00:00:00)
        24 07:00:00 done success
        24 07:01:00 t success
        24 07:01:00 t run (due 24 07:00:05)
        24 07:01:00 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_task_is_not_looked_at_until_it_is_enabled() {
    let session = session("2026-11-24 07:00")
        .task(slow("t", "every 1 min", "10 s"))
        .task(task("next", "after task 't'"))
        .task(task("off", "daily").disabled())
        .build()
        .unwrap();
    let story = async {
        pass("1 min 5 s").await;
        session.disable("t").unwrap();
        session.disable("t").unwrap();
        assert!(session.task("t").unwrap().policy.disabled);
        pass("2 min 30 s").await;
        session.enable("t").unwrap();
        session.enable("off").unwrap();
        assert!(session.enable("zzz").is_err());
        pass("20 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:00:10 t success
        24 07:00:10 next run
        24 07:00:10 next success
        24 07:01:00 t run
        24 07:01:10 t success
        24 07:01:10 next run
        24 07:01:10 next success
        24 07:03:35 t run (due 24 07:02:00)
        24 07:03:35 off run (due 24 00:00:00)
        24 07:03:35 off success
        24 07:03:45 t success
        24 07:03:45 next run
        24 07:03:45 next success
    "#]]
    .assert_eq(&timeline(&session).await);
}

// ---- runs that are asked for

#[tokio::test(start_paused = true)]
async fn a_run_can_be_asked_for_before_the_session_runs() {
    let session = session("2026-11-24 07:00")
        .task(task("t", "false"))
        .task(task("off", "true").disabled())
        .task(failing("bad", "false"))
        .build()
        .unwrap();
    let ended = ["t", "off", "bad"].map(|name| request(&session, name));
    assert!(session.request_run("zzz", Params::new()).is_err());
    run_for(&session, "1 min").await.unwrap();
    let ended = futures::future::join_all(ended).await;
    assert_eq!(ended, ["success", "success", "fail: no luck"]);
    expect![[r#"
        24 07:00:00 t run
        24 07:00:00 off run
        24 07:00:00 bad run
        24 07:00:00 t success
        24 07:00:00 off success
        24 07:00:00 bad fail: no luck
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn runs_that_are_asked_for_are_served_in_order_one_after_the_other() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = seen.clone();
    let session = session("2026-11-24 07:00")
        .param("number", 0_u32)
        .task(Task::new("t", "daily after 07:00:15", move |Param(number): Param<u32>| {
            list.lock().unwrap().push(number);
            async { pass("10 s").await }
        }))
        .build()
        .unwrap();
    let ask = |number: u32| {
        let params = Params::new().with("number", number);
        session.request_run("t", params).unwrap()
    };
    let story = async {
        let first = ask(1);
        let others = [2, 3, 4].map(ask);
        let first = first.await.unwrap();
        assert_eq!((first.action, first.reason), (Action::Success, None));
        let others = futures::future::join_all(others).await;
        assert!(others.iter().all(Option::is_some));
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    // The run that is due as well waits for those that were asked for, and then need not be.
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3, 4]);
    expect![[r#"
        24 07:00:00 t run
        24 07:00:10 t success
        24 07:00:10 t run
        24 07:00:20 t success
        24 07:00:20 t run
        24 07:00:30 t success
        24 07:00:30 t run
        24 07:00:40 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_run_hears_how_it_ended() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.termination_grace = span("1 s"))
        .task(Nothing)
        .task(failing("fails", "false"))
        .task(Task::new("unprepared", "false", |_: Return<Nothing>| async {}))
        .task(serving("terminated", "false"))
        .task(serving("late", "false").timeout(span("5 s")))
        .task(slow("removed", "false", "20 s"))
        .task(slow("queued", "daily", "30 s"))
        .task(serving("last", "false"))
        .build()
        .unwrap();
    let mut told = String::new();
    let story = async {
        pass("1 s").await;
        let names = ["fails", "unprepared", "terminated", "late", "removed", "queued", "last"];
        let ended = names.map(|name| request(&session, name));
        pass("5 s").await;
        session.terminate("terminated").unwrap();
        // The live run of the one goes on; that of the other has not begun.
        session.remove_task("removed").unwrap();
        session.remove_task("queued").unwrap();
        let queued = {
            let (name, mut ended) = ("queued", Vec::from(ended));
            let ended_of_queued = ended.remove(5);
            let answer = tokio::time::timeout(span("1 s"), ended_of_queued).await;
            writeln!(told, "{name}: {answer:?}").unwrap();
            ended
        };
        pass("20 s").await;
        session.shutdown_now();
        let names = names.into_iter().filter(|name| *name != "queued");
        for (name, ended) in names.zip(futures::future::join_all(queued).await) {
            writeln!(told, "{name}: {ended}").unwrap();
        }
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        queued: Ok("none")
        fails: fail: no luck
        unprepared: fail: task `nothing` has not returned anything yet; start this one `after task 'nothing'`, or take an `Option<Return<..>>`
        terminated: terminate: it was terminated on request; it ended with: stopped
        late: terminate: its timeout passed after 5 s; it ended with: stopped
        removed: success
        last: terminate: the session shuts down; it ended with: stopped
    "#]].assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn runs_that_did_not_begin_before_the_end_are_answered_with_none() {
    let session = session("2026-11-24 07:00").task(slow("t", "false", "10 s")).build().unwrap();
    let ended = [(); 3].map(|()| request(&session, "t"));
    run_for(&session, "5 s").await.unwrap();
    let late = request(&session, "t");
    assert_eq!(futures::future::join_all(ended).await, ["success", "none", "none"]);
    assert_eq!(actions(&session, "t").await, "run success");
    // Asked between two runs, it is meant for the next one.
    run_for(&session, "5 s").await.unwrap();
    assert_eq!(late.await, "success");
}

#[tokio::test(start_paused = true)]
async fn a_request_for_a_task_that_was_replaced_meanwhile_runs_the_new_one() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Replace)
        .task(slow("t", "daily", "10 s"))
        .build()
        .unwrap();
    let story = async {
        pass("1 s").await;
        let ended = request(&session, "t");
        session.add_task(failing("t", "false")).unwrap();
        assert_eq!(ended.await, "fail: no luck");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:10 t success
        24 07:00:10 t run
        24 07:00:10 t fail: no luck
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_request_does_not_outlive_its_task() {
    let session = session("2026-11-24 07:00").task(slow("t", "daily", "10 s")).build().unwrap();
    let story = async {
        pass("1 s").await;
        let live = request(&session, "t");
        session.remove_task("t").unwrap();
        session.add_task(task("t", "false")).unwrap();
        pass("1 min").await;
        assert_eq!(live.await, "none");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "t").await, "run success");
}

// ---- terminate

#[tokio::test(start_paused = true)]
async fn a_run_that_is_terminated_twice_is_not_given_more_grace() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.termination_grace = span("10 s"))
        .task(deaf("t"))
        .task(serving("other", "daily"))
        .build()
        .unwrap();
    let story = async {
        for _ in 0..3 {
            pass("4 s").await;
            session.terminate("t").unwrap();
        }
        pass("10 s").await;
        session.shutdown_now();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:00 other run (due 24 00:00:00)
        24 07:00:14 t terminate: it was terminated on request
        24 07:00:22 other terminate: the session shuts down; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_removed_can_be_told_to_stop_no_more_but_ends_with_the_session() {
    let session = session("2026-11-24 07:00").task(serving("t", "daily")).build().unwrap();
    let story = async {
        pass("10 s").await;
        session.remove_task("t").unwrap();
        assert!(session.terminate("t").is_err());
        pass("10 s").await;
        session.shutdown_now();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:20 t terminate: the session shuts down; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}
