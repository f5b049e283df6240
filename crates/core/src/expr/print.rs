//! Conditions as text that parses back to them.
//!
//! What is printed is the normal form, whatever form the tree has: `&` and `|` are flat, double
//! negations are gone, and each statement has one spelling. What no text can say (a window in a
//! builder that went wrong) prints as the text that was wrong.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::lex::quote;
use super::parse::{MONTHS, WEEKDAYS};
use super::{
    Age, Basis, Count, Custom, Expr, Happening, Literal, LookBack, Outcome, Quantifier, Statement,
    Times,
};
use crate::period::{Cycle, Period, Place, Point, Unit, Weekday, Window};
use crate::time::Zone;
use crate::time::duration::{Fraction, display as duration};

/// How tightly an expression holds together, and how tightly it must where it stands: what holds
/// together less needs parentheses there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Any,
    All,
    Since,
    Newly,
    For,
    Not,
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_expr(self, Level::Any, f)
    }
}

fn write_expr(expr: &Expr, level: Level, f: &mut Formatter<'_>) -> fmt::Result {
    let expr = expr.peeled();
    let parentheses = holds(expr) < level;
    if parentheses {
        f.write_str("(")?;
    }
    match expr {
        Expr::Const(value) => write!(f, "{value}")?,
        Expr::Statement(statement, _) => statement.fmt(f)?,
        Expr::Invalid(error) => f.write_str(&error.text)?,
        Expr::Not(inner) => {
            f.write_str("~")?;
            // `~newly a` reads back as it is.
            let newly = matches!(inner.peeled(), Expr::Newly(_));
            write_expr(inner, if newly { Level::Newly } else { Level::Not }, f)?;
        }
        Expr::All(members) if members.is_empty() => f.write_str("true")?,
        Expr::Any(members) if members.is_empty() => f.write_str("false")?,
        Expr::All(members) => write_members(members, Level::All, " & ", f)?,
        Expr::Any(members) => write_members(members, Level::Any, " | ", f)?,
        Expr::For(inner, held) => {
            write_expr(inner, Level::Not, f)?;
            write!(f, " for {}", duration(*held))?;
        }
        Expr::Newly(inner) => {
            f.write_str("newly ")?;
            write_expr(inner, Level::For, f)?;
        }
        Expr::Since(inner, other) => {
            write_expr(inner, Level::Newly, f)?;
            f.write_str(" since ")?;
            write_expr(other, Level::Newly, f)?;
        }
    }
    if parentheses { f.write_str(")") } else { Ok(()) }
}

fn write_members(
    members: &[Expr],
    level: Level,
    between: &str,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        write_expr(member, level, f)?;
    }
    Ok(())
}

/// Tells how tightly an expression holds together.
fn holds(expr: &Expr) -> Level {
    match expr.peeled() {
        Expr::All(members) if !members.is_empty() => Level::All,
        Expr::Any(members) if !members.is_empty() => Level::Any,
        Expr::Since(..) => Level::Since,
        Expr::Newly(_) => Level::Newly,
        Expr::Not(inner) if matches!(inner.peeled(), Expr::Newly(_)) => Level::Newly,
        Expr::For(..) => Level::For,
        _ => Level::Not,
    }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::InPeriod { period: Period::Always, zone: None } => f.write_str("always"),
            Self::InPeriod { period: Period::Never, zone: None } => f.write_str("never"),
            Self::InPeriod { period, zone } => {
                write_period(period, f)?;
                write_zone(zone.as_ref(), f)
            }
            Self::Once { period, zone, retries } => {
                match period {
                    Period::Cycle(cycle) => {
                        f.write_str(cycle_word(cycle.unit))?;
                        write_window(cycle, f)?;
                    }
                    period => {
                        f.write_str("once in ")?;
                        write_period(period, f)?;
                    }
                }
                match retries {
                    0 => {}
                    1 => f.write_str(" with 1 retry")?,
                    n => write!(f, " with {n} retries")?,
                }
                write_zone(zone.as_ref(), f)
            }
            Self::Every { interval, basis } => {
                write!(f, "every {}{}", duration(*interval), based_on(*basis))
            }
            Self::Cron { cron, within, zone } => {
                write!(f, "cron '{cron}'")?;
                write_within(*within, f)?;
                write_zone(zone.as_ref(), f)
            }
            Self::Has { task, event, count, within } => {
                write_task(task.as_deref(), f)?;
                f.write_str("has ")?;
                f.write_str(happening(*event))?;
                if *count != Count::AtLeast(1) {
                    write!(f, " {count} times")?;
                }
                write_look_back(within, f)
            }
            Self::After { tasks, which, outcome } => write_after(tasks, *which, *outcome, f),
            Self::Running { task, age } => {
                write_task(task.as_deref(), f)?;
                f.write_str("is running")?;
                match *age {
                    Age::Any => Ok(()),
                    Age::MoreThan(d) => write!(f, " more than {}", duration(d)),
                    Age::LessThan(d) => write!(f, " less than {}", duration(d)),
                    Age::Between(a, b) => {
                        write!(f, " between {} and {}", duration(a), duration(b))
                    }
                }
            }
            Self::Retry { count, after } => {
                f.write_str("retry")?;
                if let Some(count) = count {
                    write!(f, " {count}")?;
                }
                match after {
                    Some(after) => write!(f, " after {}", duration(*after)),
                    None => Ok(()),
                }
            }
            Self::Cycles(Count::Exactly(n)) => write!(f, "scheduler has {n} cycles"),
            Self::Cycles(count) => write!(f, "scheduler has {count} cycles"),
            Self::SchedulerStarted(past) => {
                write!(f, "scheduler started {} ago", duration(*past))
            }
            Self::SchedulerRunOver(past) => {
                write!(f, "scheduler has run over {}", duration(*past))
            }
            Self::ParamExists(name) => {
                f.write_str("param ")?;
                quote(name, f)?;
                f.write_str(" exists")
            }
            Self::ParamIs { name, value } => {
                f.write_str("param ")?;
                quote(name, f)?;
                f.write_str(" is ")?;
                quote(value, f)
            }
            Self::Env(name) => {
                f.write_str("env ")?;
                quote(name, f)
            }
            Self::Custom(custom) => custom.fmt(f),
            Self::Phrase(phrase) => phrase.fmt(f),
        }
    }
}

