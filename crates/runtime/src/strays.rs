//! Live runs of tasks that this session does not know: somebody must end them when their sessions are
//! gone, or they would be live for ever.
//!
//! Those without a name are left alone: nobody can tell whether their owners are there, and here they hold
//! up nothing.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::facts::{History, Keep, Live};
use redengine_core::record::{Action, Recorded, RunId};
use redengine_core::runlog::Past;

/// The live runs of unknown tasks.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    runs: HashMap<RunId, (Arc<str>, Live)>,
}

impl Strays {
    /// Takes those that a task has by its past.
    pub(crate) fn take(&mut self, task: &Arc<str>, past: &Past) {
        for live in History::restored(past, Keep::default()).live() {
            self.add(task, live.clone());
        }
    }

    /// Notes what was written of a task.
    pub(crate) fn note(&mut self, Recorded { record, .. }: &Recorded) {
        if record.action == Action::Run {
            let node = record.details.as_ref().and_then(|details| details.node.clone());
            self.add(&record.task, Live { run: record.run, started: record.started, node });
        } else {
            self.runs.remove(&record.run);
        }
    }

    /// Forgets a run that the log does not have as live: others have ended it, or its record was lost.
    pub(crate) fn lost(&mut self, run: RunId) {
        self.runs.remove(&run);
    }

    /// Forgets the runs of a task that the session knows from now on.
    pub(crate) fn forget(&mut self, task: &str) {
        self.runs.retain(|_, (name, _)| **name != *task);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Tells the runs, each with the name of its task.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Live)> {
        self.runs.values().map(|(task, live)| (task, live))
    }

    fn add(&mut self, task: &Arc<str>, live: Live) {
        if live.node.is_some() {
            self.runs.insert(live.run, (task.clone(), live));
        }
    }
}
