//! Custom conditions: what is asked, and how often.
//!
//! Evaluation never calls user code. A [`Probe`] is asked by the runtime, only while some verdict
//! waits on it, and evaluation sees its last answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

/// What went wrong when a probe was asked.
pub type ProbeError = Box<dyn std::error::Error + Send + Sync>;

/// A question about the world.
#[derive(Clone)]
pub struct Probe {
    ask: Ask,
    poll: Option<Duration>,
}

/// How a probe is asked.
#[derive(Clone)]
#[non_exhaustive]
pub enum Ask {
    /// A function that may block; it is called on a thread for blocking work.
    Blocking(Arc<dyn Fn() -> Result<bool, ProbeError> + Send + Sync>),
    /// An async function.
    Async(Arc<dyn Fn() -> BoxFuture<'static, Result<bool, ProbeError>> + Send + Sync>),
}

impl Probe {
    /// Makes a probe of a function that may block.
    pub fn blocking(ask: impl Fn() -> Result<bool, ProbeError> + Send + Sync + 'static) -> Self {
        Self { ask: Ask::Blocking(Arc::new(ask)), poll: None }
    }

    /// Makes a probe of an async function.
    pub fn future<F>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<bool, ProbeError>> + Send + 'static,
    {
        Self { ask: Ask::Async(Arc::new(move || Box::pin(ask()))), poll: None }
    }

    /// Sets the time from one answer to the next question; by default the session's
    /// `probe_interval`.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = Some(interval);
        self
    }

    /// Tells how it is asked.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Tells the time from one answer to the next question, if it has its own.
    pub fn interval(&self) -> Option<Duration> {
        self.poll
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("poll", &self.poll).finish_non_exhaustive()
    }
}
