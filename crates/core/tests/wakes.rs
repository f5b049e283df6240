//! Laws of verdicts, on random conditions, pasts and instants, against brute force.
//!
//! All times of a scene lie on a grid, so looking at each of its instants, and just before it, sees
//! every change.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use redengine_core::cond::{
    Calendar, Condition, Names, Topic, Truth, Verdict, View, compile, evaluate,
};
use redengine_core::expr::{Custom, parse};
use redengine_core::facts::{Facts, Keep, ProbeId};
use redengine_core::period::{Dates, Period};
use redengine_core::record::{Action, ActionSet, Record, Recorded, RunId, Seq};
use redengine_core::time::Zone;
use redengine_core::{TaskId, Timestamp};

const TASKS: [&str; 3] = ["me", "x", "y"];

/// How far apart the instants of a scene are, in seconds.
#[derive(Clone, Copy)]
struct Scale {
    grid: i64,
    /// The name of a step, for durations.
    unit: &'static str,
    /// How many units a step is.
    units: i64,
    cycles: &'static [&'static str],
}

impl std::fmt::Debug for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "steps of {} s", self.grid)
    }
}

const SCALES: [Scale; 3] = [
    Scale {
        grid: 5,
        unit: "s",
        units: 5,
        cycles: &[
            "time of minute between 10 and 25",
            "time of minute after 40",
            "time of minute between 50 and 05",
            "time of hour after 02:30",
            "minutely",
            "minutely after 15",
            "minutely between 10 and 30 with 1 retry",
            "minutely starting 20",
            "minutely at 30 within 10 s",
            "hourly before 03:00",
            "cron '*/10 * * * * *'",
            "cron '*/20 * * * * *' within 15 s",
            "cron '*/20 * * * * *' within 30 s",
            "cron '* * * * *'",
            "{task}has {event}{count} this minute",
            "{task}has {event}{count} this minute between 10 and 40",
            "{task}has {event}{count} this hour after 02:00",
        ],
    },
    Scale {
        grid: 300,
        unit: "min",
        units: 5,
        cycles: &[
            "time of hour between 10:00 and 25:00",
            "time of hour after 40:00",
            "time of hour between 50:00 and 05:00",
            "time of day after 02:30",
            "time of day between 01:00 and 03:00",
            "time of day between 22:00 and 03:30 in Europe/Helsinki",
            "hourly",
            "hourly after 15:00",
            "hourly between 10:00 and 30:00 with 1 retry",
            "hourly starting 20:00",
            "daily before 03:00",
            "daily between 22:00 and 02:00 in America/New_York",
            "cron '*/10 * * * *' within 5 min",
            "cron '*/20 * * * *' within 15 min",
            "cron '0,30 1-3 * * *' within 10 min",
            "cron '30 2 * * *' within 2 hours",
            "cron '0 * * * *' within 60 min",
            "{task}has {event}{count} this hour",
            "{task}has {event}{count} this hour between 10:00 and 40:00",
            "{task}has {event}{count} today after 02:00",
            "{task}has {event}{count} today between 22:00 and 03:00",
        ],
    },
    Scale {
        grid: 1800,
        unit: "min",
        units: 30,
        cycles: &[
            "time of day between 10:00 and 12:30",
            "time of day after 18:00",
            "time of day between 22:00 and 05:00",
            "time of week between Sat and Sun",
            "time of week on Mon 10:00",
            "time of month on last Sun",
            "daily",
            "daily after 01:30",
            "daily between 02:00 and 03:00 with 1 retry",
            "daily starting 02:30",
            "weekly before Sat",
            "monthly on last day",
            "cron '0 */2 * * *' within 30 min",
            "cron '30 2 * * *' within 5 hours",
            "cron '0 0 * * SUN' within 12 hours",
            "{task}has {event}{count} today",
            "{task}has {event}{count} today between 02:00 and 10:00",
            "{task}has {event}{count} this week after Sat",
        ],
    },
];

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Helsinki",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/St_Johns",
];

