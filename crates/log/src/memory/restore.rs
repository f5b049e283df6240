//! What a log in files must know of removed records, and reading it back.
//!
//! Always: a log that is restored from what is left, with its marks, answers `past` as before.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use redengine_core::record::{Action, Details, Recorded, Seq};
use redengine_core::runlog::{LogError, Prune, Query};

use super::{MemoryLog, State};

/// What a record says of others that were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// How many records of its task and action there have been, with this one.
    pub(crate) count: Option<u64>,
    /// How many of the latest ends of its task in a row are failures, with this one.
    pub(crate) failures: Option<u64>,
    /// How its run ended.
    pub(crate) ended: Option<Action>,
}

/// Makes a log of what was written.
#[derive(Default)]
pub(crate) struct Restore {
    state: State,
    /// Those of the last record: most share theirs with the one before.
    details: Option<Arc<Details>>,
}

impl Restore {
    pub(crate) fn last(&self) -> Seq {
        self.state.last_seq
    }

    /// Adds the next record, whose number must be greater than the last. If its run has one of that
    /// action already, fails with the number of that one.
    pub(crate) fn add(
        &mut self,
        Recorded { seq, mut record }: Recorded,
        marks: Marks,
    ) -> Result<(), Seq> {
        let runs = &self.state.runs;
        let there = runs.get(record.run).and_then(|run| runs.seq(record.run, run, record.action));
        there.map_or(Ok(()), Err)?;
        if record.details.is_some() && record.details == self.details {
            record.details.clone_from(&self.details);
        } else {
            self.details.clone_from(&record.details);
        }
        let (action, run) = (record.action, record.run);
        let known = self.state.by_name.get(&record.task).copied();
        let task = known.unwrap_or(self.state.histories.len());
        self.state.write_as(seq, known, record);
        let history = &mut self.state.histories[task];
        history.correct(action, marks);
        if let Some(ended) = marks.ended {
            self.state.runs.note_removed_end(run, ended);
            history.close(seq);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> MemoryLog {
        let log = MemoryLog { state: Arc::new(Mutex::new(self.state)), last: Arc::default() };
        log.tell(log.lock().last_seq);
        log
    }
}

impl MemoryLog {
    /// The numbers of the records that may be removed.
    pub(crate) fn removable(&self, prune: &Prune) -> HashSet<Seq> {
        self.lock().removable(prune)
    }

    /// Removes records by their numbers; tells how many.
    pub(crate) fn remove(&self, gone: &HashSet<Seq>) -> u64 {
        self.lock().remove(gone)
    }

    /// Fails unless records may be imported.
    pub(crate) fn check(&self, records: &[Recorded]) -> Result<(), LogError> {
        self.lock().check(records)
    }

    /// The next records that stay, and what must be noted of those that go.
    pub(crate) fn staying(
        &self,
        after: Seq,
        limit: usize,
        gone: &HashSet<Seq>,
    ) -> (Option<Seq>, Vec<(Recorded, Marks)>) {
        let state = self.lock();
        let mut records = state.read(&Query::all().after(after).limit(limit));
        let last = records.last().map(|last| last.seq);
        records.retain(|recorded| !gone.contains(&recorded.seq));
        let marked = records.into_iter().map(|recorded| {
            let marks = state.marks(&recorded, gone);
            (recorded, marks)
        });
        (last, marked.collect())
    }
}

impl State {
    fn marks(&self, Recorded { seq, record }: &Recorded, gone: &HashSet<Seq>) -> Marks {
        let Some(task) = self.by_name.get(&record.task) else { return Marks::default() };
        let mut marks = self.histories[*task].marks(*seq, record.action);
        if record.action == Action::Run
            && let Some(run) = self.runs.get(record.run)
            && let Some((action, end)) = run.end()
            && (gone.contains(&end) || self.held(end, Some(run)).is_none())
        {
            marks.ended = Some(action);
        }
        marks
    }
}
