//! Which records may be removed, as the session's options say, and when to do it.

use std::time::Duration;

use futures::future::BoxFuture;
use redengine_core::runlog::{LogError, PastOf, Prune};
use redengine_core::{Session, Timestamp};

use crate::engine::Engine;

/// How long after its start a session first removes old records: a start has enough to do.
const FIRST: Duration = Duration::from_mins(1);

/// How often it does so from then on.
const PAUSE: Duration = Duration::from_hours(1);

/// What is heard of the removal of old records.
pub(crate) enum Pruned {
    /// It is time for it.
    Due,
    /// So many were removed.
    Done(Result<u64, LogError>),
}

/// Waits for the first time.
pub(crate) fn first() -> BoxFuture<'static, Pruned> {
    after(FIRST)
}

/// Takes the news, and tells what to wait for next.
pub(crate) fn next(
    pruned: Pruned,
    session: &Session,
    engine: &Engine,
    now: Timestamp,
) -> BoxFuture<'static, Pruned> {
    match pruned {
        Pruned::Due => {
            let Some(prune) = prune(session, engine, now) else { return after(PAUSE) };
            let log = session.log().clone();
            Box::pin(async move { Pruned::Done(log.prune(prune).await) })
        }
        Pruned::Done(Ok(removed)) => {
            if removed > 0 {
                tracing::info!(target: "redengine", removed, "removed old records from the run log");
            }
            after(PAUSE)
        }
        Pruned::Done(Err(error)) => {
            tracing::warn!(target: "redengine", ?error, "old records cannot be removed");
            after(PAUSE)
        }
    }
}

fn after(pause: Duration) -> BoxFuture<'static, Pruned> {
    Box::pin(async move {
        tokio::time::sleep(pause).await;
        Pruned::Due
    })
}

/// Tells what may be removed; `None`: nothing.
fn prune(session: &Session, engine: &Engine, now: Timestamp) -> Option<Prune> {
    let config = session.config();
    let mut prune = Prune::default();
    if let Some(age) = config.retention {
        prune = prune.before(now.before(age));
    }
    if let Some(count) = config.retention_records {
        prune = prune.beyond(count);
    }
    if prune.before.is_none() && prune.beyond.is_none() {
        return None;
    }
    let of = |(task, keep)| Some(PastOf { task: session.name_of(task)?, keep });
    // Others may share the log: what they need of theirs only they know.
    let own = session.tasks().into_iter().map(|definition| definition.name.clone());
    Some(prune.tasks(own).needed(engine.kept().filter_map(of).collect()))
}
