//! Lints: what is allowed and still almost surely not meant, with a reason and a fix.
//!
//! Always: a lint tells what is certain, whatever happens: it follows from the conditions, the zone
//! and the instant it is asked at, never from a guess. What is not certain is not told. The evaluator
//! (`cond`) is the judge: what `never-holds` tells of is never true there.
//!
//! Nothing here changes what a session does, reads a clock or asks a custom condition. A statement
//! that is not known here is not linted, and neither is a task that is disabled.

mod clock_change;
mod clock_change_cron;
mod code;
mod contradiction;
mod finding;
mod first_start;
mod judge;
mod meet;
mod missing_days;
mod once_and_every;
mod pauses;
mod session;
mod too_short;
mod usual;

pub use code::{LintCode, UnknownLintCode};
pub use usual::UsualDurations;

use std::fmt;
use std::sync::Arc;

/// Something that is allowed and almost surely not meant.
///
/// ```
/// use redengine_core::{Session, Task};
///
/// # use redengine_log as _;
/// let session = Session::builder()
///     .task(Task::new("sync", "time of day before 08:00 & time of day after 10:00", || async {}))
///     .build()
///     .unwrap();
/// let lints = session.lints("2026-11-24T07:00:00Z".parse().unwrap());
/// assert_eq!(
///     lints[0].to_string(),
///     "task `sync`: `time of day before 08:00 & time of day after 10:00` never holds: no instant is \
///      in all of these periods [never-holds]\n  \
///      help: join them with `|`, or let the windows overlap",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lint {
    /// What kind of lint it is.
    pub code: LintCode,
    /// The task; `None`: it is about the session's `shut_cond`.
    pub task: Option<Arc<str>>,
    /// In which condition it is.
    pub place: LintPlace,
    /// The part of the condition that it is about, as text.
    pub statement: String,
    /// What is the matter with it; reads on after the statement.
    pub reason: String,
    /// What to write instead.
    pub fix: String,
}

/// The condition that a lint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LintPlace {
    /// The one that starts the task.
    Start,
    /// The one that ends its runs.
    End,
    /// The session's `shut_cond`.
    Shut,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.task, self.place) {
            (Some(task), LintPlace::End) => write!(f, "task `{task}`, its end condition: ")?,
            (Some(task), _) => write!(f, "task `{task}`: ")?,
            (None, _) => f.write_str("`shut_cond`: ")?,
        }
        let Self { code, statement, reason, fix, .. } = self;
        write!(f, "`{statement}` {reason} [{code}]\n  help: {fix}")
    }
}
