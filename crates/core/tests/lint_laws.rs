//! Lints tell only what is certain: the evaluator is the judge, over random conditions and histories.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use redengine_core::cond::{Truth, View, evaluate};
use redengine_core::facts::Facts;
use redengine_core::lint::{Lint, LintCode};
use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::time::Zone;
use redengine_core::{Session, Task, Timestamp};
use redengine_log as _;

const TASKS: [&str; 3] = ["a", "b", "c"];

/// When the lints are asked for; conditions are evaluated from then on.
fn base() -> Timestamp {
    "2026-11-24T07:00:00Z".parse().expect("an instant")
}

/// The last instant at which conditions are evaluated is so many minutes later: two years.
const MINUTES: u32 = 2 * 366 * 24 * 60;

fn words(all: &'static [&'static str]) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(all)
}

fn statement() -> BoxedStrategy<String> {
    let window = words(&[
        "time of day before 08:00",
        "time of day after 10:00",
        "time of day between 22:00 and 06:00",
        "time of week on Mon",
        "time of week between Tue and Thu",
        "time of month on 31st",
        "time of year on Feb",
        "time of day after 10:00 in Asia/Tokyo",
        "daily before 08:00",
        "daily between 09:00 and 11:00",
        "weekly on Sat",
        "monthly on last day",
        "cron '0 7 * * *'",
        "cron '*/2 * * * *'",
        "cron '1-59/2 * * * *'",
        "cron '0 0 30 2 *'",
        "cron '0 7 * * *' within 3 h",
        "always",
        "never",
    ]);
    let other = words(&[
        "true",
        "false",
        "every 10 min",
        "daily",
        "retry 0",
        "retry 2 after 1 min",
        "is running",
        "env 'prod'",
        "env 'test'",
        "param 'p' is 'v'",
        "param 'p' exists",
        "scheduler has more than 3 cycles",
        "scheduler has run over 10 min",
        "scheduler started 10 min ago",
    ]);
    let task = words(&["", "task 'a' ", "task 'b' ", "task 'c' "]);
    let event = words(&["succeeded", "failed", "finished", "started", "terminated", "inacted"]);
    let count = words(&[
        "",
        "at least 2 times",
        "less than 2 times",
        "exactly 1 times",
        "between 1 and 3 times",
        "at least 0 times",
        "less than 0 times",
    ]);
    let within = words(&["", "", "today", "past 2 hours", "this month on 30th"]);
    let outcome = words(&["", " failed", " finished"]);
    prop_oneof![
        4 => window.prop_map(str::to_owned),
        2 => other.prop_map(str::to_owned),
        3 => (task.clone(), event, count, within)
            .prop_map(|(task, event, count, within)| format!("{task}has {event} {count} {within}")),
        1 => task.prop_map(|task| format!("{task}is running more than 1 min")),
        2 => (words(&TASKS), outcome.clone()).prop_map(|(task, outcome)| format!("after task '{task}'{outcome}")),
        1 => outcome.prop_map(|outcome| format!("after any tasks 'b', 'c'{outcome}")),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    statement()
        .prop_recursive(3, 12, 3, |inner| {
            let several = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                5 => several.clone().prop_map(|all| format!("({})", all.join(" & "))),
                3 => several.prop_map(|all| format!("({})", all.join(" | "))),
                2 => inner.clone().prop_map(|one| format!("~({one})")),
                1 => inner.clone().prop_map(|one| format!("(({one}) for 1 hour)")),
                1 => inner.clone().prop_map(|one| format!("(newly ({one}))")),
                1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(({a}) since ({b}))")),
                2 => inner.prop_map(|one| format!("({one} & ~({one}))")),
            ]
        })
        .boxed()
}

/// A run: of which task, how many minutes before now it began, how many it took, how it ended.
type Ran = (usize, u32, u32, Option<Action>);

/// What is known at an instant.
#[derive(Clone, Debug)]
struct Moment {
    minutes: u32,
    runs: Vec<Ran>,
    params: bool,
    cycles: u64,
}

fn moment() -> impl Strategy<Value = Moment> {
    let action = prop_oneof![
        4 => Just(Some(Action::Success)),
        3 => Just(Some(Action::Fail)),
        1 => Just(Some(Action::Terminate)),
        1 => Just(Some(Action::Inaction)),
        1 => Just(None),
    ];
    let run = (0..TASKS.len(), 0..3000_u32, 0..200_u32, action);
    let runs = prop::collection::vec(run, 0..8);
    (0..MINUTES, runs, any::<bool>(), 0..6_u64).prop_map(|(minutes, runs, params, cycles)| Moment {
        minutes,
        runs,
        params,
        cycles,
    })
}

impl Moment {
    fn now(&self) -> Timestamp {
        base().after(Duration::from_mins(u64::from(self.minutes)))
    }

