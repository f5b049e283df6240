//! Who is looked at in the next cycle, and who waits.

use super::Engine;
use super::agenda::Key;
use super::subject::State;
use crate::effect::Effect;

impl Engine {
    /// Queues a subject for the next cycle.
    pub(super) fn make_ready(&mut self, key: Key) {
        match self.subjects.get(key).state {
            State::Ready | State::Fresh | State::Reading | State::Parked => {}
            State::Waiting => {
                self.stop_waiting(key);
                self.subjects.get_mut(key).state = State::Ready;
                self.ready.push(key);
            }
        }
    }

    /// Takes a subject out of all queues.
    pub(super) fn take_out(&mut self, key: Key) {
        match self.subjects.get(key).state {
            State::Waiting | State::Reading => {}
            State::Ready | State::Fresh => {
                self.ready.retain(|ready| *ready != key);
                self.rest.retain(|rest| *rest != key);
            }
            State::Parked => self.parked.retain(|parked| *parked != key),
        }
    }

    /// Makes all waits of a subject stale.
    pub(super) fn stop_waiting(&mut self, key: Key) {
        self.subjects.get_mut(key).generation += 1;
        self.agenda.set(key, None);
        self.idle_probes.extend(self.watch.stop_asking(key));
    }

    pub(super) fn wake_woken(&mut self) {
        let mut woken = std::mem::take(&mut self.woken);
        for wait in woken.drain(..) {
            if self.subjects.get(wait.key).generation == wait.generation {
                self.make_ready(wait.key);
            }
        }
        self.woken = woken;
    }

    /// Starts again when the log answers and the lease is held: what may or may not have been written
    /// meanwhile is read first.
    pub(super) fn go_on(&mut self, effects: &mut Vec<Effect>) {
        if self.log_down.is_some() || self.lease_lost {
            return;
        }
        for task in std::mem::take(&mut self.doubtful) {
            self.reread(task);
        }
        self.unpark();
        self.send_reads(effects);
    }

    pub(super) fn unpark(&mut self) {
        if self.may_start() {
            for key in std::mem::take(&mut self.parked) {
                self.subjects.get_mut(key).state = State::Waiting;
                self.make_ready(key);
            }
        }
    }

    pub(super) fn may_start(&self) -> bool {
        !self.held && self.log_down.is_none() && !self.lease_lost
    }

    pub(super) fn look_at_broken(&mut self) {
        for (key, _) in std::mem::take(&mut self.broken) {
            self.make_ready(key);
        }
    }

    pub(super) fn look_at_all(&mut self) {
        let keys: Vec<Key> =
            self.tasks.iter().flat_map(|slot| [slot.start, slot.end]).flatten().collect();
        for key in keys.into_iter().chain(self.shut.as_ref().map(|(key, _)| *key)) {
            self.make_ready(key);
        }
    }
}
