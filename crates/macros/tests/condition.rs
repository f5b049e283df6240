//! What `#[condition]` makes of functions.

#![allow(clippy::unused_async, reason = "what they do is not the point")]

use std::time::Duration;

use redengine::expr::{Literal, parse};
use redengine::prelude::*;
use redengine::probe::{Ask, Pace, Probe, ProbeError};
use redengine::session::{ArgError, BuildProblem, CustomCondition};
use redengine::{Expr, Session};

/// Tells whether there is such a file.
#[condition]
fn file_exists(path: &str) -> bool {
    path == "x.csv"
}

#[condition(poll = "30 s")]
async fn is_work_day() -> bool {
    true
}

#[condition(poll = Duration::from_millis(5), name = "within_limits")]
pub(crate) async fn between(
    name: String,
    mut low: i64,
    _high: f64,
    open: bool,
) -> Result<bool, std::fmt::Error> {
    low += 1;
    if name.is_empty() { Err(std::fmt::Error) } else { Ok(open && low < 10) }
}

#[condition]
fn says(answer: &str) -> Result<bool> {
    answer.parse::<bool>().map_err(Into::into)
}

/// Calls itself, as the function that it was written as.
#[condition]
fn is_even(number: u32) -> bool {
    match number {
        0 => true,
        1 => false,
        other => is_even(other - 2),
    }
}

/// A condition in words of its own, whose arguments stand in another order.
#[condition("Queue {name} holds between {low} and {high} Jobs", poll = "30 s")]
async fn queue_holds(low: u32, high: u32, name: &str) -> Result<bool, std::fmt::Error> {
    if name.is_empty() { Err(std::fmt::Error) } else { Ok((low..=high).contains(&5)) }
}

#[condition("path {path} exists {strict}", name = "is_there")]
fn exists(path: &str, _strict: bool) -> bool {
    path == "x.csv"
}

#[condition]
#[cfg(any())]
fn absent() -> bool {
    compile_error!("it is not there")
}

#[task("daily & file_exists('x.csv')")]
async fn in_text() {}

#[task("daily & ~path 'x.csv' exists true | PATH 'y.csv' EXISTS false")]
async fn in_words() {}

#[task(Expr::from("daily") & file_exists("x.csv"))]
async fn in_rust() {}

#[task(!is_work_day() & "hourly")]
async fn negated() {}

/// Builds a session with the condition and asks what it waits on.
fn probe(condition: impl Into<Expr>) -> Probe {
    let task = Task::new("task", condition, || async {});
    let session = Session::builder().task(task).build().expect("a session");
    session.probes_from(0).pop().expect("a question")
}

fn ask(condition: impl Into<Expr>) -> Result<bool, ProbeError> {
    match probe(condition).ask() {
        Ask::Blocking(ask) => ask(),
        Ask::Async(ask) => futures::executor::block_on(ask()),
        other => panic!("an unknown way to ask: {}", std::any::type_name_of_val(other)),
    }
}

