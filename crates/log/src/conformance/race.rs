//! Many at once: one wins.

use std::sync::Arc;

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Record, Seq};
use redengine_core::runlog::{Append, Appended, Query};
use tokio::task::JoinSet;

use super::kit::{
    Checked, Log, begin, checks, end, ensure, fine, latest, open, past, read, same, won,
};

checks![
    of_many_that_expect_the_same_one_wins,
    of_many_that_end_a_run_one_wins,
    of_many_that_say_the_same_all_win,
    appends_to_different_tasks_all_win,
];

/// How many there are at once.
const MANY: u32 = 32;

/// Appends many batches at once, to each log in turn; answers are in no order.
pub(super) async fn at_once(logs: &[Log], batches: Vec<Vec<Append>>) -> Checked<Vec<Appended>> {
    let mut tasks = JoinSet::new();
    for (batch, log) in batches.into_iter().zip(logs.iter().cycle()) {
        let log = Arc::clone(log);
        tasks.spawn(async move {
            tokio::task::yield_now().await;
            fine(log.append(batch).await)
        });
    }
    let mut answers = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        answers.extend(joined.map_err(|error| format!("an append panicked: {error}"))??);
    }
    Ok(answers)
}

pub(super) fn wins(answers: &[Appended]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Appended::Won(_))).count()
}

async fn of_many_that_expect_the_same_one_wins(log: Log) -> Checked {
    let mut expected: Option<Seq> = None;
    for round in 0..10 {
        let batches =
            (0..MANY).map(|number| vec![latest(begin("a", round * MANY + number), expected)]);
        let answers = at_once(std::slice::from_ref(&log), batches.collect()).await?;
        same("how many won", &wins(&answers), &1)?;
        let newest = read(&log, Query::task("a").newest_first()).await?;
        same("the number of records", &newest.len(), &(round as usize + 1))?;
        expected = newest.first().map(|recorded| recorded.seq);
    }
    Ok(())
}

async fn of_many_that_end_a_run_one_wins(log: Log) -> Checked {
    let ends = [Action::Success, Action::Fail, Action::Terminate, Action::Inaction, Action::Crash];
    for round in 0..10 {
        let task = format!("task {round}");
        won(&log, latest(begin(&task, round), None)).await?;
        let batches = ends.into_iter().map(|action| vec![open(end(&task, round, action))]);
        let answers = at_once(std::slice::from_ref(&log), batches.collect()).await?;
        same("how many won", &wins(&answers), &1)?;
        same("the number of records", &read(&log, Query::task(task)).await?.len(), &2)?;
    }
    Ok(())
}

async fn of_many_that_say_the_same_all_win(log: Log) -> Checked {
    let record = Record { ..begin("a", 1) };
    let answers =
        at_once(std::slice::from_ref(&log), vec![vec![latest(record, None)]; MANY as usize])
            .await?;
    same("how many won", &wins(&answers), &(MANY as usize))?;
    ensure(answers.windows(2).all(|two| two[0] == two[1]), || {
        format!("the same record has several numbers: {answers:?}")
    })?;
    same("the number of records", &read(&log, Query::all()).await?.len(), &1)?;
    same("counts", &past(&log, "a", Keep::default()).await?.counts, &[1, 0, 0, 0, 0, 0])
}

async fn appends_to_different_tasks_all_win(log: Log) -> Checked {
    let runs = 10;
    let mut batches = Vec::new();
    for task in 0..MANY {
        for run in 0..runs {
            let number = task * runs + run;
            let task = format!("task {task} {run}");
            let ended = open(end(&task, number, Action::Success));
            batches.push(vec![latest(begin(&task, number), None), ended]);
        }
    }
    let answers = at_once(std::slice::from_ref(&log), batches).await?;
    same("how many won", &wins(&answers), &(2 * MANY as usize * runs as usize))?;
    let all = read(&log, Query::all()).await?;
    same("the number of records", &all.len(), &answers.len())?;
    ensure(all.is_sorted_by(|one, next| one.seq < next.seq), || {
        "numbers are not in order".to_owned()
    })
}
