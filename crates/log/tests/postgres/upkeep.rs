//! Ledgers that are written down, records that are removed and imported.

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Record, Recorded, Seq};
use redengine_core::runlog::{Appended, LogErrorKind, PastOf, Prune, Query, RunLog};
use redengine_log::PostgresLog;
use redengine_testserver::Server;

use super::{assert_says, begin, beside, connect, end, latest, until};

/// All that can be asked of a task.
async fn everything(log: &PostgresLog, task: &str) -> String {
    let keep = Keep::default();
    let of = vec![PastOf { task: task.into(), keep }];
    format!("{:?}", log.past(of).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ledger_that_was_written_down_is_the_fold_of_all_records() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let late = connect(&url).await;
    late.append(vec![latest(begin("first", u128::MAX, 0), None)]).await.unwrap();
    // More than is written down at a time, by one node while the other looks away.
    for part in 0..9_u128 {
        let mut batch = Vec::new();
        for run in 0..2048 {
            let id = part * 2048 + run;
            let record = begin(&format!("task {id}"), id, 0);
            let action = if id % 7 == 0 { Action::Fail } else { Action::Success };
            let ended = end(&record, action);
            batch.push(latest(record, None));
            if id % 5 != 0 {
                batch.push(ended);
            }
        }
        log.append(batch).await.unwrap();
    }
    let server = beside(&url).await;
    until(&server, "copied > 0 from state").await;
    let opened = connect(&url).await;
    for task in ["first", "task 0", "task 7", "task 14", "task 15", "task 16383", "task 18431"] {
        let known = everything(&log, task).await;
        assert_eq!(everything(&opened, task).await, known, "{task}");
        assert_eq!(everything(&late, task).await, known, "{task}");
    }
}

#[tokio::test]
async fn who_was_away_while_records_were_pruned_knows_of_them_all_the_same() {
    let url = Server::shared().url_of_new_schema();
    let (log, away) = (connect(&url).await, connect(&url).await);
    away.append(vec![latest(begin("a", 0, 0), None)]).await.unwrap();
    let mut seq = Some(Seq(1));
    for run in 1..40 {
        let record = begin("a", run, i64::try_from(run).unwrap());
        let ended = end(&record, Action::Success);
        let answers = log.append(vec![latest(record, seq), ended]).await.unwrap();
        let Appended::Won(last) = &answers[1] else { panic!("nobody else is there") };
        seq = Some(last.seq);
    }
    let before = everything(&log, "a").await;
    assert_eq!(log.prune(Prune::default().beyond(3)).await.unwrap(), 79 - 4);
    for log in [&log, &away, &connect(&url).await] {
        assert_eq!(everything(log, "a").await, before);
        assert_eq!(log.count(Query::all()).await.unwrap(), 4);
    }
    let next = latest(begin("a", 99, 99), seq);
    assert!(matches!(away.append(vec![next]).await.unwrap()[0], Appended::Won(_)));
    assert_eq!(away.last_seq().await.unwrap(), Seq(80));
}

#[tokio::test]
async fn a_run_that_had_an_end_before_it_began_is_over_also_for_who_comes_later() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let run = begin("a", 1, 0);
    let crash = Record { action: Action::Crash, ..run.clone() };
    log.append(vec![latest(crash, None)]).await.unwrap();
    // Before records are removed, what is known of them is written down.
    log.prune(Prune::default().beyond(9)).await.unwrap();
    let log = connect(&url).await;
    let batch = vec![latest(run.clone(), Some(Seq(1))), end(&run, Action::Success)];
    let answers = log.append(batch).await.unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
    assert_eq!(answers[1], Appended::Lost);
}

#[tokio::test]
async fn records_are_imported_with_their_numbers() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let records: Vec<Recorded> = (1..100_u64)
        .map(|number| Recorded {
            seq: Seq(number * 10),
            record: begin(&format!("task {}", number % 3), number.into(), 7200),
        })
        .collect();
    log.import(records.clone()).await.unwrap();
    assert_eq!(log.read(Query::all()).await.unwrap(), records);
    assert_eq!(log.read(Query::all().from(records[0].record.at)).await.unwrap(), records);
    let again = log.import(records).await.unwrap_err();
    assert_says(&again, LogErrorKind::Order, "record 10");
    let next = latest(begin("task 0", 1000, 0), Some(Seq(990)));
    let answers = log.append(vec![next]).await.unwrap();
    assert!(matches!(&answers[0], Appended::Won(recorded) if recorded.seq == Seq(991)));
}

#[tokio::test]
async fn numbers_that_nobody_has_are_stepped_over() {
    let log = connect(&Server::shared().url_of_new_schema()).await;
    let numbers = [1, 5000, 9000, 1 << 40, 1 << 62];
    let records: Vec<Recorded> = numbers
        .into_iter()
        .map(|number| Recorded { seq: Seq(number), record: begin("a", number.into(), 0) })
        .collect();
    log.import(records.clone()).await.unwrap();
    assert_eq!(log.read(Query::all()).await.unwrap(), records);
    assert_eq!(log.read(Query::task("a").after(Seq(1))).await.unwrap(), records[1..]);
    assert_eq!(log.count(Query::task("a")).await.unwrap(), 5);
    let newest = log.read(Query::all().newest_first()).await.unwrap();
    assert!(newest.iter().eq(records.iter().rev()));
    // All but the latest and the runs that have not ended, which these are.
    assert_eq!(log.prune(Prune::default().beyond(1)).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_are_the_same_when_they_are_copied_to_a_server_and_back() {
    let first = redengine_log::MemoryLog::new();
    let mut last = None;
    for run in 1..=20 {
        let record = begin("a\0\u{1}", run, 5);
        let batch = vec![latest(record.clone(), last), end(&record, Action::Fail)];
        first.append(batch).await.unwrap();
        last = Some(first.last_seq().await.unwrap());
    }
    let records = first.read(Query::all()).await.unwrap();
    let url = Server::shared().url_of_new_schema();
    let server = redengine_log::connect(&url).await.unwrap();
    assert_eq!(redengine_log::copy(&first, &*server).await.unwrap(), 40);
    assert_eq!(redengine_log::copy(&first, &*server).await.unwrap(), 0);
    let back = redengine_log::connect("memory:").await.unwrap();
    assert_eq!(redengine_log::copy(&*server, &*back).await.unwrap(), 40);
    assert_eq!(back.read(Query::all()).await.unwrap(), records);
}

#[tokio::test]
async fn after_compacting_new_records_take_the_room_of_removed_ones() {
    let url = Server::shared().url_of_new_schema();
    let (log, server) = (connect(&url).await, beside(&url).await);
    let size = async || {
        let size = "select pg_relation_size('record')";
        server.query_one(size, &[]).await.unwrap().get::<_, i64>(0)
    };
    let mut seq = None;
    let mut run = 0;
    let mut write = async || {
        let mut batch = Vec::new();
        for _ in 0..4096 {
            let record = begin("a", run, i64::try_from(run).unwrap());
            batch.push(latest(record.clone(), seq));
            batch.push(end(&record, Action::Success));
            seq = Some(Seq(seq.map_or(0, |Seq(last)| last) + 2));
            run += 1;
        }
        let answers = log.append(batch).await.unwrap();
        assert!(!answers.contains(&Appended::Lost));
    };
    write().await;
    let full = size().await;
    log.prune(Prune::default().beyond(0)).await.unwrap();
    log.compact().await.unwrap();
    write().await;
    // Without it, the table would be twice as long.
    assert!(size().await * 10 < full * 12, "{} after {full}", size().await);
}
