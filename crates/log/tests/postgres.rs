//! The PostgreSQL log on a real server: many nodes, a server that goes away, other versions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use redengine_core::Timestamp;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, Leases, LogError, LogErrorKind, Member, Prune, Query, RunLog,
};
use redengine_log::{PostgresLog, conformance};
use redengine_testserver::Server;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

fn begin(task: &str, run: u128, second: i64) -> Record {
    let at = Timestamp::from_micros(second * 1_000_000);
    Record {
        task: task.into(),
        run: RunId::from_bytes(run.to_be_bytes()),
        action: Action::Run,
        at,
        started: at,
        due: None,
        details: None,
    }
}

fn begin_on(node: &str, task: &str, run: u128) -> Record {
    Record { details: Details::default().with_node(node).shared(), ..begin(task, run, 0) }
}

fn latest(record: Record, seq: Option<Seq>) -> Append {
    Append { record, expect: Expect::Latest(seq) }
}

fn end(record: &Record, action: Action) -> Append {
    Append { record: Record { action, ..record.clone() }, expect: Expect::Open }
}

fn member(node: &str) -> Member {
    Member { node: node.into(), labels: Vec::new() }
}

async fn newest(log: &PostgresLog, task: &str) -> Option<Seq> {
    let records = log.read(Query::task(task).newest_first().limit(1)).await.unwrap();
    records.first().map(|recorded| recorded.seq)
}

async fn connect(url: &str) -> PostgresLog {
    PostgresLog::connect(url).await.unwrap()
}

/// Connects to the database of an address, beside the log.
async fn beside(url: &str) -> Client {
    let (url, schema) = url.split_once("?schema=").unwrap_or((url, "public"));
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("set search_path to {schema}")).await.unwrap();
    client
}

async fn refused(url: &str) -> LogError {
    PostgresLog::connect(url).await.unwrap_err()
}

fn assert_says(error: &LogError, kind: LogErrorKind, words: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(words), "{error:?}");
}

