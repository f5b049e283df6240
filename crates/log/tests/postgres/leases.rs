//! Leases: who has let its own run out begins nothing.

use std::time::Duration;

use redengine_core::record::{Action, Seq};
use redengine_core::runlog::{Appended, Leases, LogErrorKind, Member, RunLog};
use redengine_testserver::Server;
use tokio::task::JoinSet;

use super::{assert_says, begin_on, beside, connect, end, latest, member, until};

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
    log.renew(&member("a"), Duration::from_mins(1), &[]).await.unwrap();
    let answers = log.append(vec![run.clone()]).await.unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
    // Ends are for whoever knows of them.
    log.renew(&member("b"), Duration::from_mins(1), &["a".into()]).await.unwrap();
    let answers = log.append(vec![end(&run.record, Action::Crash)]).await.unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
}

#[tokio::test]
async fn a_fenced_batch_does_not_fail_those_it_went_with() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    log.renew(&member("b"), Duration::from_mins(1), &["a".into()]).await.unwrap();
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
    // Nor does anybody while the server has not been up for as long as a lease lasts.
    for _ in 0..2 {
        let members = other.renew(&labelled, Duration::from_hours(24), &[]).await.unwrap();
        assert_eq!(members.len(), 2);
    }
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
    let minute = Duration::from_mins(1);
    assert_eq!(log.renew(&member("a"), minute, &[]).await.unwrap().len(), 2);
    assert_eq!(log.renew(&member("b"), minute, &[]).await.unwrap().len(), 2);
}
