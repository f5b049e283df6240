//! Each option of a session, with each of its values.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use expect_test::expect;
use redengine_core::expr::{Custom, Expr, Statement};
use redengine_core::param::{Params, Return};
use redengine_core::probe::Probe;
use redengine_core::record::{Action, Details, Record, RunId};
use redengine_core::runlog::{Append, Appended, Expect, Query, RunLog};
use redengine_core::session::OnConflict;
use redengine_core::task::{Execution, TaskType};
use redengine_core::time::Zone;
use redengine_core::{Config, Session, Task};
use redengine_log::MemoryLog;
use redengine_runtime::{RunError, VirtualClock};
use redengine_tests::world::{
    actions, at, failing, pass, run_for, run_while, serving, session, slow, span, starts, task,
    timeline,
};

fn names(session: &Session) -> String {
    let names: Vec<_> = session.tasks().iter().map(|task| task.name.to_string()).collect();
    names.join(", ")
}

/// A custom condition that counts how often it is asked, and does not hold or is broken.
fn counted(asked: &Arc<AtomicU32>, fails: bool) -> Expr {
    let asked = asked.clone();
    let probe = Probe::blocking(move || {
        asked.fetch_add(1, Ordering::Relaxed);
        if fails { Err("the disk is gone".into()) } else { Ok(false) }
    });
    Statement::Custom(Custom { name: "asked".into(), args: Vec::new(), probe: Some(probe) }).into()
}

fn broken() -> Expr {
    counted(&Arc::default(), true)
}

/// A value that is never there.
struct Nothing;

impl TaskType for Nothing {
    type Output = u32;
    const NAME: &'static str = "nothing";

    fn task() -> Task {
        Task::new(Self::NAME, "false", || async { Ok::<_, String>(5_u32) })
    }
}

fn unprepared(name: &str, condition: &str) -> Task {
    Task::new(name, condition, |_: Return<Nothing>| async {})
}

// ---- task_pre_exist

