//! Waiting for records: who follows a log sees what `read` sees, as it comes.
//!
//! A log that hears of others only now and then is right as well, so these checks wait for a while
//! before they say that nothing comes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use futures::{StreamExt, TryStreamExt};
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{Appended, Query};
use tokio::task::JoinSet;

use super::kit::{
    Checked, Log, add, begin, checks, end, ensure, fine, latest, open, read, same, soon,
};

checks![
    what_is_there_is_told_at_once,
    who_waits_hears_of_what_comes_and_not_before,
    all_who_wait_hear,
    what_was_told_never_changes,
    who_follows_sees_each_record_once_and_in_order,
    who_follows_may_go_on_later,
];

async fn what_is_there_is_told_at_once(log: Log) -> Checked {
    let first = add(&log, begin("a", 1)).await?;
    let last = add(&log, begin("b", 2)).await?;
    for after in [Seq(0), first.seq] {
        let told = fine(soon("the last number", log.changed(after)).await?)?;
        same(&format!("the number that is told after {after}"), &told, &last.seq)?;
    }
    Ok(())
}

async fn who_waits_hears_of_what_comes_and_not_before(log: Log) -> Checked {
    let mut last = Seq(0);
    for number in 1..=5 {
        let mut changed = pin!(log.changed(last));
        let first = changed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        ensure(first.is_pending(), || format!("{first:?} was told, and {last} is the last"))?;
        let mut wait = pin!(soon("a change", changed));
        for _ in 0..3 {
            // Reading gives a log that is early the time to say so.
            read(&log, Query::all()).await?;
            let early = tokio::select! {
                biased;
                told = &mut wait => Some(told),
                () = tokio::task::yield_now() => None,
            };
            ensure(early.is_none(), || format!("{early:?} was told, and {last} is the last"))?;
        }
        let written = match number {
            // Whoever writes it, and in whatever way.
            5 => {
                let recorded = Recorded { seq: Seq(last.0 + 10), record: begin("a", number) };
                fine(log.import(vec![recorded.clone()]).await)?;
                recorded
            }
            _ => add(&log, begin("a", number)).await?,
        };
        last = fine(wait.await?)?;
        same("the number that is told", &last, &written.seq)?;
    }
    Ok(())
}

async fn all_who_wait_hear(log: Log) -> Checked {
    let last = add(&log, begin("a", 1)).await?.seq;
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let log = Arc::clone(&log);
        waiting.spawn(async move { fine(soon("a change", log.changed(last)).await?) });
    }
    tokio::task::yield_now().await;
    let next = add(&log, begin("a", 2)).await?.seq;
    while let Some(told) = waiting.join_next().await {
        let told = told.map_err(|error| format!("waiting panicked: {error}"))??;
        same("the number that is told", &told, &next)?;
    }
    Ok(())
}

async fn what_was_told_never_changes(log: Log) -> Checked {
    let mut told = Seq(0);
    let mut seen: Vec<Recorded> = Vec::new();
    for number in 1..=20 {
        add(&log, begin(["a", "b"][number as usize % 2], number)).await?;
        told = fine(soon("a change", log.changed(told)).await?)?;
        let mut all = read(&log, Query::all()).await?;
        all.retain(|recorded| recorded.seq <= told);
        ensure(all.starts_with(&seen), || {
            format!("up to {told} there were {seen:.300?}, and now there are {all:.300?}")
        })?;
        ensure(all.last().is_some_and(|last| last.seq == told), || {
            format!("{told} was told and cannot be read")
        })?;
        seen = all;
    }
    Ok(())
}

async fn who_follows_sees_each_record_once_and_in_order(log: Log) -> Checked {
    let (tasks, runs) = (8, 25);
    let mut written = Vec::new();
    for number in 0..20 {
        written.push(add(&log, begin("before", number)).await?);
    }
    let mut writers = JoinSet::new();
    for task in 1..=tasks {
        let log = Arc::clone(&log);
        writers.spawn(async move { write(&log, task, runs).await });
    }
    let many = written.len() + 2 * (tasks * runs) as usize;
    let followed = log.follow(Seq(0)).take(many).try_collect::<Vec<Recorded>>();
    let followed = fine(soon("all records", followed).await?)?;
    while let Some(answers) = writers.join_next().await {
        written.extend(answers.map_err(|error| format!("an append panicked: {error}"))??);
    }
    written.sort_by_key(|recorded| recorded.seq);
    same("what was followed", &followed, &written)
}

/// Appends runs of one task and their ends, one by one.
pub(super) async fn write(log: &Log, task: u32, runs: u32) -> Checked<Vec<Recorded>> {
    let name = format!("task {task}");
    let mut written: Vec<Recorded> = Vec::new();
    for run in 0..runs {
        let number = task * 1000 + run;
        let last = written.last().map(|last| last.seq);
        let run = latest(begin(&name, number), last);
        let end = open(end(&name, number, Action::Success));
        for append in [run, end] {
            let answers = fine(log.append(vec![append]).await)?;
            for answer in answers {
                match answer {
                    Appended::Won(recorded) => written.push(recorded),
                    Appended::Lost => return Err(format!("a record of `{name}` was lost")),
                }
            }
            tokio::task::yield_now().await;
        }
    }
    Ok(written)
}

async fn who_follows_may_go_on_later(log: Log) -> Checked {
    let mut written = Vec::new();
    for number in 1..=5 {
        written.push(add(&log, begin("a", number)).await?);
    }
    let mut after = Seq(0);
    let mut followed = Vec::new();
    for round in 0..4 {
        let some = log.follow(after).take(3).try_collect::<Vec<Recorded>>();
        let some = fine(soon("three records", some).await?)?;
        after = some.last().map_or(after, |last| last.seq);
        followed.extend(some);
        for number in 0..3 {
            written.push(add(&log, begin("b", 100 + round * 3 + number)).await?);
        }
    }
    written.truncate(followed.len());
    same("what was followed in parts", &followed, &written)
}
