//! Everything the scheduler can ask for.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::TaskId;
use redengine_core::cond::Broken;
use redengine_core::facts::{Keep, ProbeId};
use redengine_core::param::{Params, RunInfo};
use redengine_core::record::{Action, Reason, RunId};
use redengine_core::runlog::Append;
use redengine_core::session::{Definition, Ended};
use redengine_core::task::{Execution, Output};

use crate::engine::{ReplyTo, RunKey};
use crate::error::RunError;

/// Everything the scheduler can ask for: the closed list.
#[derive(Debug)]
#[non_exhaustive]
pub enum Effect {
    /// Append a record; answered by `Appended`, or for the start of a run by `ClaimFailed`.
    Append(RunKey, Append),
    /// Start a run whose record is won; answered by `Ended`.
    Start(Ticket),
    /// Tell a run to stop.
    Stop(RunKey),
    /// Abort a run; answered by `Ended`.
    Abort(RunKey),
    /// Do not wait for the end of a run any longer.
    Abandon(RunKey),
    /// Read the past of tasks; answered by `Read`.
    Read(Vec<(TaskId, Keep)>),
    /// Ask a probe; answered by `Probed`.
    Ask(ProbeId),
    /// Tell who asked for a run how it ended.
    Reply(ReplyTo, Ended),
    /// Tell who asked for a run that there will be none.
    Forget(ReplyTo),
    /// Tell people of something.
    Report(Report),
    /// The session is over.
    Finish(Result<(), RunError>),
}

/// The right to start a run: its record is in the log.
#[derive(Debug)]
pub struct Ticket {
    /// The run.
    pub key: RunKey,
    /// The task.
    pub definition: Arc<Definition>,
    /// Where it runs.
    pub execution: Execution,
    /// Which run it is.
    pub info: RunInfo,
    /// The run's own parameters.
    pub params: Option<Arc<Params>>,
    /// What the tasks that it wants returned last.
    pub returns: Vec<(&'static str, Output)>,
}

/// What people are told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report {
    /// A run has ended.
    Ended {
        /// The task.
        task: Arc<str>,
        /// The run.
        run: RunId,
        /// Its outcome.
        action: Action,
        /// How long it took.
        took: Duration,
        /// Why, if it did not succeed.
        reason: Option<Reason>,
    },
    /// A condition is in error, in another way than before.
    Broken {
        /// The task; `None`: it is the session's `shut_cond`.
        task: Option<Arc<str>>,
        /// What is wrong.
        broken: Arc<Broken>,
    },
    /// A run was told to stop.
    Stopping {
        /// The task.
        task: Arc<str>,
        /// The run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// A run that blocks a thread did not end when it was told to stop; nobody can abort it.
    StillRunning {
        /// The task.
        task: Arc<str>,
        /// The run.
        run: RunId,
    },
    /// The session is over before the log took the record of a run's end.
    Unwritten {
        /// The task.
        task: Arc<str>,
        /// The run.
        run: RunId,
        /// How it ended.
        action: Action,
    },
    /// The session is over before runs that were asked for began.
    Unserved {
        /// The task.
        task: Arc<str>,
        /// How many runs.
        requests: usize,
    },
    /// A run was asked for that this session may not run, since it lacks a label.
    Misplaced {
        /// The task.
        task: Arc<str>,
        /// What the session is not good for.
        label: Arc<str>,
    },
    /// The session ends in order.
    ShuttingDown {
        /// How many runs are live.
        live: usize,
    },
}
