//! Tells the lints of a session when it begins to run, as warnings.
//!
//! Always: nothing waits for it. The log is read by a task of its own, and conditions are looked at on
//! a thread for such work. If the log cannot be read, what hangs on it is not told.

use redengine_core::lint::{Lint, UsualDurations};
use redengine_core::record::Action;
use redengine_core::runlog::Query;
use redengine_core::{Session, Timestamp};

/// So many records of successes are read to know how long runs take.
const RECORDS: usize = 10_000;

/// So many lints are told: a program that makes tasks by the thousand makes as many lints.
const TOLD: usize = 32;

/// Whether there is anything in the log.
#[derive(Clone, Copy)]
pub(crate) enum PastRuns {
    /// There is nothing in it.
    None,
    /// There may be.
    Some,
}

/// Looks for lints and tells them.
///
/// # Cancel safety
///
/// May be dropped at any time.
pub(crate) async fn tell(session: Session, past: PastRuns, now: Timestamp) {
    let usual = match past {
        PastRuns::None => UsualDurations::default(),
        PastRuns::Some => usual(&session).await,
    };
    let look = move || session.lints_knowing(now, &usual);
    let Ok(lints) = tokio::task::spawn_blocking(look).await else { return };
    lints.iter().take(TOLD).for_each(warn);
    if let Some(more) = lints.len().checked_sub(TOLD).filter(|more| *more > 0) {
        tracing::warn!(
            target: "redengine::lint",
            "there are {more} more lints like these; `session.lints(now)` tells all"
        );
    }
}

async fn usual(session: &Session) -> UsualDurations {
    let query = Query::all().actions([Action::Success]).newest_first().limit(RECORDS);
    let records = session.log().read(query).await.unwrap_or_default();
    UsualDurations::of(&records)
}

fn warn(lint: &Lint) {
    tracing::warn!(target: "redengine::lint", "{lint}");
}
