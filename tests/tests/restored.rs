//! A log that lacks records which it had: it was restored from a backup, or a server that is behind has
//! taken over. Sessions that had seen them go on by what the log says now.

use std::sync::{Arc, Mutex};

use redengine_core::param::Return;
use redengine_core::record::{Action, Details, Record, RunId, Seq};
use redengine_core::runlog::{Append, Appended, Expect, Query, RunLog};
use redengine_core::task::TaskType;
use redengine_core::{Session, Task};
use redengine_log::connect;
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{
    actions, at, pass, reason, run_for, run_while, session, slow, starts, task, timeline,
};
use redengine_testserver as postgres;

/// Runs a task as another program does: it succeeds at once and returns a number.
async fn run_elsewhere(log: &dyn RunLog, task: &str, number: u8) {
    let latest = log.latest(task, []).await.unwrap().map(|recorded| recorded.seq);
    let started = at("2026-11-24 07:00");
    for (action, expect) in [(Action::Run, None), (Action::Success, Some(Expect::Open))] {
        let mut details = Details::default();
        details.output = (action == Action::Success).then(|| number.to_string());
        let record = Record {
            task: task.into(),
            run: RunId::new(started, [number; 10]),
            action,
            at: started,
            started,
            due: None,
            details: details.shared(),
        };
        let expect = expect.unwrap_or(Expect::Latest(latest));
        let answers = log.append(vec![Append { record, expect }]).await.unwrap();
        assert!(matches!(answers[..], [Appended::Won(_)]), "{answers:?}");
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
        assert!(*starts(&session, "second").await > *"24 07:00:20");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_of_a_task_that_nobody_has_and_whose_end_is_lost_is_a_crash() {
    let server = Server::without_leases();
    let line = server.line();
    let gone = session("2026-11-24 07:00").log(server.line());
    let gone = gone.task(slow("long", "daily", "5 s")).build().unwrap();
    run_for(&gone, "10 s").await.unwrap();
    let session = session("2026-11-24 07:00").log(line.clone()).build().unwrap();
    let story = async {
        pass("10 s").await;
        assert_eq!(actions(&session, "long").await, "run success");
        restore(&server, &line, Seq(1)).await;
        line.set(Fault::None);
        pass("1 min").await;
        assert_eq!(actions(&session, "long").await, "run crash");
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

/// Runs elsewhere only.
struct Price;

impl TaskType for Price {
    type Output = u32;
    const NAME: &'static str = "price";

    fn task() -> Task {
        task(Self::NAME, "false")
    }

    fn decode(json: &str) -> Option<u32> {
        json.parse().ok()
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_task_returned_is_what_the_log_says() {
    let server = Server::without_leases();
    let (line, others) = (server.line(), server.line());
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
        for number in 1..=2 {
            run_elsewhere(&others, "price", number).await;
            pass("10 s").await;
        }
        // The first of two prices is left.
        restore(&server, &line, Seq(2)).await;
        line.set(Fault::None);
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(*spent.lock().unwrap(), [1]);
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

/// Waits until a task has so many records, in real time.
async fn has_records(session: &Session, task: &str, count: usize) {
    // While the log fails, there is nothing to be read.
    while session.history(Query::task(task)).await.map_or(0, |records| records.len()) != count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_with_a_standby_that_lacks_what_it_had_seen() {
    let primary = postgres::Server::start().unwrap();
    connect(&primary.url()).await.unwrap();
    let standby = primary.start_standby().unwrap();
    let both = format!(
        "postgres://redengine@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
        primary.port(),
        standby.port()
    );
    let (log, others) = (connect(&both).await.unwrap(), connect(&both).await.unwrap());
    let behind = connect(&standby.url()).await.unwrap();
    let session = session("2026-11-24 07:00")
        .log(log)
        .task(task("fetch", "false"))
        .task(task("load", "after task 'fetch'"))
        .build()
        .unwrap();
    let story = async {
        run_elsewhere(&*others, "fetch", 1).await;
        has_records(&session, "load", 2).await;
        while behind.last_seq().await.unwrap() < Seq(4) {
            tokio::task::yield_now().await;
        }
        let (admin, connection) =
            tokio_postgres::connect(&standby.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        admin.batch_execute("alter system set primary_conninfo = ''").await.unwrap();
        admin.batch_execute("select pg_reload_conf()").await.unwrap();
        let streams = "select count(*) from pg_stat_wal_receiver";
        while admin.query_one(streams, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            tokio::task::yield_now().await;
        }
        for number in 2..=3 {
            run_elsewhere(&*others, "fetch", number).await;
            has_records(&session, "load", 2 * usize::from(number)).await;
        }
        assert_eq!(others.last_seq().await.unwrap(), Seq(12));
        tokio::task::block_in_place(|| {
            primary.crash().unwrap();
            standby.promote().unwrap();
        });
        has_records(&session, "load", 2).await;
        // What is under way when it is promoted may fail.
        while others.last_seq().await.is_err() {}
        run_elsewhere(&*others, "fetch", 4).await;
        has_records(&session, "load", 4).await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}
