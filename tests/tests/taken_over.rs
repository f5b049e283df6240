//! A session that others took for gone: what its log answers too late, and what others have ended for it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redengine_core::param::{Params, Return};
use redengine_core::record::{Action, Details, Record};
use redengine_core::runlog::{Append, Appended, Expect, Query, RunLog};
use redengine_core::session::{LogHealth, SessionBuilder};
use redengine_core::task::TaskType;
use redengine_core::{Session, Task};
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{actions, pass, run_while, session, slow, task};

/// Begins a session on a log that is shared.
fn on(line: &Line) -> SessionBuilder {
    session("2026-11-24 07:00").log(line.clone()).clock(line.clock())
}

/// A task that becomes due after six seconds and counts how many of its bodies began.
fn counted() -> (Task, Arc<AtomicU32>) {
    let begun = Arc::<AtomicU32>::default();
    let count = begun.clone();
    let body = move || {
        count.fetch_add(1, Ordering::Relaxed);
        async {}
    };
    (Task::new("once", "daily after 07:00:06", body), begun)
}

/// The reasons that the records of a task tell, in order.
async fn reasons(session: &Session, task: &str) -> Vec<String> {
    let records = session.history(Query::task(task)).await.unwrap();
    let reason = |details: &Arc<Details>| Some(details.reason.as_ref()?.to_string());
    records.iter().filter_map(|known| reason(known.record.details.as_ref()?)).collect()
}

fn node(session: &Session) -> Arc<str> {
    session.health().node.expect("a running session")
}

// ---- claims

/// Runs a session whose claim of its only task is won at 07:00:06 and answered 34 s later; what else
/// happens until then is told. Its body must begin once all the same, for another claim.
async fn demand_that_the_late_claim_begins_nothing(
    meanwhile: impl AsyncFnOnce(&Server, &Line, &Session),
) {
    let server = Server::new();
    let line = server.line();
    let (once, begun) = counted();
    let session = on(&line).task(once).build().unwrap();
    let story = async {
        pass("5500 ms").await;
        line.set(Fault::Unanswered);
        pass("1 s").await;
        assert_eq!(actions(&session, "once").await, "run");
        meanwhile(&server, &line, &session).await;
        assert_eq!(begun.load(Ordering::Relaxed), 0);
        line.set(Fault::None);
        pass("30 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "once").await, "run crash run success");
    assert_eq!(
        reasons(&session, "once").await,
        ["its session's lease may have ended before it began"]
    );
    assert_eq!(begun.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_when_the_lease_may_have_ended_begins_nothing() {
    demand_that_the_late_claim_begins_nothing(async |_, line, session| {
        line.set(Fault::Unrenewed);
        pass("33 s").await;
        assert!(matches!(session.health().log, LogHealth::Down { .. }));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_answer_is_found_when_the_process_goes_on_begins_nothing() {
    demand_that_the_late_claim_begins_nothing(async |_, line, _| {
        // The process stands still for longer than the lease. When it goes on the answer is there, and
        // is looked at before anybody has told it of its lease.
        line.set(Fault::None);
        tokio::time::advance(Duration::from_secs(20)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_when_the_session_has_another_name_begins_nothing() {
    demand_that_the_late_claim_begins_nothing(async |server, _, session| {
        let old = node(session);
        server.end_lease(&old);
        pass("33 s").await;
        // It has a lease again, so it may begin what it claims from now on.
        assert_ne!(node(session), old);
        assert!(server.has_lease(&node(session)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_claim_of_an_old_name_that_was_never_answered_blocks_nobody() {
    let server = Server::new();
    let line = server.line();
    let (once, begun) = counted();
    let session = on(&line).task(once).task(slow("long", "daily", "30 min")).build().unwrap();
    let story = async {
        pass("5500 ms").await;
        let old = node(&session);
        line.set(Fault::Unheard);
        pass("550 ms").await;
        line.set(Fault::Cut);
        // Longer than the lease: from here on nobody answers for it.
        pass("20 s").await;
        line.set(Fault::Unrenewed);
        // The log can be read, so the session hears that it has won after all.
        pass("15 s").await;
        server.end_lease(&old);
        line.set(Fault::None);
        pass("30 s").await;
        assert_ne!(node(&session), old);
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "once").await, "run crash run success");
    assert_eq!(reasons(&session, "once").await, ["its process ended before it did"]);
    assert_eq!(begun.load(Ordering::Relaxed), 1);
    // What this session still runs under its old name it ends by itself: it knows how.
    assert_eq!(actions(&session, "long").await, "run terminate");
    assert!(reasons(&session, "long").await[0].contains("its session's lease ended"));
}

// ---- ends

/// Gives how often it began.
struct Price;

impl TaskType for Price {
    type Output = u32;
    const NAME: &'static str = "price";

    fn task() -> Task {
        let begun = AtomicU32::new(0);
        Task::new(Self::NAME, "false", move || {
            let number = 1 + begun.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Ok::<_, String>(number)
            }
        })
    }
}

/// Ends the live run of a task as another session does that takes its owner for gone.
async fn bury(log: &dyn RunLog, task: &str) {
    let begun = log.read(Query::task(task).newest_first().limit(1)).await.unwrap().remove(0).record;
    let details = Details::default().with_reason("its process ended before it did").shared();
    let record = Record { action: Action::Crash, details, ..begun };
    let answers = log.append(vec![Append { record, expect: Expect::Open }]).await.unwrap();
    assert!(matches!(answers[..], [Appended::Won(_)]));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_others_have_ended_gives_no_value_and_is_no_success() {
    let server = Server::new();
    let line = server.line();
    let spent = Arc::<Mutex<Vec<u32>>>::default();
    let spend = spent.clone();
    let session = on(&line)
        .task(Price::task())
        .task(Task::new("spend", "every 7 s", move |price: Option<Return<Price>>| {
            spend.lock().unwrap().push(price.map_or(0, |price| *price));
            async {}
        }))
        .task(task("next", "after task 'price'"))
        .task(task("mourn", "after task 'price' terminated | task 'price' has crashed & daily"))
        .build()
        .unwrap();
    let mut ended = Vec::new();
    let story = async {
        for is_ended_by_others in [false, true] {
            let run = session.request_run("price", Params::default()).unwrap();
            pass("1 s").await;
            if is_ended_by_others {
                bury(&server.line(), "price").await;
            }
            let told = run.await.unwrap();
            ended.push((told.action, told.reason));
            pass("5 s").await;
        }
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(
        ended,
        [
            (Action::Success, None),
            (Action::Crash, Some("others had taken over when it ended".into())),
        ]
    );
    assert_eq!(actions(&session, "price").await, "run success run crash");
    assert_eq!(*spent.lock().unwrap(), [0, 1, 1, 1, 1]);
    assert_eq!(actions(&session, "next").await, "run success");
    assert_eq!(actions(&session, "mourn").await, "run success");
}
