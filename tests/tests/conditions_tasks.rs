//! Statements about tasks, as the scheduler lives through them.

use expect_test::expect;
use redengine_core::Task;
use redengine_core::expr::Expr;
use redengine_core::param::Params;
use redengine_core::record::Action;
use redengine_core::task::Inaction;
use redengine_tests::world::{
    actions, failing, failing_times, pass, run_for, run_while, serving, session, slow, starts,
    task, timeline, times,
};

fn inacting(name: &str, condition: impl Into<Expr>) -> Task {
    Task::new(name, condition, || async { Err::<(), _>(Inaction) })
}

// ---- after

#[tokio::test(start_paused = true)]
async fn after_task_follows_each_outcome_it_names_and_no_other() {
    let session = session("2026-11-24 07:00")
        .task(task("good", "daily"))
        .task(failing("bad", "daily"))
        .task(inacting("idle", "daily"))
        .task(serving("cut", "daily").end("time of day after 07:01"))
        .tasks(["good", "bad", "idle", "cut"].into_iter().flat_map(|upstream| {
            ["succeeded", "failed", "finished", "terminated", ""].into_iter().map(move |outcome| {
                let condition = format!("after task '{upstream}' {outcome}");
                task(&format!("{upstream} -> {outcome}"), condition.as_str())
            })
        }))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    let mut followed = String::new();
    for definition in session.tasks() {
        let at = starts(&session, &definition.name).await;
        if definition.name.contains("->") && !at.is_empty() {
            followed += &format!("{}: {at}\n", definition.name);
        }
    }
    expect![[r#"
        good -> succeeded: 24 07:00:00
        good -> finished: 24 07:00:00
        good -> : 24 07:00:00
        bad -> failed: 24 07:00:00
        bad -> finished: 24 07:00:00
        cut -> terminated: 24 07:01:00
    "#]]
    .assert_eq(&followed);
}

#[tokio::test(start_paused = true)]
async fn a_chain_runs_once_for_each_run_of_its_head() {
    let session = session("2026-11-24 07:00")
        .task(slow("a", "every 1 min", "1 s"))
        .task(slow("b", "after task 'a'", "1 s"))
        .task(slow("c", "after task 'b'", "1 s"))
        .build()
        .unwrap();
    run_for(&session, "2 min 30 s").await.unwrap();
    expect![[r#"
        24 07:00:00 a run
        24 07:00:01 a success
        24 07:00:01 b run
        24 07:00:02 b success
        24 07:00:02 c run
        24 07:00:03 c success
        24 07:01:00 a run
        24 07:01:01 a success
        24 07:01:01 b run
        24 07:01:02 b success
        24 07:01:02 c run
        24 07:01:03 c success
        24 07:02:00 a run
        24 07:02:01 a success
        24 07:02:01 b run
        24 07:02:02 b success
        24 07:02:02 c run
        24 07:02:03 c success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn successes_while_the_follower_runs_are_one_more_opportunity() {
    let session = session("2026-11-24 07:00")
        .task(slow("a", "every 10 s", "1 s"))
        .task(slow("b", "after task 'a'", "25 s"))
        .build()
        .unwrap();
    run_for(&session, "58 s").await.unwrap();
    expect!["24 07:00:01, 24 07:00:26, 24 07:00:51"].assert_eq(&starts(&session, "b").await);
}

#[tokio::test(start_paused = true)]
async fn after_tasks_waits_for_all_of_them_and_after_any_for_one() {
    let session = session("2026-11-24 07:00")
        .task(slow("a", "every 10 min", "1 s"))
        .task(slow("b", "every 15 min", "1 s"))
        .task(task("all", "after tasks 'a', 'b'"))
        .task(task("any", "after any tasks 'a', 'b'"))
        .build()
        .unwrap();
    run_for(&session, "46 min").await.unwrap();
    expect!["24 07:00:01, 24 07:15:01, 24 07:30:01, 24 07:45:01"]
        .assert_eq(&starts(&session, "all").await);
    expect![
        "24 07:00:01, 24 07:10:01, 24 07:15:01, 24 07:20:01, 24 07:30:01, 24 07:40:01, 24 07:45:01"
    ]
    .assert_eq(&starts(&session, "any").await);
}

#[tokio::test(start_paused = true)]
async fn after_task_is_told_by_sequence_not_by_time() {
    // All of it happens in one instant, and still in order.
    let session = session("2026-11-24 07:00")
        .task(task("a", "daily"))
        .task(task("b", "after task 'a'"))
        .task(task("c", "after task 'b' & ~after task 'b' failed"))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    expect![[r#"
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:00 a success
        24 07:00:00 b run
        24 07:00:00 b success
        24 07:00:00 c run
        24 07:00:00 c success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn tasks_may_follow_each_other_in_a_ring() {
    let session = session("2026-11-24 07:00")
        .task(slow("ping", "after task 'pong' | ~has started", "10 s"))
        .task(slow("pong", "after task 'ping'", "10 s"))
        .build()
        .unwrap();
    run_for(&session, "55 s").await.unwrap();
    expect!["24 07:00:00, 24 07:00:20, 24 07:00:40"].assert_eq(&starts(&session, "ping").await);
    expect!["24 07:00:10, 24 07:00:30, 24 07:00:50"].assert_eq(&starts(&session, "pong").await);
}

// ---- has ..

/// Runs `event` at 07:00:05, 07:00:15, 07:00:25 and then no more; tells when `watch` ran, which
/// takes five seconds whenever its condition holds.
async fn watched(condition: &str, time: &str) -> String {
    let session = session("2026-11-24 07:00")
        .task(task("event", "every 10 s & time of minute after 05 & ~has started at least 3 times"))
        .task(slow("watch", condition, "5 s"))
        .build()
        .unwrap();
    run_for(&session, time).await.unwrap();
    starts(&session, "watch").await
}

#[tokio::test(start_paused = true)]
async fn has_counts_records() {
    expect!["24 07:00:05, 24 07:00:10, 24 07:00:15, 24 07:00:20"]
        .assert_eq(&watched("task 'event' has succeeded", "22 s").await);
    expect!["24 07:00:15, 24 07:00:20"]
        .assert_eq(&watched("task 'event' has succeeded at least 2 times", "22 s").await);
    expect!["24 07:00:25, 24 07:00:30"]
        .assert_eq(&watched("task 'event' has succeeded more than 2 times", "32 s").await);
    expect!["24 07:00:05, 24 07:00:10"]
        .assert_eq(&watched("task 'event' has succeeded exactly 1 times", "1 min").await);
    expect!["24 07:00:15, 24 07:00:20"]
        .assert_eq(&watched("task 'event' has succeeded 2 times", "1 min").await);
    expect!["24 07:00:05, 24 07:00:10, 24 07:00:15, 24 07:00:20"]
        .assert_eq(&watched("task 'event' has started between 1 and 2 times", "1 min").await);
    expect!["24 07:00:00"]
        .assert_eq(&watched("task 'event' has finished less than 1 times", "1 min").await);
    expect!["24 07:00:00, 24 07:00:05, 24 07:00:10"]
        .assert_eq(&watched("task 'event' has finished at most 1 times", "1 min").await);
    expect![""].assert_eq(&watched("task 'event' has failed", "1 min").await);
    expect!["24 07:00:00"].assert_eq(&watched("~task 'event' has succeeded", "1 min").await);
}

#[tokio::test(start_paused = true)]
async fn the_past_is_open_at_its_start_and_closed_at_now() {
    expect!["24 07:00:05, 24 07:00:15, 24 07:00:25"]
        .assert_eq(&watched("task 'event' has succeeded past 4 s", "1 min").await);
    // A record leaves at its instant plus the span: 07:00:25 + 20 s.
    expect!["24 07:00:00, 24 07:00:45, 24 07:00:50, 24 07:00:55, 24 07:01:00"]
        .assert_eq(&watched("~task 'event' has succeeded past 20 s", "62 s").await);
    let two = "task 'event' has succeeded at least 2 times past 12 s";
    expect!["24 07:00:15, 24 07:00:25"].assert_eq(&watched(two, "1 min").await);
    let one = "task 'event' has succeeded exactly 1 times past 12 s";
    expect!["24 07:00:05, 24 07:00:10, 24 07:00:17, 24 07:00:22, 24 07:00:27, 24 07:00:32"]
        .assert_eq(&watched(one, "1 min").await);
}

#[tokio::test(start_paused = true)]
async fn today_forgets_yesterday_at_midnight() {
    let session = session("2026-11-24 23:59:50")
        .task(task("event", "daily before 12:00 | ~has started"))
        .task(slow("yes", "task 'event' has succeeded today", "4 s"))
        .task(slow("no", "~task 'event' has succeeded today", "4 s"))
        .task(slow("twice", "task 'event' has started 1 times today & ~is running", "4 s"))
        .build()
        .unwrap();
    run_for(&session, "19 s").await.unwrap();
    expect!["24 23:59:50, 25 00:00:00"].assert_eq(&starts(&session, "event").await);
    expect!["24 23:59:50, 24 23:59:54, 24 23:59:58, 25 00:00:02, 25 00:00:06"]
        .assert_eq(&starts(&session, "yes").await);
    expect!["24 23:59:50, 25 00:00:00"].assert_eq(&starts(&session, "no").await);
    expect!["24 23:59:50, 24 23:59:54, 24 23:59:58, 25 00:00:02, 25 00:00:06"]
        .assert_eq(&starts(&session, "twice").await);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_today_is_yesterdays_until_it_begins() {
    let session = session("2026-11-24 09:00")
        .task(task("event", "every 1 hour"))
        .task(task("watch", "task 'event' has succeeded today after 10:30 & ~has started past 1 day"))
        .task(task("other", "task 'event' has succeeded exactly 2 times today after 10:30 & ~has started past 1 day"))
        .build()
        .unwrap();
    run_for(&session, "30 hours").await.unwrap();
    expect!["24 11:00:00, 25 11:00:00"].assert_eq(&starts(&session, "watch").await);
    expect!["24 12:00:00, 25 12:00:00"].assert_eq(&starts(&session, "other").await);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_was_passed_today_may_be_met_tomorrow() {
    let session = session("2026-11-24 12:00")
        .task(task("event", "every 8 hours"))
        .task(task(
            "watch",
            "task 'event' has succeeded exactly 1 times today & ~has started today",
        ))
        .build()
        .unwrap();
    run_for(&session, "50 hours").await.unwrap();
    expect![
        "24 12:00:00, 24 20:00:00, 25 04:00:00, 25 12:00:00, 25 20:00:00, 26 04:00:00, 26 12:00:00"
    ]
    .assert_eq(&starts(&session, "event").await);
    expect!["24 12:00:00, 25 04:00:00, 26 04:00:00"].assert_eq(&starts(&session, "watch").await);
}

#[tokio::test(start_paused = true)]
async fn this_week_and_this_month_begin_where_they_do() {
    // The 30th is a Monday, the next day is December.
    let session = session("2026-11-29 23:59:55")
        .task(task("week", "~has succeeded this week"))
        .task(task("month", "~has succeeded this month"))
        .task(task("hour", "~has succeeded this hour & time of day before 03:00"))
        .build()
        .unwrap();
    run_for(&session, "2 days").await.unwrap();
    expect!["29 23:59:55, 30 00:00:00"].assert_eq(&starts(&session, "week").await);
    expect!["29 23:59:55, 01 00:00:00"].assert_eq(&starts(&session, "month").await);
    expect!["30 00:00:00, 30 01:00:00, 30 02:00:00, 01 00:00:00, 01 01:00:00, 01 02:00:00"]
        .assert_eq(&starts(&session, "hour").await);
}

#[tokio::test(start_paused = true)]
async fn terminations_and_inactions_are_counted_as_what_they_are() {
    let session = session("2026-11-24 07:00")
        .task(serving("cut", "daily").timeout(std::time::Duration::from_secs(60)))
        .task(inacting("idle", "daily"))
        .task(task("a", "task 'cut' has terminated & ~has started"))
        .task(task("b", "task 'cut' has finished & ~has started"))
        .task(task("c", "task 'idle' has inacted & ~has started"))
        .task(task("d", "task 'idle' has finished & ~has started"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    expect![[r#"
        24 07:00:00 cut run (due 24 00:00:00)
        24 07:00:00 idle run (due 24 00:00:00)
        24 07:00:00 idle inaction
        24 07:00:00 c run
        24 07:00:00 c success
        24 07:01:00 cut terminate: its timeout passed after 1 min; it ended with: stopped
        24 07:01:00 a run
        24 07:01:00 b run
        24 07:01:00 a success
        24 07:01:00 b success
    "#]]
    .assert_eq(&timeline(&session).await);
}

// ---- is running

#[tokio::test(start_paused = true)]
async fn is_running_holds_while_a_run_lives() {
    let session = session("2026-11-24 07:00")
        .task(slow("x", "time of minute after 10 & ~has started", "10 s"))
        .task(slow("during", "task 'x' is running", "4 s"))
        .task(slow("not", "~task 'x' is running", "4 s"))
        .build()
        .unwrap();
    run_for(&session, "25 s").await.unwrap();
    expect!["24 07:00:10, 24 07:00:14, 24 07:00:18"].assert_eq(&starts(&session, "during").await);
    expect!["24 07:00:00, 24 07:00:04, 24 07:00:08, 24 07:00:20, 24 07:00:24"]
        .assert_eq(&starts(&session, "not").await);
}

#[tokio::test(start_paused = true)]
async fn is_running_may_ask_for_the_age_of_the_run() {
    let session = session("2026-11-24 07:00")
        .task(slow("x", "daily", "20 s"))
        .task(slow("more", "task 'x' is running more than 6 s", "4 s"))
        .task(slow("less", "task 'x' is running less than 6 s", "4 s"))
        .task(slow("between", "task 'x' is running between 6 s and 14 s", "4 s"))
        .build()
        .unwrap();
    run_for(&session, "30 s").await.unwrap();
    expect!["24 07:00:06, 24 07:00:10, 24 07:00:14, 24 07:00:18"]
        .assert_eq(&starts(&session, "more").await);
    expect!["24 07:00:00, 24 07:00:04"].assert_eq(&starts(&session, "less").await);
    expect!["24 07:00:06, 24 07:00:10"].assert_eq(&starts(&session, "between").await);
}

#[tokio::test(start_paused = true)]
async fn while_running_as_an_end_condition_stops_what_got_too_old() {
    let session = session("2026-11-24 07:00")
        .task(serving("x", "daily").end("is running more than 30 s"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    expect![[r#"
        24 07:00:00 x run (due 24 00:00:00)
        24 07:00:30 x terminate: its end condition holds: is running more than 30 s; it ended with: stopped
    "#]].assert_eq(&timeline(&session).await);
}

// ---- retry

#[tokio::test(start_paused = true)]
async fn retry_runs_again_after_a_failure_so_many_times() {
    let session = session("2026-11-24 07:00")
        .task(failing("never lucky", "daily | retry 2"))
        .task(failing_times("lucky", "daily | retry 5", 2))
        .task(failing("no", "daily | retry 0"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    expect!["run fail run fail run fail"].assert_eq(&actions(&session, "never lucky").await);
    expect!["run fail run fail run success"].assert_eq(&actions(&session, "lucky").await);
    expect!["run fail"].assert_eq(&actions(&session, "no").await);
}

#[tokio::test(start_paused = true)]
async fn retry_pauses_double() {
    let session = session("2026-11-24 07:00")
        .task(failing("t", "daily | retry 4 after 10 s"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    expect!["24 07:00:00, 24 07:00:10, 24 07:00:30, 24 07:01:10, 24 07:02:30"]
        .assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn a_termination_is_no_failure_to_retry() {
    let session = session("2026-11-24 07:00")
        .task(serving("t", "daily | retry").timeout(std::time::Duration::from_secs(5)))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    expect!["run terminate"].assert_eq(&actions(&session, "t").await);
}

// ---- the scheduler

#[tokio::test(start_paused = true)]
async fn the_scheduler_tells_how_long_it_has_run() {
    let session = session("2026-11-24 07:00")
        .task(slow("first", "scheduler started 10 s ago", "4 s"))
        .task(slow("later", "scheduler has run over 10 s & ~scheduler has run over 20 s", "4 s"))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    expect!["24 07:00:00, 24 07:00:04, 24 07:00:08"].assert_eq(&starts(&session, "first").await);
    expect!["24 07:00:10, 24 07:00:14, 24 07:00:18"].assert_eq(&starts(&session, "later").await);
}

#[tokio::test(start_paused = true)]
async fn the_scheduler_counts_its_cycles() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.cycle_sleep = Some(std::time::Duration::from_secs(10)))
        .task(task("early", "scheduler has less than 1 cycles & ~has started"))
        .task(task("late", "scheduler has more than 5 cycles & ~has started"))
        .task(task("exact", "scheduler has 3 cycles & ~has started"))
        .build()
        .unwrap();
    run_for(&session, "3 min").await.unwrap();
    expect!["24 07:00:00"].assert_eq(&starts(&session, "early").await);
    expect!["24 07:01:00"].assert_eq(&starts(&session, "late").await);
    expect!["24 07:00:30"].assert_eq(&starts(&session, "exact").await);
}

// ---- parameters

#[tokio::test(start_paused = true)]
async fn parameters_are_seen_when_they_change() {
    let session = session("2026-11-24 07:00")
        .param("env", "test")
        .task(task("test", "env 'test' & ~has started"))
        .task(task("prod", "env 'prod' & ~has started"))
        .task(task("exists", "param 'limit' exists & ~has started"))
        .task(task("is", "param 'limit' is '5' & ~has started"))
        .task(task("not", "~param 'limit' exists & ~has started"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        session.set_param("limit", 4_u8);
        pass("10 s").await;
        session.set_param("limit", 5_u8);
        pass("10 s").await;
        session.set_param("env", "prod".to_owned());
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    for (name, at) in [
        ("test", "24 07:00:00"),
        ("prod", "24 07:00:30"),
        ("exists", "24 07:00:10"),
        ("is", "24 07:00:20"),
        ("not", "24 07:00:00"),
    ] {
        assert_eq!(starts(&session, name).await, at, "{name}");
    }
}

// ---- together

#[tokio::test(start_paused = true)]
async fn a_statement_about_everything() {
    let session = session("2026-11-24 06:00")
        .task(failing_times(
            "fetch",
            "daily after 07:00 & ~has failed past 10 min | retry 1 after 1 hour",
            2,
        ))
        .task(task("load", "after task 'fetch' & ~(task 'report' is running)"))
        .task(slow("report", "every 6 hours & ~after task 'load' failed", "20 min"))
        .build()
        .unwrap();
    run_for(&session, "1 day 3 hours").await.unwrap();
    expect![[r#"
        24 06:00:00 report run
        24 06:20:00 report success
        24 07:00:00 fetch run
        24 07:00:00 fetch fail: no luck
        24 08:00:00 fetch run
        24 08:00:00 fetch fail: no luck
        24 12:00:00 report run
        24 12:20:00 report success
        24 18:00:00 report run
        24 18:20:00 report success
        25 00:00:00 report run
        25 00:20:00 report success
        25 06:00:00 report run
        25 06:20:00 report success
        25 07:00:00 fetch run
        25 07:00:00 fetch success
        25 07:00:00 load run
        25 07:00:00 load success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_live_run_blocks_the_next_one_whoever_asks() {
    let session =
        session("2026-11-24 07:00").task(slow("t", "every 10 s", "1 min")).build().unwrap();
    let story = async {
        pass("5 s").await;
        let ended = session.request_run("t", Params::new()).unwrap();
        ended.await.unwrap();
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:01:00 t success
        24 07:01:00 t run
        24 07:02:00 t success
        24 07:02:00 t run (due 24 07:01:10)
        24 07:02:35 t terminate: the session shuts down
    "#]]
    .assert_eq(&timeline(&session).await);
    expect!["24 07:01:00, 24 07:02:00"].assert_eq(&times(&session, "t", Action::Success).await);
}
