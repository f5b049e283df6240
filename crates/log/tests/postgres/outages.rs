//! A server that goes away, in whatever way: never wrong, and never for ever.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use redengine_core::Timestamp;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{Appended, Leases, LogErrorKind, Query, RunLog};
use redengine_log::PostgresLog;
use redengine_testserver::Server;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{assert_says, begin, beside, connect, latest, member, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_crashes_in_the_middle_loses_nothing_that_was_acknowledged() {
    let server = Arc::new(Server::start().unwrap());
    let url = server.url_of_new_schema();
    let log = connect(&url).await;
    let reader: Arc<dyn RunLog> = Arc::new(connect(&url).await);
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
        let followed = reader.follow(Seq(0));
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

/// A way to a server that can be broken without a word, and counts who takes it.
struct Way {
    port: u16,
    taken: Arc<AtomicUsize>,
    is_broken: Arc<AtomicBool>,
}

impl Way {
    fn to(server: u16) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, is_broken) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, broken) = (Arc::clone(&taken), Arc::clone(&is_broken));
        std::thread::spawn(move || {
            for here in listener.incoming() {
                let here = here.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let there = std::net::TcpStream::connect(("127.0.0.1", server)).unwrap();
                let back = (there.try_clone().unwrap(), here.try_clone().unwrap());
                for (from, to) in [(here, there), back] {
                    let broken = Arc::clone(&broken);
                    std::thread::spawn(move || carry(from, to, &broken));
                }
            }
        });
        Self { port, taken, is_broken }
    }
}

/// Carries bytes as long as the way is not broken; what comes then is lost.
fn carry(mut from: std::net::TcpStream, mut to: std::net::TcpStream, broken: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !broken.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compact_takes_its_time_but_does_not_wait_for_a_server_that_is_not_heard() {
    let server = Server::start().unwrap();
    let way = Way::to(server.port());
    let url = format!("postgres://redengine@127.0.0.1:{}/postgres", way.port);
    let log = PostgresLog::builder(&url).unwrap().statement_timeout(Duration::from_millis(50));
    let log = log.connect_timeout(Duration::from_millis(500)).connect().await.unwrap();
    let admin = beside(&format!("{}?schema=redengine", server.url())).await;
    for is_heard in [true, false] {
        admin.batch_execute("begin; lock table record in share mode").await.unwrap();
        let before = way.taken.load(Ordering::SeqCst);
        let compact = tokio::spawn({
            let log = log.clone();
            async move { log.compact().await }
        });
        // It waits for longer than a statement may take, and has looked whether it is there still.
        while way.taken.load(Ordering::SeqCst) < before + 3 {
            tokio::task::yield_now().await;
        }
        assert!(!compact.is_finished());
        if is_heard {
            admin.batch_execute("rollback").await.unwrap();
            compact.await.unwrap().unwrap();
        } else {
            way.is_broken.store(true, Ordering::SeqCst);
            let error = compact.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error:?}");
        }
    }
}

#[tokio::test]
async fn few_records_among_many_are_found_however_long_that_takes() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let records = (1..=16).map(|number| {
        let record = begin(&format!("task {number}"), u128::from(number), 0);
        Recorded { seq: Seq(number * 1_000_000), record }
    });
    log.import(records.collect()).await.unwrap();
    let admin = beside(&url).await;
    // A disk that is slow: each record that is looked at takes its time.
    let slow = "create function slow(bigint) returns bigint stable language plpgsql
            as 'begin perform pg_sleep(0.1); return $1; end';
         alter table record rename to fast;
         create view record as select seq, task, run, slow(action)::smallint as action,
            slow(at) as at, started, due, node, reason, output, attempt, params, trace, causes
         from fast";
    admin.batch_execute(slow).await.unwrap();
    let log = PostgresLog::builder(&url).unwrap().statement_timeout(Duration::from_secs(1));
    let log = log.connect().await.unwrap();
    let until = Timestamp::from_micros(-1);
    for query in [
        Query::all().after(Seq(1)).actions([Action::Fail]).limit(1),
        Query::all().until(until).limit(1),
        Query::all().until(until).limit(1).newest_first(),
    ] {
        assert_eq!(log.read(query).await.unwrap(), []);
    }
}
