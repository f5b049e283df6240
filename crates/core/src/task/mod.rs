//! Tasks as definitions: a name, a condition, a body, a policy.

mod body;
mod func;
mod id;
mod outcome;

pub use body::{Body, BodyFuture, SetupError, TaskResult};
pub use func::{BlockingFn, TaskFn};
pub use id::TaskId;
pub use outcome::{Inaction, IntoOutcome, Output, Plain, TaskError};

use std::sync::Arc;
use std::time::Duration;

use crate::expr::Expr;
use crate::param::Need;

/// A task, not yet in a session.
///
/// The attribute macro `#[task]` makes these of functions; by hand:
///
/// ```
/// use redengine_core::Task;
///
/// let task = Task::new("greet", "every 10 s", || async { println!("hello") });
/// assert_eq!(task.name(), Some("greet"));
/// ```
#[derive(Clone, Debug)]
pub struct Task {
    pub(crate) name: Option<String>,
    /// What it is called without a name: the function's name.
    pub(crate) function: Option<&'static str>,
    pub(crate) start: Expr,
    pub(crate) end: Option<Expr>,
    pub(crate) body: Body,
    pub(crate) policy: Policy,
    pub(crate) needs: Vec<Need>,
}

/// How a task is run, apart from when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Where it runs; `None`: as the session says.
    pub execution: Option<Execution>,
    /// Of tasks that are due together, greater ones begin first; `None`: as the session says.
    pub priority: Option<i32>,
    /// After how long a run is stopped; `None`: as the session says.
    pub timeout: Option<Timeout>,
    /// Whether its condition is not looked at; it can still be asked to run.
    pub disabled: bool,
    /// Which label a session must have to run it (`node_labels`); `None`: any session may.
    pub on: Option<Arc<str>>,
}

/// Where a task runs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Execution {
    /// As a task of the async runtime. Plain functions run on a thread all the same: they may block.
    #[default]
    Async,
    /// On a thread for blocking work.
    Thread,
}

/// After how long a run is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timeout {
    /// Never, whatever the session says.
    Never,
    /// After this long, counted from the start of the run.
    After(Duration),
}

/// A unit type that stands for a task: what `#[task]` adds beside the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    label = "this type stands for no task",
    note = "`#[task]` on `fn fetch_prices` makes the type `FetchPrices`; name that one"
)]
pub trait TaskType {
    /// What a successful run returns.
    type Output: Send + Sync + 'static;
    /// The name of the task.
    const NAME: &'static str;

    /// Makes the task.
    fn task() -> Task;

    /// Reads the value that a run of an earlier process returned; `None` if the type cannot be read
    /// from a record.
    fn decode(json: &str) -> Option<Self::Output> {
        let _ = json;
        None
    }
}

impl<T: TaskType> From<T> for Task {
    fn from(_: T) -> Self {
        T::task()
    }
}

impl Task {
    /// Makes a task of an async function or closure. Its arguments are extractors.
    pub fn new<M, F: TaskFn<M>>(
        name: impl Into<String>,
        condition: impl Into<Expr>,
        function: F,
    ) -> Self {
        Self::of_body(condition, function.into_body(), F::needs()).named(name)
    }

    /// Makes a task of a function or closure that may block; it runs on a thread for such work.
    pub fn blocking<M, F: BlockingFn<M>>(
        name: impl Into<String>,
        condition: impl Into<Expr>,
        function: F,
    ) -> Self {
        Self::of_body(condition, function.into_body(), F::needs()).named(name)
    }

    /// Makes a task without a name: it gets the name of its function, or its instance id under
    /// `use_instance_naming`. A closure has no name, so one is needed then.
    ///
    /// ```
    /// use redengine_core::Task;
    ///
    /// async fn fetch() {}
    /// assert_eq!(Task::unnamed("daily", fetch).name(), Some("fetch"));
    /// ```
    pub fn unnamed<M, F: TaskFn<M>>(condition: impl Into<Expr>, function: F) -> Self {
        let name = std::any::type_name::<F>().rsplit("::").next().unwrap_or_default();
        let task = Self::of_body(condition, function.into_body(), F::needs());
        if name.contains('{') { task } else { task.function(name) }
    }

    /// Makes a task of a body: what the others and the macros are made of.
    pub fn of_body(condition: impl Into<Expr>, body: Body, needs: Vec<Need>) -> Self {
        let start = condition.into();
        let policy = Policy::default();
        Self { name: None, function: None, start, end: None, body, policy, needs }
    }

    /// Names it.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the name that it gets if it is not named.
    pub fn function(mut self, name: &'static str) -> Self {
        self.function = Some(name);
        self
    }

    /// Stops its runs while this condition holds.
    pub fn end(mut self, condition: impl Into<Expr>) -> Self {
        self.end = Some(condition.into());
        self
    }

    /// Sets where it runs.
    pub fn execution(mut self, execution: Execution) -> Self {
        self.policy.execution = Some(execution);
        self
    }

    /// Sets its priority: of tasks that are due together, greater ones begin first.
    pub fn priority(mut self, priority: i32) -> Self {
        self.policy.priority = Some(priority);
        self
    }

    /// Sets after how long a run is stopped.
    pub fn timeout(mut self, after: Duration) -> Self {
        self.policy.timeout = Some(Timeout::After(after));
        self
    }

    /// Lets its runs take as long as they like, whatever the session says.
    pub fn no_timeout(mut self) -> Self {
        self.policy.timeout = Some(Timeout::Never);
        self
    }

    /// Runs it only in sessions that have this label among their
    /// [`node_labels`](crate::Config::node_labels).
    pub fn on(mut self, label: impl Into<Arc<str>>) -> Self {
        self.policy.on = Some(label.into());
        self
    }

    /// Leaves it out: its condition is not looked at until it is enabled.
    pub fn disabled(mut self) -> Self {
        self.policy.disabled = true;
        self
    }

    /// Tells its name, or that of its function.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().or(self.function)
    }
}
