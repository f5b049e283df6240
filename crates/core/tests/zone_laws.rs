//! Laws of windows in all zones, around the changes of their clocks from 1970 to 2100.
//!
//! Zones with the same changes are tried once. Each form of a window is tried at some changes of each
//! zone, at others for each form, so that all forms together see them all: of a hundred years of
//! daylight saving each is tried, and the test stays short.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use redengine_core::expr::{Expr, Statement, parse};
use redengine_core::period::{Cycle, Interval, Period, Unit};
use redengine_core::{Timestamp, time::Zone};

/// Each form of a window with each unit, at times at which clocks are set.
const FORMS: [&str; 48] = [
    "secondly",
    "secondly after 500",
    "minutely",
    "minutely between 45 and 15",
    "hourly",
    "hourly before 30:00",
    "hourly after 30:00",
    "hourly between 15:00 and 45:00",
    "hourly between 45:00 and 15:00",
    "hourly starting 20:00",
    "hourly on 30:00",
    "hourly at 30:00 within 50 min",
    "daily",
    "daily before 02:30",
    "daily after 00:30",
    "daily after 02:00",
    "daily between 00:00 and 00:30",
    "daily between 02:15 and 02:45",
    "daily between 23:15 and 23:45",
    "daily between 23:30 and 00:30",
    "daily between 22:00 and 06:00",
    "daily starting 02:30",
    "daily at 00:00",
    "daily at 02:00",
    "daily at 01:30 within 3 hours",
    "daily at 02:30 within 30 hours",
    "weekly",
    "weekly before Sunday",
    "weekly after Sun 02:30",
    "weekly between Sat and Sun",
    "weekly between Fri and Mon",
    "weekly starting Sun 02:30",
    "weekly on Sunday",
    "weekly on Sun 02:00 within 100 hours",
    "monthly",
    "monthly before 2nd",
    "monthly after 25th",
    "monthly between 25th and 5th",
    "monthly starting 31st",
    "monthly on 31st",
    "monthly on last Sun",
    "yearly",
    "yearly between Oct and Mar",
    "yearly after Feb 29th",
    "cron '30 2 * * *'",
    "cron '*/20 * * * *'",
    "cron '0 0 L * *'",
    "cron '30 1 * * SUN'",
];

/// How many changes of a zone a form is tried at.
const CHANGES: usize = 5;

fn windows(text: &str) -> Period {
    match parse(text).unwrap() {
        Expr::Statement(Statement::Once { period, .. }, _) => {
            period.resolve("", &|_| None).unwrap()
        }
        Expr::Statement(Statement::Cron { cron, .. }, _) => Period::Cron(cron),
        other => panic!("{other} has no windows"),
    }
}

/// All zones with their changes, one of those that have the same.
fn zones() -> Vec<(Zone, Vec<Timestamp>)> {
    let until: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let changes = |zone: &Zone| {
        let next = |at: &Timestamp| zone.next_transition(*at).filter(|next| *next < until);
        let first = next(&Timestamp::from_micros(0));
        std::iter::successors(first, next).collect::<Vec<_>>()
    };
    let mut known = HashSet::new();
    let zones = Zone::names().into_iter().map(|name| Zone::named(&name).unwrap());
    let zones = zones.map(|zone| (changes(&zone), zone));
    zones
        .filter(|(changes, zone)| {
            let offsets: Vec<_> = changes.iter().map(|at| zone.to_local(*at)).collect();
            known.insert((changes.clone(), offsets))
        })
        .map(|(changes, zone)| (zone, changes))
        .collect()
}

/// The changes that a form is tried at: spread over the years, and others for each form.
fn sample(changes: &[Timestamp], form: usize) -> impl Iterator<Item = Timestamp> {
    let step = changes.len().div_ceil(CHANGES).max(1);
    changes.iter().skip(form % step).step_by(step).copied()
}