#[tokio::test(start_paused = true)]
async fn a_name_that_exists_is_dealt_with_as_the_option_says() {
    let mut told = String::new();
    for conflict in [OnConflict::Raise, OnConflict::Replace, OnConflict::Ignore, OnConflict::Rename]
    {
        let built = session("2026-11-24 07:00")
            .configure(|config| config.task_pre_exist = conflict)
            .task(task("a", "daily"))
            .task(task("b", "false"))
            .task(failing("a", "daily"))
            .task(failing("a", "daily"))
            .build();
        match built {
            Err(error) => writeln!(told, "{conflict:?}: {error}").unwrap(),
            Ok(session) => {
                run_for(&session, "1 min").await.unwrap();
                let names = names(&session);
                writeln!(told, "{conflict:?}: {names}\n{}", timeline(&session).await).unwrap();
            }
        }
    }
    expect![[r#"
        Raise: 2 things are wrong with the session:
        - there are two tasks `a`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`
        - there are two tasks `a`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`
        Replace: a, b
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:00 a fail: no luck

        Ignore: a, b
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:00 a success

        Rename: a, b, a - 1, a - 2
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:00 a - 1 run (due 24 00:00:00)
        24 07:00:00 a - 2 run (due 24 00:00:00)
        24 07:00:00 a success
        24 07:00:00 a - 1 fail: no luck
        24 07:00:00 a - 2 fail: no luck

    "#]].assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_exists_is_dealt_with_so_while_the_session_runs() {
    let mut told = String::new();
    for conflict in [OnConflict::Raise, OnConflict::Replace, OnConflict::Ignore, OnConflict::Rename]
    {
        let session = session("2026-11-24 07:00").task(task("a", "every 1 min")).build().unwrap();
        let mut got = Vec::new();
        let story = async {
            session.configure(|config| config.task_pre_exist = conflict).unwrap();
            pass("30 s").await;
            for _ in 0..2 {
                let added = session.add_task(failing("a", "every 1 min"));
                got.push(match added {
                    Ok(name) => name.to_string(),
                    Err(error) => error.to_string(),
                });
            }
            pass("1 min").await;
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
        writeln!(told, "{conflict:?}: {}\n{}", got.join(", "), timeline(&session).await).unwrap();
    }
    expect![[r#"
        Raise: the session is wrong: there are two tasks `a`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`, the session is wrong: there are two tasks `a`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`
        24 07:00:00 a run
        24 07:00:00 a success
        24 07:01:00 a run
        24 07:01:00 a success

        Replace: a, a
        24 07:00:00 a run
        24 07:00:00 a success
        24 07:01:00 a run
        24 07:01:00 a fail: no luck

        Ignore: a, a
        24 07:00:00 a run
        24 07:00:00 a success
        24 07:01:00 a run
        24 07:01:00 a success

        Rename: a - 1, a - 2
        24 07:00:00 a run
        24 07:00:00 a success
        24 07:00:30 a - 1 run
        24 07:00:30 a - 2 run
        24 07:00:30 a - 1 fail: no luck
        24 07:00:30 a - 2 fail: no luck
        24 07:01:00 a run
        24 07:01:00 a success

    "#]].assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_replaced_ends_its_live_run_and_the_new_one_begins_after_it() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Replace)
        .task(slow("a", "every 1 min", "20 s"))
        .task(task("after", "after task 'a'"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        assert_eq!(&*session.add_task(failing("a", "every 15 s")).unwrap(), "a");
        pass("20 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 a run
        24 07:00:20 a success
        24 07:00:20 a run (due 24 07:00:15)
        24 07:00:20 after run
        24 07:00:20 a fail: no luck
        24 07:00:20 after success
    "#]]
    .assert_eq(&timeline(&session).await);
    let records = session.history(Query::task("a")).await.unwrap();
    assert_eq!(records[0].record.run, records[1].record.run);
    assert_eq!(session.tasks().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_run_of_a_replaced_task_keeps_its_timeout_and_its_end_condition() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Replace)
        .task(serving("late", "daily").timeout(span("1 min")))
        .task(serving("ended", "daily").end("time of day after 07:02"))
        .task(serving("free", "daily").end("time of day after 07:03"))
        .task(slow("spared", "daily", "5 min"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        session.add_task(serving("late", "false").timeout(span("1 s"))).unwrap();
        session.add_task(serving("ended", "false").end("false")).unwrap();
        session.add_task(serving("free", "false")).unwrap();
        session.add_task(serving("spared", "false").end("true")).unwrap();
        pass("10 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 late run (due 24 00:00:00)
        24 07:00:00 ended run (due 24 00:00:00)
        24 07:00:00 free run (due 24 00:00:00)
        24 07:00:00 spared run (due 24 00:00:00)
        24 07:01:00 late terminate: its timeout passed after 1 min; it ended with: stopped
        24 07:02:00 ended terminate: its end condition holds: time of day after 07:02; it ended with: stopped
        24 07:03:00 free terminate: its end condition holds: time of day after 07:03; it ended with: stopped
        24 07:05:00 spared success
    "#]].assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_takes_over_the_history() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Replace)
        .task(task("a", "daily"))
        .build()
        .unwrap();
    let story = async {
        pass("1 hour").await;
        // It has run today already.
        session.add_task(failing("a", "daily")).unwrap();
        pass("1 day").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:00 a success
        25 00:00:00 a run
        25 00:00:00 a fail: no luck
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_task_is_one_of_its_own() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_pre_exist = OnConflict::Rename)
        .task(task("a", "daily"))
        .task(failing("a - 1", "daily"))
        .task(task("a", "after task 'a - 1' failed"))
        .build()
        .unwrap();
    assert_eq!(names(&session), "a, a - 1, a - 2");
    assert_eq!(&*session.add_task(task("a - 1", "false")).unwrap(), "a - 1 - 1");
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(actions(&session, "a - 2").await, "run success");
}

// ---- use_instance_naming

async fn fetch() {}

#[tokio::test(start_paused = true)]
async fn a_task_without_a_name_gets_that_of_its_function() {
    let session = session("2026-11-24 07:00").task(Task::unnamed("daily", fetch)).build().unwrap();
    assert_eq!(names(&session), "fetch");
    let error = session.add_task(Task::unnamed("daily", || async {})).unwrap_err();
    expect!["the session is wrong: a task of a closure has no name; give it one with `.named(..)`, or set `use_instance_naming`"].assert_eq(&error.to_string());
    let error = session.add_task(Task::unnamed("daily", fetch)).unwrap_err();
    expect!["the session is wrong: there are two tasks `fetch`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`"].assert_eq(&error.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_task_without_a_name_may_get_that_of_its_instance() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.use_instance_naming = true)
        .task(Task::unnamed("daily", fetch))
        .task(task("named", "daily"))
        .task(Task::unnamed("after task 'task-1'", fetch))
        .task(task("task-3", "daily"))
        .build()
        .unwrap();
    assert_eq!(&*session.add_task(Task::unnamed("daily", || async {})).unwrap(), "task-4");
    assert_eq!(names(&session), "task-1, named, task-2, task-3, task-4");
    session.remove_task("task-4").unwrap();
    // A name is not given twice: the history of the first would go with it.
    assert_eq!(&*session.add_task(Task::unnamed("daily", || async {})).unwrap(), "task-5");
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(actions(&session, "task-2").await, "run success");
}

#[tokio::test(start_paused = true)]
async fn an_instance_does_not_take_a_name_that_was_given() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.use_instance_naming = true)
        .task(Task::unnamed("daily", fetch))
        .task(task("task-1", "false"))
        .build()
        .unwrap();
    assert_eq!(names(&session), "task-2, task-1");
}

// ---- silence_task_prerun

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_before_its_body_is_recorded_and_told_as_the_option_says() {
    let mut told = String::new();
    for silent in [true, false] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.silence_task_prerun = silent)
            .task(Nothing)
            .task(unprepared("t", "daily after 07:01"))
            .task(slow("live", "daily", "2 min"))
            .task(task("later", "every 70 s"))
            .build()
            .unwrap();
        let result = run_for(&session, "3 min").await;
        writeln!(told, "silent: {silent}, {result:?}\n{}", timeline(&session).await).unwrap();
        if let Err(error) = result {
            let RunError::Prerun { task, reason } = error else { panic!("{error:?}") };
            assert_eq!(&*task, "t");
            assert!(reason.contains("`nothing`"), "{reason}");
        }
    }
    expect![[r#"
        silent: true, Ok(())
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 later run
        24 07:00:00 later success
        24 07:01:00 t run
        24 07:01:00 t fail: task `nothing` has not returned anything yet; start this one `after task 'nothing'`, or take an `Option<Return<..>>`
        24 07:01:10 later run
        24 07:01:10 later success
        24 07:02:00 live success
        24 07:02:20 later run
        24 07:02:20 later success

        silent: false, Err(a run of task `t` failed before its body began: task `nothing` has not returned anything yet; start this one `after task 'nothing'`, or take an `Option<Return<..>>`)
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 later run
        24 07:00:00 later success
        24 07:01:00 t run
        24 07:01:00 t fail: task `nothing` has not returned anything yet; start this one `after task 'nothing'`, or take an `Option<Return<..>>`
        24 07:01:35 live terminate: the session shuts down

    "#]].assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_body_may_become_loud_while_the_session_runs() {
    let session = session("2026-11-24 07:00")
        .task(Nothing)
        .task(unprepared("t", "every 1 min"))
        .build()
        .unwrap();
    let story = async {
        pass("90 s").await;
        session.configure(|config| config.silence_task_prerun = false).unwrap();
        pass("1 hour").await;
    };
    let error = run_while(&session, story).await.unwrap_err();
    assert!(matches!(error, RunError::Prerun { .. }), "{error:?}");
    assert_eq!(actions(&session, "t").await, "run fail run fail run fail");
}

// ---- silence_cond_check

#[tokio::test(start_paused = true)]
async fn a_broken_condition_counts_as_false_and_is_told_as_the_option_says() {
    let mut told = String::new();
    for silent in [true, false] {
        for place in ["start", "end", "shut_cond"] {
            let mut builder = session("2026-11-24 07:00")
                .configure(|config| config.silence_cond_check = silent)
                .task(slow("live", "daily", "10 s"));
            builder = match place {
                "start" => builder.task(task("t", broken() & "daily")),
                "end" => builder.task(slow("t", "daily", "20 s").end(broken())),
                _ => builder.configure(|config| config.shut_cond = Some(broken())),
            };
            let session = builder.build().unwrap();
            let result = run_for(&session, "1 min").await;
            let result = result.map_or_else(|error| error.to_string(), |()| "no error".to_owned());
            let timeline = timeline(&session).await;
            writeln!(told, "{place}, silent: {silent}: {result}\n{timeline}").unwrap();
        }
    }
    expect![[r#"
        start, silent: true: no error
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:10 live success

        end, silent: true: no error
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:10 live success
        24 07:00:20 t success

        shut_cond, silent: true: no error
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:10 live success

        start, silent: false: the condition of task `t` is in error: `asked()`: the disk is gone
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:10 live success

        end, silent: false: the condition of task `t` is in error: `asked()`: the disk is gone
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:00 t run (due 24 00:00:00)
        24 07:00:10 live success
        24 07:00:20 t success

        shut_cond, silent: false: the condition of the session (`shut_cond`) is in error: `asked()`: the disk is gone
        24 07:00:00 live run (due 24 00:00:00)
        24 07:00:10 live success

    "#]].assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_is_broken_already_ends_the_session_when_errors_become_loud() {
    let session = session("2026-11-24 07:00").task(task("t", broken())).build().unwrap();
    let story = async {
        pass("1 min").await;
        session.configure(|config| config.silence_cond_check = false).unwrap();
        pass("1 min").await;
        session.shutdown();
    };
    let error = run_while(&session, story).await.unwrap_err();
    assert!(matches!(&error, RunError::Condition { task: Some(task), .. } if &**task == "t"));
}

// ---- force_status_from_logs

/// Builds a session with tasks whose conditions look at others in most ways.
fn looking(from_logs: bool, log: Arc<dyn RunLog>) -> Session {
    Session::builder()
        .log(log)
        .clock(VirtualClock::starting(at("2026-11-24 07:00")))
        .configure(|config| {
            config.timezone = Some(Zone::utc());
            config.force_status_from_logs = from_logs;
        })
        .task(slow("up", "every 10 min", "1 min"))
        .task(failing("bad", "daily after 07:05 | retry 2"))
        .task(slow("after", "after task 'up'", "10 s"))
        .task(task("after failed", "after task 'bad' failed"))
        .task(task("after both", "after tasks 'up', 'bad' finished"))
        .task(slow("beside", "task 'up' is running", "3 min"))
        .task(task("counting", "task 'up' has succeeded at least 3 times today & daily"))
        .task(task("hourly", "hourly after 30:00"))
        .task(task("not yet", "~task 'bad' has failed today & every 2 min"))
        .task(serving("served", "daily").end("task 'up' has succeeded at least 2 times today"))
        .build()
        .expect("a session")
}

#[tokio::test(start_paused = true)]
async fn reading_the_log_or_the_memory_gives_the_same_launches() {
    let mut told = Vec::new();
    for from_logs in [false, true] {
        let session = looking(from_logs, Arc::new(MemoryLog::new()));
        run_for(&session, "45 min").await.unwrap();
        let mut launches = String::new();
        for definition in session.tasks() {
            let name = &definition.name;
            writeln!(launches, "{name}: {}", starts(&session, name).await).unwrap();
        }
        told.push(launches);
    }
    assert_eq!(told[0], told[1]);
    expect![[r#"
        up: 24 07:00:00, 24 07:10:00, 24 07:20:00, 24 07:30:00, 24 07:40:00
        bad: 24 07:05:00, 24 07:05:00, 24 07:05:00
        after: 24 07:01:00, 24 07:11:00, 24 07:21:00, 24 07:31:00, 24 07:41:00
        after failed: 24 07:05:00, 24 07:05:00, 24 07:05:00
        after both: 24 07:05:00, 24 07:11:00
        beside: 24 07:00:00, 24 07:10:00, 24 07:20:00, 24 07:30:00, 24 07:40:00
        counting: 24 07:21:00
        hourly: 24 07:30:00
        not yet: 24 07:00:00, 24 07:02:00, 24 07:04:00
        served: 24 07:00:00
    "#]]
    .assert_eq(&told[0]);
}

/// Writes a run that succeeded, as another program does.
async fn write_success(log: &dyn RunLog, task: &str, when: &str, number: u8) {
    let record = Record {
        task: task.into(),
        run: RunId::new(at(when), [number; 10]),
        action: Action::Run,
        at: at(when),
        started: at(when),
        due: None,
        details: Details::default().with_node("another-host/5/5/00000005").shared(),
    };
    let end = Record { action: Action::Success, details: None, ..record.clone() };
    let latest = log.read(Query::task(task).newest_first().limit(1)).await.expect("a log");
    let latest = latest.first().map(|known| known.seq);
    let batch = vec![
        Append { record, expect: Expect::Latest(latest) },
        Append { record: end, expect: Expect::Open },
    ];
    let answers = log.append(batch).await.expect("a log");
    assert!(answers.iter().all(|answer| matches!(answer, Appended::Won(_))), "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn what_another_program_writes_counts_as_what_the_session_does() {
    let mut told = String::new();
    for from_logs in [true, false] {
        let log: Arc<dyn RunLog> = Arc::new(MemoryLog::new());
        let session = Session::builder()
            .log(log.clone())
            .clock(VirtualClock::starting(at("2026-11-24 07:00")))
            .configure(|config| {
                config.timezone = Some(Zone::utc());
                config.force_status_from_logs = from_logs;
            })
            .task(task("theirs", "false"))
            .task(task("mine", "after task 'theirs'"))
            .build()
            .unwrap();
        let story = async {
            pass("10 min").await;
            write_success(&*log, "theirs", "2026-11-24 07:10", 1).await;
            pass("10 min").await;
            write_success(&*log, "theirs", "2026-11-24 07:20", 2).await;
            pass("10 min").await;
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
        writeln!(told, "from logs: {from_logs}\n{}", timeline(&session).await).unwrap();
    }
    // The memory follows the log, so where conditions look makes no difference.
    expect![[r#"
        from logs: true
        24 07:10:00 theirs run
        24 07:10:00 theirs success
        24 07:10:00 mine run
        24 07:10:00 mine success
        24 07:20:00 theirs run
        24 07:20:00 theirs success
        24 07:20:00 mine run
        24 07:20:00 mine success

        from logs: false
        24 07:10:00 theirs run
        24 07:10:00 theirs success
        24 07:10:00 mine run
        24 07:10:00 mine success
        24 07:20:00 theirs run
        24 07:20:00 theirs success
        24 07:20:00 mine run
        24 07:20:00 mine success

    "#]]
    .assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn reading_from_the_log_may_be_switched_on_while_the_session_runs() {
    let log: Arc<dyn RunLog> = Arc::new(MemoryLog::new());
    let session = Session::builder()
        .log(log.clone())
        .clock(VirtualClock::starting(at("2026-11-24 07:00")))
        .configure(|config| config.timezone = Some(Zone::utc()))
        .task(task("theirs", "false"))
        .task(task("mine", "after task 'theirs'"))
        .build()
        .unwrap();
    let story = async {
        pass("10 min").await;
        write_success(&*log, "theirs", "2026-11-24 07:10", 1).await;
        pass("10 min").await;
        session.configure(|config| config.force_status_from_logs = true).unwrap();
        pass("10 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "mine").await, "run success");
}

// ---- cycle_sleep

#[tokio::test(start_paused = true)]
async fn a_pause_between_cycles_is_a_lower_bound() {
    let mut told = String::new();
    for pause in [None, Some("10 s")] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.cycle_sleep = pause.map(span))
            .task(slow("a", "daily", "1 s"))
            .task(slow("b", "after task 'a'", "1 s"))
            .task(slow("c", "after task 'b'", "1 s"))
            .build()
            .unwrap();
        run_for(&session, "1 min").await.unwrap();
        writeln!(told, "{pause:?}\n{}", timeline(&session).await).unwrap();
    }
    expect![[r#"
        None
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:01 a success
        24 07:00:01 b run
        24 07:00:02 b success
        24 07:00:02 c run
        24 07:00:03 c success

        Some("10 s")
        24 07:00:00 a run (due 24 00:00:00)
        24 07:00:01 a success
        24 07:00:10 b run (due 24 07:00:01)
        24 07:00:11 b success
        24 07:00:20 c run (due 24 07:00:11)
        24 07:00:21 c success

    "#]]
    .assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_taken_away_is_over_at_once() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.cycle_sleep = Some(span("1 hour")))
        .task(slow("a", "daily", "1 s"))
        .task(slow("b", "after task 'a'", "1 s"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s").await;
        session.configure(|config| config.cycle_sleep = None).unwrap();
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "b").await, "24 07:00:10");
}

#[tokio::test(start_paused = true)]
async fn an_idle_day_takes_hardly_any_cycle() {
    for from_logs in [false, true] {
        let session = session("2026-11-24 07:00")
            .configure(|config| {
                config.force_status_from_logs = from_logs;
                config.probe_interval = span("1 min");
            })
            .task(task("daily", "daily after 08:00"))
            .task(task("after", "after task 'daily'"))
            .task(task("never", "task 'daily' has failed today"))
            .task(task("off", "true").disabled())
            .build()
            .unwrap();
        let story = async {
            pass("23 hours 59 min").await;
            let count = Arc::new(AtomicU32::new(0));
            // Asked at each look, which are as many as there were cycles before and at this one.
            for many in [25, 50, 100] {
                let name = format!("more than {many}");
                let condition = format!("scheduler has more than {many} cycles & ~has started");
                session.add_task(task(&name, condition.as_str()).disabled()).unwrap();
                let why = session.why(&name).await.unwrap();
                if why.condition.holds() {
                    count.fetch_max(many, Ordering::Relaxed);
                }
            }
            assert_eq!(count.load(Ordering::Relaxed), 0, "from logs: {from_logs}");
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
        assert_eq!(starts(&session, "after").await, "24 08:00:00");
    }
}

// ---- the others

#[tokio::test(start_paused = true)]
async fn where_tasks_run_is_decided_when_they_start() {
    let here = std::thread::current().id();
    let threads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let list = threads.clone();
    let look = Task::new("look", "every 1 min", move || {
        list.lock().unwrap().push(std::thread::current().id() == here);
        async {}
    });
    let session = session("2026-11-24 07:00").task(look).build().unwrap();
    let story = async {
        pass("30 s").await;
        session.configure(|config| config.task_execution = Execution::Thread).unwrap();
        pass("1 min").await;
        session.configure(|config| config.task_execution = Execution::Async).unwrap();
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(*threads.lock().unwrap(), [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn greater_priorities_start_first_and_equal_ones_in_the_order_they_were_added() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.task_priority = 5)
        .task(task("none", "daily"))
        .task(task("4", "daily").priority(4))
        .task(task("6", "daily").priority(6))
        .task(task("5", "daily").priority(5))
        .task(task("-1", "daily").priority(-1))
        .task(task("none too", "daily"))
        .build()
        .unwrap();
    let order = async || {
        let query = Query::all().actions([Action::Run]);
        let records = session.history(query).await.unwrap();
        let names: Vec<_> = records.iter().map(|known| known.record.task.to_string()).collect();
        names.join(", ")
    };
    let story = async {
        pass("1 min").await;
        assert_eq!(order().await, "6, none, 5, none too, 4, -1");
        session.configure(|config| config.task_priority = -5).unwrap();
        pass("1 day").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(order().await, "6, none, 5, none too, 4, -1, 6, 5, 4, -1, none, none too");
}

#[tokio::test(start_paused = true)]
async fn a_new_timeout_is_that_of_later_runs() {
    let session = session("2026-11-24 07:00").task(serving("t", "every 1 s")).build().unwrap();
    let story = async {
        pass("1 min").await;
        session.configure(|config| config.timeout = Some(span("10 s"))).unwrap();
        session.terminate("t").unwrap();
        pass("15 s").await;
        session.configure(|config| config.timeout = None).unwrap();
        pass("1 min").await;
        session.shutdown_now();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:00:00 t run
        24 07:01:00 t terminate: it was terminated on request; it ended with: stopped
        24 07:01:00 t run (due 24 07:00:01)
        24 07:01:10 t terminate: its timeout passed after 10 s; it ended with: stopped
        24 07:01:10 t run (due 24 07:01:01)
        24 07:01:20 t terminate: its timeout passed after 10 s; it ended with: stopped
        24 07:01:20 t run (due 24 07:01:11)
        24 07:02:15 t terminate: the session shuts down; it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn the_session_ends_in_order_when_its_shut_cond_holds() {
    let mut told = String::new();
    for condition in
        ["task 't' has succeeded at least 3 times today", "time of day after 07:01:30", "true"]
    {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.shut_cond = Some(condition.parse().unwrap()))
            .task(slow("t", "every 1 min", "50 s"))
            .build()
            .unwrap();
        run_for(&session, "1 hour").await.unwrap();
        writeln!(told, "{condition}\n{}", timeline(&session).await).unwrap();
    }
    expect![[r#"
        task 't' has succeeded at least 3 times today
        24 07:00:00 t run
        24 07:00:50 t success
        24 07:01:00 t run
        24 07:01:50 t success
        24 07:02:00 t run
        24 07:02:50 t success

        time of day after 07:01:30
        24 07:00:00 t run
        24 07:00:50 t success
        24 07:01:00 t run
        24 07:01:50 t success

        true

    "#]]
    .assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn a_shut_cond_looks_as_far_back_as_it_must() {
    let log: Arc<dyn RunLog> = Arc::new(MemoryLog::new());
    for number in 0..4 {
        write_success(&*log, "t", &format!("2026-11-24 06:0{number}"), number).await;
    }
    let condition = "task 't' has succeeded at least 5 times today";
    for later in [false, true] {
        let session = Session::builder()
            .log(log.clone())
            .clock(VirtualClock::starting(at("2026-11-24 07:00")))
            .configure(|config| {
                config.timezone = Some(Zone::utc());
                config.shut_cond = (!later).then(|| condition.parse().unwrap());
            })
            .task(task("t", "every 1 min"))
            .build()
            .unwrap();
        let story = async {
            if later {
                session.configure(|config| config.shut_cond = condition.parse().ok()).unwrap();
            }
            pass("1 hour").await;
            panic!("it did not end, later: {later}");
        };
        run_while(&session, story).await.unwrap();
        if !later {
            // Four are in the log from before, and the first of this session's is the fifth.
            assert_eq!(actions(&session, "t").await, ["run success"; 5].join(" "));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_shut_cond_may_come_and_go_while_the_session_runs() {
    let session = session("2026-11-24 07:00").task(task("t", "every 1 min")).build().unwrap();
    let story = async {
        pass("90 s").await;
        let error = session
            .configure(|config| {
                config.task_priority = 7;
                config.shut_cond = Some("after task 'u'".parse().unwrap());
            })
            .unwrap_err();
        expect!["the session is wrong: `shut_cond`: unknown task `u` in `after task 'u'`; did you mean `t`?"].assert_eq(&error.to_string());
        assert_eq!(session.config().task_priority, 0, "nothing is changed then");
        let set = |text: Option<&str>| {
            let condition = text.map(|text| text.parse().unwrap());
            session.configure(|config| config.shut_cond = condition).unwrap();
        };
        set(Some("time of day after 07:02:30"));
        set(None);
        pass("90 s").await;
        set(Some("time of day after 07:04:30"));
        pass("1 hour").await;
        panic!("it did not end");
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await.split(", ").count(), 5);
}

#[tokio::test(start_paused = true)]
async fn conditions_without_a_zone_are_in_that_of_the_session() {
    let session = session("2026-11-24 00:00")
        .configure(|config| config.timezone = Some(Zone::named("Europe/Helsinki").unwrap()))
        .task(task("session's", "daily after 07:00"))
        .build()
        .unwrap();
    run_for(&session, "1 day").await.unwrap();
    // Their today begins at 22:00, and at 00:00 it is 02:00 there.
    assert_eq!(starts(&session, "session's").await, "24 05:00:00");
}

#[tokio::test(start_paused = true)]
async fn custom_conditions_are_asked_at_the_interval() {
    let asked = Arc::new(AtomicU32::new(0));
    let session = session("2026-11-24 07:00")
        .configure(|config| config.probe_interval = span("10 s"))
        .task(task("t", counted(&asked, false)))
        .build()
        .unwrap();
    let story = async {
        pass("55 s").await;
        assert_eq!(asked.swap(0, Ordering::Relaxed), 6, "at 0, 10 .. 50");
        session.configure(|config| config.probe_interval = span("1 s")).unwrap();
        pass("10 s 500 ms").await;
        // The pause that has begun is kept: at 60, 61 .. 65.
        assert_eq!(asked.load(Ordering::Relaxed), 6);
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_and_the_grace_bound_the_end() {
    let mut told = String::new();
    for (deadline, grace) in [("10 s", "3 s"), ("0 s", "3 s"), ("10 s", "0 s"), ("0 s", "0 s")] {
        let session = session("2026-11-24 07:00")
            .configure(|config| {
                config.shutdown_deadline = span(deadline);
                config.termination_grace = span(grace);
            })
            .task(serving("polite", "daily"))
            .task(Task::new("deaf", "daily", std::future::pending::<()>))
            .task(slow("short", "daily", "65 s"))
            .build()
            .unwrap();
        run_for(&session, "1 min").await.unwrap();
        writeln!(told, "{deadline}, {grace}\n{}", timeline(&session).await).unwrap();
    }
    expect![[r#"
        10 s, 3 s
        24 07:00:00 polite run (due 24 00:00:00)
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:00 short run (due 24 00:00:00)
        24 07:01:05 short success
        24 07:01:10 polite terminate: the session shuts down; it ended with: stopped
        24 07:01:13 deaf terminate: the session shuts down

        0 s, 3 s
        24 07:00:00 polite run (due 24 00:00:00)
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:00 short run (due 24 00:00:00)
        24 07:01:00 polite terminate: the session shuts down; it ended with: stopped
        24 07:01:03 short terminate: the session shuts down
        24 07:01:03 deaf terminate: the session shuts down

        10 s, 0 s
        24 07:00:00 polite run (due 24 00:00:00)
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:00 short run (due 24 00:00:00)
        24 07:01:05 short success
        24 07:01:10 polite terminate: the session shuts down
        24 07:01:10 deaf terminate: the session shuts down

        0 s, 0 s
        24 07:00:00 polite run (due 24 00:00:00)
        24 07:00:00 deaf run (due 24 00:00:00)
        24 07:00:00 short run (due 24 00:00:00)
        24 07:01:00 polite terminate: the session shuts down
        24 07:01:00 short terminate: the session shuts down
        24 07:01:00 deaf terminate: the session shuts down

    "#]]
    .assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn options_are_changed_while_the_session_runs_and_kept_for_the_next_run() {
    let session = session("2026-11-24 07:00").task(task("t", "every 1 min")).build().unwrap();
    let story = async {
        session.configure(|config| config.cycle_sleep = Some(span("1 min 30 s"))).unwrap();
        pass("4 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(session.config().cycle_sleep, Some(span("1 min 30 s")));
    drop(session.request_run("t", Params::new()).unwrap());
    run_for(&session, "1 s").await.unwrap();
    expect!["24 07:00:00, 24 07:01:30, 24 07:03:00, 24 07:04:00"]
        .assert_eq(&starts(&session, "t").await);
}

// ---- options as text

#[test]
fn all_options_are_read_by_name() {
    let config: Config = serde_json::from_str(
        r#"{
            "task_pre_exist": "rename", "use_instance_naming": true, "silence_task_prerun": false,
            "silence_cond_check": false, "force_status_from_logs": true, "cycle_sleep": "100 ms",
            "task_execution": "thread", "task_priority": -3, "timeout": 90.5,
            "shut_cond": "time of day after 18:00", "shutdown_deadline": 0,
            "termination_grace": "1 min 30 s", "timezone": "Europe/Helsinki", "probe_interval": 1
        }"#,
    )
    .unwrap();
    assert_eq!(config.task_pre_exist, OnConflict::Rename);
    assert!(config.use_instance_naming && config.force_status_from_logs);
    assert!(!config.silence_task_prerun && !config.silence_cond_check);
    assert_eq!(config.cycle_sleep, Some(span("100 ms")));
    assert_eq!(config.task_execution, Execution::Thread);
    assert_eq!(config.task_priority, -3);
    assert_eq!(config.timeout, Some(span("90 s 500 ms")));
    assert_eq!(config.shut_cond.unwrap().to_string(), "time of day after 18:00");
    assert_eq!(config.shutdown_deadline, Duration::ZERO);
    assert_eq!(config.termination_grace, span("90 s"));
    assert_eq!(config.timezone, Some(Zone::named("Europe/Helsinki").unwrap()));
    assert_eq!(config.probe_interval, span("1 s"));
    let config: Config = serde_json::from_str(
        r#"{ "cycle_sleep": null, "timeout": null, "shut_cond": null, "timezone": null }"#,
    )
    .unwrap();
    assert!(config.cycle_sleep.is_none() && config.timeout.is_none());
    assert!(config.shut_cond.is_none() && config.timezone.is_none());
    assert!(config.silence_task_prerun && config.silence_cond_check);
    for (word, value) in [
        ("raise", OnConflict::Raise),
        ("replace", OnConflict::Replace),
        ("ignore", OnConflict::Ignore),
        ("rename", OnConflict::Rename),
    ] {
        let config: Config =
            serde_json::from_value(serde_json::json!({ "task_pre_exist": word })).unwrap();
        assert_eq!(config.task_pre_exist, value);
    }
}

#[test]
fn options_that_are_unknown_or_wrong_are_errors_that_help() {
    let mut told = String::new();
    for text in [
        r#"{ "cycle_slep": 1 }"#,
        r#"{ "colour": "red" }"#,
        r#"{ "task_pre_exist": "replac" }"#,
        r#"{ "task_pre_exist": "Raise" }"#,
        r#"{ "task_pre_exist": "shout" }"#,
        r#"{ "task_pre_exist": null }"#,
        r#"{ "use_instance_naming": "yes" }"#,
        r#"{ "silence_task_prerun": 1 }"#,
        r#"{ "silence_cond_check": null }"#,
        r#"{ "force_status_from_logs": "true" }"#,
        r#"{ "cycle_sleep": -1 }"#,
        r#"{ "cycle_sleep": "soon" }"#,
        r#"{ "cycle_sleep": [1] }"#,
        r#"{ "task_execution": "process" }"#,
        r#"{ "task_execution": 5 }"#,
        r#"{ "task_priority": 1.5 }"#,
        r#"{ "task_priority": 3000000000 }"#,
        r#"{ "timeout": 1e300 }"#,
        r#"{ "timeout": true }"#,
        r#"{ "timeout": 0 }"#,
        r#"{ "shut_cond": "evry 10 s" }"#,
        r#"{ "shut_cond": true }"#,
        r#"{ "shutdown_deadline": null }"#,
        r#"{ "termination_grace": "5" }"#,
        r#"{ "timezone": "Europe/Helsinky" }"#,
        r#"{ "timezone": 2 }"#,
        r#"{ "probe_interval": "" }"#,
        r#"{ "on_log_failure": "stpo" }"#,
        r#"{ "on_log_failure": "panic" }"#,
        r#"{ "on_log_failure": null }"#,
        r#"{ "retention": 0 }"#,
        r#"{ "retention": "30 dys" }"#,
        r#"{ "retention_records": -1 }"#,
        r#"{ "retention_records": "all" }"#,
        r#"{ "node_labels": "gpu" }"#,
        r#"{ "node_labels": ["gpu", 1] }"#,
        r#"{ "lease": "500 ms" }"#,
        r#"{ "lease": null }"#,
        r#"{ "node_label": ["gpu"] }"#,
        r#"{ "cycle_slep": 1, "timeout": true, "task_priority": 5 }"#,
        r#"["cycle_sleep"]"#,
    ] {
        let result = serde_json::from_str::<Config>(text);
        let error = result.map_or_else(|error| error.to_string(), |_| "no error".to_owned());
        writeln!(told, "{text}\n  {}", error.replace('\n', "\n  ")).unwrap();
    }
    expect![[r#"
        { "cycle_slep": 1 }
          unknown option `cycle_slep`; did you mean `cycle_sleep`?
        { "colour": "red" }
          unknown option `colour`; the options are task_pre_exist, use_instance_naming, silence_task_prerun, silence_cond_check, force_status_from_logs, cycle_sleep, task_execution, task_priority, timeout, shut_cond, shutdown_deadline, termination_grace, timezone, probe_interval, on_log_failure, retention, retention_records, node_labels, lease, allowed_lints
        { "task_pre_exist": "replac" }
          unknown `task_pre_exist` `replac`; did you mean `replace`?
        { "task_pre_exist": "Raise" }
          unknown `task_pre_exist` `Raise`; did you mean `raise`?
        { "task_pre_exist": "shout" }
          unknown `task_pre_exist` `shout`; it is raise, replace, ignore or rename
        { "task_pre_exist": null }
          option `task_pre_exist` must be a text, but it is null
        { "use_instance_naming": "yes" }
          option `use_instance_naming` must be true or false, but it is "yes"
        { "silence_task_prerun": 1 }
          option `silence_task_prerun` must be true or false, but it is 1
        { "silence_cond_check": null }
          option `silence_cond_check` must be true or false, but it is null
        { "force_status_from_logs": "true" }
          option `force_status_from_logs` must be true or false, but it is "true"
        { "cycle_sleep": -1 }
          option `cycle_sleep` must be a number of seconds that is not negative, but it is -1
        { "cycle_sleep": "soon" }
          option `cycle_sleep`: expected a duration like `10 min`, found `soon`
        { "cycle_sleep": [1] }
          option `cycle_sleep` must be a duration: a text like '10 s', or a number of seconds, but it is [1]
        { "task_execution": "process" }
          option `task_execution` must be `async` or `thread`, but it is "process"
        { "task_execution": 5 }
          option `task_execution` must be `async` or `thread`, but it is 5
        { "task_priority": 1.5 }
          option `task_priority` must be a whole number, but it is 1.5
        { "task_priority": 3000000000 }
          option `task_priority` must be a whole number, but it is 3000000000
        { "timeout": 1e300 }
          option `timeout` must be a number of seconds that is not negative, but it is 1e+300
        { "timeout": true }
          option `timeout` must be a duration: a text like '10 s', or a number of seconds, but it is true
        { "timeout": 0 }
          option `timeout` must be more than nothing, but it is 0
        { "shut_cond": "evry 10 s" }
          option `shut_cond`: error: unknown word `evry`
            |  evry 10 s
            |  ^^^^ did you mean `every`?
        { "shut_cond": true }
          option `shut_cond` must be a text, but it is true
        { "shutdown_deadline": null }
          option `shutdown_deadline` must be a duration: a text like '10 s', or a number of seconds, but it is null
        { "termination_grace": "5" }
          option `termination_grace`: expected a unit after `5`; for example `s`, `min`, `hours` or `days`
        { "timezone": "Europe/Helsinky" }
          option `timezone`: unknown time zone `Europe/Helsinky`; did you mean `Europe/Helsinki`?
        { "timezone": 2 }
          option `timezone` must be a text, but it is 2
        { "probe_interval": "" }
          option `probe_interval`: expected a duration like `10 min`, found the end
        { "on_log_failure": "stpo" }
          unknown `on_log_failure` `stpo`; did you mean `stop`?
        { "on_log_failure": "panic" }
          unknown `on_log_failure` `panic`; it is hold or stop
        { "on_log_failure": null }
          option `on_log_failure` must be a text, but it is null
        { "retention": 0 }
          option `retention` must be more than nothing, but it is 0
        { "retention": "30 dys" }
          option `retention`: unknown unit `dys`; did you mean `days`?
        { "retention_records": -1 }
          option `retention_records` must be a whole number that is not negative, but it is -1
        { "retention_records": "all" }
          option `retention_records` must be a whole number that is not negative, but it is "all"
        { "node_labels": "gpu" }
          option `node_labels` must be a list of texts, but it is "gpu"
        { "node_labels": ["gpu", 1] }
          option `node_labels` must be a list of texts, but it is ["gpu",1]
        { "lease": "500 ms" }
          option `lease` must be a second or more, as it is renewed three times in that time, but it is "500 ms"
        { "lease": null }
          option `lease` must be a duration: a text like '10 s', or a number of seconds, but it is null
        { "node_label": ["gpu"] }
          unknown option `node_label`; did you mean `node_labels`?
        { "cycle_slep": 1, "timeout": true, "task_priority": 5 }
          unknown option `cycle_slep`; did you mean `cycle_sleep`?
          option `timeout` must be a duration: a text like '10 s', or a number of seconds, but it is true
        ["cycle_sleep"]
          invalid type: sequence, expected a map at line 1 column 0
    "#]].assert_eq(&told);
}

#[test]
fn options_that_are_right_are_set_beside_those_that_are_wrong() {
    let mut config = Config::default();
    let (wrong, right) = (serde_json::json!("x"), serde_json::json!(5));
    let error = config
        .set_all([("timeout", &wrong), ("task_priority", &right), ("time_out", &right)])
        .unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert_eq!(config.task_priority, 5);
    assert_eq!(config.timeout, None);
}
