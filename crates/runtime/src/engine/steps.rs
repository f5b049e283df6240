//! The clock is set: what waits for elapsed time waits for as long as it would have, and what waits
//! for an instant is looked at by the new time.
//!
//! Records keep what the clock showed when they were made.

use super::Engine;
use super::agenda::Key;
use crate::event::Step;

impl Engine {
    pub(super) fn clock_stepped(&mut self, step: Step) {
        let timers = self.runs.iter().filter_map(|(_, run)| run.timer);
        let pauses = self.probes.iter().map(|slot| slot.key);
        let keys: Vec<Key> = timers.chain(pauses).chain(self.phase.deadline()).collect();
        for key in keys {
            let at = self.agenda.at(key).map(|at| step.shift(at));
            self.agenda.set(key, at);
        }
        for run in self.runs.iter_mut() {
            run.since = step.shift(run.since);
        }
        self.turns.clock_stepped(step);
        self.last_cycle = step.shift(self.last_cycle);
        self.facts.started = self.facts.started.map(|at| step.shift(at));
        if let Step::Back(_) = step {
            // Or it would wait until the old time is reached again. What is due by a clock that was
            // set forward is found in the agenda.
            self.look_at_all();
        }
    }
}
