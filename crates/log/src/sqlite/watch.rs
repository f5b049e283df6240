//! Hearing of what is written, by this process or another.
//!
//! What is written here is told at once. SQLite tells nobody what other processes write, so while
//! somebody waits, a thread looks whether the file has changed. It is a thread because Tokio's timers
//! would do the looking in Tokio's time: under a paused clock, a waiting year would be four hundred
//! million looks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redengine_core::record::Seq;
use redengine_core::runlog::{LogError, LogErrorKind};
use rusqlite::Connection;
use tokio::sync::watch;

use super::error::Failure;
use super::origin::Origin;
use super::{open, read};
use crate::last::Last;

/// How often the thread looks.
const EVERY: Duration = Duration::from_millis(75);

/// The thread ends after so many looks for nobody.
const PATIENCE: u32 = 20;

/// What who waits is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) last: Last,
    /// How often looking has failed: who waits should look and fail as well.
    failures: u64,
}

/// Tells who waits of the last number.
pub(super) struct Watch {
    shared: Arc<Shared>,
    origin: Origin,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    told: watch::Sender<Told>,
    looking: Mutex<Looking>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Looking {
    /// There is no thread.
    No,
    Yes,
    /// The log is closed.
    Over,
}

impl Watch {
    pub(super) fn new(origin: Origin) -> Self {
        let told = watch::Sender::new(Told::default());
        let shared = Arc::new(Shared { told, looking: Mutex::new(Looking::No) });
        Self { shared, origin, thread: Mutex::default() }
    }

    /// Makes what tells who waits that records up to this one can be read.
    pub(super) fn teller(&self) -> impl Fn(Seq) + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move |last| shared.tell(last)
    }

    /// Begins to wait. From now on nothing is missed.
    pub(super) fn wait(&self) -> Result<watch::Receiver<Told>, LogError> {
        let told = self.shared.told.subscribe();
        let mut looking = self.shared.looking();
        if *looking == Looking::No {
            let (shared, origin) = (Arc::clone(&self.shared), self.origin.clone());
            let thread = thread::Builder::new().name("redengine-log".to_owned());
            let thread = thread.spawn(move || look(&shared, &origin)).map_err(|error| {
                let message =
                    format!("cannot read `{}`: there is no thread", self.origin.path().display());
                LogError::new(LogErrorKind::Io, message).because(error)
            })?;
            *looking = Looking::Yes;
            *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        }
        Ok(told)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.shared.looking() = Looking::Over;
        // Its connection should not outlive the others: the last one puts the file in order.
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            thread.thread().unpark();
            // A thread that panicked is over as well.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn tell(&self, last: Seq) {
        self.told.send_if_modified(|told| told.last.tell(last));
    }

    /// Takes what the file has as its last number, looked up after `known` was told.
    fn take(&self, known: Seq, last: Seq) {
        self.told.send_if_modified(|told| told.last.take(known, last));
    }

    fn looking(&self) -> MutexGuard<'_, Looking> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks until nobody has waited for a while.
fn look(shared: &Shared, origin: &Origin) {
    let mut connection = None;
    let mut seen = None;
    let mut idle = 0;
    loop {
        // Before the file is looked at: what was told then is there, unless it was lost.
        let known = shared.told.borrow().last.number();
        if look_once(&mut connection, &mut seen, origin)
            .map(|last| last.map(|last| shared.take(known, last)))
            .is_err()
        {
            (connection, seen) = (None, None);
            shared.told.send_modify(|told| told.failures += 1);
        }
        thread::park_timeout(EVERY);
        idle = if shared.told.receiver_count() == 0 { idle + 1 } else { 0 };
        let mut looking = shared.looking();
        // Who begins to wait does so before it looks whether there is a thread.
        if *looking == Looking::Over {
            return;
        } else if idle > PATIENCE && shared.told.receiver_count() == 0 {
            *looking = Looking::No;
            return;
        }
    }
}

/// Tells the last number, if the file has changed since the last look.
fn look_once(
    connection: &mut Option<Connection>,
    seen: &mut Option<i64>,
    origin: &Origin,
) -> Result<Option<Seq>, Failure> {
    origin.check()?;
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(open::reader(origin.path(), Duration::ZERO)?),
    };
    let mut version = connection.prepare_cached("pragma data_version")?;
    let version = Some(version.query_row((), |row| row.get(0))?);
    if *seen == version {
        return Ok(None);
    }
    let last = read::last_seq(connection)?;
    *seen = version;
    Ok(Some(last))
}
