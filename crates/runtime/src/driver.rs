//! The only `select!`: feeds events to the engine and performs its effects.
//!
//! Always: every future awaited here is a branch of the `select!`, so nothing that users, logs or
//! probes do delays the next step. Nothing is decided here.

mod log;
mod place;

use std::collections::{HashMap, HashSet};
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use redengine_core::facts::{History, Keep};
use redengine_core::param::ParamValue;
use redengine_core::probe::Probe;
use redengine_core::record::{Recorded, RunId, Seq};
use redengine_core::runlog::{LogError, Member, Past};
use redengine_core::session::{Config, Definition, Ended, Health, Inbox, Request};
use redengine_core::{Session, TaskId};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::log::{bury, last_output, read_all, restore_others};
use self::place::{Looked, Place};
use crate::clock::Time;
use crate::crash::{self, Point};
use crate::effect::{Effect, Report};
use crate::engine::{Engine, ReplyTo};
use crate::error::RunError;
use crate::event::{Event, Remembered};
use crate::exec::{self, Ready, StartedRuns};
use crate::journal::{Journal, Whose};
use crate::lints::{self, PastRuns};
use crate::membership::Membership;
use crate::probe;
use crate::report::{tell, tell_start};
use crate::retention::{self, Pruned};
use crate::strays::Strays;

/// So many events are taken at a time.
const EVENTS: usize = 1024;

type Pasts = Result<Vec<Remembered>, LogError>;
type Read = (Vec<(TaskId, Keep)>, Pasts);
type Others = Result<Vec<(Arc<str>, Past)>, LogError>;

/// What is heard of what others write.
enum Followed {
    /// This is the last record now.
    Changed(Result<Seq, LogError>),
    /// It answers again, and is this to what is known of it.
    Looked(Result<Looked, LogError>),
    /// These come next, and this was the last one then.
    Records(Seq, Result<Vec<Recorded>, LogError>),
}

/// A running session.
pub(crate) struct Driver {
    session: Session,
    inbox: Inbox,
    time: Time,
    engine: Engine,
    journal: Journal,
    runs: StartedRuns,
    /// Those that this step starts.
    ready: Vec<Ready>,
    events: mpsc::UnboundedSender<Event>,
    incoming: mpsc::UnboundedReceiver<Event>,
    probes: Vec<Probe>,
    /// Probes that were asked, and the look for lints.
    asked: JoinSet<()>,
    replies: HashMap<ReplyTo, oneshot::Sender<Ended>>,
    next_reply: u64,
    reading: Option<BoxFuture<'static, Read>>,
    reading_strays: Option<BoxFuture<'static, Others>>,
    following: Option<BoxFuture<'static, Followed>>,
    /// All records up to this one are known.
    followed: Place,
    pruning: BoxFuture<'static, Pruned>,
    /// Runs whose session seemed to be gone when it was last asked who is there.
    missing: HashSet<RunId>,
    strays: Strays,
    probe_interval: Duration,
    effects: Vec<Effect>,
    finished: Option<Result<(), RunError>>,
    /// What is told of the session.
    health: Health,
    membership: Membership,
}

