//! Periods, their windows and points as text.
//!
//! A period that is a statement of its own stands bare, as `on weekdays` does; any other is put in
//! parentheses after `time in`, `once in` or `in`.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::Level;
use crate::expr::lex::quote;
use crate::expr::parse::{MONTHS, WEEKDAYS};
use crate::expr::{LookBack, Times};
use crate::period::{
    BusinessDays, CivilSpan, Cycle, Interval, Moment, Period, Place, Point, Unit, Weekday, Window,
};
use crate::time::duration::{Fraction, display as duration};
use crate::time::{Timestamp, Zone};

/// Writes `time of day ..`, `on weekdays`, `time in (..)`.
pub(super) fn write_in_period(
    period: &Times,
    zone: Option<&Zone>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let bare = match period {
        Times::Period(Period::Cycle(cycle)) => !is_full(cycle) || zone.is_none(),
        Times::Period(Period::Always | Period::Never) => zone.is_none(),
        Times::Period(Period::BusinessDays(days)) => days_word(days).is_some(),
        Times::Period(Period::Span(_) | Period::Fixed(_))
        | Times::Calendar(_)
        | Times::BusinessDays(_) => true,
        _ => false,
    };
    if bare {
        write_times(period, Level::Any, f)?;
    } else {
        write!(f, "time in ({period})")?;
    }
    write_zone(zone, f)
}

/// Writes `daily ..`, `once in (..)`.
pub(super) fn write_once(period: &Times, f: &mut Formatter<'_>) -> fmt::Result {
    match period {
        Times::Period(Period::Cycle(cycle)) => {
            f.write_str(cycle_word(cycle.unit))?;
            write_window(cycle, f)
        }
        period => write!(f, "once in ({period})"),
    }
}

/// Writes ` today`, ` past 2 hours`, ` between 2026-01-01 and 2026-02-01`, ` in (..)`.
pub(super) fn write_look_back(within: &LookBack, f: &mut Formatter<'_>) -> fmt::Result {
    let (period, zone) = match within {
        LookBack::Ever => return Ok(()),
        LookBack::Past(past) => return write!(f, " past {}", duration(*past)),
        LookBack::Window { period, zone } => (period, zone),
    };
    match period {
        Times::Period(Period::Cycle(cycle)) => {
            match cycle.unit {
                Unit::Day => f.write_str(" today")?,
                unit => write!(f, " this {}", unit_word(unit))?,
            }
            write_window(cycle, f)?;
        }
        Times::Period(Period::Span(_) | Period::Fixed(_)) => write!(f, " {period}")?,
        period => write!(f, " in ({period})")?,
    }
    write_zone(zone.as_ref(), f)
}

impl Display for Times {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_times(self, Level::Any, f)
    }
}

fn write_times(times: &Times, level: Level, f: &mut Formatter<'_>) -> fmt::Result {
    let (members, own, between) = match times {
        Times::Period(period) => return write_period(period, level, f),
        Times::Calendar(name) => {
            f.write_str("on calendar ")?;
            return quote(name, f);
        }
        Times::BusinessDays(name) => {
            f.write_str("on business days")?;
            let Some(name) = name else { return Ok(()) };
            f.write_str(" of ")?;
            return quote(name, f);
        }
        Times::Past(past) => return write!(f, "past {}", duration(*past)),
        Times::All(members) => (members, Level::All, " & "),
        Times::Any(members) => (members, Level::Any, " | "),
    };
    let parentheses = own < level;
    if parentheses {
        f.write_str("(")?;
    }
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        write_times(member, own, f)?;
    }
    if parentheses { f.write_str(")") } else { Ok(()) }
}

fn write_period(period: &Period, level: Level, f: &mut Formatter<'_>) -> fmt::Result {
    match period {
        Period::Always => f.write_str("always"),
        Period::Never => f.write_str("never"),
        Period::Cycle(cycle) if is_full(cycle) => f.write_str("always"),
        Period::Cycle(cycle) => {
            write!(f, "time of {}", unit_word(cycle.unit))?;
            write_window(cycle, f)
        }
        Period::Cron(cron) => write!(f, "cron '{cron}'"),
        Period::Span(span) => write_span(*span, f),
        Period::Fixed(fixed) => write_fixed(*fixed, f),
        // Days by value have no name to be called by; a text says them one by one.
        Period::Dates(dates) => {
            let days = dates.iter().map(|date| Period::Span(CivilSpan::on(date)));
            write_times(&Times::from(Period::Any(days.collect())), level, f)
        }
        Period::BusinessDays(days) => write_days(days, f),
        Period::All(_) | Period::Any(_) => write_times(&Times::from(period.clone()), level, f),
    }
}

/// A full cycle, wherever it begins, is all time.
fn is_full(cycle: &Cycle) -> bool {
    matches!(cycle, Cycle { window: Window::Full | Window::Starting(_), within: None, .. })
}

/// The word for days of the week, if there is one.
fn days_word(days: &BusinessDays) -> Option<&'static str> {
    let words = [("weekdays", BusinessDays::weekdays()), ("weekends", BusinessDays::weekends())];
    words.into_iter().find(|(_, known)| known == days).map(|(word, _)| word)
}

/// Writes days of the week; no text says which dates they are without, so these stand as a remark.
fn write_days(days: &BusinessDays, f: &mut Formatter<'_>) -> fmt::Result {
    if let Some(word) = days_word(days) {
        return write!(f, "on {word}");
    }
    f.write_str("on business days without")?;
    days.except().iter().try_for_each(|date| write!(f, " {date}"))
}

