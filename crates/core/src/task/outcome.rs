//! What a run came to, as its body tells it.

use std::any::{Any, TypeId};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The value that a successful run returned.
#[derive(Clone, Default)]
pub struct Output {
    value: Option<Arc<dyn Any + Send + Sync>>,
    json: Option<String>,
}

impl Output {
    /// Keeps a value for `Return`; `json` goes into the record, so that a later process has it too.
    pub fn new<T: Send + Sync + 'static>(value: T, json: Option<String>) -> Self {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return Self::default();
        }
        Self { value: Some(Arc::new(value)), json }
    }

    /// Makes the output that a record tells of.
    pub fn from_json(json: String) -> Self {
        Self { value: None, json: Some(json) }
    }

    /// Tells the value, if this process made it and it is of that type.
    pub fn value<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.value.clone()?.downcast().ok()
    }

    /// Tells the value as JSON, if its type can be written so.
    pub fn json(&self) -> Option<&str> {
        self.json.as_deref()
    }

    /// Tells whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.value.is_none() && self.json.is_none()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("json", &self.json).finish_non_exhaustive()
    }
}

/// Returned as an error by a run that found nothing to do: it ends as `inaction`, neither success
/// nor failure, and `daily` and the like count it as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("nothing to do")]
pub struct Inaction;

/// The error of a body: a task's own, which is data and harms nobody.
#[derive(Debug)]
pub enum TaskError {
    /// The run found nothing to do.
    Inaction,
    /// The run failed.
    Failed(Box<dyn Error + Send + Sync>),
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for TaskError {
    fn from(error: E) -> Self {
        let error = error.into();
        if error.is::<Inaction>() { Self::Inaction } else { Self::Failed(error) }
    }
}

/// What a task may return: nothing, or a `Result`.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "not an outcome",
    note = "return nothing, or a `Result<T, E>` whose `E` is an error; a value is returned as `Ok(value)`"
)]
pub trait IntoOutcome {
    /// The value of a success, kept for `Return`.
    type Value: Send + Sync + 'static;

    /// Tells the value or the error.
    fn into_outcome(self) -> Result<Self::Value, TaskError>;
}

impl IntoOutcome for () {
    type Value = ();

    fn into_outcome(self) -> Result<(), TaskError> {
        Ok(())
    }
}

impl<T: Send + Sync + 'static, E: Into<TaskError>> IntoOutcome for Result<T, E> {
    type Value = T;

    fn into_outcome(self) -> Result<T, TaskError> {
        self.map_err(Into::into)
    }
}

/// A plain value as an outcome: it always succeeds. The macros wrap what is no `Result` in it.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub T);

impl<T: Send + Sync + 'static> IntoOutcome for Plain<T> {
    type Value = T;

    fn into_outcome(self) -> Result<T, TaskError> {
        Ok(self.0)
    }
}
