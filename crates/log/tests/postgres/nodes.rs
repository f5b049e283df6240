//! Many nodes on one schema: one wins each run, and all hear of it.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use redengine_core::record::{Recorded, RunId, Seq};
use redengine_core::runlog::{Appended, Query, RunLog};
use redengine_testserver::Server;
use tokio::task::JoinSet;

use super::{begin, connect, latest, newest};

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
                while u128::from(log.count(other.clone()).await.unwrap()) <= round {
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
    let reader: Arc<dyn RunLog> = Arc::new(connect(&url).await);
    let followed = reader.follow(Seq(0)).take((writers * appends) as usize);
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