/// So many steps long is what comes after the past of a scene.
const HORIZON: i64 = 96;

#[derive(Debug)]
struct World(Zone);

impl Names for World {
    fn task(&self, name: &str) -> Option<TaskId> {
        TASKS.iter().position(|known| *known == name).map(TaskId::at)
    }

    fn similar_task(&self, _name: &str) -> Option<String> {
        None
    }

    fn probe(&mut self, custom: &Custom) -> Result<ProbeId, String> {
        Ok(ProbeId(u32::from(&*custom.name == "q")))
    }

    fn dates(&self, _calendar: &str) -> Option<Dates> {
        None
    }

    fn similar_calendar(&self, _name: &str) -> Option<String> {
        None
    }

    fn calendar(&mut self, period: Period, zone: Option<&Zone>) -> Arc<Calendar> {
        Arc::new(Calendar::new(period, zone.cloned().unwrap_or_else(|| self.0.clone())))
    }
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Record(TaskId, Recorded),
    Answer(ProbeId, Result<bool, Arc<str>>, Timestamp),
    Param(&'static str, Timestamp),
}

impl Event {
    fn topic(&self) -> Topic {
        match self {
            Self::Record(task, recorded) => {
                Topic::Task { task: *task, actions: ActionSet::of(&[recorded.record.action]) }
            }
            Self::Answer(probe, ..) => Topic::Probe(*probe),
            Self::Param(..) => Topic::Params,
        }
    }
}

/// What may happen: how many steps after what came before, to which task, and what.
type Draft = (i64, usize, u8);

fn drafts(most: usize) -> impl Strategy<Value = Vec<Draft>> {
    let step = prop_oneof![3 => Just(0), 3 => Just(1), 3 => 1..6_i64, 1 => 6..40_i64];
    prop::collection::vec((step, 0..3_usize, any::<u8>()), 0..most)
}

/// The story of the tasks so far; runs begin before they end.
#[derive(Clone, Debug, Default)]
struct Story {
    events: Vec<Event>,
    live: Vec<(TaskId, RunId, Timestamp)>,
    seq: u64,
}

impl Story {
    fn tell(&mut self, at: Timestamp, grid: i64, (_, task, what): Draft) {
        let id = TaskId::at(task);
        let event = match what {
            0..=24 => Event::Answer(ProbeId(u32::from(what % 2)), Ok(what % 4 > 1), at),
            25..=29 => Event::Answer(ProbeId(u32::from(what % 2)), Err("no disk".into()), at),
            30..=44 => Event::Param(if what % 2 == 0 { "on" } else { "off" }, at),
            _ => {
                let live = self.live.iter().position(|(of, ..)| *of == id);
                // Sometimes two runs are live.
                let ended = live.filter(|_| what > 64).map(|live| self.live.remove(live));
                let (action, run, started) = match ended {
                    Some((_, run, started)) => {
                        let actions = [
                            Action::Success,
                            Action::Fail,
                            Action::Success,
                            Action::Terminate,
                            Action::Fail,
                            Action::Inaction,
                            Action::Crash,
                        ];
                        (actions[usize::from(what) % actions.len()], run, started)
                    }
                    None => {
                        let mut random = [0; 10];
                        random[2..].copy_from_slice(&self.seq.to_be_bytes());
                        let run = RunId::new(at, random);
                        self.live.push((id, run, at));
                        (Action::Run, run, at)
                    }
                };
                let late = i64::from(what % 3) * grid;
                let due = (action == Action::Run && what % 4 > 0).then(|| after(at, -late));
                self.seq += 1;
                let task = TASKS[task].into();
                let record = Record { task, run, action, at, started, due, details: None };
                Event::Record(id, Recorded { seq: Seq(self.seq), record })
            }
        };
        self.events.push(event);
    }
}

#[derive(Debug)]
struct Scene {
    condition: Condition,
    scale: Scale,
    start: Timestamp,
    story: Story,
    /// When the story has come so far; always on the grid.
    now: Timestamp,
}

fn after(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + seconds * 1_000_000)
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - 1)
}

