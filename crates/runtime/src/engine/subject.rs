//! What the engine looks at: the conditions of tasks, timers of runs, probes.
//!
//! Always: a subject that is ready is in the queue once, and in neither the agenda nor any probe's
//! list; its generation changes with each look, which makes the waits of earlier looks stale.

use redengine_core::TaskId;
use redengine_core::facts::ProbeId;

use super::RunKey;
use super::agenda::Key;

/// Something that waits for an instant or for something that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The condition under which a task starts.
    Start(TaskId),
    /// The condition under which its runs are stopped.
    End(TaskId),
    /// The condition under which the session ends.
    Shut,
    /// The next question to a probe.
    Probe(ProbeId),
    /// The timeout or the grace of a run.
    Run(RunKey),
    /// The end of patience at shutdown.
    Deadline,
}

/// What a subject is up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// It waits.
    #[default]
    Waiting,
    /// It will be looked at in the next cycle.
    Ready,
    /// What it needs is being read from the log.
    Reading,
    /// What it needs was just read; it will be looked at in the next cycle.
    Fresh,
    /// It would be looked at, but nothing may start.
    Parked,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub subject: Subject,
    pub generation: u32,
    pub state: State,
}

/// The subjects by key.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    entries: Vec<Entry>,
    free: Vec<Key>,
}

impl Subjects {
    pub(super) fn add(&mut self, subject: Subject) -> Key {
        if let Some(key) = self.free.pop() {
            let entry = &mut self.entries[key as usize];
            entry.subject = subject;
            entry.state = State::Waiting;
            return key;
        }
        // OK because each subject takes memory: it ends long before the numbers do.
        let key = Key::try_from(self.entries.len()).unwrap_or(Key::MAX);
        self.entries.push(Entry { subject, generation: 0, state: State::Waiting });
        key
    }

    /// Gives a key back. The subject must be out of the agenda and all lists.
    pub(super) fn release(&mut self, key: Key) {
        self.entries[key as usize].generation += 1;
        self.free.push(key);
    }

    pub(super) fn get(&self, key: Key) -> &Entry {
        // OK because keys come only from `add`.
        &self.entries[key as usize]
    }

    pub(super) fn get_mut(&mut self, key: Key) -> &mut Entry {
        &mut self.entries[key as usize]
    }
}
