//! How a running session is: what somebody who watches it wants to know at once.

use std::sync::Arc;

use crate::time::Timestamp;

/// How a session is.
///
/// ```
/// # use redengine_log as _;
/// let session = redengine_core::Session::builder().build().unwrap();
/// assert!(!session.health().running);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether it runs.
    pub running: bool,
    /// Whether it was told not to start anything ([`Session::hold`](super::Session::hold)).
    pub held: bool,
    /// Whether its run log answers.
    pub log: LogHealth,
    /// Whether the others that share the log know that it is there.
    pub lease: LeaseHealth,
    /// How many records wait to be written.
    pub unwritten: usize,
    /// Its name in records, while it runs.
    pub node: Option<Arc<str>>,
}

/// Whether a run log answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogHealth {
    /// It does, as far as anybody knows.
    #[default]
    Up,
    /// It does not: nothing starts, and the ends of live runs are kept until it does.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why, as it was told last.
        error: Arc<str>,
    },
}

/// Whether the others that share a log know that the session is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LeaseHealth {
    /// The log keeps no leases, or the session does not run.
    #[default]
    NotNeeded,
    /// It has a lease.
    Held,
    /// Its lease has ended, or may have: nothing starts until it has one again.
    Lost {
        /// Since when.
        since: Timestamp,
    },
}

impl Health {
    /// Tells whether the session runs and may start what is due.
    pub fn is_well(&self) -> bool {
        let is_lost = matches!(self.lease, LeaseHealth::Lost { .. });
        self.running && !self.held && self.log == LogHealth::Up && !is_lost
    }
}
