//! `for`, `newly` and `since` hang on the log and the clock alone, and wake when they may change.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::cond::{
    Calendar, Condition, Explanation, Names, Topic, Verdict, View, compile, evaluate, explain,
};
use redengine_core::expr::{Custom, parse};
use redengine_core::facts::{Facts, ProbeId};
use redengine_core::period::{Dates, Period};
use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::time::Zone;
use redengine_core::{TaskId, Timestamp};

/// A task `me` that owns the condition, and another, `x`.
#[derive(Default)]
struct World(HashMap<String, ProbeId>);

impl Names for World {
    fn task(&self, name: &str) -> Option<TaskId> {
        ["me", "x"].iter().position(|known| *known == name).map(TaskId::at)
    }

    fn similar_task(&self, _name: &str) -> Option<String> {
        None
    }

    fn probe(&mut self, custom: &Custom) -> Result<ProbeId, String> {
        let next = ProbeId(u32::try_from(self.0.len()).expect("few probes"));
        Ok(*self.0.entry(custom.name.to_string()).or_insert(next))
    }

    fn dates(&self, _calendar: &str) -> Option<Dates> {
        None
    }

    fn similar_calendar(&self, _name: &str) -> Option<String> {
        None
    }

    fn calendar(&mut self, period: Period, zone: Option<&Zone>) -> Arc<Calendar> {
        Arc::new(Calendar::new(period, zone.cloned().unwrap_or_else(Zone::utc)))
    }
}

struct Case {
    condition: Condition,
    facts: Facts,
    seq: u64,
}

fn at(time: &str) -> Timestamp {
    let seconds = if time.matches(':').count() == 1 { ":00" } else { "" };
    format!("2026-11-24T{time}{seconds}Z").parse().expect("an instant")
}

fn case(text: &str) -> Case {
    let condition = compile(&parse(text).expect("a condition"), "me", &mut World::default())
        .expect("known names");
    let mut facts = Facts::default();
    for (who, keep) in condition.reads() {
        facts.keep(who.task(Some(TaskId::at(0))).expect("an owner"), *keep);
    }
    Case { condition, facts, seq: 0 }
}

impl Case {
    /// Records what tasks did, all in runs of an instant.
    fn log(mut self, records: &[(&str, Action, &str)]) -> Self {
        for (task, action, time) in records {
            self.seq += 1;
            let (at, id) = (at(time), World::default().task(task).expect("a known task"));
            let run = RunId::new(at, [0; 10]);
            let task = (*task).into();
            let record =
                Record { task, run, action: *action, at, started: at, due: None, details: None };
            self.facts.apply(id, &Recorded { seq: Seq(self.seq), record });
        }
        self
    }

    fn says(mut self, probe: u32, answer: Result<bool, &str>, time: &str) -> Self {
        self.facts.answer(ProbeId(probe), answer.map_err(Into::into), at(time));
        self
    }

    fn look(&self, time: &str) -> Verdict {
        let view = View { facts: &self.facts, owner: Some(TaskId::at(0)), now: at(time) };
        evaluate(&self.condition, &view, &mut ())
    }

    fn holds(&self, time: &str) -> bool {
        self.look(time).holds()
    }

    /// Looks at each minute of the day, and checks that what was promised of the next wake is true:
    /// until it comes, nothing changes.
    fn wakes_are_kept(&self) {
        let minutes = (0..1440).map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60));
        let mut last: Option<Verdict> = None;
        for time in minutes {
            let verdict = self.look(&time);
            if let Some(last) = last.filter(|last| last.wake.at.is_none_or(|wake| at(&time) < wake))
            {
                assert_eq!(last.truth, verdict.truth, "at {time} in `{}`", self.condition.text());
            }
            last = Some(verdict);
        }
    }
}

#[test]
fn for_needs_an_unbroken_while() {
    let case = case("time of day between 10:00 and 12:00 for 30 min");
    for (time, holds) in
        [("10:00", false), ("10:29", false), ("10:30", true), ("11:59", true), ("12:00", false)]
    {
        assert_eq!(case.holds(time), holds, "{time}");
    }
    assert_eq!(case.look("10:10").wake.at, Some(at("10:30")));
    assert_eq!(case.look("10:40").since, Some(at("10:30")));
    assert_eq!(case.look("10:40").wake.at, Some(at("12:00")));
    case.wakes_are_kept();
}

#[test]
fn for_longer_than_it_can_last_never_holds() {
    let case = case("time of day between 10:00 and 10:20 for 30 min");
    // The whole day need not be looked at again, nor the next ones.
    let wake = case.look("10:10").wake.at;
    assert!(wake.is_none_or(|wake| wake > at("23:59")), "{wake:?}");
    case.wakes_are_kept();
}

