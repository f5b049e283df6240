//! Dates of the coming year on which the clock is set and a window is not what is written.
//!
//! What is told is read off the windows themselves, so it is what the scheduler does. Windows of hours
//! and shorter follow the clock face and are not told of; nor are days, weeks and months as such,
//! which are as long as they are.

use std::time::Duration;

use super::LintCode;
use super::clock_change_cron::cron_effect;
use super::finding::Finding;
use crate::expr::{Statement, Times};
use crate::period::{Cycle, Interval, Period, Point, Unit, Window};
use crate::time::{Timestamp, Zone, duration};

/// So far ahead changes are looked for.
const YEAR: Duration = Duration::from_hours(366 * 24);

/// More changes than a zone has in a year.
const CHANGES: usize = 8;

/// More windows than touch the two days around a change.
const WINDOWS: usize = 8;

pub(super) const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// An instant at which the clock of a zone is set.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) at: i64,
    /// Local time is UTC plus this, before it and after it.
    pub(super) before: i64,
    pub(super) after: i64,
}

impl Change {
    /// Tells whether the clock is set forward.
    pub(super) fn skips(self) -> bool {
        self.after > self.before
    }

    /// Tells the local times that are skipped, or shown twice: the first, and the first after them.
    pub(super) fn odd(self) -> (i64, i64) {
        let (before, after) = (self.at + self.before, self.at + self.after);
        (before.min(after), before.max(after))
    }
}

/// Tells on which dates a statement is not what is written, and what it is.
pub(super) fn clock_change(
    statement: &Statement,
    owner: &str,
    now: Timestamp,
    own: &Zone,
) -> Option<Finding> {
    let (zone, written) = match statement {
        Statement::Once { period: Times::Period(Period::Cycle(cycle)), zone, .. }
        | Statement::InPeriod { period: Times::Period(Period::Cycle(cycle)), zone } => {
            (zone, Period::Cycle(cycle.clone()))
        }
        Statement::Cron { cron, zone, .. } => (zone, Period::Cron(cron.spread(owner))),
        _ => return None,
    };
    let zone = zone.as_ref().unwrap_or(own);
    let dates: Vec<String> = changes(now, zone)
        .filter_map(|change| {
            let date = zone.to_local(Timestamp::from_micros(change.at)).date();
            let effect = match &written {
                Period::Cycle(cycle) => cycle_effect(cycle, change, zone)?,
                cron => cron_effect(cron, change, zone)?,
            };
            Some(format!("on {date} {effect}"))
        })
        .collect();
    if dates.is_empty() {
        return None;
    }
    let reason = format!("is not as written where {zone} sets its clock: {}", dates.join("; "));
    let fix = "name a time of day at which the clock is not set, or a zone without summer time, as in \
               `.. in UTC`";
    Some(Finding::new(LintCode::ClockChange, statement, reason, fix))
}

fn changes(now: Timestamp, zone: &Zone) -> impl Iterator<Item = Change> {
    let last = now.after(YEAR);
    let next = move |at: &Timestamp| zone.next_transition(*at);
    let ahead = std::iter::successors(zone.next_transition(now), next);
    ahead.take(CHANGES).take_while(move |at| *at <= last).map(|at| {
        let stretch = zone.stretch(at.as_micros());
        Change { at: at.as_micros(), before: stretch.before, after: stretch.offset }
    })
}

/// What is written of a window, as times of day.
struct Written {
    start: Option<i64>,
    end: Option<i64>,
    /// How long it is where both its ends are written and lie within a day.
    length: Option<i64>,
}

