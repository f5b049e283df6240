//! The records of one run, which are few: each is looked up.

use redengine_core::record::{Action, Recorded, RunId};
use redengine_core::runlog::{Order, Query};

use super::State;

impl State {
    /// The records of a run that a query asks for, in its order; its limit is not looked at.
    pub(super) fn of_run(&self, id: RunId, query: &Query) -> Vec<Recorded> {
        let Some(run) = self.runs.get(id) else { return Vec::new() };
        let seqs = Action::ALL.into_iter().filter_map(|action| self.runs.seq(id, run, action));
        let found = seqs.filter_map(|seq| self.held(seq, Some(run)));
        let mut found: Vec<Recorded> = found.filter(|recorded| query.matches(recorded)).collect();
        found.sort_unstable_by_key(|recorded| recorded.seq);
        if query.order == Order::Newest {
            found.reverse();
        }
        found
    }
}