impl Scene {
    fn new(text: &str, scale: Scale, zone: &str, place: i64, past: &[Draft]) -> Self {
        let zone = Zone::named(zone).unwrap();
        let condition = parse(text).unwrap_or_else(|error| panic!("{error}"));
        let condition = compile(&condition, "me", &mut World(zone.clone())).unwrap();
        // Near a change of the clock, if there is one.
        let spring: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let near = zone.next_transition(spring).unwrap_or(spring);
        let start = after(near, -place * scale.grid);
        let mut scene = Self { condition, scale, start, story: Story::default(), now: start };
        for draft in past {
            scene.pass(*draft);
        }
        scene
    }

    fn pass(&mut self, draft: Draft) {
        self.now = after(self.now, draft.0 * self.scale.grid);
        self.story.tell(self.now, self.scale.grid, draft);
    }

    /// Makes facts of the story, with as much kept as the condition needs, or more.
    fn facts(&self, at_least: u64) -> Facts {
        self.facts_until(at_least, Timestamp::MAX)
    }

    fn facts_until(&self, at_least: u64, until: Timestamp) -> Facts {
        let mut facts = Facts::default();
        facts.started = Some(self.start);
        for (who, keep) in self.condition.reads() {
            facts.keep(who.task(Some(TaskId::at(0))).unwrap(), *keep);
        }
        for task in 0..3 {
            let all = ActionSet::of(&Action::ALL);
            facts.keep(TaskId::at(task), Keep::of(all, at_least));
        }
        for event in &self.story.events {
            apply(&mut facts, event, until);
        }
        facts
    }

    fn look(&self, facts: &Facts, now: Timestamp) -> Verdict {
        let view = View { facts, owner: Some(TaskId::at(0)), now };
        evaluate(&self.condition, &view, &mut ())
    }

    /// Tells the instants of the grid after now, and those just before them.
    fn instants(&self) -> impl Iterator<Item = Timestamp> {
        let (now, grid) = (self.now, self.scale.grid);
        (1..=HORIZON).map(move |step| after(now, step * grid)).flat_map(|at| [before(at), at])
    }
}

fn apply(facts: &mut Facts, event: &Event, until: Timestamp) {
    match event {
        Event::Record(task, recorded) if recorded.record.at <= until => {
            facts.apply(*task, recorded);
        }
        Event::Answer(probe, answer, at) if *at <= until => {
            facts.answer(*probe, answer.clone(), *at);
        }
        Event::Param(value, at) if *at <= until => {
            facts.set_param("mode".into(), Some((*value).into()));
        }
        _ => {}
    }
}