impl Written {
    fn of(cycle: &Cycle) -> Option<Self> {
        if matches!(cycle.unit, Unit::Second | Unit::Minute | Unit::Hour) {
            return None;
        }
        let time = |point: Point| point.time;
        let (start, end) = match cycle.window {
            Window::Full | Window::Starting(_) => return None,
            Window::After(point) => (time(point), None),
            Window::Before(point) => (None, time(point)),
            Window::Between(start, end) => (time(start), time(end)),
            // In days it is an hour long, else a day.
            Window::On(point) => {
                let part = if cycle.unit == Unit::Day { HOUR } else { DAY };
                (time(point), time(point).map(|time| time + part))
            }
        };
        if cycle.within.is_some() {
            // It lasts for an elapsed time, whatever the clock shows.
            return Some(Self { start, end: None, length: None });
        }
        let length = match (cycle.unit, start, end) {
            (Unit::Day, Some(start), Some(end)) => Some((end - start).rem_euclid(DAY)),
            _ => None,
        };
        Some(Self { start, end, length: length.filter(|length| *length > 0) })
    }
}

/// Tells what becomes of the windows of a cycle around a change.
fn cycle_effect(cycle: &Cycle, change: Change, zone: &Zone) -> Option<String> {
    let written = Written::of(cycle)?;
    let period = Period::Cycle(cycle.clone());
    let mut next = period.seek(Timestamp::from_micros(change.at - DAY), zone);
    for _ in 0..WINDOWS {
        let window = next?;
        if window.start.as_micros() > change.at + DAY {
            return None;
        }
        if let Some(effect) = window_effect(&written, window, change, zone) {
            return Some(effect);
        }
        next = period.seek(window.end, zone);
    }
    None
}

fn window_effect(
    written: &Written,
    window: Interval,
    change: Change,
    zone: &Zone,
) -> Option<String> {
    let (start, end) = (window.start.as_micros(), window.end.as_micros());
    let is_odd = |time: &i64, at: i64| {
        let (first, after) = change.odd();
        // Where the clock is set forward, what is skipped is the instant of the change itself.
        let near = if change.skips() {
            at == change.at
        } else {
            (0..=after - first).contains(&(change.at - at))
        };
        near && (*time - first).rem_euclid(DAY) < after - first
    };
    let touched = start <= change.at && change.at <= end;
    let length = written.length.filter(|length| touched && *length != end - start);
    let lasts =
        length.map(|length| format!("it lasts {} instead of {}", span(end - start), span(length)));
    if !change.skips() {
        // That a time comes twice and the first one counts changes nothing by itself.
        let lasts = lasts?;
        let twice = written.start.filter(|time| is_odd(time, start));
        let twice = twice.or(written.end.filter(|time| is_odd(time, end)));
        return Some(match twice {
            Some(time) => format!("{} comes twice, and {lasts}", face(time)),
            None => lasts,
        });
    }
    // To end where the skipped time begins is what is written.
    let end_skipped = |time: &i64| is_odd(time, end) && (*time - change.odd().0) % DAY != 0;
    let moved = if let Some(time) = written.start.filter(|time| is_odd(time, start)) {
        Some(format!("{} is skipped, so it begins at {}", face(time), shown(start, zone)))
    } else {
        written
            .end
            .filter(end_skipped)
            .map(|time| format!("{} is skipped, so it ends at {}", face(time), shown(end, zone)))
    };
    match (moved, lasts) {
        (Some(moved), Some(lasts)) => Some(format!("{moved}, and {lasts}")),
        (moved, lasts) => moved.or(lasts),
    }
}

fn span(micros: i64) -> impl std::fmt::Display {
    duration::display(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

/// Tells a time of day.
pub(super) fn face(micros: i64) -> String {
    let local = zone_less(micros);
    local.format(if micros.rem_euclid(60_000_000) == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
}

/// Tells what the clock shows at an instant.
pub(super) fn shown(at: i64, zone: &Zone) -> String {
    let local = zone.to_local(Timestamp::from_micros(at));
    face(local.and_utc().timestamp_micros())
}

fn zone_less(micros: i64) -> chrono::NaiveDateTime {
    Timestamp::from_micros(micros).to_utc().naive_utc()
}
