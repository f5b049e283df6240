//! Text and builders make the same tree.

use std::time::Duration;

use chrono::NaiveDate;
use redengine_core::expr::build::*;
use redengine_core::expr::{Basis, Expr, parse};

fn check(text: &str, built: impl Into<Expr>) {
    let built = built.into();
    assert_eq!(built.errors(), Vec::<&redengine_core::expr::ParseError>::new(), "{text}");
    assert_eq!(parse(text), Ok(built), "{text}");
}

#[test]
fn cycles() {
    check("secondly", secondly());
    check("minutely before 45", minutely().before("45"));
    check("hourly between 15:00 and 45:00", hourly().between("15:00", "45:00"));
    check("daily", daily());
    check("daily after 07:00", daily().after("7am"));
    check("daily before 24:00", daily().before("24:00"));
    check("daily at 10:00", daily().on("10:00"));
    check("daily starting 10:00", daily().starting("10:00"));
    check("daily at 07:00 within 10 min", daily().at("07:00").within("10 min"));
    check("daily within 2 hours", daily().within(Duration::from_hours(2)));
    check(
        "daily after 07:00 with 2 retries in Europe/Helsinki",
        daily().after("07:00").in_zone("Europe/Helsinki").retries(2),
    );
    check("weekly on Monday", weekly().on("Mon"));
    check("weekly between Fri 17:00 and Mon", weekly().between("Friday 17:00", "Monday"));
    check("monthly on last Fri", monthly().on("last Friday"));
    check("monthly starting 3rd", monthly().starting("3."));
    check("yearly between Nov and Feb 3rd", yearly().between("November", "Feb 3"));
}

#[test]
fn times_of() {
    check("time of minute after 30", time_of_minute().after("30"));
    check("time of hour at 45:00", time_of_hour().at("45:00"));
    check("time of day between 22:00 and 06:00", time_of_day().between("22:00", "06:00"));
    check("time of day after 10:00 in UTC", time_of_day().after("10:00").in_zone("UTC"));
    check(
        "time of day starting 10:00 within 1 h",
        time_of_day().starting("10:00").within("1 hour"),
    );
    check("time of week between Mon and Fri", time_of_week().between("Mon", "Fri"));
    check("time of month before 5th", time_of_month().before("5th"));
    check("time of year on Jan", time_of_year().on("Jan"));
    check("always", always());
    check("never", never());
}

#[test]
fn intervals() {
    check("every 10 s", every("10 s"));
    check("every 1h30m based on finish", every("90 min").based_on(Basis::Finish));
    check("every 1.5 s based on fail", every(Duration::from_millis(1_500)).based_on(Basis::Fail));
    check("cron */5 * * * * within 2 min", cron("*/5  * * * *").within("2 min"));
    check("cron '0 7 * * MON' in UTC", cron("0 7 * * MON").in_zone("UTC"));
    check("cron @daily", cron("@daily"));
}

#[test]
fn days_and_dates() {
    check("on weekdays", on_weekdays());
    check("on weekends in Asia/Dubai", on_weekends().in_zone("Asia/Dubai"));
    check("on business days", on_business_days());
    check("on business days of 'x' in UTC", on_business_days().of("x").in_zone("UTC"));
    check("on calendar \"it's\"", on_calendar("it's"));
    check("on 2026-05-01", on_date(NaiveDate::from_ymd_opt(2026, 5, 1).unwrap()));
    check("between 2026-01-01 and 2026-02-01", between_dates("2026-01-01", "2026-02-01"));
    check("before 2026-02-01 10:00", before_date("2026-02-01 10:00"));
    check("after 2026-01-01 in UTC", after_date(String::from("2026-01-01")).in_zone("UTC"));
    check("time in (on weekdays | cron @daily)", time_in(on_weekdays() | cron("@daily")));
    check("on weekdays in UTC", time_in("on weekdays").in_zone("UTC"));
    check(
        "once in (time of day after 07:00 & (on business days | on calendar 'x')) with 2 retries",
        once_in(time_of_day().after("07:00") & (on_business_days() | on_calendar("x"))).retries(2),
    );
    check("once in (cron 0 7 * * *) in UTC", once_in(cron("0 7 * * *")).in_zone("UTC"));
    check(
        "task 'x' has failed 2 times between 2026-01-01 and 2026-02-01",
        failed().task("x").exactly(2).during(between_dates("2026-01-01", "2026-02-01")),
    );
    check("has failed in (on weekdays) in UTC", failed().during(on_weekdays()).in_zone("UTC"));
}

