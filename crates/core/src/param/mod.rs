//! Arguments of tasks: extractors, and where their values come from.
//!
//! An argument is looked up when its run begins. A parameter comes from the run's own (those of
//! `request_run`), else from the session's. What can be checked when the session is built is
//! ([`FromRun::need`]), so that a missing parameter is found before the first run.

mod builtin;
mod cancel;
mod set;

pub use builtin::{Param, Return, RunInfo};
pub use cancel::Cancel;
pub use set::{ParamValue, Params};

use std::any::TypeId;
use std::sync::Arc;

use crate::session::Session;
use crate::task::{Output, SetupError};

/// What a run can give to the arguments of its task.
#[derive(Clone, Debug)]
pub struct RunCx {
    /// Which run it is.
    pub info: RunInfo,
    /// The session that runs it.
    pub session: Session,
    /// Tells the run to stop.
    pub cancel: Cancel,
    /// The run's own parameters; they come before the session's.
    pub params: Option<Arc<Params>>,
    /// What the tasks that it wants returned last.
    pub returns: Vec<(&'static str, Output)>,
}

/// An extractor: a type that a task may take as an argument.
///
/// ```
/// use redengine_core::param::{FromRun, RunCx};
/// use redengine_core::SetupError;
///
/// /// The name of the task that runs.
/// struct TaskName(String);
///
/// impl FromRun for TaskName {
///     fn from_run(cx: &RunCx, _argument: &'static str) -> Result<Self, SetupError> {
///         Ok(Self(cx.info.task().to_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a task",
    label = "not an extractor",
    note = "for a shared value write `Param<{Self}>`; other extractors are `Return<Task>`, `RunInfo`, `Session`, `Cancel` and `Option` of them"
)]
pub trait FromRun: Sized {
    /// Makes the argument. `argument` is its name in a function with `#[task]`, else empty.
    fn from_run(cx: &RunCx, argument: &'static str) -> Result<Self, SetupError>;

    /// Tells what must be in the session for that.
    fn need(argument: &'static str) -> Option<Need> {
        let _ = argument;
        None
    }
}

/// What must be in a session for a task to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// A parameter of some type.
    Param {
        /// Its name; empty: the only one of that type.
        name: &'static str,
        /// The type.
        of: TypeId,
        /// The type's name.
        type_name: &'static str,
    },
    /// What another task returned.
    Return {
        /// The name of that task.
        task: &'static str,
        /// Whether the run cannot do without.
        required: bool,
    },
}

impl<T: FromRun> FromRun for Option<T> {
    fn from_run(cx: &RunCx, argument: &'static str) -> Result<Self, SetupError> {
        match T::from_run(cx, argument) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn need(argument: &'static str) -> Option<Need> {
        match T::need(argument)? {
            Need::Return { task, .. } => Some(Need::Return { task, required: false }),
            Need::Param { .. } => None,
        }
    }
}

impl FromRun for Session {
    fn from_run(cx: &RunCx, _argument: &'static str) -> Result<Self, SetupError> {
        Ok(cx.session.clone())
    }
}

impl FromRun for Cancel {
    fn from_run(cx: &RunCx, _argument: &'static str) -> Result<Self, SetupError> {
        Ok(cx.cancel.clone())
    }
}

impl FromRun for RunInfo {
    fn from_run(cx: &RunCx, _argument: &'static str) -> Result<Self, SetupError> {
        Ok(cx.info.clone())
    }
}
