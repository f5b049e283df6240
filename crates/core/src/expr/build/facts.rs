//! Builders of what does not hang on time or tasks: the scheduler, parameters, the environment.

use super::{IntoDuration, Quoted, statement};
use crate::expr::{Count, Expr, Statement};
use crate::period::Period;

/// `scheduler has .. cycles`, still without a number. Made by [`scheduler_cycles`].
#[derive(Clone, Copy, Debug)]
#[must_use = "without a number this is no condition"]
pub struct SchedulerCycles(());

/// `param 'x'`, still without a question. Made by [`param`].
#[derive(Clone, Debug)]
#[must_use = "without a question this is no condition"]
pub struct Param(String);

/// True when the scheduler has been through so many cycles.
///
/// - **True when** the number of its cycles compares as asked.
/// - **Wakes** after each cycle.
/// - **Looks back** to the start of the scheduler.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = scheduler_cycles().more_than(3);
/// assert_eq!(condition, parse("scheduler has more than 3 cycles").unwrap());
/// ```
pub fn scheduler_cycles() -> SchedulerCycles {
    SchedulerCycles(())
}

impl SchedulerCycles {
    /// `at least 3 cycles`
    pub fn at_least(self, cycles: u64) -> Expr {
        Statement::Cycles(Count::AtLeast(cycles)).into()
    }

    /// `more than 3 cycles`
    pub fn more_than(self, cycles: u64) -> Expr {
        Statement::Cycles(Count::MoreThan(cycles)).into()
    }

    /// `less than 3 cycles`
    pub fn less_than(self, cycles: u64) -> Expr {
        Statement::Cycles(Count::LessThan(cycles)).into()
    }

    /// `at most 3 cycles`
    pub fn at_most(self, cycles: u64) -> Expr {
        Statement::Cycles(Count::AtMost(cycles)).into()
    }

    /// `3 cycles`
    pub fn exactly(self, cycles: u64) -> Expr {
        Statement::Cycles(Count::Exactly(cycles)).into()
    }

    /// `between 2 and 4 cycles`, both included.
    pub fn between(self, low: u64, high: u64) -> Expr {
        statement(format!("scheduler has between {low} and {high} cycles"))
    }
}

/// True in the first while after the scheduler has started: `scheduler started 10 min ago`.
///
/// - **True when** it started less than that long ago.
/// - **Wakes** when that time is over.
/// - **Looks back** to the start of the scheduler.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = scheduler_started_within("10 min");
/// assert_eq!(condition, parse("scheduler started 10 min ago").unwrap());
/// ```
pub fn scheduler_started_within(duration: impl IntoDuration) -> Expr {
    statement(format!("scheduler started {} ago", duration.duration_text()))
}

/// True when the scheduler has run for so long: the opposite of [`scheduler_started_within`].
///
/// - **True when** it started that long ago, or longer.
/// - **Wakes** when that time is over.
/// - **Looks back** to the start of the scheduler.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = scheduler_has_run_over("1 hour");
/// assert_eq!(condition, parse("scheduler has run over 1 hour").unwrap());
/// ```
pub fn scheduler_has_run_over(duration: impl IntoDuration) -> Expr {
    statement(format!("scheduler has run over {}", duration.duration_text()))
}

/// Asks for a parameter of the session: `param("x").exists()`.
///
/// - **True when** it exists ([`Param::exists`]) or has that value ([`Param::is`]).
/// - **Wakes** when the parameter is set or removed.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// assert_eq!(param("x").exists(), parse("param 'x' exists").unwrap());
/// assert_eq!(param("x").is("v"), parse("param 'x' is 'v'").unwrap());
/// ```
pub fn param(name: &str) -> Param {
    Param(name.to_owned())
}

impl Param {
    /// `param 'x' exists`
    pub fn exists(self) -> Expr {
        statement(format!("param {} exists", Quoted(&self.0)))
    }

    /// `param 'x' is 'v'`
    pub fn is(self, value: &str) -> Expr {
        statement(format!("param {} is {}", Quoted(&self.0), Quoted(value)))
    }
}

/// True in an environment: `env 'prod'`.
///
/// - **True when** the session's environment has that name.
/// - **Wakes** when the environment is changed.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// assert_eq!(env("prod"), parse("env 'prod'").unwrap());
/// ```
pub fn env(name: &str) -> Expr {
    statement(format!("env {}", Quoted(name)))
}

/// True at all times, as a period: `always`.
///
/// - **True when** asked.
/// - **Wakes** never.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// assert_eq!(always(), parse("always").unwrap());
/// ```
pub fn always() -> Expr {
    Statement::InPeriod { period: Period::Always.into(), zone: None }.into()
}

/// False at all times, as a period: `never`.
///
/// - **True when** never.
/// - **Wakes** never.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// assert_eq!(never(), parse("never").unwrap());
/// ```
pub fn never() -> Expr {
    Statement::InPeriod { period: Period::Never.into(), zone: None }.into()
}

/// Always true: `true`.
///
/// - **True when** asked.
/// - **Wakes** never.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// assert_eq!(always_true(), parse("always true").unwrap());
/// ```
pub fn always_true() -> Expr {
    Expr::Const(true)
}

/// Always false: `false`.
///
/// - **True when** never.
/// - **Wakes** never.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// assert_eq!(always_false(), parse("always false").unwrap());
/// ```
pub fn always_false() -> Expr {
    Expr::Const(false)
}

/// Makes a condition of a text, a builder or a `bool`.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let either = condition("daily | hourly") & daily().before("12:00");
/// assert_eq!(either, parse("(daily | hourly) & daily before 12:00").unwrap());
/// assert_eq!(condition(true), parse("true").unwrap());
/// ```
pub fn condition(condition: impl Into<Expr>) -> Expr {
    condition.into()
}
