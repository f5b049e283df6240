//! A log that is opened again: it is as it was, and goes on.
//!
//! What must be there is told by a log of ours in memory that has the same records.

use std::sync::Arc;

use redengine_core::record::{Action, Details, Reason, Record, Seq};
use redengine_core::runlog::{Prune, Query};

use super::import::original;
use super::kit::{
    Checked, Log, add, alike, append, begin, checks, end, ensure, fine, latest, lost, open, read,
    same, soon, won,
};
use super::leases::{LONG, is_fenced, member, renew};
use super::prune::write;
use super::store::Store;
use crate::MemoryLog;

checks![StoreCheck:
    what_was_written_is_there_when_the_log_is_opened_again,
    numbers_go_on_when_the_log_is_opened_again,
    a_log_that_is_opened_again_decides_as_before,
    a_pruned_log_that_is_opened_again_is_as_it_was,
    an_import_is_there_when_the_log_is_opened_again,
    who_follows_goes_on_when_the_log_is_opened_again,
    who_is_fenced_stays_so_when_the_log_is_opened_again,
];

/// A log of ours that has the same records.
pub(super) async fn same_in_memory(log: &Log) -> Checked<Log> {
    let ours: Log = Arc::new(MemoryLog::new());
    fine(ours.import(read(log, Query::all()).await?).await)?;
    Ok(ours)
}

async fn what_was_written_is_there_when_the_log_is_opened_again(store: Store<'_>) -> Checked {
    let log = store.open().await;
    write(&log).await?;
    let details = Details::default()
        .with_node("node")
        .with_reason(Reason::new("it's so").because("of \"that\""))
        .with_output("[1]")
        .with_attempt(2)
        .with_params("{\"day\": 1}")
        .with_trace("4bf92f3577b34da6a3ce929d0e0e4736");
    let due = Some(begin("", 1).at);
    let record = Record { details: details.shared(), due, ..begin("a\n\0ä", 1000) };
    add(&log, record).await?;
    let ours = same_in_memory(&log).await?;
    drop(log);
    for _ in 0..2 {
        let log = store.open().await;
        alike(&log, &ours).await?;
    }
    Ok(())
}

async fn numbers_go_on_when_the_log_is_opened_again(store: Store<'_>) -> Checked {
    let mut last = Seq(0);
    for number in 0..5 {
        let log = store.open().await;
        same("the last number", &fine(log.last_seq().await)?, &last)?;
        let begun = add(&log, begin(["a", "b"][number as usize % 2], number)).await?;
        ensure(begun.seq > last, || format!("{} came after {last}", begun.seq))?;
        last = begun.seq;
    }
    Ok(())
}

async fn a_log_that_is_opened_again_decides_as_before(store: Store<'_>) -> Checked {
    let run = latest(begin("a", 1), None);
    let success = open(end("a", 1, Action::Success));
    let log = store.open().await;
    let begun = won(&log, run.clone()).await?;
    let ended = won(&log, success.clone()).await?;
    let other = won(&log, latest(begin("b", 2), None)).await?;
    drop(log);

    let log = store.open().await;
    lost(&log, latest(begin("a", 3), None)).await?;
    lost(&log, latest(begin("a", 3), Some(begun.seq))).await?;
    lost(&log, open(end("a", 1, Action::Fail))).await?;
    same("the run again", &won(&log, run).await?, &begun)?;
    same("its end again", &won(&log, success).await?, &ended)?;
    won(&log, latest(begin("a", 3), Some(ended.seq))).await?;
    let fail = open(end("b", 2, Action::Fail));
    let failed = won(&log, fail.clone()).await?;
    drop(log);

    let log = store.open().await;
    same("an end again", &won(&log, fail).await?, &failed)?;
    lost(&log, latest(begin("b", 4), Some(other.seq))).await?;
    won(&log, latest(begin("b", 4), Some(failed.seq))).await?;
    same("the number of records", &read(&log, Query::all()).await?.len(), &6)
}

async fn a_pruned_log_that_is_opened_again_is_as_it_was(store: Store<'_>) -> Checked {
    let log = store.open().await;
    let appends = write(&log).await?;
    let ours = same_in_memory(&log).await?;
    let prune = Prune::default().beyond(3);
    let removed = fine(ours.prune(prune.clone()).await)?;
    same("how many were removed", &fine(log.prune(prune).await)?, &removed)?;
    drop(log);

    let log = store.open().await;
    alike(&log, &ours).await?;
    // What was removed was there, so it is not written again.
    for one in appends {
        append(&log, one).await?;
    }
    alike(&log, &ours).await?;
    for number in 100..104 {
        let begun = add(&log, begin("a", number)).await?;
        same("a new record", &begun, &add(&ours, begin("a", number)).await?)?;
    }
    drop(log);
    let log = store.open().await;
    let prune = Prune::default().beyond(1);
    let removed = fine(ours.prune(prune.clone()).await)?;
    same("how many were removed", &fine(log.prune(prune).await)?, &removed)?;
    drop(log);
    let log = store.open().await;
    alike(&log, &ours).await
}

async fn an_import_is_there_when_the_log_is_opened_again(store: Store<'_>) -> Checked {
    let original = original().await?;
    let log = store.open().await;
    fine(log.import(read(&original, Query::all()).await?).await)?;
    drop(log);
    let log = store.open().await;
    alike(&log, &original).await?;
    let last = fine(log.last_seq().await)?;
    let begun = add(&log, begin("a", 100)).await?;
    ensure(begun.seq > last, || format!("{} came after {last}", begun.seq))
}

async fn who_follows_goes_on_when_the_log_is_opened_again(store: Store<'_>) -> Checked {
    let mut told = Seq(0);
    let mut written = Vec::new();
    for number in 0..3 {
        let log = store.open().await;
        if told > Seq(0) {
            let there = fine(soon("what is there", log.changed(Seq(0))).await?)?;
            same("the number that is told", &there, &told)?;
        }
        let begun = add(&log, begin("a", number)).await?;
        told = fine(soon("a change", log.changed(told)).await?)?;
        same("the number that is told", &told, &begun.seq)?;
        written.push(begun);
        same("the records", &read(&log, Query::all()).await?, &written)?;
    }
    Ok(())
}

async fn who_is_fenced_stays_so_when_the_log_is_opened_again(store: Store<'_>) -> Checked {
    let log = store.open().await;
    if let Some(leases) = log.leases() {
        renew(leases, &member("a"), LONG, &[]).await?;
        renew(leases, &member("b"), LONG, &["a"]).await?;
    }
    drop(log);
    let log = store.open().await;
    is_fenced(&log, "a", 1).await?;
    if let Some(leases) = log.leases() {
        let there = renew(leases, &member("c"), LONG, &[]).await?;
        same("who is there", &there, &vec![member("b"), member("c")])?;
    }
    Ok(())
}
