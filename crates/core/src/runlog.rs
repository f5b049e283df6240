//! The contract of a run log.
//!
//! The log is the truth: a run begins only after its `run` record is won by compare-and-append, and
//! whatever a scheduler knows of the past it can read from here again. Implementations live in
//! `redengine-log`; they decide nothing.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::facts::Keep;
use crate::record::{Action, Record, Recorded, RunId, Seq};
use crate::time::Timestamp;

/// What must be true of the log for a record to be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The latest record of the task has this number, or the task has none.
    ///
    /// For `run` records: the decision to run was based on all that is known of the task.
    Latest(Option<Seq>),
    /// The run has begun and has not ended.
    ///
    /// For the others: a run ends once, whoever says so first.
    Open,
}

/// A record to append, and what it expects.
#[derive(Clone, Debug)]
pub struct Append {
    /// What to write.
    pub record: Record,
    /// When to write it.
    pub expect: Expect,
}

/// What became of an [`Append`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the log.
    Won(Recorded),
    /// The log was not as expected; nothing was written.
    Lost,
}

/// Which records to read. The default is all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Query {
    /// Only of these tasks; `None`: of all.
    pub tasks: Option<Vec<Arc<str>>>,
    /// Only of these actions; empty: of all.
    pub actions: Vec<Action>,
    /// Only of this run.
    pub run: Option<RunId>,
    /// Only with greater numbers.
    pub after: Option<Seq>,
    /// Only at or after this instant.
    pub from: Option<Timestamp>,
    /// Only before this instant.
    pub until: Option<Timestamp>,
    /// Only so many.
    pub limit: Option<usize>,
    /// In which order.
    pub order: Order,
}

/// The order of records, by sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The first first.
    #[default]
    Oldest,
    /// The last first.
    Newest,
}

impl Query {
    /// Asks for all records.
    pub fn all() -> Self {
        Self::default()
    }

    /// Asks for the records of one task.
    pub fn task(name: impl Into<Arc<str>>) -> Self {
        Self { tasks: Some(vec![name.into()]), ..Self::default() }
    }

    /// Limits it to some actions.
    pub fn actions(mut self, actions: impl Into<Vec<Action>>) -> Self {
        self.actions = actions.into();
        self
    }

    /// Limits it to records with greater numbers.
    pub fn after(mut self, seq: Seq) -> Self {
        self.after = Some(seq);
        self
    }

    /// Limits it to records at or after an instant.
    pub fn from(mut self, at: Timestamp) -> Self {
        self.from = Some(at);
        self
    }

    /// Limits it to records before an instant.
    pub fn until(mut self, at: Timestamp) -> Self {
        self.until = Some(at);
        self
    }

    /// Limits the number of records.
    pub fn limit(mut self, count: usize) -> Self {
        self.limit = Some(count);
        self
    }

    /// Asks for the last records first.
    pub fn newest_first(mut self) -> Self {
        self.order = Order::Newest;
        self
    }

    /// Tells whether a record is asked for; limit and order are not looked at.
    pub fn matches(&self, recorded: &Recorded) -> bool {
        let Recorded { seq, record } = recorded;
        self.tasks.as_ref().is_none_or(|names| names.contains(&record.task))
            && (self.actions.is_empty() || self.actions.contains(&record.action))
            && self.run.is_none_or(|run| run == record.run)
            && self.after.is_none_or(|after| *seq > after)
            && self.from.is_none_or(|from| record.at >= from)
            && self.until.is_none_or(|until| record.at < until)
    }
}

/// What a scheduler must know of a task's past to go on.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// How many records of each action there are, in the order of [`Action::ALL`].
    pub counts: [u64; 6],
    /// How many of the latest ends in a row are failures.
    pub failures: u64,
    /// Records in order: of each action the latest, as many as are wanted, and the one with the
    /// greatest start; and those of runs that have not ended.
    pub records: Vec<Recorded>,
    /// The numbers of the `run` records of runs that have not ended. Others whose end is not among
    /// the records have ended all the same.
    pub open: Vec<Seq>,
}

/// A task whose past is asked for.
#[derive(Clone, Debug)]
pub struct PastOf {
    /// The task's name.
    pub task: Arc<str>,
    /// How many of the latest records of each action are wanted.
    pub keep: Keep,
}

/// A run log.
///
/// # Cancel safety
///
/// A caller may drop any of the futures; an append may or may not have happened then, and appending
/// the same record again is safe: a record whose run and action are in the log already is
/// answered with [`Appended::Won`] and the number it has.
#[async_trait]
pub trait RunLog: Send + Sync + fmt::Debug + 'static {
    /// Appends records in order, each if the log is as it expects when its turn comes, all in one
    /// transaction. Answers in the same order.
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError>;

    /// Reads records.
    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError>;

    /// Reads what must be known of some tasks to go on, in their order.
    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError>;

    /// Tells the number of the last record; 0 if there is none.
    async fn last_seq(&self) -> Result<Seq, LogError>;
}

/// What went wrong with a run log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogErrorKind {
    /// It cannot be opened: no such folder, no right to it, not a run log.
    Open,
    /// Somebody else holds it.
    Locked,
    /// It may not be written.
    ReadOnly,
    /// It was made by another version.
    Version,
    /// It holds something that is no record.
    Corrupt,
    /// Reading or writing failed.
    Io,
}

/// An error of a run log. It names the log and says what to do.
#[derive(Clone, thiserror::Error)]
#[error("{message}")]
pub struct LogError {
    kind: LogErrorKind,
    message: String,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl LogError {
    /// Makes an error.
    pub fn new(kind: LogErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the error that caused it.
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Tells what went wrong.
    pub fn kind(&self) -> LogErrorKind {
        self.kind
    }
}

impl fmt::Debug for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::error::write_chain(f, self)
    }
}
