//! Each lint: what it tells of, and a near miss that it is silent about.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::needless_pass_by_value, reason = "`expect!` is written where it is used")]

use expect_test::{Expect, expect};
use redengine_core::lint::{Lint, LintCode, UsualDurations};
use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::time::{Zone, duration};
use redengine_core::{Config, Session, Task, Timestamp};
use redengine_log as _;

fn now() -> Timestamp {
    "2026-11-24T07:00:00Z".parse().unwrap()
}

fn task(name: &str, condition: &str) -> Task {
    Task::new(name, condition, || async {})
}

fn session(zone: &str, tasks: impl IntoIterator<Item = Task>) -> Session {
    Session::builder()
        .configure(|config| config.timezone = Some(Zone::named(zone).unwrap()))
        .tasks(tasks)
        .build()
        .unwrap()
}

fn told(session: &Session) -> String {
    lines(&session.lints(now()))
}

fn lines(lints: &[Lint]) -> String {
    lints.iter().flat_map(|lint| [lint.to_string(), "\n".to_owned()]).collect()
}

/// Tells the lints of the condition of one task, `x`; another, `fetch`, is there.
fn lints_in(zone: &str, condition: &str) -> String {
    told(&session(zone, [task("x", condition), task("fetch", "hourly")]))
}

fn lints(condition: &str) -> String {
    lints_in("UTC", condition)
}

#[track_caller]
fn check(conditions: &[&str], expected: Expect) {
    let all: Vec<String> = conditions.iter().map(|condition| lints(condition)).collect();
    expected.assert_eq(&all.concat());
}

#[track_caller]
fn silent(conditions: &[&str]) {
    for condition in conditions {
        assert_eq!(lints(condition), "", "{condition}");
    }
}

// ---- never-holds