fn write_span(span: CivilSpan, f: &mut Formatter<'_>) -> fmt::Result {
    match (span.from(), span.to()) {
        (Some(Moment { date, time: None }), Some(Moment { date: to, time: None }))
            if date == to =>
        {
            write!(f, "on {date}")
        }
        (from, to) => write_ends(from.map(Written), to.map(Written), f),
    }
}

fn write_fixed(fixed: Interval, f: &mut Formatter<'_>) -> fmt::Result {
    let from = (fixed.start > Timestamp::MIN).then_some(fixed.start);
    let to = (fixed.end < Timestamp::MAX).then_some(fixed.end);
    write_ends(from, to, f)
}

fn write_ends<T: Display>(from: Option<T>, to: Option<T>, f: &mut Formatter<'_>) -> fmt::Result {
    match (from, to) {
        (Some(from), Some(to)) => write!(f, "between {from} and {to}"),
        (Some(from), None) => write!(f, "after {from}"),
        (None, Some(to)) => write!(f, "before {to}"),
        (None, None) => f.write_str("always"),
    }
}

/// A moment as text: a date, perhaps with a time of day.
struct Written(Moment);

impl Display for Written {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.date)?;
        let Some(time) = self.0.time else { return Ok(()) };
        f.write_str(" ")?;
        write_time(Unit::Day, time, f)
    }
}

fn write_window(cycle: &Cycle, f: &mut Formatter<'_>) -> fmt::Result {
    let (word, point) = match cycle.window {
        Window::Full => return write_within(cycle.within, f),
        Window::Starting(point) => ("starting", point),
        // A clock's point is a moment to people, a day or a month is a span.
        Window::On(point) if point.place == Place::Whole => ("at", point),
        Window::On(point) => ("on", point),
        Window::After(point) => ("after", point),
        Window::Before(point) => ("before", point),
        Window::Between(start, end) => {
            f.write_str(" between ")?;
            write_point(cycle.unit, start, f)?;
            f.write_str(" and ")?;
            write_point(cycle.unit, end, f)?;
            return write_within(cycle.within, f);
        }
    };
    write!(f, " {word} ")?;
    write_point(cycle.unit, point, f)?;
    write_within(cycle.within, f)
}

pub(super) fn write_within(within: Option<Duration>, f: &mut Formatter<'_>) -> fmt::Result {
    within.map_or(Ok(()), |within| write!(f, " within {}", duration(within)))
}

pub(super) fn write_zone(zone: Option<&Zone>, f: &mut Formatter<'_>) -> fmt::Result {
    zone.map_or(Ok(()), |zone| write!(f, " in {}", zone.name()))
}

fn write_point(unit: Unit, point: Point, f: &mut Formatter<'_>) -> fmt::Result {
    match point.place {
        Place::Whole => return write_time(unit, point.time.unwrap_or(0), f),
        Place::Weekday(day) => f.write_str(weekday(day))?,
        Place::MonthDay(day) => write_ordinal(day, f)?,
        Place::LastDay => f.write_str("last day")?,
        Place::LastWeekday(day) => write!(f, "last {}", weekday(day))?,
        Place::Month(n) => f.write_str(month(n))?,
        Place::YearDay(n, day) => {
            write!(f, "{} ", month(n))?;
            write_ordinal(day, f)?;
        }
    }
    let Some(time) = point.time else { return Ok(()) };
    f.write_str(" ")?;
    write_time(Unit::Day, time, f)
}

/// Writes a time within a cycle, as that cycle spells it.
fn write_time(unit: Unit, time: i64, f: &mut Formatter<'_>) -> fmt::Result {
    let time = u64::try_from(time).unwrap_or(0);
    // OK because a remainder of a million fits.
    let micros = u32::try_from(time % 1_000_000).unwrap_or(0);
    let seconds = time / 1_000_000;
    match unit {
        Unit::Second => {
            write!(f, "{}", time / 1_000)?;
            return write_fraction(micros % 1_000, 3, f);
        }
        Unit::Minute => write!(f, "{seconds:02}")?,
        // The end of an hour is written as a leap second is.
        Unit::Hour if seconds == 3_600 => f.write_str("59:60")?,
        Unit::Hour => write!(f, "{:02}:{:02}", seconds / 60, seconds % 60)?,
        _ => {
            write!(f, "{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)?;
            if seconds % 60 > 0 || micros > 0 {
                write!(f, ":{:02}", seconds % 60)?;
            }
        }
    }
    write_fraction(micros, 6, f)
}

fn write_fraction(digits: u32, places: usize, f: &mut Formatter<'_>) -> fmt::Result {
    if digits == 0 { Ok(()) } else { write!(f, ".{}", Fraction(digits, places)) }
}

fn write_ordinal(day: u8, f: &mut Formatter<'_>) -> fmt::Result {
    let suffix = match day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    write!(f, "{day}{suffix}")
}

fn weekday(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name)
}

fn month(n: u8) -> &'static str {
    MONTHS.iter().find(|(_, known)| *known == n).map_or("", |(name, _)| name)
}

fn cycle_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "secondly",
        Unit::Minute => "minutely",
        Unit::Hour => "hourly",
        Unit::Day => "daily",
        Unit::Week => "weekly",
        Unit::Month => "monthly",
        Unit::Year => "yearly",
    }
}

fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Second => "second",
        Unit::Minute => "minute",
        Unit::Hour => "hour",
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
        Unit::Year => "year",
    }
}
