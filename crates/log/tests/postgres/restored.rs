//! A log that is put back to what it was: nothing is decided by what it had.

use std::fmt::Write as _;
use std::sync::Arc;

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Seq};
use redengine_core::runlog::{Appended, LogErrorKind, PastOf, Prune, Query, RunLog};
use redengine_testserver::Server;
use tokio_postgres::Client;

use super::{assert_says, begin, beside, connect, end, latest};

const TABLES: [&str; 8] =
    ["state", "task", "record", "hour", "tally", "ended_run", "open_run", "lease"];

async fn back_up(admin: &Client) {
    for table in TABLES {
        let copy = format!("create table {table}_copy as table {table}");
        admin.batch_execute(&copy).await.unwrap();
    }
}

/// Puts all tables back at once, as `pg_restore --single-transaction` does; nobody is disconnected.
async fn restore(admin: &Client) {
    let mut restore = String::from("begin;");
    for table in TABLES {
        write!(restore, "delete from {table}; insert into {table} select * from {table}_copy;")
            .unwrap();
    }
    admin.batch_execute(&(restore + "commit")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_put_back_is_decided_by_what_it_has() {
    for is_taken_on in [false, true] {
        let url = Server::shared().url_of_new_schema();
        let (log, other) = (connect(&url).await, connect(&url).await);
        let admin = beside(&url).await;
        let first = begin("a", 1, 0);
        log.append(vec![latest(first.clone(), None)]).await.unwrap();
        back_up(&admin).await;
        let ended = log.append(vec![end(&first, Action::Success)]).await.unwrap();
        assert!(matches!(ended[0], Appended::Won(_)));
        let second = log.append(vec![latest(begin("a", 2, 0), Some(Seq(2)))]).await.unwrap();
        assert!(matches!(second[0], Appended::Won(_)));
        restore(&admin).await;
        let mut there = 1;
        if is_taken_on {
            // The same numbers again, for other records.
            let mut last = None;
            for run in 10..13 {
                other.append(vec![latest(begin("b", run, 0), last)]).await.unwrap();
                last = other.latest_seq("b").await;
            }
            there = 4;
        }
        let of = PastOf { task: "a".into(), keep: Keep::default() };
        let past = log.past(vec![of]).await.unwrap().remove(0);
        assert_eq!((past.counts[0], past.counts[1]), (1, 0), "the second run is not there");
        assert_eq!(past.open, [Seq(1)]);
        let answer = log.append(vec![latest(begin("a", 3, 0), Some(Seq(3)))]).await.unwrap();
        assert_eq!(answer[0], Appended::Lost, "it was decided by a record that is not there");
        let ended = log.append(vec![end(&first, Action::Fail)]).await.unwrap();
        assert!(matches!(&ended[0], Appended::Won(recorded) if recorded.seq == Seq(there + 1)));
        assert_eq!(log.count(Query::all()).await.unwrap(), there + 1);
    }
}

/// The number of the latest record of a task.
trait Latest {
    async fn latest_seq(&self, task: &str) -> Option<Seq>;
}

impl<T: RunLog> Latest for T {
    async fn latest_seq(&self, task: &str) -> Option<Seq> {
        let log: &dyn RunLog = self;
        log.latest(task, []).await.unwrap().map(|recorded| recorded.seq)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_a_log_that_is_put_back_is_told() {
    let url = Server::shared().url_of_new_schema();
    let (log, other) = (connect(&url).await, connect(&url).await);
    let admin = beside(&url).await;
    log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    back_up(&admin).await;
    for last in 1..4 {
        let next = latest(begin("a", u128::from(last) + 1, 0), Some(Seq(last)));
        log.append(vec![next]).await.unwrap();
    }
    assert_eq!(other.changed(Seq(3)).await.unwrap(), Seq(4));
    let waits = tokio::spawn({
        let other = other.clone();
        async move { other.changed(Seq(4)).await }
    });
    restore(&admin).await;
    let error = waits.await.unwrap().unwrap_err();
    assert_says(&error, LogErrorKind::Replaced, "its last record is 1 now, and 4 was told before");
    // Who comes later hears of it too, until there are as many again.
    assert_eq!(other.changed(Seq(2)).await.unwrap_err().kind(), LogErrorKind::Replaced);
    let waits = tokio::spawn({
        let other = other.clone();
        async move { other.changed(Seq(1)).await }
    });
    log.append(vec![latest(begin("b", 9, 0), None)]).await.unwrap();
    assert_eq!(waits.await.unwrap().unwrap(), Seq(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_last_record_that_others_have_pruned_is_not_missed() {
    let url = Server::shared().url_of_new_schema();
    let (log, other) = (Arc::new(connect(&url).await), connect(&url).await);
    for round in 1..4 {
        let run = u128::from(round);
        let record = begin("a", run, 0);
        log.append(vec![latest(record.clone(), log.latest_seq("a").await)]).await.unwrap();
        log.append(vec![end(&record, Action::Success)]).await.unwrap();
        let (last, record) = (other.latest_seq("a").await, begin("a", run + 10, 0));
        other.append(vec![latest(record.clone(), last)]).await.unwrap();
        other.append(vec![end(&record, Action::Success)]).await.unwrap();
        other.prune(Prune::default().beyond(1)).await.unwrap();
        let of = PastOf { task: "a".into(), keep: Keep::default() };
        let past = log.past(vec![of]).await.unwrap().remove(0);
        assert_eq!(past.counts[..2], [round * 2; 2]);
    }
}
