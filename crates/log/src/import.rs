//! What records must be like to be imported.

use redengine_core::record::{Recorded, Seq};
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
