//! What a task does when it runs.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::outcome::{Output, TaskError};
use crate::param::RunCx;

/// What a body came to.
pub type TaskResult = Result<Output, TaskError>;

/// The future of a body whose arguments are at hand.
pub type BodyFuture = BoxFuture<'static, TaskResult>;

/// What a task does when it runs. The two steps are apart so that a missing argument is not taken
/// for a failure of the task itself.
#[derive(Clone)]
#[non_exhaustive]
pub enum Body {
    /// An async function.
    Future(Arc<dyn Fn(RunCx) -> Result<BodyFuture, SetupError> + Send + Sync>),
    /// A function that may block.
    Blocking(Arc<dyn Fn(RunCx) -> Result<TaskResult, SetupError> + Send + Sync>),
}

impl Body {
    /// Makes a body of an async function.
    pub fn future<F>(start: impl Fn(RunCx) -> Result<F, SetupError> + Send + Sync + 'static) -> Self
    where
        F: Future<Output = TaskResult> + Send + 'static,
    {
        Self::Future(Arc::new(move |cx| start(cx).map(|future| Box::pin(future) as BodyFuture)))
    }

    /// Makes a body of a function that may block.
    pub fn blocking(
        run: impl Fn(RunCx) -> Result<TaskResult, SetupError> + Send + Sync + 'static,
    ) -> Self {
        Self::Blocking(Arc::new(run))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Future(_) => "Body::Future",
            Self::Blocking(_) => "Body::Blocking",
        })
    }
}

/// An argument of a task that could not be had: the run fails before its body begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SetupError {
    message: String,
    missing: bool,
}

impl SetupError {
    /// Makes the error of an argument that does not exist; an `Option` of it is `None` then.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { message: message.into(), missing: true }
    }

    /// Makes the error of an argument that exists but cannot be used.
    pub fn unusable(message: impl Into<String>) -> Self {
        Self { message: message.into(), missing: false }
    }

    /// Tells whether the argument does not exist.
    pub fn is_missing(&self) -> bool {
        self.missing
    }
}
