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
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use redengine_core::record::Seq;
use redengine_core::runlog::{Append, Appended, LogError, LogErrorKind};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::Failure;
use super::write::Writer;

/// A transaction takes batches until it has so many records: who waits should not wait long.
const GROUP: usize = 4096;

/// Waits for its turn to write.
pub(super) struct Queue {
    path: Arc<Path>,
    waiting: Mutex<Waiting>,
    /// Only who leads locks this, and who closes the log.
    writer: Mutex<Writer>,
    /// Hears of each last number.
    tell: Box<dyn Fn(Seq) + Send + Sync>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    is_led: bool,
}

enum Job {
    Append { batch: Vec<Append>, answer: oneshot::Sender<Result<Vec<Appended>, LogError>> },
    Other(Box<dyn FnOnce(&mut Writer) + Send>),
}

impl Queue {
    pub(super) fn new(
        path: Arc<Path>,
        writer: Writer,
        tell: impl Fn(Seq) + Send + Sync + 'static,
    ) -> Self {
        let (waiting, writer) = (Mutex::default(), Mutex::new(writer));
        Self { path, waiting, writer, tell: Box::new(tell) }
    }

    /// Appends a batch, with those of others that wait.
    pub(super) async fn append(
        self: &Arc<Self>,
        batch: Vec<Append>,
    ) -> Result<Vec<Appended>, LogError> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Append { batch, answer });
        answered.await.map_err(|_| self.shutting_down())?
    }

    /// Does something else with the connection that writes, when its turn comes.
    pub(super) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &'static str,
        work: impl FnOnce(&mut Writer) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, LogError> {
        let (answer, answered) = oneshot::channel();
        self.submit(Job::Other(Box::new(|writer| {
            // Whoever asked may be gone.
            let _ = answer.send(work(writer));
        })));
        let answer = answered.await.map_err(|_| self.shutting_down())?;
        answer.map_err(|failure| failure.explain(doing, &self.path))
    }

    /// Does the last thing with the connection that writes, unless somebody still writes.
    pub(super) fn close(&self) -> Result<(), Failure> {
        match self.writer.try_lock() {
            Ok(mut writer) => writer.close(),
            Err(TryLockError::Poisoned(writer)) => writer.into_inner().close(),
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // Whoever panicked took along what could be wrong, and the transaction was rolled back.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing under this lock panics between two changes that belong together.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, job: Job) {
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
struct Lead {
    queue: Arc<Queue>,
    /// Whether nobody leads any more, or another already.
    is_over: bool,
}

impl Lead {
    fn lead(mut self) {
        while let Some(jobs) = self.next() {
            self.work(jobs);
        }
        self.is_over = true;
    }

    /// Takes what goes together. If nothing waits, nobody leads any more.
    fn next(&self) -> Option<Vec<Job>> {
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

    fn work(&self, jobs: Vec<Job>) {
        let Queue { path, tell, .. } = &*self.queue;
        let mut writer = self.queue.writer();
        let (mut batches, mut askers) = (Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Job::Append { batch, answer } => {
                    batches.push(batch);
                    askers.push(answer);
                }
                Job::Other(work) => return work(&mut writer),
            }
        }
        match writer.append(batches) {
            Ok((answers, last)) => {
                tell(last);
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // Whoever asked may be gone.
                    let _ = asker.send(Ok(answer));
                }
            }
            Err(failure) => {
                let error = failure.explain("write to", path);
                for asker in askers {
                    let _ = asker.send(Err(error.clone()));
                }
            }
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // The runtime ended before its turn came, or it panicked: nobody would do what waits.
        if !self.is_over {
            let mut waiting = self.queue.waiting();
            waiting.is_led = false;
            waiting.jobs.clear();
        }
    }
}
