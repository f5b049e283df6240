//! The contract of a run log.
//!
//! The log is the truth: a run begins only after its `run` record is won by compare-and-append, and
//! whatever a scheduler knows of the past it can read from here again. Implementations live in
//! `redengine-log`; they decide nothing.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::Stream;
use futures::stream;

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

    /// Limits it to some tasks.
    pub fn tasks<T: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.tasks = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Limits it to one run.
    pub fn run(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
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
/// A batch is there whole or not at all, for whoever looks. A run has at most one record of each
/// action.
///
/// # Cancel safety
///
/// A caller may drop any of the futures; an append may or may not have happened then, and appending
/// the same record again, expecting the same, is safe: a record whose run and action are in the log
/// already is answered with [`Appended::Won`] and the number it has. If it was removed meanwhile, it is
/// not written again, because what it expects is not so any more; the log may have forgotten then that
/// it was won, and answer [`Appended::Lost`]. It may do so too if something else is expected than when
/// it was won, and is not so.
#[async_trait]
pub trait RunLog: Send + Sync + fmt::Debug + 'static {
    /// Appends records in order, each if the log is as it expects when its turn comes, all in one
    /// transaction. Answers in the same order.
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError>;

    /// Reads records.
    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError>;

    /// Reads what must be known of some tasks to go on, in their order.
    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError>;

    /// Tells of which tasks runs have begun and not ended, each once, in any order.
    ///
    /// It is asked when a session begins, so that what others left behind is ended also if nobody has
    /// the task any more. By default, all `run` records are read for it: a log that knows which runs
    /// are open should say so itself.
    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        let mut names = HashSet::new();
        let mut after = Seq(0);
        loop {
            let begun = Query::all().actions([Action::Run]).after(after).limit(FOLLOWED);
            let begun = self.read(begun).await?;
            let Some(last) = begun.last() else { break };
            after = last.seq;
            names.extend(begun.into_iter().map(|begun| begun.record.task));
        }
        let names: Vec<Arc<str>> = names.into_iter().collect();
        let of = names.iter().map(|task| PastOf { task: task.clone(), keep: Keep::default() });
        let pasts = self.past(of.collect()).await?;
        let open = names.into_iter().zip(pasts).filter(|(_, past)| !past.open.is_empty());
        Ok(open.map(|(task, _)| task).collect())
    }

    /// Tells the number of the last record; 0 if there is none.
    async fn last_seq(&self) -> Result<Seq, LogError>;

    /// Counts records; the query's limit and order are not looked at.
    async fn count(&self, query: Query) -> Result<u64, LogError>;

    /// Waits until there is a record with a greater number than this, and tells the last number.
    ///
    /// A log that others write to as well hears of theirs here too. When it has told a number, all
    /// records up to that one can be read, and none of them comes later. If it loses records that it
    /// has told of, up to this number or beyond, it fails with [`LogErrorKind::Replaced`] until there
    /// are as many again: who goes on must look what is there.
    async fn changed(&self, after: Seq) -> Result<Seq, LogError>;

    /// Removes old records, and tells how many.
    ///
    /// All that are old by one of the two measures go, but for those that are needed: what
    /// [`RunLog::past`] must answer stays as it is (the latest record of each action and as many
    /// more as are said to be needed, the one with the greatest start, those of runs that have not
    /// ended, and all counts), with the ends of the runs whose starts stay for that, and so do the
    /// numbers of the records. A dropped future has removed a part.
    async fn prune(&self, prune: Prune) -> Result<u64, LogError>;

    /// Writes records that another log has recorded, under their numbers, all or none of them. So a
    /// log is filled from another with what comes after its own last. Counts are of what is imported:
    /// those of records that were removed from the other log do not come along.
    ///
    /// # Errors
    ///
    /// [`LogErrorKind::Order`], and none of them is written: their numbers do not increase, or are not
    /// greater than the last one; or a run would have two records of an action. Records that were
    /// removed do not count for that.
    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError>;

    /// Gives the room of removed records back, where that takes more than removing them: a log that
    /// has no need of it does nothing. No record is changed, and it may be called at any time.
    async fn compact(&self) -> Result<(), LogError> {
        Ok(())
    }

    /// Tells how sessions that share the log know which of them are there.
    ///
    /// `None`: they are processes of one machine, and can look.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }
}

