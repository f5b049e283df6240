//! Two logs of one store, both open: what one writes counts for the other.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use futures::{StreamExt, TryStreamExt};
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{Prune, Query};
use tokio::task::JoinSet;

use super::kit::{
    Checked, Log, add, alike, append, begin, checks, end, ensure, fine, latest, lost, open, read,
    same, soon, won,
};
use super::leases::{LONG, is_fenced, member, renew};
use super::race::{at_once, wins};
use super::reopened::same_in_memory;
use super::store::Store;
use super::whole::{Way, watch};
use super::{follow, prune};

checks![StoreCheck:
    what_one_wrote_the_other_reads,
    who_waits_hears_of_what_another_wrote,
    who_follows_sees_the_records_of_all_once_and_in_order,
    of_many_that_expect_the_same_one_wins_whoever_takes_it,
    of_many_that_end_a_run_one_wins_whoever_takes_it,
    numbers_increase_over_all,
    what_one_has_appended_is_won_again_by_the_other,
    one_goes_on_after_the_other_has_pruned,
    one_goes_on_after_the_other_has_imported,
    a_batch_of_one_is_whole_for_the_other,
    a_lease_counts_for_all,
];

/// How many there are at once.
const MANY: u32 = 16;

async fn two(store: Store<'_>) -> [Log; 2] {
    [store.open().await, store.open().await]
}

async fn what_one_wrote_the_other_reads(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    prune::write(&one).await?;
    let ours = same_in_memory(&one).await?;
    alike(&other, &ours).await?;
    for number in 100..110 {
        let (writer, reader) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let begun = add(writer, begin("a", number)).await?;
        let ended = won(writer, open(end("a", number, Action::Fail))).await?;
        fine(ours.import(vec![begun, ended]).await)?;
        alike(reader, &ours).await?;
    }
    Ok(())
}

async fn who_waits_hears_of_what_another_wrote(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    let mut last = Seq(0);
    for number in 1..=6 {
        let (waiter, writer) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let mut changed = pin!(waiter.changed(last));
        let first = changed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        ensure(first.is_pending(), || format!("{first:?} was told, and {last} is the last"))?;
        let written = match number {
            5 | 6 => {
                let recorded = Recorded { seq: Seq(last.0 + 10), record: begin("a", number) };
                fine(writer.import(vec![recorded.clone()]).await)?;
                recorded
            }
            _ => add(writer, begin("a", number)).await?,
        };
        last = fine(soon("a change", changed).await?)?;
        same("the number that is told", &last, &written.seq)?;
        same("what was told", &read(waiter, Query::all()).await?.pop(), &Some(written))?;
    }
    Ok(())
}

async fn who_follows_sees_the_records_of_all_once_and_in_order(store: Store<'_>) -> Checked {
    let logs = two(store).await;
    let (tasks, runs) = (8, 15);
    let many = 2 * (tasks * runs) as usize;
    let (mut writers, mut followers) = (JoinSet::new(), JoinSet::new());
    for log in &logs {
        let followed = log.follow(Seq(0)).take(many).try_collect::<Vec<Recorded>>();
        followers.spawn(async move { fine(soon("all records", followed).await?) });
    }
    for task in 1..=tasks {
        let log = Arc::clone(&logs[task as usize % 2]);
        writers.spawn(async move { follow::write(&log, task, runs).await });
    }
    let mut written = Vec::new();
    while let Some(answers) = writers.join_next().await {
        written.extend(answers.map_err(|error| format!("an append panicked: {error}"))??);
    }
    written.sort_by_key(|recorded| recorded.seq);
    while let Some(followed) = followers.join_next().await {
        let followed = followed.map_err(|error| format!("following panicked: {error}"))??;
        same("what was followed", &followed, &written)?;
    }
    Ok(())
}

async fn of_many_that_expect_the_same_one_wins_whoever_takes_it(store: Store<'_>) -> Checked {
    let logs = two(store).await;
    let mut expected: Option<Seq> = None;
    for round in 0..10 {
        let runs = (0..MANY).map(|number| begin("a", round * MANY + number));
        let batches = runs.map(|run| vec![latest(run, expected)]);
        let answers = at_once(&logs, batches.collect()).await?;
        same("how many won", &wins(&answers), &1)?;
        let newest = read(&logs[round as usize % 2], Query::task("a").newest_first()).await?;
        same("the number of records", &newest.len(), &(round as usize + 1))?;
        expected = newest.first().map(|recorded| recorded.seq);
    }
    Ok(())
}

