//! What a session does while its run log fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use expect_test::expect;
use redengine_core::record::{Action, Reason};
use redengine_core::runlog::Query;
use redengine_core::session::{Health, LogHealth, OnLogFailure, SessionBuilder};
use redengine_core::{Task, Timestamp};
use redengine_runtime::RunError;
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{
    actions, clock, failing, pass, run_for, run_while, session, slow, starts, task, timeline,
};

/// Begins a session on a log that can be disturbed.
fn on(line: &Line) -> SessionBuilder {
    session("2026-11-24 07:00").log(line.clone())
}

/// Tells health without what differs from run to run.
fn told(health: &Health) -> String {
    let log = match &health.log {
        LogHealth::Up => "up".to_owned(),
        LogHealth::Down { since, .. } => format!("down since {}", clock(*since)),
    };
    let well = if health.is_well() { "well" } else { "not well" };
    format!("{well}, log {log}, {} unwritten\n", health.unwritten)
}

#[tokio::test(start_paused = true)]
async fn live_runs_go_on_nothing_starts_and_ends_are_written_later_in_order() {
    let line = Server::without_leases().line();
    let session = on(&line)
        .task(slow("long", "daily", "20 s"))
        .task(failing("bad", "daily after 07:00:09"))
        .task(slow("short", "daily", "10 s"))
        .task(task("tick", "every 5 s"))
        .task(task("next", "after task 'long'"))
        .build()
        .unwrap();
    let mut health = told(&session.health());
    let story = async {
        pass("7 s").await;
        health += &told(&session.health());
        line.set(Fault::Cut);
        pass("1 s").await;
        health += &told(&session.health());
        pass("4 s").await;
        health += &told(&session.health());
        pass("18 s").await;
        health += &told(&session.health());
        line.set(Fault::None);
        pass("30 s").await;
        health += &told(&session.health());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        not well, log up, 0 unwritten
        well, log up, 0 unwritten
        not well, log down since 24 07:00:07, 0 unwritten
        not well, log down since 24 07:00:07, 1 unwritten
        not well, log down since 24 07:00:07, 2 unwritten
        well, log up, 0 unwritten
    "#]]
    .assert_eq(&health);
    // Ends tell when the runs ended, not when they were written. What was due meanwhile starts once,
    // when the log answers again, which is found out after a pause that is not the same each time.
    let timeline = timeline(&session).await;
    let until = |text: &str| timeline.find(text).unwrap();
    let (before, kept) = (until("24 07:00:10 short success"), until("24 07:00:20 long success"));
    expect![[r#"
        24 07:00:00 long run (due 24 00:00:00)
        24 07:00:00 short run (due 24 00:00:00)
        24 07:00:00 tick run
        24 07:00:00 tick success
        24 07:00:05 tick run
        24 07:00:05 tick success
    "#]]
    .assert_eq(&timeline[..before]);
    assert!(before < kept, "{timeline}");
    for name in ["bad", "tick", "next"] {
        let starts = starts(&session, name).await;
        let mut after = starts.split(", ").filter(|at| *at > "24 07:00:05");
        let first = after.next().unwrap_or_default();
        assert!(("24 07:00:30".."24 07:00:43").contains(&first), "{name}: {starts}");
        assert_eq!(after.next().is_some(), name == "tick", "{name}: {starts}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_fails_is_asked_less_and_less_often_and_never_in_step_with_others() {
    let server = Server::new();
    let lines = [server.line(), server.line()];
    let mut asked: Vec<Vec<Timestamp>> = Vec::new();
    for line in &lines {
        let session = on(line)
            .configure(|config| config.lease = std::time::Duration::from_secs(3600))
            .task(slow("live", "daily & ~has started today", "1 s"))
            .build()
            .unwrap();
        let story = async {
            pass("500 ms").await;
            line.set(Fault::Cut);
            pass("2 min").await;
            asked.push(line.asked_in_vain());
            line.set(Fault::None);
            pass("20 s").await;
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
    }
    for asked in &asked {
        let pauses: Vec<f64> =
            asked.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
        // The first failure is what ends the wait for news.
        let mut expected = 0.2;
        for pause in &pauses {
            // A timer may be a millisecond late.
            assert!((expected * 0.75..=expected * 1.25 + 0.002).contains(pause), "{pauses:?}");
            expected = f64::min(expected * 2.0, 10.0);
        }
        assert!((12..30).contains(&pauses.len()), "{pauses:?}");
    }
    let pauses = |asked: &[Timestamp]| asked[2].since(asked[1]);
    assert_ne!(pauses(&asked[0]), pauses(&asked[1]));
}

#[tokio::test(start_paused = true)]
async fn a_session_may_end_in_order_when_the_log_fails() {
    let line = Server::without_leases().line();
    let session = on(&line)
        .configure(|config| config.on_log_failure = OnLogFailure::Stop)
        .task(slow("live", "daily", "20 s"))
        .task(task("tick", "every 5 s"))
        .build()
        .unwrap();
    let story = async {
        pass("7 s").await;
        line.set(Fault::Cut);
        pass("10 s").await;
        line.set(Fault::None);
        pass("1 hour").await;
    };
    let error = run_while(&session, story).await.unwrap_err();
    assert!(matches!(&error, RunError::LogFailed(_)), "{error:?}");
    expect!["the run log failed, and `on_log_failure` is `stop`"].assert_eq(&error.to_string());
    assert!(!session.health().running);
    expect![[r#"
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 tick run
        24 07:00:00 tick success
        24 07:00:05 tick run
        24 07:00:05 tick success
        24 07:00:20 live success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_does_not_wait_for_the_log_for_ever() {
    let line = Server::without_leases().line();
    let session = on(&line)
        .configure(|config| config.on_log_failure = OnLogFailure::Stop)
        .task(slow("live", "daily", "20 s"))
        .build()
        .unwrap();
    let story = async {
        pass("7 s").await;
        line.set(Fault::Cut);
        pass("1 hour").await;
        panic!("it waits for a log that does not come back");
    };
    let error = run_while(&session, story).await.unwrap_err();
    assert!(matches!(&error, RunError::LogFailed(_)), "{error:?}");
    line.set(Fault::None);
    // The end could not be written: the next session finds the run without one.
    expect![[r#"
        24 07:00:00 live run (due 24 00:00:00)
    "#]]
    .assert_eq(&timeline(&session).await);
    let next = on(&line).task(slow("live", "daily", "20 s").disabled()).build().unwrap();
    run_for(&next, "1 s").await.unwrap();
    expect![[r#"
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 live crash: its process ended before it did
    "#]]
    .assert_eq(&timeline(&next).await);
}

#[tokio::test(start_paused = true)]
async fn a_log_without_room_is_down_until_it_takes_what_waits() {
    let line = Server::without_leases().line();
    let session = on(&line)
        .task(slow("live", "daily", "10 s"))
        .task(task("tick", "every 5 s"))
        .build()
        .unwrap();
    let mut health = String::new();
    let story = async {
        pass("7 s").await;
        line.set(Fault::Full);
        // A start finds out, then the end waits.
        for _ in 0..5 {
            pass("7 s").await;
            health += &told(&session.health());
        }
        assert_eq!(line.refused_starts(), 1, "while an end waits, nobody tries a start");
        line.set(Fault::None);
        pass("14 s").await;
        health += &told(&session.health());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        not well, log down since 24 07:00:10, 1 unwritten
        not well, log down since 24 07:00:10, 1 unwritten
        not well, log down since 24 07:00:10, 1 unwritten
        not well, log down since 24 07:00:10, 1 unwritten
        not well, log down since 24 07:00:10, 1 unwritten
        well, log up, 0 unwritten
    "#]]
    .assert_eq(&health);
    let ticks = starts(&session, "tick").await;
    let (before, after) = ticks.split_at("24 07:00:00, 24 07:00:05, ".len());
    assert_eq!(before, "24 07:00:00, 24 07:00:05, ");
    assert!(after.split(", ").all(|at| at >= "24 07:00:42"), "{ticks}");
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_is_lost_is_ended_and_an_end_is_written_once() {
    let line = Server::without_leases().line();
    let begun = Arc::new(AtomicU32::new(0));
    let counted = begun.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async {}
    };
    let session = on(&line)
        .task(slow("live", "daily", "12 s"))
        .task(Task::new("tick", "every 5 s", count))
        .build()
        .unwrap();
    let story = async {
        pass("7 s").await;
        line.set(Fault::Unheard);
        pass("6 s").await;
        line.set(Fault::None);
        pass("6 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let records = session.history(Query::all()).await.unwrap();
    let starts = records.iter().filter(|known| known.record.action == Action::Run);
    let starts = starts.filter(|known| &*known.record.task == "tick").count();
    let disowned: Vec<_> = records
        .iter()
        .filter_map(|known| known.record.details.as_ref()?.reason.as_ref().map(Reason::message))
        .collect();
    assert!(!disowned.is_empty());
    assert!(disowned.iter().all(|reason| reason.contains("never started")), "{disowned:?}");
    let begun = begun.load(Ordering::Relaxed) as usize;
    assert_eq!(starts, begun + disowned.len());
    assert_eq!(actions(&session, "live").await, "run success");
    // Each has one end.
    assert_eq!(records.len(), 2 * (starts + 1));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_holds_what_reads_it() {
    let line = Server::without_leases().line();
    let session = on(&line)
        .configure(|config| config.force_status_from_logs = true)
        .task(task("tick", "every 5 s"))
        .build()
        .unwrap();
    let mut health = String::new();
    let story = async {
        pass("7 s").await;
        line.set(Fault::Cut);
        pass("20 s").await;
        health += &told(&session.health());
        line.set(Fault::None);
        pass("20 s").await;
        health += &told(&session.health());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        not well, log down since 24 07:00:07, 0 unwritten
        well, log up, 0 unwritten
    "#]]
    .assert_eq(&health);
    let ticks = starts(&session, "tick").await;
    let after: Vec<&str> = ticks.split(", ").skip(2).collect();
    assert!(after.len() >= 2 && after.iter().all(|at| *at >= "24 07:00:27"), "{ticks}");
}

#[tokio::test(start_paused = true)]
async fn who_hears_of_its_own_records_before_the_answer_goes_on() {
    let line = Server::new().line();
    line.set(Fault::Late);
    let tasks = [task("tick", "every 1 s"), task("tock", "cron '* * * * * *'")];
    let session = on(&line).tasks(tasks).build().unwrap();
    run_for(&session, "4500 ms").await.unwrap();
    for task in ["tick", "tock"] {
        expect!["24 07:00:00, 24 07:00:01, 24 07:00:02, 24 07:00:03, 24 07:00:04"]
            .assert_eq(&starts(&session, task).await);
    }
}

#[tokio::test(start_paused = true)]
async fn health_tells_since_when_a_log_fails_and_the_latest_reason() {
    let line = Server::without_leases().line();
    let session = on(&line).task(slow("live", "daily", "10 s")).build().unwrap();
    let mut told = Vec::new();
    let story = async {
        pass("1 s").await;
        for fault in [Fault::Cut, Fault::Full] {
            line.set(fault);
            pass("20 s").await;
            let LogHealth::Down { since, error } = session.health().log else {
                panic!("{fault:?}")
            };
            told.push(format!("{} {error}", clock(since)));
        }
        line.set(Fault::None);
        pass("20 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(told, ["24 07:00:01 the connection is lost", "24 07:00:01 the disk is full"]);
}
