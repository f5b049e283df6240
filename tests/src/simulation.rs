//! The engine without a driver: virtual milliseconds, a log in memory, runs that end as planned.
//!
//! [`Simulation`] drives the real engine, which looks only when it says so. [`brute_force`] knows no
//! engine: it evaluates every task at every millisecond. Both tell what was launched when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::FutureExt;
use redengine_core::cond::{Truth, View, evaluate};
use redengine_core::facts::{Facts, History};
use redengine_core::record::{Action, Record, RunId};
use redengine_core::runlog::{Append, Appended, Expect, PastOf, RunLog};
use redengine_core::session::Definition;
use redengine_core::task::Output;
use redengine_core::{Session, TaskId, Timestamp};
use redengine_log::MemoryLog;
use redengine_runtime::effect::Effect;
use redengine_runtime::engine::{Engine, RunKey};
use redengine_runtime::event::{BodyEnd, Event};

/// A run that was launched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Launch {
    /// When, in milliseconds from the start.
    pub at: i64,
    /// The task.
    pub task: String,
    /// Since when its condition had held, in milliseconds from the start.
    pub due: Option<i64>,
}

/// How the n-th run of a task goes: how many milliseconds it takes, and how it ends.
pub type Plan = fn(seed: u64, task: TaskId, run: u64) -> (i64, Action);

/// A plan that looks like chance and is the same each time.
pub fn plan(seed: u64, task: TaskId, run: u64) -> (i64, Action) {
    let mut rng = fastrand::Rng::with_seed(seed ^ (task.index() as u64) << 32 ^ run);
    let action = match rng.u8(0..10) {
        0..=5 => Action::Success,
        6..=7 => Action::Fail,
        8 => Action::Inaction,
        _ => Action::Terminate,
    };
    (rng.i64(1..900), action)
}

/// Which instants the engine is stepped at.
#[derive(Clone, Copy, Debug)]
pub enum Looks {
    /// Only those that it asks for.
    AtWakes,
    /// Also at others, by a seed: looking more often must change nothing.
    MoreOften(u64),
    /// So many milliseconds after those that it asks for: a fault that must be noticed.
    Late(i64),
}

/// An engine with a log in memory.
pub struct Simulation {
    engine: Engine,
    log: MemoryLog,
    start: Timestamp,
    seed: u64,
    /// The runs that are live, by when they end and the order in which they began.
    ends: BTreeMap<(Timestamp, u64), (RunKey, Action)>,
    begun: u64,
    runs: HashMap<TaskId, u64>,
    names: HashMap<TaskId, Arc<str>>,
    launches: Vec<Launch>,
}

impl Simulation {
    /// Makes one of the tasks of a session.
    pub fn new(session: &Session, start: Timestamp, seed: u64) -> Self {
        let config = Arc::new(session.config());
        let mut engine = Engine::new(config, None, "here".into(), seed, start);
        let mut names = HashMap::new();
        for definition in session.tasks() {
            names.insert(definition.id, definition.name.clone());
            engine.restore(definition, History::default());
        }
        Self {
            engine,
            log: MemoryLog::new(),
            start,
            seed,
            ends: BTreeMap::new(),
            begun: 0,
            runs: HashMap::new(),
            names,
            launches: Vec::new(),
        }
    }

    /// Lives for so many milliseconds, and tells what was launched.
    pub fn run(mut self, millis: i64, looks: Looks) -> Vec<Launch> {
        let end = at(self.start, millis);
        let mut rng = fastrand::Rng::with_seed(match looks {
            Looks::MoreOften(seed) => seed,
            Looks::AtWakes | Looks::Late(_) => 0,
        });
        let mut now = self.start;
        let mut events = Vec::new();
        while now <= end {
            self.step(std::mem::take(&mut events), now);
            let wake = self.engine.wake().map(|wake| match looks {
                Looks::Late(late) => at(wake, late),
                Looks::AtWakes | Looks::MoreOften(_) => wake,
            });
            let ended = self.ends.first_key_value().map(|((at, _), _)| *at);
            let extra = match looks {
                Looks::MoreOften(_) => Some(at(now, rng.i64(1..400))),
                Looks::AtWakes | Looks::Late(_) => None,
            };
            let Some(next) = [wake, ended, extra].into_iter().flatten().min() else { break };
            now = next.max(now);
            while let Some(entry) = self.ends.first_entry()
                && entry.key().0 <= now
            {
                let (run, action) = entry.remove();
                events.push(Event::Ended(run, body_end(action)));
            }
        }
        self.launches
    }

    /// Steps until nothing is left to do at this instant.
    fn step(&mut self, mut events: Vec<Event>, now: Timestamp) {
        loop {
            let mut effects = Vec::new();
            self.engine.step(events.drain(..), now, &mut effects);
            for effect in effects {
                self.perform(effect, now, &mut events);
            }
            if events.is_empty() && !self.engine.is_looking() {
                break;
            }
        }
    }

