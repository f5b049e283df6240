//! Copying one run log into another: export and import.

use std::sync::Arc;

use redengine_core::facts::Keep;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{LogError, LogErrorKind, Past, PastOf, Query, RunLog};

/// So many records are copied at a time.
const PAGE: usize = 4096;

/// Copies the records of one log into another, under their numbers; tells how many.
///
/// What the other log has already is left out, so that a copy that was interrupted goes on, and one
/// that is made every day takes only what is new. Records that come while it copies come along or do
/// not. Counts are of what is copied: those of records that were removed from the first log are not
/// known to the other.
///
/// Records may be removed from either log in between. What was removed from the first one before it was
/// copied is not in the other, and a run whose end is missing there for that has not ended for it. So
/// copy more often than records are removed.
///
/// # Errors
///
/// - [`LogErrorKind::Order`]: the other log holds something else: under one number, they have different
///   records; or nothing that it has is in the first one, and was not removed from there either.
///   Nothing is written then.
/// - All errors of reading the one and writing the other. What was copied until then stays.
///
/// # Cancel safety
///
/// When dropped, it has copied a part. Copy again to go on.
///
/// # Examples
///
/// ```
/// use redengine_log::{MemoryLog, connect, copy};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redengine_core::runlog::LogError> {
/// let from = connect("memory:").await?; // "sqlite:runs.db"
/// let to = connect("memory:").await?; // "csv:runs.csv"
/// assert_eq!(copy(&*from, &*to).await?, 0);
/// # Ok(())
/// # }
/// ```
pub async fn copy(from: &dyn RunLog, to: &dyn RunLog) -> Result<u64, LogError> {
    let mut after = to.last_seq().await?;
    if after != Seq(0) {
        check_same(after, from, to).await?;
    }
    let mut copied = 0;
    loop {
        let records = from.read(Query::all().after(after).limit(PAGE)).await?;
        let Some(last) = records.last() else { return Ok(copied) };
        after = last.seq;
        copied += records.len() as u64;
        to.import(records).await?;
    }
}

/// Fails unless the other log is a copy of the first one, as far as can be told.
async fn check_same(last: Seq, from: &dyn RunLog, to: &dyn RunLog) -> Result<(), LogError> {
    let why = match found(last, from, to).await? {
        _ if from.last_seq().await? < last => format!("its last record, {last}, is not here"),
        Found::Same => return Ok(()),
        Found::Other(here, there) => {
            format!("record {} is {} there, and {} here", there.seq, named(&there), named(&here))
        }
        Found::Nothing if is_pruned_here(from, to).await? => return Ok(()),
        Found::Nothing => format!("its last record, {last}, is not here"),
    };
    let message = format!(
        "cannot copy {from:?} to {to:?}: that one holds other records: {why}; copy to an empty log, or \
         to one that was copied from this one"
    );
    Err(LogError::new(LogErrorKind::Order, message))
}

fn named(Recorded { record, .. }: &Recorded) -> String {
    format!("`{}` of run {} of `{}`", record.action, record.run, record.task)
}

/// What was found of a copy in the log that it may be of.
enum Found {
    /// A record that both have. Runs have random ids, so one is enough.
    Same,
    /// What there is here under a number, and what there is there.
    Other(Recorded, Recorded),
    /// No number that both have.
    Nothing,
}

/// Looks for what both logs have.
///
/// The last record of the copy may have been removed here since, and others there. So first its
/// latest records are looked at, and if none of them is here any more, all that are here.
async fn found(last: Seq, from: &dyn RunLog, to: &dyn RunLog) -> Result<Found, LogError> {
    let mut there = to.read(Query::all().newest_first().limit(PAGE)).await?;
    there.reverse();
    let first = there.first().map_or(last, |first| first.seq);
    let mut before = Seq(first.0.saturating_sub(1));
    let here = from.read(Query::all().after(before).limit(PAGE)).await?;
    let mut found = compare(here, &there);
    before = Seq(0);
    while let Found::Nothing = found {
        let here = from.read(Query::all().after(before).limit(PAGE)).await?;
        match here.last() {
            Some(next) if before < last => {
                let there = to.read(Query::all().after(before).limit(PAGE)).await?;
                // Not further than what was read of both.
                before = there.last().map_or(next.seq, |there| there.seq.min(next.seq));
                found = compare(here, &there);
            }
            _ => break,
        }
    }
    Ok(found)
}

/// Compares records of both logs by their numbers. The latest tell, since logs part once.
fn compare(here: Vec<Recorded>, there: &[Recorded]) -> Found {
    for here in here.into_iter().rev() {
        if let Ok(place) = there.binary_search_by_key(&here.seq, |there| there.seq) {
            let there = &there[place];
            return if *there == here { Found::Same } else { Found::Other(here, there.clone()) };
        }
    }
    Found::Nothing
}

/// Tells whether all that the copy has of its last record's kind may have been removed here: as many
/// are missing of those that there were. Removing records leaves their counts.
async fn is_pruned_here(from: &dyn RunLog, to: &dyn RunLog) -> Result<bool, LogError> {
    let last = to.read(Query::all().newest_first().limit(1)).await?;
    let Some(Recorded { record, .. }) = last.into_iter().next() else { return Ok(true) };
    let of = vec![PastOf { task: Arc::clone(&record.task), keep: Keep::default() }];
    let count = |pasts: Vec<Past>| {
        // OK because an action's number is below six.
        pasts.first().map_or(0, |past| past.counts[record.action as usize])
    };
    let (ever, copied) = (count(from.past(of.clone()).await?), count(to.past(of).await?));
    let left = from.count(Query::task(record.task).actions([record.action])).await?;
    Ok(ever.saturating_sub(left) >= copied)
}
