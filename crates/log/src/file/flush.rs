//! Bringing what was written to the disk some time later.

use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
    /// What was written to.
    written: Option<Arc<File>>,
    is_over: bool,
}

impl Flusher {
    pub(super) fn start(after: Duration) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let flushes = Arc::clone(&shared);
        let builder = thread::Builder::new().name("redengine-log".to_owned());
        let thread = builder.spawn(move || flushes.run(after))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Notes that there is something to be brought to the disk.
    pub(super) fn note(&self, file: &Arc<File>) {
        self.shared.lock().written.get_or_insert_with(|| Arc::clone(file));
        self.shared.changed.notify_one();
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
            if let Some(Err(error)) = written.map(|file| file.sync_data()) {
                tracing::error!(%error, "the latest records of the run log may not be on the disk");
            }
            if is_over {
                return;
            }
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // If it panicked, there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}
