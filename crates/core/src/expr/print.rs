//! Conditions as text that parses back to them.
//!
//! What is printed is the normal form, whatever form the tree has: `&` and `|` are flat, double
//! negations are gone, and each statement has one spelling. What no text can say (a window in a
//! builder that went wrong) prints as the text that was wrong.

mod period;

use std::fmt::{self, Display, Formatter};

use super::lex::quote;
use super::{Age, Basis, Count, Custom, Expr, Happening, Literal, Outcome, Quantifier, Statement};
use crate::time::duration::display as duration;
use period::{write_in_period, write_look_back, write_once, write_within, write_zone};

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
            Self::InPeriod { period, zone } => write_in_period(period, zone.as_ref(), f),
            Self::Once { period, zone, retries } => {
                write_once(period, f)?;
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
