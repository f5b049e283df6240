//! Appending: what is won, what is lost, and what is then in the log.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, Details, Reason, Record, Seq};
use redengine_core::runlog::{Appended, Query};

use super::kit::{
    Checked, Log, add, at, begin, checks, end, ensure, fine, latest, lost, open, past, read,
    run_id, same, won,
};

checks![
    a_task_without_records_runs_if_none_is_expected,
    a_run_is_lost_if_another_record_came_first,
    records_of_other_tasks_do_not_matter,
    what_is_lost_leaves_no_trace,
    a_run_ends_once_and_the_first_wins,
    a_run_that_did_not_begin_cannot_end,
    an_end_that_expects_the_latest_ends_too,
    a_batch_is_decided_in_order,
    an_empty_batch_is_nothing,
    a_record_that_is_there_is_won_again,
    a_dropped_append_may_be_repeated,
    numbers_increase,
    every_field_comes_back,
    any_name_is_a_name,
    ten_thousand_records_are_one_batch,
];

async fn a_task_without_records_runs_if_none_is_expected(log: Log) -> Checked {
    let recorded = won(&log, latest(begin("a", 1), None)).await?;
    ensure(recorded.seq > Seq(0), || "the number of the first record is 0".to_owned())?;
    same("the log", &read(&log, Query::all()).await?, &vec![recorded])
}

async fn a_run_is_lost_if_another_record_came_first(log: Log) -> Checked {
    let first = won(&log, latest(begin("a", 1), None)).await?;
    lost(&log, latest(begin("a", 2), None)).await?;
    lost(&log, latest(begin("a", 3), Some(Seq(first.seq.0 + 1)))).await?;
    lost(&log, latest(begin("b", 4), Some(first.seq))).await?;
    let second = won(&log, latest(begin("a", 5), Some(first.seq))).await?;
    lost(&log, latest(begin("a", 6), Some(first.seq))).await?;
    won(&log, open(end("a", 1, Action::Success))).await?;
    lost(&log, latest(begin("a", 7), Some(second.seq))).await
}

async fn records_of_other_tasks_do_not_matter(log: Log) -> Checked {
    let a = won(&log, latest(begin("a", 1), None)).await?;
    let b = won(&log, latest(begin("b", 2), None)).await?;
    won(&log, latest(begin("a", 3), Some(a.seq))).await?;
    won(&log, latest(begin("b", 4), Some(b.seq))).await.map(drop)
}

async fn what_is_lost_leaves_no_trace(log: Log) -> Checked {
    let first = won(&log, latest(begin("a", 1), None)).await?;
    lost(&log, latest(begin("a", 2), None)).await?;
    lost(&log, open(end("b", 3, Action::Fail))).await?;
    same("the log", &read(&log, Query::all()).await?, &vec![first.clone()])?;
    same("the last number", &fine(log.last_seq().await)?, &first.seq)?;
    same("counts", &past(&log, "a", Keep::default()).await?.counts, &[1, 0, 0, 0, 0, 0])?;
    same("counts", &past(&log, "b", Keep::default()).await?.counts, &[0; 6])?;
    // What was lost may be won later.
    won(&log, latest(begin("a", 2), Some(first.seq))).await.map(drop)
}

async fn a_run_ends_once_and_the_first_wins(log: Log) -> Checked {
    let ends = [Action::Success, Action::Fail, Action::Terminate, Action::Inaction, Action::Crash];
    for (number, first) in (1_u32..).zip(ends) {
        add(&log, begin("a", number)).await?;
        won(&log, open(end("a", number, first))).await?;
        for other in ends.into_iter().filter(|other| *other != first) {
            lost(&log, open(end("a", number, other))).await?;
        }
    }
    same("the number of records", &read(&log, Query::all()).await?.len(), &10)
}

async fn a_run_that_did_not_begin_cannot_end(log: Log) -> Checked {
    lost(&log, open(end("a", 1, Action::Success))).await?;
    won(&log, latest(begin("a", 2), None)).await?;
    lost(&log, open(end("a", 1, Action::Success))).await?;
    // It is a run of another task.
    lost(&log, open(end("b", 2, Action::Success))).await?;
    lost(&log, open(begin("a", 3))).await?;
    won(&log, open(end("a", 2, Action::Success))).await.map(drop)
}

