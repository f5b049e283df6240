//! Taking over another log: the copy answers as the original.

use std::sync::Arc;

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Details, Reason, Record, Recorded, Seq};
use redengine_core::runlog::{LogErrorKind, PastOf, Query};

use super::kit::{
    Checked, Log, add, alike, append, begin, checks, end, fine, latest, open, past, read, same, won,
};
use crate::MemoryLog;

checks![
    a_copy_answers_as_the_original,
    a_copy_may_be_made_in_parts,
    appends_go_on_after_an_import,
    what_was_imported_is_there,
    numbers_that_do_not_increase_are_refused_whole,
    a_second_record_of_a_run_and_an_action_is_refused_whole,
];

const TASKS: [&str; 3] = ["a", "b", ""];

/// Makes a log with some of everything; its numbers have gaps.
pub(super) async fn original() -> Checked<Log> {
    let log: Log = Arc::new(MemoryLog::new());
    let mut records = Vec::new();
    let mut seq = 3;
    let mut push = |record: Record, gap: u64| {
        seq += gap;
        records.push(Recorded { seq: Seq(seq), record });
    };
    for number in 1..=40_u32 {
        let task = TASKS[number as usize % 3];
        let details = Details::default()
            .with_node("node")
            .with_attempt(number.into())
            .with_params("{\"day\": 1}")
            .with_trace("4bf92f3577b34da6a3ce929d0e0e4736");
        push(Record { details: details.shared(), ..begin(task, number) }, 1);
        if number % 5 != 0 {
            let action = Action::ALL[1 + number as usize % 5];
            let details = Details::default()
                .with_reason(Reason::new("it's so").because("of that"))
                .with_output("[1]");
            let record = Record { details: details.shared(), ..end(task, number, action) };
            push(record, 1 + u64::from(number) % 3 * 7);
        }
    }
    fine(log.import(records).await)?;
    Ok(log)
}

async fn a_copy_answers_as_the_original(log: Log) -> Checked {
    let original = original().await?;
    fine(log.import(read(&original, Query::all()).await?).await)?;
    alike(&log, &original).await?;
    fine(log.import(Vec::new()).await)?;
    alike(&log, &original).await
}

async fn a_copy_may_be_made_in_parts(log: Log) -> Checked {
    let original = original().await?;
    loop {
        let last = fine(log.last_seq().await)?;
        let more = read(&original, Query::all().after(last).limit(7)).await?;
        if more.is_empty() {
            return alike(&log, &original).await;
        }
        fine(log.import(more).await)?;
    }
}

async fn appends_go_on_after_an_import(log: Log) -> Checked {
    let original = original().await?;
    fine(log.import(read(&original, Query::all()).await?).await)?;
    // The same that the original answers, number by number.
    for number in 100..110 {
        for task in ["a", "new"] {
            let number = number * 2 + u32::from(task == "new");
            let begun = add(&log, begin(task, number)).await?;
            same("a new record", &begun, &add(&original, begin(task, number)).await?)?;
        }
    }
    let of = PastOf { task: "a".into(), keep: Keep::default() };
    let pasts = fine(original.past(vec![of]).await)?;
    for past in pasts {
        for begun in past.records.iter().filter(|recorded| past.open.contains(&recorded.seq)) {
            let ended = Record { action: Action::Success, ..begun.record.clone() };
            let ended = open(Record { details: None, ..ended });
            won(&log, ended.clone()).await?;
            won(&original, ended).await?;
        }
    }
    alike(&log, &original).await
}

async fn what_was_imported_is_there(log: Log) -> Checked {
    let original = original().await?;
    let all = read(&original, Query::all()).await?;
    fine(log.import(all.clone()).await)?;
    for recorded in &all {
        let again = latest(recorded.record.clone(), None);
        same("the same again", &won(&log, again).await?, recorded)?;
    }
    let ended = all.iter().find(|recorded| recorded.record.action == Action::Success);
    if let Some(ended) = ended {
        let other = Record { action: Action::Fail, ..ended.record.clone() };
        let answer = append(&log, open(other)).await?;
        same("another end", &answer, &redengine_core::runlog::Appended::Lost)?;
    }
    alike(&log, &original).await
}

async fn numbers_that_do_not_increase_are_refused_whole(log: Log) -> Checked {
    let at = |seq, number| Recorded { seq: Seq(seq), record: begin("a", number) };
    refused(&log, vec![at(0, 1)]).await?;
    refused(&log, vec![at(1, 1), at(2, 2), at(2, 3)]).await?;
    refused(&log, vec![at(5, 1), at(6, 2), at(4, 3), at(7, 4)]).await?;
    fine(log.import(vec![at(5, 1), at(9, 2)]).await)?;
    refused(&log, vec![at(9, 3)]).await?;
    refused(&log, vec![at(8, 3), at(10, 4)]).await?;
    let last = add(&log, begin("a", 3)).await?;
    refused(&log, vec![at(last.seq.0, 4)]).await?;
    fine(log.import(vec![at(last.seq.0 + 1, 4)]).await)
}

async fn a_second_record_of_a_run_and_an_action_is_refused_whole(log: Log) -> Checked {
    let at = |seq, record| Recorded { seq: Seq(seq), record };
    let (run, success) = (begin("a", 1), end("a", 1, Action::Success));
    refused(&log, vec![at(1, begin("a", 2)), at(2, run.clone()), at(3, run.clone())]).await?;
    fine(log.import(vec![at(5, run.clone()), at(6, success.clone())]).await)?;
    // Whenever and wherever it is said to have been.
    let other = Record { task: "b".into(), ..begin("b", 9) };
    let other = Record { run: run.run, ..other };
    for again in [run.clone(), success, other] {
        refused(&log, vec![at(7, begin("a", 2)), at(8, again)]).await?;
    }
    let begun = add(&log, begin("a", 3)).await?;
    refused(&log, vec![at(begun.seq.0 + 1, begin("a", 3))]).await?;
    // A run may end in two ways, as one that was given up and ended all the same.
    let crash = at(begun.seq.0 + 1, end("a", 1, Action::Crash));
    fine(log.import(vec![crash.clone()]).await)?;
    let wanted = [at(5, run), at(6, end("a", 1, Action::Success)), begun, crash];
    same("the log", &read(&log, Query::all()).await?, &wanted.to_vec())?;
    same("counts", &past(&log, "a", Keep::default()).await?.counts, &[2, 1, 0, 0, 0, 1])
}

/// Checks that records are refused and that none of them is in the log then.
async fn refused(log: &Log, records: Vec<Recorded>) -> Checked {
    let before = read(log, Query::all()).await?;
    let numbers: Vec<u64> = records.iter().map(|recorded| recorded.seq.0).collect();
    let last = fine(log.last_seq().await)?;
    match log.import(records).await {
        Ok(()) => Err(format!("{numbers:?} were taken, and {last} was the last number")),
        Err(error) if error.kind() != LogErrorKind::Order => {
            Err(format!("refused as {:?}, not as `Order`: {error:?}", error.kind()))
        }
        Err(_) => {
            let what = format!("the records after {numbers:?} were refused");
            same(&what, &read(log, Query::all()).await?, &before)?;
            same("the last number", &fine(log.last_seq().await)?, &last)
        }
    }
}
