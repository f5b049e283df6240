//! Removing old records: what may be asked of the past does not notice.
//!
//! What is needed is told by a log of ours in memory that has the same records and is pruned alike.
//! All else that is old must be gone: who asks for less wants less.

use redengine_core::facts::Keep;
use redengine_core::record::{Action, ActionSet, Record, Recorded, Seq};
use redengine_core::runlog::{Append, Appended, Past, PastOf, Prune, Query, RunLog};

use super::kit::{
    Checked, Log, add, at, begin, checks, end, ensure, fine, latest, open, read, same,
};
use crate::MemoryLog;

checks![
    nothing_is_removed_unless_it_is_asked_for,
    records_before_an_instant_are_removed,
    records_beyond_so_many_later_ones_are_removed,
    of_two_reasons_to_remove_one_is_enough,
    what_is_needed_of_a_task_stays,
    records_of_other_tasks_than_are_named_stay,
    runs_that_have_not_ended_stay,
    a_log_may_be_pruned_again_and_again,
    a_pruned_log_goes_on,
    what_was_removed_is_not_written_again,
    a_copy_of_a_pruned_log_has_the_same_open_runs,
    compacting_changes_nothing,
];

const TASKS: [&str; 3] = ["a", "b", "c"];

/// Writes runs that end in all ways, some that do not end, and some under a clock that steps back.
pub(super) async fn write(log: &Log) -> Checked<Vec<Append>> {
    let ends = [Action::Success, Action::Fail, Action::Fail, Action::Terminate, Action::Success];
    let mut appends = Vec::new();
    for number in 1..=60_u32 {
        let task = TASKS[number as usize % 3];
        let stepped = if number % 10 == 0 { at(30) } else { at(number.into()) };
        let begun = Record { at: stepped, started: stepped, ..begin(task, number) };
        let newest = read(log, Query::task(task).newest_first().limit(1)).await?;
        let run = latest(begun, newest.first().map(|recorded| recorded.seq));
        let action = ends[number as usize % 5];
        let mut batch = vec![run];
        if number % 7 != 0 {
            batch.push(open(Record { started: stepped, ..end(task, number, action) }));
        }
        let answers = fine(log.append(batch.clone()).await)?;
        ensure(!answers.contains(&Appended::Lost), || format!("{batch:?} was lost"))?;
        appends.extend(batch);
    }
    Ok(appends)
}

async fn pasts(log: &(impl RunLog + ?Sized), of: &[PastOf]) -> Checked<Vec<Past>> {
    let pasts = fine(log.past(of.to_vec()).await)?;
    same("the number of pasts", &pasts.len(), &of.len())?;
    Ok(pasts)
}

/// A log, and one of ours that has the same records and is pruned alike.
struct Both<'a> {
    log: &'a Log,
    ours: MemoryLog,
}

impl<'a> Both<'a> {
    fn new(log: &'a Log) -> Self {
        Self { log, ours: MemoryLog::new() }
    }

    /// Prunes, and checks that what is old and not needed is gone and that nothing else is.
    async fn prune(&self, prune: Prune) -> Checked<Vec<Recorded>> {
        let Self { log, ours } = self;
        let news = Query::all().after(fine(ours.last_seq().await)?);
        fine(ours.import(read(log, news).await?).await)?;
        let of: Vec<PastOf> = TASKS
            .map(|task| {
                let needed = prune.needed.iter().find(|of| &*of.task == task);
                PastOf { task: task.into(), keep: needed.map(|of| of.keep).unwrap_or_default() }
            })
            .to_vec();
        let wanted_pasts = pasts(ours, &of).await?;
        let gone = fine(ours.prune(prune.clone()).await)?;
        let wanted = fine(ours.read(Query::all()).await)?;

        let removed = fine(log.prune(prune.clone()).await)?;
        let what = format!("after {prune:.300?}");
        same(&format!("{what}, the records"), &read(log, Query::all()).await?, &wanted)?;
        same(&format!("{what}, how many were removed"), &removed, &gone)?;
        let last = fine(ours.last_seq().await)?;
        same(&format!("{what}, the last number"), &fine(log.last_seq().await)?, &last)?;
        let count = fine(log.count(Query::all()).await)?;
        same(&format!("{what}, the count"), &count, &(wanted.len() as u64))?;
        for ((of, past), wanted) in of.iter().zip(pasts(&***log, &of).await?).zip(wanted_pasts) {
            let what = format!("{what}, of `{}`", of.task);
            same(&format!("{what}, the counts"), &past.counts, &wanted.counts)?;
            same(&format!("{what}, the failures in a row"), &past.failures, &wanted.failures)?;
            same(&format!("{what}, the open runs"), &past.open, &wanted.open)?;
            let missing = wanted.records.iter().find(|one| !past.records.contains(one));
            ensure(missing.is_none(), || format!("{what}, {missing:?} is missing"))?;
        }
        Ok(wanted)
    }
}

async fn nothing_is_removed_unless_it_is_asked_for(log: Log) -> Checked {
    let both = Both::new(&log);
    same("removed from nothing", &fine(log.prune(Prune::default().beyond(0)).await)?, &0)?;
    write(&log).await?;
    let all = read(&log, Query::all()).await?.len();
    for prune in [Prune::default(), Prune::default().before(at(0)), Prune::default().beyond(1000)] {
        same("the number of records", &both.prune(prune).await?.len(), &all)?;
    }
    Ok(())
}

