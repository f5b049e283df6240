//! The engine: pure, and the only place where anything is decided.
//!
//! [`Engine::step`] takes events and an instant and gives effects. It does no I/O, reads no clock and
//! knows no async runtime, so it runs live, in virtual time and in property tests alike.
//!
//! Always: a run starts only from a won append, and whether a task is due follows from facts and the
//! instant alone. Nothing here remembers what will fire or has fired: the agenda and the watch only
//! say when to look again, and looking more often changes nothing.

mod agenda;
mod cycle;
mod definitions;
mod history;
mod life;
mod probes;
mod runs;
mod shutdown;
mod spread;
mod steps;
mod subject;
mod waiting;
mod watch;
mod why;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use redengine_core::cond::{Broken, Condition};
use redengine_core::facts::{Facts, History, Keep, Live, ProbeId};
use redengine_core::probe::Pace;
use redengine_core::record::{Details, Recorded};
use redengine_core::runlog::LogError;
use redengine_core::session::{Config, Definition, OnLogFailure};
use redengine_core::task::Output;
use redengine_core::{TaskId, Timestamp};

use crate::effect::Effect;
use crate::error::RunError;
use crate::event::Event;
use agenda::{Agenda, Key};
use runs::{Forced, Runs};
pub use runs::{ReplyTo, RunKey};
use shutdown::Phase;
use spread::Turns;
use subject::{Subject, Subjects};
use watch::{Wait, Watch};

/// The state of a running session.
#[derive(Debug)]
pub struct Engine {
    config: Arc<Config>,
    node: Arc<str>,
    /// What the `run` records of this session have to add: all of them the same.
    begin: Option<Arc<Details>>,
    random: fastrand::Rng,
    facts: Facts,
    tasks: Vec<Slot>,
    subjects: Subjects,
    agenda: Agenda,
    watch: Watch,
    /// The subjects to look at in the next cycle.
    ready: Vec<Key>,
    /// The subjects that this cycle has not looked at yet, the next one last.
    rest: Vec<Key>,
    /// The subjects that would be looked at, but nothing may start.
    parked: Vec<Key>,
    /// When the last cycle ended.
    last_cycle: Timestamp,
    reads: Reads,
    probes: Vec<ProbeSlot>,
    /// Probes whose pause is over in this step.
    due_probes: Vec<ProbeId>,
    /// Probes that may have lost their last waiter in this step.
    idle_probes: Vec<ProbeId>,
    runs: Runs,
    /// The values that tasks returned last.
    returns: HashMap<TaskId, Output>,
    shut: Option<(Key, Arc<Condition>)>,
    /// What is wrong with the conditions that are in error, as it was reported.
    broken: HashMap<Key, Arc<Broken>>,
    phase: Phase,
    held: bool,
    /// Why the log does not answer, while it does not.
    log_down: Option<LogError>,
    lease_lost: bool,
    turns: Turns,
    /// What the session is good for, as far as the others know.
    labels: Vec<Arc<str>>,
    /// Tasks whose last claim may or may not be in the log.
    doubtful: Vec<TaskId>,
    /// Tasks that have a live run of another session.
    foreign: BTreeSet<TaskId>,
    /// What tasks were whose live runs are of an earlier definition.
    replaced: HashMap<TaskId, Arc<Definition>>,
    woken: Vec<Wait>,
}

/// What the engine knows of a task. Waiting tasks are many, so this is small.
#[derive(Debug, Default)]
struct Slot {
    definition: Option<Arc<Definition>>,
    start: Option<Key>,
    end: Option<Key>,
    /// How many of its runs are in [`Runs`].
    own: u32,
    /// Boxed, since hardly any task has some and there are many tasks.
    requests: Option<Box<Requests>>,
}

type Requests = VecDeque<Forced>;

#[derive(Debug)]
struct ProbeSlot {
    key: Key,
    pace: Pace,
    /// Whether a question is under way.
    asked: bool,
}

/// What is being read from the log, and what is to be read next.
#[derive(Debug, Default)]
struct Reads {
    in_flight: bool,
    waiting: Vec<Key>,
    next_waiting: Vec<Key>,
    next: HashMap<TaskId, Keep>,
    /// Tasks of which more is read than was known, each with what was recorded since it was asked for.
    deeper: HashMap<TaskId, Vec<Recorded>>,
    /// Tasks of which more is to be read than is known.
    next_deeper: HashSet<TaskId>,
    /// What is known of the log's past is to be taken as it is read, however old that is.
    replaces: Replaces,
}

