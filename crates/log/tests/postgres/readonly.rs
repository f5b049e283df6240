//! A server that takes no writes: it says why, and when it takes them the same log goes on.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use redengine_core::facts::Keep;
use redengine_core::record::Seq;
use redengine_core::runlog::{Appended, Leases, LogErrorKind, PastOf, Query, RunLog};
use redengine_log::PostgresLog;
use redengine_testserver::Server;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{assert_says, begin, beside, connect, latest, member, until};

/// Appends until it is in the log; whatever has failed may be said again.
async fn append_at_last(log: &PostgresLog, task: &str, run: u128, after: Option<Seq>) -> Seq {
    loop {
        match log.append(vec![latest(begin(task, run, 0), after)]).await {
            Ok(answers) => match &answers[0] {
                Appended::Won(recorded) => return recorded.seq,
                Appended::Lost => panic!("nobody else runs {task}"),
            },
            Err(error) => {
                let kinds = [LogErrorKind::Unreachable, LogErrorKind::ReadOnly];
                assert!(kinds.contains(&error.kind()), "{error:?}");
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Asserts that nothing can be written, and all be read that a scheduler must know.
async fn assert_is_read_only(log: &PostgresLog, words: &str, records: usize) {
    let next = latest(begin("a", 77, 0), Some(Seq(records as u64)));
    for _ in 0..2 {
        assert_says(
            &log.append(vec![next.clone()]).await.unwrap_err(),
            LogErrorKind::ReadOnly,
            words,
        );
        let renewed = log.renew(&member("a"), Duration::from_mins(1), &[]).await;
        assert_says(&renewed.unwrap_err(), LogErrorKind::ReadOnly, words);
        assert_eq!(log.read(Query::all()).await.unwrap().len(), records);
        let of = PastOf { task: "a".into(), keep: Keep::default() };
        let past = log.past(vec![of]).await.unwrap();
        assert_eq!(past[0].open.len(), records, "all of them are live");
    }
}

/// Waits until a standby has all that its primary has.
async fn caught_up(primary: &Client) {
    until(
        primary,
        "count(*) > 0 and bool_and(replay_lsn = pg_current_wal_lsn()) is true
         from pg_stat_replication where state = 'streaming'",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_no_records_until_it_is_promoted() {
    let primary = Server::start().unwrap();
    let first = append_at_last(&connect(&primary.url()).await, "a", 1, None).await;
    let standby = {
        let (primary, standby) = tokio::task::spawn_blocking(move || {
            let standby = primary.start_standby().unwrap();
            (primary, standby)
        })
        .await
        .unwrap();
        caught_up(&beside(&primary.url()).await).await;
        drop(primary);
        standby
    };
    // The tables are there, so it can be opened and asked.
    let log = connect(&standby.url()).await;
    assert_is_read_only(&log, "is a standby", 1).await;
    assert_is_read_only(&log, "name the primary", 1).await;
    // Where there are none, they cannot be made.
    let error = PostgresLog::connect(&standby.url_of_new_schema()).await.unwrap_err();
    assert_says(&error, LogErrorKind::ReadOnly, "name the primary");
    // Nor is it an answer to who asks for a server that takes writes.
    let writable = format!("{}?target_session_attrs=read-write", standby.url());
    let error = PostgresLog::connect(&writable).await.unwrap_err();
    assert_says(&error, LogErrorKind::ReadOnly, "promote a standby");
    standby.promote().unwrap();
    let second = log.append(vec![latest(begin("a", 2, 0), Some(first))]).await.unwrap();
    assert!(matches!(second[0], Appended::Won(_)), "{second:?}");
    assert_eq!(log.count(Query::all()).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_is_followed_and_goes_on_to_be_when_it_is_promoted() {
    let primary = Server::start().unwrap();
    let first = append_at_last(&connect(&primary.url()).await, "a", 1, None).await;
    let standby = tokio::task::block_in_place(|| primary.start_standby().unwrap());
    let log: Arc<dyn RunLog> = Arc::new(connect(&standby.url()).await);
    let mut followed = log.follow(Seq(0));
    let mut next = async || followed.next().await.unwrap().unwrap().seq;
    assert_eq!(next().await, first);
    let second = append_at_last(&connect(&primary.url()).await, "a", 2, Some(first)).await;
    assert_eq!(log.changed(first).await.unwrap(), second);
    assert_eq!(next().await, second);
    tokio::task::block_in_place(|| {
        primary.crash().unwrap();
        standby.promote().unwrap();
    });
    let third = append_at_last(&connect(&standby.url()).await, "a", 3, Some(second)).await;
    assert_eq!(next().await, third);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_when_a_synchronous_standby_takes_over() {
    let primary = Arc::new(Server::start().unwrap());
    connect(&primary.url()).await;
    let source = Arc::clone(&primary);
    let standby = tokio::task::spawn_blocking(move || source.start_standby().unwrap()).await;
    let standby = standby.unwrap();
    let admin = beside(&primary.url()).await;
    caught_up(&admin).await;
    // From now on, what is acknowledged is on both.
    admin.batch_execute("alter system set synchronous_standby_names = '*'").await.unwrap();
    admin.batch_execute("select pg_reload_conf()").await.unwrap();
    until(&admin, "bool_and(sync_state = 'sync') is true from pg_stat_replication").await;
    let both = format!(
        "postgres://redengine@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        primary.port(),
        standby.port()
    );
    let log = connect(&both).await;
    let reader: Arc<dyn RunLog> = Arc::new(connect(&both).await);
    let (promoted, is_promoted) = watch::channel(false);
    let mut writers = JoinSet::new();
    for writer in 0..4_u128 {
        let (log, is_promoted) = (log.clone(), is_promoted.clone());
        writers.spawn(async move {
            let mut won = Vec::new();
            let mut more = 10;
            for run in writer * 100_000.. {
                let task = format!("task {writer}");
                won.push(append_at_last(&log, &task, run, won.last().copied()).await);
                more -= u32::from(*is_promoted.borrow());
                if more == 0 {
                    break;
                }
            }
            won
        });
    }
    let (hear, mut heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        // An error is told, and then it goes on.
        let mut followed = reader.follow(Seq(0)).filter_map(async |one| one.ok()).boxed();
        while let Some(recorded) = followed.next().await {
            if hear.send(recorded).is_err() {
                break;
            }
        }
    });
    log.changed(Seq(80)).await.unwrap();
    tokio::task::spawn_blocking(move || primary.crash().unwrap()).await.unwrap();
    let standby = tokio::task::spawn_blocking(move || {
        standby.promote().unwrap();
        standby
    });
    let standby = standby.await.unwrap();
    promoted.send(true).unwrap();
    let mut won: Vec<Seq> = writers.join_all().await.into_iter().flatten().collect();
    won.sort_unstable();
    let there = connect(&standby.url()).await.read(Query::all()).await.unwrap();
    let seqs: Vec<Seq> = there.iter().map(|recorded| recorded.seq).collect();
    assert_eq!(seqs, won, "what is there is what was acknowledged");
    let mut followed = Vec::new();
    while followed.len() < there.len() {
        heard.recv_many(&mut followed, there.len()).await;
    }
    assert_eq!(followed, there);
}

#[tokio::test]
async fn a_server_that_is_set_to_read_only_is_obeyed_until_it_is_set_back() {
    let server = Server::start().unwrap();
    let log = connect(&server.url()).await;
    let first = append_at_last(&log, "a", 1, None).await;
    let admin = beside(&server.url()).await;
    // The connections that are there hear of it at some time soon.
    let set = async |value: &str| {
        let set = format!("alter system set default_transaction_read_only = {value}");
        admin.batch_execute(&set).await.unwrap();
        admin.batch_execute("select pg_reload_conf()").await.unwrap();
        until(&admin, &format!("current_setting('default_transaction_read_only') = '{value}'"))
            .await;
    };
    set("on").await;
    assert_is_read_only(&log, "`default_transaction_read_only`", 1).await;
    set("off").await;
    let second = append_at_last(&log, "a", 2, Some(first)).await;
    assert_eq!((second, log.count(Query::all()).await.unwrap()), (Seq(2), 2));
}

#[tokio::test]
async fn a_user_who_lost_the_right_to_write_may_read_and_goes_on_when_it_is_back() {
    let server = Server::shared();
    let url = server.url_of_new_schema();
    connect(&url).await;
    let admin = beside(&url).await;
    admin.batch_execute("create role clerk login").await.unwrap();
    let schema = url.split_once("schema=").unwrap().1;
    let grant = format!(
        "grant usage on schema {schema} to clerk;
         grant select, insert, update, delete on all tables in schema {schema} to clerk"
    );
    admin.batch_execute(&grant).await.unwrap();
    let log = connect(&url.replace("redengine@", "clerk@")).await;
    let first = append_at_last(&log, "a", 1, None).await;
    let revoke =
        format!("revoke insert, update, delete on all tables in schema {schema} from clerk");
    admin.batch_execute(&revoke).await.unwrap();
    assert_is_read_only(&log, "user `clerk` lacks a right", 1).await;
    // Who opens the log with less than that may read it as well.
    let reader = connect(&url.replace("redengine@", "clerk@")).await;
    assert_is_read_only(&reader, "user `clerk` lacks a right", 1).await;
    admin.batch_execute(&grant).await.unwrap();
    let second = log.append(vec![latest(begin("a", 2, 0), Some(first))]).await.unwrap();
    assert!(matches!(second[0], Appended::Won(_)), "{second:?}");
}
