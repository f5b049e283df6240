//! Who was first: what a log in a database must know to decide an append, and no more.
//!
//! Always: a ledger is the fold of all records up to [`Ledger::last`], in the order of their numbers.
//! So it can be made again from a copy of it that was written down, and the records after that. What
//! it takes does not grow with the number of records, only with that of tasks and of live runs.
//!
//! It does no I/O and writes nothing: whoever holds it sees to it that nobody else writes meanwhile,
//! and forgets it when a write has failed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use redengine_core::Timestamp;
use redengine_core::record::{Action, Record, RunId, Seq};
use redengine_core::runlog::Expect;
use smallvec::SmallVec;

/// The fold of all records.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    last: Seq,
    /// Which record the last one is; `None`: it was not folded here.
    last_key: Option<(RunId, Action)>,
    by_name: HashMap<Arc<str>, usize, RandomState>,
    tasks: Vec<TaskLedger>,
    /// The runs that have begun and not ended.
    open: HashMap<RunId, Open, RandomState>,
    /// Runs that have an end and had not begun then: they never open. Only who ends runs by
    /// [`Expect::Latest`] makes such.
    ended: HashSet<RunId, RandomState>,
    /// The places of the tasks that have changed since [`Ledger::take_changed`].
    changed: Vec<usize>,
}

/// A run that has begun and not ended.
#[derive(Clone, Copy, Debug)]
struct Open {
    task: usize,
    seq: Seq,
}

/// What is known of all records of one task.
#[derive(Debug)]
pub(crate) struct TaskLedger {
    pub(crate) name: Arc<str>,
    /// Its number in the database; 0: it has none yet.
    pub(crate) id: i64,
    pub(crate) latest: Option<Seq>,
    /// How many of the latest ends in a row are failures.
    pub(crate) failures: u64,
    /// One for each action that there are records of. Most tasks only ever begin and succeed.
    pub(crate) tallies: SmallVec<[Tally; 2]>,
    /// The `run` records of runs that have not ended, in order.
    pub(crate) open: SmallVec<[(Seq, RunId); 1]>,
    /// The run that began last since the ledger was opened, and the record before it.
    #[cfg(feature = "postgres")]
    begun: Option<(Option<Seq>, RunId)>,
    is_changed: bool,
}

/// What is known of all records of one action of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) action: Action,
    /// How many there have been.
    pub(crate) count: u64,
    /// The latest.
    pub(crate) last: Seq,
    /// The latest of those with the greatest start.
    pub(crate) top: (Timestamp, Seq),
}

impl TaskLedger {
    /// Makes one without records.
    pub(crate) fn new(name: Arc<str>, id: i64) -> Self {
        Self {
            name,
            id,
            latest: None,
            failures: 0,
            tallies: SmallVec::new(),
            open: SmallVec::new(),
            #[cfg(feature = "postgres")]
            begun: None,
            is_changed: false,
        }
    }

    /// Tells how many records of each action there have been, in the order of [`Action::ALL`].
    pub(crate) fn counts(&self) -> [u64; 6] {
        let mut counts = [0; 6];
        for tally in &self.tallies {
            // OK because an action's number is below six.
            counts[tally.action as usize] = tally.count;
        }
        counts
    }
}

impl Ledger {
    /// Goes on from a ledger that was written down when `last` was the last record.
    pub(crate) fn restored(last: Seq, tasks: impl IntoIterator<Item = TaskLedger>) -> Self {
        let mut ledger = Self { last, ..Self::default() };
        for task in tasks {
            let place = ledger.tasks.len();
            let open = task.open.iter().map(|(seq, run)| (*run, Open { task: place, seq: *seq }));
            ledger.open.extend(open);
            ledger.by_name.insert(Arc::clone(&task.name), place);
            ledger.tasks.push(task);
        }
        ledger
    }

    /// Lists the runs that have an end and had not begun then.
    pub(crate) fn ended(&self) -> impl Iterator<Item = RunId> {
        self.ended.iter().copied()
    }

    /// Notes that a run has an end and had not begun then, as [`Ledger::ended`] told.
    pub(crate) fn note_ended(&mut self, run: RunId) {
        self.ended.insert(run);
    }

    /// Tells the number of the last record.
    pub(crate) fn last(&self) -> Seq {
        self.last
    }

    /// Tells whether a record may be appended now: the log is as it expects.
    pub(crate) fn is_expected(&self, record: &Record, expect: Expect) -> bool {
        match expect {
            Expect::Latest(seq) => self.task(&record.task).and_then(|task| task.latest) == seq,
            Expect::Open => {
                let open = self.open.get(&record.run);
                open.is_some_and(|open| self.tasks[open.task].name == record.task)
            }
        }
    }

