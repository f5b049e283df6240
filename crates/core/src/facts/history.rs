//! What is known of one task's past.
//!
//! Of each action the latest records are kept, as many as the conditions of the session can tell
//! apart ([`Keep`]; mostly one), so that a history takes the same memory after a million runs.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::record::{Action, ActionSet, Record, Recorded, RunId, Seq};
use crate::runlog::Past;
use crate::time::Timestamp;

/// How many of the latest records of each action are kept, in the order of [`Action::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep([u32; 6]);

impl Default for Keep {
    fn default() -> Self {
        Self([1; 6])
    }
}

impl Keep {
    /// Keeps `count` records of some actions, and one of the others.
    pub fn of(actions: ActionSet, count: u64) -> Self {
        let mut keep = Self::default();
        for action in actions.iter() {
            keep.0[action as usize] = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        }
        keep
    }

    /// Keeps what either keeps.
    pub fn max(self, other: Self) -> Self {
        let mut keep = self;
        for (mine, other) in keep.0.iter_mut().zip(other.0) {
            *mine = (*mine).max(other);
        }
        keep
    }

    /// Takes one from those that are kept of an action; tells whether there was one left.
    pub fn take(&mut self, action: Action) -> bool {
        let left = &mut self.0[action as usize];
        let any = *left > 0;
        *left = left.saturating_sub(1);
        any
    }

    /// Tells how many records of an action are kept.
    pub fn count(self, action: Action) -> usize {
        self.0[action as usize] as usize
    }
}

/// What is kept of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its place in the log.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// When its run began.
    pub started: Timestamp,
}

/// A run that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The run.
    pub run: RunId,
    /// When it began.
    pub started: Timestamp,
    /// Who runs it.
    pub node: Option<Arc<str>>,
}

/// What is known of one task's past.
#[derive(Clone, Debug, Default)]
pub struct History {
    latest: Option<(Action, Seq)>,
    /// The actions that there are records of. Most tasks only ever begin and succeed.
    known: SmallVec<[Known; 2]>,
    /// The greatest time of a record.
    newest: Option<Timestamp>,
    failures: u64,
    due: Option<Timestamp>,
    live: SmallVec<[Live; 1]>,
}

/// What is known of the records of one action.
#[derive(Clone, Debug)]
struct Known {
    action: Action,
    marks: SmallVec<[Mark; 1]>,
    /// The greatest start of a run with such a record: a run may end after a later one.
    started: Option<Timestamp>,
    count: u64,
}

impl History {
    /// Makes a history of what a run log tells.
    pub fn restored(past: &Past, keep: Keep) -> Self {
        let mut history = Self::default();
        for recorded in &past.records {
            history.apply(recorded, keep);
        }
        for (action, count) in Action::ALL.into_iter().zip(past.counts) {
            if count > 0 {
                history.known_mut(action).count = count;
            }
        }
        history.failures = past.failures;
        // More starts than ends may have been read.
        let open = |live: &Live| {
            let of_run = past.records.iter().filter(|known| known.record.run == live.run);
            of_run.map(|known| known.seq).any(|seq| past.open.contains(&seq))
        };
        history.live.retain(|live| open(live));
        history
    }

    /// Folds in a record; tells whether it was new.
    pub(super) fn apply(&mut self, recorded: &Recorded, keep: Keep) -> bool {
        let Recorded { seq, record } = recorded;
        if self.latest.is_some_and(|(_, latest)| *seq <= latest) {
            return false;
        }
        let action = record.action;
        self.latest = Some((action, *seq));
        self.newest = self.newest.max(Some(record.at));
        let known = self.known_mut(action);
        known.count += 1;
        known.started = known.started.max(Some(record.started));
        if known.marks.len() >= keep.count(action) {
            known.marks.remove(0);
        }
        known.marks.push(Mark { seq: *seq, at: record.at, started: record.started });
        match action {
            Action::Run => {
                self.due = record.due;
                self.live.push(Live {
                    run: record.run,
                    started: record.started,
                    node: node(record),
                });
            }
            _ => self.live.retain(|live| live.run != record.run),
        }
        match action {
            Action::Fail => self.failures += 1,
            Action::Run => {}
            _ => self.failures = 0,
        }
        true
    }

