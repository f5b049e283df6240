//! Everything that can move the scheduler.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::cond::Condition;
use redengine_core::facts::{History, ProbeId};
use redengine_core::param::Params;
use redengine_core::probe::Pace;
use redengine_core::record::{Reason, Recorded};
use redengine_core::runlog::{Appended, LogError, Member};
use redengine_core::session::{Config, Definition};
use redengine_core::task::{Output, SetupError};
use redengine_core::{TaskId, Timestamp};

use crate::engine::{ReplyTo, RunKey};

/// Everything that can move the scheduler: the closed list.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A task is new, or another one than before.
    Defined(Arc<Definition>),
    /// A task is gone.
    Removed(TaskId),
    /// A run is asked for.
    RunRequested {
        /// The task.
        task: TaskId,
        /// The run's own parameters.
        params: Arc<Params>,
        /// Who wants to hear how it ended.
        reply: Option<ReplyTo>,
    },
    /// The live runs of a task should stop.
    Terminate(TaskId),
    /// No runs should start.
    Held,
    /// Runs may start again.
    Resumed,
    /// The session should end in order; a second time, now.
    Shutdown,
    /// The session should end now.
    ShutdownNow,
    /// The configuration has changed; with it, its compiled `shut_cond`.
    Configured(Arc<Config>, Option<Arc<Condition>>),
    /// There are more probes; how often each is asked.
    Probes(Vec<Pace>),
    /// A parameter has changed; its value as text, if it has one.
    Param(Arc<str>, Option<Arc<str>>),
    /// The log has answered an append.
    Appended(RunKey, Appended),
    /// The log has failed; appends of this run's start may or may not have happened.
    ClaimFailed(RunKey),
    /// The log does not answer: nothing can start.
    LogFailed(LogError),
    /// The log answers again.
    LogRestored,
    /// The log lacks records that it had: what is known of the past is not so any more.
    LogReplaced,
    /// The session's lease may have ended: nothing can start.
    LeaseLost,
    /// The session's lease is held; these sessions share the log.
    LeaseHeld(Vec<Member>),
    /// Others have taken over from this session; it has another name from now on.
    Renamed(Arc<str>),
    /// The past of tasks was read from the log.
    Read(Vec<Remembered>),
    /// Others have written to the log.
    Followed(Vec<(TaskId, Recorded)>),
    /// A body has ended.
    Ended(RunKey, BodyEnd),
    /// A probe has answered.
    Probed(ProbeId, Result<bool, Arc<str>>),
    /// The clock was set. It comes before what happened by the new time.
    ClockStepped(Step),
}

/// How the clock was set, against elapsed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It shows so much more than it would.
    Forward(Duration),
    /// It shows so much less than it would.
    Back(Duration),
}

impl Step {
    /// Tells what the clock would have shown then if it had been set already.
    pub fn shift(self, shown: Timestamp) -> Timestamp {
        match self {
            Self::Forward(by) => shown.after(by),
            Self::Back(by) => shown.before(by),
        }
    }
}

/// What the log remembers of a task, and what it returned last.
pub type Remembered = (TaskId, History, Option<Output>);

/// How a body ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyEnd {
    /// It returned a value.
    Succeeded(Output),
    /// It found nothing to do.
    Inaction,
    /// It returned an error, or panicked.
    Failed(Reason),
    /// An argument could not be had.
    SetupFailed(SetupError),
    /// It was aborted.
    Aborted,
}
