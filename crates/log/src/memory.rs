//! A run log in memory.
//!
//! Invariant: the histories, the runs and the last number change together under one lock, and no
//! lock is held over an `.await`. Every look-up of an append is a hash or the end of a list; none
//! depends on how many records there are.

mod chain;
mod history;
mod of_run;
#[cfg(any(feature = "csv", feature = "jsonl"))]
pub(crate) mod pending;
#[cfg(any(feature = "csv", feature = "jsonl"))]
pub(crate) mod restore;
mod runs;

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use foldhash::fast::RandomState;
use redengine_core::facts::Keep;
use redengine_core::record::{ActionSet, Record, Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, LogError, Order, Past, PastOf, Prune, Query, RunLog,
};
use tokio::sync::watch;

use self::history::{Entry, History};
use self::runs::{Noted, RunState, Runs};
use crate::import::{check_order, check_runs};

/// Keeps records in memory, for as long as the process lives.
///
/// Clones share their records. A session that loses its process starts with an empty past; when
/// that must not be, take [`SqliteLog`](crate::SqliteLog).
///
/// A record costs some 100 bytes. [`MemoryLog::new`] keeps all of them;
/// [`MemoryLog::bounded`] forgets the oldest.
///
/// # Cancel safety
///
/// All methods of [`RunLog`] complete when they are first polled; a future that was never polled
/// has done nothing.
///
/// # Examples
///
/// ```
/// use redengine_core::Timestamp;
/// use redengine_core::record::{Action, Record, RunId};
/// use redengine_core::runlog::{Append, Appended, Expect, Query, RunLog};
/// use redengine_log::MemoryLog;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = MemoryLog::new();
/// let at: Timestamp = "2026-11-24T07:00:00Z".parse()?;
/// let record = Record {
///     task: "fetch".into(),
///     run: RunId::new(at, [1; 10]),
///     action: Action::Run,
///     at,
///     started: at,
///     due: None,
///     details: None,
/// };
/// let appended = log.append(vec![Append { record, expect: Expect::Latest(None) }]).await?;
/// assert!(matches!(appended[0], Appended::Won(_)));
///
/// let records = log.read(Query::task("fetch")).await?;
/// assert_eq!(records[0].record.at, at);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryLog {
    state: Arc<Mutex<State>>,
    /// Tells who waits of the last number.
    last: Arc<watch::Sender<Seq>>,
}

impl MemoryLog {
    /// Makes an empty log that keeps all records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty log that keeps about so many of the latest records of each task.
    ///
    /// Whatever [`RunLog::past`] must answer stays beyond that number: the latest record of each
    /// action, the one with the greatest start of each action, those of runs that have not ended,
    /// and all counts. Reading and [`PastOf::keep`] see what is left.
    ///
    /// # Examples
    ///
    /// ```
    /// let log = redengine_log::MemoryLog::bounded(1000);
    /// ```
    pub fn bounded(records_per_task: usize) -> Self {
        let state = State { bound: Some(records_per_task), ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), last: Arc::default() }
    }

    /// Tells who waits of the last number. Called under the lock, so that numbers only increase.
    fn tell(&self, last: Seq) {
        self.last.send_if_modified(|told| std::mem::replace(told, last) != last);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked under this lock did so between two records: what is there is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryLog")
            .field("tasks", &state.histories.len())
            .field("last_seq", &state.last_seq)
            .field("bound", &state.bound)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RunLog for MemoryLog {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let mut state = self.lock();
        let appended = batch.into_iter().map(|append| state.append(append)).collect();
        self.tell(state.last_seq);
        Ok(appended)
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        Ok(self.lock().read(&query))
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        let state = self.lock();
        Ok(of.iter().map(|of| state.past(of)).collect())
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        let state = self.lock();
        let unfinished = state.histories.iter().filter(|history| history.has_open());
        Ok(unfinished.map(|history| Arc::clone(history.task())).collect())
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        Ok(self.lock().last_seq)
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        Ok(self.lock().count(&query))
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        let mut last = self.last.subscribe();
        // OK because `self` keeps the sender.
        let last = last.wait_for(|last| *last > after).await.expect("the log is there");
        Ok(*last)
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        Ok(self.lock().prune(&prune))
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        let mut state = self.lock();
        let imported = state.import(records);
        self.tell(state.last_seq);
        imported
    }
}

