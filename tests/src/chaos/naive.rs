//! The protocol that must be found out: look whether the log is as it was, then append whatever it has
//! become since.

use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, LogError, Past, PastOf, Prune, Query, RunLog,
};

/// A run log whose starts are checked and then appended, not both at once. It keeps no leases.
#[derive(Debug)]
pub struct Naive(pub Arc<dyn RunLog>);

impl Naive {
    async fn latest(&self, task: &Arc<str>) -> Result<Option<Seq>, LogError> {
        Ok(self.0.latest(task.clone(), Vec::new()).await?.map(|latest| latest.seq))
    }

    /// Checks, then acts.
    async fn begin(&self, append: Append, expected: Option<Seq>) -> Result<Appended, LogError> {
        let task = &append.record.task;
        if self.latest(task).await? != expected {
            return Ok(Appended::Lost);
        }
        loop {
            let expect = Expect::Latest(self.latest(task).await?);
            let append = Append { expect, record: append.record.clone() };
            let answer = self.0.append(vec![append]).await?.pop();
            if let Some(won @ Appended::Won(_)) = answer {
                return Ok(won);
            }
        }
    }
}

#[async_trait]
impl RunLog for Naive {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        let one = |append: Append| async move {
            match append.expect {
                Expect::Latest(expected) => self.begin(append, expected).await,
                Expect::Open => {
                    Ok(self.0.append(vec![append]).await?.pop().unwrap_or(Appended::Lost))
                }
            }
        };
        futures::future::try_join_all(batch.into_iter().map(one)).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.0.read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.0.past(of).await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.0.unfinished().await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.0.last_seq().await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.0.count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        self.0.changed(after).await
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        self.0.prune(prune).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.0.import(records).await
    }
}
