//! What windows mean at the odd places of the calendar and of the clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use chrono::NaiveDate;
use redengine_core::Timestamp;
use redengine_core::period::{
    BusinessDays, CivilSpan, Cycle, Dates, Interval, Moment, Period, Place, Point, Unit, Weekday,
    Window, parse_date,
};
use redengine_core::time::Zone;

const MINUTE: i64 = 60_000_000;

fn point(place: Place) -> Point {
    Point { place, time: None }
}

fn time(hour: i64, minute: i64) -> Point {
    Point { place: Place::Whole, time: Some((hour * 60 + minute) * MINUTE) }
}

fn cycle(unit: Unit, window: Window) -> Period {
    Period::Cycle(Cycle { unit, window, within: None })
}

/// Lists the windows from an instant on, in local time.
fn windows(period: &Period, zone: &str, from: &str, count: usize) -> Vec<String> {
    let zone = Zone::named(zone).unwrap();
    let mut at: Timestamp = from.parse().unwrap();
    let show = |at: Timestamp| zone.to_local(at).format("%m-%d %H:%M").to_string();
    let mut found = Vec::new();
    while let Some(Interval { start, end }) = period.seek(at, &zone).filter(|_| found.len() < count)
    {
        found.push(format!("{} .. {}", show(start), show(end)));
        at = end;
    }
    found
}

#[test]
fn a_day_that_a_month_lacks_does_not_occur_and_is_its_end_for_other_windows() {
    let on = cycle(Unit::Month, Window::On(point(Place::MonthDay(31))));
    assert_eq!(
        windows(&on, "UTC", "2026-01-01T00:00:00Z", 2),
        ["01-31 00:00 .. 02-01 00:00", "03-31 00:00 .. 04-01 00:00"],
    );
    let starting = cycle(Unit::Month, Window::Starting(point(Place::MonthDay(31))));
    assert_eq!(
        windows(&starting, "UTC", "2026-01-31T00:00:00Z", 3),
        ["01-31 00:00 .. 03-01 00:00", "03-01 00:00 .. 03-31 00:00", "03-31 00:00 .. 05-01 00:00"],
    );
    let between = Window::Between(point(Place::MonthDay(30)), point(Place::MonthDay(2)));
    assert_eq!(
        windows(&cycle(Unit::Month, between), "UTC", "2026-02-10T00:00:00Z", 2),
        ["03-01 00:00 .. 03-03 00:00", "03-30 00:00 .. 04-03 00:00"],
    );
    let leap = cycle(Unit::Year, Window::On(point(Place::YearDay(2, 29))));
    let found = leap.seek("2097-01-01T00:00:00Z".parse().unwrap(), &Zone::utc()).unwrap();
    assert_eq!(found.start.to_string(), "2104-02-29T00:00:00Z");
    let after = cycle(Unit::Year, Window::After(point(Place::YearDay(2, 29))));
    assert_eq!(windows(&after, "UTC", "2026-01-01T00:00:00Z", 1), ["03-01 00:00 .. 01-01 00:00"],);
}

#[test]
fn the_last_day_and_the_last_friday() {
    let last = cycle(Unit::Month, Window::On(point(Place::LastDay)));
    assert_eq!(windows(&last, "UTC", "2024-02-01T00:00:00Z", 1), ["02-29 00:00 .. 03-01 00:00"]);
    let friday = cycle(Unit::Month, Window::On(point(Place::LastWeekday(Weekday::Fri))));
    assert_eq!(
        windows(&friday, "UTC", "2026-01-01T00:00:00Z", 2),
        ["01-30 00:00 .. 01-31 00:00", "02-27 00:00 .. 02-28 00:00"],
    );
    // The last Monday can come before the last Friday, and then it is that of the next month; but
    // the window ends where the next begins.
    let between = Window::Between(
        point(Place::LastWeekday(Weekday::Fri)),
        point(Place::LastWeekday(Weekday::Mon)),
    );
    assert_eq!(
        windows(&cycle(Unit::Month, between), "UTC", "2026-01-20T00:00:00Z", 3),
        ["01-30 00:00 .. 02-24 00:00", "02-27 00:00 .. 03-27 00:00", "03-27 00:00 .. 03-31 00:00"],
    );
}