impl Driver {
    /// Restores what the log tells of the past, and makes the engine.
    pub(crate) async fn start(session: Session, inbox: Inbox) -> Result<Self, RunError> {
        exec::note_places();
        let time = Time::choose(session.clock());
        let config = session.config();
        let log = session.log().clone();
        let labels = config.node_labels.clone();
        let mut membership = Membership::join(log.clone(), labels, config.lease).await?;
        let node = membership.name().clone();
        let definitions = session.tasks();
        let shut_cond = session.shut_cond();
        let keeps = Engine::keeps(&definitions, shut_cond.as_deref());
        let past = |definition: &Arc<Definition>| {
            let keep = keeps.get(&definition.id).copied().unwrap_or_default();
            (definition.id, keep, definition.name.clone())
        };
        let tasks = definitions.iter().map(past).collect();
        let known = match read_all(&*log, tasks, &mut membership).await {
            Ok(known) => known,
            Err(error) => {
                // Others would wait for the turns of a session that there is not.
                membership.leave().await;
                return Err(error.into());
            }
        };
        let now = time.now();
        tell_start(definitions.len(), &session.zone());
        let seed = fastrand::u64(..);
        let probe_interval = config.probe_interval;
        let mut engine = Engine::new(Arc::new(config), shut_cond, node.clone(), seed, now);
        let mut pasts: HashMap<TaskId, (Past, Keep)> =
            known.pasts.into_iter().map(|(id, keep, past)| (id, (past, keep))).collect();
        let mut journal = Journal::new(log);
        for definition in definitions {
            let mut history = History::default();
            if let Some((past, keep)) = pasts.remove(&definition.id) {
                history = History::restored(&past, keep);
                if let Some(output) = last_output(&past) {
                    engine.restore_output(definition.id, output);
                }
                for live in history.live().iter().filter(|live| membership.is_left(live, now)) {
                    bury(live, &definition.name, now, &mut journal);
                }
            }
            engine.restore(definition, history);
        }
        for (task, name) in session.removed() {
            engine.restore_removed(task, name);
        }
        let strays = restore_others(&known.others, &session, &mut engine);
        for (name, live) in strays.iter().filter(|(_, live)| membership.is_left(live, now)) {
            bury(live, name, now, &mut journal);
        }
        let (events, incoming) = mpsc::unbounded_channel();
        let mut driver = Self {
            session,
            inbox,
            time,
            engine,
            journal,
            runs: StartedRuns::default(),
            ready: Vec::new(),
            events,
            incoming,
            probes: Vec::new(),
            asked: JoinSet::new(),
            replies: HashMap::new(),
            next_reply: 0,
            reading: None,
            reading_strays: None,
            following: None,
            followed: known.followed,
            pruning: retention::first(),
            missing: HashSet::new(),
            strays,
            probe_interval,
            effects: Vec::new(),
            finished: None,
            health: Health::default(),
            membership,
        };
        let mut first = Vec::new();
        if let Some(members) = driver.membership.members().map(<[Member]>::to_vec) {
            driver.lease_is_held(members, &mut first);
        }
        driver.learn_probes(&mut first);
        driver.learn_params(&mut first);
        if let Err(error) = driver.write_down(&mut first).await {
            driver.membership.leave().await;
            return Err(error.into());
        }
        // What was asked before it runs, as not to start anything, holds from the first cycle on.
        while let Some(request) = driver.inbox.try_next() {
            driver.take_request(request, &mut first);
        }
        driver.step(first);
        driver.health.running = true;
        driver.health.node = Some(node);
        driver.tell_health();
        Ok(driver)
    }