#[test]
fn windows_that_share_no_instant_never_hold() {
    check(
        &[
            "time of day before 08:00 & time of day after 10:00",
            "every 10 s & time of day between 08:00 and 10:00 & daily between 12:00 and 14:00",
            "time of week on Mon & (time of week on Tue | cron '0 7 * * WED')",
            "time of day after 12:00 & time of week on Mon & time of week after Tue",
        ],
        expect![[r#"
            task `x`: `time of day before 08:00 & time of day after 10:00` never holds: no instant is in all of these periods [never-holds]
              help: join them with `|`, or let the windows overlap
            task `x`: `time of day between 08:00 and 10:00 & daily between 12:00 and 14:00` never holds: no instant is in all of these periods [never-holds]
              help: join them with `|`, or let the windows overlap
            task `x`: `time of week on Mon & (time of week on Tue | cron '0 7 * * WED')` never holds: no instant is in all of these periods [never-holds]
              help: join them with `|`, or let the windows overlap
            task `x`: `time of week on Mon & time of week after Tue` never holds: no instant is in all of these periods [never-holds]
              help: join them with `|`, or let the windows overlap
        "#]],
    );
    silent(&[
        "daily before 08:00 & time of day after 07:59",
        "every 10 s & time of day between 08:00 and 10:00 & ~time of day between 12:00 and 14:00",
        "every 1 min & time of week on Mon & (time of week on Tue | time of day after 10:00)",
        // In another zone it is another time.
        "every 1 min & time of day before 08:00 & time of day after 10:00 in Asia/Tokyo",
        "every 1 min & time of week on Mon & \
         newly (time of day before 08:00 & time of day after 10:00 in Asia/Tokyo)",
        // A match lasts for so long.
        "cron '0 7 * * *' within 2 h & time of day after 08:00",
    ]);
}

#[test]
fn opposites_numbers_and_values_that_exclude_each_other_never_hold() {
    check(
        &[
            "daily & ~daily",
            "has succeeded less than 0 times",
            "has failed at least 3 times today & has failed less than 2 times today",
            "task 'fetch' has failed & ~task 'fetch' has failed at least 1 time",
            "env 'prod' & env 'test' & daily",
            "retry 0",
            "false",
            "never",
        ],
        expect![[r#"
            task `x`: `daily & ~daily` never holds: each is the opposite of the other [never-holds]
              help: leave one of them out
            task `x`: `has succeeded less than 0 times` never holds: nothing happens less than 0 times [never-holds]
              help: compare with a number that it can have
            task `x`: `has failed at least 3 times today & has failed less than 2 times today` never holds: no number passes both comparisons [never-holds]
              help: let the numbers overlap, or join them with `|`
            task `x`: `task 'fetch' has failed & ~task 'fetch' has failed` never holds: each is the opposite of the other [never-holds]
              help: leave one of them out
            task `x`: `env 'prod' & env 'test'` never holds: `env` has one value at a time [never-holds]
              help: join them with `|`
            task `x`: `retry 0` never holds: a task whose last run failed has failed once already [never-holds]
              help: allow one retry at least, or leave it out
            task `x`: `false` never holds [never-holds]
              help: leave it out; a task that is to run on request only can be disabled
            task `x`: `never` never holds: that is what it says [never-holds]
              help: leave it out; a task that is to run on request only can be disabled
        "#]],
    );
    silent(&[
        "daily & ~hourly",
        "daily & task 'fetch' has failed 3 times & task 'fetch' has failed less than 4 times",
        "daily & task 'fetch' has failed today & task 'fetch' has failed less than 1 times this hour",
        "daily & task 'fetch' has failed & ~has failed",
        "daily & task 'fetch' has failed at most 2 times & task 'fetch' has failed at least 2 times",
        "daily & ~task 'fetch' has failed at least 3 times & task 'fetch' has failed at least 2 times",
        "(env 'prod' | env 'test') & daily",
        "daily & ~false",
        "daily & ~never",
    ]);
}

#[test]
fn a_branch_that_never_holds_is_told_of_though_the_whole_may() {
    check(
        &[
            "daily | every 10 s & time of day before 08:00 & time of day after 10:00",
            "daily & ~(time of day before 08:00 & time of day after 10:00)",
            "hourly & (false | task 'fetch' has succeeded)",
            "false | time of day after 10:00",
        ],
        expect![[r#"
            task `x`: `time of day before 08:00 & time of day after 10:00` never holds: no instant is in all of these periods [never-holds]
              help: join them with `|`, or let the windows overlap
            task `x`: `time of day before 08:00 & time of day after 10:00` never holds: no instant is in all of these periods [never-holds]
              help: join them with `|`, or let the windows overlap
            task `x`: `false` never holds [never-holds]
              help: leave it out; a task that is to run on request only can be disabled
            task `x`: `false` never holds [never-holds]
              help: leave it out; a task that is to run on request only can be disabled
            task `x`: `time of day after 10:00` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `time of day after 10:00 & every 10 min`, or say `daily ..` for once a day; if it is to run without a pause, allow this lint
        "#]],
    );
}

#[test]
fn what_is_over_never_holds_again() {
    use redengine_core::period::{Interval, Period};
    let during = |from: &str, to: &str| {
        let interval = Interval { start: from.parse().unwrap(), end: to.parse().unwrap() };
        redengine_core::Expr::from(redengine_core::expr::Statement::Once {
            period: Period::Fixed(interval).into(),
            zone: None,
            retries: 0,
        })
    };
    let of = |condition| session("UTC", [Task::new("x", condition, || async {})]);
    let past = of(during("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"));
    expect![[r#"
        task `x`: `once in (between 2026-01-01T00:00:00Z and 2026-02-01T00:00:00Z)` never holds again: the last time that it could is over [never-holds]
          help: name a time that is to come, or remove the task
    "#]].assert_eq(&told(&past));
    assert_eq!(told(&of(during("2026-01-01T00:00:00Z", "2026-11-25T00:00:00Z"))), "");
}

#[test]
fn an_end_condition_and_shut_cond_are_looked_at_too() {
    let session = Session::builder()
        .configure(|config| {
            config.timezone = Some(Zone::utc());
            config.shut_cond = Some("has failed at least 3 times".into());
        })
        .task(task("x", "daily").end("false | is running more than 10 min"))
        .build()
        .unwrap();
    expect![[r#"
        task `x`, its end condition: `false` never holds [never-holds]
          help: leave it out; a task that is to run on request only can be disabled
        `shut_cond`: `has failed at least 3 times` never holds: it speaks of the task that owns the condition, and `shut_cond` has none [never-holds]
          help: name a task: `task '..' has succeeded`
    "#]].assert_eq(&told(&session));
    session.configure(|config| config.shut_cond = Some("task 'x' has failed".into())).unwrap();
    assert!(!told(&session).contains("shut_cond"));
}

// ---- impossible-date, missing-days

#[test]
fn a_date_that_no_calendar_has_is_impossible() {
    check(
        &["cron '0 0 31 2 *'", "daily | cron '0 0 30 2 *'"],
        expect![[r#"
        task `x`: `cron '0 0 31 2 *'` never holds: no calendar has such a date [impossible-date]
          help: name a day that the month has; the last one is `last day` or, in cron, `L`
        task `x`: `cron '0 0 30 2 *'` never holds: no calendar has such a date [impossible-date]
          help: name a day that the month has; the last one is `last day` or, in cron, `L`
    "#]],
    );
    silent(&["cron '0 0 29 2 *'", "cron '0 0 31 1 *'"]);
}

#[test]
fn days_that_some_months_lack_are_told_of() {
    check(
        &["monthly on 31st", "monthly on 30th", "monthly after 29th", "yearly on Feb 29th"],
        expect![[r#"
            task `x`: `monthly on 31st` does not occur in Feb, Apr, Jun, Sep and Nov, which are too short [missing-days]
              help: for the end of each month, write `monthly on last day`
            task `x`: `monthly on 30th` does not occur in Feb, which is too short [missing-days]
              help: for the end of each month, write `monthly on last day`
            task `x`: `monthly after 29th` does not occur in February, save in leap years [missing-days]
              help: for the end of each month, begin with `last day`
            task `x`: `yearly on Feb 29th` occurs in leap years only: other years have no Feb 29 [missing-days]
              help: for the end of February in each year, write `monthly on last day`, and join it with `time of year on Feb`
        "#]],
    );
    silent(&[
        "monthly on 28th",
        "monthly on last day",
        "monthly starting 31st",
        "monthly before 31st",
        "daily & ~time of month on 31st",
        "yearly on Feb 28th",
    ]);
}

// ---- never-starts

#[test]
fn a_task_that_needs_its_own_past_never_starts_first() {
    check(
        &[
            "is running",
            "after task 'x'",
            "has succeeded today & time of day after 10:00",
            "retry 3 after 10 s",
            "retry 3 | has failed",
            "after tasks 'x', 'fetch'",
        ],
        expect![[r#"
            task `x`: `is running` never starts the task: a live run of it blocks the next one, so this is asked only while none is live [never-starts]
              help: to end long runs, use it as the end condition
            task `x`: `after task 'x'` keeps the task from starting a first time: it needs an earlier run of the same task [never-starts]
              help: say also when the first run is to be, as in `daily | after task 'x'`; if it is asked for with `request_run`, allow this lint
            task `x`: `has succeeded today` keeps the task from starting a first time: it needs an earlier run of the same task [never-starts]
              help: say also when the first run is to be, as in `daily | has succeeded today`; if it is asked for with `request_run`, allow this lint
            task `x`: `retry 3 after 10 s` keeps the task from starting a first time: it needs an earlier run of the same task [never-starts]
              help: say also when the first run is to be, as in `daily | retry 3 after 10 s`; if it is asked for with `request_run`, allow this lint
            task `x`: `retry 3` keeps the task from starting a first time: it needs an earlier run of the same task [never-starts]
              help: say also when the first run is to be, as in `daily | retry 3`; if it is asked for with `request_run`, allow this lint
            task `x`: `after tasks 'x', 'fetch'` keeps the task from starting a first time: it needs an earlier run of the same task [never-starts]
              help: say also when the first run is to be, as in `daily | after tasks 'x', 'fetch'`; if it is asked for with `request_run`, allow this lint
        "#]],
    );
    silent(&[
        "daily & ~is running",
        "task 'fetch' is running & daily",
        "daily | after task 'x'",
        "after any tasks 'x', 'fetch'",
        "daily | retry 3 after 10 s",
        "every 10 s & has succeeded less than 5 times today",
    ]);
}

// ---- after-cycle

#[test]
fn tasks_that_wait_for_each_other_in_a_circle_cannot_begin() {
    let circle = [
        task("a", "after task 'b'"),
        task("b", "daily & task 'c' has succeeded today"),
        task("c", "time of day after 10:00 & after any tasks 'a', 'b'"),
        // It waits for the circle, and is not in it.
        task("d", "after task 'a'"),
    ];
    expect![[r#"
        task `a`: `after task 'b'` waits in a circle, so none of these tasks can be the first: `a` -> `b` -> `c` -> `a` [after-cycle]
          help: say of one of them when it starts otherwise, as in `daily | after task '..'`
    "#]].assert_eq(&told(&session("UTC", circle)));
    let ways_out = [
        [task("a", "after task 'b'"), task("b", "after task 'a' | daily")],
        [task("a", "after task 'b'"), task("b", "after task 'a'").disabled()],
        [task("a", "after task 'b'"), task("b", "daily & ~task 'a' is running")],
        [task("a", "after task 'b'"), task("b", "daily & task 'a' has failed less than 3 times")],
    ];
    for tasks in ways_out {
        assert_eq!(told(&session("UTC", tasks)), "");
    }
}

// ---- never-pauses

#[test]
fn a_condition_that_no_run_uses_up_restarts_the_task_at_once() {
    check(
        &[
            "time of day after 10:00",
            "always",
            "true",
            "~has failed past 1 min",
            "task 'fetch' is running",
            "every 10 s | time of day after 22:00",
            "env 'prod' & ~is running",
            "task 'fetch' has succeeded today for 10 min",
            "scheduler has run over 10 min",
        ],
        expect![[r#"
            task `x`: `time of day after 10:00` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `time of day after 10:00 & every 10 min`, or say `daily ..` for once a day; if it is to run without a pause, allow this lint
            task `x`: `always` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: say how often instead, as in `every 10 min`; if it is to run without a pause, allow this lint
            task `x`: `true` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: say how often instead, as in `every 10 min`; if it is to run without a pause, allow this lint
            task `x`: `~has failed past 1 min` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `.. & every 10 min`; if it is to run without a pause, allow this lint
            task `x`: `task 'fetch' is running` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `.. & every 10 min`; if it is to run without a pause, allow this lint
            task `x`: `time of day after 22:00` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `time of day after 22:00 & every 10 min`, or say `daily ..` for once a day; if it is to run without a pause, allow this lint
            task `x`: `env 'prod' & ~is running` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `.. & every 10 min`; if it is to run without a pause, allow this lint
            task `x`: `task 'fetch' has succeeded today for 10 min` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `.. & every 10 min`; if it is to run without a pause, allow this lint
            task `x`: `scheduler has run over 10 min` restarts the task as soon as a run of it has succeeded, for as long as it holds: no run uses it up [never-pauses]
              help: add how often, as in `.. & every 10 min`; if it is to run without a pause, allow this lint
        "#]],
    );
    silent(&[
        "every 10 s & time of day after 10:00",
        "daily",
        "task 'fetch' has succeeded & every 1 min",
        "after task 'fetch'",
        "param 'go' is 'yes'",
        "has succeeded less than 3 times today",
        "newly task 'fetch' is running",
        "task 'fetch' is running & ~has succeeded past 1 min",
    ]);
}

#[test]
fn a_task_that_acts_on_the_one_that_it_waits_for_may_pause() {
    let tasks =
        |ends: &str| [task("x", "~task 'other' is running"), task("other", "daily").end(ends)];
    assert!(told(&session("UTC", tasks("is running more than 1 min"))).contains("never-pauses"));
    assert_eq!(told(&session("UTC", tasks("task 'x' has succeeded past 1 min"))), "");
}

#[test]
fn a_pause_between_cycles_is_one_between_runs() {
    let session = session("UTC", [task("x", "true")]);
    assert!(told(&session).contains("never-pauses"));
    session.configure(|config| config.cycle_sleep = duration::parse("1 s").ok()).unwrap();
    assert_eq!(told(&session), "");
}

// ---- once-and-every

#[test]
fn every_beside_a_cycle_does_not_repeat_in_it() {
    check(
        &[
            "daily & every 10 s",
            "daily between 08:00 and 18:00 & every 10 min & ~has failed",
            "weekly on Mon in Europe/Helsinki & every 1 hour based on finish",
            "cron '0 7 * * *' & every 10 s",
        ],
        expect![[r#"
            task `x`: `daily & every 10 s` runs the task once in each window, not each 10 s: `daily` holds until a run has used the window up [once-and-every]
              help: for many runs, write `every 10 s`; for one in each window, `daily`
            task `x`: `daily between 08:00 and 18:00 & every 10 min` runs the task once in each window, not each 10 min: `daily between 08:00 and 18:00` holds until a run has used the window up [once-and-every]
              help: for many runs in the window, write `time of day between 08:00 and 18:00 & every 10 min`; for one, `daily between 08:00 and 18:00`
            task `x`: `weekly on Mon in Europe/Helsinki & every 1 hour based on finish` runs the task once in each window, not each 1 hour: `weekly on Mon in Europe/Helsinki` holds until a run has used the window up [once-and-every]
              help: for many runs in the window, write `time of week on Mon in Europe/Helsinki & every 1 hour based on finish`; for one, `weekly on Mon in Europe/Helsinki`
            task `x`: `cron '0 7 * * *' & every 10 s` runs the task once in each window, not each 10 s: `cron '0 7 * * *'` holds until a run has used the window up [once-and-every]
              help: for many runs, write `every 10 s`; for one in each window, `cron '0 7 * * *'`
        "#]],
    );
    silent(&[
        "time of day between 08:00 and 18:00 & every 10 min",
        "daily | every 10 s",
        // The least time between the runs of two days.
        "daily & every 20 hours",
        "daily & every 3 days",
        // The time between two tries.
        "daily with 3 retries & every 10 min",
    ]);
}

// ---- window-too-short

/// Makes records of runs that took so long, the newest first.
fn runs(takes: &[&str]) -> Vec<Recorded> {
    let record = |(i, takes): (u8, &&str)| {
        let started = now().before(duration::parse("1 hour").unwrap() * (1 + u32::from(i)));
        let run = RunId::new(started, [i; 10]);
        let at = started.after(duration::parse(takes).unwrap());
        let action = if i == 0 { Action::Fail } else { Action::Success };
        let record =
            Record { task: "x".into(), run, action, at, started, due: None, details: None };
        Recorded { seq: Seq(100 - u64::from(i)), record }
    };
    (0..).zip(takes).map(record).collect()
}

#[test]
fn a_window_that_the_usual_run_does_not_fit_into_is_told_of() {
    let told = |condition: &str, takes: &[&str]| -> String {
        let usual = UsualDurations::of(&runs(takes));
        let lints = session("UTC", [task("x", condition)]).lints_knowing(now(), &usual);
        lines(&lints)
    };
    let quarter = "daily between 10:00 and 10:15";
    // The first is a failure, which does not count.
    let slow = ["1 s", "20 min", "25 min", "2 hours", "1 min"];
    expect![[r#"
        task `x`: `daily between 10:00 and 10:15` is a window of 15 min, but a run usually takes 20 min: it goes on after the window's end [window-too-short]
          help: widen the window; if it says only when runs may begin, write that with `within`
        task `x`: `minutely` is a window of 1 min, but a run usually takes 20 min: it goes on after the window's end [window-too-short]
          help: widen the window; if it says only when runs may begin, write that with `within`
    "#]].assert_eq(&(told(quarter, &slow) + &told("minutely", &slow)));
    assert_eq!(told(quarter, &slow[..3]), "", "two successes say nothing");
    assert_eq!(told(quarter, &["1 s", "15 min", "15 min", "15 min"]), "");
    assert_eq!(told("daily at 10:00 within 10 min", &slow), "", "when a run may begin");
    assert_eq!(told("cron '0 10 * * *'", &slow), "");
}

// ---- clock-change

#[test]
fn dates_on_which_the_clock_is_set_are_told_of() {
    let conditions = [
        "daily at 03:30",
        "daily between 03:15 and 03:45",
        "daily between 22:00 and 06:00",
        "time of week after Sun 03:00 & every 1 min",
        "daily before 03:20",
        "daily at 03:30 within 10 min",
        "cron '30 3 * * *'",
        "cron '*/10 */3 * * *'",
        "daily at 02:30 in America/New_York",
    ];
    let all: Vec<String> =
        conditions.iter().map(|condition| lints_in("Europe/Helsinki", condition)).collect();
    expect![[r#"
        task `x`: `daily at 03:30` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:30 is skipped, so it begins at 04:00, and it lasts 30 min instead of 1 hour; on 2027-10-31 03:30 comes twice, and it lasts 2 hours instead of 1 hour [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `daily between 03:15 and 03:45` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:15 is skipped, so it begins at 04:00 [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `daily between 22:00 and 06:00` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 it lasts 7 hours instead of 8 hours; on 2027-10-31 it lasts 9 hours instead of 8 hours [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `time of week after Sun 03:00` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:00 is skipped, so it begins at 04:00 [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `daily before 03:20` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:20 is skipped, so it ends at 04:00 [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `daily at 03:30 within 10 min` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:30 is skipped, so it begins at 04:00 [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `cron '30 3 * * *'` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:30 is skipped, so it matches at 04:00 [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `cron '*/10 */3 * * *'` is not as written where Europe/Helsinki sets its clock: on 2027-03-28 03:00 is skipped, so it does not match then; on 2027-10-31 03:00 comes twice, and it matches both times [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
        task `x`: `daily at 02:30 in America/New_York` is not as written where America/New_York sets its clock: on 2027-03-14 02:30 is skipped, so it begins at 03:00, and it lasts 30 min instead of 1 hour [clock-change]
          help: name a time of day at which the clock is not set, or a zone without summer time, as in `.. in UTC`
    "#]].assert_eq(&all.concat());
}

#[test]
fn windows_that_the_clock_does_not_touch_are_not_told_of() {
    for condition in [
        "daily",
        "weekly",
        "monthly on last day",
        "daily after 07:00",
        "daily between 08:00 and 18:00",
        "daily between 04:00 and 05:00",
        "weekly on Sun",
        "weekly between Mon 03:30 and Tue 03:30",
        "hourly after 30:00",
        "every 1 hour",
        "cron '0 7 * * *'",
        "cron '30 * * * *'",
        "cron '*/5 * * * *'",
        "cron '30 3 * * MON'",
        "daily at 03:30 in UTC",
    ] {
        assert_eq!(lints_in("Europe/Helsinki", condition), "", "{condition}");
    }
    assert_eq!(lints("daily at 03:30"), "");
}

// ---- what is not told

#[test]
fn the_examples_of_the_project_are_silent() {
    let tasks = [
        task("do_daily", "daily"),
        task("take_sample", "secondly"),
        task("aggregate", "every 5 s & task 'take_sample' has succeeded"),
        task("report", "after task 'aggregate'"),
        task("flaky", "every 4 s | retry 2 after 1 s"),
        task(
            "fetch_price",
            "every 10 s & time of day between 08:00 and 18:00 & ~has failed past 1 min",
        ),
        task("store", "after task 'fetch_price'"),
        task("import_orders", "daily after 07:00 & param 'file' exists"),
    ];
    assert_eq!(told(&session("Europe/Helsinki", tasks)), "");
}

#[test]
fn disabled_tasks_and_allowed_lints_are_left_out() {
    let tasks = [task("x", "false"), task("y", "monthly on 31st"), task("z", "true").disabled()];
    let session = session("UTC", tasks);
    let codes = || session.lints(now()).iter().map(|lint| lint.code).collect::<Vec<_>>();
    assert_eq!(codes(), [LintCode::NeverHolds, LintCode::MissingDays]);
    session.configure(|config| config.allowed_lints = vec![LintCode::NeverHolds]).unwrap();
    assert_eq!(codes(), [LintCode::MissingDays]);
    session.enable("z").unwrap();
    assert_eq!(codes(), [LintCode::MissingDays, LintCode::NeverPauses]);
}

#[test]
fn a_lint_that_does_not_exist_cannot_be_allowed() {
    let read = |options: &str| serde_json::from_str::<Config>(options);
    let config = read(r#"{ "allowed_lints": ["missing-days", "clock-change"] }"#).unwrap();
    assert_eq!(config.allowed_lints, [LintCode::MissingDays, LintCode::ClockChange]);
    let error = |options: &str| read(options).unwrap_err().to_string();
    let wrong = [
        error(r#"{ "allowed_lints": ["mising-days", "everything"] }"#),
        error(r#"{ "allowed_lints": "missing-days" }"#),
    ];
    expect![[r#"
        option `allowed_lints`: unknown lint `mising-days`; did you mean `missing-days`?
        option `allowed_lints`: unknown lint `everything`; the lints are never-holds, impossible-date, never-starts, after-cycle, never-pauses, once-and-every, missing-days, window-too-short, clock-change
        option `allowed_lints` must be a list of lints, but it is "missing-days""#]].assert_eq(&wrong.join("\n"));
}

#[test]
fn each_code_has_its_place_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lints.md");
    let page = std::fs::read_to_string(path).unwrap();
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let codes = LintCode::ALL.map(|code| format!("`{code}`"));
    assert_eq!(headings, codes);
}