    /// Tells the status: the action of the latest record.
    pub fn status(&self) -> Option<Action> {
        self.latest.map(|(action, _)| action)
    }

    /// Tells the number of the latest record.
    pub fn latest_seq(&self) -> Option<Seq> {
        self.latest.map(|(_, seq)| seq)
    }

    /// Tells the latest record of an action.
    pub fn last(&self, action: Action) -> Option<Mark> {
        self.known(action)?.marks.last().copied()
    }

    /// Tells the latest record of some actions.
    pub fn last_of(&self, actions: ActionSet) -> Option<Mark> {
        self.known_of(actions)
            .filter_map(|known| known.marks.last().copied())
            .max_by_key(|mark| mark.seq)
    }

    /// Tells the time of the next kept record that is later than `now`. There are such when the clock
    /// was set back; they count from then on.
    pub fn next_in_future(&self, now: Timestamp) -> Option<Timestamp> {
        if self.newest <= Some(now) {
            return None;
        }
        self.known
            .iter()
            .flat_map(|known| &known.marks)
            .map(|mark| mark.at)
            .filter(|at| *at > now)
            .min()
    }

    /// Tells the latest record of some actions that is not later than `now`. Later ones are there
    /// when the clock was set back.
    pub fn last_by(&self, actions: ActionSet, now: Timestamp) -> Option<Mark> {
        self.marks(actions).filter(|mark| mark.at <= now).max_by_key(|mark| mark.seq)
    }

    /// Tells the kept records of some actions, in no order.
    pub fn marks(&self, actions: ActionSet) -> impl Iterator<Item = Mark> {
        self.known_of(actions).flat_map(|known| known.marks.iter().copied())
    }

    /// Tells the latest records of some actions by their place in the log, at most `reach` of them,
    /// the last one last; and how many there are before them. With a `reach` that is kept, this is
    /// the same however many more are.
    pub fn latest(&self, actions: ActionSet, reach: u64) -> (SmallVec<[Mark; 4]>, u64) {
        let mut marks: SmallVec<[Mark; 4]> = self.marks(actions).collect();
        marks.sort_unstable_by_key(|mark| mark.seq);
        let reach = usize::try_from(reach).unwrap_or(usize::MAX);
        marks.drain(..marks.len().saturating_sub(reach));
        let before = self.count(actions).saturating_sub(marks.len() as u64);
        (marks, before)
    }

    /// Tells the greatest start of a run that has a record of the action.
    pub fn latest_start(&self, action: Action) -> Option<Timestamp> {
        self.known(action)?.started
    }

    /// Tells how many records of some actions there are.
    pub fn count(&self, actions: ActionSet) -> u64 {
        self.known_of(actions).map(|known| known.count).sum()
    }

    /// Tells how many of the latest ends in a row are failures.
    pub fn failures_in_a_row(&self) -> u64 {
        self.failures
    }

    /// Tells when the latest run was due, if its record says so.
    pub fn last_due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Tells the runs that have begun and not ended.
    pub fn live(&self) -> &[Live] {
        &self.live
    }

    fn known(&self, action: Action) -> Option<&Known> {
        self.known.iter().find(|known| known.action == action)
    }

    fn known_of(&self, actions: ActionSet) -> impl Iterator<Item = &Known> {
        self.known.iter().filter(move |known| actions.contains(known.action))
    }

    fn known_mut(&mut self, action: Action) -> &mut Known {
        let place = self.known.iter().position(|known| known.action == action);
        let place = place.unwrap_or_else(|| {
            self.known.push(Known { action, marks: SmallVec::new(), started: None, count: 0 });
            self.known.len() - 1
        });
        // OK because it was found there, or was just put there.
        &mut self.known[place]
    }
}

fn node(record: &Record) -> Option<Arc<str>> {
    record.details.as_ref().and_then(|details| details.node.clone())
}
