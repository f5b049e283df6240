//! What records must be like to be imported.

use std::collections::HashSet;

use redengine_core::record::{Record, Recorded, Seq};
use redengine_core::runlog::{LogError, LogErrorKind};

/// Fails unless the numbers increase and are greater than `last`.
pub(crate) fn check_order(mut last: Seq, records: &[Recorded]) -> Result<(), LogError> {
    for recorded in records {
        if recorded.seq <= last {
            let message = format!(
                "cannot import record {}: the record before it has the number {last}, and numbers \
                 increase; import only what comes after a log's last record",
                recorded.seq
            );
            return Err(LogError::new(LogErrorKind::Order, message));
        }
        last = recorded.seq;
    }
    Ok(())
}

/// Fails if a run would have two records of an action.
pub(crate) fn check_runs(
    records: &[Recorded],
    is_there: impl Fn(&Record) -> bool,
) -> Result<(), LogError> {
    let mut new = HashSet::with_capacity(records.len());
    let mut is_new = |Recorded { record, .. }: &&Recorded| {
        new.insert((record.run, record.action)) && !is_there(record)
    };
    match records.iter().find(|recorded| !is_new(recorded)) {
        Some(repeated) => Err(refuse_repeated(repeated)),
        None => Ok(()),
    }
}

/// Says that a run would have two records of an action.
pub(crate) fn refuse_repeated(Recorded { seq, record }: &Recorded) -> LogError {
    let message = format!(
        "cannot import record {seq}: run {} has a record of `{}` already; import only what comes \
         after a log's last record",
        record.run, record.action
    );
    LogError::new(LogErrorKind::Order, message)
}
