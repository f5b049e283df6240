//! The extractors that carry values.

use std::any::{TypeId, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{FromRun, Need, RunCx};
use crate::record::RunId;
use crate::task::{SetupError, TaskType};
use crate::time::Timestamp;

/// A parameter: of the run (`request_run`), else of the session.
///
/// In a function with `#[task]` it is found by the argument's name; in a closure, which has no
/// names to see, by its type.
///
/// ```
/// use redengine_core::{Session, Task};
/// use redengine_core::param::Param;
///
///
/// let task = Task::new("report", "daily", |Param(limit): Param<usize>| async move {
///     println!("at most {limit}");
/// });
/// let session = Session::builder().param("limit", 5_usize).task(task);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<T>(pub T);

impl<T> Deref for Param<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone + Send + Sync + 'static> FromRun for Param<T> {
    fn from_run(cx: &RunCx, argument: &'static str) -> Result<Self, SetupError> {
        let session = cx.session.params();
        let own = cx.params.as_ref().and_then(|params| params.get::<T>(argument));
        match own.or_else(|| session.get::<T>(argument)) {
            Some(Ok(value)) => Ok(Self(value.clone())),
            Some(Err(found)) => Err(SetupError::unusable(format!(
                "parameter `{argument}` is a `{found}`, but the task takes a `{}`",
                type_name::<T>()
            ))),
            None => {
                let reason = session.why_not(argument, TypeId::of::<T>(), type_name::<T>());
                Err(SetupError::missing(reason))
            }
        }
    }

    fn need(argument: &'static str) -> Option<Need> {
        Some(Need::Param { name: argument, of: TypeId::of::<T>(), type_name: type_name::<T>() })
    }
}

/// What the latest successful run of another task returned.
///
/// If its type can be written with serde, it outlives the process.
pub struct Return<T: TaskType>(pub Arc<T::Output>);

impl<T: TaskType> Deref for Return<T> {
    type Target = T::Output;

    fn deref(&self) -> &T::Output {
        &self.0
    }
}

impl<T: TaskType> Clone for Return<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: TaskType<Output: fmt::Debug>> fmt::Debug for Return<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Return").field(&self.0).finish()
    }
}

impl<T: TaskType> FromRun for Return<T> {
    fn from_run(cx: &RunCx, _argument: &'static str) -> Result<Self, SetupError> {
        let output = cx.returns.iter().find(|(task, _)| *task == T::NAME).map(|(_, output)| output);
        let Some(output) = output else {
            return Err(SetupError::missing(format!(
                "task `{}` has not returned anything yet; start this one `after task '{0}'`, or \
                 take an `Option<Return<..>>`",
                T::NAME
            )));
        };
        let value = output
            .value::<T::Output>()
            .or_else(|| output.json().and_then(T::decode).map(Arc::new))
            .ok_or_else(|| {
                SetupError::unusable(format!(
                    "the value that task `{}` returned cannot be read as a `{}`",
                    T::NAME,
                    type_name::<T::Output>()
                ))
            })?;
        Ok(Self(value))
    }

    fn need(_argument: &'static str) -> Option<Need> {
        Some(Need::Return { task: T::NAME, required: true })
    }
}

/// Which run this is.
#[derive(Clone, Debug)]
pub struct RunInfo {
    task: Arc<str>,
    run: RunId,
    started: Timestamp,
    due: Option<Timestamp>,
    forced: bool,
    attempt: u64,
    trace: Option<Arc<str>>,
}

impl RunInfo {
    /// Makes it.
    pub fn new(
        task: Arc<str>,
        run: RunId,
        started: Timestamp,
        due: Option<Timestamp>,
        forced: bool,
    ) -> Self {
        Self { task, run, started, due, forced, attempt: 1, trace: None }
    }

    /// Sets which attempt it is.
    pub fn with_attempt(mut self, attempt: u64) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the trace that it belongs to.
    pub fn with_trace(mut self, trace: Option<Arc<str>>) -> Self {
        self.trace = trace;
        self
    }

    /// Tells which attempt it is: one more than the failures in a row before it.
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Tells the trace that it belongs to, as 32 hexadecimal digits: that of the parameter
    /// `traceparent` it was asked for with (W3C Trace Context), else one of its own, its run id.
    pub fn trace(&self) -> String {
        match &self.trace {
            Some(trace) => trace.to_string(),
            None => self.run.to_string().replace('-', ""),
        }
    }

    /// Tells the name of the task.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Tells the id of the run.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Tells when it began.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Tells since when its condition held; `None`: from the first, or it was asked for.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Tells whether it was asked for (`request_run`), whatever its condition says.
    pub fn is_forced(&self) -> bool {
        self.forced
    }
}
