//! How runs end, and what of it is recorded.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use expect_test::expect;
use redengine_core::Task;
use redengine_core::param::{Cancel, Param, Params, Return, RunInfo};
use redengine_core::record::Action;
use redengine_core::runlog::Query;
use redengine_core::session::Session;
use redengine_core::task::{Execution, Inaction, TaskType};
use redengine_runtime::RunError;
use redengine_tests::world::{
    actions, failing, pass, reason, run_for, run_while, serving, session, slow, starts, task,
    timeline,
};

// ---- what a body returns

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot load the prices")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is full")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Inner {}

#[tokio::test(start_paused = true)]
async fn each_way_to_end_is_an_outcome() {
    let session = session("2026-11-24 07:00")
        .task(Task::new("nothing", "daily", || async {}))
        .task(Task::new("ok", "daily", || async { Ok::<_, Inner>(5) }))
        .task(Task::new("err", "daily", || async { Err::<(), _>(Outer(Inner)) }))
        .task(Task::new("text", "daily", || async { Err::<(), _>("just a text") }))
        .task(Task::new("idle", "daily", || async { Err::<(), _>(Inaction) }))
        .task(Task::blocking("blocking", "daily", || {}))
        .task(Task::blocking("blocking err", "daily", || Err::<(), _>(Outer(Inner))))
        .task(Task::blocking("blocking idle", "daily", || Err::<(), _>(Inaction)))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    let mut ends = String::new();
    for definition in session.tasks() {
        let name = &definition.name;
        ends += &format!(
            "{name}: {} {}\n",
            actions(&session, name).await,
            reason(&session, name).await
        );
    }
    expect![[r#"
        nothing: run success 
        ok: run success 
        err: run fail cannot load the prices
          because: the disk is full
        text: run fail just a text
        idle: run inaction 
        blocking: run success 
        blocking err: run fail cannot load the prices
          because: the disk is full
        blocking idle: run inaction 
    "#]]
    .assert_eq(&ends);
}

fn burst() {
    panic!("out of {}", "luck")
}

fn burst_oddly() {
    std::panic::panic_any(5)
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_with_its_message_and_place() {
    let session = session("2026-11-24 07:00")
        .task(Task::new("async", "daily", || async { burst() }))
        .task(Task::blocking("blocking", "daily", burst))
        .task(Task::new("early", "daily", || -> std::future::Ready<()> { panic!("out of luck") }))
        .task(Task::new("odd", "daily", || async { burst_oddly() }))
        .task(task("other", "after tasks 'async', 'blocking' failed"))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    for name in ["async", "blocking", "early"] {
        assert_eq!(actions(&session, name).await, "run fail");
        let reason = reason(&session, name).await;
        assert!(reason.contains("out of luck") && reason.contains("outcomes.rs:"), "{reason}");
    }
    assert_eq!(actions(&session, "odd").await, "run fail");
    assert_eq!(actions(&session, "other").await, "run success");
}

// ---- being stopped

#[tokio::test(start_paused = true)]
async fn a_timeout_stops_a_run() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.timeout = Some(Duration::from_secs(60)))
        .task(serving("session's", "daily"))
        .task(serving("own", "daily").timeout(Duration::from_secs(10)))
        .task(slow("without", "daily", "2 min").no_timeout())
        .task(slow("in time", "daily", "59 s"))
        .build()
        .unwrap();
    run_for(&session, "10 min").await.unwrap();
    expect![[r#"
        24 07:00:00 session's run (due 24 00:00:00)
        24 07:00:00 own run (due 24 00:00:00)
        24 07:00:00 without run (due 24 00:00:00)
        24 07:00:00 in time run (due 24 00:00:00)
        24 07:00:10 own terminate: its timeout passed after 10 s; it ended with: stopped
        24 07:00:59 in time success
        24 07:01:00 session's terminate: its timeout passed after 1 min; it ended with: stopped
        24 07:02:00 without success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_well_when_it_is_told_to_stop_has_succeeded() {
    let session = session("2026-11-24 07:00")
        .task(
            Task::new("polite", "daily", |cancel: Cancel| async move { cancel.cancelled().await })
                .timeout(Duration::from_secs(10)),
        )
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(actions(&session, "polite").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn an_async_run_that_does_not_listen_is_aborted_after_the_grace() {
    let dropped = Arc::new(AtomicBool::new(false));
    struct Guard(Arc<AtomicBool>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let flag = dropped.clone();
    let session = session("2026-11-24 07:00")
        .configure(|config| config.termination_grace = Duration::from_secs(7))
        .task(
            Task::new("deaf", "daily", move || {
                let guard = Guard(flag.clone());
                async move {
                    let _guard = guard;
                    std::future::pending::<()>().await;
                }
            })
            .timeout(Duration::from_secs(10)),
        )
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    expect![[r#"
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:17 deaf terminate: its timeout passed after 10 s
    "#]]
    .assert_eq(&timeline(&session).await);
    assert!(dropped.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn an_end_condition_stops_a_run() {
    let session = session("2026-11-24 07:00")
        .task(serving("t", "daily").end("time of day after 08:00"))
        .task(serving("by another", "daily").end("after task 'other'"))
        .task(task("other", "daily after 07:30"))
        .build()
        .unwrap();
    run_for(&session, "2 hours").await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:00 by another run (due 24 00:00:00)
        24 07:30:00 other run
        24 07:30:00 other success
        24 07:30:00 by another terminate: its end condition holds: after task 'other'; it ended with: stopped
        24 08:00:00 t terminate: its end condition holds: time of day after 08:00; it ended with: stopped
    "#]].assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn an_end_condition_that_holds_already_stops_a_run_at_once() {
    let session =
        session("2026-11-24 07:00").task(serving("t", "daily").end("true")).build().unwrap();
    run_for(&session, "2 hours").await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:00 t terminate: its end condition holds: true; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_terminated_on_request() {
    let session = session("2026-11-24 07:00")
        .task(serving("t", "daily"))
        .task(task("idle", "false"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        session.terminate("t").unwrap();
        session.terminate("idle").unwrap();
        assert!(session.terminate("tt").is_err());
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:10 t terminate: it was terminated on request; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_request_to_terminate_an_idle_task_does_not_reach_its_next_run() {
    let session =
        session("2026-11-24 07:00").task(slow("t", "daily after 07:01", "10 s")).build().unwrap();
    let story = async {
        session.terminate("t").unwrap();
        pass("10 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "t").await, "run success");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_run_can_look_at_cancel() {
    let session = Session::builder()
        .log(redengine_log::MemoryLog::new())
        .task(
            Task::blocking("t", "~has started", |cancel: Cancel| {
                while !cancel.is_cancelled() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err::<(), _>("cut short")
            })
            .timeout(Duration::from_millis(50)),
        )
        .build()
        .unwrap();
    run_for(&session, "300 ms").await.unwrap();
    assert_eq!(actions(&session, "t").await, "run terminate");
    assert_eq!(
        reason(&session, "t").await,
        "its timeout passed after 50 ms; it ended with: cut short"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_run_that_does_not_listen_is_left_behind_at_the_end() {
    for timeout in [None, Some(Duration::from_millis(20))] {
        let free = Arc::new(AtomicBool::new(false));
        let flag = free.clone();
        let mut deaf = Task::blocking("deaf", "~has started", move || {
            while !flag.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        if let Some(timeout) = timeout {
            deaf = deaf.timeout(timeout);
        }
        let session = Session::builder()
            .log(redengine_log::MemoryLog::new())
            .configure(|config| config.termination_grace = Duration::from_millis(50))
            .task(deaf)
            .build()
            .unwrap();
        let story = async {
            pass("150 ms").await;
            session.shutdown_now();
        };
        let run = tokio::time::timeout(Duration::from_secs(3), run_while(&session, story));
        run.await.expect("an end without the thread").unwrap();
        free.store(true, Ordering::Relaxed);
        assert_eq!(actions(&session, "deaf").await, "run terminate", "timeout: {timeout:?}");
        let reason = reason(&session, "deaf").await;
        assert!(reason.ends_with("its thread did not end and was left behind"), "{reason}");
    }
}

// ---- where a run runs

#[tokio::test(start_paused = true)]
async fn an_async_body_may_run_on_a_thread() {
    let here = std::thread::current().id();
    let elsewhere = Arc::new(AtomicU32::new(0));
    let look = |name: &str| {
        let elsewhere = elsewhere.clone();
        Task::new(name, "daily", move || {
            let elsewhere = elsewhere.clone();
            async move {
                tokio::task::yield_now().await;
                if std::thread::current().id() != here {
                    elsewhere.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    };
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_execution = Execution::Thread)
        .task(look("session's"))
        .task(look("own").execution(Execution::Async))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(actions(&session, "session's").await, "run success");
    assert_eq!(actions(&session, "own").await, "run success");
    assert_eq!(elsewhere.load(Ordering::Relaxed), 1);
}

// ---- values

struct Fetch;

impl TaskType for Fetch {
    type Output = Vec<u32>;
    const NAME: &'static str = "fetch";

    fn task() -> Task {
        let next = Arc::new(AtomicU32::new(1));
        Task::new(Self::NAME, "every 1 hour", move || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            async move { Ok::<_, Inner>(vec![number; 2]) }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_given_to_who_wants_it() {
    let sum = Arc::new(AtomicU32::new(0));
    let total = sum.clone();
    let session = session("2026-11-24 07:00")
        .task(Fetch)
        .task(Task::new("load", "after task 'fetch'", move |prices: Return<Fetch>| {
            total.fetch_add(prices.iter().sum::<u32>(), Ordering::Relaxed);
            async {}
        }))
        .build()
        .unwrap();
    run_for(&session, "2 hours 30 min").await.unwrap();
    assert_eq!(sum.load(Ordering::Relaxed), 2 + 4 + 6);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_there_fails_the_run_unless_it_is_optional() {
    let session = session("2026-11-24 07:00")
        .task(Fetch)
        .task(Task::new("must", "daily", |_: Return<Fetch>| async {}).priority(5))
        .task(
            Task::new("may", "daily", |prices: Option<Return<Fetch>>| async move {
                assert!(prices.is_none());
            })
            .priority(5),
        )
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(actions(&session, "must").await, "run fail");
    expect!["task `fetch` has not returned anything yet; start this one `after task 'fetch'`, or take an `Option<Return<..>>`"].assert_eq(&reason(&session, "must").await);
    assert_eq!(actions(&session, "may").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn parameters_are_found_by_their_type_and_those_of_the_run_come_first() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = seen.clone();
    let session = session("2026-11-24 07:00")
        .param("limit", 5_u32)
        .param("env", "prod")
        .task(Task::new(
            "t",
            "daily",
            move |Param(limit): Param<u32>,
                  env: Param<&'static str>,
                  more: Option<Param<u64>>,
                  info: RunInfo| {
                list.lock().unwrap().push((
                    limit,
                    env.0,
                    more.map(|Param(more)| more),
                    info.is_forced(),
                ));
                async {}
            },
        ))
        .build()
        .unwrap();
    let story = async {
        pass("1 s").await;
        let params = Params::new().with("limit", 7_u32).with("more", 1_u64);
        session.request_run("t", params).unwrap().await.unwrap();
        session.set_param("limit", 6_u32);
        session.request_run("t", Params::new()).unwrap().await.unwrap();
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [(5, "prod", None, false), (7, "prod", Some(1), true), (6, "prod", None, true)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_parameter_is_found_before_anything_runs() {
    let error = session("2026-11-24 07:00")
        .param("limit", 5_u32)
        .task(Task::new("t", "daily", |_: Param<String>, _: Option<Param<bool>>| async {}))
        .build()
        .unwrap_err();
    expect!["the session is wrong: task `t`: no parameter is a `alloc::string::String`"]
        .assert_eq(&error.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_run_knows_when_it_began_and_since_when_it_was_due() {
    let infos = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = infos.clone();
    let session = session("2026-11-24 07:00")
        .task(Task::new("t", "daily after 06:00", move |info: RunInfo| {
            list.lock().unwrap().push(info);
            async {}
        }))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    let records = session.history(Query::task("t")).await.unwrap();
    let infos = infos.lock().unwrap();
    assert_eq!(infos[0].run(), records[0].record.run);
    assert_eq!(infos[0].started(), records[0].record.at);
    assert_eq!(infos[0].due(), records[0].record.due);
    assert_eq!(infos[0].task(), "t");
}

// ---- failing before the body

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_before_its_body_is_recorded_and_harms_nobody() {
    let session = session("2026-11-24 07:00")
        .task(Fetch)
        .task(Task::new("t", "daily", |_: Return<Fetch>| async {}).priority(1))
        .task(Task::blocking("blocking", "daily", |_: Return<Fetch>| {}).priority(1))
        .task(task("other", "every 1 min"))
        .build()
        .unwrap();
    run_for(&session, "2 min 30 s").await.unwrap();
    assert_eq!(actions(&session, "t").await, "run fail");
    assert_eq!(actions(&session, "blocking").await, "run fail");
    assert_eq!(starts(&session, "other").await.split(", ").count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_loud_failure_before_the_body_ends_the_session_in_order() {
    for execution in [Execution::Async, Execution::Thread] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.silence_task_prerun = false)
            .task(Fetch)
            .task(
                Task::new("t", "daily", |_: Return<Fetch>| async {})
                    .priority(1)
                    .execution(execution),
            )
            .task(slow("other", "daily", "10 s"))
            .build()
            .unwrap();
        let error = run_for(&session, "1 hour").await.unwrap_err();
        assert!(matches!(error, RunError::Prerun { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "a run of task `t` failed before its body began: task `fetch` has not returned anything \
             yet; start this one `after task 'fetch'`, or take an `Option<Return<..>>`"
        );
        assert_eq!(actions(&session, "t").await, "run fail");
        assert_eq!(actions(&session, "other").await, "run success");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_body_is_never_loud() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.silence_task_prerun = false)
        .task(failing("t", "every 1 min"))
        .task(Task::new("p", "every 1 min", || async { burst() }))
        .build()
        .unwrap();
    run_for(&session, "2 min 30 s").await.unwrap();
    assert_eq!(actions(&session, "t").await, "run fail run fail run fail");
    assert_eq!(actions(&session, "p").await, "run fail run fail run fail");
}

#[tokio::test(start_paused = true)]
async fn each_run_has_its_own_id_and_its_records_share_it() {
    let session = session("2026-11-24 07:00")
        .task(slow("a", "every 1 min", "30 s"))
        .task(slow("b", "every 1 min", "70 s"))
        .build()
        .unwrap();
    run_for(&session, "5 min").await.unwrap();
    let records = session.history(Query::all()).await.unwrap();
    let mut open = std::collections::HashMap::new();
    for known in &records {
        let record = &known.record;
        if record.action == Action::Run {
            assert!(open.insert(record.run, record.started).is_none());
        } else {
            assert_eq!(open.remove(&record.run), Some(record.started), "{record:?}");
        }
    }
    assert!(open.is_empty());
}
