//! Tells people what happens, as `tracing` events.

use redengine_core::record::{Action, Reason};
use redengine_core::time::Zone;

use crate::effect::Report;

/// Tells people that a session starts.
pub(crate) fn tell_start(tasks: usize, zone: &Zone) {
    // Which rules an odd hour was decided by must be told when somebody asks why.
    tracing::info!(
        target: "redengine",
        tasks,
        %zone,
        tzdb = %Zone::database(),
        "the session starts"
    );
}

/// Tells people.
pub(crate) fn tell(report: &Report) {
    match report {
        Report::Ended { task, run, action: Action::Fail | Action::Crash, took, reason } => {
            let reason = reason.as_ref().map_or_else(|| "unknown".to_owned(), Reason::to_string);
            tracing::error!(target: "redengine::run", task = &**task, %run, ?took, reason, "failed");
        }
        Report::Ended { task, run, action: Action::Terminate, took, reason } => {
            let reason = reason.as_ref().map_or_else(|| "unknown".to_owned(), Reason::to_string);
            tracing::warn!(target: "redengine::run", task = &**task, %run, ?took, reason, "terminated");
        }
        Report::Ended { task, run, action: Action::Inaction, took, .. } => {
            tracing::info!(target: "redengine::run", task = &**task, %run, ?took, "nothing to do");
        }
        Report::Ended { task, run, took, .. } => {
            tracing::info!(target: "redengine::run", task = &**task, %run, ?took, "succeeded");
        }
        Report::Broken { task, broken } => {
            let task = task.as_deref().unwrap_or("(shut_cond)");
            tracing::error!(target: "redengine", task, %broken, "a condition is in error");
        }
        Report::Stopping { task, run, reason } => {
            tracing::warn!(target: "redengine::run", task = &**task, %run, reason, "told to stop");
        }
        Report::StillRunning { task, run } => tracing::error!(
            target: "redengine::run",
            task = &**task,
            %run,
            "still running: it blocks its thread and does not look at `Cancel`, so nobody can stop it"
        ),
        Report::Unwritten { task, run, action } => tracing::error!(
            target: "redengine::run",
            task = &**task,
            %run,
            %action,
            "the run log did not take how it ended; the next session will record it as crashed"
        ),
        Report::Unserved { task, requests } => tracing::warn!(
            target: "redengine",
            task = &**task,
            requests,
            "the session is over before runs that were asked for began"
        ),
        Report::Misplaced { task, label } => tracing::warn!(
            target: "redengine",
            task = &**task,
            label = &**label,
            "a run was asked for that may not run here: `node_labels` of this session lack the label"
        ),
        Report::ShuttingDown { live } => {
            tracing::info!(target: "redengine", live, "shutting down");
        }
    }
}