    /// Tells whether another run has begun where this record was to begin one. Then it is not in the log,
    /// however often it was appended with this expectation.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_taken(&self, record: &Record, expect: Expect) -> bool {
        let Expect::Latest(seq) = expect else { return false };
        let begun = self.task(&record.task).and_then(|task| task.begun);
        record.action == Action::Run
            && begun.is_some_and(|(after, run)| after == seq && run != record.run)
    }

    /// Looks up a task.
    pub(crate) fn task(&self, name: &str) -> Option<&TaskLedger> {
        // OK because places come only from `place`, and no task is ever taken away.
        self.by_name.get(name).map(|place| &self.tasks[*place])
    }

    /// Lists the tasks, in the order in which they came.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &TaskLedger> {
        self.tasks.iter()
    }

    /// Lists the tasks that have runs which have begun and not ended.
    pub(crate) fn unfinished(&self) -> Vec<Arc<str>> {
        let places: HashSet<usize> = self.open.values().map(|open| open.task).collect();
        places.into_iter().map(|place| Arc::clone(&self.tasks[place].name)).collect()
    }

    /// Notes the number that a task has in the database.
    pub(crate) fn set_id(&mut self, name: &Arc<str>, id: i64) {
        let place = self.place(name);
        self.tasks[place].id = id;
    }

    /// Takes the first record that a log has from the last number on; tells whether the log is the one
    /// that was folded in. One that was restored from a backup has another record there, or none.
    ///
    /// A record that was folded in last here is there unless others came after it and were folded in
    /// where it was removed: then the ledger is made again from a copy, which is what is right anyhow.
    pub(crate) fn goes_on(&mut self, first: Option<(Seq, RunId, Action)>) -> bool {
        let there =
            first.filter(|(seq, ..)| *seq == self.last).map(|(_, run, action)| (run, action));
        let is_same = self.last_key.is_none() || self.last_key == there;
        self.last_key = self.last_key.or(there);
        is_same
    }

    /// Folds in the next record.
    pub(crate) fn fold(&mut self, seq: Seq, record: &Record) {
        self.last = seq;
        self.last_key = Some((record.run, record.action));
        let place = self.place(&record.task);
        self.open_or_close(place, seq, record);
        let task = &mut self.tasks[place];
        #[cfg(feature = "postgres")]
        if record.action == Action::Run {
            task.begun = Some((task.latest, record.run));
        }
        task.latest = Some(seq);
        let top = (record.started, seq);
        match task.tallies.iter_mut().find(|tally| tally.action == record.action) {
            Some(tally) => {
                tally.count += 1;
                tally.last = seq;
                tally.top = tally.top.max(top);
            }
            None => {
                task.tallies.push(Tally { action: record.action, count: 1, last: seq, top });
            }
        }
        match record.action {
            Action::Run => {}
            Action::Fail => task.failures += 1,
            _ => task.failures = 0,
        }
        self.note_change(place);
    }

    /// Takes the tasks that have changed since the last time: what is to be written down.
    pub(crate) fn take_changed(&mut self) -> Vec<&TaskLedger> {
        let places = std::mem::take(&mut self.changed);
        for place in &places {
            self.tasks[*place].is_changed = false;
        }
        places.into_iter().map(|place| &self.tasks[place]).collect()
    }

    fn open_or_close(&mut self, place: usize, seq: Seq, record: &Record) {
        if record.action == Action::Run {
            if !self.ended.contains(&record.run) {
                self.open.insert(record.run, Open { task: place, seq });
                self.tasks[place].open.push((seq, record.run));
            }
            return;
        }
        match self.open.remove(&record.run) {
            Some(open) => {
                self.tasks[open.task].open.retain(|(seq, _)| *seq != open.seq);
                self.note_change(open.task);
            }
            None => {
                self.ended.insert(record.run);
            }
        }
    }

    fn note_change(&mut self, place: usize) {
        if !self.tasks[place].is_changed {
            self.tasks[place].is_changed = true;
            self.changed.push(place);
        }
    }

    fn place(&mut self, name: &Arc<str>) -> usize {
        if let Some(place) = self.by_name.get(name) {
            return *place;
        }
        let place = self.tasks.len();
        self.tasks.push(TaskLedger::new(Arc::clone(name), 0));
        self.by_name.insert(Arc::clone(name), place);
        place
    }
}
