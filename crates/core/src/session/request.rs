//! What a running session can be asked: the closed list.

use std::sync::Arc;

use futures::channel::oneshot;

use super::registry::Definition;
use super::why::Why;
use crate::param::Params;
use crate::record::{Action, Reason, RunId};
use crate::task::TaskId;

/// A request to the runtime.
#[derive(Debug)]
#[non_exhaustive]
#[doc(hidden)]
pub enum Request {
    /// A task is new, or another one than before.
    Define(Arc<Definition>),
    /// A task is gone.
    Remove(TaskId),
    /// A run is asked for.
    Run {
        /// The task.
        task: TaskId,
        /// The run's own parameters.
        params: Params,
        /// Who wants to hear how it ended.
        reply: oneshot::Sender<Ended>,
    },
    /// Somebody wants to know why a task runs or does not.
    Why {
        /// The task.
        task: TaskId,
        /// Who.
        reply: oneshot::Sender<Why>,
    },
    /// The live runs of a task should stop.
    Terminate(TaskId),
    /// No runs should start.
    Hold,
    /// Runs may start again.
    Resume,
    /// The session should end in order.
    Shutdown,
    /// The session should end now.
    ShutdownNow,
    /// The configuration has changed.
    Configured,
    /// The parameters have changed.
    Params,
}

/// How a run that was asked for ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The run.
    pub run: RunId,
    /// Its outcome.
    pub action: Action,
    /// Why, if it did not succeed.
    pub reason: Option<Reason>,
}
