//! Why a task runs or does not, now or at a past instant.

use std::fmt;
use std::sync::Arc;

use futures::channel::oneshot;

use super::{Request, Session, UnknownTask};
use crate::cond::{Explanation, View, explain};
use crate::facts::{Facts, Keep};
use crate::record::Seq;
use crate::runlog::{LogError, PastOf, Query};
use crate::task::TaskId;
use crate::time::Timestamp;

/// Why a task runs or does not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Why {
    /// The task.
    pub task: Arc<str>,
    /// The instant that was asked about.
    pub at: Timestamp,
    /// What keeps it from starting whatever its condition says: a live run, `disable`, `hold`.
    pub blocked: Option<String>,
    /// Its condition, part by part.
    pub condition: Explanation,
    /// Of which tasks how many records were removed from the log (`retention`), so that what is told of
    /// a past instant may lack them. Empty for now: what a condition needs now is never removed.
    pub removed: Vec<(Arc<str>, u64)>,
}

impl Why {
    /// Makes an answer.
    pub fn new(
        task: Arc<str>,
        at: Timestamp,
        blocked: Option<String>,
        condition: Explanation,
    ) -> Self {
        Self { task, at, blocked, condition, removed: Vec::new() }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = if self.condition.holds() { "holds" } else { "does not hold" };
        write!(f, "task `{}`: its condition {holds}", self.task)?;
        if let Some(blocked) = &self.blocked {
            write!(f, "; it does not start since {blocked}")?;
        }
        write!(f, "\n{}", self.condition)?;
        self.removed.iter().try_for_each(|(task, count)| {
            write!(f, "\nnote: {count} old records of `{task}` were removed from the log, and are not known")
        })
    }
}

/// Why it cannot be told why.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WhyError {
    /// There is no such task.
    #[error(transparent)]
    UnknownTask(#[from] UnknownTask),
    /// The session does not run, so there is no now; ask for an instant with `why_at`.
    #[error("the session does not run; ask for an instant with `why_at`")]
    NotRunning,
    /// The run log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Session {
    /// Tells why a task of this running session runs or does not: which parts of its condition hold,
    /// since when, what it found, and when or on what that may change.
    ///
    /// # Errors
    ///
    /// If there is no such task, or the session does not run.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub async fn why(&self, name: &str) -> Result<Why, WhyError> {
        let answer = {
            let state = self.state();
            let task = state.registry.find(name)?;
            if !state.running {
                return Err(WhyError::NotRunning);
            }
            let (reply, answer) = oneshot::channel();
            self.send(Request::Why { task, reply });
            answer
        };
        answer.await.map_err(|_| WhyError::NotRunning)
    }

    /// Tells why the condition of a task held or did not at an instant, from the run log alone. What
    /// is not in the log is not known: custom conditions, parameters of then, cycles, and records that
    /// were removed, which [`Why::removed`] counts. All records of the tasks that the condition looks at
    /// are read, some thousands at a time.
    ///
    /// # Errors
    ///
    /// If there is no such task, or the log cannot be read.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub async fn why_at(&self, name: &str, at: Timestamp) -> Result<Why, WhyError> {
        let definition = self.task(name)?;
        let mut facts = Facts::default();
        for (name, value) in self.params().iter() {
            facts.set_param(name.clone(), value.text().cloned());
        }
        let mut reads: Vec<TaskId> = vec![definition.id];
        for (who, keep) in definition.start.reads() {
            if let Some(task) = who.task(Some(definition.id)) {
                facts.keep(task, *keep);
                if !reads.contains(&task) {
                    reads.push(task);
                }
            }
        }
        let mut removed = Vec::new();
        for task in reads {
            let Some(name) = self.name_of(task) else { continue };
            self.replay(task, &name, at, &mut facts).await?;
            let count = self.count_removed(&name).await?;
            if count > 0 {
                removed.push((name, count));
            }
        }
        let live = facts.history(definition.id).live().first();
        let blocked = live.map(|live| format!("run {} of it was live", live.run));
        let view = View { facts: &facts, owner: Some(definition.id), now: at };
        let name = |task| self.name_of(task);
        let condition = explain(&definition.start, &view, &self.zone(), &name);
        let why = Why::new(definition.name.clone(), at, blocked, condition);
        Ok(Why { removed, ..why })
    }

    /// Applies the records of a task up to an instant.
    async fn replay(
        &self,
        task: TaskId,
        name: &Arc<str>,
        at: Timestamp,
        facts: &mut Facts,
    ) -> Result<(), LogError> {
        const PAGE: usize = 4096;
        let until = Timestamp::from_micros(at.as_micros().saturating_add(1));
        let query = Query::task(name.clone()).until(until).limit(PAGE);
        let mut after = Seq::default();
        loop {
            let records = self.log().read(query.clone().after(after)).await?;
            let Some(last) = records.last() else { return Ok(()) };
            after = last.seq;
            for recorded in &records {
                facts.apply(task, recorded);
            }
        }
    }

    /// Tells how many records of a task there were and are no more.
    async fn count_removed(&self, name: &Arc<str>) -> Result<u64, LogError> {
        let of = PastOf { task: name.clone(), keep: Keep::default() };
        let past = self.log().past(vec![of]).await?;
        let left = self.log().count(Query::task(name.clone())).await?;
        let all: u64 = past.iter().flat_map(|past| past.counts).sum();
        Ok(all.saturating_sub(left))
    }
}