/// A statement of a scale.
fn statement(scale: Scale) -> BoxedStrategy<String> {
    let span = move |most: i64| {
        (1..=most).prop_map(move |steps| format!("{} {}", steps * scale.units, scale.unit))
    };
    let task = || select(vec!["", "task 'x' ", "task 'y' "]);
    let named = || select(vec!["'x'", "'y'"]);
    let event = || {
        select(vec![
            "succeeded",
            "failed",
            "finished",
            "started",
            "terminated",
            "inacted",
            "crashed",
        ])
    };
    let count = || {
        let n = 0..5_u32;
        prop_oneof![
            3 => Just(String::new()),
            1 => (n.clone(), select(vec!["at least", "more than", "less than", "at most", "exactly"]))
                .prop_map(|(n, how)| format!(" {how} {n} times")),
            1 => (n.clone(), n).prop_map(|(a, b)| format!(" between {} and {} times", a.min(b), a.max(b))),
        ]
    };
    let outcome = || select(vec!["", " succeeded", " failed", " finished", " terminated"]);
    let cycle =
        (select(scale.cycles), task(), event(), count()).prop_map(|(text, task, event, count)| {
            text.replace("{task}", task).replace("{event}", event).replace("{count}", &count)
        });
    let age = (select(vec!["", "more than", "less than", "between"]), span(9), span(9));
    prop_oneof![
        6 => cycle,
        2 => span(20).prop_map(|every| format!("every {every}")),
        1 => (span(20), select(vec!["finish", "success", "fail"]))
            .prop_map(|(every, from)| format!("every {every} based on {from}")),
        1 => (task(), event(), count()).prop_map(|(task, event, count)| format!("{task}has {event}{count}")),
        2 => (task(), event(), count(), span(30))
            .prop_map(|(task, event, count, past)| format!("{task}has {event}{count} past {past}")),
        1 => (named(), outcome()).prop_map(|(task, outcome)| format!("after task {task}{outcome}")),
        1 => (select(vec!["tasks", "any tasks"]), outcome())
            .prop_map(|(which, outcome)| format!("after {which} 'x', 'y'{outcome}")),
        2 => (named(), age).prop_map(|(task, (how, a, b))| match how {
            "" => format!("task {task} is running"),
            "between" => format!("task {task} is running between {a} and {a} {b}"),
            how => format!("task {task} is running {how} {b}"),
        }),
        1 => (0..4_u32, span(4)).prop_map(|(n, after)| format!("retry {n} after {after}")),
        1 => span(40).prop_map(|over| format!("scheduler has run over {over}")),
        1 => span(40).prop_map(|ago| format!("scheduler started {ago} ago")),
        1 => select(vec!["param 'mode' is 'on'", "param 'mode' exists", "true", "false"])
            .prop_map(str::to_owned),
        1 => select(vec!["p()", "q()"]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn condition(scale: Scale) -> BoxedStrategy<String> {
    let span = (1..20_i64).prop_map(move |steps| format!("{} {}", steps * scale.units, scale.unit));
    let several = statement(scale).prop_recursive(3, 8, 3, move |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            2 => two().prop_map(|(a, b)| format!("({a} & {b})")),
            2 => two().prop_map(|(a, b)| format!("({a} | {b})")),
            1 => (two(), inner.clone()).prop_map(|((a, b), c)| format!("({a} & {b} & {c})")),
            2 => inner.clone().prop_map(|a| format!("~({a})")),
            1 => (inner.clone(), span.clone()).prop_map(|(a, span)| format!("(({a}) for {span})")),
            1 => inner.clone().prop_map(|a| format!("(newly ({a}))")),
            1 => two().prop_map(|(a, b)| format!("(({a}) since ({b}))")),
        ]
    });
    prop_oneof![statement(scale), several].boxed()
}

/// A condition of a kind, and where and after what it is looked at.
fn scene(
    of: fn(Scale) -> BoxedStrategy<String>,
    past: usize,
) -> impl Strategy<Value = (String, Scale, &'static str, i64, Vec<Draft>)> {
    select(&SCALES[..]).prop_flat_map(move |scale| {
        (of(scale), Just(scale), select(&ZONES[..]), 0..120_i64, drafts(past))
    })
}

/// Tells whether a verdict waits for this to move.
fn waits_for(verdict: &Verdict, moved: Topic) -> bool {
    verdict.wake.topics.iter().any(|topic| match (topic, moved) {
        (Topic::Task { task, actions }, Topic::Task { task: other, actions: action }) => {
            *task == other && action.iter().all(|action| actions.contains(action))
        }
        (topic, moved) => *topic == moved,
    })
}

fn asks(verdict: &Verdict) -> Vec<Topic> {
    let topics = verdict.wake.topics.iter().copied();
    let mut probes: Vec<_> = topics.filter(|topic| matches!(topic, Topic::Probe(_))).collect();
    probes.sort_unstable_by_key(|topic| format!("{topic:?}"));
    probes
}

/// A failing case is told in full, and is made a test of its own.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) }
}

