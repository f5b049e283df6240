//! Who waits on what moves.
//!
//! Always: a waiting subject is entered with its generation; when it is looked at again the
//! generation changes, and entries that are left behind are harmless. Lists are swept when they would
//! grow, so there are never more than twice as many entries as waits. Probes are the exception: their
//! waits are taken out at once, for a probe is asked only while somebody waits.

use std::collections::{HashMap, HashSet};

use redengine_core::TaskId;
use redengine_core::cond::Topic;
use redengine_core::facts::ProbeId;
use redengine_core::record::{Action, ActionSet};
use smallvec::SmallVec;

use super::agenda::Key;

/// A wait on a task, a cycle or a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// Who waits.
    pub key: Key,
    /// Which of its waits it is.
    pub generation: u32,
    actions: ActionSet,
}

/// Who waits on what moves.
#[derive(Debug, Default)]
pub(super) struct Watch {
    tasks: HashMap<TaskId, Vec<Wait>>,
    cycles: Vec<Wait>,
    params: Vec<Wait>,
    probes: HashMap<ProbeId, HashSet<Key>>,
    asking: HashMap<Key, SmallVec<[ProbeId; 2]>>,
}

impl Watch {
    /// Enters a wait. `current` tells the generation of a subject. Tells the probe if it has to be
    /// asked from now on.
    pub(super) fn wait(
        &mut self,
        key: Key,
        generation: u32,
        topic: Topic,
        current: impl Fn(Key) -> u32,
    ) -> Option<ProbeId> {
        let (list, actions) = match topic {
            Topic::Task { task, actions } => (self.tasks.entry(task).or_default(), actions),
            Topic::Cycles => (&mut self.cycles, ActionSet::default()),
            Topic::Params => (&mut self.params, ActionSet::default()),
            Topic::Probe(probe) => {
                let keys = self.probes.entry(probe).or_default();
                let first = keys.is_empty();
                if keys.insert(key) {
                    self.asking.entry(key).or_default().push(probe);
                }
                return first.then_some(probe);
            }
        };
        if list.len() == list.capacity() {
            list.retain(|wait| current(wait.key) == wait.generation);
        }
        list.push(Wait { key, generation, actions });
        None
    }

    /// Takes out the waits of a subject on probes; tells those that nobody waits on any more.
    pub(super) fn stop_asking(&mut self, key: Key) -> SmallVec<[ProbeId; 2]> {
        let mut alone = SmallVec::new();
        for probe in self.asking.remove(&key).unwrap_or_default() {
            if let Some(keys) = self.probes.get_mut(&probe) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.probes.remove(&probe);
                    alone.push(probe);
                }
            }
        }
        alone
    }

    /// Tells who waits on a probe.
    pub(super) fn on_probe(&self, probe: ProbeId) -> impl Iterator<Item = Key> + '_ {
        self.probes.get(&probe).into_iter().flatten().copied()
    }

    /// Takes out those that wait for such a record of a task.
    pub(super) fn on_record(&mut self, task: TaskId, action: Action, into: &mut Vec<Wait>) {
        if let Some(list) = self.tasks.get_mut(&task) {
            into.extend(list.extract_if(.., |wait| wait.actions.contains(action)));
        }
    }

    /// Takes out all that wait for a record of a task.
    pub(super) fn on_history(&mut self, task: TaskId, into: &mut Vec<Wait>) {
        into.append(self.tasks.get_mut(&task).unwrap_or(&mut Vec::new()));
    }

    /// Takes out those that wait for the end of a cycle.
    pub(super) fn on_cycle(&mut self, into: &mut Vec<Wait>) {
        into.append(&mut self.cycles);
    }

    /// Takes out those that wait for a parameter.
    pub(super) fn on_params(&mut self, into: &mut Vec<Wait>) {
        into.append(&mut self.params);
    }
}
