//! The records of one task in memory.
//!
//! Invariants: `kept` and `entries` are ordered by number and all of `kept` is older than all of
//! `entries`; `last`, `top` and `open` name only records that are in one of the two; counts are of
//! all that ever was. Each entry says how far back the one before of its action is, so that a rare
//! action is found without a look at the others ([`chain`](super::chain)).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Order, Past, Prune, Query};
use smallvec::SmallVec;

#[cfg(any(feature = "csv", feature = "jsonl"))]
use super::restore::Marks;
use super::runs::Runs;

/// A record without its task's name: 64 bytes.
pub(super) struct Entry {
    seq: Seq,
    run: RunId,
    at: Timestamp,
    started: Timestamp,
    // `Option<Timestamp>` would cost eight bytes more.
    due: Timestamp,
    has_due: bool,
    pub(super) action: Action,
    /// So many entries before this one is the latest before of its action; 0: there is none. It is
    /// where there would be nothing else.
    pub(super) back: u32,
    details: Option<Arc<Details>>,
}

const _: () = assert!(size_of::<Entry>() == 64, "each record costs this");

impl Entry {
    fn new(seq: Seq, record: &Record) -> Self {
        Self {
            seq,
            run: record.run,
            at: record.at,
            started: record.started,
            due: record.due.unwrap_or_default(),
            has_due: record.due.is_some(),
            action: record.action,
            back: 0,
            details: record.details.clone(),
        }
    }

    pub(super) fn seq(&self) -> Seq {
        self.seq
    }

    pub(super) fn recorded(&self, task: &Arc<str>) -> Recorded {
        let record = Record {
            task: Arc::clone(task),
            run: self.run,
            action: self.action,
            at: self.at,
            started: self.started,
            due: self.has_due.then_some(self.due),
            details: self.details.clone(),
        };
        Recorded { seq: self.seq, record }
    }
}

/// The records of one task, and what must be known of all it ever had.
pub(super) struct History {
    task: Arc<str>,
    /// Those that a bounded log may not forget.
    kept: Vec<Entry>,
    /// How long `kept` may become before it is looked through again.
    kept_until: usize,
    pub(super) entries: VecDeque<Entry>,
    latest: Option<Seq>,
    /// The actions that there were records of. Most tasks only ever begin and succeed.
    known: SmallVec<[Known; 2]>,
    failures: u64,
    /// The `run` records of runs that have not ended.
    open: SmallVec<[Seq; 1]>,
    /// Whether no record is earlier than one before it, and the time of the latest if so.
    times: Times,
}

/// What is known of all records of one action.
struct Known {
    action: Action,
    /// How many entries came after its latest.
    later: u32,
    count: u64,
    /// The latest.
    last: Seq,
    /// The latest of those with the greatest start.
    top: (Timestamp, Seq),
}

/// How many entries came after one that there is not.
const NEVER: u32 = u32::MAX;

/// What is known of the times of records: a clock may step back.
#[derive(Clone, Copy)]
enum Times {
    Ordered(Timestamp),
    Unordered,
}

impl History {
    pub(super) fn new(task: Arc<str>) -> Self {
        Self {
            task,
            kept: Vec::new(),
            kept_until: 0,
            // The first run is often the only one for a long time.
            entries: VecDeque::with_capacity(2),
            latest: None,
            known: SmallVec::new(),
            failures: 0,
            open: SmallVec::new(),
            times: Times::Ordered(Timestamp::from_micros(i64::MIN)),
        }
    }

    pub(super) fn task(&self) -> &Arc<str> {
        &self.task
    }

    pub(super) fn latest(&self) -> Option<Seq> {
        self.latest
    }