/// Tells whether what an append expects is so, by the latest record of its task and what there is of
/// its run.
fn is_met(expect: Expect, task: Option<usize>, latest: Option<Seq>, run: Option<RunState>) -> bool {
    match expect {
        Expect::Latest(seq) => latest == seq,
        Expect::Open => {
            run.is_some_and(|run| run.is_open() && task.is_some_and(|task| run.is_of(task)))
        }
    }
}

/// All that a log remembers.
#[derive(Default)]
struct State {
    last_seq: Seq,
    by_name: HashMap<Arc<str>, usize, RandomState>,
    #[expect(clippy::vec_box, reason = "a list that grows would move all of them")]
    histories: Vec<Box<History>>,
    runs: Runs,
    bound: Option<usize>,
}

impl State {
    fn append(&mut self, Append { record, expect }: Append) -> Appended {
        let run = self.runs.get(record.run);
        if let Some(seq) = run.and_then(|run| self.runs.seq(record.run, run, record.action)) {
            return Appended::Won(self.held(seq, run).unwrap_or(Recorded { seq, record }));
        }
        let task = self.by_name.get(&record.task).copied();
        let latest = task.and_then(|task| self.histories[task].latest());
        if is_met(expect, task, latest, run) {
            Appended::Won(self.write(task, record))
        } else {
            Appended::Lost
        }
    }

    fn write(&mut self, task: Option<usize>, record: Record) -> Recorded {
        self.write_as(Seq(self.last_seq.0 + 1), task, record)
    }

    fn write_as(&mut self, seq: Seq, task: Option<usize>, record: Record) -> Recorded {
        self.last_seq = seq;
        let task = task.unwrap_or_else(|| {
            let task = self.histories.len();
            self.histories.push(Box::new(History::new(Arc::clone(&record.task))));
            self.by_name.insert(Arc::clone(&record.task), task);
            task
        });
        // OK because a task's number is the place of its history, and none is ever taken away.
        let noted = self.runs.note(record.run, task, record.action, seq);
        if let Noted::Ended { task, begin } = noted {
            self.histories[task].close(begin);
        }
        let history = &mut self.histories[task];
        history.push(seq, &record);
        if let Noted::Began = noted {
            history.open(seq);
        }
        if let Some(bound) = self.bound {
            history.trim(bound, &mut self.runs);
        }
        Recorded { seq, record }
    }

    fn import(&mut self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.check(&records)?;
        self.add(records);
        Ok(())
    }

    /// Fails unless records may be imported.
    fn check(&self, records: &[Recorded]) -> Result<(), LogError> {
        check_order(self.last_seq, records)?;
        check_runs(records, |record| {
            let run = self.runs.get(record.run);
            let seq = run.and_then(|run| self.runs.seq(record.run, run, record.action));
            seq.is_some_and(|seq| self.held(seq, run).is_some())
        })
    }

    /// Adds records under their numbers, which come after all that there are.
    fn add(&mut self, records: impl IntoIterator<Item = Recorded>) {
        for Recorded { seq, record } in records {
            let task = self.by_name.get(&record.task).copied();
            self.write_as(seq, task, record);
        }
    }

    fn prune(&mut self, prune: &Prune) -> u64 {
        self.remove(&self.removable(prune))
    }