    /// Tells the facts of this moment, but nothing of some tasks.
    fn facts(&self, session: &Session, without: &HashSet<&str>) -> (Facts, u64) {
        let mut facts = Facts::default();
        facts.cycles = self.cycles;
        facts.started = Some(self.now().before(Duration::from_mins(10)));
        if self.params {
            facts.set_param("env".into(), Some("prod".into()));
            facts.set_param("p".into(), Some("v".into()));
        }
        for task in session.tasks() {
            for (who, keep) in task.start.reads() {
                if let Some(id) = who.task(Some(task.id)) {
                    facts.keep(id, *keep);
                }
            }
        }
        let mut records = Vec::new();
        for (n, (task, before, took, action)) in (0_u8..).zip(&self.runs) {
            let name = TASKS[*task];
            let minute = |minutes: u32| Duration::from_mins(u64::from(minutes));
            let started = self.now().before(minute(*before));
            let run = RunId::new(started, [n; 10]);
            let ended = started.after(minute(*took)).min(self.now());
            let record = |action, at| Record {
                task: name.into(),
                run,
                action,
                at,
                started,
                due: None,
                details: None,
            };
            records.push((started, 0, record(Action::Run, started)));
            records.extend(action.map(|action| (ended, 1, record(action, ended))));
        }
        records.retain(|(.., record)| !without.contains(&*record.task));
        records.sort_by_key(|(at, place, _)| (*at, *place));
        let mut seq = 0;
        for (.., record) in records {
            seq += 1;
            let id = session.id_of(&record.task).expect("a task");
            facts.apply(id, &Recorded { seq: Seq(seq), record });
        }
        (facts, seq)
    }
}

/// A session of the tasks `a`, `b` and `c`.
fn session<'a>(conditions: impl IntoIterator<Item = &'a str>) -> Session {
    let tasks = TASKS.iter().zip(conditions);
    Session::builder()
        .configure(|config| config.timezone = Zone::named("Europe/Helsinki").ok())
        .tasks(tasks.map(|(name, condition)| Task::new(*name, condition, || async {})))
        .build()
        .expect("a session")
}

/// A session in which the condition of `a` is this one.
fn alone(condition: &str) -> Session {
    session([condition, "hourly", "hourly"])
}

fn truth(session: &Session, task: &str, facts: &Facts, now: Timestamp) -> Truth {
    let task = session.task(task).expect("a task");
    let view = View { facts, owner: Some(task.id), now };
    evaluate(&task.start, &view, &mut ()).truth
}

fn lints_of_a(session: &Session) -> Vec<Lint> {
    let lints = session.lints(base());
    lints.into_iter().filter(|lint| lint.task.as_deref() == Some("a")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_never_holds_is_never_true(
        text in condition(),
        moments in prop::collection::vec(moment(), 12),
    ) {
        for lint in lints_of_a(&alone(&text)) {
            if !matches!(lint.code, LintCode::NeverHolds | LintCode::ImpossibleDate) {
                continue;
            }
            let part = alone(&lint.statement);
            for moment in &moments {
                let (facts, _) = moment.facts(&part, &HashSet::new());
                let truth = truth(&part, "a", &facts, moment.now());
                prop_assert_ne!(truth, Truth::True, "{} in {}, {:?}", lint, text, moment);
            }
        }
    }

    #[test]
    fn what_never_starts_is_not_true_without_a_past(
        text in condition(),
        moments in prop::collection::vec(moment(), 12),
    ) {
        let session = alone(&text);
        if lints_of_a(&session).iter().any(|lint| lint.code == LintCode::NeverStarts) {
            for moment in &moments {
                let (facts, _) = moment.facts(&session, &HashSet::from(["a"]));
                let truth = truth(&session, "a", &facts, moment.now());
                prop_assert_ne!(truth, Truth::True, "{}, {:?}", text, moment);
            }
        }
    }

    #[test]
    fn what_never_pauses_holds_again_after_a_run(
        text in condition(),
        moments in prop::collection::vec(moment(), 12),
    ) {
        for lint in lints_of_a(&alone(&text)) {
            if lint.code != LintCode::NeverPauses {
                continue;
            }
            let part = alone(&lint.statement);
            for moment in &moments {
                let now = moment.now();
                let (mut facts, seq) = moment.facts(&part, &HashSet::new());
                let a = part.id_of("a").expect("a task");
                let looks = facts.history(a).live().is_empty();
                if !looks || truth(&part, "a", &facts, now) != Truth::True {
                    continue;
                }
                for (seq, action) in [(seq + 1, Action::Run), (seq + 2, Action::Success)] {
                    let run = RunId::new(now, [99; 10]);
                    let record = Record {
                        task: "a".into(), run, action, at: now, started: now, due: None, details: None,
                    };
                    facts.apply(a, &Recorded { seq: Seq(seq), record });
                }
                let again = truth(&part, "a", &facts, now);
                prop_assert_eq!(again, Truth::True, "{} in {}, {:?}", lint, text, moment);
            }
        }
    }

    #[test]
    fn of_tasks_in_a_circle_none_is_the_first(
        texts in prop::collection::vec(
            prop_oneof![2 => condition(), 3 => (words(&TASKS), condition()).prop_map(
                |(task, text)| format!("{text} & after task '{task}'"))],
            3,
        ),
        moments in prop::collection::vec(moment(), 12),
    ) {
        let session = session(texts.iter().map(String::as_str));
        for lint in session.lints(base()) {
            if lint.code != LintCode::AfterCycle {
                continue;
            }
            let named = |name: &&&str| lint.reason.contains(&format!("`{name}`"));
            let circle: HashSet<&str> = TASKS.iter().filter(named).copied().collect();
            prop_assert!(circle.len() > 1, "{}", lint);
            for moment in &moments {
                let (facts, _) = moment.facts(&session, &circle);
                for task in &circle {
                    let truth = truth(&session, task, &facts, moment.now());
                    prop_assert_ne!(truth, Truth::True, "{} in {:?}, {:?}", lint, texts, moment);
                }
            }
        }
    }
}
