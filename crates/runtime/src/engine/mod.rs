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
mod runs;
mod shutdown;
mod subject;
mod watch;
mod why;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use redengine_core::cond::{Broken, Condition, Who};
use redengine_core::facts::{Facts, History, Keep, ProbeId};
use redengine_core::param::RunInfo;
use redengine_core::record::{Action, Details, Record, Recorded, RunId};
use redengine_core::runlog::{Append, Appended, Expect};
use redengine_core::session::{Config, Definition, Ended};
use redengine_core::task::{Body, Execution, Output, Timeout};
use redengine_core::{TaskId, Timestamp};

use crate::effect::{Effect, Report, Ticket};
use crate::error::RunError;
use crate::event::{BodyEnd, Event};
use agenda::{Agenda, Key};
use runs::{Forced, Run, RunState, Runs};
pub use runs::{ReplyTo, RunKey};
use shutdown::Phase;
use subject::{State, Subject, Subjects};
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
    /// The earliest instant of the next cycle.
    not_before: Timestamp,
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
    log_down: bool,
    /// Tasks whose last claim may or may not be in the log.
    doubtful: Vec<TaskId>,
    /// Tasks that wait for a run of another session to end.
    foreign: Vec<TaskId>,
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
    interval: Option<Duration>,
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
        let begin = Details::new(Some(node.clone()), None, None);
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
            not_before: Timestamp::MIN,
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
            log_down: false,
            doubtful: Vec::new(),
            foreign: Vec::new(),
            woken: Vec::new(),
        };
        engine.set_shut_cond(shut_cond);
        engine
    }

    /// Adds a task before the first step, with its past.
    pub fn restore(&mut self, definition: Arc<Definition>, history: History) {
        let task = definition.id;
        self.facts.restore(task, history);
        self.define(definition);
    }

    /// Keeps what a task returned in an earlier process.
    pub fn restore_output(&mut self, task: TaskId, output: Output) {
        self.returns.insert(task, output);
    }

    /// Tells how much of the tasks' past some definitions look at.
    pub fn keeps<'a>(
        definitions: impl IntoIterator<Item = &'a Arc<Definition>>,
    ) -> HashMap<TaskId, Keep> {
        let mut keeps: HashMap<TaskId, Keep> = HashMap::new();
        for definition in definitions {
            for (task, keep) in reads(definition) {
                if keep != Keep::default() {
                    let known = keeps.entry(task).or_default();
                    *known = known.max(keep);
                }
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
        let ready = more.then_some(self.not_before);
        match (ready, self.agenda.next()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Tells whether it has to hear what others write to the log.
    pub fn follows(&self) -> bool {
        self.config.force_status_from_logs || !self.foreign.is_empty()
    }

    /// Tells the tasks that wait for a run of another session, with what is known of them.
    pub fn foreign(&self) -> impl Iterator<Item = (&Arc<Definition>, &History)> {
        self.foreign.iter().filter_map(|task| {
            let definition = self.tasks.get(task.index())?.definition.as_ref()?;
            Some((definition, self.facts.history(*task)))
        })
    }

    /// Tells the facts.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    fn take(&mut self, event: Event, now: Timestamp, effects: &mut Vec<Effect>) {
        match event {
            Event::Defined(definition) => self.redefine(definition, effects),
            Event::Removed(task) => self.remove(task),
            Event::RunRequested { task, params, reply } => {
                self.request(task, Forced { params, reply });
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
                self.config = config;
                self.set_shut_cond(shut_cond);
            }
            Event::Probes(intervals) => {
                for interval in intervals {
                    let id = ProbeId(u32::try_from(self.probes.len()).unwrap_or(u32::MAX));
                    let key = self.subjects.add(Subject::Probe(id));
                    self.probes.push(ProbeSlot { key, interval, asked: false });
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
                    self.doubtful.push(task);
                }
            }
            Event::LogFailed => self.log_down = true,
            Event::LogRestored => {
                self.log_down = false;
                for task in std::mem::take(&mut self.doubtful) {
                    self.reread(task);
                }
                self.unpark();
                self.send_reads(effects);
            }
            Event::Read(pasts) => self.read(pasts, now, effects),
            Event::Followed(records) => {
                for (task, recorded) in records {
                    self.apply(task, &recorded);
                }
            }
            Event::Ended(key, end) => self.ended(key, end, now, effects),
            Event::Probed(probe, answer) => self.probed(probe, answer, now),
            Event::ClockStepped => self.look_at_all(),
        }
    }

    // ---- definitions

    fn define(&mut self, definition: Arc<Definition>) {
        let task = definition.id;
        if self.tasks.len() <= task.index() {
            self.tasks.resize_with(task.index() + 1, Slot::default);
        }
        for (read, keep) in reads(&definition) {
            self.facts.keep(read, keep);
        }
        let slot = &mut self.tasks[task.index()];
        let has_end = definition.end.is_some();
        slot.definition = Some(definition);
        let start = *slot.start.get_or_insert_with(|| self.subjects.add(Subject::Start(task)));
        if has_end && slot.end.is_none() {
            slot.end = Some(self.subjects.add(Subject::End(task)));
        }
        let end = slot.end;
        self.make_ready(start);
        if let Some(end) = end {
            self.make_ready(end);
        }
    }

    fn redefine(&mut self, definition: Arc<Definition>, effects: &mut Vec<Effect>) {
        let task = definition.id;
        let shallow = reads(&definition)
            .any(|(read, keep)| self.facts.kept(read).max(keep) != self.facts.kept(read));
        let new = self.tasks.get(task.index()).is_none_or(|slot| slot.definition.is_none());
        let others: Vec<TaskId> = reads(&definition).map(|(read, _)| read).collect();
        self.facts.add(task);
        self.define(definition);
        // Its past may be in the log, and what is known of others may not go back far enough.
        if new {
            self.reread(task);
        }
        if shallow {
            for other in others {
                self.reread(other);
            }
        }
        if new {
            self.watch.on_history(task, &mut self.woken);
            self.wake_woken();
        }
        self.send_reads(effects);
    }

    fn remove(&mut self, task: TaskId) {
        let Some(slot) = self.tasks.get_mut(task.index()) else { return };
        let Some(definition) = slot.definition.take() else { return };
        slot.requests = None;
        for key in [slot.start, slot.end].into_iter().flatten() {
            self.make_ready(key);
        }
        self.facts.remove(task, definition.name.clone());
        self.watch.on_history(task, &mut self.woken);
        self.wake_woken();
    }

    fn request(&mut self, task: TaskId, forced: Forced) {
        let Some(slot) = self.tasks.get_mut(task.index()) else { return };
        slot.requests.get_or_insert_default().push_back(forced);
        if let Some(start) = slot.start {
            self.make_ready(start);
        }
    }

    fn set_shut_cond(&mut self, condition: Option<Arc<Condition>>) {
        self.shut = match (self.shut.take(), condition) {
            (Some((key, _)), Some(condition)) => Some((key, condition)),
            (None, Some(condition)) => Some((self.subjects.add(Subject::Shut), condition)),
            (known, None) => {
                if let Some((key, _)) = known {
                    self.stop_waiting(key);
                    self.take_out(key);
                    self.subjects.release(key);
                }
                None
            }
        };
        if let Some((key, condition)) = &self.shut {
            let key = *key;
            for (who, keep) in condition.reads() {
                if let Who::Task(task) = who {
                    self.facts.keep(*task, *keep);
                }
            }
            self.make_ready(key);
        }
    }

    // ---- who is looked at

    /// Queues a subject for the next cycle.
    fn make_ready(&mut self, key: Key) {
        match self.subjects.get(key).state {
            State::Ready | State::Fresh | State::Reading | State::Parked => {}
            State::Waiting => {
                self.stop_waiting(key);
                self.subjects.get_mut(key).state = State::Ready;
                self.ready.push(key);
            }
        }
    }

    /// Takes a subject out of all queues.
    fn take_out(&mut self, key: Key) {
        match self.subjects.get(key).state {
            State::Waiting | State::Reading => {}
            State::Ready | State::Fresh => {
                self.ready.retain(|ready| *ready != key);
                self.rest.retain(|rest| *rest != key);
            }
            State::Parked => self.parked.retain(|parked| *parked != key),
        }
    }

    /// Makes all waits of a subject stale.
    fn stop_waiting(&mut self, key: Key) {
        self.subjects.get_mut(key).generation += 1;
        self.agenda.set(key, None);
        self.idle_probes.extend(self.watch.stop_asking(key));
    }

    fn wake_woken(&mut self) {
        let mut woken = std::mem::take(&mut self.woken);
        for wait in woken.drain(..) {
            if self.subjects.get(wait.key).generation == wait.generation {
                self.make_ready(wait.key);
            }
        }
        self.woken = woken;
    }

    fn unpark(&mut self) {
        if self.may_start() {
            for key in std::mem::take(&mut self.parked) {
                self.subjects.get_mut(key).state = State::Waiting;
                self.make_ready(key);
            }
        }
    }

    fn may_start(&self) -> bool {
        !self.held && !self.log_down
    }

    fn look_at_all(&mut self) {
        let keys: Vec<Key> =
            self.tasks.iter().flat_map(|slot| [slot.start, slot.end]).flatten().collect();
        for key in keys.into_iter().chain(self.shut.as_ref().map(|(key, _)| *key)) {
            self.make_ready(key);
        }
    }

    // ---- facts

    /// Takes what the log has recorded, and wakes who waits for it.
    fn apply(&mut self, task: TaskId, recorded: &Recorded) {
        if !self.facts.apply(task, recorded) {
            return;
        }
        let action = recorded.record.action;
        if action == Action::Success {
            // Of a run of this process the value itself follows; here is what the record says.
            match recorded.record.details.as_ref().and_then(|details| details.output.clone()) {
                Some(output) => self.returns.insert(task, Output::from_json(output)),
                None => self.returns.remove(&task),
            };
        }
        if action.ends() && self.facts.history(task).live().is_empty() {
            self.foreign.retain(|other| *other != task);
        }
        self.watch.on_record(task, action, &mut self.woken);
        self.wake_woken();
        if let Some(slot) = self.tasks.get(task.index()) {
            // A run of this session that begins blocks the next one: there is nothing to look at.
            let start = slot.start.filter(|_| action.ends() || slot.own == 0);
            let end = slot.end;
            for key in [start, end].into_iter().flatten() {
                self.make_ready(key);
            }
        }
    }

    /// Reads the past of a task again, and then looks at it.
    fn reread(&mut self, task: TaskId) {
        let keep = self.facts.kept(task);
        self.reads.next.insert(task, keep);
        let start = self.tasks.get(task.index()).and_then(|slot| slot.start);
        if let Some(start) = start {
            self.wait_for_read(start);
        }
    }

    fn wait_for_read(&mut self, key: Key) {
        if self.subjects.get(key).state == State::Reading {
            return;
        }
        self.stop_waiting(key);
        self.take_out(key);
        self.subjects.get_mut(key).state = State::Reading;
        self.reads.next_waiting.push(key);
    }

    /// Asks for the next reads, unless others are under way.
    fn send_reads(&mut self, effects: &mut Vec<Effect>) {
        if self.reads.in_flight || self.reads.next_waiting.is_empty() && self.reads.next.is_empty()
        {
            return;
        }
        self.reads.in_flight = true;
        self.reads.waiting = std::mem::take(&mut self.reads.next_waiting);
        effects.push(Effect::Read(self.reads.next.drain().collect()));
    }

    fn read(&mut self, pasts: Vec<(TaskId, History)>, now: Timestamp, effects: &mut Vec<Effect>) {
        self.reads.in_flight = false;
        for (task, history) in pasts {
            self.disown_lost_claims(task, &history, now, effects);
            let before = self.facts.history(task).latest_seq();
            let after = history.latest_seq();
            let over = history.live().is_empty();
            self.facts.restore(task, history);
            if before != after {
                if over {
                    self.foreign.retain(|other| *other != task);
                }
                self.watch.on_history(task, &mut self.woken);
                self.wake_woken();
            }
        }
        for key in std::mem::take(&mut self.reads.waiting) {
            if self.subjects.get(key).state == State::Reading {
                self.subjects.get_mut(key).state = State::Fresh;
                self.ready.push(key);
            }
        }
        self.send_reads(effects);
    }

    /// Ends runs that this session claimed without hearing that it won, so never started.
    fn disown_lost_claims(
        &mut self,
        task: TaskId,
        history: &History,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let known: Vec<RunId> =
            self.runs.iter().filter(|(_, run)| run.task() == task).map(|(_, run)| run.id).collect();
        let Some(definition) =
            self.tasks.get(task.index()).and_then(|slot| slot.definition.clone())
        else {
            return;
        };
        for live in history.live() {
            if live.node.as_ref() == Some(&self.node) && !known.contains(&live.run) {
                let reason = "it was claimed while the log failed, and never started".to_owned();
                self.tasks[task.index()].own += 1;
                let key = self.runs.insert(Run {
                    definition: definition.clone(),
                    execution: Execution::Async,
                    id: live.run,
                    started: live.started,
                    due: None,
                    forced: None,
                    state: RunState::Live,
                    timer: None,
                });
                self.append_end(key, Action::Crash, Some(reason), Output::default(), now, effects);
            }
        }
    }

    // ---- probes

    /// Asks a probe, unless it is being asked: a slow one is waited for, not asked again.
    fn ask(&mut self, probe: ProbeId, effects: &mut Vec<Effect>) {
        if let Some(slot) = self.probes.get_mut(probe.0 as usize)
            && !std::mem::replace(&mut slot.asked, true)
        {
            effects.push(Effect::Ask(probe));
        }
    }

    /// Asks the probes whose pause is over, if after this step's looks somebody still waits.
    fn ask_due_probes(&mut self, effects: &mut Vec<Effect>) {
        for probe in std::mem::take(&mut self.due_probes) {
            if self.watch.on_probe(probe).next().is_some() {
                self.ask(probe, effects);
            }
        }
    }

    fn probed(&mut self, probe: ProbeId, answer: Result<bool, Arc<str>>, now: Timestamp) {
        if let Some(slot) = self.probes.get_mut(probe.0 as usize) {
            slot.asked = false;
        }
        let waiting: Vec<Key> = self.watch.on_probe(probe).collect();
        if waiting.is_empty() {
            return;
        }
        if let Some(slot) = self.probes.get(probe.0 as usize) {
            let interval = slot.interval.unwrap_or(self.config.probe_interval);
            // A probe is never asked without a pause, or it would keep a core busy.
            let next = now.after(interval.max(Duration::from_millis(1)));
            self.agenda.set(slot.key, Some(next));
        }
        if self.facts.answer(probe, answer, now) {
            for key in waiting {
                self.make_ready(key);
            }
        }
    }

    fn forget_idle_probes(&mut self) {
        for probe in std::mem::take(&mut self.idle_probes) {
            if self.watch.on_probe(probe).next().is_none() {
                self.facts.forget(probe);
                if let Some(slot) = self.probes.get(probe.0 as usize) {
                    self.agenda.set(slot.key, None);
                }
            }
        }
    }

    // ---- runs

    fn appended(
        &mut self,
        key: RunKey,
        appended: Appended,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let task = run.task();
        match (&run.state, appended) {
            (RunState::Claiming, Appended::Won(recorded)) => {
                run.state = RunState::Live;
                self.apply(task, &recorded);
                self.start(key, now, effects);
            }
            (RunState::Claiming, Appended::Lost) => {
                self.drop_claim(key);
                self.reread(task);
                self.send_reads(effects);
            }
            (RunState::Ending { .. }, Appended::Won(recorded)) => {
                self.apply(task, &recorded);
                self.gone(key, effects);
            }
            (RunState::Ending { .. }, Appended::Lost) => {
                // Somebody else has ended it: this session was taken for dead.
                self.gone(key, effects);
                self.reread(task);
                self.send_reads(effects);
            }
            (RunState::Live | RunState::Stopping { .. }, _) => {}
        }
    }

    /// Forgets a run that did not begin; a request for it is served later.
    fn drop_claim(&mut self, key: RunKey) -> Option<TaskId> {
        let run = self.runs.remove(key)?;
        let task = run.task();
        let slot = &mut self.tasks[task.index()];
        slot.own -= 1;
        if let Some(forced) = run.forced {
            slot.requests.get_or_insert_default().push_front(forced);
        }
        Some(task)
    }

    fn start(&mut self, key: RunKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let definition = run.definition.clone();
        let timeout = match definition.policy.timeout {
            Some(Timeout::Never) => None,
            Some(Timeout::After(timeout)) => Some(timeout),
            None => self.config.timeout,
        };
        if let Some(timeout) = timeout {
            let timer = self.subjects.add(Subject::Run(key));
            run.timer = Some(timer);
            self.agenda.set(timer, Some(run.started.after(timeout)));
        }
        let task = definition.name.clone();
        let info = RunInfo::new(task, run.id, run.started, run.due, run.forced.is_some());
        let params = run.forced.as_ref().map(|forced| forced.params.clone());
        let execution = run.execution;
        let value =
            |(name, task): &(&'static str, TaskId)| Some((*name, self.returns.get(task)?.clone()));
        let returns = definition.wants.iter().filter_map(value).collect();
        effects.push(Effect::Start(Box::new(Ticket {
            key,
            definition,
            execution,
            info,
            params,
            returns,
        })));
        if self.phase.is_stopping() {
            self.stop(key, "the session shuts down", now, effects);
        }
    }

    fn ended(&mut self, key: RunKey, end: BodyEnd, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let why = match &mut run.state {
            RunState::Live => None,
            RunState::Stopping { reason } => Some(std::mem::take(reason)),
            // The end of a run that nobody waits for any longer.
            RunState::Claiming | RunState::Ending { .. } => return,
        };
        let mut failed = None;
        let (action, reason, output) = match (end, why) {
            (BodyEnd::Succeeded(output), _) => (Action::Success, None, output),
            (BodyEnd::Inaction, _) => (Action::Inaction, None, Output::default()),
            (BodyEnd::Failed(error), Some(why)) => (
                Action::Terminate,
                Some(format!("{why}; it ended with: {error}")),
                Output::default(),
            ),
            (BodyEnd::Failed(error), None) => (Action::Fail, Some(error), Output::default()),
            (BodyEnd::SetupFailed(error), _) => {
                let task = run.definition.name.clone();
                failed = Some(RunError::Prerun { task, reason: error.to_string() });
                (Action::Fail, Some(error.to_string()), Output::default())
            }
            (BodyEnd::Aborted, why) => {
                let why = why.unwrap_or_else(|| "it was aborted".to_owned());
                (Action::Terminate, Some(why), Output::default())
            }
        };
        self.append_end(key, action, reason, output, now, effects);
        if let Some(error) = failed.filter(|_| !self.config.silence_task_prerun) {
            self.shut_down(Err(error), now, effects);
        }
    }

    fn append_end(
        &mut self,
        key: RunKey,
        action: Action,
        reason: Option<String>,
        output: Output,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let json = output.json().map(str::to_owned);
        let record = Record {
            task: run.definition.name.clone(),
            run: run.id,
            action,
            // A clock that was set back must not make a run end before it began.
            at: now.max(run.started),
            started: run.started,
            due: run.due,
            details: Details::new(None, reason.clone(), json),
        };
        run.state = RunState::Ending { action, at: record.at, reason, output };
        if let Some(timer) = run.timer.take() {
            self.agenda.set(timer, None);
            self.subjects.release(timer);
        }
        effects.push(Effect::Append(key, Append { record, expect: Expect::Open }));
    }

    /// Lets go of a run whose end is in the log.
    fn gone(&mut self, key: RunKey, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.remove(key) else { return };
        let task = run.task();
        self.tasks[task.index()].own -= 1;
        let RunState::Ending { action, at, reason, output } = run.state else { return };
        if action == Action::Success && !output.is_empty() {
            self.returns.insert(task, output);
        }
        if let Some(reply) = run.forced.and_then(|forced| forced.reply) {
            effects
                .push(Effect::Reply(reply, Ended { run: run.id, action, reason: reason.clone() }));
        }
        effects.push(Effect::Report(Report::Ended {
            task: run.definition.name.clone(),
            run: run.id,
            action,
            took: at.since(run.started),
            reason,
        }));
    }

    fn stop_task(&mut self, task: TaskId, why: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let keys: Vec<RunKey> =
            self.runs.iter().filter(|(_, run)| run.task() == task).map(|(key, _)| key).collect();
        for key in keys {
            self.stop(key, why, now, effects);
        }
    }

    /// Tells a run to stop; after the grace it is aborted.
    fn stop(&mut self, key: RunKey, why: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        if !matches!(run.state, RunState::Live) {
            return;
        }
        run.state = RunState::Stopping { reason: why.to_owned() };
        let timer = *run.timer.get_or_insert_with(|| self.subjects.add(Subject::Run(key)));
        self.agenda.set(timer, Some(now.after(self.config.termination_grace)));
        let (task, run) = (run.definition.name.clone(), run.id);
        effects.push(Effect::Stop(key));
        effects.push(Effect::Report(Report::Stopping { task, run, reason: why.to_owned() }));
    }

    /// The timeout or the grace of a run is over.
    fn run_timer(&mut self, key: RunKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let blocks =
            run.execution == Execution::Thread || matches!(run.definition.body, Body::Blocking(_));
        match &run.state {
            RunState::Live => {
                let took = now.since(run.started);
                let why = format!(
                    "its timeout passed after {}",
                    redengine_core::time::duration::display(took)
                );
                self.stop(key, &why, now, effects);
            }
            RunState::Stopping { .. } if !blocks => effects.push(Effect::Abort(key)),
            RunState::Stopping { reason } if self.phase.is_stopping() => {
                let reason = format!("{reason}; its thread did not end and was left behind");
                effects.push(Effect::Abandon(key));
                self.append_end(
                    key,
                    Action::Terminate,
                    Some(reason),
                    Output::default(),
                    now,
                    effects,
                );
            }
            RunState::Stopping { .. } => {
                let (task, run) = (run.definition.name.clone(), run.id);
                effects.push(Effect::Report(Report::StillRunning { task, run }));
            }
            RunState::Claiming | RunState::Ending { .. } => {}
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
