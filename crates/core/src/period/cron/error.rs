//! What can be wrong with a cron expression.

use std::ops::Range;

/// What is wrong with a cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    /// The bytes of the text that are wrong.
    pub span: Range<usize>,
    pub(super) kind: CronProblem,
    pub(super) message: String,
}

/// In which way a cron expression is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CronProblem {
    /// There are not five or six fields.
    Fields,
    /// A value is missing, as in `1,,2` or `5-`.
    Missing,
    /// A value is none of its field.
    Value,
    /// A step is not a positive number, or stands where none can.
    Step,
    /// A nickname (`@daily`) is unknown.
    Nickname,
}

impl CronError {
    /// Tells in which way the expression is wrong.
    pub fn kind(&self) -> CronProblem {
        self.kind
    }
}
