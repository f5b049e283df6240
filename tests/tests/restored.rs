//! A log that lacks records which it had: it was restored from a backup, or a server that is behind has
//! taken over. Sessions that had seen them go on by what the log says now.

use std::sync::{Arc, Mutex};

use redengine_core::Task;
use redengine_core::param::{Params, Return};
use redengine_core::record::{Action, Record, RunId, Seq};
use redengine_core::runlog::{Append, Appended, Expect, Query, RunLog};
use redengine_core::task::TaskType;
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{
    actions, at, pass, reason, run_while, session, slow, starts, task, timeline,
};

/// Runs a task as another program does: it succeeds at once.
async fn run_elsewhere(line: &Line, task: &str, number: u8) {
    let latest = line.latest(task, []).await;
    let started = at("2026-11-24 07:00");
    for (action, expect) in [(Action::Run, None), (Action::Success, Some(Expect::Open))] {
        let record = Record {
            task: task.into(),
            run: RunId::new(started, [number; 10]),
            action,
            at: started,
            started,
            due: None,
            details: None,
        };
        let expect = expect.unwrap_or(Expect::Latest(latest));
        let answers = line.append(vec![Append { record, expect }]).await.unwrap();
        assert!(matches!(answers[..], [Appended::Won(_)]), "{answers:?}");
    }
}

/// The number of the latest record of a task.
trait Latest {
    async fn latest(&self, task: &str, actions: impl Into<Vec<Action>>) -> Option<Seq>;
}

impl Latest for Line {
    async fn latest(&self, task: &str, actions: impl Into<Vec<Action>>) -> Option<Seq> {
        let log: &dyn RunLog = self;
        log.latest(task, actions).await.unwrap().map(|recorded| recorded.seq)
    }
}

/// Puts a server back to its first records while a line is cut.
async fn restore(server: &Server, line: &Line, last: Seq) {
    line.set(Fault::Cut);
    pass("1 s").await;
    server.go_back_to(last).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_hears_of_records_whose_numbers_it_has_seen_before() {
    let server = Server::without_leases();
    let (line, others) = (server.line(), server.line());
    let session = session("2026-11-24 07:00")
        .log(line.clone())
        .task(task("fetch", "false"))
        .task(task("load", "after task 'fetch'"))
        .build()
        .unwrap();
    let story = async {
        for number in 1..=3 {
            run_elsewhere(&others, "fetch", number).await;
            pass("10 s").await;
        }
        assert_eq!(line.last_seq().await.unwrap(), Seq(12));
        restore(&server, &line, Seq(4)).await;
        line.set(Fault::None);
        pass("1 min").await;
        run_elsewhere(&others, "fetch", 4).await;
        pass("10 s").await;
        assert_eq!(actions(&session, "load").await, "run success run success");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_ran_and_is_not_in_the_log_any_more_runs_again() {
    let server = Server::without_leases();
    let line = server.line();
    let session = session("2026-11-24 07:00")
        .log(line.clone())
        .task(task("first", "daily"))
        .task(task("second", "daily after 07:00:10"))
        .task(task("third", "after task 'second'"))
        .build()
        .unwrap();
    let story = async {
        pass("20 s").await;
        restore(&server, &line, Seq(2)).await;
        line.set(Fault::None);
        pass("1 min").await;
        assert_eq!(actions(&session, "first").await, "run success");
        assert_eq!(actions(&session, "second").await, "run success");
        assert_eq!(actions(&session, "third").await, "run success");
        assert!(starts(&session, "second").await > "24 07:00:20".to_owned());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_record_under_a_number_that_was_known_is_noticed() {
    for is_heard_of in [true, false] {
        let server = Server::without_leases();
        let (line, others) = (server.line(), server.line());
        let session = session("2026-11-24 07:00")
            .log(line.clone())
            .task(task("fetch", "false"))
            .task(task("load", "after task 'fetch'"))
            .task(task("other", "false"))
            .task(task("mail", "after task 'other'"))
            .build()
            .unwrap();
        let story = async {
            for number in 1..=2 {
                run_elsewhere(&others, "fetch", number).await;
                pass("10 s").await;
            }
            assert_eq!(line.last_seq().await.unwrap(), Seq(8));
            if is_heard_of {
                restore(&server, &line, Seq(4)).await;
                run_elsewhere(&others, "fetch", 3).await;
                run_elsewhere(&others, "other", 4).await;
                assert_eq!(others.last_seq().await.unwrap(), Seq(8));
                line.set(Fault::None);
            } else {
                // It was put back while nobody asked: only what comes later can tell.
                restore(&server, &others, Seq(4)).await;
                others.set(Fault::None);
                run_elsewhere(&others, "fetch", 3).await;
                run_elsewhere(&others, "other", 4).await;
                run_elsewhere(&others, "fetch", 5).await;
            }
            pass("1 min").await;
            assert_eq!(actions(&session, "load").await, "run success run success");
            assert_eq!(actions(&session, "mail").await, "run success");
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
    }
}

/// Gives how often it ran.
struct Price;

impl TaskType for Price {
    type Output = u32;
    const NAME: &'static str = "price";

    fn task() -> Task {
        let runs = Mutex::new(0);
        Task::new(Self::NAME, "false", move || {
            let mut runs = runs.lock().unwrap();
            *runs += 1;
            let number = *runs;
            async move { Ok::<u32, String>(number) }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_task_returned_is_what_the_log_says() {
    let server = Server::without_leases();
    let line = server.line();
    let spent = Arc::<Mutex<Vec<u32>>>::default();
    let spend = spent.clone();
    let session = session("2026-11-24 07:00")
        .log(line.clone())
        .task(Price::task())
        .task(Task::new("spend", "daily after 07:00:50", move |price: Return<Price>| {
            spend.lock().unwrap().push(*price);
            async {}
        }))
        .build()
        .unwrap();
    let story = async {
        for _ in 0..2 {
            session.request_run("price", Params::default()).unwrap().await.unwrap();
        }
        // The first of two prices is left.
        restore(&server, &line, Seq(2)).await;
        line.set(Fault::None);
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(*spent.lock().unwrap(), [1], "{}", timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_end_is_lost_is_a_crash_and_a_live_one_goes_on() {
    let server = Server::without_leases();
    let line = server.line();
    let session = session("2026-11-24 07:00")
        .log(line.clone())
        .task(slow("long", "daily & ~has started today", "10 min"))
        .task(slow("short", "daily & ~has started today", "10 s"))
        .build()
        .unwrap();
    let story = async {
        pass("20 s").await;
        restore(&server, &line, Seq(2)).await;
        line.set(Fault::None);
        pass("15 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "short").await, "run crash");
    assert!(reason(&session, "short").await.contains("lacks the record of its end"));
    assert_eq!(actions(&session, "long").await, "run success", "{}", timeline(&session).await);
    assert_eq!(line.read(Query::all()).await.unwrap().len(), 4);
}