/// How far around a change there is something to see.
fn reach(period: &Period) -> Duration {
    match period {
        Period::Cycle(Cycle { unit: Unit::Second, .. }) => Duration::from_secs(3),
        Period::Cycle(Cycle { unit: Unit::Minute, .. }) => Duration::from_mins(3),
        Period::Cycle(Cycle { unit: Unit::Hour, .. }) => Duration::from_hours(4),
        Period::Cycle(Cycle { unit: Unit::Day, .. }) => Duration::from_hours(50),
        Period::Cycle(Cycle { unit: Unit::Week, .. }) => Duration::from_hours(24 * 15),
        Period::Cycle(Cycle { unit: Unit::Month, .. }) => Duration::from_hours(24 * 63),
        Period::Cycle(_) => Duration::from_hours(24 * 500),
        _ => Duration::from_hours(4),
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    at.before(Duration::from_micros(1))
}

/// The windows around a change, each found from the one before.
fn around(period: &Period, zone: &Zone, change: Timestamp) -> Vec<Interval> {
    let (from, until) = (change.before(reach(period)), change.after(reach(period)));
    let next = |last: &Interval| period.seek(last.end, zone).filter(|next| next.start < until);
    std::iter::successors(period.seek(from, zone), next).collect()
}

#[test]
fn edges_increase_and_what_they_bound_is_in_them_alone() {
    let zones = zones();
    for (number, text) in FORMS.iter().enumerate() {
        let period = windows(text);
        for (zone, changes) in &zones {
            for change in sample(changes, number) {
                let all = around(&period, zone, change);
                let at = || format!("`{text}` in {zone} around {change}: {all:?}");
                for (index, this) in all.iter().enumerate() {
                    assert!(this.start < this.end, "{}", at());
                    let last = index.checked_sub(1).map(|before| all[before]);
                    let after = all.get(index + 1);
                    assert!(last.is_none_or(|last| last.end <= this.start), "{}", at());
                    // `contains` flips at an edge, unless windows adjoin there.
                    assert!(period.contains(this.start, zone), "{}", at());
                    assert!(period.contains(just_before(this.end), zone), "{}", at());
                    if let Some(last) = last {
                        let adjoin = last.end == this.start;
                        assert_eq!(
                            period.contains(just_before(this.start), zone),
                            adjoin,
                            "{}",
                            at()
                        );
                        assert_eq!(period.contains(last.end, zone), adjoin, "{}", at());
                        assert_eq!(period.previous(this.start, zone), Some(last), "{}", at());
                    }
                    if let Some(after) = after {
                        for inside in [this.start, just_before(this.end)] {
                            let next = period.next(inside, zone);
                            assert_eq!(next, Some(*after), "{}", at());
                            assert!(next.unwrap().start > inside, "{}", at());
                        }
                    }
                    for inside in [this.start, just_before(this.end)] {
                        assert_eq!(period.current(inside, zone), Some(*this), "{}", at());
                        let edge = period.next_edge(inside, zone);
                        assert_eq!(edge, Some(this.end), "{}", at());
                    }
                }
            }
        }
    }
}

/// On which dates a window begins.
fn begins_on(text: &str, date: NaiveDate) -> bool {
    match text.split(' ').next() {
        Some("daily") => true,
        Some("weekly") if text.contains("Sat ") => date.weekday() == Weekday::Sat,
        Some("weekly") if text.contains("Fri ") => date.weekday() == Weekday::Fri,
        Some("weekly") if text.contains("Sun") && !text.contains("before") => {
            date.weekday() == Weekday::Sun
        }
        Some("weekly") => date.weekday() == Weekday::Mon,
        _ if text.contains("31st") => date.day() == 31,
        _ if text.contains("25th") => date.day() == 25,
        _ => date.day() == 1,
    }
}

#[test]
fn no_window_vanishes_or_occurs_twice() {
    let counted = |text: &str| {
        let monthly =
            text.starts_with("monthly") && !["starting", "last"].iter().any(|w| text.contains(w));
        text.starts_with("daily") || text.starts_with("weekly") || monthly
    };
    let zones = zones();
    let forms = FORMS.iter().enumerate().filter(|(_, text)| counted(text));
    for (number, text) in forms {
        let period = windows(text);
        let days = reach(&period).as_secs() / 86_400;
        for (zone, changes) in &zones {
            for change in sample(changes, number) {
                let today = zone.to_local(change).date();
                let midnight = |date: NaiveDate| zone.to_instant(date.and_time(NaiveTime::MIN));
                let first = today - Days::new(days);
                let dates: Vec<_> =
                    first.iter_days().take(usize::try_from(2 * days).unwrap()).collect();
                // A day that a zone skips has no windows, but full cycles have their boundary in it, at
                // the change. Which window a week has that lacks a day is another law.
                let there =
                    |date: &&NaiveDate| midnight(**date) < midnight(date.succ_opt().unwrap());
                let skips = dates.iter().filter(there).count() < dates.len();
                if skips && (!text.starts_with("daily") || text.contains("starting")) {
                    continue;
                }
                let wanted =
                    dates.iter().filter(there).filter(|date| begins_on(text, **date)).count();
                let (from, until) = (midnight(first), midnight(first + Days::new(2 * days)));
                let mut starts = HashSet::new();
                let mut at = just_before(from);
                while let Some(next) = period.next(at, zone).filter(|next| next.start < until) {
                    starts.insert(next.start);
                    at = next.start;
                }
                assert_eq!(starts.len(), wanted, "`{text}` in {zone} around {change}: {starts:?}");
            }
        }
    }
}

#[test]
fn durations_are_elapsed_whatever_the_clock_does() {
    let zones = zones();
    for (number, text) in FORMS.iter().enumerate().filter(|(_, text)| text.contains("within")) {
        let Period::Cycle(cycle) = windows(text) else { panic!("`{text}` is no cycle") };
        let within = cycle.within.unwrap();
        let whole = Period::Cycle(Cycle { within: None, ..cycle });
        let period = Period::Cycle(cycle);
        for (zone, changes) in &zones {
            for change in sample(changes, number) {
                for this in around(&period, zone, change) {
                    let next = whole.next(this.start, zone).unwrap();
                    let end = this.start.after(within).min(next.start);
                    assert_eq!(this.end, end, "`{text}` in {zone} around {change}: {this:?}");
                }
            }
        }
    }
}

/// The test sees what it says that it sees.
#[test]
fn all_changes_of_all_zones_are_tried() {
    let zones = zones();
    assert!(zones.len() > 250, "{}", zones.len());
    let mut tried = 0;
    for (zone, changes) in &zones {
        let seen: HashSet<_> = (0..FORMS.len()).flat_map(|form| sample(changes, form)).collect();
        // With fewer forms than there are changes between two samples, some are left out.
        let step = changes.len().div_ceil(CHANGES).max(1);
        assert!(seen.len() == changes.len() || step > FORMS.len(), "{zone}");
        tried += seen.len();
    }
    assert!(tried > 20_000, "{tried}");
}
