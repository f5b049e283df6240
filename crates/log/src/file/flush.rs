//! Bringing what was written to the disk some time later.
//!
//! Always: a failure is kept until somebody asks for it. Trying again would not do: the system may have
//! dropped what it could not bring to the disk, and call the rest clean.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redengine_core::record::Seq;

/// A thread that waits for the disk some time after each first write.
#[derive(Debug)]
pub(super) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    written: Option<Written>,
    failed: Option<Unsynced>,
    is_over: bool,
}

/// What is to be brought to the disk.
#[derive(Debug)]
struct Written {
    file: Arc<File>,
    since: Seq,
}

/// What may not be on the disk, and why.
#[derive(Debug)]
pub(super) struct Unsynced {
    /// The first of the records.
    pub(super) since: Seq,
    pub(super) error: io::Error,
}

impl Flusher {
    pub(super) fn start(after: Duration) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let flushes = Arc::clone(&shared);
        let builder = thread::Builder::new().name("redengine-log".to_owned());
        let thread = builder.spawn(move || flushes.run(after))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Notes that the records from `since` on are to be brought to the disk. A file that was written to
    /// before is there already: it was put aside.
    pub(super) fn note(&self, file: &Arc<File>, since: Seq) {
        let mut state = self.shared.lock();
        let since = state.written.as_ref().map_or(since, |written| written.since);
        state.written = Some(Written { file: Arc::clone(file), since });
        drop(state);
        self.shared.changed.notify_one();
    }

    /// Takes what has failed since this was asked last.
    pub(super) fn failure(&self) -> Option<Unsynced> {
        self.shared.lock().failed.take()
    }

    /// Forgets what was to be brought to the disk and what has failed: all of it is in a new file, which
    /// is there.
    pub(super) fn forget(&self) {
        let mut state = self.shared.lock();
        (state.written, state.failed) = (None, None);
    }

    /// Waits for the disk once more; tells what has failed.
    pub(super) fn end(mut self) -> Option<Unsynced> {
        self.join();
        self.failure()
    }

    fn join(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // If it panicked, there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, after: Duration) {
        let waits = |state: &mut State| state.written.is_none() && !state.is_over;
        loop {
            let waited = self.changed.wait_while(self.lock(), waits);
            let state = waited.unwrap_or_else(PoisonError::into_inner);
            let waited = self.changed.wait_timeout_while(state, after, |state| !state.is_over);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let (written, is_over) = (state.written.take(), state.is_over);
            drop(state);
            if let Some(Written { file, since }) = written
                && let Err(error) = file.sync_data()
            {
                tracing::error!(
                    %error,
                    %since,
                    "the latest records of the run log may not be on the disk"
                );
                // The first one reaches furthest back.
                self.lock().failed.get_or_insert(Unsynced { since, error });
            }
            if is_over {
                return;
            }
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.join();
    }
}
