//! A condition that looks further back than any before it waits for that past.

use std::sync::Arc;

use redengine_core::facts::History;
use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Append, Expect, PastOf, RunLog};
use redengine_core::session::OnConflict;
use redengine_core::{Session, Timestamp};
use redengine_log::MemoryLog;
use redengine_runtime::effect::Effect;
use redengine_runtime::engine::Engine;
use redengine_runtime::event::Event;
use redengine_tests::world::{actions, at, pass, run_while, serving, session, span, task};

const NOT_OFTEN: &str = "~task 'up' has succeeded at least 5 times past 1 hour";

#[tokio::test(start_paused = true)]
async fn a_replacement_that_looks_further_back_starts_nothing_until_that_is_read() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Replace)
        .task(task("up", "every 1 s"))
        .task(task("new", "false"))
        .build()
        .unwrap();
    let story = async {
        pass("10500 ms").await;
        let condition = NOT_OFTEN.parse::<redengine_core::Expr>().unwrap();
        session.add_task(task("new", condition)).unwrap();
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "new").await, "");
}

#[tokio::test(start_paused = true)]
async fn an_end_condition_that_looks_further_back_ends_nothing_until_that_is_read() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Replace)
        .task(task("up", "every 1 s"))
        .task(serving("served", "false"))
        .build()
        .unwrap();
    let story = async {
        pass("10500 ms").await;
        // Its start is found due at once, its end is not.
        session.add_task(serving("served", "true").end(NOT_OFTEN)).unwrap();
        pass("10 s").await;
        assert_eq!(actions(&session, "served").await, "run");
        session.shutdown_now();
    };
    run_while(&session, story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shut_cond_that_looks_further_back_ends_nothing_until_that_is_read() {
    let session = session("2026-11-24 07:00").task(task("up", "every 1 s")).build().unwrap();
    let story = async {
        pass("10500 ms").await;
        session.configure(|config| config.shut_cond = NOT_OFTEN.parse().ok()).unwrap();
        pass("10 s").await;
        session.configure(|config| config.shut_cond = "true".parse().ok()).unwrap();
        std::future::pending::<()>().await;
    };
    let begun = tokio::time::Instant::now();
    tokio::time::timeout(span("1 min"), run_while(&session, story)).await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), span("20500 ms"));
}

// ---- what is written while it is read

fn successes(log: &MemoryLog, count: u8, start: Timestamp) -> impl Future<Output = Vec<Recorded>> {
    let log = log.clone();
    async move {
        let before = log.last_seq().await.unwrap();
        for n in 0..count {
            let run = RunId::new(start, [n.wrapping_add(u8::try_from(before.0).unwrap()); 10]);
            let record = Record {
                task: "up".into(),
                run,
                action: Action::Run,
                at: start,
                started: start,
                due: None,
                details: None,
            };
            let end = Record { action: Action::Success, ..record.clone() };
            let last = log.last_seq().await.unwrap();
            let expect = Expect::Latest((last > Seq(0)).then_some(last));
            let batch =
                vec![Append { record, expect }, Append { record: end, expect: Expect::Open }];
            log.append(batch).await.unwrap();
        }
        log.read(redengine_core::runlog::Query::all().after(before)).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_while_the_past_is_read_is_not_forgotten_and_hides_none_of_it() {
    let now = at("2026-11-24 07:00");
    let tasks = |condition: &str| -> Session {
        let condition = condition.parse::<redengine_core::Expr>().unwrap();
        session("2026-11-24 07:00")
            .task(task("up", "false"))
            .task(task("new", condition))
            .build()
            .unwrap()
    };
    let log = MemoryLog::new();
    let first = successes(&log, 4, now).await;
    let session = tasks("false");
    let mut engine = Engine::new(Arc::new(session.config()), None, "here".into(), 1, now);
    let up = session.id_of("up").unwrap();
    for definition in session.tasks() {
        engine.restore(definition, History::default());
    }
    let mut effects = Vec::new();
    engine.step(
        [Event::Followed(first.into_iter().map(|one| (up, one)).collect())],
        now,
        &mut effects,
    );
    let new = tasks(NOT_OFTEN).tasks().remove(1);
    engine.step([Event::Defined(new)], now, &mut effects);
    let Some(Effect::Read(of)) = effects.pop() else { panic!("nothing is read") };
    let names = of.iter().map(|(_, keep)| PastOf { task: "up".into(), keep: *keep }).collect();
    let pasts = log.past(names).await.unwrap();
    let pasts = of.iter().zip(pasts);
    let pasts =
        pasts.map(|((task, keep), past)| (*task, History::restored(&past, *keep), None)).collect();
    // The fifth success comes while the first four are being read.
    let fifth = successes(&log, 1, now).await;
    engine.step(
        [Event::Followed(fifth.into_iter().map(|one| (up, one)).collect())],
        now,
        &mut effects,
    );
    engine.step([Event::Read(pasts)], now, &mut effects);
    assert!(effects.is_empty(), "{effects:?}");
}
