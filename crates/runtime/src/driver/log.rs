//! What the driver hears of the run log: answers, what others write, leases; and that it fails.
//!
//! Always: while the log fails, or a lease may have ended, the engine has been told so; and it is told
//! once the log answers and the lease is held.

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;

use redengine_core::facts::{History, Keep, Live};
use redengine_core::record::{Action, Details, Record, Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, LogError, LogErrorKind, Member, Past, PastOf, RunLog,
};
use redengine_core::session::{LeaseHealth, LogHealth};
use redengine_core::task::Output;
use redengine_core::{Session, TaskId, Timestamp};

use super::place::{Looked, Place};
use super::{Driver, Followed, Others, Read};
use crate::engine::Engine;
use crate::event::{Event, Remembered};
use crate::journal::{Journal, Whose, Written};
use crate::membership::{Membership, Renewed};
use crate::strays::Strays;

/// So many records that others wrote are read at a time.
const FOLLOWED: usize = 1024;

impl Driver {
    pub(super) fn take_written(&mut self, written: Written, events: &mut Vec<Event>) {
        match written {
            Written::Answered(answers) => {
                if self.is_log_down() {
                    // What is known of it is looked at before anything starts.
                    self.journal.hurry();
                }
                if !self.membership.is_held() {
                    // Before the answers: what they allow, others may have done by now.
                    self.lease_is_lost(events);
                }
                for (_, appended) in &answers {
                    if let Appended::Won(recorded) = appended
                        && recorded.seq.0 == self.followed.seq.0 + 1
                    {
                        self.followed = Place::of(recorded);
                    }
                }
                self.take_answers(answers, events);
            }
            Written::Failed { claims, error } => {
                if error.kind() == LogErrorKind::Fenced && self.membership.members().is_some() {
                    // The log answers: it is this session that counts as gone.
                    self.membership.hurry();
                    self.lease_is_lost(events);
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
        let why: Arc<str> = format!("{error:?}").into();
        if let LogHealth::Down { error: known, .. } = &mut self.health.log {
            // A server that was gone may be there again and have no room.
            if *known != why {
                *known = why;
                self.tell_health();
            }
            return;
        }
        tracing::error!(
            target: "redengine",
            ?error,
            "the run log fails; nothing starts until it answers again"
        );
        let since = self.time.now();
        self.health.log = LogHealth::Down { since, error: why };
        self.tell_health();
        events.push(Event::LogFailed(error));
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

    fn lease_is_lost(&mut self, events: &mut Vec<Event>) {
        if !matches!(self.health.lease, LeaseHealth::Lost { .. }) {
            self.health.lease = LeaseHealth::Lost { since: self.time.now() };
            self.tell_health();
        }
        events.push(Event::LeaseLost);
    }

    pub(super) fn lease_is_held(&mut self, members: Vec<Member>, events: &mut Vec<Event>) {
        if self.health.lease != LeaseHealth::Held {
            self.health.lease = LeaseHealth::Held;
            self.tell_health();
        }
        events.push(Event::LeaseHeld(members));
    }

    pub(super) fn is_log_down(&self) -> bool {
        self.health.log != LogHealth::Up
    }

    pub(super) fn tell_health(&self) {
        self.session.set_health(self.health.clone());
    }

    pub(super) fn take_renewed(&mut self, renewed: Renewed, events: &mut Vec<Event>) {
        match renewed {
            Renewed::Look => self.bury_foreign(),
            Renewed::Held(members) => {
                self.lease_is_held(members, events);
                if self.is_log_down() {
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
                self.lease_is_lost(events);
            }
            Renewed::Fenced(name) => {
                tracing::error!(
                    target: "redengine",
                    node = &*name,
                    "the lease had ended, and others have taken over; its live runs are stopped"
                );
                self.lease_is_lost(events);
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
        if self.is_log_down() {
            return;
        }
        let now = self.time.now();
        let mut missing = HashSet::new();
        let mut is_new = false;
        let foreign = self.engine.foreign();
        let all = foreign.chain(self.strays.iter());
        for (task, live) in all.filter(|(_, live)| self.membership.is_left(live, now)) {
            if self.missing.contains(&live.run) {
                // Again at the next look, as long as the log has not answered: the first one counts.
                bury(live, task, now, &mut self.journal);
            } else {
                is_new = true;
            }
            missing.insert(live.run);
        }
        if is_new {
            self.membership.hurry();
        }
        self.missing = missing;
    }

    /// Reads the past of tasks, after a pause.
    pub(super) fn read(
        &mut self,
        tasks: Vec<(TaskId, Keep)>,
        pause: impl Future<Output = ()> + Send + 'static,
    ) {
        let log = self.session.log().clone();
        let names = self.names(&tasks);
        self.reading = Some(Box::pin(async move {
            pause.await;
            let pasts = read_pasts(&*log, names).await.map(restored);
            (tasks, pasts)
        }));
    }

    pub(super) fn take_read(&mut self, (tasks, pasts): Read, events: &mut Vec<Event>) {
        self.reading = None;
        match pasts {
            Ok(pasts) => events.push(Event::Read(pasts)),
            Err(error) => {
                self.log_is_down(error, events);
                let pause = self.journal.paused();
                self.read(tasks, pause);
            }
        }
    }

    /// Waits for what others write; while the log fails, for an answer.
    pub(super) fn follow(&mut self) {
        let log = self.session.log().clone();
        let place = self.followed;
        let paused = self.is_log_down().then(|| self.journal.paused());
        self.following = Some(Box::pin(async move {
            let Some(paused) = paused else {
                return Followed::Changed(log.changed(place.seq).await);
            };
            paused.await;
            Followed::Looked(place.look(&*log).await)
        }));
    }

    /// Goes on with a log that lacks what was known of it: all of it is read again.
    fn log_is_replaced(&mut self, end: Place, events: &mut Vec<Event>) {
        tracing::warn!(
            target: "redengine",
            known = %self.followed.seq,
            last = %end.seq,
            "the run log lacks records that it had; its past is read again"
        );
        self.followed = end;
        events.push(Event::LogReplaced);
        self.strays = Strays::default();
        self.read_strays(ready(()));
    }

    /// Reads which runs of tasks that the session does not have are live, after a pause.
    fn read_strays(&mut self, pause: impl Future<Output = ()> + Send + 'static) {
        let session = self.session.clone();
        self.reading_strays = Some(Box::pin(async move {
            pause.await;
            read_others(&**session.log(), |name| session.id_of(name).is_some()).await
        }));
    }

    pub(super) fn take_strays(&mut self, others: Others, events: &mut Vec<Event>) {
        self.reading_strays = None;
        match others {
            Ok(others) => others.iter().for_each(|(name, past)| self.strays.take(name, past)),
            Err(error) => {
                self.log_is_down(error, events);
                self.read_strays(self.journal.paused());
            }
        }
    }

    /// Takes what was heard of others; tells whether there is anything to look at.
    pub(super) fn take_followed(&mut self, followed: Followed, events: &mut Vec<Event>) -> bool {
        self.following = None;
        let records = match followed {
            Followed::Changed(Ok(last)) => {
                self.read_on(last);
                return false;
            }
            Followed::Looked(Ok(looked)) => {
                match looked {
                    Looked::Same(last) => self.read_on(last),
                    Looked::Replaced(end) => self.log_is_replaced(end, events),
                }
                self.log_is_up(events);
                return true;
            }
            Followed::Records(last, Ok(mut records)) => {
                if !self.followed.may_be(records.first()) {
                    self.log_is_replaced(records.last().map_or(self.followed, Place::of), events);
                    return true;
                }
                let is_all = records.len() < FOLLOWED;
                // It may be that more are known by now: those are read for nothing.
                records.retain(|recorded| recorded.seq > self.followed.seq);
                if let Some(read) = records.last() {
                    self.followed = Place::of(read);
                }
                // Numbers may be skipped, and what was removed from the log is not read.
                if is_all && last > self.followed.seq {
                    self.followed = Place::skipped_to(last);
                }
                records
            }
            Followed::Changed(Err(error))
            | Followed::Looked(Err(error))
            | Followed::Records(_, Err(error)) => {
                self.log_is_down(error, events);
                return true;
            }
        };
        self.hear(records, events);
        true
    }

    /// Reads what comes after what is known, if there is more; with the last that is known, to see
    /// that it is the same log.
    fn read_on(&mut self, last: Seq) {
        if last > self.followed.seq {
            let log = self.session.log().clone();
            let query = self.followed.and_later().limit(FOLLOWED);
            let read = async move { Followed::Records(last, log.read(query).await) };
            self.following = Some(Box::pin(read));
        }
    }

    fn hear(&mut self, records: Vec<Recorded>, events: &mut Vec<Event>) {
        let mut known = Vec::with_capacity(records.len());
        for recorded in records {
            match self.session.id_of(&recorded.record.task) {
                Some(task) => known.push((task, recorded)),
                None => self.strays.note(&recorded),
            }
        }
        events.push(Event::Followed(known));
    }

    /// Ends the runs that others left behind, before anything is decided.
    pub(super) async fn write_down(&mut self, events: &mut Vec<Event>) -> Result<(), LogError> {
        while self.journal.is_busy() {
            match self.journal.next().await {
                Written::Answered(answers) => self.take_answers(answers, events),
                Written::Failed { error, .. } => return Err(error),
            }
        }
        Ok(())
    }

    fn take_answers(&mut self, answers: Vec<(Whose, Appended)>, events: &mut Vec<Event>) {
        for (whose, appended) in answers {
            match (whose, appended) {
                (Whose::Run(run), appended) => events.push(Event::Appended(run, appended)),
                (Whose::Left(_), Appended::Won(recorded)) => self.hear(vec![recorded], events),
                // Another session has buried it first; its record will be followed.
                (Whose::Left(run), Appended::Lost) => self.strays.lost(run),
            }
        }
    }
}

/// What a session must know before it begins.
pub(super) struct Known {
    /// Up to which record it knows all.
    pub followed: Place,
    /// The pasts of its tasks.
    pub pasts: Vec<(TaskId, Keep, Past)>,
    /// Those of other tasks that have runs which have not ended.
    pub others: Vec<(Arc<str>, Past)>,
}

/// Reads what a session must know before it begins, and who is there after that.
pub(super) async fn read_all(
    log: &dyn RunLog,
    tasks: Vec<(TaskId, Keep, Arc<str>)>,
    membership: &mut Membership,
) -> Result<Known, LogError> {
    let mut known =
        Known { followed: Place::end(log).await?, pasts: Vec::new(), others: Vec::new() };
    // A log without records has nothing to tell, of however many tasks.
    if known.followed.seq > Seq(0) {
        let own: HashSet<Arc<str>> = tasks.iter().map(|(_, _, name)| name.clone()).collect();
        known.pasts = read_pasts(log, tasks).await?;
        known.others = read_others(log, |name| own.contains(name)).await?;
    }
    // Who was not there then is gone: sessions take a lease before they begin a run.
    membership.look_again().await?;
    Ok(known)
}

/// Reads the pasts of other tasks than the session's own that have runs which have not ended.
async fn read_others(log: &dyn RunLog, is_own: impl Fn(&Arc<str>) -> bool) -> Others {
    let mut others = log.unfinished().await?;
    others.retain(|name| !is_own(name));
    let of = others.iter().map(|task| PastOf { task: task.clone(), keep: Keep::default() });
    let pasts = log.past(of.collect()).await?;
    Ok(others.into_iter().zip(pasts).collect())
}

/// Takes note of the live runs of tasks that were removed, and tells those of tasks that are unknown.
pub(super) fn restore_others(
    others: &[(Arc<str>, Past)],
    session: &Session,
    engine: &mut Engine,
) -> Strays {
    let mut strays = Strays::default();
    for (name, past) in others {
        match session.id_of(name) {
            Some(task) => engine.restore_history(task, History::restored(past, Keep::default())),
            None => strays.take(name, past),
        }
    }
    strays
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

fn restored(pasts: Vec<(TaskId, Keep, Past)>) -> Vec<Remembered> {
    let restore = |(task, keep, past): (TaskId, Keep, Past)| {
        (task, History::restored(&past, keep), last_output(&past))
    };
    pasts.into_iter().map(restore).collect()
}

pub(super) fn last_output(past: &Past) -> Option<Output> {
    let successes = past.records.iter().filter(|known| known.record.action == Action::Success);
    let last = successes.max_by_key(|known| known.seq)?;
    last.record.details.as_ref()?.output.clone().map(Output::from_json)
}

/// Writes the crash of a run whose owner is gone. If several sessions do, the first one wins.
pub(super) fn bury(live: &Live, task: &Arc<str>, now: Timestamp, journal: &mut Journal) {
    let why = match live.node {
        Some(_) => "its process ended before it did",
        None => "its record names no session, and it has no end for a day",
    };
    let record = Record {
        task: task.clone(),
        run: live.run,
        action: Action::Crash,
        at: now.max(live.started),
        started: live.started,
        due: None,
        details: Details::default().with_reason(why).shared(),
    };
    journal.push(Whose::Left(live.run), Append { record, expect: Expect::Open });
}
