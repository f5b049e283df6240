//! Why running a session ended with an error.

use std::fmt;
use std::sync::Arc;

use redengine_core::BuildError;
use redengine_core::cond::Broken;
use redengine_core::error::write_chain;
use redengine_core::record::Action;
use redengine_core::runlog::LogError;

/// Why running a session ended with an error. The failure of a task is none.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The session runs already.
    #[error("the session runs already; a session has one scheduler at a time")]
    AlreadyRunning,
    /// The session has no tasks.
    #[error(
        "the session has no tasks, so there is nothing to run; give a function `#[task(\"..\")]`, \
         add one with `session.add_task(..)`, or call `.allow_empty()` on `run()` if tasks come later"
    )]
    NoTasks,
    /// A task that registered itself is wrong.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The run log cannot be read.
    #[error("the run log cannot be read")]
    Log(#[from] LogError),
    /// The run log failed, and `on_log_failure` is `stop`.
    #[error("the run log failed, and `on_log_failure` is `stop`")]
    LogFailed(#[source] LogError),
    /// The session ended in order, but its run log did not take the ends of some runs in time.
    #[error(
        "the session is over, and the run log did not take how {} ended; the next session will record \
         what it has no end of as crashed",
        list(ends)
    )]
    Unwritten {
        /// How they ended: the tasks and the actions.
        ends: Vec<(Arc<str>, Action)>,
        /// Why the log did not take them, if it has said so.
        #[source]
        error: Option<LogError>,
    },
    /// A run failed outside its body, and `silence_task_prerun` is off.
    #[error("a run of task `{task}` failed before its body began: {reason}")]
    Prerun {
        /// The task.
        task: Arc<str>,
        /// What went wrong.
        reason: String,
    },
    /// A condition is in error, and `silence_cond_check` is off.
    #[error("the condition of {} is in error: {broken}", task.as_ref().map_or_else(|| "the session (`shut_cond`)".to_owned(), |task| format!("task `{task}`")))]
    Condition {
        /// The task; `None`: it is the session's `shut_cond`.
        task: Option<Arc<str>>,
        /// What is wrong.
        broken: Arc<Broken>,
    },
    /// The scheduler itself panicked, which is a fault of ours.
    #[error("the scheduler panicked: {0}")]
    Panicked(String),
}

/// Tells runs: "`load` (success) and `fetch` (fail)".
fn list(ends: &[(Arc<str>, Action)]) -> String {
    let told: Vec<String> =
        ends.iter().map(|(task, action)| format!("`{task}` ({action})")).collect();
    match &told[..] {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => told.concat(),
    }
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(f, self)
    }
}