impl Display for Custom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (n, arg) in self.args.iter().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            arg.fmt(f)?;
        }
        f.write_str(")")
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quote(text, f),
            Self::Int(n) => write!(f, "{n}"),
            // Debug keeps the point of whole numbers, so that they stay floats.
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

impl Display for Count {
    /// Writes the comparison as it stands in a condition: `at least 3`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(n) => write!(f, "at least {n}"),
            Self::MoreThan(n) => write!(f, "more than {n}"),
            Self::LessThan(n) => write!(f, "less than {n}"),
            Self::AtMost(n) => write!(f, "at most {n}"),
            Self::Exactly(n) => write!(f, "exactly {n}"),
            Self::Between(a, b) => write!(f, "between {a} and {b}"),
        }
    }
}

impl Display for Times {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_times(self, Level::Any, f)
    }
}

fn write_times(times: &Times, level: Level, f: &mut Formatter<'_>) -> fmt::Result {
    let (members, own, between) = match times {
        Times::Period(period) => return write_period(period, f),
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

fn write_period(period: &Period, f: &mut Formatter<'_>) -> fmt::Result {
    match period {
        Period::Always => f.write_str("always"),
        Period::Never => f.write_str("never"),
        // A full cycle, wherever it begins, is all time.
        Period::Cycle(Cycle {
            window: Window::Full | Window::Starting(_), within: None, ..
        }) => f.write_str("always"),
        Period::Cycle(cycle) => {
            write!(f, "time of {}", unit_word(cycle.unit))?;
            write_window(cycle, f)
        }
        Period::Cron(cron) => write!(f, "cron '{cron}'"),
        Period::Dates(dates) => write!(f, "{dates:?}"),
        Period::BusinessDays(days) => write!(f, "{days:?}"),
        Period::Fixed(fixed) => write!(f, "{fixed:?}"),
        Period::All(members) => write_periods(members, " & ", f),
        Period::Any(members) => write_periods(members, " | ", f),
    }
}

fn write_periods(members: &[Period], between: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("(")?;
    for (n, member) in members.iter().enumerate() {
        if n > 0 {
            f.write_str(between)?;
        }
        write_period(member, f)?;
    }
    f.write_str(")")
}

fn write_look_back(within: &LookBack, f: &mut Formatter<'_>) -> fmt::Result {
    match within {
        LookBack::Ever => Ok(()),
        LookBack::Past(past) => write!(f, " past {}", duration(*past)),
        LookBack::Window { period, zone } => {
            match period {
                Period::Cycle(cycle) => {
                    match cycle.unit {
                        Unit::Day => f.write_str(" today")?,
                        unit => write!(f, " this {}", unit_word(unit))?,
                    }
                    write_window(cycle, f)?;
                }
                period => {
                    f.write_str(" in ")?;
                    write_period(period, f)?;
                }
            }
            write_zone(zone.as_ref(), f)
        }
    }
}

fn write_task(task: Option<&str>, f: &mut Formatter<'_>) -> fmt::Result {
    let Some(task) = task else { return Ok(()) };
    f.write_str("task ")?;
    quote(task, f)?;
    f.write_str(" ")
}

fn write_after(
    tasks: &[String],
    which: Quantifier,
    outcome: Outcome,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    f.write_str(match (tasks, which) {
        ([_], _) => "after task ",
        (_, Quantifier::All) => "after tasks ",
        (_, Quantifier::Any) => "after any tasks ",
    })?;
    for (n, task) in tasks.iter().enumerate() {
        if n > 0 {
            f.write_str(", ")?;
        }
        quote(task, f)?;
    }
    f.write_str(match outcome {
        Outcome::Succeeded => "",
        Outcome::Failed => " failed",
        Outcome::Finished => " finished",
        Outcome::Terminated => " terminated",
    })
}

/// The words after `every D`; none for the default.
pub(super) fn based_on(basis: Basis) -> &'static str {
    match basis {
        Basis::Due => "",
        Basis::Finish => " based on finish",
        Basis::Success => " based on success",
        Basis::Fail => " based on fail",
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

fn write_within(within: Option<Duration>, f: &mut Formatter<'_>) -> fmt::Result {
    within.map_or(Ok(()), |within| write!(f, " within {}", duration(within)))
}

fn write_zone(zone: Option<&Zone>, f: &mut Formatter<'_>) -> fmt::Result {
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

fn happening(event: Happening) -> &'static str {
    match event {
        Happening::Started => "started",
        Happening::Succeeded => "succeeded",
        Happening::Failed => "failed",
        Happening::Finished => "finished",
        Happening::Terminated => "terminated",
        Happening::Inacted => "inacted",
        Happening::Crashed => "crashed",
    }
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

impl serde::Serialize for Expr {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.errors().first() {
            Some(error) => Err(serde::ser::Error::custom(error)),
            None => to.collect_str(self),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Expr {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        super::parse(&text).map_err(serde::de::Error::custom)
    }
}