#[test]
fn what_has_held_from_the_first_has_held_for_long() {
    assert!(case("true for 10 min").holds("00:00"));
    assert!(!case("false for 10 min").holds("00:00"));
}

#[test]
fn a_record_that_leaves_a_floating_period_breaks_nothing_while_another_is_in_it() {
    let case = case("task 'x' has failed past 1 hour for 90 min").log(&[
        ("x", Action::Fail, "10:00"),
        ("x", Action::Fail, "10:40"),
        ("x", Action::Fail, "11:30"),
    ]);
    assert!(!case.holds("11:29"));
    assert!(case.holds("11:30"));
    assert!(case.holds("12:29"));
    assert!(!case.holds("12:30"));
    case.wakes_are_kept();
}

#[test]
fn a_member_of_an_or_must_last_itself() {
    let case = case(
        "(time of day between 10:00 and 10:30 | time of day between 10:20 and 11:00) for 25 min",
    );
    let held: Vec<&str> = ["10:24", "10:25", "10:29", "10:30", "10:44", "10:45", "10:59", "11:00"]
        .into_iter()
        .filter(|time| case.holds(time))
        .collect();
    assert_eq!(held, ["10:25", "10:29", "10:45", "10:59"]);
    case.wakes_are_kept();
}

#[test]
fn newly_holds_once_for_each_time_that_it_becomes_true() {
    let text = "newly time of day after 10:00";
    assert!(case(text).holds("10:00"));
    let before = case(text).log(&[("me", Action::Run, "09:00")]);
    assert!(!before.holds("09:59"));
    assert!(before.holds("10:00"));
    assert_eq!(before.look("11:00").since, Some(at("10:00")));
    let after = before.log(&[("me", Action::Run, "10:00")]);
    assert!(!after.holds("10:00"));
    assert!(!after.holds("23:00"));
    after.wakes_are_kept();
}

#[test]
fn what_has_held_from_the_first_is_new_until_the_first_run() {
    assert!(case("newly true").holds("10:00"));
    assert!(!case("newly true").log(&[("me", Action::Run, "09:00")]).holds("10:00"));
}

#[test]
fn newly_waits_for_the_own_start() {
    let verdict = case("newly time of day after 10:00").look("11:00");
    let waits = |topic: &Topic| matches!(topic, Topic::Task { task, .. } if *task == TaskId::at(0));
    assert!(verdict.wake.topics.iter().any(waits));
}

#[test]
fn since_compares_with_the_last_change() {
    let case = case("ready() since time of day between 10:00 and 12:00")
        .says(0, Ok(false), "08:00")
        .says(0, Ok(true), "11:00");
    assert!(case.holds("11:00"));
    assert!(case.holds("11:59"));
    assert_eq!(case.look("11:30").since, Some(at("11:00")));
    // It became true before the other became false.
    assert!(!case.holds("12:00"));
    assert_eq!(case.look("12:10").since, Some(at("12:00")));
    let early = self::case("ready() since time of day after 10:00")
        .says(0, Ok(false), "08:00")
        .says(0, Ok(true), "09:00");
    assert!(early.holds("09:30"));
    assert!(!early.holds("10:00"));
    early.wakes_are_kept();
}

#[test]
fn what_is_not_known_starts_nothing() {
    for text in ["ready() for 1 min", "newly ready()", "ready() since true", "true since ready()"] {
        let case = case(text);
        assert!(!case.holds("10:00"), "{text}");
        let broken = case.says(0, Err("no disk"), "10:00");
        assert!(matches!(broken.look("10:00").truth, redengine_core::cond::Truth::Broken(_)));
    }
    // Whatever the other one says.
    assert!(case("~(false since ready())").holds("10:00"));
}

/// Lists the texts of an explanation, indented by their depth.
fn texts(why: &Explanation, depth: usize, out: &mut Vec<String>) {
    out.push(format!("{}{}", " ".repeat(depth), why.text));
    why.parts.iter().for_each(|part| texts(part, depth + 1, out));
}

#[test]
fn an_explanation_has_the_parts() {
    let case = case("newly (daily | hourly) for 10 min & true since ~false");
    let view = View { facts: &case.facts, owner: Some(TaskId::at(0)), now: at("10:05") };
    let why = explain(&case.condition, &view, &Zone::utc(), &|_| None);
    let mut out = Vec::new();
    texts(&why, 0, &mut out);
    assert_eq!(
        out,
        [
            "newly (daily | hourly) for 10 min & true since ~false",
            " newly (daily | hourly) for 10 min",
            "  (daily | hourly) for 10 min",
            "   daily | hourly",
            "    daily",
            "    hourly",
            " true since ~false",
            "  true",
            "  ~false",
            "   false",
        ]
    );
}
