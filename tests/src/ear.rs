//! A run log by which a test knows what a session launches and what it has heard of others.
//!
//! Always: what is asked is answered by the log itself. Only how a session hears is different.

use std::fmt::Write as _;
use std::future::pending;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use redengine_core::Timestamp;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Leases, LogError, Past, PastOf, Prune, Query, RunLog,
};
use tokio::sync::watch;

use crate::world::clock;

/// How a session hears of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// As the log tells it.
    Good,
    /// Of its own records it hears before the answer to its append comes, as it may when another
    /// thread writes.
    BeforeAnswers,
    /// Not at all.
    Deaf,
}

/// A launch: when, of which task, and since when it was due.
pub type Launch = (Timestamp, Arc<str>, Option<Timestamp>);

/// A log, what was heard of it, and which runs began through it.
#[derive(Clone, Debug)]
pub struct Ear {
    log: Arc<dyn RunLog>,
    hearing: Hearing,
    heard: Arc<watch::Sender<Seq>>,
    launches: Arc<Mutex<Vec<Launch>>>,
}

impl Ear {
    /// Makes one of a log.
    pub fn new(log: Arc<dyn RunLog>, hearing: Hearing) -> Self {
        Self { log, hearing, heard: Arc::default(), launches: Arc::default() }
    }

    /// Tells the launches, also those whose records were removed since. What is launched at one
    /// instant has no order of its own, so they are sorted.
    ///
    /// # Panics
    ///
    /// If somebody else panicked while noting one.
    pub fn launches(&self) -> Vec<Launch> {
        let mut launches = self.launches.lock().expect("no panic").clone();
        launches.sort();
        launches
    }

    fn note(&self, answers: &[Appended]) {
        let mut launches = self.launches.lock().expect("no panic");
        for answer in answers {
            if let Appended::Won(Recorded { record, .. }) = answer
                && record.action == Action::Run
            {
                launches.push((record.at, record.task.clone(), record.due));
            }
        }
    }

    /// Waits until the session has heard of the record of a number.
    ///
    /// # Panics
    ///
    /// If it is deaf and never will.
    pub async fn heard(&self, seq: Seq) {
        assert_ne!(self.hearing, Hearing::Deaf);
        // OK because `self` keeps the sender.
        self.heard.subscribe().wait_for(|heard| *heard >= seq).await.expect("a sender");
    }
}

#[async_trait]
impl RunLog for Ear {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let answers = self.log.append(batch).await?;
        self.note(&answers);
        if self.hearing == Hearing::BeforeAnswers {
            // So often everybody else has their turn.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        Ok(answers)
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.log.read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.log.past(of).await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.log.unfinished().await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.log.last_seq().await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.log.count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        let note = |seq: Seq| self.heard.send_modify(|heard| *heard = seq.max(*heard));
        // Who asks so knows all up to here.
        note(after);
        if self.hearing == Hearing::Deaf {
            pending::<()>().await;
        }
        let last = self.log.changed(after).await?;
        note(last);
        Ok(last)
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        self.log.prune(prune).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.log.import(records).await
    }

    async fn compact(&self) -> Result<(), LogError> {
        self.log.compact().await
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.log.leases()
    }
}

/// Tells where two lists of launches differ.
pub fn differ(expected: &[Launch], found: &[Launch]) -> String {
    let mut told = String::new();
    for (sign, one, other) in [("missing", expected, found), ("extra", found, expected)] {
        for launch in one.iter().filter(|launch| !other.contains(launch)) {
            let (at, task, due) = launch;
            // OK because writing to a text does not fail.
            let _ = writeln!(told, "{sign}: {} {task}, due {:?}", clock(*at), due.map(clock));
        }
    }
    if told.is_empty() && expected.len() != found.len() {
        let _ = writeln!(told, "{} launches, not {}", found.len(), expected.len());
    }
    told
}