impl dyn RunLog {
    /// Gives all records with greater numbers than `after`, in order: those that are there, and then
    /// those that come, of whomever. It never ends; after an error, the next item tries again.
    ///
    /// # Cancel safety
    ///
    /// A dropped stream has lost nothing: go on with another one after the last number.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use futures::StreamExt;
    /// use redengine_core::record::Seq;
    /// use redengine_core::runlog::RunLog;
    ///
    /// # async fn f(log: Arc<dyn RunLog>) -> Result<(), redengine_core::runlog::LogError> {
    /// let mut records = log.follow(Seq(0));
    /// while let Some(recorded) = records.next().await {
    ///     println!("{:?}", recorded?.record);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow(
        self: &Arc<Self>,
        after: Seq,
    ) -> stream::BoxStream<'static, Result<Recorded, LogError>> {
        let log = Arc::clone(self);
        Box::pin(follow(log, after))
    }

    /// Tells the latest record of a task, of some actions.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    ///
    /// # Cancel safety
    ///
    /// It only reads.
    pub async fn latest(
        &self,
        task: impl Into<Arc<str>>,
        actions: impl Into<Vec<Action>>,
    ) -> Result<Option<Recorded>, LogError> {
        let query = Query::task(task).actions(actions).newest_first().limit(1);
        Ok(self.read(query).await?.pop())
    }
}

/// So many records are read at a time.
const FOLLOWED: usize = 1024;

fn follow(log: Arc<dyn RunLog>, after: Seq) -> impl Stream<Item = Result<Recorded, LogError>> {
    let start = (log, after, VecDeque::<Recorded>::new());
    stream::unfold(start, |(log, mut after, mut read)| async move {
        loop {
            if let Some(recorded) = read.pop_front() {
                return Some((Ok(recorded), (log, after, read)));
            }
            let more = async {
                log.changed(after).await?;
                log.read(Query::all().after(after).limit(FOLLOWED)).await
            };
            match more.await {
                Ok(records) => {
                    after = records.last().map_or(after, |last| last.seq);
                    read = records.into();
                }
                Err(error) => return Some((Err(error), (log, after, read))),
            }
        }
    })
}

/// Which records may be removed. The default is none.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Prune {
    /// Those before this instant.
    pub before: Option<Timestamp>,
    /// Those of a task that has so many later ones.
    pub beyond: Option<u64>,
    /// Only those of these tasks; `None`: of all. Others who share the log may need more of theirs.
    pub tasks: Option<HashSet<Arc<str>>>,
    /// What is needed of some tasks; of the others, what [`Keep::default`] says.
    pub needed: Vec<PastOf>,
}

impl Prune {
    /// Removes records before an instant.
    pub fn before(mut self, at: Timestamp) -> Self {
        self.before = Some(at);
        self
    }

    /// Removes the records of a task beyond so many later ones.
    pub fn beyond(mut self, count: u64) -> Self {
        self.beyond = Some(count);
        self
    }

    /// Limits it to records of some tasks.
    pub fn tasks<T: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.tasks = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Tells whether records of a task may be removed at all.
    pub fn is_of(&self, task: &str) -> bool {
        self.tasks.as_ref().is_none_or(|names| names.contains(task))
    }

    /// Keeps what is needed of some tasks.
    pub fn needed(mut self, needed: Vec<PastOf>) -> Self {
        self.needed = needed;
        self
    }
}

/// How sessions on many machines know which of them are there: each has a lease, which it renews.
///
/// Instants are those of the log's clock, never of a session's.
///
/// A lease that has run out may be renewed until another session has ended it; one that was ended is
/// over, and its name is used up. While a lease has run out or is over, no run begins under its name:
/// [`RunLog::append`] fails with [`LogErrorKind::Fenced`] for a batch with a `run` record whose
/// [`node`](crate::record::Details::node) it is, and writes none of the batch. Other records are
/// taken from whomever, and who never had a lease needs none.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes or renews the lease of a session for `ttl` from now, ends the leases that have run out
    /// and those of `gone`, who may have had none, and tells who is there.
    ///
    /// A log may leave those whose leases have run out the time to come back, as after an outage; but
    /// it ends them as soon as others have had the time to renew theirs.
    ///
    /// # Errors
    ///
    /// [`LogErrorKind::Fenced`] if the session's own lease was ended: it is not there any more for
    /// the others, its runs are theirs to bury, and it needs another name.
    async fn renew(
        &self,
        me: &Member,
        ttl: Duration,
        gone: &[Arc<str>],
    ) -> Result<Vec<Member>, LogError>;

    /// Gives the lease back: the others do not see it any more, and its name may be taken again. A
    /// lease that was ended stays so.
    async fn release(&self, node: &Arc<str>) -> Result<(), LogError>;
}

/// A session that shares a log with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name in records.
    pub node: Arc<str>,
    /// What it is good for: tasks may want to run only where there is `gpu`.
    pub labels: Vec<Arc<str>>,
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
    /// Records to import do not go on where the log ends.
    Order,
    /// There is no room for more.
    Full,
    /// The server cannot be reached, or went away.
    Unreachable,
    /// It is not what it was when it was opened: it was restored from a backup, or a server has taken
    /// over, and lacks records that it had told of; or its file was moved away.
    Replaced,
    /// The session's lease has ended, so others have taken over from it.
    Fenced,
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
