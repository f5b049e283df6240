//! The only `select!`: feeds events to the engine and performs its effects.
//!
//! Always: every future awaited here is a branch of the `select!`, so nothing that users, logs or
//! probes do delays the next step. Nothing is decided here.

use std::collections::{HashMap, HashSet};
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use redengine_core::facts::{History, Keep, Live};
use redengine_core::param::ParamValue;
use redengine_core::probe::Probe;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, LogError, LogErrorKind, Past, PastOf, Query, RunLog,
};
use redengine_core::session::{Config, Definition, Ended, Health, Inbox, LogHealth, Request};
use redengine_core::task::Output;
use redengine_core::time::Zone;
use redengine_core::{Session, TaskId, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::Time;
use crate::crash::{self, Point};
use crate::effect::{Effect, Report};
use crate::engine::{Engine, ReplyTo};
use crate::error::RunError;
use crate::event::Event;
use crate::exec::{self, Ready, StartedRuns};
use crate::journal::{Journal, Whose, Written};
use crate::lints::{self, PastRuns};
use crate::membership::{Membership, Renewed};
use crate::probe;
use crate::retention::{self, Pruned};

/// So many events are taken at a time.
const EVENTS: usize = 1024;

/// So many records that others wrote are read at a time.
const FOLLOWED: usize = 1024;

type Pasts = Result<Vec<(TaskId, History)>, LogError>;
type Read = (Vec<(TaskId, Keep)>, Pasts);

/// What is heard of what others write.
enum Followed {
    /// This is the last record now.
    Changed(Result<Seq, LogError>),
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
    following: Option<BoxFuture<'static, Followed>>,
    /// All records up to this one are known.
    followed: Seq,
    pruning: BoxFuture<'static, Pruned>,
    /// Runs whose session seemed to be gone when it was last asked who is there.
    missing: HashSet<RunId>,
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
        let mut time = Time::choose(session.clock());
        let config = session.config();
        let log = session.log().clone();
        let labels = config.node_labels.clone();
        let mut membership = Membership::join(log.clone(), labels, config.lease).await?;
        let node = membership.name().clone();
        let definitions = session.tasks();
        let followed = log.last_seq().await?;
        let keeps = Engine::keeps(&definitions);
        let past = |definition: &Arc<Definition>| {
            let keep = keeps.get(&definition.id).copied().unwrap_or_default();
            (definition.id, keep, definition.name.clone())
        };
        // A log without records has nothing to tell, of however many tasks.
        let pasts = if followed == Seq(0) {
            Vec::new()
        } else {
            read_pasts(&*log, definitions.iter().map(past).collect()).await?
        };
        // Who was not there then is gone: sessions take a lease before they begin a run.
        membership.look_again().await?;
        let (now, _) = time.read();
        // Which rules an odd hour was decided by must be told when somebody asks why.
        tracing::info!(
            target: "redengine",
            tasks = definitions.len(),
            zone = %session.zone(),
            tzdb = %Zone::database(),
            "the session starts"
        );
        let shut_cond = session.shut_cond();
        let seed = fastrand::u64(..);
        let probe_interval = config.probe_interval;
        let mut engine = Engine::new(Arc::new(config), shut_cond, node.clone(), seed, now);
        let mut pasts: HashMap<TaskId, (Past, Keep)> =
            pasts.into_iter().map(|(id, keep, past)| (id, (past, keep))).collect();
        let mut journal = Journal::new(log);
        for definition in definitions {
            let mut history = History::default();
            if let Some((past, keep)) = pasts.remove(&definition.id) {
                history = History::restored(&past, keep);
                if let Some(output) = last_output(&past) {
                    engine.restore_output(definition.id, output);
                }
                for live in history.live().iter().filter(|live| membership.is_left(live)) {
                    bury(live, &definition, now, &mut journal);
                }
            }
            engine.restore(definition, history);
        }
        for (task, name) in session.removed() {
            engine.restore_removed(task, name);
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
            following: None,
            followed,
            pruning: retention::first(),
            missing: HashSet::new(),
            probe_interval,
            effects: Vec::new(),
            finished: None,
            health: Health::default(),
            membership,
        };
        let mut first = Vec::new();
        if let Some(members) = driver.membership.members() {
            first.push(Event::LeaseHeld(members.to_vec()));
        }
        driver.learn_probes(&mut first);
        driver.learn_params(&mut first);
        // The runs that others left behind are ended before anything is decided.
        while driver.journal.is_busy() {
            match driver.journal.next().await {
                Written::Answered(answers) => take_answers(answers, &mut first),
                Written::Failed { error, .. } => return Err(error.into()),
            }
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
            let looks = self.membership.members().is_some() || self.engine.has_foreign();
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
                followed = wait(&mut self.following) => {
                    if !self.take_followed(followed, &mut events) {
                        continue;
                    }
                }
                renewed = self.membership.next(), if looks => self.take_renewed(renewed, &mut events),
                pruned = &mut self.pruning => {
                    let (now, _) = self.time.read();
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
        let past = if self.followed == Seq(0) { PastRuns::None } else { PastRuns::Some };
        let (now, _) = self.time.read();
        self.asked.spawn(lints::tell(self.session.clone(), past, now));
    }

    fn step(&mut self, events: impl IntoIterator<Item = Event>) {
        let (now, back) = self.time.read();
        let stepped = back.then_some(Event::ClockStepped);
        if back {
            tracing::warn!(target: "redengine", %now, "the clock was set back; all is looked at again");
        }
        let mut effects = std::mem::take(&mut self.effects);
        self.engine.step(events.into_iter().chain(stepped), now, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
        let unwritten = if self.is_log_down() { self.journal.len() } else { 0 };
        if self.health.unwritten != unwritten {
            self.health.unwritten = unwritten;
            self.tell_health();
        }
        exec::start(&mut self.ready, &self.session, &self.events);
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
            }
            Effect::Stop(run) => self.runs.cancel(run),
            Effect::Abort(run) => self.runs.abort(run),
            Effect::Abandon(run) => self.runs.remove(run),
            Effect::Read(tasks) => {
                let log = self.session.log().clone();
                let names = self.names(&tasks);
                self.reading = Some(Box::pin(async move {
                    let pasts = read_pasts(&*log, names).await.map(restored);
                    (tasks, pasts)
                }));
            }
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
                let (now, _) = self.time.read();
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
                events.push(Event::Configured(Arc::new(config), self.session.shut_cond()));
            }
            Request::Params => self.learn_params(events),
            // `Request` is open to further ones; this version has been told all it knows.
            _ => {}
        }
    }

    fn take_written(&mut self, written: Written, events: &mut Vec<Event>) {
        match written {
            Written::Answered(answers) => {
                self.log_is_up(events);
                for (_, appended) in &answers {
                    if let Appended::Won(Recorded { seq, .. }) = appended
                        && seq.0 == self.followed.0 + 1
                    {
                        self.followed = *seq;
                    }
                }
                take_answers(answers, events);
            }
            Written::Failed { claims, error } => {
                if error.kind() == LogErrorKind::Fenced && self.membership.members().is_some() {
                    // The log answers: it is this session that counts as gone.
                    self.membership.hurry();
                    events.push(Event::LeaseLost);
                } else {
                    self.log_is_down(error, events);
                }
                events.extend(claims.into_iter().map(Event::ClaimFailed));
            }
        }
    }

    fn log_is_down(&mut self, error: LogError, events: &mut Vec<Event>) {
        // What waits for news waits for an answer instead.
        self.following = None;
        self.journal.failed();
        if !self.is_log_down() {
            tracing::error!(
                target: "redengine",
                ?error,
                "the run log fails; nothing starts until it answers again"
            );
            let (since, _) = self.time.read();
            self.health.log = LogHealth::Down { since, error: format!("{error:?}").into() };
            self.tell_health();
            events.push(Event::LogFailed(error));
        }
    }

    fn log_is_up(&mut self, events: &mut Vec<Event>) {
        if !self.is_log_down() {
            return;
        }
        if self.membership.is_held() {
            tracing::info!(target: "redengine", "the run log answers again");
            self.journal.hurry();
            self.health.log = LogHealth::Up;
            self.tell_health();
            events.push(Event::LogRestored);
        } else {
            // It answers somebody whose lease may have ended, which is of no use.
            self.journal.failed();
        }
    }

    fn is_log_down(&self) -> bool {
        self.health.log != LogHealth::Up
    }

    fn tell_health(&self) {
        self.session.set_health(self.health.clone());
    }

    fn take_renewed(&mut self, renewed: Renewed, events: &mut Vec<Event>) {
        match renewed {
            Renewed::Look => self.bury_foreign(),
            Renewed::Held(members) => {
                events.push(Event::LeaseHeld(members));
                if !self.journal.is_busy() {
                    self.log_is_up(events);
                } else if self.is_log_down() {
                    // A log that can be read may still take nothing, but it is worth a try.
                    self.journal.hurry();
                }
                self.bury_foreign();
            }
            Renewed::Doubtful(error) => {
                tracing::error!(
                    target: "redengine",
                    ?error,
                    "the lease cannot be renewed; nothing starts until it is"
                );
                self.log_is_down(error, events);
                events.push(Event::LeaseLost);
            }
            Renewed::Fenced(name) => {
                tracing::error!(
                    target: "redengine",
                    node = &*name,
                    "the lease had ended, and others have taken over; its live runs are stopped"
                );
                self.health.node = Some(name.clone());
                self.tell_health();
                events.push(Event::Renamed(name));
            }
        }
    }

    /// Ends the runs of sessions that are gone.
    ///
    /// A run that became known after it was asked who is there may be of a session that came later.
    /// So it is asked once more before a run that seems to be left behind is ended.
    fn bury_foreign(&mut self) {
        if self.is_log_down() || self.journal.is_busy() {
            return;
        }
        let (now, _) = self.time.read();
        let mut missing = HashSet::new();
        for (definition, history) in self.engine.foreign() {
            for live in history.live().iter().filter(|live| self.membership.is_left(live)) {
                if self.missing.contains(&live.run) {
                    bury(live, definition, now, &mut self.journal);
                } else {
                    missing.insert(live.run);
                }
            }
        }
        if !missing.is_empty() {
            self.membership.hurry();
        }
        self.missing = missing;
    }

    fn take_read(&mut self, (tasks, pasts): Read, events: &mut Vec<Event>) {
        self.reading = None;
        match pasts {
            Ok(pasts) => events.push(Event::Read(pasts)),
            Err(error) => {
                self.log_is_down(error, events);
                let log = self.session.log().clone();
                let names = self.names(&tasks);
                let paused = self.journal.paused();
                self.reading = Some(Box::pin(async move {
                    paused.await;
                    let pasts = read_pasts(&*log, names).await.map(restored);
                    (tasks, pasts)
                }));
            }
        }
    }

    /// Waits for what others write; while the log fails, for an answer.
    fn follow(&mut self) {
        let log = self.session.log().clone();
        let after = self.followed;
        let paused = self.is_log_down().then(|| self.journal.paused());
        self.following = Some(Box::pin(async move {
            let Some(paused) = paused else { return Followed::Changed(log.changed(after).await) };
            paused.await;
            Followed::Changed(log.last_seq().await)
        }));
    }

    /// Takes what was heard of others; tells whether there is anything to look at.
    fn take_followed(&mut self, followed: Followed, events: &mut Vec<Event>) -> bool {
        self.following = None;
        let records = match followed {
            Followed::Changed(Ok(last)) => {
                let was_down = self.is_log_down();
                self.log_is_up(events);
                if last > self.followed {
                    let log = self.session.log().clone();
                    let query = Query::all().after(self.followed).limit(FOLLOWED);
                    self.following =
                        Some(Box::pin(
                            async move { Followed::Records(last, log.read(query).await) },
                        ));
                }
                return was_down;
            }
            Followed::Records(last, Ok(records)) => {
                // Numbers may be skipped, and what was removed from the log is not read.
                let read = records.last().map_or(Seq(0), |last| last.seq);
                let all = if records.len() < FOLLOWED { last.max(read) } else { read };
                self.followed = self.followed.max(all);
                records
            }
            Followed::Changed(Err(error)) | Followed::Records(_, Err(error)) => {
                self.log_is_down(error, events);
                return true;
            }
        };
        let known =
            |recorded: Recorded| Some((self.session.id_of(&recorded.record.task)?, recorded));
        events.push(Event::Followed(records.into_iter().filter_map(known).collect()));
        true
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

fn take_answers(answers: Vec<(Whose, Appended)>, events: &mut Vec<Event>) {
    for (whose, appended) in answers {
        match (whose, appended) {
            (Whose::Run(run), appended) => events.push(Event::Appended(run, appended)),
            (Whose::Left(task), Appended::Won(recorded)) => {
                events.push(Event::Followed(vec![(task, recorded)]));
            }
            // Another session has buried it first; its record will be followed.
            (Whose::Left(_), Appended::Lost) => {}
        }
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

async fn read_pasts(
    log: &dyn RunLog,
    tasks: Vec<(TaskId, Keep, Arc<str>)>,
) -> Result<Vec<(TaskId, Keep, Past)>, LogError> {
    let of =
        tasks.iter().map(|(_, keep, task)| PastOf { task: task.clone(), keep: *keep }).collect();
    let pasts = log.past(of).await?;
    Ok(tasks.into_iter().zip(pasts).map(|((id, keep, _), past)| (id, keep, past)).collect())
}

fn restored(pasts: Vec<(TaskId, Keep, Past)>) -> Vec<(TaskId, History)> {
    let restore = |(task, keep, past): (TaskId, Keep, Past)| (task, History::restored(&past, keep));
    pasts.into_iter().map(restore).collect()
}

fn last_output(past: &Past) -> Option<Output> {
    let successes = past.records.iter().filter(|known| known.record.action == Action::Success);
    let last = successes.max_by_key(|known| known.seq)?;
    last.record.details.as_ref()?.output.clone().map(Output::from_json)
}

/// Writes the crash of a run whose owner is gone. If several sessions do, the first one wins.
fn bury(live: &Live, definition: &Definition, now: Timestamp, journal: &mut Journal) {
    let record = Record {
        task: definition.name.clone(),
        run: live.run,
        action: Action::Crash,
        at: now.max(live.started),
        started: live.started,
        due: None,
        details: Details::default().with_reason("its process ended before it did").shared(),
    };
    journal.push(Whose::Left(definition.id), Append { record, expect: Expect::Open });
}

/// Tells people.
fn tell(report: &Report) {
    match report {
        Report::Ended { task, run, action: Action::Fail | Action::Crash, took, reason } => {
            let reason = reason.as_deref().unwrap_or("unknown");
            tracing::error!(target: "redengine::run", task = &**task, %run, ?took, reason, "failed");
        }
        Report::Ended { task, run, action: Action::Terminate, took, reason } => {
            let reason = reason.as_deref().unwrap_or("unknown");
            tracing::warn!(target: "redengine::run", task = &**task, %run, ?took, reason, "terminated");
        }
        Report::Ended { task, run, action: Action::Inaction, took, .. } => {
            tracing::info!(target: "redengine::run", task = &**task, %run, ?took, "nothing to do");
        }
        Report::Ended { task, run, took, .. } => {
            tracing::info!(target: "redengine::run", task = &**task, %run, ?took, "succeeded");
        }
        Report::Broken { task, broken } => {
            let task = task.as_deref().unwrap_or("(shut_cond)");
            tracing::error!(target: "redengine", task, %broken, "a condition is in error");
        }
        Report::Stopping { task, run, reason } => {
            tracing::warn!(target: "redengine::run", task = &**task, %run, reason, "told to stop");
        }
        Report::StillRunning { task, run } => tracing::error!(
            target: "redengine::run",
            task = &**task,
            %run,
            "still running: it blocks its thread and does not look at `Cancel`, so nobody can stop it"
        ),
        Report::Unserved { task, requests } => tracing::warn!(
            target: "redengine",
            task = &**task,
            requests,
            "the session is over before runs that were asked for began"
        ),
        Report::ShuttingDown { live } => {
            tracing::info!(target: "redengine", live, "shutting down");
        }
    }
}