#[test]
fn history() {
    check("has succeeded", succeeded());
    check("has failed this minute", failed().this_minute());
    check("has finished this hour", finished().this_hour());
    check("has started today", started().today());
    check("has terminated this week", terminated().this_week());
    check("has inacted this month", inacted().this_month());
    check("has crashed this year", crashed().this_year());
    check("task 'x' has failed past 1 hour", failed().task("x").past("1 hour"));
    check("has failed in past 1 hour", failed().past("1 hour"));
    check("has failed at least 3 times today", failed().at_least(3).today());
    check("has failed more than 3 times", failed().more_than(3));
    check("has failed less than 3 times", failed().less_than(3));
    check("has failed at most 3 times", failed().at_most(3));
    check("has failed 3 times", failed().exactly(3));
    check("has failed between 2 and 4 times", failed().times_between(2, 4));
    check(
        "has failed today between 10:00 and 12:00 in UTC",
        failed().today().between("10:00", "12:00").in_zone("UTC"),
    );
    check("is running", running());
    check("task 'x' is running more than 10 min", running().task("x").more_than("10 min"));
    check("while task 'x' is running less than 1 h", running().task("x").less_than("1 h"));
    check("is running between 1 min and 2 min", running().between("1 min", "2 min"));
}

#[test]
fn pipelines() {
    check("after task 'x'", after_success("x"));
    check("after task 'x' failed", after_fail(String::from("x")));
    check("after task 'x' finished", after_finish("x"));
    check("after task 'x' terminated", after_termination("x"));
    check("after tasks 'x', 'y'", after_all(["x", "y"]));
    check("after any tasks 'x','y' failed", after_any(["x", "y"]).failed());
    check("after task \"it's\"", after_success("it's"));
    check("after task 'a & \"b''s\"'", after_success("a & \"b's\""));
    check("retry", retry_forever());
    check("retry 3", retry(3));
    check("retry 3 after 10 s", retry(3).after("10 s"));
}

#[test]
fn facts() {
    check("scheduler has 3 cycles", scheduler_cycles().exactly(3));
    check("scheduler has more than 3 cycles", scheduler_cycles().more_than(3));
    check("scheduler has less than 3 cycles", scheduler_cycles().less_than(3));
    check("scheduler has at least 3 cycles", scheduler_cycles().at_least(3));
    check("scheduler has at most 3 cycles", scheduler_cycles().at_most(3));
    check("scheduler has between 2 and 4 cycles", scheduler_cycles().between(2, 4));
    check("scheduler started 10 min ago", scheduler_started_within("10 min"));
    check("scheduler has run over 1 day, 2 hours", scheduler_has_run_over("26 hours"));
    check("param 'x' exists", param("x").exists());
    check("param 'x' is ''", param("x").is(""));
    check("env 'prod'", env("prod"));
    check("true", always_true());
    check("always false", always_false());
    check("true", condition(true));
    check("daily | hourly", condition("daily | hourly"));
}

#[test]
fn operators_join_whatever_is_a_condition() {
    check(
        "daily after 07:00 & ~has failed past 1 hour",
        daily().after("07:00") & !failed().past("1 hour"),
    );
    check("daily | hourly & minutely", daily() | hourly() & minutely());
    check("(daily | hourly) & true", (daily() | hourly()) & true);
    check("true & daily | false", true & daily() | false);
    check("daily & has failed", daily() & "has failed");
    check("~(daily & hourly)", !(daily() & hourly()));
    check("daily", !!condition(daily()));
    check("false | env 'prod' & retry 2", false | env("prod") & retry(2));
}

#[test]
fn bad_parts_are_kept_as_errors() {
    let wrong: Vec<Expr> = vec![
        daily().after("").into(),
        daily().in_zone("Nowhere").into(),
        every("0 s").into(),
        every(Duration::MAX).into(),
        every(Duration::from_nanos(1)).into(),
        after_success(" ").into(),
        after_all::<&str>([]).into(),
        cron("* * *").into(),
        time_of_day().starting("10:00").into(),
        daily().after("10:00 & true").into(),
        scheduler_cycles().between(4, 2),
        condition("dayly"),
        on_date("2026-05-01 10:00").into(),
        on_calendar("").into(),
        between_dates("2026-02-01", "2026-01-01").into(),
        after_date("2026-01-01 | daily").into(),
        once_in(daily()).into(),
        once_in(time_of_day().after("07:00").in_zone("UTC")).into(),
        once_in(!on_weekdays()).into(),
        once_in("on weekdays) & (on weekends").into(),
        time_in(every("10 s")).into(),
    ];
    for expr in wrong {
        assert_eq!(expr.errors().len(), 1, "{expr}");
    }
}
