//! Copying one run log into another: export and import.

use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{LogError, LogErrorKind, Query, RunLog};

/// So many records are copied at a time.
const PAGE: usize = 4096;

/// Copies the records of one log into another, under their numbers; tells how many.
///
/// What the other log has already is left out, so that a copy that was interrupted goes on, and one
/// that is made every day takes only what is new. Records that come while it copies come along or do
/// not. Counts are of what is copied: those of records that were removed from the first log are not
/// known to the other.
///
/// # Errors
///
/// - [`LogErrorKind::Order`]: the other log holds something else; its last record is not in the first
///   one. Nothing is written then.
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

/// Fails unless the last record of the one log is in the other.
async fn check_same(last: Seq, from: &dyn RunLog, to: &dyn RunLog) -> Result<(), LogError> {
    let there: Vec<Recorded> = to.read(Query::all().newest_first().limit(1)).await?;
    let before = Query::all().after(Seq(last.0.saturating_sub(1))).limit(1);
    let here = from.read(before).await?;
    let named = |Recorded { record, .. }: &Recorded| {
        format!("`{}` of run {} of `{}`", record.action, record.run, record.task)
    };
    let why = match (there.first(), here.first()) {
        (Some(there), Some(here)) if there == here => return Ok(()),
        (Some(there), Some(here)) if here.seq == last => {
            format!("record {last} is {} there, and {} here", named(there), named(here))
        }
        _ => format!("its last record, {last}, is not here"),
    };
    let message = format!(
        "cannot copy {from:?} to {to:?}: that one holds other records: {why}; copy to an empty log, or \
         to one that was copied from this one"
    );
    Err(LogError::new(LogErrorKind::Order, message))
}