proptest! {
    #![proptest_config(config())]

    /// Until its wake comes and while nothing moves, a verdict stays as it is; and when it comes,
    /// the verdict changes.
    #[test]
    fn a_wake_is_never_late_and_seldom_early((text, scale, zone, place, past) in scene(condition, 24)) {
        let scene = Scene::new(&text, scale, zone, place, &past);
        let facts = scene.facts(1);
        let mut last = (scene.now, scene.look(&facts, scene.now));
        let mut instants = scene.instants().peekable();
        while let Some(instant) = instants.peek().copied() {
            let wake = last.1.wake.at;
            let at = wake.map_or(instant, |wake| wake.min(instant));
            instants.next_if_eq(&at);
            let verdict = scene.look(&facts, at);
            prop_assert!(verdict.wake.at.is_none_or(|wake| wake > at), "{at}: {verdict:?}");
            let changed = verdict.truth != last.1.truth;
            if wake == Some(at) {
                // It had to begin or cease to ask, or has looked ahead as far as it does.
                let asks = asks(&last.1) != asks(&verdict);
                let far = at.since(last.0).as_secs() >= 10 * u64::try_from(scale.grid).unwrap();
                prop_assert!(changed || asks || far, "early at {at}: {last:?}, then {verdict:?}");
                last = (at, verdict);
            } else {
                prop_assert!(!changed, "late at {at}: {last:?}, then {verdict:?}");
            }
        }
    }

    /// What is not waited for may move as it likes: until the wake, that changes nothing.
    #[test]
    fn what_is_not_waited_for_changes_nothing(
        (text, scale, zone, place, past) in scene(condition, 24), future in drafts(12)
    ) {
        let mut scene = Scene::new(&text, scale, zone, place, &past);
        let verdict = scene.look(&scene.facts(1), scene.now);
        for draft in future {
            let known = scene.story.clone();
            let now = scene.now;
            scene.pass(draft);
            if verdict.wake.at.is_some_and(|wake| scene.now >= wake) {
                break;
            }
            let event = scene.story.events.last().unwrap();
            if waits_for(&verdict, event.topic()) {
                (scene.story, scene.now) = (known, now);
                continue;
            }
            let later = scene.look(&scene.facts(1), scene.now);
            prop_assert_eq!(&verdict.truth, &later.truth, "after {:?} {:?}", event, verdict.wake);
        }
        let facts = scene.facts(1);
        for at in scene.instants().take_while(|at| verdict.wake.at.is_none_or(|wake| *at < wake)) {
            prop_assert_eq!(&verdict.truth, &scene.look(&facts, at).truth, "later, at {} {:?}", at, verdict.wake);
        }
    }

    /// A verdict hangs on the log, not on how much of it others want to be kept.
    #[test]
    fn what_is_kept_for_others_changes_nothing((text, scale, zone, place, past) in scene(condition, 60)) {
        let scene = Scene::new(&text, scale, zone, place, &past);
        let (little, much) = (scene.facts(1), scene.facts(1_000));
        for at in [scene.now].into_iter().chain(scene.instants().step_by(7)) {
            let (little, much) = (scene.look(&little, at), scene.look(&much, at));
            prop_assert_eq!(format!("{:?}", little), format!("{:?}", much));
        }
    }
}

/// A statement that counts records, or is about runs.
fn about_records(scale: Scale) -> BoxedStrategy<String> {
    statement(scale)
        .prop_filter("about records", |text| {
            // Those of windows are counted from the start of the window, and of `&` and `|` each
            // member by itself.
            ["has", "after task '", "is running"].iter().any(|part| text.contains(part))
                && !["scheduler", "this", "today", "after tasks"]
                    .iter()
                    .any(|part| text.contains(part))
        })
        .boxed()
}