/// Waits for something on the server, which has its own clock.
async fn until(server: &Client, condition: &str) {
    let select = format!("select {condition}");
    while !server.query_one(&select, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_postgres_log_passes() {
    let make = async || connect(&Server::shared().url_of_new_schema()).await;
    conformance::run(make).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_nodes_that_race_for_a_run_one_wins() {
    let url = Server::shared().url_of_new_schema();
    let (tasks, rounds) = (8_u128, 25_u128);
    let mut nodes = JoinSet::new();
    for node in 0..2_u128 {
        let log = connect(&url).await;
        nodes.spawn(async move {
            let mut won = 0;
            let mut known: Vec<Option<Seq>> = vec![None; tasks as usize];
            for round in 0..rounds {
                let run = |task| (round * tasks + task) * 2 + node;
                let batch = (0..tasks).map(|task| {
                    let record = begin(&format!("task {task}"), run(task), 0);
                    latest(record, known[task as usize])
                });
                let answers = log.append(batch.collect()).await.unwrap();
                let wins = answers.iter().filter(|answer| matches!(answer, Appended::Won(_)));
                won += wins.count() as u128;
                // Both go on when both are done with the round.
                for task in 0..tasks {
                    let name = format!("task {task}");
                    let seqs = log.read(Query::task(name)).await.unwrap();
                    assert_eq!(seqs.len() as u128, round + 1, "a run was lost or won twice");
                    known[task as usize] = seqs.last().map(|recorded| recorded.seq);
                }
                let mark = begin(&format!("node {node}"), u128::MAX - run(0), 0);
                log.append(vec![latest(mark, newest(&log, &format!("node {node}")).await)])
                    .await
                    .unwrap();
                let other = Query::task(format!("node {}", 1 - node));
                let mut last = Seq(0);
                while log.count(other.clone()).await.unwrap() as u128 <= round {
                    last = log.changed(last).await.unwrap();
                }
            }
            won
        });
    }
    let won: u128 = nodes.join_all().await.into_iter().sum();
    assert_eq!(won, tasks * rounds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_follows_four_writers_misses_nothing_and_sees_nothing_twice() {
    let url = Server::shared().url_of_new_schema();
    let (writers, appends) = (4_u128, 100_u128);
    let follower: Arc<dyn RunLog> = Arc::new(connect(&url).await);
    let followed = follower.follow(Seq(0)).take((writers * appends) as usize);
    let followed = tokio::spawn(followed.try_collect::<Vec<Recorded>>());
    let mut nodes = JoinSet::new();
    for writer in 0..writers {
        let log = connect(&url).await;
        nodes.spawn(async move {
            let mut calls = JoinSet::new();
            for append in 0..appends {
                let log = log.clone();
                let run = writer * appends + append;
                calls.spawn(async move {
                    log.append(vec![latest(begin(&format!("task {run}"), run, 0), None)]).await
                });
            }
            calls.join_all().await.into_iter().map(Result::unwrap).for_each(drop);
        });
    }
    nodes.join_all().await;
    let followed = followed.await.unwrap().unwrap();
    let seqs: Vec<u64> = followed.iter().map(|recorded| recorded.seq.0).collect();
    assert_eq!(seqs, (1..=400).collect::<Vec<u64>>());
    let runs: HashSet<RunId> = followed.iter().map(|recorded| recorded.record.run).collect();
    assert_eq!(runs.len(), 400);
}

#[tokio::test]
async fn an_append_of_another_node_wakes_who_waits() {
    let url = Server::shared().url_of_new_schema();
    let (one, other) = (connect(&url).await, connect(&url).await);
    let waiting = tokio::spawn(async move { one.changed(Seq(0)).await });
    other.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Seq(1));
}

#[tokio::test]
async fn a_lease_that_ran_out_begins_no_run_until_it_is_renewed() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let server = beside(&url).await;
    log.renew(&member("a"), Duration::from_millis(1), &[]).await.unwrap();
    until(&server, "until < clock_timestamp() from lease").await;
    let run = latest(begin_on("a", "task", 1), None);
    let free = latest(begin_on("b", "other", 2), None);
    let error = log.append(vec![free.clone(), run.clone()]).await.unwrap_err();
    assert_says(&error, LogErrorKind::Fenced, "the lease of `a` has ended");
    assert_eq!(log.last_seq().await.unwrap(), Seq(0), "the batch fails as a whole");
    // Who never asked for a lease needs none.
    log.append(vec![free]).await.unwrap();
    log.renew(&member("a"), Duration::from_secs(60), &[]).await.unwrap();
    let answers = log.append(vec![run.clone()]).await.unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
    // Ends are for whoever knows of them.
    log.renew(&member("b"), Duration::from_secs(60), &["a".into()]).await.unwrap();
    let answers = log.append(vec![end(&run.record, Action::Crash)]).await.unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
}

#[tokio::test]
async fn a_fenced_batch_does_not_fail_those_it_went_with() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    log.renew(&member("b"), Duration::from_secs(60), &["a".into()]).await.unwrap();
    let mut calls = JoinSet::new();
    for run in 0..32_u128 {
        let log = log.clone();
        let node = if run % 2 == 0 { "a" } else { "b" };
        calls.spawn(async move {
            let record = begin_on(node, &format!("task {run}"), run);
            (node, log.append(vec![latest(record, None)]).await)
        });
    }
    for (node, answer) in calls.join_all().await {
        assert_eq!(answer.is_err(), node == "a", "{node}: {answer:?}");
    }
    assert_eq!(log.last_seq().await.unwrap(), Seq(16));
}

#[tokio::test]
async fn a_lease_that_others_ended_is_over() {
    let url = Server::shared().url_of_new_schema();
    let (one, other) = (connect(&url).await, connect(&url).await);
    let server = beside(&url).await;
    let (short, long) = (Duration::from_millis(1), Duration::from_millis(300));
    let labelled = Member { labels: vec!["gpu".into(), "big".into()], ..member("b") };
    one.renew(&member("a"), short, &[]).await.unwrap();
    until(&server, "until < clock_timestamp() from lease where node = 'a'").await;
    // Who only just came does not end the leases of others: they had no time to renew.
    let members = other.renew(&labelled, long, &[]).await.unwrap();
    assert_eq!(members, [member("a"), labelled.clone()]);
    one.renew(&member("a"), short, &[]).await.unwrap();
    until(&server, "until < clock_timestamp() from lease where node = 'a'").await;
    until(&server, "clock_timestamp() > pg_postmaster_start_time() + interval '300 ms'").await;
    other.renew(&labelled, long, &[]).await.unwrap();
    let members = other.renew(&labelled, long, &[]).await.unwrap();
    assert_eq!(members, std::slice::from_ref(&labelled));
    let error = one.renew(&member("a"), long, &[]).await.unwrap_err();
    assert_says(&error, LogErrorKind::Fenced, "begin again under another name");
    let error = one.append(vec![latest(begin_on("a", "task", 1), None)]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Fenced);
    // Nor is it there again when it is given back.
    one.release(&"a".into()).await.unwrap();
    assert_eq!(one.renew(&member("a"), long, &[]).await.unwrap_err().kind(), LogErrorKind::Fenced);
    other.release(&"b".into()).await.unwrap();
    assert_eq!(one.renew(&member("c"), long, &[]).await.unwrap(), [member("c")]);
}

#[tokio::test]
async fn who_comes_back_after_an_outage_does_not_end_the_leases_of_others() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let server = beside(&url).await;
    for node in ["a", "b"] {
        log.renew(&member(node), Duration::from_millis(1), &[]).await.unwrap();
    }
    until(&server, "max(until) < clock_timestamp() from lease").await;
    let long = Duration::from_secs(60);
    assert_eq!(log.renew(&member("a"), long, &[]).await.unwrap().len(), 2);
    assert_eq!(log.renew(&member("b"), long, &[]).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_crashes_in_the_middle_loses_nothing_that_was_acknowledged() {
    let server = Arc::new(Server::start().unwrap());
    let url = server.url_of_new_schema();
    let log = connect(&url).await;
    let follower: Arc<dyn RunLog> = Arc::new(connect(&url).await);
    let mut writers = JoinSet::new();
    for writer in 0..4_u128 {
        let log = log.clone();
        writers.spawn(async move {
            let task = format!("task {writer}");
            let mut won = Vec::new();
            for run in 0..150 {
                let record = begin(&task, writer * 1000 + run, 0);
                // Whatever has failed may be said again.
                loop {
                    let expect = won.last().copied();
                    match log.append(vec![latest(record.clone(), expect)]).await {
                        Ok(answers) => match &answers[0] {
                            Appended::Won(recorded) => break won.push(recorded.seq),
                            Appended::Lost => panic!("nobody else runs {task}"),
                        },
                        Err(error) => {
                            assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error:?}");
                            tokio::task::yield_now().await;
                        }
                    }
                }
            }
            won
        });
    }
    let seen = {
        let followed = follower.follow(Seq(0));
        tokio::spawn(async move {
            // An error is told, and then it goes on.
            followed.filter_map(async |one| one.ok()).take(600).collect::<Vec<_>>().await
        })
    };
    let restarted = Arc::clone(&server);
    let mut last = Seq(0);
    for _ in 0..2 {
        last = log.changed(Seq(last.0 + 40)).await.unwrap_or(last);
        let server = Arc::clone(&restarted);
        tokio::task::spawn_blocking(move || server.restart().unwrap()).await.unwrap();
    }
    let mut won: Vec<Seq> = writers.join_all().await.into_iter().flatten().collect();
    won.sort_unstable();
    let there = log.read(Query::all()).await.unwrap();
    let seqs: Vec<Seq> = there.iter().map(|recorded| recorded.seq).collect();
    assert_eq!(seqs, won, "what is there is what was acknowledged");
    assert_eq!(seen.await.unwrap(), there);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_are_cut_are_made_again() {
    let server = Server::start().unwrap();
    let url = server.url_of_new_schema();
    let log = connect(&url).await;
    let beside = beside(&url).await;
    let mut latest_seq = None;
    for run in 0..40 {
        if run % 4 == 0 {
            let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                 where application_name = 'redengine'";
            beside.query(cut, &[]).await.unwrap();
        }
        let record = begin("a", run, 0);
        let seq = loop {
            match log.append(vec![latest(record.clone(), latest_seq)]).await {
                Ok(answers) => match &answers[0] {
                    Appended::Won(recorded) => break recorded.seq,
                    Appended::Lost => panic!("nobody else runs it"),
                },
                Err(error) => assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error:?}"),
            }
        };
        latest_seq = Some(seq);
        match log.read(Query::all()).await {
            Ok(records) => assert_eq!(records.len() as u128, run + 1),
            Err(error) => assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_in_time() {
    let server = Server::start().unwrap();
    let log = connect(&server.url_of_new_schema()).await;
    log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    server.crash().unwrap();
    let second = latest(begin("a", 2, 0), Some(Seq(1)));
    for _ in 0..2 {
        let error = log.append(vec![second.clone()]).await.unwrap_err();
        assert_says(&error, LogErrorKind::Unreachable, &format!(":{}/postgres", server.port()));
        assert_eq!(log.read(Query::all()).await.unwrap_err().kind(), LogErrorKind::Unreachable);
        assert_eq!(log.last_seq().await.unwrap_err().kind(), LogErrorKind::Unreachable);
        let renewed = log.renew(&member("a"), Duration::from_secs(1), &[]).await;
        assert_eq!(renewed.unwrap_err().kind(), LogErrorKind::Unreachable);
        assert_eq!(log.changed(Seq(9)).await.unwrap_err().kind(), LogErrorKind::Unreachable);
    }
    server.resume().unwrap();
    assert!(matches!(log.append(vec![second]).await.unwrap()[0], Appended::Won(_)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error_in_time() {
    // It lets us connect, and then says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://u:s3cret@{}/d", silent.local_addr().unwrap());
    let log = PostgresLog::builder(&url).unwrap().connect_timeout(Duration::from_millis(100));
    let error = log.connect().await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn who_holds_the_lock_holds_others_up_for_a_while() {
    let url = Server::shared().url_of_new_schema();
    let log = PostgresLog::builder(&url).unwrap().statement_timeout(Duration::from_millis(200));
    let log = log.connect().await.unwrap();
    let other = beside(&url).await;
    other.batch_execute("begin; lock table record").await.unwrap();
    let run = latest(begin("a", 1, 0), None);
    let error = log.append(vec![run.clone()]).await.unwrap_err();
    assert_says(&error, LogErrorKind::Unreachable, "was not done within 200ms");
    other.batch_execute("rollback").await.unwrap();
    assert!(matches!(log.append(vec![run]).await.unwrap()[0], Appended::Won(_)));
}

#[tokio::test]
async fn what_is_wrong_with_the_address_is_said() {
    let server = Server::shared();
    let port = server.port();
    let admin = beside(&server.url()).await;
    admin.batch_execute("create role nobody_much login").await.unwrap();
    admin.batch_execute("create schema theirs; create table theirs.orders (id int)").await.unwrap();
    let error = refused(&format!("postgres://redengine@127.0.0.1:{port}/nowhere")).await;
    assert_says(&error, LogErrorKind::Open, "create database \"nowhere\"");
    let error = refused(&format!("postgres://stranger@127.0.0.1:{port}/postgres")).await;
    assert_says(&error, LogErrorKind::Open, "does not let user `stranger` in");
    let error = refused(&format!("postgres://nobody_much@127.0.0.1:{port}/postgres")).await;
    assert_says(&error, LogErrorKind::Open, "create schema \"redengine\" authorization");
    let error = refused(&format!("{}?schema=theirs", server.url())).await;
    assert_says(&error, LogErrorKind::Open, "there is a `orders` in schema `theirs`");
    let error = refused(&format!("{}?sslmode=require", server.url())).await;
    assert_says(&error, LogErrorKind::Open, "TLS");
    admin
        .batch_execute("create database old template template0 encoding 'SQL_ASCII'")
        .await
        .unwrap();
    let error = refused(&format!("postgres://redengine@127.0.0.1:{port}/old")).await;
    assert_says(&error, LogErrorKind::Open, "encoded as SQL_ASCII");
    let nobody = "postgres://redengine:s3cret@127.0.0.1:1/postgres";
    let error = refused(nobody).await;
    assert_says(&error, LogErrorKind::Unreachable, "127.0.0.1:1/postgres");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_and_left_alone() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let first = log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    assert!(matches!(first[0], Appended::Won(_)));
    let server = beside(&url).await;
    server.batch_execute("update state set version = 99").await.unwrap();
    let error = refused(&url).await;
    assert_says(&error, LogErrorKind::Version, "its tables are of version 99");
    // Who was there before writes no more.
    let error = log.append(vec![latest(begin("a", 2, 0), Some(Seq(1)))]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Version);
    let left = "select version, (select count(*) from record) from state";
    let left = server.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get::<_, i32>(0), left.get::<_, i64>(1)), (99, 1));
}

#[tokio::test]
async fn tables_of_an_older_version_are_upgraded() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    let server = beside(&url).await;
    // The first version knew no leases.
    server.batch_execute("drop table lease; update state set version = 1").await.unwrap();
    let log = connect(&url).await;
    assert_eq!(log.renew(&member("a"), Duration::from_secs(60), &[]).await.unwrap().len(), 1);
    let second = latest(begin_on("a", "a", 2), Some(Seq(1)));
    assert!(matches!(log.append(vec![second]).await.unwrap()[0], Appended::Won(_)));
    assert_eq!(log.count(Query::all()).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_connect_at_once_make_the_tables_once() {
    let url = Server::shared().url_of_new_schema();
    let mut nodes = JoinSet::new();
    for node in 0..8_u128 {
        let url = url.clone();
        nodes.spawn(async move {
            let log = connect(&url).await;
            log.append(vec![latest(begin("a", node, 0), None)]).await.unwrap()
        });
    }
    let answers = nodes.join_all().await;
    let won = answers.iter().filter(|answers| matches!(answers[0], Appended::Won(_))).count();
    assert_eq!(won, 1);
}

/// All that can be asked of a task.
async fn everything(log: &PostgresLog, task: &str) -> String {
    let keep = redengine_core::facts::Keep::default();
    let of = vec![redengine_core::runlog::PastOf { task: task.into(), keep }];
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

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_advance_while_the_log_works() {
    let log = connect(&Server::shared().url_of_new_schema()).await;
    let work = async {
        let mut seq = None;
        for run in 0..20 {
            log.append(vec![latest(begin("a", run, 0), seq)]).await.unwrap();
            seq = Some(log.last_seq().await.unwrap());
        }
    };
    tokio::select! {
        biased;
        () = tokio::time::sleep(Duration::from_millis(1)) => panic!("time passed"),
        () = work => {}
    }
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

/// Stops or continues the processes that serve a log.
async fn signal(server: &Client, signal: &str) {
    let select = "select pid from pg_stat_activity where application_name = 'redengine'";
    for row in server.query(select, &[]).await.unwrap() {
        let pid = row.get::<_, i32>(0).to_string();
        let kill = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(kill.unwrap().success());
    }
}

#[tokio::test]
async fn a_server_that_freezes_is_an_error_in_time() {
    let server = Server::start().unwrap();
    let log = PostgresLog::builder(&server.url()).unwrap();
    let log = log.statement_timeout(Duration::from_millis(100)).connect().await.unwrap();
    log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    log.last_seq().await.unwrap();
    let beside = beside(&server.url()).await;
    signal(&beside, "STOP").await;
    let second = latest(begin("a", 2, 0), Some(Seq(1)));
    let error = log.append(vec![second.clone()]).await.unwrap_err();
    assert_says(&error, LogErrorKind::Unreachable, "has not answered within 100ms");
    assert_eq!(log.last_seq().await.unwrap_err().kind(), LogErrorKind::Unreachable);
    signal(&beside, "CONT").await;
    // It may be that the first attempt is carried out after all.
    until(&beside, "count(*) <= 1 from pg_stat_activity where application_name = 'redengine'")
        .await;
    assert!(matches!(log.append(vec![second]).await.unwrap()[0], Appended::Won(_)));
    assert_eq!(log.count(Query::all()).await.unwrap(), 2);
}

#[test]
fn a_log_works_without_a_runtime() {
    let url = Server::shared().url_of_new_schema();
    let log = futures::executor::block_on(PostgresLog::connect(&url)).unwrap();
    let append = log.append(vec![latest(begin("a", 1, 0), None)]);
    assert!(matches!(futures::executor::block_on(append).unwrap()[0], Appended::Won(_)));
}
