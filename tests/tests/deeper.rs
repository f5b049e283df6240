//! A condition that looks further back than any before it waits for that past.

use std::sync::Arc;

use redengine_core::facts::History;
use redengine_core::record::{Action, Record, RunId, Seq};
use redengine_core::runlog::{Append, Expect, PastOf, Query, RunLog};
use redengine_core::session::OnConflict;
use redengine_core::time::Clock;
use redengine_core::{Expr, Session, TaskId, Timestamp};
use redengine_log::MemoryLog;
use redengine_runtime::VirtualClock;
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
        let condition = NOT_OFTEN.parse::<Expr>().unwrap();
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
    let steady = VirtualClock::starting(at("2026-11-24 07:00"));
    let begun = steady.now();
    tokio::time::timeout(span("1 min"), run_while(&session, story)).await.unwrap().unwrap();
    assert_eq!(steady.now().since(begun), span("20500 ms"));
}

// ---- what happens while it is read

/// An engine of which a log is read when the test says so. The task `new` starts by what there is of
/// `up`.
struct World {
    log: MemoryLog,
    engine: Engine,
    up: TaskId,
    now: Timestamp,
}

fn tasks(condition: &str) -> Session {
    let condition = condition.parse::<Expr>().unwrap();
    let builder = session("2026-11-24 07:00");
    builder.task(task("up", "false")).task(task("new", condition)).build().unwrap()
}

impl World {
    fn new() -> Self {
        let now = at("2026-11-24 07:00");
        let session = tasks("false");
        let mut engine = Engine::new(Arc::new(session.config()), None, "here".into(), 1, now);
        for definition in session.tasks() {
            engine.restore(definition, History::default());
        }
        Self { log: MemoryLog::new(), engine, up: session.id_of("up").unwrap(), now }
    }

    fn step(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.engine.step([event], self.now, &mut effects);
        effects
    }

    /// Lets another session succeed so often, of which this one hears.
    async fn succeed(&mut self, times: usize) {
        for _ in 0..times {
            let last = self.log.last_seq().await.unwrap();
            let number = u8::try_from(last.0).unwrap();
            let record = Record {
                task: "up".into(),
                run: RunId::new(self.now, [number; 10]),
                action: Action::Run,
                at: self.now,
                started: self.now,
                due: None,
                details: None,
            };
            let end = Record { action: Action::Success, ..record.clone() };
            let expect = Expect::Latest((last > Seq(0)).then_some(last));
            let begin = Append { record, expect };
            let end = Append { record: end, expect: Expect::Open };
            self.log.append(vec![begin, end]).await.unwrap();
            let records = self.log.read(Query::all().after(last)).await.unwrap();
            let of_up = records.into_iter().map(|recorded| (self.up, recorded)).collect();
            assert!(self.step(Event::Followed(of_up)).is_empty());
        }
    }

    /// Gives `new` another condition, for which something must be read.
    fn define(&mut self, condition: &str) -> Vec<Effect> {
        self.step(Event::Defined(tasks(condition).tasks().remove(1)))
    }

    /// Reads what is asked for, as it is now.
    async fn read(&self, mut effects: Vec<Effect>) -> Event {
        let Some(Effect::Read(of)) = effects.pop() else { panic!("nothing is read") };
        assert!(effects.is_empty(), "{effects:?}");
        let mut pasts = Vec::new();
        for (task, keep) in of {
            assert_eq!(task, self.up);
            let of = vec![PastOf { task: "up".into(), keep }];
            let past = self.log.past(of).await.unwrap().remove(0);
            pasts.push((task, History::restored(&past, keep), None));
        }
        Event::Read(pasts)
    }
}

#[tokio::test]
async fn what_is_recorded_while_the_past_is_read_is_not_forgotten_and_hides_none_of_it() {
    let mut world = World::new();
    world.succeed(4).await;
    let asked = world.define(NOT_OFTEN);
    let read = world.read(asked).await;
    world.succeed(1).await;
    let effects = world.step(read);
    assert!(effects.is_empty(), "{effects:?}");
}

#[tokio::test]
async fn a_condition_that_looks_further_back_than_what_is_being_read_waits_for_the_next() {
    let mut world = World::new();
    world.succeed(5).await;
    let asked = world.define("~task 'up' has succeeded at least 3 times past 1 hour");
    let read = world.read(asked).await;
    assert!(world.define(NOT_OFTEN).is_empty());
    let asked = world.step(read);
    let read = world.read(asked).await;
    let effects = world.step(read);
    assert!(effects.is_empty(), "{effects:?}");
}