proptest! {
    #![proptest_config(config())]

    /// Since when it holds is when it turned, as is seen by looking at the past as it was then; what
    /// is not within reach is told to be earlier, never later.
    #[test]
    fn since_is_when_it_turned((text, scale, zone, place, past) in scene(about_records, 60)) {
        // Where two statements about one instant decide by their place in the log, what lasts no
        // time is not seen.
        let apart = i64::from(text.contains("after"));
        let past: Vec<Draft> =
            past.into_iter().map(|(steps, task, what)| (steps.max(apart), task, what)).collect();
        let scene = Scene::new(&text, scale, zone, place, &past);
        let verdict = scene.look(&scene.facts(1), scene.now);
        let steps = i64::try_from(scene.now.since(scene.start).as_secs()).unwrap() / scale.grid;
        let turned = (0..=steps).map(|step| after(scene.now, -step * scale.grid)).find(|at| {
            let then = before(*at);
            scene.look(&scene.facts_until(1, then), then).truth != verdict.truth
        });
        // Runs that overlap and have ended are known only as far as they are within reach.
        let known = verdict.since <= turned || text.contains("is running");
        prop_assert!(known, "{verdict:?} is later than {turned:?}");
        // With `for`, more is within reach.
        let timed = Scene::new(&format!("({text}) for 1 s"), scale, zone, place, &past);
        let at = after(scene.now, 1);
        let due = timed.look(&timed.facts(1), at).since;
        let since = if verdict.holds() { due.map(|due| after(due, -1)) } else { due };
        if scene.look(&scene.facts(1), at).truth == verdict.truth {
            prop_assert_eq!(since, turned, "{:?}", verdict);
        }
    }
}

/// Of a count that has long been passed, the record that brought it about is beyond reach.
#[test]
fn since_when_a_count_is_passed_does_not_hang_on_what_is_kept() {
    let text = "~(task 'x' has started at most 3 times this minute)";
    let scene = |starts: i64| {
        let past: Vec<Draft> = (0..starts).map(|start| (i64::from(start == 0), 1, 45)).collect();
        Scene::new(text, SCALES[0], "UTC", 0, &past)
    };
    let since = |scene: &Scene| {
        let since = [1, 100, 1_000].map(|kept| scene.look(&scene.facts(kept), scene.now).since);
        assert!(since.iter().all(|other| *other == since[0]), "{since:?}");
        since[0].unwrap().to_string()
    };
    assert_eq!(since(&scene(3)), "2026-03-01T00:00:00Z");
    for starts in [4, 5] {
        assert_eq!(since(&scene(starts)), "2026-03-01T00:00:05Z");
    }
    // It can have been so since the minute began, and is not known to have been otherwise.
    assert_eq!(since(&scene(500)), "2026-03-01T00:00:00Z");
}

/// Three windows that follow one another as a fourth does: each of them is slept through.
#[test]
fn windows_inside_of_windows_are_waited_for_once() {
    let text = "time of week on Sun & time of day after 10:00 & time of hour after 30:00 & ~(time of hour after 50:00)";
    let scene = Scene::new(text, SCALES[1], "UTC", 0, &[(0, 0, 30)]);
    let wake = scene.look(&scene.facts(1), after(scene.now, 86_400)).wake.at;
    assert_eq!(wake.unwrap().to_string(), "2026-03-08T10:30:00Z");
}

/// What comes after a window is not in it; of too much, nobody knows what was before.
#[test]
fn records_after_a_window_leave_its_count() {
    let text = "~(task 'x' has started this minute between 00 and 10)";
    let scene = |starts: usize| {
        let past = (0..starts).map(|start| (if start == 1 { 4 } else { 0 }, 1, 45));
        let past: Vec<Draft> = past.collect();
        let scene = Scene::new(text, SCALES[0], "UTC", 0, &past);
        scene.look(&scene.facts(1_000), scene.now).truth
    };
    assert_eq!(scene(100), Truth::False);
    let Truth::Broken(broken) = scene(500) else { panic!("it is known") };
    assert!(broken.reason.contains("followed by 256 others"), "{broken}");
}
