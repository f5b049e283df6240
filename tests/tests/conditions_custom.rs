//! Custom conditions, and errors in conditions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use expect_test::expect;
use redengine_core::expr::{Custom, Expr, Literal, Statement};
use redengine_core::probe::{Probe, ProbeError};
use redengine_core::session::{ArgError, CustomCondition};
use redengine_runtime::{RunError, watched};
use redengine_tests::stepped::SteppedClock;
use redengine_tests::world::{
    pass, run_for, run_while, serving, session, slow, span, starts, task, timeline,
};
use tokio::sync::watch;

/// A question whose answers are counted and given from outside.
#[derive(Clone, Default)]
struct Oracle {
    asked: Arc<AtomicU32>,
    asking: Arc<AtomicU32>,
    most: Arc<AtomicU32>,
    answer: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
}

impl Oracle {
    fn condition(&self, name: &str, probe: Probe) -> Expr {
        Statement::Custom(Custom { name: name.into(), args: Vec::new(), probe: Some(probe) }).into()
    }

    fn at_once(&self) -> Expr {
        self.condition("oracle", self.probe(Duration::ZERO))
    }

    fn probe(&self, takes: Duration) -> Probe {
        let oracle = self.clone();
        Probe::future(move || oracle.clone().ask(takes))
    }

    async fn ask(self, takes: Duration) -> Result<bool, ProbeError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let now = self.asking.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        self.asking.fetch_sub(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err("the oracle is silent".into());
        }
        Ok(self.answer.load(Ordering::Relaxed))
    }

    fn blocking(&self) -> Expr {
        let oracle = self.clone();
        let probe = Probe::blocking(move || {
            oracle.asked.fetch_add(1, Ordering::Relaxed);
            Ok(oracle.answer.load(Ordering::Relaxed))
        });
        self.condition("oracle", probe)
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn say(&self, answer: bool) {
        self.answer.store(answer, Ordering::Relaxed);
    }
}

// ---- answers

