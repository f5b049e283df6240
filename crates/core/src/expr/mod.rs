//! Conditions as written: text and builder functions make an [`Expr`].
//!
//! An [`Expr`] names tasks by name and may be wrong (an unknown task, a builder's bad text);
//! [`crate::cond::compile`] makes a [`crate::cond::Condition`] of it, which cannot be. Errors of
//! builders wait in [`Expr::Invalid`] until then, so that all of a session are reported together.

pub mod error;

pub use error::{ParseError, Problem};

use std::sync::Arc;
use std::time::Duration;

use crate::period::{Cycle, Period};
use crate::record::Action;
use crate::time::Zone;

/// A written condition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Expr {
    /// `true` or `false`.
    Const(bool),
    /// `~a`
    Not(Box<Expr>),
    /// `a & b`
    All(Vec<Expr>),
    /// `a | b`
    Any(Vec<Expr>),
    /// A leaf, and where it stands in the text it was written in.
    Statement(Statement, Option<Span>),
    /// What a builder function could not understand.
    Invalid(Arc<ParseError>),
}

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
}

/// A leaf of a condition.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Statement {
    /// `time of day after 10:00`, `always`: now is in the period.
    InPeriod {
        /// The period.
        period: Period,
        /// `in Europe/Helsinki`; without it, the session's zone.
        zone: Option<Zone>,
    },
    /// `daily after 07:00`: once in each window.
    Once {
        /// The windows.
        cycle: Cycle,
        /// `in Europe/Helsinki`; without it, the session's zone.
        zone: Option<Zone>,
        /// How many runs of a window may fail before it counts as used up; 0 by default.
        retries: u32,
    },
    /// `every 10 s`
    Every {
        /// The elapsed time between two runs.
        interval: Duration,
        /// From what the interval counts.
        basis: Basis,
    },
    /// `task 'x' has failed at least 3 times today`
    Has {
        /// The task; `None`: the one that owns the condition.
        task: Option<String>,
        /// What happened.
        event: Happening,
        /// How often.
        count: Count,
        /// When.
        within: LookBack,
    },
    /// `after task 'x' failed`, `after any tasks 'a', 'b'`
    After {
        /// The tasks.
        tasks: Vec<String>,
        /// All of them, or any.
        which: Quantifier,
        /// Their outcome.
        outcome: Outcome,
    },
    /// `task 'x' is running more than 10 min`
    Running {
        /// The task; `None`: the one that owns the condition.
        task: Option<String>,
        /// How old the live run must be.
        age: Age,
    },
    /// `scheduler has more than 3 cycles`
    Cycles(Count),
    /// A custom condition: `file_exists('x.csv')`.
    Custom(Custom),
}

/// From what `every D` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Basis {
    /// The instant at which the last run was due.
    #[default]
    Due,
    /// The end of the last run, success or failure.
    Finish,
    /// The last success.
    Success,
    /// The last failure.
    Fail,
}

/// What a task `has` done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Happening {
    /// A run began.
    Started,
    /// A run succeeded.
    Succeeded,
    /// A run failed.
    Failed,
    /// A run succeeded, failed or was terminated.
    Finished,
    /// A run was terminated.
    Terminated,
    /// A run found nothing to do.
    Inacted,
    /// A run was cut off with its process.
    Crashed,
}

impl Happening {
    /// Tells the actions of the records that count.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Self::Started => &[Action::Run],
            Self::Succeeded => &[Action::Success],
            Self::Failed => &[Action::Fail],
            // As Rocketry: not crash, not inaction (conditions/task/task.py, TaskFinished).
            Self::Finished => &[Action::Success, Action::Fail, Action::Terminate],
            Self::Terminated => &[Action::Terminate],
            Self::Inacted => &[Action::Inaction],
            Self::Crashed => &[Action::Crash],
        }
    }
}

/// A comparison of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Count {
    /// `at least n`; for a status without a number, 1.
    AtLeast(u64),
    /// `more than n`
    MoreThan(u64),
    /// `less than n`
    LessThan(u64),
    /// `at most n`
    AtMost(u64),
    /// `n`, `exactly n`
    Exactly(u64),
    /// `between a and b`, both included.
    Between(u64, u64),
}

impl Count {
    /// Tells whether `n` passes.
    pub fn holds(self, n: u64) -> bool {
        match self {
            Self::AtLeast(k) => n >= k,
            Self::MoreThan(k) => n > k,
            Self::LessThan(k) => n < k,
            Self::AtMost(k) => n <= k,
            Self::Exactly(k) => n == k,
            Self::Between(a, b) => (a..=b).contains(&n),
        }
    }
}

/// When something must have happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LookBack {
    /// At any time.
    Ever,
    /// `past 2 hours`: in `(now - D, now]`.
    Past(Duration),
    /// `today`, `this week after Mon`: in the window that began last.
    Window {
        /// The windows.
        cycle: Cycle,
        /// `in Europe/Helsinki`; without it, the session's zone.
        zone: Option<Zone>,
    },
}

/// How old a live run must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Age {
    /// Any age.
    #[default]
    Any,
    /// `more than D`
    MoreThan(Duration),
    /// `less than D`
    LessThan(Duration),
    /// `between D and D`
    Between(Duration, Duration),
}

/// All of some tasks, or any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// Each of them.
    #[default]
    All,
    /// At least one of them.
    Any,
}

/// The outcome that `after task` waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Success.
    #[default]
    Succeeded,
    /// Failure.
    Failed,
    /// Success or failure.
    Finished,
    /// Termination.
    Terminated,
}

impl Outcome {
    /// Tells the actions of the records that count.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Self::Succeeded => &[Action::Success],
            Self::Failed => &[Action::Fail],
            // As Rocketry: success and failure, not termination (DependFinish).
            Self::Finished => &[Action::Success, Action::Fail],
            Self::Terminated => &[Action::Terminate],
        }
    }
}

/// A custom condition with its arguments.
#[derive(Clone, Debug)]
pub struct Custom {
    /// The name of the function.
    pub name: Arc<str>,
    /// The arguments, as written.
    pub args: Vec<Literal>,
    /// What is asked; `None`: written in text, looked up by name when the session is built.
    pub probe: Option<crate::probe::Probe>,
}

/// An argument of a custom condition.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// `'text'`
    Text(String),
    /// `42`
    Int(i64),
    /// `1.5`
    Float(f64),
    /// `true`
    Bool(bool),
}
