//! Leases: who is there, by the log's own time, and what those may not do who are not.
//!
//! A log without leases passes: its contract says so by `RunLog::leases`.

use std::time::Duration;

use redengine_core::record::{Action, Details, Record};
use redengine_core::runlog::{Append, Leases, LogErrorKind, Member, Query};

use super::kit::{Checked, Log, begin, checks, end, fine, latest, open, read, same, soon, won};

checks![
    the_others_see_a_lease_and_its_labels,
    a_lease_that_has_run_out_is_ended,
    a_lease_that_is_renewed_stays,
    nobody_begins_a_run_on_a_lease_that_has_run_out,
    who_is_said_to_be_gone_is_fenced,
    who_is_fenced_may_say_how_a_run_ended,
    a_lease_that_was_given_back_may_be_taken_again,
];

/// Long enough for all of a check.
pub(super) const LONG: Duration = Duration::from_hours(1);
/// How long those who end the leases of others have one.
const LIVELY: Duration = Duration::from_secs(1);
const SHORT: Duration = Duration::from_millis(20);

pub(super) fn member(node: &str) -> Member {
    Member { node: node.into(), labels: Vec::new() }
}

/// Takes or renews a lease; tells who is there, by name.
pub(super) async fn renew(
    leases: &dyn Leases,
    me: &Member,
    ttl: Duration,
    gone: &[&str],
) -> Checked<Vec<Member>> {
    let gone: Vec<_> = gone.iter().map(|node| (*node).into()).collect();
    let mut members = fine(leases.renew(me, ttl, &gone).await)?;
    members.sort_by(|one, other| one.node.cmp(&other.node));
    Ok(members)
}

/// The `run` record of a run that begins on a node, of a task of its own.
fn begin_on(node: &str, number: u32) -> Append {
    let details = Details::default().with_node(node).shared();
    latest(Record { details, ..begin(&format!("task {number}"), number) }, None)
}