/// Which read tells the past of a log that lacks what was known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Replaces {
    #[default]
    None,
    /// The next one; the one under way may have begun before.
    Next,
    /// The one that is under way.
    InFlight,
}

impl Engine {
    /// Makes an engine. `node` names it in records, `seed` makes run ids.
    pub fn new(
        config: Arc<Config>,
        shut_cond: Option<Arc<Condition>>,
        node: Arc<str>,
        seed: u64,
        now: Timestamp,
    ) -> Self {
        let mut facts = Facts::default();
        facts.started = Some(now);
        // The pasts that are restored go back as far as this.
        for (task, keep) in Self::keeps([], shut_cond.as_deref()) {
            facts.keep(task, keep);
        }
        let begin = Details::default().with_node(node.clone()).shared();
        let labels = config.node_labels.clone();
        let mut engine = Self {
            config,
            node,
            begin,
            random: fastrand::Rng::with_seed(seed),
            facts,
            tasks: Vec::new(),
            subjects: Subjects::default(),
            agenda: Agenda::default(),
            watch: Watch::default(),
            ready: Vec::new(),
            rest: Vec::new(),
            parked: Vec::new(),
            last_cycle: Timestamp::MIN,
            reads: Reads::default(),
            probes: Vec::new(),
            due_probes: Vec::new(),
            idle_probes: Vec::new(),
            runs: Runs::default(),
            returns: HashMap::new(),
            shut: None,
            broken: HashMap::new(),
            phase: Phase::Running,
            held: false,
            log_down: None,
            lease_lost: false,
            turns: Turns::default(),
            labels,
            doubtful: Vec::new(),
            foreign: BTreeSet::new(),
            replaced: HashMap::new(),
            woken: Vec::new(),
        };
        engine.set_shut_cond(shut_cond);
        engine
    }

    /// Adds a task before the first step, with its past.
    pub fn restore(&mut self, definition: Arc<Definition>, history: History) {
        self.restore_history(definition.id, history);
        self.define(definition);
    }

    /// Notes before the first step that a task was removed: conditions that name it are in error.
    pub fn restore_removed(&mut self, task: TaskId, name: Arc<str>) {
        self.facts.remove(task, name);
    }

    /// Takes before the first step what the log tells of a task that was removed.
    pub fn restore_history(&mut self, task: TaskId, history: History) {
        self.facts.restore(task, history);
        self.note_foreign(task);
    }

    /// Keeps what a task returned in an earlier process.
    pub fn restore_output(&mut self, task: TaskId, output: Output) {
        self.returns.insert(task, output);
    }