    /// Runs until the session is over.
    pub(crate) async fn run(
        mut self,
        mut stop: Pin<Box<dyn futures::Stream<Item = ()> + Send>>,
    ) -> Result<(), RunError> {
        let mut events = Vec::with_capacity(EVENTS);
        let timer = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(timer);
        let mut stop_open = true;
        let mut are_others_next = false;
        self.look_for_lints();
        loop {
            // Answers that are there already, as those of a log in memory, cost no wake-up.
            let answered = self.journal.try_next();
            let is_answered = answered.is_some();
            if let Some(written) = answered {
                self.take_written(written, &mut events);
                self.step(events.drain(..));
            }
            if let Some(result) = self.finished.take() {
                self.membership.leave().await;
                return result;
            }
            if self.engine.is_looking() || is_answered && self.journal.is_busy() {
                // There is more to do at once. What was started has its turn, but what comes in
                // waits: starts that are due go before the ends of others. They are not without end.
                tokio::task::yield_now().await;
                if !is_answered {
                    self.step([]);
                }
                continue;
            }
            let sleep = self.time.sleep_until(self.engine.wake());
            if let Some(sleep) = sleep {
                set_timer(timer.as_mut(), sleep);
            }
            if self.is_log_down() && self.journal.is_busy() {
                // The records that wait are tried: a log that can be read may still take none.
                self.following = None;
            } else if self.following.is_none() {
                self.follow();
            }
            // Without leases there is nothing to look for until another session runs something.
            let looks = self.membership.members().is_some()
                || self.engine.has_foreign()
                || !self.strays.is_empty();
            tokio::select! {
                biased;
                _ = self.incoming.recv_many(&mut events, EVENTS), if !are_others_next => {
                    // Runs may end faster than they can be taken: all else has its turn in between.
                    are_others_next = true;
                    self.let_go(&events);
                }
                Some(request) = self.inbox.next() => {
                    self.take_request(request, &mut events);
                    while let Some(request) = self.inbox.try_next() {
                        self.take_request(request, &mut events);
                    }
                }
                written = self.journal.next(), if self.journal.is_busy() => {
                    self.take_written(written, &mut events);
                }
                read = wait(&mut self.reading) => self.take_read(read, &mut events),
                read = wait(&mut self.reading_strays) => self.take_strays(read, &mut events),
                followed = wait(&mut self.following) => {
                    if !self.take_followed(followed, &mut events) {
                        continue;
                    }
                }
                renewed = self.membership.next(), if looks => self.take_renewed(renewed, &mut events),
                pruned = &mut self.pruning => {
                    let now = self.time.now();
                    self.pruning = retention::next(pruned, &self.session, &self.engine, now);
                    continue;
                }
                _ = self.asked.join_next(), if !self.asked.is_empty() => {}
                asked = stop.next(), if stop_open => match asked {
                    Some(()) => events.push(Event::Shutdown),
                    None => stop_open = false,
                },
                // Tokio rounds up to a millisecond, which is too long for what is due already.
                () = tokio::task::yield_now(), if sleep == Some(Duration::ZERO) => {}
                () = &mut timer, if sleep.is_some() => {}
                () = ready(()), if are_others_next => {
                    are_others_next = false;
                    continue;
                }
            }
            self.step(events.drain(..));
        }
    }

    /// Has the lints told, beside all that goes on.
    fn look_for_lints(&mut self) {
        let past = if self.followed.seq == Seq(0) { PastRuns::None } else { PastRuns::Some };
        let now = self.time.now();
        self.asked.spawn(lints::tell(self.session.clone(), past, now));
    }

    fn step(&mut self, events: impl IntoIterator<Item = Event>) {
        let (now, step) = self.time.read();
        if let Some(step) = step {
            tracing::warn!(target: "redengine", %now, ?step, "the clock was set, or the machine was suspended");
        }
        let stepped = step.map(Event::ClockStepped);
        let mut effects = std::mem::take(&mut self.effects);
        self.engine.step(stepped.into_iter().chain(events), now, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
        let unwritten = if self.is_log_down() { self.journal.len() } else { 0 };
        if self.health.unwritten != unwritten {
            self.health.unwritten = unwritten;
            self.tell_health();
        }
        exec::start_rest(&mut self.ready, &self.session, &self.events);
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Append(run, append) => self.journal.push(Whose::Run(run), append),
            Effect::Start(ticket) => {
                crash::pass(Point::BeforeStart);
                tracing::info!(
                    target: "redengine::run",
                    task = ticket.info.task(),
                    run = %ticket.info.run(),
                    "started"
                );
                let (started, ready) = exec::prepare(ticket);
                self.runs.insert(started);
                self.ready.push(ready);
                exec::start_many(&mut self.ready, &self.session, &self.events);
            }
            Effect::Stop(run) => self.runs.cancel(run),
            Effect::Abort(run) => self.runs.abort(run),
            Effect::Abandon(run) => self.runs.remove(run),
            Effect::Read(tasks) => self.read(tasks, ready(())),
            Effect::Ask(id) => {
                if let Some(probe) = self.probes.get(id.0 as usize) {
                    probe::ask(id, probe, &mut self.asked, &self.events);
                }
            }
            Effect::Reply(to, ended) => {
                if let Some(reply) = self.replies.remove(&to) {
                    // Nobody needs to wait for it.
                    let _ = reply.send(ended);
                }
            }
            Effect::Forget(to) => drop(self.replies.remove(&to)),
            Effect::Report(report) => {
                if let Report::Ended { .. } = report {
                    crash::pass(Point::AfterFinish);
                }
                tell(&report);
            }
            Effect::Finish(result) => self.finished = Some(result),
        }
    }

