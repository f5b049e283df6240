//! Runs that have begun and not ended, of whichever task.

use redengine_core::record::Action;
use redengine_core::runlog::{Prune, Query};

use super::kit::{Checked, Log, add, at, begin, checks, end, fine, open, read, same, won};

checks![
    tasks_with_runs_that_have_not_ended_are_told,
    runs_that_have_not_ended_are_told_after_older_records_are_removed,
    runs_that_were_imported_and_have_not_ended_are_told,
];

async fn demand(log: &Log, wanted: &[&str]) -> Checked {
    let mut names = fine(log.unfinished().await)?;
    names.sort_unstable();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    same("the tasks with unfinished runs", &names, &wanted.to_vec())
}

async fn tasks_with_runs_that_have_not_ended_are_told(log: Log) -> Checked {
    demand(&log, &[]).await?;
    for (number, task) in (1..).zip(["a", "b", "c", "d", "a"]) {
        add(&log, begin(task, number)).await?;
    }
    demand(&log, &["a", "b", "c", "d"]).await?;
    for (number, task, action) in
        [(1, "a", Action::Success), (2, "b", Action::Crash), (4, "d", Action::Fail)]
    {
        won(&log, open(end(task, number, action))).await?;
    }
    // Of two runs of a task one has not ended.
    demand(&log, &["a", "c"]).await?;
    add(&log, begin("d", 6)).await?;
    won(&log, open(end("a", 5, Action::Terminate))).await?;
    demand(&log, &["c", "d"]).await
}

async fn runs_that_have_not_ended_are_told_after_older_records_are_removed(log: Log) -> Checked {
    add(&log, begin("a", 1)).await?;
    for number in 2..9 {
        add(&log, begin("b", number)).await?;
        won(&log, open(end("b", number, Action::Success))).await?;
    }
    fine(log.prune(Prune::default().before(at(1000))).await)?;
    demand(&log, &["a"]).await
}

async fn runs_that_were_imported_and_have_not_ended_are_told(log: Log) -> Checked {
    for (number, task) in [(1, "a"), (2, "b")] {
        add(&log, begin(task, number)).await?;
    }
    won(&log, open(end("a", 1, Action::Success))).await?;
    let mut records = read(&log, Query::all()).await?;
    for (number, recorded) in (11..).zip(&mut records) {
        recorded.seq.0 += 100;
        let of = if recorded.record.task.starts_with('a') { "c" } else { "d" };
        recorded.record.task = of.into();
        recorded.record.run = super::kit::run_id(if of == "c" { 11 } else { number });
    }
    fine(log.import(records).await)?;
    demand(&log, &["b", "d"]).await
}