    /// Tells how much of the tasks' past some definitions and the session's `shut_cond` look at.
    pub fn keeps<'a>(
        definitions: impl IntoIterator<Item = &'a Arc<Definition>>,
        shut_cond: Option<&Condition>,
    ) -> HashMap<TaskId, Keep> {
        let mut keeps: HashMap<TaskId, Keep> = HashMap::new();
        let of_session = shut_cond.into_iter().flat_map(Condition::reads);
        let of_session = of_session.filter_map(|(who, keep)| Some((who.task(None)?, *keep)));
        for (task, keep) in definitions.into_iter().flat_map(|one| reads(one)).chain(of_session) {
            if keep != Keep::default() {
                let known = keeps.entry(task).or_default();
                *known = known.max(keep);
            }
        }
        keeps
    }

    /// Takes events, looks at what is due, and tells what is to be done.
    pub fn step(
        &mut self,
        events: impl IntoIterator<Item = Event>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        for event in events {
            self.take(event, now, effects);
        }
        self.pop_due(now, effects);
        self.cycle(now, effects);
        self.ask_due_probes(effects);
        self.forget_idle_probes();
        self.finish_if_over(effects);
    }

    /// Tells whether a cycle is under way: [`Engine::step`] looks at a limited number of subjects,
    /// and must be called again.
    pub fn is_looking(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Tells when [`Engine::step`] must be called if no event comes first.
    pub fn wake(&self) -> Option<Timestamp> {
        let more = !self.ready.is_empty() || self.is_looking();
        let ready = more.then(|| self.not_before());
        match (ready, self.agenda.next()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Tells of which tasks conditions need more than the latest record of each action.
    pub fn kept(&self) -> impl Iterator<Item = (TaskId, Keep)> {
        self.facts.keeps()
    }

    /// Tells whether any task has a live run of another session.
    pub fn has_foreign(&self) -> bool {
        !self.foreign.is_empty()
    }

    /// Tells the live runs of other sessions, each with the name of its task, which may have been
    /// removed here.
    pub fn foreign(&self) -> impl Iterator<Item = (&Arc<str>, &Live)> {
        let tasks = self.foreign.iter().filter_map(|task| {
            let slot = self.tasks.get(task.index());
            let definition = slot.and_then(|slot| slot.definition.as_ref());
            let name = definition.map(|definition| &definition.name);
            Some((*task, name.or_else(|| self.facts.removed(*task))?))
        });
        tasks.flat_map(|(task, name)| self.foreign_runs(task).map(move |live| (name, live)))
    }

    /// Tells the facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    fn take(&mut self, event: Event, now: Timestamp, effects: &mut Vec<Effect>) {
        match event {
            Event::Defined(definition) => self.redefine(definition, effects),
            Event::Removed(task) => self.remove(task, effects),
            Event::RunRequested { task, params, reply } => {
                self.request(task, Forced { params, reply }, effects);
            }
            Event::Terminate(task) => {
                self.stop_task(task, "it was terminated on request", now, effects);
            }
            Event::Held => self.held = true,
            Event::Resumed => {
                self.held = false;
                self.unpark();
            }
            Event::Shutdown => self.shut_down(Ok(()), now, effects),
            Event::ShutdownNow => self.shut_down_now(now, effects),
            Event::Configured(config, shut_cond) => {
                let louder = self.config.silence_cond_check && !config.silence_cond_check;
                self.config = config;
                if self.turns.is_alone() {
                    self.set_labels(self.config.node_labels.clone());
                }
                self.set_shut_cond(shut_cond);
                self.send_reads(effects);
                if louder {
                    self.look_at_broken();
                }
            }
            Event::Probes(paces) => {
                for pace in paces {
                    let id = ProbeId(u32::try_from(self.probes.len()).unwrap_or(u32::MAX));
                    let key = self.subjects.add(Subject::Probe(id));
                    self.probes.push(ProbeSlot { key, pace, asked: false });
                }
            }
            Event::Param(name, text) => {
                self.facts.set_param(name, text);
                self.watch.on_params(&mut self.woken);
                self.wake_woken();
            }
            Event::Appended(key, appended) => self.appended(key, appended, now, effects),
            Event::ClaimFailed(key) => {
                if let Some(task) = self.drop_claim(key) {
                    // Its record may be there already, under a name that this session no longer has.
                    self.note_foreign(task);
                    self.doubtful.push(task);
                }
            }
            Event::LogFailed(error) => {
                self.log_down = Some(error.clone());
                if self.config.on_log_failure == OnLogFailure::Stop && !self.phase.is_over() {
                    self.shut_down(Err(RunError::LogFailed(error)), now, effects);
                }
            }
            Event::LogRestored => {
                self.log_down = None;
                self.go_on(effects);
            }
            Event::LogReplaced => self.reread_all(effects),
            Event::LeaseLost => self.lease_lost = true,
            Event::LeaseHeld(members) => {
                self.lease_lost = false;
                // What the others know of it.
                let own = members.iter().find(|member| member.node == self.node);
                if let Some(labels) = own.map(|own| own.labels.clone()) {
                    self.set_labels(labels);
                }
                self.turns.set_members(members);
                self.go_on(effects);
            }
            Event::Renamed(node) => {
                self.lease_lost = true;
                self.rename(node, now, effects);
            }
            Event::Read(pasts) => self.read(pasts, now, effects),
            Event::Followed(records) => {
                for (task, recorded) in records {
                    self.apply(task, &recorded);
                }
            }
            Event::Ended(key, end) => self.ended(key, end, now, effects),
            Event::Probed(probe, answer) => self.probed(probe, answer, now),
            Event::ClockStepped(step) => self.clock_stepped(step),
        }
    }
}

/// Tells what the conditions of a task read: of which tasks, and how much.
fn reads(definition: &Definition) -> impl Iterator<Item = (TaskId, Keep)> + '_ {
    let own = definition.id;
    let conditions = [Some(&definition.start), definition.end.as_ref()].into_iter().flatten();
    conditions
        .flat_map(|condition| condition.reads())
        .filter_map(move |(who, keep)| Some((who.task(Some(own))?, *keep)))
}
