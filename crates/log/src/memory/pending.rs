//! What a group of appends would add, before it does.
//!
//! A log in files decides by what is in memory, writes, and only then lets anybody see it. So what
//! was decided and not written yet is kept beside the state; if it cannot be written, it is dropped,
//! and nothing needs to be taken back.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Append, Appended};

use super::runs::RunState;
use super::{MemoryLog, State, is_met};
use crate::queue::{Answers, Group};

/// What became of a group, if it is written.
pub(crate) struct Decided {
    pub(crate) answers: Answers,
    /// What is to be written of each batch.
    pub(crate) batches: Vec<Vec<Recorded>>,
}

impl MemoryLog {
    /// Decides a group of batches, and changes nothing.
    pub(crate) fn decide(&self, group: Group) -> Decided {
        let state = self.lock();
        let mut pending = Pending::new(&state);
        let mut batches = Vec::with_capacity(group.len());
        let answers = group
            .into_iter()
            .map(|batch| {
                let answers = batch.into_iter().map(|append| pending.append(append)).collect();
                batches.push(std::mem::take(&mut pending.written));
                answers
            })
            .collect();
        Decided { answers, batches }
    }

    /// Adds what was decided; nothing else may have been added meanwhile.
    pub(crate) fn add(&self, records: impl IntoIterator<Item = Recorded>) -> Seq {
        let mut state = self.lock();
        state.add(records);
        self.tell(state.last_seq);
        state.last_seq
    }
}

/// A state, and what comes on top of it.
struct Pending<'a> {
    state: &'a State,
    last: Seq,
    /// New tasks, with the numbers that they will have.
    tasks: HashMap<Arc<str>, usize>,
    latest: HashMap<usize, Seq>,
    runs: HashMap<RunId, RunState>,
    there: HashMap<(RunId, Action), Recorded>,
    /// What this batch writes.
    written: Vec<Recorded>,
}

impl<'a> Pending<'a> {
    fn new(state: &'a State) -> Self {
        Self {
            state,
            last: state.last_seq,
            tasks: HashMap::new(),
            latest: HashMap::new(),
            runs: HashMap::new(),
            there: HashMap::new(),
            written: Vec::new(),
        }
    }

    fn append(&mut self, Append { record, expect }: Append) -> Appended {
        if let Some(there) = self.there.get(&(record.run, record.action)) {
            return Appended::Won(there.clone());
        }
        let state = self.state;
        let kept = state.runs.get(record.run);
        if let Some(seq) = kept.and_then(|run| state.runs.seq(record.run, run, record.action)) {
            return Appended::Won(state.held(seq, kept).unwrap_or(Recorded { seq, record }));
        }
        let task = state.by_name.get(&record.task).or_else(|| self.tasks.get(&record.task));
        let task = task.copied();
        let run = self.runs.get(&record.run).copied().or(kept);
        let latest = task.and_then(|task| self.latest_of(task));
        if is_met(expect, task, latest, run) {
            Appended::Won(self.write(task, run, record))
        } else {
            Appended::Lost
        }
    }

    fn latest_of(&self, task: usize) -> Option<Seq> {
        let kept = || self.state.histories.get(task)?.latest();
        self.latest.get(&task).copied().or_else(kept)
    }

    fn write(&mut self, task: Option<usize>, run: Option<RunState>, record: Record) -> Recorded {
        self.last = Seq(self.last.0 + 1);
        let task = task.unwrap_or_else(|| {
            // As `State::write_as` will number it.
            let task = self.state.histories.len() + self.tasks.len();
            self.tasks.insert(Arc::clone(&record.task), task);
            task
        });
        let mut run = run.unwrap_or_else(|| RunState::new(task));
        run.note(task, record.action, self.last);
        self.runs.insert(record.run, run);
        self.latest.insert(task, self.last);
        let recorded = Recorded { seq: self.last, record };
        let key = (recorded.record.run, recorded.record.action);
        self.there.insert(key, recorded.clone());
        self.written.push(recorded.clone());
        recorded
    }
}