async fn records_before_an_instant_are_removed(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    // The second is the very instant of a record, which stays.
    for before in [20, 33, 1000] {
        both.prune(Prune::default().before(at(before))).await?;
    }
    Ok(())
}

async fn records_beyond_so_many_later_ones_are_removed(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    for beyond in [20, 5, 1, 0] {
        both.prune(Prune::default().beyond(beyond)).await?;
    }
    Ok(())
}

async fn of_two_reasons_to_remove_one_is_enough(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    both.prune(Prune::default().before(at(40)).beyond(25)).await?;
    both.prune(Prune::default().before(at(41)).beyond(4)).await.map(drop)
}

async fn what_is_needed_of_a_task_stays(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    let needs = |task: &str, actions: &[Action], count| PastOf {
        task: task.into(),
        keep: Keep::of(ActionSet::of(actions), count),
    };
    let needed = vec![
        needs("a", &Action::ALL, 9),
        needs("b", &[Action::Fail, Action::Run], 4),
        needs("nobody", &Action::ALL, 5),
    ];
    both.prune(Prune::default().beyond(10).needed(needed.clone())).await?;
    both.prune(Prune::default().before(at(1000)).needed(needed)).await.map(drop)
}

async fn records_of_other_tasks_than_are_named_stay(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    let before = read(&log, Query::task("c")).await?;
    let old = Prune::default().before(at(40)).beyond(12);
    both.prune(old.clone().tasks(["a", "nobody"])).await?;
    both.prune(old.clone().tasks([""; 0])).await?;
    both.prune(old.tasks(["b"])).await?;
    same("the records of another task", &read(&log, Query::task("c")).await?, &before)
}

async fn runs_that_have_not_ended_stay(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    let left = both.prune(Prune::default().before(at(1000))).await?;
    for number in (7..=60).step_by(7) {
        let task = TASKS[number as usize % 3];
        let record = end(task, number, Action::Crash);
        let begun = left.iter().find(|recorded| recorded.record.run == record.run);
        ensure(begun.is_some(), || format!("the start of {} is gone", record.run))?;
        let answers = fine(log.append(vec![open(record.clone())]).await)?;
        ensure(matches!(answers[..], [Appended::Won(_)]), || format!("{record:?} was lost"))?;
    }
    Ok(())
}

async fn a_log_may_be_pruned_again_and_again(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    for number in 100..110 {
        add(&log, begin("a", number)).await?;
        add(&log, end("a", number, Action::Success)).await?;
        both.prune(Prune::default().before(at(i64::from(number) - 80)).beyond(8)).await?;
    }
    Ok(())
}

async fn a_pruned_log_goes_on(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    let mut left = both.prune(Prune::default().beyond(2)).await?;
    let last = left.last().map_or(Seq(0), |last| last.seq);
    for (number, task) in (200..).zip(TASKS) {
        let begun = add(&log, begin(task, number)).await?;
        ensure(begun.seq > last, || format!("{} came after {last}", begun.seq))?;
        left.push(begun);
        left.push(add(&log, end(task, number, Action::Fail)).await?);
    }
    same("the records", &read(&log, Query::all()).await?, &left)
}

async fn what_was_removed_is_not_written_again(log: Log) -> Checked {
    let both = Both::new(&log);
    let appends = write(&log).await?;
    let left = both.prune(Prune::default().beyond(0)).await?;
    // Somebody who never heard the answer says all of it again.
    for append in appends {
        fine(log.append(vec![append]).await)?;
    }
    same("the records", &read(&log, Query::all()).await?, &left)
}

async fn a_copy_of_a_pruned_log_has_the_same_open_runs(log: Log) -> Checked {
    let both = Both::new(&log);
    write(&log).await?;
    // A run that ends while a later one, which ended before it, is the latest.
    for number in [101, 102] {
        add(&log, begin("a", number)).await?;
    }
    for number in [102, 101] {
        add(&log, end("a", number, Action::Success)).await?;
    }
    both.prune(Prune::default().beyond(0)).await?;
    let copy = MemoryLog::new();
    fine(copy.import(read(&log, Query::all()).await?).await)?;
    let of = TASKS.map(|task| PastOf { task: task.into(), keep: Keep::default() });
    for (copied, past) in pasts(&copy, &of).await?.iter().zip(pasts(&*log, &of).await?) {
        same("the open runs", &copied.open, &past.open)?;
    }
    Ok(())
}

async fn compacting_changes_nothing(log: Log) -> Checked {
    fine(log.compact().await)?;
    let both = Both::new(&log);
    write(&log).await?;
    both.prune(Prune::default().beyond(10)).await?;
    let left = read(&log, Query::all()).await?;
    fine(log.compact().await)?;
    same("the records", &read(&log, Query::all()).await?, &left)?;
    // And so it is with what is asked of the past, and with what comes after.
    both.prune(Prune::default().beyond(2)).await?;
    let last = fine(log.last_seq().await)?;
    let begun = add(&log, begin("a", 200)).await?;
    ensure(begun.seq > last, || format!("{} came after {last}", begun.seq))
}