async fn of_many_that_end_a_run_one_wins_whoever_takes_it(store: Store<'_>) -> Checked {
    let logs = two(store).await;
    let ends = [Action::Success, Action::Fail, Action::Terminate, Action::Crash];
    for round in 0..10 {
        let task = format!("task {round}");
        won(&logs[round as usize % 2], latest(begin(&task, round), None)).await?;
        let batches = ends.into_iter().map(|action| vec![open(end(&task, round, action))]);
        let answers = at_once(&logs, batches.collect()).await?;
        same("how many won", &wins(&answers), &1)?;
        for log in &logs {
            same("the number of records", &read(log, Query::task(task.as_str())).await?.len(), &2)?;
        }
    }
    Ok(())
}

async fn numbers_increase_over_all(store: Store<'_>) -> Checked {
    let logs = two(store).await;
    let mut last = Seq(0);
    for number in 0..40 {
        // One writes several times before the other does.
        let log = &logs[number as usize / 3 % 2];
        let begun = add(log, begin(["a", "b", "c"][number as usize % 3], number)).await?;
        ensure(begun.seq > last, || format!("{} came after {last}", begun.seq))?;
        last = begun.seq;
        for log in &logs {
            same("the last number", &fine(log.last_seq().await)?, &last)?;
        }
    }
    Ok(())
}

async fn what_one_has_appended_is_won_again_by_the_other(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    let run = latest(begin("a", 1), None);
    let begun = won(&one, run.clone()).await?;
    same("the run again", &won(&other, run.clone()).await?, &begun)?;
    let success = open(end("a", 1, Action::Success));
    let ended = won(&other, success.clone()).await?;
    same("the end again", &won(&one, success).await?, &ended)?;
    same("the run again", &won(&one, run).await?, &begun)?;
    lost(&one, open(end("a", 1, Action::Fail))).await?;
    lost(&one, latest(begin("a", 2), Some(begun.seq))).await?;
    same("the number of records", &read(&one, Query::all()).await?.len(), &2)
}

async fn one_goes_on_after_the_other_has_pruned(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    let appends = prune::write(&one).await?;
    let ours = same_in_memory(&one).await?;
    alike(&other, &ours).await?;
    let prune = Prune::default().beyond(3);
    let removed = fine(ours.prune(prune.clone()).await)?;
    same("how many were removed", &fine(other.prune(prune).await)?, &removed)?;
    for log in [&one, &other] {
        alike(log, &ours).await?;
        for append_again in appends.clone() {
            append(log, append_again).await?;
        }
        alike(log, &ours).await?;
    }
    for number in 100..106 {
        let log = if number % 2 == 0 { &one } else { &other };
        let begun = add(log, begin("a", number)).await?;
        same("a new record", &begun, &add(&ours, begin("a", number)).await?)?;
    }
    alike(&one, &ours).await?;
    alike(&other, &ours).await
}

async fn one_goes_on_after_the_other_has_imported(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    let begun = won(&one, latest(begin("a", 1), None)).await?;
    let at = |seq, record| Recorded { seq: Seq(seq), record };
    let ended = at(begun.seq.0 + 5, end("a", 1, Action::Success));
    fine(other.import(vec![ended.clone()]).await)?;
    lost(&one, open(end("a", 1, Action::Fail))).await?;
    lost(&one, latest(begin("a", 2), Some(begun.seq))).await?;
    let next = won(&one, latest(begin("a", 2), Some(ended.seq))).await?;
    ensure(next.seq > ended.seq, || format!("{} came after {}", next.seq, ended.seq))?;
    let twice = other.import(vec![at(next.seq.0 + 1, begin("a", 2))]).await;
    ensure(twice.is_err(), || "a run of the other log was imported once more".to_owned())?;
    let early = other.import(vec![at(next.seq.0, begin("a", 3))]).await;
    ensure(early.is_err(), || "a number of the other log was imported once more".to_owned())?;
    same("the records", &read(&other, Query::all()).await?, &vec![begun, ended, next])
}

async fn a_batch_of_one_is_whole_for_the_other(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    watch(&one, &other, Way::Append).await
}

async fn a_lease_counts_for_all(store: Store<'_>) -> Checked {
    let [one, other] = two(store).await;
    let (Some(at_one), Some(at_other)) = (one.leases(), other.leases()) else { return Ok(()) };
    renew(at_one, &member("a"), LONG, &[]).await?;
    let there = renew(at_other, &member("b"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("a"), member("b")])?;
    let there = renew(at_other, &member("b"), LONG, &["a"]).await?;
    same("who is there", &there, &vec![member("b")])?;
    is_fenced(&one, "a", 1).await?;
    fine(at_one.release(&"b".into()).await)?;
    let there = renew(at_other, &member("c"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("c")])
}