#[tokio::test(start_paused = true)]
async fn a_custom_condition_starts_its_task_when_its_answer_turns() {
    for blocking in [false, true] {
        let oracle = Oracle::default();
        let condition = if blocking { oracle.blocking() } else { oracle.at_once() };
        let session = session("2026-11-24 07:00")
            .configure(|config| config.probe_interval = span("1 s"))
            .task(task("t", condition & "~has started"))
            .build()
            .unwrap();
        let story = async {
            pass("10 s 500 ms").await;
            oracle.say(true);
            pass("10 s").await;
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
        assert_eq!(starts(&session, "t").await, "24 07:00:11", "blocking: {blocking}");
        // At 0, 1 .. 11, and never again: `~has started` is false whatever it says.
        assert_eq!(oracle.asked(), 12);
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_condition_is_asked_at_the_same_pace_after_the_clock_was_set_back() {
    let oracle = Oracle::default();
    let clock = SteppedClock::starting("2026-11-24 07:00");
    let session = session("2026-11-24 07:00")
        .clock(clock.clone())
        .configure(|config| config.probe_interval = span("1 s"))
        .task(task("t", oracle.at_once() & "~has started"))
        .build()
        .unwrap();
    let story = async {
        pass("10 s 500 ms").await;
        clock.set_back("1 hour");
        pass("5 s").await;
        oracle.say(true);
        pass("5 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 06:00:16");
}

#[tokio::test(start_paused = true)]
async fn an_answer_must_last_for_as_long_as_for_says() {
    let oracle = Oracle::default();
    let session = session("2026-11-24 07:00")
        .configure(|config| config.probe_interval = span("10 s"))
        .task(task(
            "t",
            redengine_core::expr::build::held_for(oracle.at_once(), "1 min") & "~has started",
        ))
        .build()
        .unwrap();
    let story = async {
        for (time, answer) in [("5 s", true), ("30 s", false), ("30 s", true)] {
            pass(time).await;
            oracle.say(answer);
        }
        pass("5 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    // It was heard to be true at 10 s, false at 40 s, and true again at 70 s.
    assert_eq!(starts(&session, "t").await, "24 07:02:10");
}

#[tokio::test(start_paused = true)]
async fn a_custom_condition_is_asked_only_while_it_matters() {
    let oracle = Oracle::default();
    let session = session("2026-11-24 07:00")
        .configure(|config| config.probe_interval = span("1 min"))
        .task(task("t", oracle.at_once() & "time of day between 10:00 and 10:30"))
        .build()
        .unwrap();
    run_for(&session, "1 day").await.unwrap();
    assert_eq!(oracle.asked(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_custom_condition_is_not_asked_where_something_else_decides() {
    let oracle = Oracle::default();
    let session = session("2026-11-24 07:00")
        .task(task("never", oracle.at_once() & "false"))
        .task(slow("always", oracle.at_once() | "true", "1 min"))
        .task(task("off", oracle.at_once()).disabled())
        .task(slow("running", "true", "1 min").end(oracle.at_once() & "false"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    assert_eq!(oracle.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_end_condition_is_asked_only_while_a_run_lives() {
    let oracle = Oracle::default();
    let session = session("2026-11-24 07:00")
        .configure(|config| config.probe_interval = span("10 s"))
        .task(serving("t", "daily after 08:00").end(oracle.at_once()))
        .build()
        .unwrap();
    let story = async {
        pass("1 hour 55 s").await;
        oracle.say(true);
        pass("1 hour").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 08:00:00 t run
        24 08:01:00 t terminate: its end condition holds: oracle(); it ended with: stopped
    "#]]
    .assert_eq(&timeline(&session).await);
    assert_eq!(oracle.asked(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_starts_nothing() {
    // True while nobody waited for it: what counts is the answer after the run has ended.
    let oracle = Oracle::default();
    oracle.say(true);
    let session = session("2026-11-24 07:00")
        .configure(|config| config.probe_interval = span("1 s"))
        .task(slow("t", oracle.at_once(), "10 s"))
        .build()
        .unwrap();
    let story = async {
        pass("5 s").await;
        oracle.say(false);
        pass("30 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:00:00");
}

#[tokio::test(start_paused = true)]
async fn a_condition_of_its_own_interval_is_asked_at_that() {
    let oracle = Oracle::default();
    let probe = oracle.probe(Duration::ZERO).poll(span("20 min"));
    let session = session("2026-11-24 07:00")
        .task(task("t", oracle.condition("oracle", probe)))
        .build()
        .unwrap();
    run_for(&session, "59 min").await.unwrap();
    assert_eq!(oracle.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_nothing_does_not_spin() {
    let oracle = Oracle::default();
    let session = session("2026-11-24 07:00")
        .configure(|config| config.probe_interval = Duration::ZERO)
        .task(task("t", oracle.at_once()))
        .build()
        .unwrap();
    run_for(&session, "1 s").await.unwrap();
    assert!(oracle.asked() <= 1001, "{}", oracle.asked());
}

#[tokio::test(start_paused = true)]
async fn a_slow_condition_is_asked_once_at_a_time_and_delays_nobody() {
    let oracle = Oracle::default();
    let probe = oracle.probe(span("1 min"));
    let slow_condition = oracle.condition("oracle", probe);
    let session =
        session("2026-11-24 07:00").task(task("t", slow_condition | "every 1 s")).build().unwrap();
    run_for(&session, "10 s 500 ms").await.unwrap();
    assert_eq!(starts(&session, "t").await.split(", ").count(), 11);
    assert_eq!(oracle.most.load(Ordering::Relaxed), 1, "it was asked {} times", oracle.asked());
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_never_answers_holds_up_nothing() {
    let probe = Probe::future(std::future::pending);
    let hanging: Expr =
        Statement::Custom(Custom { name: "hang".into(), args: Vec::new(), probe: Some(probe) })
            .into();
    let session = session("2026-11-24 07:00")
        .task(task("waits", hanging.clone()))
        .task(task("neither", !hanging))
        .task(task("other", "every 10 s"))
        .build()
        .unwrap();
    run_for(&session, "35 s").await.unwrap();
    assert_eq!(starts(&session, "waits").await, "");
    assert_eq!(starts(&session, "neither").await, "");
    assert_eq!(starts(&session, "other").await.split(", ").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_text_calls_conditions_by_name() {
    fn exists(args: &[Literal]) -> Result<Probe, ArgError> {
        let path: String = ArgError::read(args, 0, "path")?;
        Ok(Probe::blocking(move || Ok(path == "x.csv")))
    }
    let session = session("2026-11-24 07:00")
        .condition(CustomCondition::new("file_exists", &["path"], exists))
        .task(task("yes", "file_exists('x.csv') & daily"))
        .task(task("no", "file_exists('y.csv') & daily"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    assert_eq!(starts(&session, "yes").await, "24 07:00:00");
    assert_eq!(starts(&session, "no").await, "");
}

/// Answers for `x.csv`, and counts how often it is asked.
fn file_exists() -> CustomCondition {
    fn exists(args: &[Literal]) -> Result<Probe, ArgError> {
        let path: String = ArgError::read(args, 0, "path")?;
        let oracle = Oracle::default();
        oracle.say(path == "x.csv");
        Ok(oracle.probe(Duration::ZERO))
    }
    CustomCondition::new("file_exists", &["path"], exists).phrase("file {path} exists")
}

#[tokio::test(start_paused = true)]
async fn a_phrase_in_text_is_answered_by_its_function() {
    let session = session("2026-11-24 07:00")
        .condition(file_exists())
        .configure(|config| config.shut_cond = Some("file 'z.csv' exists".parse().unwrap()))
        .task(task("yes", "daily & File 'x.csv'  exists"))
        .task(task("no", "daily & file 'y.csv' exists"))
        .task(task("not", "daily & ~file 'y.csv' exists"))
        .task(task("held", "file 'x.csv' exists for 1 min & ~has started"))
        .task(
            slow("ended", "daily", "1 hour").end("file 'x.csv' exists & is running more than 10 s"),
        )
        .build()
        .unwrap();
    run_for(&session, "10 min").await.unwrap();
    expect![[r#"
        24 07:00:00 ended run (due 24 00:00:00)
        24 07:00:00 yes run
        24 07:00:00 not run
        24 07:00:00 yes success
        24 07:00:00 not success
        24 07:00:15 ended terminate: its end condition holds: file 'x.csv' exists & is running more than 10 s
        24 07:01:00 held run
        24 07:01:00 held success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn why_shows_a_phrase_as_it_was_written() {
    let session = session("2026-11-24 07:00")
        .condition(file_exists())
        .task(task("t", "daily & file \"y.csv\" EXISTS"))
        .build()
        .unwrap();
    let story = async {
        pass("1 min").await;
        let why = session.why("t").await.unwrap().to_string();
        session.shutdown();
        why
    };
    let mut why = String::new();
    run_while(&session, async { why = story.await }).await.unwrap();
    expect![[r#"
        task `t`: its condition does not hold
        ✘ daily & file 'y.csv' exists, since 2026-11-24 07:00:00
          may change on another answer of the custom condition, or on a record (success, fail, terminate, inaction) of task `t`
          ✔ daily, since 2026-11-24 00:00:00: the window is from 2026-11-24 00:00:00 to 2026-11-25 00:00:00; no run that began in it has ended
          ✘ file 'y.csv' exists, since 2026-11-24 07:00:00: it has said false since 2026-11-24 07:00:00"#]]
    .assert_eq(&why);
}

#[tokio::test(start_paused = true)]
async fn a_running_session_takes_phrases_too() {
    let session = session("2026-11-24 07:00").condition(file_exists()).build().unwrap();
    let story = async {
        pass("1 min").await;
        session.add_task(task("late", "daily & file 'x.csv' exists")).unwrap();
        let error = session.add_task(task("wrong", "daily & fille 'x.csv' exists")).unwrap_err();
        assert!(error.to_string().contains("did you mean `file {path} exists`?"), "{error}");
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "late").await, "24 07:01:00");
}

// ---- errors

fn broken() -> Expr {
    Oracle::default().condition("broken", Probe::blocking(|| Err("the disk is gone".into())))
}

#[tokio::test(start_paused = true)]
async fn a_broken_part_starts_nothing_unless_the_rest_decides() {
    let session = session("2026-11-24 07:00")
        .task(task("broken", broken()))
        .task(task("not broken", !broken()))
        .task(task("and true", broken() & "daily"))
        .task(task("not and true", !(broken() & "always")))
        .task(task("or false", broken() | "false"))
        .task(task("not all", !(broken() | "false")))
        .task(task("* or true", broken() | "daily"))
        .task(task("* true or", "daily".parse::<Expr>().unwrap() | broken()))
        .task(task("* not and false", !(broken() & "false") & "daily"))
        .build()
        .unwrap();
    run_for(&session, "1 hour").await.unwrap();
    for definition in session.tasks() {
        let expected = if definition.name.starts_with('*') { "24 07:00:00" } else { "" };
        assert_eq!(starts(&session, &definition.name).await, expected, "{}", definition.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_panics_is_broken() {
    let panicking = |probe| Oracle::default().condition("panics", probe);
    for (name, probe) in [
        ("blocking", Probe::blocking(|| panic!("no such luck"))),
        ("async", Probe::future(|| async { panic!("no such luck") })),
        ("before", Probe::future(|| -> std::future::Ready<_> { panic!("no such luck") })),
    ] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.silence_cond_check = false)
            .task(task("t", !panicking(probe)))
            .build()
            .unwrap();
        let error = run_for(&session, "1 hour").await.unwrap_err().to_string();
        assert!(error.contains("no such luck"), "{name}: {error}");
        assert!(error.contains("conditions_custom.rs"), "{name}: {error}");
        assert_eq!(starts(&session, "t").await, "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_heals_starts_its_task() {
    let oracle = Oracle::default();
    oracle.fails.store(true, Ordering::Relaxed);
    oracle.say(true);
    let session =
        session("2026-11-24 07:00").task(task("t", oracle.at_once() & "daily")).build().unwrap();
    let story = async {
        pass("1 min").await;
        oracle.fails.store(false, Ordering::Relaxed);
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:01:00");
}

#[tokio::test(start_paused = true)]
async fn loud_errors_end_the_session_in_order_and_tell_task_and_statement() {
    let session = session("2026-11-24 07:00")
        .configure(|config| config.silence_cond_check = false)
        .task(slow("other", "daily", "10 s"))
        .task(task("t", broken() & "daily"))
        .build()
        .unwrap();
    let error = run_for(&session, "1 hour").await.unwrap_err();
    assert!(matches!(error, RunError::Condition { .. }), "{error:?}");
    expect!["the condition of task `t` is in error: `broken()`: the disk is gone"]
        .assert_eq(&error.to_string());
    expect![[r#"
        24 07:00:00 other run (due 24 00:00:00)
        24 07:00:10 other success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn a_broken_end_condition_stops_no_run() {
    for silent in [true, false] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.silence_cond_check = silent)
            .task(slow("t", "daily", "20 s").end(broken()))
            .build()
            .unwrap();
        let result = run_for(&session, "1 min").await;
        assert_eq!(result.is_ok(), silent, "{result:?}");
        assert_eq!(redengine_tests::world::actions(&session, "t").await, "run success");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_shut_cond_ends_nothing_but_a_loud_session() {
    for silent in [true, false] {
        let session = session("2026-11-24 07:00")
            .configure(|config| {
                config.silence_cond_check = silent;
                config.shut_cond = Some(broken());
            })
            .task(task("t", "every 1 min"))
            .build()
            .unwrap();
        let result = run_for(&session, "10 min 30 s").await;
        assert_eq!(result.is_ok(), silent, "{result:?}");
        if let Err(error) = result {
            expect!["the condition of the session (`shut_cond`) is in error: `broken()`: the disk is gone"].assert_eq(&error.to_string());
        } else {
            assert_eq!(starts(&session, "t").await.split(", ").count(), 11);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_may_become_loud_while_the_session_runs() {
    let oracle = Oracle::default();
    let session = session("2026-11-24 07:00").task(task("t", oracle.at_once())).build().unwrap();
    let story = async {
        pass("1 min").await;
        session.configure(|config| config.silence_cond_check = false).unwrap();
        pass("1 min").await;
        oracle.fails.store(true, Ordering::Relaxed);
        pass("1 hour").await;
    };
    let error = run_while(&session, story).await.unwrap_err();
    assert!(error.to_string().contains("the oracle is silent"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_pushed_starts_a_task_at_once_and_asks_nobody() {
    let (open, is_open) = watch::channel(false);
    let session = session("2026-11-24 07:00")
        .probe("is_open", watched(is_open))
        .task(task("trade", "every 10 min & is_open()"))
        .task(task("close", "daily & ~is_open() & task 'trade' has succeeded"))
        .build()
        .unwrap();
    let story = async {
        pass("5 min 300 ms").await;
        open.send(true).unwrap();
        pass("20 min 100 ms").await;
        open.send(false).unwrap();
        pass("10 min 100 ms").await;
        open.send(true).unwrap();
        drop(open);
        pass("15 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#"
        24 07:05:00.300 trade run
        24 07:05:00.300 trade success
        24 07:15:00.300 trade run
        24 07:15:00.300 trade success
        24 07:25:00.300 trade run
        24 07:25:00.300 trade success
        24 07:25:00.400 close run
        24 07:25:00.400 close success
        24 07:35:00.500 trade run
        24 07:35:00.500 trade success
        24 07:45:00.500 trade run
        24 07:45:00.500 trade success
    "#]]
    .assert_eq(&timeline(&session).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_pushed_counts_again_when_a_session_runs_again() {
    let (open, is_open) = watch::channel(true);
    let session = session("2026-11-24 07:00")
        .probe("is_open", watched(is_open))
        .task(task("t", "every 10 min & is_open()"))
        .build()
        .unwrap();
    run_for(&session, "1 min").await.unwrap();
    open.send(false).unwrap();
    run_for(&session, "1 hour").await.unwrap();
    open.send(true).unwrap();
    run_for(&session, "1 min").await.unwrap();
    expect!["24 07:00:00, 24 08:01:00"].assert_eq(&starts(&session, "t").await);
}

#[tokio::test(start_paused = true)]
async fn answers_that_never_come_or_panic_are_errors() {
    let silent = Probe::pushed(futures::stream::empty);
    let panics = Probe::pushed(|| futures::stream::once(async { panic!("no answer") }));
    for probe in [silent, panics] {
        let session = session("2026-11-24 07:00")
            .configure(|config| config.silence_cond_check = false)
            .probe("says", probe)
            .task(task("t", "says()"))
            .build()
            .unwrap();
        let error = run_for(&session, "1 hour").await.unwrap_err().to_string();
        assert!(error.starts_with("the condition of task `t` is in error: `says()`: "), "{error}");
    }
}

#[test]
fn names_of_probes_are_checked() {
    let probe = || Probe::blocking(|| Ok(true));
    let error = session("2026-11-24 07:00")
        .probe("is open", probe())
        .probe("daily", probe())
        .probe("is_open", probe())
        .probe("is_open", probe())
        .task(task("t", "is_opne()"))
        .task(task("u", "is_open(1)"))
        .build()
        .unwrap_err();
    let told: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    let told = told.join("\n");
    expect![[r#"
        no text can call a probe `is open` (tests/tests/conditions_custom.rs:_); a name is a word such as `is_open`, of letters, digits and `_`
        no text can call a probe `daily` (tests/tests/conditions_custom.rs:_); a name is a word such as `is_open`, of letters, digits and `_`
        two conditions have one name: `is_open` (tests/tests/conditions_custom.rs:_) and `is_open` (tests/tests/conditions_custom.rs:_); give one of them another
        task `t`: unknown condition `is_opne`; did you mean `is_open`? in `is_opne()`
        task `u`: `is_open` takes no arguments, but there are 1 in `is_open(1)`"#]].assert_eq(&without_lines(&told));
}

/// Leaves out the numbers of lines.
fn without_lines(text: &str) -> String {
    let mut parts = text.split(".rs:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(".rs:_");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}