async fn an_end_that_expects_the_latest_ends_too(log: Log) -> Checked {
    let begun = won(&log, latest(begin("a", 1), None)).await?;
    won(&log, latest(end("a", 1, Action::Crash), Some(begun.seq))).await?;
    lost(&log, open(end("a", 1, Action::Success))).await
}

async fn a_batch_is_decided_in_order(log: Log) -> Checked {
    let batch = vec![
        latest(begin("a", 1), None),
        open(end("a", 1, Action::Success)),
        open(end("a", 1, Action::Fail)),
        latest(begin("a", 2), None),
        latest(begin("b", 3), None),
        open(end("b", 4, Action::Success)),
        latest(begin("b", 4), None),
        latest(begin("c", 5), None),
        open(end("b", 3, Action::Fail)),
    ];
    let wanted = [true, true, false, false, true, false, false, true, true];
    let records: Vec<Record> = batch.iter().map(|append| append.record.clone()).collect();
    let appended = fine(log.append(batch).await)?;
    let is_won: Vec<bool> =
        appended.iter().map(|appended| matches!(appended, Appended::Won(_))).collect();
    same("who won", &is_won, &wanted.to_vec())?;
    let mut there = Vec::new();
    for (record, appended) in records.iter().zip(appended) {
        if let Appended::Won(recorded) = appended {
            same("an answer's record", &recorded.record, record)?;
            there.push(recorded);
        }
    }
    ensure(there.is_sorted_by(|one, next| one.seq < next.seq), || {
        format!("numbers are not in the order of the batch: {there:?}")
    })?;
    same("the log", &read(&log, Query::all()).await?, &there)
}

async fn an_empty_batch_is_nothing(log: Log) -> Checked {
    let appended = fine(log.append(Vec::new()).await)?;
    same("the answers", &appended.len(), &0)?;
    same("the last number", &fine(log.last_seq().await)?, &Seq(0))
}

async fn a_record_that_is_there_is_won_again(log: Log) -> Checked {
    let run = latest(begin("a", 1), None);
    let success = open(end("a", 1, Action::Success));
    let begun = won(&log, run.clone()).await?;
    same("the run again", &won(&log, run.clone()).await?, &begun)?;
    let ended = won(&log, success.clone()).await?;
    let answers = fine(log.append(vec![success.clone(), run.clone(), success]).await)?;
    let wanted = [&ended, &begun, &ended].map(|recorded| Appended::Won(recorded.clone())).to_vec();
    same("the same again", &answers, &wanted)?;
    // And the log is right about when it was, whoever says so again at another time.
    let mut later = end("a", 1, Action::Success);
    later.at = at(100);
    let answers = fine(log.append(vec![open(later)]).await)?;
    same("the same at another time", &answers, &vec![Appended::Won(ended.clone())])?;

    let twice = fine(log.append(vec![latest(begin("b", 2), None); 2]).await)?;
    ensure(twice.len() == 2 && twice[0] == twice[1] && twice[0] != Appended::Lost, || {
        format!("the same twice in a batch: {twice:?}")
    })?;
    same("the number of records", &read(&log, Query::all()).await?.len(), &3)?;
    same("counts", &past(&log, "a", Keep::default()).await?.counts, &[1, 1, 0, 0, 0, 0])?;
    same("counts", &past(&log, "b", Keep::default()).await?.counts, &[1, 0, 0, 0, 0, 0])
}

