//! Which records of which runs there are.
//!
//! This answers whether a run is open, and whether a record is in the log already. A run has one
//! `run` record and one end but for those who append ends by [`Expect::Latest`]: the rest is kept
//! aside, so that it costs the others nothing.
//!
//! [`Expect::Latest`]: redengine_core::runlog::Expect::Latest

use std::collections::HashMap;

use foldhash::fast::RandomState;
use redengine_core::record::{Action, RunId, Seq};

/// What there is of one run.
#[derive(Clone, Copy)]
pub(super) struct RunState {
    /// The number of its `run` record; 0 if there is none.
    begin: Seq,
    /// The number of its first end; 0 if there is none.
    end: Seq,
    end_action: Action,
    /// The task of its `run` record, or of its first record if there is none.
    task: u32,
    /// How many of its records are in memory.
    held: u8,
    /// Whether it has records of several tasks.
    is_mixed: bool,
}

impl RunState {
    /// Makes the state of a run of which there are no records yet.
    pub(super) fn new(task: usize) -> Self {
        Self {
            begin: Seq(0),
            end: Seq(0),
            end_action: Action::Run,
            // Four thousand million tasks do not fit into memory.
            task: u32::try_from(task).unwrap_or(u32::MAX),
            held: 0,
            is_mixed: false,
        }
    }

    /// Notes a new record; `true` if it is a further end, of which the state keeps nothing.
    pub(super) fn note(&mut self, task: usize, action: Action, seq: Seq) -> bool {
        let task = u32::try_from(task).unwrap_or(u32::MAX);
        // A run has at most one record of each of six actions.
        self.held = self.held.saturating_add(1);
        self.is_mixed |= self.task != task;
        if action == Action::Run {
            self.begin = seq;
            self.task = task;
        } else if self.end == Seq(0) {
            self.end = seq;
            self.end_action = action;
        } else {
            return true;
        }
        false
    }

    pub(super) fn is_open(self) -> bool {
        self.begin != Seq(0) && self.end == Seq(0)
    }

    /// The action and the number of its first end.
    #[cfg(any(feature = "csv", feature = "jsonl"))]
    pub(super) fn end(self) -> Option<(Action, Seq)> {
        (self.end != Seq(0)).then_some((self.end_action, self.end))
    }

    pub(super) fn is_of(self, task: usize) -> bool {
        self.task() == task
    }

    pub(super) fn is_mixed(self) -> bool {
        self.is_mixed
    }

    pub(super) fn task(self) -> usize {
        self.task as usize
    }
}

/// The number of an end that is known only to have been there.
const REMOVED: Seq = Seq(u64::MAX);

/// What a new record did to its run.
pub(super) enum Noted {
    /// It is open now.
    Began,
    /// It is no longer open; its `run` record is this one.
    Ended { task: usize, begin: Seq },
    /// It is as open as it was.
    Neither,
}

/// How many maps the runs are spread over.
const SHARDS: usize = 64;

/// All runs that have records in memory.
pub(super) struct Runs {
    /// By the last byte of their id, which is random. One map of a million runs stops everything
    /// for 60 ms when it grows; of many, a small one grows at a time.
    shards: Vec<HashMap<RunId, RunState, RandomState>>,
    further_ends: HashMap<(RunId, Action), Seq>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { shards: vec![HashMap::default(); SHARDS], further_ends: HashMap::new() }
    }
}

impl Runs {
    pub(super) fn get(&self, id: RunId) -> Option<RunState> {
        // OK because a shard's number is below the number of shards.
        self.shards[shard(id)].get(&id).copied()
    }

    /// Tells the number of the record of this run and action, if there is one.
    pub(super) fn seq(&self, id: RunId, run: RunState, action: Action) -> Option<Seq> {
        let seq = match action {
            Action::Run => run.begin,
            end if run.end == Seq(0) || run.end_action == end => run.end,
            end => self.further_ends.get(&(id, end)).copied().unwrap_or_default(),
        };
        (seq != Seq(0) && seq != REMOVED).then_some(seq)
    }

    /// Notes a new record.
    pub(super) fn note(&mut self, id: RunId, task: usize, action: Action, seq: Seq) -> Noted {
        let run = self.shards[shard(id)].entry(id).or_insert_with(|| RunState::new(task));
        let was_open = run.is_open();
        if run.note(task, action, seq) {
            self.further_ends.insert((id, action), seq);
        }
        match (was_open, run.is_open()) {
            (false, true) => Noted::Began,
            (true, false) => Noted::Ended { task: run.task(), begin: run.begin },
            _ => Noted::Neither,
        }
    }

    /// Notes that a run has ended and that the record of its end was removed.
    #[cfg(any(feature = "csv", feature = "jsonl"))]
    pub(super) fn note_removed_end(&mut self, id: RunId, action: Action) {
        if let Some(run) = self.shards[shard(id)].get_mut(&id) {
            run.end = REMOVED;
            run.end_action = action;
        }
    }

    /// Notes that a record is no longer in memory. The last one takes the run with it.
    pub(super) fn release(&mut self, id: RunId) {
        let shard = &mut self.shards[shard(id)];
        let Some(run) = shard.get_mut(&id) else { return };
        run.held = run.held.saturating_sub(1);
        if run.held == 0 {
            shard.remove(&id);
            if !self.further_ends.is_empty() {
                for action in Action::ALL {
                    self.further_ends.remove(&(id, action));
                }
            }
        }
    }
}

fn shard(id: RunId) -> usize {
    usize::from(id.as_bytes()[15]) % SHARDS
}