#[test]
fn a_named_end_is_included_and_a_time_is_not() {
    let before = |to| cycle(Unit::Week, Window::Before(to));
    let friday = point(Place::Weekday(Weekday::Fri));
    assert_eq!(
        windows(&before(friday), "UTC", "2026-11-23T00:00:00Z", 1),
        ["11-23 00:00 .. 11-28 00:00"],
    );
    let noon = Point { time: Some(12 * 60 * MINUTE), ..friday };
    assert_eq!(
        windows(&before(noon), "UTC", "2026-11-23T00:00:00Z", 1),
        ["11-23 00:00 .. 11-27 12:00"],
    );
}

#[test]
fn a_window_that_would_vanish_in_a_gap_opens_after_it_for_its_length() {
    let daily = |from, to| cycle(Unit::Day, Window::Between(from, to));
    let gap = |period: Period| windows(&period, "America/New_York", "2026-03-08T05:00:00Z", 1);
    assert_eq!(gap(daily(time(2, 15), time(2, 45))), ["03-08 03:00 .. 03-08 03:30"]);
    assert_eq!(gap(daily(time(2, 30), time(3, 15))), ["03-08 03:00 .. 03-08 03:15"]);
    assert_eq!(gap(daily(time(1, 30), time(2, 30))), ["03-08 01:30 .. 03-08 03:00"]);
    // In a fold there is one window, and it is longer.
    let fold =
        windows(&daily(time(1, 30), time(2, 30)), "America/New_York", "2026-11-01T04:00:00Z", 2);
    assert_eq!(fold, ["11-01 01:30 .. 11-01 02:30", "11-02 01:30 .. 11-02 02:30"]);
}

#[test]
fn hours_follow_the_clock_face() {
    let hourly = cycle(Unit::Hour, Window::On(time(0, 5)));
    assert_eq!(
        windows(&hourly, "America/New_York", "2026-11-01T04:30:00Z", 3),
        ["11-01 01:05 .. 11-01 01:06", "11-01 01:05 .. 11-01 01:06", "11-01 02:05 .. 11-01 02:06"],
    );
    assert_eq!(
        windows(&hourly, "America/New_York", "2026-03-08T06:00:00Z", 2),
        ["03-08 01:05 .. 03-08 01:06", "03-08 03:05 .. 03-08 03:06"],
    );
}

#[test]
fn within_counts_from_the_start_and_ends_at_the_next() {
    let within = |unit, window, minutes: u64| {
        let within = Some(Duration::from_mins(minutes));
        Period::Cycle(Cycle { unit, window, within })
    };
    let from = "2026-11-24T00:00:00Z";
    let short = within(Unit::Day, Window::On(time(7, 0)), 10);
    assert_eq!(windows(&short, "UTC", from, 1), ["11-24 07:00 .. 11-24 07:10"]);
    let long = within(Unit::Day, Window::On(time(7, 0)), 3_000);
    assert_eq!(
        windows(&long, "UTC", "2026-11-24T08:00:00Z", 2),
        ["11-24 07:00 .. 11-25 07:00", "11-25 07:00 .. 11-26 07:00"],
    );
    let hours = within(Unit::Hour, Window::On(time(0, 50)), 20);
    assert_eq!(windows(&hours, "UTC", from, 1), ["11-23 23:50 .. 11-24 00:10"]);
}

#[test]
fn periods_that_never_meet_have_no_interval_and_endless_chains_no_end() {
    let daily = |from, to| cycle(Unit::Day, Window::Between(time(from, 0), time(to, 0)));
    let zone = Zone::named("Europe/Helsinki").unwrap();
    let never = Period::All(vec![daily(8, 10), daily(12, 14)]);
    assert!(never.never_occurs(&zone));
    assert!(!daily(8, 10).never_occurs(&zone));
    let always = Period::Any(vec![
        cycle(Unit::Day, Window::Full),
        cycle(Unit::Day, Window::Starting(time(10, 0))),
    ]);
    let at = "2026-11-24T00:00:00Z".parse().unwrap();
    assert_eq!(always.seek(at, &zone), Some(Interval::ALWAYS));
    assert_eq!(always.next_edge(at, &zone), None);
    // Days adjoin, and stay apart.
    let days = Period::Any(vec![cycle(Unit::Day, Window::Full)]);
    assert_eq!(windows(&days, "UTC", "2026-11-24T00:00:00Z", 1), ["11-24 00:00 .. 11-25 00:00"]);
}