async fn a_dropped_append_may_be_repeated(log: Log) -> Checked {
    let first = won(&log, latest(begin("a", 1), None)).await?;
    let batch = vec![
        open(end("a", 1, Action::Success)),
        latest(begin("b", 2), None),
        latest(begin("a", 3), Some(first.seq)),
    ];
    {
        let mut dropped = pin!(log.append(batch.clone()));
        let _ = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let answers = fine(log.append(batch).await)?;
    let is_won: Vec<bool> =
        answers.iter().map(|answer| matches!(answer, Appended::Won(_))).collect();
    same("who won", &is_won, &vec![true, true, false])?;
    same("the number of records", &read(&log, Query::all()).await?.len(), &3)
}

async fn numbers_increase(log: Log) -> Checked {
    let mut last = Seq(0);
    for number in 1..50 {
        let task = ["a", "b", "c"][number as usize % 3];
        let recorded = add(&log, begin(task, number)).await?;
        ensure(recorded.seq > last, || format!("{} came after {last}", recorded.seq))?;
        last = recorded.seq;
        same("the last number", &fine(log.last_seq().await)?, &last)?;
    }
    Ok(())
}

async fn every_field_comes_back(log: Log) -> Checked {
    let text = |word: &str| format!("{word} \"quoted\" 'twice' \\ `äöü` 日本 \u{1F980}\0\r\n");
    let much = "so long ".repeat(100_000);
    let none = Details::default;
    let details = [
        none(),
        none().with_node(text("node")),
        none().with_reason(text("reason")),
        none().with_reason(Reason::new("").because(text("cause")).because("").because("its own")),
        none().with_output(text("{\"output\": null}")),
        none().with_attempt(3),
        none().with_params(text("{\"params\": 1}")),
        none().with_trace(text("trace")),
        none()
            .with_node("n")
            .with_reason(text("r"))
            .with_output(text("o"))
            .with_attempt(u64::MAX >> 1),
        none().with_node("").with_reason("").with_output("").with_params("").with_trace(""),
        none().with_reason(much.clone()).with_output(much.clone()).with_params(much),
    ]
    .map(Details::shared);
    let mut written = Vec::new();
    for (number, details) in (1..).zip(details) {
        written.push(add(&log, Record { details, ..begin("details", number) }).await?);
    }
    let times = [Timestamp::MIN, Timestamp::from_micros(-1), Timestamp::default(), Timestamp::MAX];
    for (number, (at, due)) in (100..).zip(
        times
            .into_iter()
            .flat_map(|at| [None].into_iter().chain(times.map(Some)).map(move |due| (at, due))),
    ) {
        let started = due.unwrap_or_default();
        let record = Record { at, started, due, ..begin("times", number) };
        written.push(add(&log, record).await?);
    }
    let ids = [0, u128::MAX, u128::MAX - 1, 1 << 127, 1 << 64];
    for (number, id) in (200..).zip(ids) {
        let record = Record { run: run_id(id), ..begin("ids", number) };
        written.push(add(&log, record).await?);
    }
    for (one, there) in written.iter().zip(read(&log, Query::all()).await?) {
        same("a record", &there, one)?;
    }
    same("the number of records", &read(&log, Query::all()).await?.len(), &written.len())
}

async fn any_name_is_a_name(log: Log) -> Checked {
    let endless = "long ".repeat(20_000);
    let names = [
        "",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "ä",
        "a\u{308}",
        "日本語",
        "\u{1F980}",
        "it's",
        "\"quoted\"",
        "back\\slash",
        "`; drop table record; --",
        "%",
        "_",
        "*",
        "?1",
        "null",
        "0",
        "00",
        "1e0",
        "nul\0byte",
        "nul\0",
        "line\nbreak",
        "../../etc/passwd",
        &endless,
    ];
    for (number, name) in (1..).zip(names) {
        won(&log, latest(begin(name, number), None)).await?;
    }
    for (number, name) in (1..).zip(names) {
        let records = read(&log, Query::task(name)).await?;
        let records: Vec<Record> = records.into_iter().map(|recorded| recorded.record).collect();
        same("the records of a name", &records, &vec![begin(name, number)])?;
        let past = past(&log, name, Keep::default()).await?;
        same("the counts of a name", &past.counts, &[1, 0, 0, 0, 0, 0])?;
    }
    Ok(())
}

async fn ten_thousand_records_are_one_batch(log: Log) -> Checked {
    let runs = 5000;
    let mut batch = Vec::new();
    for number in 0..runs {
        batch.push(latest(begin(&format!("task {number}"), number), None));
        batch.push(open(end(&format!("task {number}"), number, Action::Success)));
    }
    let appended = fine(log.append(batch).await)?;
    let mut written = Vec::new();
    for answer in appended {
        match answer {
            Appended::Won(recorded) => written.push(recorded),
            Appended::Lost => return Err("a record of a large batch was lost".to_owned()),
        }
    }
    same("the number of answers", &written.len(), &(2 * runs as usize))?;
    let there = read(&log, Query::all()).await?;
    ensure(there == written, || "the log holds other records than were won".to_owned())
}
