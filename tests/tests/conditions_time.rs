//! Statements about time, as the scheduler lives through them.

use expect_test::{Expect, expect};
use redengine_tests::world::{
    failing, failing_times, pass, render, run_for, session, slow, slow_failing, starts, task,
    timeline,
};

/// Runs one task for some time and tells when its runs began.
async fn when(start: &str, condition: &str, takes: &str, time: &str) -> String {
    let session = session(start).task(slow("t", condition, takes)).build().expect("a session");
    run_for(&session, time).await.expect("an orderly end");
    starts(&session, "t").await
}

async fn check(start: &str, condition: &str, takes: &str, time: &str, expected: Expect) {
    expected.assert_eq(&when(start, condition, takes, time).await);
}

// ---- constants

#[tokio::test(start_paused = true)]
async fn true_runs_again_as_soon_as_the_last_run_has_ended() {
    check(
        "2026-11-24 07:00",
        "true",
        "10 s",
        "25 s",
        expect!["24 07:00:00, 24 07:00:10, 24 07:00:20"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn false_never_runs() {
    check("2026-11-24 07:00", "false", "1 s", "10 days", expect![""]).await;
    check("2026-11-24 07:00", "never", "1 s", "10 days", expect![""]).await;
    check("2026-11-24 07:00", "~always", "1 s", "10 days", expect![""]).await;
}

// ---- every

#[tokio::test(start_paused = true)]
async fn every_runs_at_once_and_then_at_the_interval() {
    check(
        "2026-11-24 07:00:03.25",
        "every 10 s",
        "1 s",
        "35 s",
        expect!["24 07:00:03.250, 24 07:00:13.250, 24 07:00:23.250, 24 07:00:33.250"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_does_not_drift_with_the_length_of_runs() {
    // The second run is due while the first one lives: it is late, and the third one is not.
    let session =
        session("2026-11-24 07:00").task(slow("t", "every 10 s", "12 s")).build().unwrap();
    run_for(&session, "45 s").await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:00:12 t success
        24 07:00:12 t run (due 24 07:00:10)
        24 07:00:24 t success
        24 07:00:24 t run (due 24 07:00:20)
        24 07:00:36 t success
        24 07:00:36 t run (due 24 07:00:30)
        24 07:00:48 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn every_counts_anew_after_a_run_that_was_more_than_the_interval_late() {
    let held = session("2026-11-24 07:00").task(task("t", "every 10 s")).build().unwrap();
    let story = async {
        pass("1 s").await;
        held.hold();
        pass("32 s").await;
        held.resume();
        pass("25 s").await;
        held.shutdown();
    };
    redengine_tests::world::run_while(&held, story).await.unwrap();
    expect!["24 07:00:00, 24 07:00:33, 24 07:00:43, 24 07:00:53"]
        .assert_eq(&starts(&held, "t").await);
}

#[tokio::test(start_paused = true)]
async fn every_keeps_its_beat_after_a_run_that_was_less_late() {
    let held = session("2026-11-24 07:00").task(task("t", "every 10 s")).build().unwrap();
    let story = async {
        pass("1 s").await;
        held.hold();
        pass("16 s").await;
        held.resume();
        pass("25 s").await;
        held.shutdown();
    };
    redengine_tests::world::run_while(&held, story).await.unwrap();
    expect!["24 07:00:00, 24 07:00:17, 24 07:00:20, 24 07:00:30, 24 07:00:40"]
        .assert_eq(&starts(&held, "t").await);
}

#[tokio::test(start_paused = true)]
async fn every_based_on_finish_counts_from_the_end_of_success_and_failure() {
    check(
        "2026-11-24 07:00",
        "every 10 s based on finish",
        "3 s",
        "40 s",
        expect!["24 07:00:00, 24 07:00:13, 24 07:00:26, 24 07:00:39"],
    )
    .await;
    let session = session("2026-11-24 07:00")
        .task(slow_failing("t", "every 10 s based on finish", "3 s"))
        .build()
        .unwrap();
    run_for(&session, "30 s").await.unwrap();
    expect!["24 07:00:00, 24 07:00:13, 24 07:00:26"].assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn every_based_on_success_tries_again_at_once_until_it_succeeds() {
    let session = session("2026-11-24 07:00")
        .task(failing_times("t", "every 10 s based on success", 2))
        .build()
        .unwrap();
    run_for(&session, "15 s").await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:00:00 t fail: no luck
        24 07:00:00 t run
        24 07:00:00 t fail: no luck
        24 07:00:00 t run
        24 07:00:00 t success
        24 07:00:10 t run
        24 07:00:10 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn every_based_on_fail_waits_only_after_failures() {
    let session = session("2026-11-24 07:00")
        .task(slow_failing("t", "every 10 s based on fail", "2 s"))
        .build()
        .unwrap();
    run_for(&session, "30 s").await.unwrap();
    expect!["24 07:00:00, 24 07:00:12, 24 07:00:24"].assert_eq(&starts(&session, "t").await);
    check(
        "2026-11-24 07:00",
        "every 10 s based on fail",
        "4 s",
        "10 s",
        expect!["24 07:00:00, 24 07:00:04, 24 07:00:08"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_in_a_part_of_the_day_sleeps_outside_of_it() {
    let condition = "every 20 min & time of day between 10:00 and 11:00";
    check(
        "2026-11-24 09:50",
        condition,
        "1 s",
        "26 hours",
        expect!["24 10:00:00, 24 10:20:00, 24 10:40:00, 25 10:00:00, 25 10:20:00, 25 10:40:00"],
    )
    .await;
}

// ---- cycles

#[tokio::test(start_paused = true)]
async fn each_cycle_runs_once() {
    check(
        "2026-11-24 07:00:00.3",
        "secondly",
        "100 ms",
        "3 s",
        expect!["24 07:00:00.300, 24 07:00:01, 24 07:00:02, 24 07:00:03"],
    )
    .await;
    check(
        "2026-11-24 07:00:30",
        "minutely",
        "1 s",
        "3 min",
        expect!["24 07:00:30, 24 07:01:00, 24 07:02:00, 24 07:03:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "hourly",
        "1 s",
        "3 hours",
        expect!["24 07:30:00, 24 08:00:00, 24 09:00:00, 24 10:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "daily",
        "1 s",
        "3 days",
        expect!["24 07:30:00, 25 00:00:00, 26 00:00:00, 27 00:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "weekly",
        "1 s",
        "15 days",
        expect!["24 07:30:00, 30 00:00:00, 07 00:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "monthly",
        "1 s",
        "70 days",
        expect!["24 07:30:00, 01 00:00:00, 01 00:00:00, 01 00:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "yearly",
        "1 s",
        "800 days",
        expect!["24 07:30:00, 01 00:00:00, 01 00:00:00, 01 00:00:00"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn each_cycle_runs_once_in_its_window() {
    check(
        "2026-11-24 07:00:00.3",
        "secondly after 250",
        "100 ms",
        "3 s",
        expect!["24 07:00:00.300, 24 07:00:01.250, 24 07:00:02.250, 24 07:00:03.250"],
    )
    .await;
    check(
        "2026-11-24 07:00:50",
        "minutely before 45",
        "1 s",
        "3 min",
        expect!["24 07:01:00, 24 07:02:00, 24 07:03:00"],
    )
    .await;
    let condition = "hourly between 15:00 and 45:00";
    check(
        "2026-11-24 07:50",
        condition,
        "1 s",
        "3 hours",
        expect!["24 08:15:00, 24 09:15:00, 24 10:15:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "daily after 19:00",
        "1 s",
        "3 days",
        expect!["24 19:00:00, 25 19:00:00, 26 19:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "daily at 10:00",
        "1 s",
        "2 days",
        expect!["24 10:00:00, 25 10:00:00"],
    )
    .await;
    // The 24th is a Tuesday.
    check(
        "2026-11-24 07:30",
        "weekly on Monday",
        "1 s",
        "15 days",
        expect!["30 00:00:00, 07 00:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "monthly starting 3rd",
        "1 s",
        "70 days",
        expect!["24 07:30:00, 03 00:00:00, 03 00:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "monthly on last Fri",
        "1 s",
        "70 days",
        expect!["27 00:00:00, 25 00:00:00, 29 00:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:30",
        "yearly after Feb 3rd",
        "1 s",
        "800 days",
        expect!["24 07:30:00, 03 00:00:00, 03 00:00:00"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_window_may_wrap_midnight_and_is_one_opportunity() {
    let condition = "daily between 22:00 and 06:00";
    check(
        "2026-11-24 23:00",
        condition,
        "1 s",
        "2 days",
        expect!["24 23:00:00, 25 22:00:00, 26 22:00:00"],
    )
    .await;
    check(
        "2026-11-24 05:59:59",
        condition,
        "1 s",
        "2 days",
        expect!["24 05:59:59, 24 22:00:00, 25 22:00:00"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_window_is_half_open() {
    // It begins at its first instant and is over at its end.
    let condition = "daily between 10:00 and 11:00";
    check("2026-11-24 11:00", condition, "1 s", "30 hours", expect!["25 10:00:00"]).await;
    check(
        "2026-11-24 10:59:59.999",
        condition,
        "1 s",
        "30 hours",
        expect!["24 10:59:59.999, 25 10:00:00"],
    )
    .await;
    check("2026-11-24 10:00", condition, "1 s", "2 hours", expect!["24 10:00:00"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_belongs_to_the_window_in_which_it_began() {
    // From 23:55 to 00:05: it is yesterday's, so today's is still to come.
    check(
        "2026-11-24 23:55",
        "daily",
        "10 min",
        "26 hours",
        expect!["24 23:55:00, 25 00:05:00, 26 00:00:00"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_uses_a_window_up_but_for_its_retries() {
    let failing_daily = session("2026-11-24 07:00").task(failing("t", "daily")).build().unwrap();
    run_for(&failing_daily, "2 days").await.unwrap();
    expect!["24 07:00:00, 25 00:00:00, 26 00:00:00"].assert_eq(&starts(&failing_daily, "t").await);

    let retried = session("2026-11-24 07:00")
        .task(slow_failing("t", "daily with 2 retries", "1 min"))
        .build()
        .unwrap();
    run_for(&retried, "2 days").await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:01:00 t fail: no luck
        24 07:01:00 t run
        24 07:02:00 t fail: no luck
        24 07:02:00 t run
        24 07:03:00 t fail: no luck
        25 00:00:00 t run
        25 00:01:00 t fail: no luck
        25 00:01:00 t run
        25 00:02:00 t fail: no luck
        25 00:02:00 t run
        25 00:03:00 t fail: no luck
        26 00:00:00 t run
        26 00:01:00 t fail: no luck
        26 00:01:00 t run
        26 00:02:00 t fail: no luck
        26 00:02:00 t run
        26 00:03:00 t fail: no luck
    "#]]
    .assert_eq(&timeline(&retried).await);

    let lucky = session("2026-11-24 07:00")
        .task(failing_times("t", "daily with 2 retries", 1))
        .build()
        .unwrap();
    run_for(&lucky, "2 days").await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:00 t fail: no luck
        24 07:00:00 t run
        24 07:00:00 t success
        25 00:00:00 t run
        25 00:00:00 t success
        26 00:00:00 t run
        26 00:00:00 t success
    "#]]
    .assert_eq(&timeline(&lucky).await);
}

#[tokio::test(start_paused = true)]
async fn retries_of_a_window_that_is_over_are_not_made_up() {
    let session = session("2026-11-24 10:58")
        .task(slow_failing("t", "daily between 10:00 and 11:00 with 5 retries", "50 s"))
        .build()
        .unwrap();
    run_for(&session, "1 day").await.unwrap();
    expect!["24 10:58:00, 24 10:58:50, 24 10:59:40, 25 10:00:00, 25 10:00:50, 25 10:01:40, 25 10:02:30, 25 10:03:20, 25 10:04:10"].assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn within_narrows_a_window() {
    let condition = "daily at 07:00 within 10 min";
    check("2026-11-24 07:10", condition, "1 s", "1 day", expect!["25 07:00:00"]).await;
    check("2026-11-24 07:09:59", condition, "1 s", "1 day", expect!["24 07:09:59, 25 07:00:00"])
        .await;
}

// ---- time of

#[tokio::test(start_paused = true)]
async fn time_of_holds_within_its_window() {
    let session = session("2026-11-24 09:00")
        .task(slow("day", "time of day between 10:00 and 11:00", "25 min"))
        .task(slow("hour", "time of hour after 45:00 & time of day before 10:00", "10 min"))
        .task(slow("week", "time of week on Wed & time of day at 12:00", "40 min"))
        .build()
        .unwrap();
    run_for(&session, "30 hours").await.unwrap();
    expect!["24 10:00:00, 24 10:25:00, 24 10:50:00, 25 10:00:00, 25 10:25:00, 25 10:50:00"]
        .assert_eq(&starts(&session, "day").await);
    expect!["24 09:45:00, 24 09:55:00, 25 00:45:00, 25 00:55:00, 25 01:45:00, 25 01:55:00, 25 02:45:00, 25 02:55:00, 25 03:45:00, 25 03:55:00, 25 04:45:00, 25 04:55:00, 25 05:45:00, 25 05:55:00, 25 06:45:00, 25 06:55:00, 25 07:45:00, 25 07:55:00, 25 08:45:00, 25 08:55:00, 25 09:45:00, 25 09:55:00"].assert_eq(&starts(&session, "hour").await);
    expect!["25 12:00:00, 25 12:40:00"].assert_eq(&starts(&session, "week").await);
}

#[tokio::test(start_paused = true)]
async fn a_window_may_name_its_own_zone() {
    // 07:00 in Helsinki is 05:00 in UTC in winter.
    let condition = "daily after 07:00 in Europe/Helsinki";
    check("2026-11-24 04:00", condition, "1 s", "25 hours", expect!["24 05:00:00"]).await;
}

#[tokio::test(start_paused = true)]
async fn daylight_saving_neither_skips_nor_doubles_a_daily_task() {
    // Spring: 03:00 becomes 04:00 on March 29th, so 03:30 does not exist; autumn: 03:30 is there twice.
    let spring = "daily between 03:15 and 03:45 in Europe/Helsinki";
    check("2026-03-28 00:00", spring, "1 s", "2 days", expect!["28 01:15:00, 29 01:00:00"]).await;
    check("2026-10-24 00:00", spring, "1 s", "2 days", expect!["24 00:15:00, 25 00:15:00"]).await;
    // Elapsed time knows nothing of it.
    let hours = "every 6 hours & ~never";
    check(
        "2026-03-28 18:30",
        hours,
        "1 s",
        "14 hours",
        expect!["28 18:30:00, 29 00:30:00, 29 06:30:00"],
    )
    .await;
}

// ---- cron

#[tokio::test(start_paused = true)]
async fn cron_runs_once_at_each_match() {
    check(
        "2026-11-24 07:02",
        "cron '*/5 * * * *'",
        "1 s",
        "11 min",
        expect!["24 07:05:00, 24 07:10:00"],
    )
    .await;
    check(
        "2026-11-24 06:00",
        "cron 0 7 * * MON-FRI",
        "1 s",
        "7 days",
        expect!["24 07:00:00, 25 07:00:00, 26 07:00:00, 27 07:00:00, 30 07:00:00"],
    )
    .await;
    check(
        "2026-11-24 07:00",
        "cron '*/10 * * * * *'",
        "1 s",
        "25 s",
        expect!["24 07:00:00, 24 07:00:10, 24 07:00:20"],
    )
    .await;
    check("2026-11-24 07:00", "cron @daily", "1 s", "2 days", expect!["25 00:00:00, 26 00:00:00"])
        .await;
}

#[tokio::test(start_paused = true)]
async fn cron_starts_in_the_middle_of_a_match_but_not_after_it() {
    check(
        "2026-11-24 07:00:59.999",
        "cron '0 7 * * *'",
        "1 s",
        "1 hour",
        expect!["24 07:00:59.999"],
    )
    .await;
    check("2026-11-24 07:01", "cron '0 7 * * *'", "1 s", "1 hour", expect![""]).await;
}

#[tokio::test(start_paused = true)]
async fn cron_within_makes_up_a_match_that_was_missed() {
    let condition = "cron '0 7 * * *' within 2 hours";
    check(
        "2026-11-24 08:59:59.999",
        condition,
        "1 s",
        "1 day",
        expect!["24 08:59:59.999, 25 07:00:00"],
    )
    .await;
    check("2026-11-24 09:00", condition, "1 s", "1 day", expect!["25 07:00:00"]).await;
}

#[tokio::test(start_paused = true)]
async fn cron_within_longer_than_the_interval_makes_up_only_the_last_match() {
    // The run of 07:00 takes 5 minutes: of the matches that it misses, the last one is made up.
    let session = session("2026-11-24 07:00")
        .task(slow("t", "cron '*/2 * * * *' within 10 min", "5 min"))
        .build()
        .unwrap();
    run_for(&session, "14 min").await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:05:00 t success
        24 07:05:00 t run (due 24 07:04:00)
        24 07:10:00 t success
        24 07:10:00 t run
        24 07:14:35 t terminate: the session shuts down
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_asked_for_takes_the_match_it_falls_in() {
    let session = session("2026-11-24 06:59:30")
        .task(task("t", "cron '0 7 * * *' & time of minute after 30"))
        .build()
        .unwrap();
    let story = async {
        pass("40 s").await;
        let ended = session.request_run("t", redengine_core::param::Params::new()).unwrap();
        ended.await.unwrap();
        pass("1 hour").await;
        session.shutdown();
    };
    redengine_tests::world::run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:10 t run
        24 07:00:10 t success
    "#]]
    .assert_eq(&timeline(&session).await);
}

// ---- since when

#[tokio::test(start_paused = true)]
async fn the_run_record_tells_since_when_it_was_due() {
    let session = session("2026-11-24 07:00:10")
        .task(task("a", "daily after 06:00"))
        .task(task("b", "cron '0 7 * * *'"))
        .task(task("c", "time of day after 05:00 & time of hour before 30:00 & daily"))
        .task(task("d", "time of day after 05:00 & daily | time of day after 04:00 & daily"))
        .build()
        .unwrap();
    run_for(&session, "1 s").await.unwrap();
    let runs = redengine_core::runlog::Query::all().actions([redengine_core::record::Action::Run]);
    expect![[r#"
        24 07:00:10 a run (due 24 06:00:00)
        24 07:00:10 b run (due 24 07:00:00)
        24 07:00:10 c run (due 24 07:00:00)
        24 07:00:10 d run (due 24 04:00:00)
    "#]]
    .assert_eq(&render(&session.history(runs).await.unwrap()));
}

// ---- operators over time

#[tokio::test(start_paused = true)]
async fn for_waits_until_a_part_has_held_without_a_break() {
    // The hour from 10:00 has lasted for 20 minutes at 10:20; that of the next day again.
    check(
        "2026-11-24 07:00",
        "time of day between 10:00 and 11:00 for 20 min & daily",
        "1 s",
        "2 days",
        expect!["24 10:20:00, 25 10:20:00"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn for_counts_anew_after_a_break() {
    // Each failure begins the quiet time anew.
    let session = session("2026-11-24 07:00")
        .task(failing("up", "time of day before 07:30 & every 10 min"))
        .task(task("all clear", "~task 'up' has failed past 5 min for 20 min & daily after 07:01"))
        .build()
        .unwrap();
    run_for(&session, "2 hours").await.unwrap();
    expect!["24 07:00:00, 24 07:10:00, 24 07:20:00"].assert_eq(&starts(&session, "up").await);
    expect!["24 07:45:00"].assert_eq(&starts(&session, "all clear").await);
}

#[tokio::test(start_paused = true)]
async fn newly_starts_once_for_each_time_that_a_part_begins_to_hold() {
    let hours = "newly time of hour between 10:00 and 20:00";
    let times = expect!["24 07:10:00, 24 08:10:00, 24 09:10:00"];
    check("2026-11-24 07:00", hours, "1 s", "3 hours", times).await;
}

#[tokio::test(start_paused = true)]
async fn since_needs_the_first_to_begin_after_the_other_changed() {
    // `a` succeeds at 07:10; the window begins at 08:00, and `b` has its success after that.
    let session = session("2026-11-24 07:00")
        .task(task("a", "daily after 07:10"))
        .task(task("b", "daily after 08:30"))
        .task(task("early", "task 'a' has succeeded since time of day after 08:00 & daily"))
        .task(task("late", "task 'b' has succeeded since time of day after 08:00 & daily"))
        .build()
        .unwrap();
    run_for(&session, "3 hours").await.unwrap();
    expect!["24 07:10:00"].assert_eq(&starts(&session, "early").await);
    expect!["24 08:30:00"].assert_eq(&starts(&session, "late").await);
}

// ---- priority

#[tokio::test(start_paused = true)]
async fn what_is_due_together_begins_by_priority_then_in_the_order_of_definition() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_priority = 5)
        .task(task("low", "daily").priority(1))
        .task(task("usual a", "daily"))
        .task(task("usual b", "daily"))
        .task(task("high", "daily").priority(10))
        .build()
        .unwrap();
    run_for(&session, "1 s").await.unwrap();
    let runs = redengine_core::runlog::Query::all().actions([redengine_core::record::Action::Run]);
    expect![[r#"
        24 07:00:00 high run (due 24 00:00:00)
        24 07:00:00 usual a run (due 24 00:00:00)
        24 07:00:00 usual b run (due 24 00:00:00)
        24 07:00:00 low run (due 24 00:00:00)
    "#]]
    .assert_eq(&render(&session.history(runs).await.unwrap()));
}

// ---- days and dates

/// As `when`, in a session with the holidays of the end of 2026 and a calendar of sales.
async fn when_open(start: &str, condition: &str, time: &str) -> String {
    let session = session(start)
        .calendar("holidays", ["2026-12-25", "2027-01-01"])
        .calendar("sales", [chrono::NaiveDate::from_ymd_opt(2026, 11, 27).unwrap()])
        .task(slow("t", condition, "1 s"))
        .build()
        .expect("a session");
    run_for(&session, time).await.expect("an orderly end");
    starts(&session, "t").await
}

#[tokio::test(start_paused = true)]
async fn on_business_days_leaves_out_weekends_and_the_calendar_of_holidays() {
    let on = "daily after 07:00 & on business days";
    expect![
        "23 07:00:00, 24 07:00:00, 28 07:00:00, 29 07:00:00, 30 07:00:00, 31 07:00:00, 04 07:00:00"
    ]
    .assert_eq(&when_open("2026-12-23 00:00", on, "13 days").await);
    let of = "daily after 07:00 & on business days of 'sales'";
    expect!["26 07:00:00, 30 07:00:00"]
        .assert_eq(&when_open("2026-11-26 00:00", of, "5 days").await);
    // Without a calendar of that name, there are no holidays.
    let plain = when("2026-12-24 00:00", on, "1 s", "5 days").await;
    expect!["24 07:00:00, 25 07:00:00, 28 07:00:00"].assert_eq(&plain);
}

#[tokio::test(start_paused = true)]
async fn days_of_a_calendar_are_those_that_it_lists() {
    let text = "once in (on calendar 'holidays' | on calendar 'sales')";
    expect!["27 00:00:00, 25 00:00:00, 01 00:00:00"]
        .assert_eq(&when_open("2026-11-20 12:00", text, "50 days").await);
}

#[tokio::test(start_paused = true)]
async fn once_in_a_period_runs_once_in_each_of_its_intervals() {
    let text = "once in (time of day after 07:00 & on business days)";
    expect!["24 07:00:00, 28 07:00:00, 29 07:00:00"]
        .assert_eq(&when_open("2026-12-24 00:00", text, "5 days 12 hours").await);
    let cron = "once in (cron 30 6 * * * | time of day between 06:31 and 07:00)";
    expect!["24 06:30:00, 24 06:31:00"]
        .assert_eq(&when_open("2026-12-24 00:00", cron, "1 day").await);
}

#[tokio::test(start_paused = true)]
async fn once_in_a_period_may_fail_as_often_as_it_has_retries() {
    let text = "once in (on 2026-11-25) with 2 retries";
    let session = session("2026-11-24 12:00").task(failing("t", text)).build().unwrap();
    run_for(&session, "3 days").await.unwrap();
    expect!["25 00:00:00, 25 00:00:00, 25 00:00:00"].assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn a_date_as_an_end_includes_its_day() {
    let text = "daily & between 2026-11-25 and 2026-11-26";
    expect!["25 00:00:00, 26 00:00:00"]
        .assert_eq(&when("2026-11-24 12:00", text, "1 s", "5 days").await);
    let text = "daily & before 2026-11-25 10:00 & after 2026-11-24 13:00";
    expect!["24 13:00:00, 25 00:00:00"]
        .assert_eq(&when("2026-11-24 12:00", text, "1 s", "5 days").await);
    let text = "daily & on 2026-11-26 in Asia/Tokyo";
    expect!["25 15:00:00, 26 00:00:00"]
        .assert_eq(&when("2026-11-24 12:00", text, "1 s", "5 days").await);
}

#[tokio::test(start_paused = true)]
async fn what_happened_is_counted_between_dates() {
    let text = "every 12 hours & ~has succeeded at least 2 times between 2026-11-25 and 2026-11-26";
    expect!["24 12:00:00, 25 00:00:00, 25 12:00:00"]
        .assert_eq(&when("2026-11-24 12:00", text, "1 s", "10 days").await);
    let text = "every 8 hours & ~has succeeded in (time of day after 08:00 & on weekdays)";
    expect!["27 00:00:00, 27 08:00:00, 30 08:00:00"]
        .assert_eq(&when("2026-11-27 00:00", text, "1 s", "4 days").await);
}