#[test]
fn a_leap_day_that_is_a_monday_is_found() {
    let leap = cycle(Unit::Year, Window::On(point(Place::YearDay(2, 29))));
    let monday = cycle(Unit::Week, Window::On(point(Place::Weekday(Weekday::Mon))));
    let both = Period::All(vec![leap, monday]);
    // Every 28 years, or 40 across a year that is no leap year, as 2100.
    let found = both.seek("2073-01-01T00:00:00Z".parse().unwrap(), &Zone::utc()).unwrap();
    assert_eq!(found.start.to_string(), "2112-02-29T00:00:00Z");
}

/// Lists the window around an instant as its two edges.
fn around(period: &Period, zone: &Zone, at: &str) -> [String; 2] {
    let found = period.current(at.parse().unwrap(), zone).unwrap();
    [found.start.to_string(), found.end.to_string()]
}

#[test]
fn a_chain_ends_where_the_clock_is_set_however_far_away_that_is() {
    let minute = Point { place: Place::Whole, time: Some(MINUTE) };
    let hourly = Period::Any(vec![
        cycle(Unit::Hour, Window::Starting(minute)),
        cycle(Unit::Hour, Window::Full),
    ]);
    let zone = Zone::named("Europe/Helsinki").unwrap();
    // Both cycles are cut at a change, so that the intervals of before and after only touch.
    let summer = ["1981-03-29T00:00:00Z", "1981-09-27T00:00:00Z"];
    for at in ["1981-03-29T00:00:00Z", "1981-03-29T00:30:00Z", "1981-07-01T12:34:56Z"] {
        assert_eq!(around(&hourly, &zone, at), summer);
    }
    let before = around(&hourly, &zone, "1981-03-28T23:59:00Z");
    assert_eq!(before[1], summer[0]);
    assert_eq!(around(&hourly, &zone, "1950-01-01T00:00:00Z"), before);

    // Samoa skipped a day, and both days of before and after only touch.
    let ten = time(10, 0);
    let daily =
        Period::Any(vec![cycle(Unit::Day, Window::Full), cycle(Unit::Day, Window::Starting(ten))]);
    let apia = Zone::named("Pacific/Apia").unwrap();
    for at in ["1995-01-01T00:00:00Z", "2011-12-30T09:59:59Z"] {
        assert_eq!(around(&daily, &apia, at)[1], "2011-12-30T10:00:00Z");
    }
    assert_eq!(around(&daily, &apia, "2090-01-01T00:00:00Z")[0], "2011-12-30T10:00:00Z");
}

fn moment(text: &str) -> Moment {
    let (date, time) = text.split_once(' ').map_or((text, None), |(date, time)| (date, Some(time)));
    let micros = |time: &str| {
        let (hour, minute) = time.split_once(':').unwrap();
        (hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()) * MINUTE
    };
    Moment { date: parse_date(date).unwrap(), time: time.map(micros) }
}

fn between(from: &str, to: &str) -> Period {
    Period::Span(CivilSpan::between(moment(from), moment(to)).unwrap())
}

#[test]
fn a_date_as_an_end_is_meant_as_a_whole_and_a_time_is_not() {
    let days = between("2026-01-01", "2026-02-01");
    assert_eq!(windows(&days, "UTC", "2025-12-01T00:00:00Z", 2), ["01-01 00:00 .. 02-02 00:00"]);
    let times = between("2026-01-01 10:00", "2026-02-01 10:00");
    assert_eq!(windows(&times, "UTC", "2025-12-01T00:00:00Z", 2), ["01-01 10:00 .. 02-01 10:00"]);
    let zone = Zone::utc();
    let before = Period::Span(CivilSpan::before(moment("2026-02-01")));
    assert!(before.contains("2026-02-01T23:59:59Z".parse().unwrap(), &zone));
    assert!(!before.contains("2026-02-02T00:00:00Z".parse().unwrap(), &zone));
    let after = Period::Span(CivilSpan::after(moment("2026-02-01")));
    assert!(after.contains("2026-02-01T00:00:00Z".parse().unwrap(), &zone));
    assert!(!after.contains("2026-01-31T23:59:59Z".parse().unwrap(), &zone));
    assert_eq!(after.next_edge("2026-03-01T00:00:00Z".parse().unwrap(), &zone), None);
}