    fn perform(&mut self, effect: Effect, now: Timestamp, events: &mut Vec<Event>) {
        match effect {
            Effect::Append(run, append) => {
                events.push(Event::Appended(run, append_now(&self.log, append)));
            }
            Effect::Start(ticket) => {
                let task = ticket.definition.id;
                let count = self.runs.entry(task).or_default();
                *count += 1;
                let (takes, action) = plan(self.seed, task, *count);
                self.begun += 1;
                self.ends.insert((at(now, takes), self.begun), (ticket.key, action));
                self.launches.push(Launch {
                    at: millis(self.start, now),
                    task: self.names[&task].to_string(),
                    due: ticket.info.due().map(|due| millis(self.start, due)),
                });
            }
            Effect::Read(tasks) => {
                let of = tasks
                    .iter()
                    .map(|(task, keep)| PastOf { task: self.names[task].clone(), keep: *keep });
                let pasts = self.log.past(of.collect()).now_or_never();
                let pasts = pasts.expect("a log in memory").expect("a log that works");
                let restored = tasks.iter().zip(pasts);
                events.push(Event::Read(
                    restored
                        .map(|((task, keep), past)| (*task, History::restored(&past, *keep), None))
                        .collect(),
                ));
            }
            _ => {}
        }
    }
}

/// Launches as the statements mean it: each task is evaluated at each millisecond.
///
/// What the clock makes due at the very instant at which a run ends is decided by what was known
/// before: whether a run has ended is known when the log has the record.
pub fn brute_force(session: &Session, start: Timestamp, seed: u64, millis_: i64) -> Vec<Launch> {
    let mut brute = Brute::new(session, start, seed);
    for offset in 0..=millis_ {
        let now = at(start, offset);
        let due = brute.due(now);
        brute.end(now);
        brute.launch(due, now);
        // What has ended, and what was launched, may make others hold at the same instant.
        loop {
            let due = brute.due(now);
            if due.is_empty() {
                break;
            }
            brute.launch(due, now);
        }
    }
    brute.launches
}

/// What [`brute_force`] knows.
struct Brute {
    definitions: Vec<Arc<Definition>>,
    facts: Facts,
    log: MemoryLog,
    start: Timestamp,
    seed: u64,
    live: BTreeMap<(Timestamp, u64), (TaskId, Record, Action)>,
    runs: HashMap<TaskId, u64>,
    begun: u64,
    launches: Vec<Launch>,
}

impl Brute {
    fn new(session: &Session, start: Timestamp, seed: u64) -> Self {
        let definitions = session.tasks();
        let mut facts = Facts::default();
        facts.started = Some(start);
        for (task, keep) in Engine::keeps(&definitions, None) {
            facts.keep(task, keep);
        }
        Self {
            definitions,
            facts,
            log: MemoryLog::new(),
            start,
            seed,
            live: BTreeMap::new(),
            runs: HashMap::new(),
            begun: 0,
            launches: Vec::new(),
        }
    }

    /// Tells which tasks may run, and since when.
    fn due(&self, now: Timestamp) -> Vec<(Arc<Definition>, Option<Timestamp>)> {
        let mut due = Vec::new();
        for definition in &self.definitions {
            if self.live.values().any(|(task, ..)| *task == definition.id) {
                continue;
            }
            let view = View { facts: &self.facts, owner: Some(definition.id), now };
            let verdict = evaluate(&definition.start, &view, &mut ());
            if verdict.truth == Truth::True {
                due.push((definition.clone(), verdict.since));
            }
        }
        due
    }

    /// Records the ends of the runs that end now.
    fn end(&mut self, now: Timestamp) {
        while let Some(entry) = self.live.first_entry()
            && entry.key().0 <= now
        {
            let (task, record, action) = entry.remove();
            let record = Record { action, at: now, ..record };
            self.apply(task, Append { record, expect: Expect::Open });
        }
    }

    fn launch(&mut self, due: Vec<(Arc<Definition>, Option<Timestamp>)>, now: Timestamp) {
        for (definition, since) in due {
            let count = self.runs.entry(definition.id).or_default();
            *count += 1;
            self.begun += 1;
            let (takes, action) = plan(self.seed, definition.id, *count);
            let mut random = [0; 10];
            random[2..].copy_from_slice(&u64::to_be_bytes(self.begun));
            let record = Record {
                task: definition.name.clone(),
                run: RunId::new(now, random),
                action: Action::Run,
                at: now,
                started: now,
                due: since,
                details: None,
            };
            let expect = Expect::Latest(self.facts.history(definition.id).latest_seq());
            self.apply(definition.id, Append { record: record.clone(), expect });
            self.live.insert((at(now, takes), self.begun), (definition.id, record, action));
            self.launches.push(Launch {
                at: millis(self.start, now),
                task: definition.name.to_string(),
                due: since.map(|since| millis(self.start, since)),
            });
        }
    }

    fn apply(&mut self, task: TaskId, append: Append) {
        match append_now(&self.log, append) {
            Appended::Won(recorded) => self.facts.apply(task, &recorded),
            Appended::Lost => panic!("one scheduler lost against itself"),
        };
    }
}

fn append_now(log: &MemoryLog, append: Append) -> Appended {
    let answer = log.append(vec![append]).now_or_never().expect("a log in memory");
    answer.expect("a log that works").pop().expect("an answer for each append")
}

fn body_end(action: Action) -> BodyEnd {
    match action {
        Action::Success => BodyEnd::Succeeded(Output::default()),
        Action::Inaction => BodyEnd::Inaction,
        Action::Fail => BodyEnd::Failed("as planned".into()),
        _ => BodyEnd::Aborted,
    }
}

fn at(start: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_micros(start.as_micros() + millis * 1000)
}

fn millis(start: Timestamp, at: Timestamp) -> i64 {
    (at.as_micros() - start.as_micros()).div_euclid(1000)
}