/// Renews the lease of `me` until that of `node` is ended.
async fn wait_until_ended(leases: &dyn Leases, me: &str, node: &str) -> Checked {
    let wait = async {
        while renew(leases, &member(me), LIVELY, &[]).await?.iter().any(|one| &*one.node == node) {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    soon(&format!("the end of the lease of `{node}`"), wait).await?
}

/// Checks that nothing goes on under a name. Uses two runs.
pub(super) async fn is_fenced(log: &Log, node: &str, number: u32) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    match leases.renew(&member(node), LONG, &[]).await {
        Err(error) if error.kind() == LogErrorKind::Fenced => {}
        other => return Err(format!("`{node}` renewed a lease that was ended: {other:?}")),
    }
    begins_nothing(log, node, number).await
}

/// Checks that no run begins under a name, nor what is in a batch with it. Uses two runs.
async fn begins_nothing(log: &Log, node: &str, number: u32) -> Checked {
    let before = read(log, Query::all()).await?;
    let batch = vec![begin_on("free", number), begin_on(node, number + 1)];
    match log.append(batch).await {
        Err(error) if error.kind() == LogErrorKind::Fenced => {}
        other => return Err(format!("`{node}` has no lease, and began a run: {other:?}")),
    }
    same("the records after one was refused", &read(log, Query::all()).await?, &before)
}

async fn the_others_see_a_lease_and_its_labels(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    let labelled = |node: &str, labels: &[&str]| Member {
        labels: labels.iter().map(|label| (*label).into()).collect(),
        ..member(node)
    };
    let (a, b) = (labelled("a", &["gpu", "big"]), labelled("b", &[]));
    same("who is there", &renew(leases, &a, LONG, &[]).await?, &vec![a.clone()])?;
    same("who is there", &renew(leases, &b, LONG, &[]).await?, &vec![a, b.clone()])?;
    let a = labelled("a", &["", "it's", "\"ä\"", "{}", "nul\0"]);
    renew(leases, &a, LONG, &[]).await?;
    let odd = labelled("host:1/\0'\"ä", &["a,b"]);
    renew(leases, &odd, LONG, &[]).await?;
    same("who is there", &renew(leases, &b, LONG, &[]).await?, &vec![a, b, odd])
}

async fn a_lease_that_has_run_out_is_ended(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    renew(leases, &member("a"), SHORT, &[]).await?;
    renew(leases, &member("b"), LIVELY, &[]).await?;
    wait_until_ended(leases, "b", "a").await?;
    is_fenced(&log, "a", 1).await?;
    let there = renew(leases, &member("b"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("b")])
}

async fn a_lease_that_is_renewed_stays(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    renew(leases, &member("a"), SHORT, &[]).await?;
    renew(leases, &member("a"), LONG, &[]).await?;
    // As long as the first of the two leases, and not renewed: when it has run out, so has that one.
    renew(leases, &member("measure"), SHORT, &[]).await?;
    wait_until_ended(leases, "b", "measure").await?;
    let there = renew(leases, &member("b"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("a"), member("b")])?;
    renew(leases, &member("a"), LONG, &[]).await?;
    won(&log, begin_on("a", 1)).await.map(drop)
}

async fn nobody_begins_a_run_on_a_lease_that_has_run_out(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    renew(leases, &member("a"), SHORT, &[]).await?;
    let begins = async {
        for number in 1.. {
            match log.append(vec![begin_on("a", number)]).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) if error.kind() == LogErrorKind::Fenced => break,
                Err(error) => return Err(format!("{error:?}")),
            }
        }
        Ok(())
    };
    soon("the end of a lease", begins).await??;
    begins_nothing(&log, "a", u32::MAX - 9).await?;
    // Who never asked for a lease needs none.
    won(&log, begin_on("free", u32::MAX - 7)).await?;
    won(&log, latest(begin("without a node", u32::MAX - 6), None)).await?;
    // Nobody has ended it, so it may go on.
    let there = renew(leases, &member("a"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("a")])?;
    won(&log, begin_on("a", u32::MAX - 5)).await.map(drop)
}

async fn who_is_said_to_be_gone_is_fenced(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    for node in ["a", "c"] {
        renew(leases, &member(node), LONG, &[]).await?;
    }
    // Somebody who had no lease may not come with one later either.
    let there = renew(leases, &member("b"), LONG, &["a", "unknown"]).await?;
    same("who is there", &there, &vec![member("b"), member("c")])?;
    is_fenced(&log, "a", 1).await?;
    is_fenced(&log, "unknown", 3).await?;
    won(&log, begin_on("c", 5)).await?;
    let there = renew(leases, &member("c"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("b"), member("c")])
}

async fn who_is_fenced_may_say_how_a_run_ended(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    renew(leases, &member("a"), LONG, &[]).await?;
    let begun = won(&log, begin_on("a", 1)).await?.record;
    renew(leases, &member("b"), LONG, &["a"]).await?;
    is_fenced(&log, "a", 2).await?;
    let ended = Record { task: begun.task, details: begun.details, ..end("", 1, Action::Success) };
    won(&log, open(ended)).await.map(drop)
}

async fn a_lease_that_was_given_back_may_be_taken_again(log: Log) -> Checked {
    let Some(leases) = log.leases() else { return Ok(()) };
    fine(leases.release(&"nobody".into()).await)?;
    for node in ["a", "b"] {
        renew(leases, &member(node), LONG, &[]).await?;
    }
    fine(leases.release(&"a".into()).await)?;
    let there = renew(leases, &member("b"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("b")])?;
    let there = renew(leases, &member("a"), LONG, &[]).await?;
    same("who is there", &there, &vec![member("a"), member("b")])?;
    won(&log, begin_on("a", 1)).await?;
    // But not by somebody whose lease was ended before that.
    renew(leases, &member("b"), LONG, &["a"]).await?;
    fine(leases.release(&"a".into()).await)?;
    is_fenced(&log, "a", 2).await
}
