//! The PostgreSQL log on a real server: what it has in common with others, and what many of these tests
//! are written with.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod disk;
mod leases;
mod nodes;
mod opening;
mod outages;
mod readonly;
#[path = "../shared/records.rs"]
mod records;
mod restored;
mod upkeep;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use redengine_core::record::{Details, Record, Seq};
use redengine_core::runlog::{Appended, Member, Query, RunLog};
use redengine_log::{PostgresLog, conformance};
use redengine_testserver::Server;
use tokio_postgres::{Client, NoTls};

use self::records::{assert_says, begin, end, latest};

fn begin_on(node: &str, task: &str, run: u128) -> Record {
    Record { details: Details::default().with_node(node).shared(), ..begin(task, run, 0) }
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
async fn the_postgres_logs_of_one_schema_pass() {
    let schemas = RefCell::new(HashMap::new());
    let open = async |store: usize| {
        let make = || Server::shared().url_of_new_schema();
        let url: String = schemas.borrow_mut().entry(store).or_insert_with(make).clone();
        connect(&url).await
    };
    conformance::run_reopened(open).await.unwrap();
    conformance::run_shared(open).await.unwrap();
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

#[test]
fn a_log_works_without_a_runtime() {
    let url = Server::shared().url_of_new_schema();
    let log = futures::executor::block_on(PostgresLog::connect(&url)).unwrap();
    let append = log.append(vec![latest(begin("a", 1, 0), None)]);
    assert!(matches!(futures::executor::block_on(append).unwrap()[0], Appended::Won(_)));
}