    /// Adds a record; its number must be the greatest so far.
    pub(super) fn push(&mut self, seq: Seq, record: &Record) {
        self.latest = Some(seq);
        let start = (record.started, seq);
        let action = record.action;
        match self.known.iter_mut().find(|known| known.action == action) {
            Some(known) => {
                known.count += 1;
                known.last = seq;
                known.top = known.top.max(start);
            }
            None => {
                let later = NEVER;
                self.known.push(Known { action, later, count: 1, last: seq, top: start });
            }
        }
        if record.action == Action::Fail {
            self.failures += 1;
        } else if record.action.ends() {
            self.failures = 0;
        }
        self.times = match self.times {
            Times::Ordered(latest) if latest <= record.at => Times::Ordered(record.at),
            Times::Ordered(_) | Times::Unordered => Times::Unordered,
        };
        let mut entry = Entry::new(seq, record);
        entry.back = self.link(action);
        self.entries.push_back(entry);
    }

    /// Counts one more entry, of an action that is known; tells how far back the one before is.
    fn link(&mut self, action: Action) -> u32 {
        let mut back = 0;
        for known in &mut self.known {
            if known.later != NEVER {
                known.later += 1;
            }
            if known.action == action {
                back = if known.later == NEVER { 0 } else { known.later };
                known.later = 0;
            }
        }
        back
    }

    /// How many records of some actions there ever were.
    pub(super) fn had(&self, actions: &[Action]) -> u64 {
        let known = self.known.iter().filter(|known| actions.contains(&known.action));
        known.map(|known| known.count).sum()
    }

    /// The place of the latest entry of an action.
    pub(super) fn last_place(&self, action: Action) -> Option<usize> {
        let known = self.known.iter().find(|known| known.action == action)?;
        let later = (known.later != NEVER).then_some(known.later as usize)?;
        self.entries.len().checked_sub(later + 1)
    }

    /// Tells whether runs have begun and not ended.
    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Notes that the run of a `run` record is open; it must be the latest record.
    pub(super) fn open(&mut self, begin: Seq) {
        self.open.push(begin);
    }

    /// Notes that the run of a `run` record has ended.
    pub(super) fn close(&mut self, begin: Seq) {
        if let Ok(place) = self.open.binary_search(&begin) {
            self.open.remove(place);
        }
    }

    /// Forgets the oldest records that are more than `bound` and that nobody needs.
    pub(super) fn trim(&mut self, bound: usize, runs: &mut Runs) {
        while self.entries.len() > bound
            && let Some(entry) = self.entries.pop_front()
        {
            if self.needs(&entry) {
                self.kept.push(entry);
            } else {
                runs.release(entry.run);
            }
        }
        if self.kept.len() > self.kept_until {
            let (kept, gone) =
                std::mem::take(&mut self.kept).into_iter().partition(|entry| self.needs(entry));
            self.kept = kept;
            for entry in Vec::into_iter(gone) {
                runs.release(entry.run);
            }
            // Twice what is left, so that the work is constant for each record in the long run.
            self.kept_until = self.kept.len() * 2 + 12;
        }
    }

    /// Adds the numbers of the records that may be removed, the latest first, and the runs whose starts
    /// are old and needed.
    pub(super) fn removable(
        &self,
        prune: &Prune,
        keep: Keep,
        found: &mut Vec<Seq>,
        starts: &mut Vec<(RunId, Seq)>,
    ) {
        let mut left = keep;
        let all = self.kept.iter().chain(&self.entries).rev();
        for (later, entry) in (0..).zip(all) {
            let is_old = prune.before.is_some_and(|before| entry.at < before)
                || prune.beyond.is_some_and(|beyond| later >= beyond);
            let is_wanted = left.take(entry.action);
            if is_old && !is_wanted && !self.needs(entry) {
                found.push(entry.seq);
            } else if is_old && entry.action == Action::Run {
                starts.push((entry.run, entry.seq));
            }
        }
    }

    /// Forgets records by their numbers.
    pub(super) fn remove(&mut self, gone: &HashSet<Seq>, runs: &mut Runs) {
        let mut stays = |entry: &Entry| {
            let stays = !gone.contains(&entry.seq);
            if !stays {
                runs.release(entry.run);
            }
            stays
        };
        self.kept.retain(&mut stays);
        self.entries.retain(&mut stays);
        for known in &mut self.known {
            known.later = NEVER;
        }
        let mut entries = std::mem::take(&mut self.entries);
        for entry in &mut entries {
            entry.back = self.link(entry.action);
        }
        self.entries = entries;
    }

