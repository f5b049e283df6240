//! Who writes, and in which order.
//!
//! Whoever comes first writes for all that come meanwhile: appends that wait go together in one
//! transaction, so that a hundred of them wait for the disk once. Always: there is one who leads or
//! nothing waits; jobs are done in the order in which they came; and no future needs to be polled
//! for them to be done.
//!
//! The one who leads is on Tokio's pool for blocking work, and only while there is something to do:
//! Tokio's paused clock does not advance then, so a test in virtual time sees an append take none.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use redengine_core::record::Seq;
use redengine_core::runlog::{Append, Appended, LogError, LogErrorKind};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What is asked to be appended, and what became of it: a list of batches.
pub(crate) type Group = Vec<Vec<Append>>;
pub(crate) type Answers = Vec<Vec<Appended>>;

/// What writes; only one does at a time.
pub(crate) trait Write: Send + 'static {
    /// What can go wrong.
    type Failure: fmt::Debug + Send;

    /// Appends some batches in one transaction; tells the last number then.
    fn append(&mut self, group: Group) -> Result<(Answers, Seq), Self::Failure>;

    /// Does the last thing.
    fn close(&mut self) -> Result<(), Self::Failure>;

    /// Makes a failure an error about the log at `path`, with which one wanted to be `doing` something.
    fn explain(failure: Self::Failure, doing: &str, path: &Path) -> LogError;
}

/// A transaction takes batches until it has so many records: who waits should not wait long.
const GROUP: usize = 4096;

/// Waits for its turn to write.
pub(crate) struct Queue<W: Write> {
    path: Arc<Path>,
    waiting: Mutex<Waiting<W>>,
    /// Only who leads locks this, and who closes the log.
    writer: Mutex<W>,
    /// Hears of each last number.
    tell: Box<dyn Fn(Seq) + Send + Sync>,
}

struct Waiting<W> {
    jobs: VecDeque<Job<W>>,
    is_led: bool,
}

/// What tells who asked; called when the writer is free again, so that who hears may close it.
type Tell = Box<dyn FnOnce() + Send>;

enum Job<W> {
    Append { batch: Vec<Append>, answer: oneshot::Sender<Result<Vec<Appended>, LogError>> },
    Other(Box<dyn FnOnce(&mut W) -> Tell + Send>),
}

impl<W: Write> Queue<W> {
    pub(crate) fn new(
        path: Arc<Path>,
        writer: W,
        tell: impl Fn(Seq) + Send + Sync + 'static,
    ) -> Self {
        let waiting = Mutex::new(Waiting { jobs: VecDeque::new(), is_led: false });
        let writer = Mutex::new(writer);
        Self { path, waiting, writer, tell: Box::new(tell) }
    }

    /// Appends a batch, with those of others that wait.
    pub(crate) async fn append(
        self: &Arc<Self>,
        batch: Vec<Append>,
    ) -> Result<Vec<Appended>, LogError> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Append { batch, answer });
        answered.await.map_err(|_| self.shutting_down())?
    }

    /// Does something else with the connection that writes, when its turn comes.
    pub(crate) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &'static str,
        work: impl FnOnce(&mut W) -> Result<T, W::Failure> + Send + 'static,
    ) -> Result<T, LogError> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Other(Box::new(|writer| {
            let done = work(writer);
            // Whoever asked may be gone.
            Box::new(|| drop(answer.send(done)))
        })));
        let answer = answered.await.map_err(|_| self.shutting_down())?;
        answer.map_err(|failure| W::explain(failure, doing, &self.path))
    }

    /// Does the last thing with the connection that writes, unless somebody still writes.
    pub(crate) fn close(&self) -> Result<(), W::Failure> {
        match self.writer.try_lock() {
            Ok(mut writer) => writer.close(),
            Err(TryLockError::Poisoned(writer)) => writer.into_inner().close(),
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }

    fn writer(&self) -> MutexGuard<'_, W> {
        // Whoever panicked took along what could be wrong, and the transaction was rolled back.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<W>> {
        // Nothing under this lock panics between two changes that belong together.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, job: Job<W>) {
        let mut waiting = self.waiting();
        waiting.jobs.push_back(job);
        if std::mem::replace(&mut waiting.is_led, true) {
            return;
        }
        drop(waiting);
        let lead = Lead { queue: Arc::clone(self), is_over: false };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || lead.lead())),
            // Without Tokio there is no reactor to hold up.
            Err(_) => lead.lead(),
        }
    }

    fn shutting_down(&self) -> LogError {
        let message =
            format!("cannot write to `{}`: the runtime is shutting down", self.path.display());
        LogError::new(LogErrorKind::Io, message)
    }
}

/// The one who writes for all. However it ends, another may lead.
struct Lead<W: Write> {
    queue: Arc<Queue<W>>,
    /// Whether nobody leads any more, or another already.
    is_over: bool,
}

impl<W: Write> Lead<W> {
    fn lead(mut self) {
        while let Some(jobs) = self.next() {
            self.work(jobs);
        }
        self.is_over = true;
    }

    /// Takes what goes together. If nothing waits, nobody leads any more.
    fn next(&self) -> Option<Vec<Job<W>>> {
        let mut waiting = self.queue.waiting();
        let mut jobs = Vec::new();
        let mut records = 0;
        while records < GROUP
            && let Some(job) = waiting.jobs.pop_front()
        {
            match &job {
                Job::Append { batch, .. } => records += batch.len(),
                Job::Other(_) if jobs.is_empty() => return Some(vec![job]),
                Job::Other(_) => {
                    waiting.jobs.push_front(job);
                    break;
                }
            }
            jobs.push(job);
        }
        waiting.is_led = !jobs.is_empty();
        waiting.is_led.then_some(jobs)
    }

    fn work(&self, jobs: Vec<Job<W>>) {
        let Queue { path, tell, .. } = &*self.queue;
        let mut writer = self.queue.writer();
        let (mut batches, mut askers) = (Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Job::Append { batch, answer } => {
                    batches.push(batch);
                    askers.push(answer);
                }
                Job::Other(work) => {
                    let answer = work(&mut writer);
                    drop(writer);
                    return answer();
                }
            }
        }
        let appended = writer.append(batches);
        drop(writer);
        match appended {
            Ok((answers, last)) => {
                tell(last);
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // Whoever asked may be gone.
                    let _ = asker.send(Ok(answer));
                }
            }
            Err(failure) => {
                let error = W::explain(failure, "write to", path);
                for asker in askers {
                    let _ = asker.send(Err(error.clone()));
                }
            }
        }
    }
}

impl<W: Write> Drop for Lead<W> {
    fn drop(&mut self) {
        // The runtime ended before its turn came, or it panicked: nobody would do what waits.
        if !self.is_over {
            let mut waiting = self.queue.waiting();
            waiting.is_led = false;
            waiting.jobs.clear();
        }
    }
}
