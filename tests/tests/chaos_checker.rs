//! The checker of the chaos command finds each thing that may be wrong.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_tests::chaos::checker::{Evidence, Wrong, check};
use redengine_tests::chaos::effects::{Effect, Effects};
use redengine_tests::chaos::faults::Fault;
use redengine_tests::chaos::tasks::{Ends, Opportunities, Planned};

const PROCESS: u32 = 4711;

/// So many seconds after the start of all.
fn at(seconds: f64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000).after(Duration::from_secs_f64(seconds))
}

fn planned(name: &str, opportunities: Opportunities) -> Planned {
    let (condition, takes) = (String::new(), Duration::ZERO);
    Planned { name: name.into(), condition, opportunities, takes, ends: Ends::Well }
}

/// Ten seconds of three tasks in one process, as they should be.
fn good() -> Evidence {
    let second = Duration::from_secs(1);
    let tasks = vec![
        planned("often", Opportunities::Every(second)),
        planned("cron", Opportunities::Slots(second, second)),
        planned("chained", Opportunities::After("often".into(), vec![Action::Success])),
    ];
    let mut evidence = Evidence {
        tasks,
        records: Vec::new(),
        effects: Effects::default(),
        faults: Vec::new(),
        closing: at(10.0),
    };
    for second in 0..10 {
        let start = f64::from(second);
        run(&mut evidence, "often", start, Some(start), 0.1);
        run(&mut evidence, "cron", start, Some(start), 0.1);
        run(&mut evidence, "chained", start + 0.2, None, 0.1);
    }
    let beats = (0..400).map(|beat| (at(f64::from(beat) / 40.0), true)).collect();
    evidence.effects.beats.insert(PROCESS, beats);
    sort(&mut evidence);
    evidence
}

/// Adds a run that ends well.
fn run(evidence: &mut Evidence, task: &str, start: f64, due: Option<f64>, takes: f64) {
    let mut random = [0; 10];
    random[0] = u8::try_from(evidence.records.len() % 256).unwrap();
    random[9] = task.as_bytes()[0];
    let task: Arc<str> = task.into();
    let id = RunId::new(at(start), random);
    let begin = Record {
        task: task.clone(),
        run: id,
        action: Action::Run,
        at: at(start),
        started: at(start),
        due: due.map(at),
        details: Details::default().with_node(format!("host/{PROCESS}/1/00000001")).shared(),
    };
    let end =
        Record { action: Action::Success, at: at(start + takes), details: None, ..begin.clone() };
    evidence.records.extend([begin, end].map(|record| Recorded { seq: Seq(0), record }));
    let effect =
        |seconds: f64| Effect { task: task.clone(), run: id, process: PROCESS, at: at(seconds) };
    evidence.effects.begins.push(effect(start + 0.01));
    evidence.effects.ends.push((effect(start + takes - 0.01), Action::Success));
}

fn sort(evidence: &mut Evidence) {
    evidence.records.sort_by_key(|known| (known.record.at, known.record.action));
    for (seq, known) in (1..).zip(&mut evidence.records) {
        known.seq = Seq(seq);
    }
}

/// Changes what should be, and tells what is found then.
fn found(change: impl FnOnce(&mut Evidence)) -> Vec<String> {
    let mut evidence = good();
    change(&mut evidence);
    sort(&mut evidence);
    check(&evidence).violations.iter().map(|one| format!("{}: {}", one.wrong, one.what)).collect()
}

/// The place of a record: of a task's run in some second.
fn place(evidence: &Evidence, task: &str, second: f64, action: Action) -> usize {
    let is = |known: &Recorded| {
        let Record { task: name, started, action: own, .. } = &known.record;
        **name == *task && *own == action && *started == at(second)
    };
    evidence.records.iter().position(is).unwrap()
}

fn has(found: &[String], text: &str) {
    assert!(found.iter().any(|one| one.contains(text)), "no `{text}`: {found:#?}");
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(|_| {}), Vec::<String>::new());
}

#[test]
fn a_task_that_never_runs_is_found() {
    for name in ["often", "cron"] {
        let never = found(|evidence| {
            evidence.records.retain(|known| &*known.record.task != name);
            evidence.effects.begins.retain(|begin| &*begin.task != name);
            evidence.effects.ends.retain(|(end, _)| &*end.task != name);
        });
        has(&never, &format!("vanished: {name} could have run between"));
        has(&never, "(it never ran), and did not");
    }
}

#[test]
fn a_run_that_is_doubled_is_found() {
    let twice = found(|evidence| run(evidence, "often", 3.05, Some(3.0), 0.2));
    has(&twice, "duplicate: two runs of often at a time");
    let early = found(|evidence| run(evidence, "often", 3.5, Some(3.5), 0.1));
    has(&early, "duplicate: often was due at");
    let slot = found(|evidence| run(evidence, "cron", 3.5, Some(3.0), 0.1));
    has(&slot, "duplicate: cron ran twice at one time");
    let chained = found(|evidence| run(evidence, "chained", 3.5, None, 0.1));
    has(&chained, "duplicate: chained ran again with nothing new before it");
    let ends = found(|evidence| {
        let mut end = evidence.records[place(evidence, "often", 3.0, Action::Success)].clone();
        end.record.action = Action::Crash;
        evidence.records.push(end);
    });
    has(&ends, "duplicate: a run of often has two ends");
    let begins = found(|evidence| {
        let begin = evidence.records[place(evidence, "often", 3.0, Action::Run)].clone();
        evidence.records.push(begin);
    });
    has(&begins, "duplicate: a run of often has begun twice");
}