    fn needs(&self, entry: &Entry) -> bool {
        let known = self.known.iter().find(|known| known.action == entry.action);
        known.is_some_and(|known| known.last == entry.seq || known.top.1 == entry.seq)
            || self.open.binary_search(&entry.seq).is_ok()
    }

    /// Corrects what is known by what the latest record says of removed ones.
    #[cfg(any(feature = "csv", feature = "jsonl"))]
    pub(super) fn correct(&mut self, action: Action, marks: Marks) {
        if let Some(known) = self.known.iter_mut().find(|known| known.action == action) {
            known.count = marks.count.unwrap_or(known.count);
        }
        self.failures = marks.failures.unwrap_or(self.failures);
    }

    /// What a record is to say of removed ones: the latest of its action, and of all ends.
    #[cfg(any(feature = "csv", feature = "jsonl"))]
    pub(super) fn marks(&self, seq: Seq, action: Action) -> Marks {
        let last = |known: &&Known| known.last == seq && known.action == action;
        let count = self.known.iter().find(last).map(|known| known.count);
        let ends = self.known.iter().filter(|known| known.action.ends());
        let is_latest_end = ends.map(|known| known.last).max() == Some(seq);
        Marks { count, failures: is_latest_end.then_some(self.failures), ended: None }
    }

    pub(super) fn find(&self, seq: Seq) -> Option<&Entry> {
        if let Ok(place) = self.entries.binary_search_by_key(&seq, |entry| entry.seq) {
            return self.entries.get(place);
        }
        let place = self.kept.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
        self.kept.get(place)
    }

    /// The records that a query asks for, in its order; its tasks, its run and its limit are not looked
    /// at.
    pub(super) fn matching<'a>(
        &'a self,
        query: &'a Query,
    ) -> Box<dyn Iterator<Item = &'a Entry> + 'a> {
        let from = query.after.map_or(0, |after| self.entries.partition_point(|e| e.seq <= after));
        let (from, until) = match self.times {
            Times::Ordered(_) => (
                query.from.map_or(from, |at| from.max(self.entries.partition_point(|e| e.at < at))),
                query
                    .until
                    .map_or(self.entries.len(), |at| self.entries.partition_point(|e| e.at < at)),
            ),
            Times::Unordered => (from, self.entries.len()),
        };
        let range = from.min(until)..until;
        let wanted = move |entry: &&Entry| {
            (query.actions.is_empty() || query.actions.contains(&entry.action))
                && query.after.is_none_or(|after| entry.seq > after)
                && query.from.is_none_or(|from| entry.at >= from)
                && query.until.is_none_or(|until| entry.at < until)
        };
        let kept = self.kept.iter();
        match query.order {
            Order::Oldest => Box::new(kept.chain(self.oldest(query, range)).filter(wanted)),
            Order::Newest => Box::new(self.newest(query, range).chain(kept.rev()).filter(wanted)),
        }
    }

    pub(super) fn past(&self, keep: Keep) -> Past {
        let mut seqs: Vec<Seq> = self.open.to_vec();
        seqs.extend(self.known.iter().flat_map(|known| [known.last, known.top.1]));
        for action in Action::ALL.into_iter().filter(|action| keep.count(*action) > 1) {
            let newest = Query::all().actions([action]).newest_first();
            seqs.extend(self.matching(&newest).take(keep.count(action)).map(Entry::seq));
        }
        seqs.sort_unstable();
        seqs.dedup();
        let records = seqs.into_iter().filter_map(|seq| self.find(seq));
        let mut counts = [0; 6];
        for known in &self.known {
            // OK because an action's number is below six.
            counts[known.action as usize] = known.count;
        }
        Past {
            counts,
            failures: self.failures,
            records: records.map(|entry| entry.recorded(&self.task)).collect(),
            open: self.open.to_vec(),
        }
    }
}
