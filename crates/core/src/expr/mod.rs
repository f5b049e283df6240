//! Conditions as written: text and builder functions make an [`Expr`].
//!
//! An [`Expr`] names tasks by name and may be wrong (an unknown task, a builder's bad text);
//! [`crate::cond::compile`] makes a [`crate::cond::Condition`] of it, which cannot be. Errors of
//! builders wait in [`Expr::Invalid`] until then, so that all of a session are reported together.
//!
//! Text and tree say the same: [`parse`] makes the tree of a text, and a tree prints as a text
//! that parses back to it, in normal form (`a & (b & c)` is flat, `~~a` is `a`, durations and
//! points have one spelling). Nothing here knows what time it is or which tasks exist.

pub mod build;
pub mod error;
mod hash;
mod lex;
mod ops;
mod parse;
mod phrase;
mod print;
pub mod reference;
mod times;

pub use error::{ParseError, Problem};
pub use hash::semantic_hash;
pub use parse::{parse, parse_period};
pub use phrase::{Part, Phrase, Template};
pub use times::{HOLIDAYS, Times};

use std::sync::Arc;
use std::time::Duration;

use crate::period::Cron;
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
    /// `a for 10 min`: it has held for that long without a break.
    For(Box<Expr>, Duration),
    /// `newly a`: it has become true since the task that owns the condition last started.
    Newly(Box<Expr>),
    /// `a since b`: the first has become true since the second last changed.
    Since(Box<Expr>, Box<Expr>),
    /// A leaf, and where it stands in the text it was written in.
    Statement(Statement, Option<Span>),
    /// What a builder function could not understand.
    Invalid(Arc<ParseError>),
}

impl Expr {
    /// Tells whether its text says all: no closure is part of it, and nothing is picked by the name
    /// of its task.
    pub(crate) fn says_all(&self) -> bool {
        match self {
            Self::Const(_) | Self::Invalid(_) => true,
            Self::Not(child) | Self::For(child, _) | Self::Newly(child) => child.says_all(),
            Self::Since(child, other) => child.says_all() && other.says_all(),
            Self::All(children) | Self::Any(children) => children.iter().all(Self::says_all),
            Self::Statement(Statement::Custom(custom), _) => custom.probe.is_none(),
            Self::Statement(Statement::Cron { cron, .. }, _) => !cron.to_string().contains('~'),
            Self::Statement(
                Statement::InPeriod { period, .. }
                | Statement::Once { period, .. }
                | Statement::Has { within: LookBack::Window { period, .. }, .. },
                _,
            ) => period.says_all(),
            Self::Statement(..) => true,
        }
    }
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Statement {
    /// `time of day after 10:00`, `on weekdays`, `time in (..)`, `always`: now is in the period.
    InPeriod {
        /// The period.
        period: Times,
        /// `in Europe/Helsinki`; without it, the session's zone.
        zone: Option<Zone>,
    },
    /// `daily after 07:00`, `once in (..)`: once in each window.
    Once {
        /// The windows.
        period: Times,
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
    /// `cron '*/5 * * * *' within 2 min`: once in each match.
    Cron {
        /// The expression.
        cron: Cron,
        /// How long a match lasts; `None`: the minute (with six fields: the second) itself.
        within: Option<Duration>,
        /// `in Europe/Helsinki`; without it, the session's zone.
        zone: Option<Zone>,
    },
    /// `retry 3 after 10 s`: the last run failed, and fewer than `count` + 1 in a row did.
    Retry {
        /// How often; `None`: for ever.
        count: Option<u64>,
        /// How long after the first failure, doubling with each; `None`: at once.
        after: Option<Duration>,
    },
    /// `scheduler has more than 3 cycles`
    Cycles(Count),
    /// `scheduler started 10 min ago`: less than so long ago.
    SchedulerStarted(Duration),
    /// `scheduler has run over 10 min`: started so long ago, or longer.
    SchedulerRunOver(Duration),
    /// `param 'x' exists`
    ParamExists(String),
    /// `param 'x' is 'v'`
    ParamIs {
        /// The name.
        name: String,
        /// The value, as text.
        value: String,
    },
    /// `env 'prod'`
    Env(String),
    /// A custom condition: `file_exists('x.csv')`.
    Custom(Custom),
    /// A custom condition in its own words: `file 'x.csv' exists`; looked up when the session is built.
    Phrase(Phrase),
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
    /// `today`, `this week after Mon`, `between 2026-01-01 and 2026-02-01`, `in (..)`: in the
    /// window that began last.
    Window {
        /// The windows.
        period: Times,
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
