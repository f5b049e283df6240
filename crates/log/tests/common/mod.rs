//! A run log as one would explain it: a list that is looked through from end to end.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, LogError, LogErrorKind, Order, Past, PastOf, Prune, Query, RunLog,
};

#[derive(Clone, Debug, Default)]
pub(crate) struct NaiveLog {
    /// All that was ever written.
    pub(crate) records: Arc<Mutex<Vec<Recorded>>>,
    /// The numbers of those that were removed. Locked before the records by whoever needs both.
    pub(crate) removed: Arc<Mutex<BTreeSet<Seq>>>,
}

impl NaiveLog {
    /// All that is there.
    pub(crate) fn left(&self) -> Vec<Recorded> {
        let removed = self.removed.lock().unwrap();
        let records = self.records.lock().unwrap();
        records.iter().filter(|recorded| !removed.contains(&recorded.seq)).cloned().collect()
    }
}

fn of<'a>(records: &'a [Recorded], task: &'a str) -> impl DoubleEndedIterator<Item = &'a Recorded> {
    records.iter().filter(move |recorded| &*recorded.record.task == task)
}

fn run_and_action(recorded: &Recorded) -> (RunId, Action) {
    (recorded.record.run, recorded.record.action)
}

fn is_open(records: &[Recorded], task: &str, run: RunId) -> bool {
    let of_run = |recorded: &&Recorded| recorded.record.run == run;
    of(records, task).filter(of_run).any(|recorded| recorded.record.action == Action::Run)
        && !records.iter().filter(of_run).any(|recorded| recorded.record.action.ends())
}

fn append(records: &mut Vec<Recorded>, Append { record, expect }: Append) -> Appended {
    let Record { task, run, action, .. } = &record;
    if let Some(there) =
        records.iter().find(|there| there.record.run == *run && there.record.action == *action)
    {
        return Appended::Won(there.clone());
    }
    let as_expected = match expect {
        Expect::Latest(seq) => of(records, task).next_back().map(|recorded| recorded.seq) == seq,
        Expect::Open => is_open(records, task, *run),
    };
    if !as_expected {
        return Appended::Lost;
    }
    let seq = Seq(records.last().map_or(0, |last| last.seq.0) + 1);
    let recorded = Recorded { seq, record };
    records.push(recorded.clone());
    Appended::Won(recorded)
}

/// `left` are those of `records` that were not removed.
fn past(records: &[Recorded], left: &[Recorded], PastOf { task, keep }: &PastOf) -> Past {
    let mut past = Past::default();
    let mut wanted: Vec<&Recorded> = Vec::new();
    for (count, action) in past.counts.iter_mut().zip(Action::ALL) {
        let of_action =
            || of(records, task).filter(move |recorded| recorded.record.action == action);
        *count = of_action().count() as u64;
        wanted.extend(of_action().next_back());
        wanted.extend(of_action().max_by_key(|recorded| (recorded.record.started, recorded.seq)));
    }
    past.failures = of(records, task)
        .rev()
        .filter(|recorded| recorded.record.action.ends())
        .take_while(|recorded| recorded.record.action == Action::Fail)
        .count() as u64;
    let open = of(records, task).filter(|recorded| {
        recorded.record.action == Action::Run && is_open(records, task, recorded.record.run)
    });
    for recorded in open {
        past.open.push(recorded.seq);
        wanted.push(recorded);
    }
    for action in Action::ALL {
        let of_action = of(left, task).filter(|recorded| recorded.record.action == action);
        wanted.extend(of_action.rev().take(keep.count(action)));
    }
    wanted.sort_by_key(|recorded| recorded.seq);
    wanted.dedup();
    past.records = wanted.into_iter().cloned().collect();
    past
}

fn is_prunable(
    records: &[Recorded],
    left: &[Recorded],
    recorded: &Recorded,
    prune: &Prune,
) -> bool {
    let begins = |begin: &&Recorded| {
        let (begin, end) = (&begin.record, &recorded.record);
        begin.run == end.run && begin.action == Action::Run && end.action != Action::Run
    };
    let is_end_of_needed = || {
        let begun = left.iter().filter(|begin| begin.seq < recorded.seq).filter(begins);
        begun
            .into_iter()
            .any(|begin| is_old(left, begin, prune) && is_needed(records, left, begin, prune))
    };
    prune.is_of(&recorded.record.task)
        && is_old(left, recorded, prune)
        && !is_needed(records, left, recorded, prune)
        && !is_end_of_needed()
}

fn is_old(left: &[Recorded], recorded: &Recorded, prune: &Prune) -> bool {
    let task = &recorded.record.task;
    let later = of(left, task).filter(|other| other.seq > recorded.seq).count() as u64;
    prune.before.is_some_and(|before| recorded.record.at < before)
        || prune.beyond.is_some_and(|beyond| later >= beyond)
}

fn is_needed(records: &[Recorded], left: &[Recorded], recorded: &Recorded, prune: &Prune) -> bool {
    let task = &recorded.record.task;
    let needed = prune.needed.iter().rfind(|of| of.task == *task);
    let keep = needed.map(|of| of.keep).unwrap_or_default();
    let past = past(records, left, &PastOf { task: Arc::clone(task), keep });
    past.records.contains(recorded)
}

#[async_trait]
impl RunLog for NaiveLog {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let mut records = self.records.lock().unwrap();
        Ok(batch.into_iter().map(|one| append(&mut records, one)).collect())
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        let mut records = self.left();
        records.retain(|recorded| query.matches(recorded));
        if query.order == Order::Newest {
            records.reverse();
        }
        records.truncate(query.limit.unwrap_or(usize::MAX));
        Ok(records)
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        let left = self.left();
        let records = self.records.lock().unwrap();
        Ok(of.iter().map(|of| past(&records, &left, of)).collect())
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        Ok(self.records.lock().unwrap().last().map_or(Seq(0), |last| last.seq))
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        Ok(self.left().iter().filter(|recorded| query.matches(recorded)).count() as u64)
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        loop {
            let last = self.last_seq().await?;
            if last > after {
                return Ok(last);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        let left = self.left();
        let mut removed = self.removed.lock().unwrap();
        let records = self.records.lock().unwrap();
        let gone: Vec<Seq> = left
            .iter()
            .filter(|recorded| is_prunable(&records, &left, recorded, &prune))
            .map(|recorded| recorded.seq)
            .collect();
        removed.extend(&gone);
        Ok(gone.len() as u64)
    }

    async fn import(&self, new: Vec<Recorded>) -> Result<(), LogError> {
        let removed = self.removed.lock().unwrap();
        let mut records = self.records.lock().unwrap();
        let last = records.last().map_or(Seq(0), |last| last.seq);
        let before = [last].into_iter().chain(new.iter().map(|recorded| recorded.seq));
        if before.zip(&new).any(|(before, next)| before >= next.seq) {
            return Err(LogError::new(LogErrorKind::Order, "numbers must increase"));
        }
        let left = records.iter().filter(|there| !removed.contains(&there.seq));
        let mut known: HashSet<(RunId, Action)> = left.map(run_and_action).collect();
        if !new.iter().all(|recorded| known.insert(run_and_action(recorded))) {
            return Err(LogError::new(LogErrorKind::Order, "a run has two records of an action"));
        }
        records.extend(new);
        Ok(())
    }
}