    /// The numbers of the records that may be removed.
    fn removable(&self, prune: &Prune) -> HashSet<Seq> {
        let keeps: HashMap<&str, Keep> =
            prune.needed.iter().map(|of| (&*of.task, of.keep)).collect();
        let mut found = Vec::new();
        let mut starts = Vec::new();
        for history in self.histories.iter().filter(|history| prune.is_of(history.task())) {
            let keep = keeps.get(&**history.task()).copied().unwrap_or_default();
            history.removable(prune, keep, &mut found, &mut starts);
        }
        let mut gone: HashSet<Seq> = found.into_iter().collect();
        // Without its end, a copy would take a run whose start stays for one that has not ended.
        for (id, begin) in starts {
            let Some(run) = self.runs.get(id) else { continue };
            for action in ActionSet::ENDS.iter() {
                if let Some(end) = self.runs.seq(id, run, action).filter(|end| *end > begin) {
                    gone.remove(&end);
                }
            }
        }
        gone
    }

    fn remove(&mut self, gone: &HashSet<Seq>) -> u64 {
        if !gone.is_empty() {
            for history in &mut self.histories {
                history.remove(gone, &mut self.runs);
            }
        }
        gone.len() as u64
    }

    fn count(&self, query: &Query) -> u64 {
        if let Some(run) = query.run {
            return self.of_run(run, query).len() as u64;
        }
        let matching = self.sources(query).into_iter().map(|(_, records)| records.count());
        matching.sum::<usize>() as u64
    }

    /// Finds a record by its number.
    fn held(&self, seq: Seq, run: Option<RunState>) -> Option<Recorded> {
        let of_run = run.filter(|run| !run.is_mixed()).map(|run| &self.histories[run.task()]);
        match of_run {
            Some(history) => history.find(seq).map(|entry| entry.recorded(history.task())),
            None => self
                .histories
                .iter()
                .find_map(|history| history.find(seq).map(|entry| entry.recorded(history.task()))),
        }
    }

    fn read(&self, query: &Query) -> Vec<Recorded> {
        let limit = query.limit.unwrap_or(usize::MAX);
        if let Some(run) = query.run {
            let mut records = self.of_run(run, query);
            records.truncate(limit);
            return records;
        }
        let mut sources = self.sources(query);
        // The greatest key is next: a merge of the tasks' histories, each of which is in order.
        let key = |entry: &Entry| match query.order {
            Order::Oldest => u64::MAX - entry.seq().0,
            Order::Newest => entry.seq().0,
        };
        let mut heads: BinaryHeap<(u64, usize)> = BinaryHeap::with_capacity(sources.len());
        let mut entries: Vec<Option<&Entry>> = Vec::with_capacity(sources.len());
        for (place, (_, source)) in sources.iter_mut().enumerate() {
            let entry = source.next();
            heads.extend(entry.map(|entry| (key(entry), place)));
            entries.push(entry);
        }
        let mut records = Vec::new();
        while records.len() < limit
            && let Some((_, place)) = heads.pop()
        {
            // OK because places are those of `sources`, which is as long as `entries`.
            let (history, source) = &mut sources[place];
            records.extend(entries[place].map(|entry| entry.recorded(history.task())));
            entries[place] = source.next();
            heads.extend(entries[place].map(|entry| (key(entry), place)));
        }
        records
    }

    /// The histories that a query is about, each with its matching records in the query's order.
    fn sources<'a>(&'a self, query: &'a Query) -> Vec<Source<'a>> {
        let mut tasks: Vec<usize> = match &query.tasks {
            Some(names) => {
                names.iter().filter_map(|name| self.by_name.get(name).copied()).collect()
            }
            None => (0..self.histories.len()).collect(),
        };
        tasks.sort_unstable();
        tasks.dedup();
        tasks
            .into_iter()
            .map(|task| &*self.histories[task])
            .filter(|history| query.after.is_none_or(|after| history.latest() > Some(after)))
            .map(|history| (history, history.matching(query)))
            .collect()
    }

    fn past(&self, PastOf { task, keep }: &PastOf) -> Past {
        match self.by_name.get(task) {
            Some(task) => self.histories[*task].past(*keep),
            None => Past::default(),
        }
    }
}

type Source<'a> = (&'a History, Box<dyn Iterator<Item = &'a Entry> + 'a>);
