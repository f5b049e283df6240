//! Orders and batches appends: one batch is under way, the rest wait and go together.
//!
//! Always: records are appended in the order in which they were asked for. When the log fails, the
//! ends of runs are kept and tried again, after a pause that doubles; starts are given back, for the
//! decision behind them would be stale. Nothing is dropped.
//!
//! The pause is that of all who ask the log: who only reads tells of a failure here too, and it is over
//! for all once the log has answered somebody.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use redengine_core::record::RunId;
use redengine_core::runlog::{Append, Appended, Expect, LogError, RunLog};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::clock::steady;
use crate::crash::{self, Point};
use crate::engine::RunKey;

/// So many records go in one batch: enough to share the cost of a commit, few enough that the first
/// runs start while the rest of a burst is being decided.
const BATCH: usize = 512;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Whose record it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// A run of this session.
    Run(RunKey),
    /// A run that another session left behind.
    Left(RunId),
}

/// What became of a batch.
pub(crate) enum Written {
    /// The log has answered.
    Answered(Vec<(Whose, Appended)>),
    /// The log has failed. These starts may or may not be in it.
    Failed { claims: Vec<RunKey>, error: LogError },
}

type Batch = Vec<(Whose, Append)>;
type InFlight = BoxFuture<'static, (Batch, Result<Vec<Appended>, LogError>)>;

/// The appends that are under way or wait.
pub(crate) struct Journal {
    log: Arc<dyn RunLog>,
    queue: VecDeque<(Whose, Append)>,
    in_flight: Option<InFlight>,
    /// How many records are under way.
    sent: usize,
    /// The pause after the next failure.
    pause: Duration,
    /// When the log may be asked again; `None`: it has taken the last records.
    retry_at: Option<Instant>,
    /// Wakes who waits for that.
    hurried: Arc<Notify>,
}

impl Journal {
    pub(crate) fn new(log: Arc<dyn RunLog>) -> Self {
        Self {
            log,
            queue: VecDeque::new(),
            in_flight: None,
            sent: 0,
            pause: FIRST_PAUSE,
            retry_at: None,
            hurried: Arc::default(),
        }
    }

    /// Queues a record.
    pub(crate) fn push(&mut self, whose: Whose, append: Append) {
        self.queue.push_back((whose, append));
    }

    /// Tells whether there is anything to wait for.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.is_some() || !self.queue.is_empty()
    }

    /// Tells how many records wait to be written.
    pub(crate) fn len(&self) -> usize {
        self.queue.len() + self.sent
    }

    /// Takes note of a failure; several in one pause are one.
    pub(crate) fn failed(&mut self) {
        let now = steady();
        if self.retry_at.is_some_and(|at| at > now) {
            return;
        }
        // Sessions that lost the same log must not all come back at the same moment.
        self.retry_at = Some(now + self.pause.mul_f64(fastrand::f64().mul_add(0.5, 0.75)));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Waits until the log may be asked again.
    pub(crate) fn paused(&self) -> impl Future<Output = ()> + Send + use<> {
        let at = self.retry_at.unwrap_or_else(steady);
        let hurried = self.hurried.clone();
        async move {
            // Either will do.
            let _ = timeout_at(at, hurried.notified()).await;
        }
    }

    /// Ends the pause: the log has answered somebody.
    pub(crate) fn hurry(&mut self) {
        self.retry_at = None;
        self.hurried.notify_waiters();
    }

    /// Waits until the log has answered the next batch.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again: the batch stays under way.
    pub(crate) async fn next(&mut self) -> Written {
        if self.in_flight.is_none() {
            self.send();
        }
        let Some(in_flight) = &mut self.in_flight else { return std::future::pending().await };
        let (batch, result) = in_flight.await;
        self.in_flight = None;
        self.sent = 0;
        match result {
            Ok(answers) => {
                self.pause = FIRST_PAUSE;
                self.retry_at = None;
                Written::Answered(batch.into_iter().map(|(whose, _)| whose).zip(answers).collect())
            }
            Err(error) => {
                self.failed();
                let mut claims = Vec::new();
                for (whose, append) in
                    batch.into_iter().chain(self.queue.drain(..)).collect::<Vec<_>>()
                {
                    match (whose, append.expect) {
                        (Whose::Run(run), Expect::Latest(_)) => claims.push(run),
                        _ => self.queue.push_back((whose, append)),
                    }
                }
                Written::Failed { claims, error }
            }
        }
    }

    /// Takes what is there already, without waiting.
    pub(crate) fn try_next(&mut self) -> Option<Written> {
        if self.is_busy() { self.next().now_or_never() } else { None }
    }

    fn send(&mut self) {
        if self.queue.is_empty() {
            return;
        }
        let log = self.log.clone();
        let paused = self.retry_at.map(|_| self.paused());
        let batch: Batch = self.queue.drain(..self.queue.len().min(BATCH)).collect();
        self.sent = batch.len();
        self.in_flight = Some(Box::pin(async move {
            if let Some(paused) = paused {
                paused.await;
            }
            // The records are kept in case the log fails, so it is given copies.
            let copies = batch.iter().map(|(_, append)| append.clone()).collect();
            crash::pass_all(batch.iter().map(|one| points(one)[0]));
            let result = log.append(copies).await;
            let answers = result.iter().flatten();
            let won = batch.iter().zip(answers).filter(|(_, answer)| **answer != Appended::Lost);
            crash::pass_all(won.map(|(one, _)| points(one)[1]));
            (batch, result)
        }));
    }
}

/// Names the points before and after a record is appended.
fn points((whose, append): &(Whose, Append)) -> [Point; 2] {
    match (whose, append.expect) {
        (Whose::Left(_), _) => [Point::BeforeCrashAppend, Point::AfterCrashAppend],
        (Whose::Run(_), Expect::Latest(_)) => [Point::BeforeRunAppend, Point::AfterRunAppend],
        (Whose::Run(_), Expect::Open) => [Point::BeforeEndAppend, Point::AfterEndAppend],
    }
}