#[test]
fn a_call_is_what_a_text_says() {
    for (condition, text) in [
        (file_exists("x.csv"), "file_exists('x.csv')"),
        (file_exists(String::from("it's")), r#"file_exists("it's")"#),
        (is_work_day(), "is_work_day()"),
        (between("a", -5, 1.0, true), "within_limits('a', -5, 1.0, true)"),
        (is_even(4), "is_even(4)"),
    ] {
        assert_eq!(condition.to_string(), text);
        assert_eq!(parse(text).unwrap(), condition);
    }
}

#[test]
fn a_call_and_a_text_are_answered_by_the_function() {
    assert!(ask(file_exists("x.csv")).unwrap());
    assert!(ask("file_exists('x.csv')").unwrap());
    assert!(!ask("file_exists('y.csv')").unwrap());
    assert!(ask(is_work_day()).unwrap());
    assert!(ask("within_limits('a', 8, 1, true)").unwrap());
    assert!(!ask(between("a", 9, 1.0, true)).unwrap());
    assert!(ask(is_even(1000)).unwrap());
}

#[test]
fn a_phrase_is_answered_by_the_function() {
    assert!(ask("queue 'mail' holds between 2 and 5 jobs").unwrap());
    assert!(!ask("QUEUE 'mail' holds between 6 and 9 JOBS").unwrap());
    assert!(ask("queue '' holds between 6 and 9 jobs").unwrap_err().is::<std::fmt::Error>());
    assert!(ask("path 'x.csv' exists true").unwrap());
    assert!(!ask("path 'y.csv' exists true").unwrap());
    let asked = probe("queue 'mail' holds between 2 and 5 jobs");
    assert_eq!(asked.pace(), Pace::Polled(Some(Duration::from_secs(30))));
}

#[test]
fn a_call_stays_a_call_beside_the_phrase() {
    assert!(ask(queue_holds(2, 5, "mail")).unwrap());
    assert_eq!(queue_holds(2, 5, "mail").to_string(), "queue_holds(2, 5, 'mail')");
    assert_eq!(exists("x.csv", true).to_string(), "is_there('x.csv', true)");
    let both = exists("x.csv", true) & "path 'x.csv' exists true";
    let session = Session::builder().task(Task::new("task", both, || async {})).build().unwrap();
    // They are asked once.
    assert_eq!(session.probes_from(0).len(), 1);
}

#[test]
fn an_answer_is_asked_for_more_than_once() {
    let probe = probe(file_exists("x.csv"));
    let Ask::Blocking(ask) = probe.ask() else { panic!("a plain function") };
    assert!(ask().unwrap());
    assert!(ask().unwrap());
}

#[test]
fn a_condition_may_fail() {
    let error = ask(between("", 8, 1.0, true)).unwrap_err();
    assert!(error.is::<std::fmt::Error>());
    assert!(ask("says('maybe')").unwrap_err().to_string().contains("`true` or `false`"));
}

#[test]
fn a_condition_is_asked_as_often_as_it_says() {
    assert_eq!(probe(is_work_day()).pace(), Pace::Polled(Some(Duration::from_secs(30))));
    assert_eq!(
        probe(between("", 0, 0.0, true)).pace(),
        Pace::Polled(Some(Duration::from_millis(5)))
    );
    assert_eq!(probe(file_exists("")).pace(), Pace::Polled(None));
}

#[test]
fn a_wrong_call_in_text_is_told_when_the_session_is_built() {
    let error = |text: &str| {
        let task = Task::new("task", text, || async {});
        Session::builder().task(task).build().unwrap_err().to_string()
    };
    assert!(error("file_exists(5)").contains("argument 1 (`path`) must be a text in quotes"));
    assert!(error("file_exists()").contains("takes 1 argument (path)"));
    assert!(error("within_limits('', 1, true, true)").contains("argument 3 (`high`)"));
    assert!(error("file_exist('x')").contains("did you mean `file_exists`?"));
    assert!(error("path 5 exists true").contains("argument 1 (`path`) must be a text in quotes"));
    assert!(error("path 'x' exist true").contains("did you mean `path {path} exists {strict}`?"));
}

#[test]
fn a_name_or_a_phrase_that_is_taken_is_told_with_both_places() {
    fn never(args: &[Literal]) -> Result<Probe, ArgError> {
        ArgError::read(args, 0, "path")
            .map(|path: String| Probe::blocking(move || Ok(path.is_empty())))
    }
    let condition = |name, params, phrase| CustomCondition::new(name, params, never).phrase(phrase);
    let error = Session::builder()
        .condition(condition("file_exists", &["path"], "file {path} exists"))
        .condition(condition("other", &["a", "b"], "path {a} exists {b}"))
        .build()
        .unwrap_err();
    let [BuildProblem::ConditionTaken { name, conditions }, BuildProblem::PhraseTaken { .. }] =
        error.problems()
    else {
        panic!("{error}");
    };
    assert_eq!(&**name, "file_exists");
    let line = |n: usize| conditions[n].rsplit_once(':').map(|(_, line)| line.to_owned());
    assert!(conditions.iter().all(|place| place.contains("tests/condition.rs:")), "{error}");
    assert_ne!(line(0), line(1));
    assert!(error.to_string().contains("of `is_there` ("), "{error}");
}

#[test]
fn tasks_with_custom_conditions_register_themselves() {
    let session = session();
    assert!(session.problems().is_none(), "{:?}", session.problems());
    let text = |name: &str| session.task(name).unwrap().start.text().to_string();
    assert_eq!(text("in_text"), "daily & file_exists('x.csv')");
    assert_eq!(text("in_rust"), text("in_text"));
    assert_eq!(text("in_words"), "daily & ~path 'x.csv' exists true | path 'y.csv' exists false");
    assert_eq!(text("negated"), "~is_work_day() & hourly");
    // The text and the call share one condition and so one probe.
    assert_eq!(session.probes_from(0).len(), 4);
}