#[test]
fn a_body_that_is_doubled_or_was_not_won_is_found() {
    let twice = found(|evidence| evidence.effects.begins.push(evidence.effects.begins[5].clone()));
    has(&twice, "began twice");
    let unwon = found(|evidence| {
        let run = evidence.records[place(evidence, "often", 3.0, Action::Run)].record.run;
        evidence.records.retain(|known| known.record.run != run);
    });
    has(&unwon, "duplicate: a body of often began, and its run was never won");
    let elsewhere = found(|evidence| evidence.effects.begins[5].process = 1);
    has(&elsewhere, "before it was won, or where it was not");
    let overlap = found(|evidence| {
        let run = evidence.records[place(evidence, "often", 3.0, Action::Run)].record.run;
        let end = evidence.effects.ends.iter_mut().find(|(end, _)| end.run == run).unwrap();
        end.0.at = at(4.5);
    });
    has(&overlap, "duplicate: a body of often began before the last one had ended");
}

#[test]
fn what_is_lost_is_found() {
    let drop_run = |task: &'static str, second: f64| {
        move |evidence: &mut Evidence| {
            let run = evidence.records[place(evidence, task, second, Action::Run)].record.run;
            evidence.records.retain(|known| known.record.run != run);
            evidence.effects.begins.retain(|begin| begin.run != run);
            evidence.effects.ends.retain(|(end, _)| end.run != run);
        }
    };
    has(&found(drop_run("often", 9.0)), "vanished: often could have run between");
    has(&found(drop_run("often", 5.0)), "contradiction: often was due at");
    has(&found(drop_run("cron", 5.0)), "vanished: cron could have run between");
    has(&found(drop_run("chained", 5.2)), "vanished: chained could have run between");
    let open = found(|evidence| {
        evidence.records.remove(place(evidence, "often", 9.0, Action::Success));
    });
    has(&open, "vanished: a run of often has no end");
}

#[test]
fn what_was_skipped_for_a_reason_is_not() {
    let without = |evidence: &mut Evidence, reason: &dyn Fn(&mut Evidence)| {
        let run = evidence.records[place(evidence, "cron", 5.0, Action::Run)].record.run;
        evidence.records.retain(|known| known.record.run != run);
        evidence.effects.begins.retain(|begin| begin.run != run);
        evidence.effects.ends.retain(|(end, _)| end.run != run);
        reason(evidence);
    };
    let nobody = found(|evidence| {
        without(evidence, &|evidence| {
            let beats = evidence.effects.beats.get_mut(&PROCESS).unwrap();
            beats.retain(|(instant, _)| !(at(5.1)..at(5.9)).contains(instant));
        });
    });
    assert_eq!(nobody, Vec::<String>::new());
    let no_log = found(|evidence| {
        without(evidence, &|evidence| evidence.faults.push((Fault::Slow, (at(5.0), at(5.5)))));
    });
    assert_eq!(no_log, Vec::<String>::new());
    // That a node is well all the time is no excuse, nor that one of two is down.
    let other = found(|evidence| {
        without(evidence, &|evidence| evidence.faults.push((Fault::Kill, (at(5.0), at(5.5)))));
    });
    has(&other, "vanished: cron could have run between");
}

#[test]
fn a_log_that_says_other_things_than_the_runs_is_found() {
    let failed = found(|evidence| evidence.effects.ends[5].1 = Action::Fail);
    has(&failed, "do not say the same");
    let unbegun = found(|evidence| {
        let run = evidence.records[place(evidence, "often", 3.0, Action::Run)].record.run;
        evidence.effects.begins.retain(|begin| begin.run != run);
        evidence.effects.ends.retain(|(end, _)| end.run != run);
    });
    has(&unbegun, "contradiction: the log and a run of often do not say the same");
    let unknown = found(|evidence| {
        evidence.records.remove(place(evidence, "often", 3.0, Action::Run));
    });
    has(&unknown, "contradiction: a run of often ended and never began");
    let well = found(|evidence| {
        let place = place(evidence, "often", 3.0, Action::Success);
        evidence.records[place].record.action = Action::Crash;
    });
    has(&well, "contradiction: the log and a run of often do not say the same");
    let gone = found(|evidence| {
        let place = place(evidence, "often", 3.0, Action::Success);
        evidence.records[place].record.action = Action::Crash;
        let beats = evidence.effects.beats.get_mut(&PROCESS).unwrap();
        beats.retain(|(instant, _)| !(at(2.9)..at(3.3)).contains(instant));
    });
    assert!(gone.iter().all(|one| !one.contains("contradiction")), "{gone:#?}");
    let never_started = found(|evidence| {
        let place = place(evidence, "often", 3.0, Action::Success);
        let record = &mut evidence.records[place].record;
        record.action = Action::Crash;
        let reason = "it was claimed while the log failed, and never started";
        record.details = Details::default().with_reason(reason).shared();
    });
    has(&never_started, "contradiction: the log and a run of often do not say the same");
}

#[test]
fn a_session_that_is_down_without_a_cause_is_found() {
    let down = |evidence: &mut Evidence| {
        evidence.effects.beats.get_mut(&PROCESS).unwrap()[200].1 = false;
    };
    has(&found(down), "disorder: process 4711 was down at");
    let with_cause = found(|evidence| {
        down(evidence);
        evidence.faults.push((Fault::Pause, (at(4.0), at(4.5))));
    });
    assert_eq!(with_cause, Vec::<String>::new());
    let mut evidence = good();
    down(&mut evidence);
    assert_eq!(check(&evidence).count(Wrong::Disorder), 1);
}