    // ---- what comes in

    /// Lets go of runs that have ended; their places may be taken again only much later.
    fn let_go(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Ended(run, _) = event {
                self.runs.remove(*run);
            }
        }
    }

    fn take_request(&mut self, request: Request, events: &mut Vec<Event>) {
        match request {
            Request::Define(definition) => {
                self.learn_probes(events);
                self.strays.forget(&definition.name);
                events.push(Event::Defined(definition));
            }
            Request::Remove(task) => events.push(Event::Removed(task)),
            Request::Run { task, params, reply } => {
                let to = ReplyTo(self.next_reply);
                self.next_reply += 1;
                self.replies.insert(to, reply);
                let params = Arc::new(params);
                events.push(Event::RunRequested { task, params, reply: Some(to) });
            }
            Request::Why { task, reply } => {
                // It is answered as of all that was asked before.
                self.step(events.drain(..));
                let now = self.time.now();
                let name = |task| {
                    let removed = || self.engine.facts().removed(task).cloned();
                    self.session.name_of(task).or_else(removed)
                };
                if let Some(why) = self.engine.why(task, now, &self.session.zone(), &name) {
                    // Nobody needs to wait for it.
                    let _ = reply.send(why);
                }
            }
            Request::Terminate(task) => events.push(Event::Terminate(task)),
            Request::Hold => {
                self.health.held = true;
                self.tell_health();
                events.push(Event::Held);
            }
            Request::Resume => {
                self.health.held = false;
                self.tell_health();
                events.push(Event::Resumed);
            }
            Request::Shutdown => events.push(Event::Shutdown),
            Request::ShutdownNow => events.push(Event::ShutdownNow),
            Request::Configured => {
                self.learn_probes(events);
                let config: Config = self.session.config();
                self.probe_interval = config.probe_interval;
                self.membership.set_labels(&config.node_labels);
                events.push(Event::Configured(Arc::new(config), self.session.shut_cond()));
            }
            Request::Params => self.learn_params(events),
            // `Request` is open to further ones; this version has been told all it knows.
            _ => {}
        }
    }

    fn learn_probes(&mut self, events: &mut Vec<Event>) {
        let new = self.session.probes_from(self.probes.len());
        if !new.is_empty() {
            events.push(Event::Probes(new.iter().map(Probe::pace).collect()));
            self.probes.extend(new);
        }
    }

    fn learn_params(&mut self, events: &mut Vec<Event>) {
        let param = |(name, value): (&Arc<str>, &ParamValue)| {
            Event::Param(name.clone(), value.text().cloned())
        };
        events.extend(self.session.params().iter().map(param));
    }

    fn names(&self, tasks: &[(TaskId, Keep)]) -> Vec<(TaskId, Keep, Arc<str>)> {
        let name =
            |(task, keep): &(TaskId, Keep)| Some((*task, *keep, self.session.name_of(*task)?));
        tasks.iter().filter_map(name).collect()
    }
}

/// Waits for a future that may not be there, and for ever if it is not.
///
/// # Cancel safety
///
/// May be dropped and called again: the future stays.
async fn wait<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "Tokio's timers count from Tokio's clock")]
fn set_timer(timer: Pin<&mut tokio::time::Sleep>, sleep: Duration) {
    timer.reset(tokio::time::Instant::now() + sleep);
}
