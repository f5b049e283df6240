//! A batch is there whole or not at all, for whoever looks while it is written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Record, Recorded, Seq};
use redengine_core::runlog::{Append, Appended, PastOf, Query};
use tokio::task::JoinSet;

use super::kit::{Checked, Log, begin, checks, end, ensure, fine, latest, open, read};

checks![a_batch_is_seen_whole_or_not_at_all, an_import_is_seen_whole_or_not_at_all];

const BATCHES: u32 = 6;
/// So many runs begin and end in each.
const RUNS: u32 = 150;

async fn a_batch_is_seen_whole_or_not_at_all(log: Log) -> Checked {
    watch(&log, &log, Way::Append).await
}

async fn an_import_is_seen_whole_or_not_at_all(log: Log) -> Checked {
    watch(&log, &log, Way::Import).await
}

/// How batches are written.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Append,
    Import,
}

/// Writes a batch; tells the last number then.
async fn write(log: &Log, way: Way, batch: Vec<Append>, last: Seq) -> Checked<Seq> {
    match way {
        Way::Append => {
            let mut last = last;
            for answer in fine(log.append(batch).await)? {
                match answer {
                    Appended::Won(recorded) => last = recorded.seq,
                    Appended::Lost => return Err("a record of a large batch was lost".to_owned()),
                }
            }
            Ok(last)
        }
        Way::Import => {
            let numbered = (last.0 + 1..).zip(batch);
            let records: Vec<Recorded> = numbered
                .map(|(seq, append)| Recorded { seq: Seq(seq), record: append.record })
                .collect();
            let last = records.last().map_or(last, |last| last.seq);
            fine(log.import(records).await)?;
            Ok(last)
        }
    }
}

/// Tasks that each run once.
fn task(batch: u32, run: u32) -> String {
    format!("batch {batch}, run {run}")
}

/// Writes batches to one log, while others look at the other one, which has the same records.
pub(super) async fn watch(one: &Log, other: &Log, way: Way) -> Checked {
    let done = Arc::new(AtomicBool::new(false));
    let mut looking: JoinSet<Checked<BTreeSet<Seq>>> = JoinSet::new();
    for look in [records, counts, pasts, lasts] {
        let (log, done) = (Arc::clone(other), Arc::clone(&done));
        looking.spawn(async move {
            let mut seen = BTreeSet::new();
            // Once more when all is there.
            let mut is_last = false;
            while !is_last {
                is_last = done.load(Ordering::Acquire);
                seen.extend(look(Arc::clone(&log)).await?);
                tokio::task::yield_now().await;
            }
            Ok(seen)
        });
    }
    let mut ends = BTreeSet::from([Seq(0)]);
    let mut last = Seq(0);
    let mut written = Ok(());
    for batch in 0..BATCHES {
        let appends = (0..RUNS).flat_map(|run| {
            let number = batch * RUNS + run;
            let begun = begin(&task(batch, run), number);
            let ended = Record { task: begun.task.clone(), ..end("", number, Action::Success) };
            [latest(begun, None), open(ended)]
        });
        match write(one, way, appends.collect(), last).await {
            Ok(end) => last = end,
            Err(why) => {
                written = Err(why);
                break;
            }
        }
        ends.insert(last);
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::Release);
    while let Some(seen) = looking.join_next().await {
        let seen = seen.map_err(|error| format!("looking panicked: {error}"))??;
        let part = seen.difference(&ends).next();
        ensure(part.is_none(), || {
            format!("{part:?} was the last number, in the midst of a batch")
        })?;
    }
    written
}

type Look = futures::future::BoxFuture<'static, Checked<Vec<Seq>>>;

fn is_whole(what: &str, records: u64) -> Checked {
    let size = u64::from(2 * RUNS);
    ensure(records.is_multiple_of(size), || {
        format!("{what} {records} records, and batches have {size}")
    })
}

/// Reads, and tells the last number.
fn records(log: Log) -> Look {
    Box::pin(async move {
        let all = read(&log, Query::all()).await?;
        is_whole("there were", all.len() as u64)?;
        Ok(all.last().map(|last| last.seq).into_iter().collect())
    })
}

fn counts(log: Log) -> Look {
    Box::pin(async move {
        is_whole("there were counted", fine(log.count(Query::all()).await)?)?;
        Ok(Vec::new())
    })
}

fn lasts(log: Log) -> Look {
    Box::pin(async move { Ok(vec![fine(log.last_seq().await)?]) })
}

/// Asks for the pasts of the first and the last task of each batch.
fn pasts(log: Log) -> Look {
    Box::pin(async move {
        let tasks = (0..BATCHES).flat_map(|batch| [task(batch, 0), task(batch, RUNS - 1)]);
        let of = tasks.map(|task| PastOf { task: task.into(), keep: Keep::default() });
        let pasts = fine(log.past(of.collect()).await)?;
        ensure(pasts.len() == 2 * BATCHES as usize, || "there is not a past of each".to_owned())?;
        for (batch, two) in pasts.chunks(2).enumerate() {
            let counts = [two[0].counts, two[1].counts];
            let wholes = [[0; 6], [1, 1, 0, 0, 0, 0]].map(|count| [count; 2]);
            ensure(wholes.contains(&counts), || {
                format!("the first and the last task of batch {batch} have the counts {counts:?}")
            })?;
            let has_open = two.iter().any(|past| !past.open.is_empty());
            ensure(!has_open, || format!("batch {batch} begins runs and does not end them"))?;
        }
        Ok(Vec::new())
    })
}
