//! Custom conditions: what is asked, and how often.
//!
//! Evaluation never calls user code. A [`Probe`] is asked by the runtime, only while some verdict
//! waits on it, and evaluation sees its last answer. A probe whose answers are pushed is asked once,
//! when a verdict first waits on it, and heard from then on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream, StreamExt};

/// What went wrong when a probe was asked.
pub type ProbeError = Box<dyn std::error::Error + Send + Sync>;

/// A question about the world.
#[derive(Clone)]
pub struct Probe {
    ask: Ask,
    poll: Option<Duration>,
}

/// How often a probe is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So long after its last answer; `None`: the session's `probe_interval`.
    Polled(Option<Duration>),
    /// Once: it answers of itself whenever it has something new to say.
    Pushed,
}

/// How a probe is asked.
#[derive(Clone)]
#[non_exhaustive]
pub enum Ask {
    /// A function that may block; it is called on a thread for blocking work.
    Blocking(Arc<dyn Fn() -> Result<bool, ProbeError> + Send + Sync>),
    /// An async function.
    Async(Arc<dyn Fn() -> BoxFuture<'static, Result<bool, ProbeError>> + Send + Sync>),
    /// A stream of answers.
    Pushed(Arc<dyn Fn() -> BoxStream<'static, Result<bool, ProbeError>> + Send + Sync>),
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

    /// Makes a probe of a stream: each of its items is an answer, which holds until the next one.
    ///
    /// The stream is made each time a session begins to run and first waits on it. Its first answer
    /// should be there at once, for until then nobody knows whether the condition holds. When it
    /// ends, its last answer stays. For a `tokio::sync::watch::Receiver<bool>`, take
    /// `redengine::watched`.
    pub fn pushed<S>(answers: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = Result<bool, ProbeError>> + Send + 'static,
    {
        Self { ask: Ask::Pushed(Arc::new(move || answers().boxed())), poll: None }
    }

    /// Sets the time from one answer to the next question; by default the session's
    /// `probe_interval`. It means nothing to a probe whose answers are pushed.
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = Some(interval);
        self
    }

    /// Tells how it is asked.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Tells how often it is asked.
    pub fn pace(&self) -> Pace {
        match self.ask {
            Ask::Blocking(_) | Ask::Async(_) => Pace::Polled(self.poll),
            Ask::Pushed(_) => Pace::Pushed,
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("pace", &self.pace()).finish_non_exhaustive()
    }
}
