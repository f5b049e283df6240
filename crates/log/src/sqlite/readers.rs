//! The connections that read: some, so that a long read does not hold up the others.
//!
//! Always: there are no more than [`READERS`], and none that failed is used again. Who waits for one
//! waits as a future, so that a hundred waiting reads hold no threads and go in the order in which they
//! came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Failure;
use super::open;
use super::origin::Origin;

/// So many calls read at the same time, each on a thread.
pub(super) const READERS: usize = 4;

pub(super) struct Readers {
    origin: Origin,
    busy_timeout: Duration,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

/// The right to read.
pub(super) struct Place(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

impl Readers {
    /// Begins with one connection; the others are opened when they are needed.
    pub(super) fn new(first: Connection, origin: Origin, busy_timeout: Duration) -> Self {
        let places = Arc::new(Semaphore::new(READERS));
        Self { origin, busy_timeout, idle: Mutex::new(vec![first]), places }
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Place {
        // OK because it is never closed; without a place, one connection more is no harm.
        Place(Arc::clone(&self.places).acquire_owned().await.ok())
    }

    /// Reads something. This blocks.
    pub(super) fn read<T>(
        &self,
        _place: &Place,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.origin.check()?;
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open::reader(self.origin.path(), self.busy_timeout)?,
        };
        let done = work(&mut connection)?;
        self.idle().push(connection);
        Ok(done)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Whoever panicked under this lock left a list that is whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
