//! A run log by which a test knows what a session has heard of what others write.
//!
//! Always: what is asked is answered by the log itself. Only how a session hears is different.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Leases, LogError, Past, PastOf, Prune, Query, RunLog,
};
use tokio::sync::watch;

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

/// A log, and what was heard of it.
#[derive(Clone, Debug)]
pub struct Ear {
    log: Arc<dyn RunLog>,
    hearing: Hearing,
    heard: Arc<watch::Sender<Seq>>,
}

impl Ear {
    /// Makes one of a log.
    pub fn new(log: Arc<dyn RunLog>, hearing: Hearing) -> Self {
        Self { log, hearing, heard: Arc::default() }
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
        let answers = self.log.append(batch).await;
        if self.hearing == Hearing::BeforeAnswers {
            // So often everybody else has their turn.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        answers
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.log.read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.log.past(of).await
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

    fn leases(&self) -> Option<&dyn Leases> {
        self.log.leases()
    }
}