#[test]
fn a_span_of_dates_is_in_the_time_of_the_zone() {
    let day = Period::Span(CivilSpan::on(moment("2026-03-29").date));
    let helsinki = Zone::named("Europe/Helsinki").unwrap();
    let found = day.seek("2026-01-01T00:00:00Z".parse().unwrap(), &helsinki).unwrap();
    assert_eq!(found.start.to_string(), "2026-03-28T22:00:00Z");
    assert_eq!(found.end.to_string(), "2026-03-29T21:00:00Z", "that day has 23 hours");
}

#[test]
fn a_span_in_a_gap_opens_at_the_change_for_its_nominal_length() {
    let gone = between("2026-03-29 03:10", "2026-03-29 03:30");
    assert_eq!(
        windows(&gone, "Europe/Helsinki", "2026-01-01T00:00:00Z", 2),
        ["03-29 04:00 .. 03-29 04:20"],
    );
    let fold = between("2026-10-25 03:00", "2026-10-25 04:00");
    let zone = Zone::named("Europe/Helsinki").unwrap();
    let found = fold.seek("2026-01-01T00:00:00Z".parse().unwrap(), &zone).unwrap();
    assert_eq!(found.start.to_string(), "2026-10-25T00:00:00Z", "the first 03:00");
    assert_eq!(found.end.to_string(), "2026-10-25T02:00:00Z", "there is one 04:00");
}

#[test]
fn a_span_in_a_day_that_the_zone_skipped_does_not_occur() {
    for (from, to) in [("2011-12-30", "2011-12-30"), ("2011-12-30 10:00", "2011-12-30 12:00")] {
        let gone = between(from, to);
        assert!(windows(&gone, "Pacific/Apia", "2011-01-01T00:00:00Z", 1).is_empty(), "{from}");
        assert_eq!(windows(&gone, "UTC", "2011-01-01T00:00:00Z", 1).len(), 1, "{from}");
    }
}

#[test]
fn a_span_that_ends_before_it_begins_is_none() {
    let span = |from, to| CivilSpan::between(moment(from), moment(to));
    assert_eq!(span("2026-02-01", "2026-01-31"), None);
    assert_eq!(span("2026-02-01 10:00", "2026-02-01 10:00"), None);
    assert!(span("2026-02-01 10:00", "2026-02-01").is_some());
}

#[test]
fn each_day_of_a_week_is_an_interval_of_its_own() {
    let weekends = Period::BusinessDays(BusinessDays::weekends());
    assert_eq!(
        windows(&weekends, "UTC", "2026-11-25T00:00:00Z", 3),
        ["11-28 00:00 .. 11-29 00:00", "11-29 00:00 .. 11-30 00:00", "12-05 00:00 .. 12-06 00:00"],
    );
    let weekdays = Period::BusinessDays(BusinessDays::weekdays());
    assert_eq!(
        windows(&weekdays, "UTC", "2026-11-27T12:00:00Z", 2),
        ["11-27 00:00 .. 11-28 00:00", "11-30 00:00 .. 12-01 00:00"],
    );
    let hours = cycle(Unit::Day, Window::Between(time(22, 0), time(6, 0)));
    let nights = Period::All(vec![hours, weekdays]);
    assert_eq!(
        windows(&nights, "UTC", "2026-11-27T12:00:00Z", 3),
        // The night is cut at midnight, and what is Saturday's is left out.
        ["11-27 22:00 .. 11-28 00:00", "11-30 00:00 .. 11-30 06:00", "11-30 22:00 .. 12-01 00:00"],
    );
}

#[test]
fn calendars_that_overlap_do_not_merge_their_days() {
    let date = |day| NaiveDate::from_ymd_opt(2026, 12, day).unwrap();
    let one = Period::Dates(Dates::new([date(24), date(25)]));
    let other = Period::Dates(Dates::new([date(25), date(26)]));
    assert_eq!(
        windows(&Period::Any(vec![one, other]), "UTC", "2026-12-01T00:00:00Z", 4),
        ["12-24 00:00 .. 12-25 00:00", "12-25 00:00 .. 12-26 00:00", "12-26 00:00 .. 12-27 00:00"],
    );
}
