//! What evaluation may look at: the fold of the run log, the answers of probes, parameters.
//!
//! Always: the histories are what the log says up to some record. [`Facts::apply`] takes what a run
//! log has recorded, in any order and any number of times; it is the only way in, for own runs, for
//! those of other nodes and for the replay at the start alike. Nothing here knows conditions.

mod history;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

pub use history::{History, Keep, Live, Mark};

use crate::record::Recorded;
use crate::task::TaskId;
use crate::time::Timestamp;

/// A probe that some condition of the session uses, as a dense number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub u32);

/// The last answer of a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProbeState {
    /// Nobody has asked, or nobody has waited for it for a while.
    #[default]
    Unknown,
    /// It said so, and has said the same since.
    Known {
        /// The answer.
        value: bool,
        /// When it first said so.
        since: Timestamp,
    },
    /// Asking failed, and has since.
    Failed {
        /// Why.
        reason: Arc<str>,
        /// When it first did.
        since: Timestamp,
    },
}

/// What evaluation may look at.
#[derive(Debug, Default)]
pub struct Facts {
    /// One per task; `None`: nothing is known of it, which costs a waiting task one word.
    histories: Vec<Option<Box<History>>>,
    keep: HashMap<TaskId, Keep>,
    probes: HashMap<ProbeId, ProbeState>,
    params: HashMap<Arc<str>, Option<Arc<str>>>,
    removed: HashMap<TaskId, Arc<str>>,
    /// How many cycles have ended.
    pub cycles: u64,
    /// When the session began to run.
    pub started: Option<Timestamp>,
}

impl Facts {
    /// Folds in a record of a task. Does nothing if it is known already.
    pub fn apply(&mut self, task: TaskId, recorded: &Recorded) -> bool {
        let keep = self.keep.get(&task).copied().unwrap_or_default();
        self.slot(task).get_or_insert_default().apply(recorded, keep)
    }

    /// Takes over a history that was read from the log, unless a newer one is known.
    pub fn restore(&mut self, task: TaskId, history: History) {
        let slot = self.slot(task);
        if slot.as_ref().is_none_or(|known| known.latest_seq() <= history.latest_seq()) {
            *slot = (history.latest_seq().is_some()).then(|| Box::new(history));
        }
    }

    /// Folds what was recorded since it was asked for into a history that was read from the log.
    pub fn caught_up(&self, task: TaskId, mut history: History, since: &[Recorded]) -> History {
        let keep = self.kept(task);
        for recorded in since {
            history.apply(recorded, keep);
        }
        history
    }

    /// Takes over a history that was read from the log, also if a newer one is known: the log lacks
    /// records that it had.
    pub fn replace(&mut self, task: TaskId, history: History) {
        *self.slot(task) = history.latest_seq().is_some().then(|| Box::new(history));
    }

    /// Tells what is known of a task.
    pub fn history(&self, task: TaskId) -> &History {
        static NOTHING: LazyLock<History> = LazyLock::new(History::default);
        self.histories.get(task.index()).and_then(Option::as_deref).unwrap_or(&NOTHING)
    }

    /// Sees to it that enough records of a task are kept.
    pub fn keep(&mut self, task: TaskId, keep: Keep) {
        if keep != Keep::default() {
            let kept = self.keep.entry(task).or_default();
            *kept = kept.max(keep);
        }
    }

    /// Tells how many records of a task are kept.
    pub fn kept(&self, task: TaskId) -> Keep {
        self.keep.get(&task).copied().unwrap_or_default()
    }

    /// Lists the tasks of which more is kept than the default.
    pub fn keeps(&self) -> impl Iterator<Item = (TaskId, Keep)> {
        self.keep.iter().map(|(task, keep)| (*task, *keep))
    }

    /// Notes that a task of this name is gone: conditions that name it are in error from now on.
    pub fn remove(&mut self, task: TaskId, name: Arc<str>) {
        self.removed.insert(task, name);
    }

    /// Notes that a task is there, again or for the first time.
    pub fn add(&mut self, task: TaskId) {
        self.removed.remove(&task);
    }

    /// Tells the name of a task that is gone.
    pub fn removed(&self, task: TaskId) -> Option<&Arc<str>> {
        // Mostly none is, and this is asked at each look.
        if self.removed.is_empty() { None } else { self.removed.get(&task) }
    }

    /// Tells the last answer of a probe.
    pub fn probe(&self, probe: ProbeId) -> &ProbeState {
        static UNKNOWN: ProbeState = ProbeState::Unknown;
        self.probes.get(&probe).unwrap_or(&UNKNOWN)
    }

    /// Takes the answer of a probe; tells whether it is another one than before.
    pub fn answer(
        &mut self,
        probe: ProbeId,
        answer: Result<bool, Arc<str>>,
        now: Timestamp,
    ) -> bool {
        let state = self.probes.entry(probe).or_default();
        let same = match (&*state, &answer) {
            (ProbeState::Known { value, .. }, Ok(new)) => value == new,
            (ProbeState::Failed { reason, .. }, Err(new)) => reason == new,
            _ => false,
        };
        if !same {
            *state = match answer {
                Ok(value) => ProbeState::Known { value, since: now },
                Err(reason) => ProbeState::Failed { reason, since: now },
            };
        }
        !same
    }

    /// Forgets the answer of a probe that nobody waits for: it would be stale when it is used.
    pub fn forget(&mut self, probe: ProbeId) {
        self.probes.remove(&probe);
    }

    /// Takes over a parameter: its value as text, if it has one.
    pub fn set_param(&mut self, name: Arc<str>, text: Option<Arc<str>>) {
        self.params.insert(name, text);
    }

    /// Tells whether a parameter exists, and its value as text if it has one.
    pub fn param(&self, name: &str) -> Option<Option<&str>> {
        self.params.get(name).map(Option::as_deref)
    }

    fn slot(&mut self, task: TaskId) -> &mut Option<Box<History>> {
        if self.histories.len() <= task.index() {
            self.histories.resize_with(task.index() + 1, || None);
        }
        // OK because the line above made room for it.
        &mut self.histories[task.index()]
    }
}
