//! Sessions: the container of tasks, configuration, parameters and the run log.
//!
//! A [`Session`] is a cheap handle. What it holds are definitions, which any handle may change at any
//! time; what is going on belongs to the runtime alone, which is asked through [`Request`]s.

mod builder;
mod calendars;
mod config;
mod custom;
mod default;
mod health;
mod registry;
mod request;
#[cfg(feature = "toml")]
mod settings;
mod value;
mod why;

pub use builder::{BuildError, BuildProblem, IntoLog, SessionBuilder};
pub use config::{Config, ConfigError, OnConflict, OnLogFailure};
pub use custom::{ArgError, CustomCondition, FromLiteral};
pub use default::{DefaultLog, Registered, RegisteredCondition, session};
pub use health::{Health, LeaseHealth, LogHealth};
pub use registry::Definition;
pub use request::{Ended, Request};
#[cfg(feature = "toml")]
#[cfg_attr(docsrs, doc(cfg(feature = "toml")))]
pub use settings::SettingError;
pub use why::{Why, WhyError};

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::channel::{mpsc, oneshot};

use crate::cond::Condition;
use crate::param::Params;
use crate::probe::Probe;
use crate::record::Recorded;
use crate::runlog::{LogError, Query, RunLog};
use crate::task::{Task, TaskId};
use crate::time::{Clock, Zone};
use registry::Registry;

/// A handle to one container of tasks.
///
/// ```
/// use redengine_core::{Session, Task};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use redengine_log as _;
/// let session = Session::builder()
///     .task(Task::new("fetch", "every 10 s", || async {}))
///     .task(Task::new("load", "after task 'fetch'", || async {}))
///     .build()?;
/// assert_eq!(session.tasks().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    log: Arc<dyn RunLog>,
    clock: Option<Arc<dyn Clock>>,
    requests: mpsc::UnboundedSender<Request>,
    /// Taken by the runtime while it runs.
    inbox: Mutex<Option<mpsc::UnboundedReceiver<Request>>>,
}

struct State {
    registry: Registry,
    params: Arc<Params>,
    /// Whether the runtime wants to hear of changes.
    running: bool,
    /// What was wrong with tasks that registered themselves, which have nobody to tell.
    problems: Vec<BuildProblem>,
    health: Health,
}

/// A name that no task of the session has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown task `{name}`{}", suggestion.as_ref().map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
pub struct UnknownTask {
    /// The name.
    pub name: String,
    /// A name like it that one has.
    pub suggestion: Option<String>,
}

impl Session {
    /// Collects the parts of a session.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::new()
    }

    /// Adds a task; while the session runs, from its next cycle on. Tells the name that it got.
    ///
    /// # Errors
    ///
    /// All that is wrong with it: a name that exists (under `task_pre_exist = raise`), an unknown
    /// task in its condition, a missing parameter. The session is left as it was then.
    pub fn add_task(&self, task: impl Into<Task>) -> Result<Arc<str>, BuildError> {
        let mut state = self.state();
        let params = state.params.clone();
        let added = state.registry.add_all(vec![task.into()], &params);
        let (names, definitions) = added.map_err(BuildError::new)?;
        if state.running {
            for definition in definitions {
                self.send(Request::Define(definition));
            }
        }
        // OK because each task that is added without an error has a name.
        Ok(names.into_iter().next().unwrap_or_else(|| "".into()))
    }

    /// Removes a task: it gets no new runs, its live ones go on. Conditions that name it are in error
    /// from now on, and hold no more. Its history stays in the log.
    ///
    /// # Errors
    ///
    /// If there is no such task.
    pub fn remove_task(&self, name: &str) -> Result<(), UnknownTask> {
        let mut state = self.state();
        let id = state.registry.find(name)?;
        state.registry.remove(id);
        self.tell(&state, Request::Remove(id));
        Ok(())
    }

    /// Lets the condition of a task be looked at again.
    ///
    /// # Errors
    ///
    /// If there is no such task.
    pub fn enable(&self, name: &str) -> Result<(), UnknownTask> {
        self.set_disabled(name, false)
    }

    /// Stops looking at the condition of a task. Its live runs go on, and it can be asked to run.
    ///
    /// # Errors
    ///
    /// If there is no such task.
    pub fn disable(&self, name: &str) -> Result<(), UnknownTask> {
        self.set_disabled(name, true)
    }

    fn set_disabled(&self, name: &str, disabled: bool) -> Result<(), UnknownTask> {
        let mut state = self.state();
        let id = state.registry.find(name)?;
        if let Some(definition) = state.registry.set_disabled(id, disabled) {
            self.tell(&state, Request::Define(definition));
        }
        Ok(())
    }

    /// Tells the tasks, in the order in which they were added.
    pub fn tasks(&self) -> Vec<Arc<Definition>> {
        self.state().registry.definitions().cloned().collect()
    }

    /// Looks up a task.
    ///
    /// # Errors
    ///
    /// If there is no such task.
    pub fn task(&self, name: &str) -> Result<Arc<Definition>, UnknownTask> {
        let state = self.state();
        let id = state.registry.find(name)?;
        // OK because `find` tells only tasks that are there.
        state
            .registry
            .definition(id)
            .cloned()
            .ok_or_else(|| UnknownTask { name: name.to_owned(), suggestion: None })
    }

    /// Asks for a run of a task, whatever its condition says and even if it is disabled. If a run of
    /// it is live, it begins after that. Requests are served in order.
    ///
    /// May be asked before the session runs. The future tells how the run ended; it need not be
    /// awaited. It tells `None` if there will be no such run: the session ended before, the task was
    /// removed, or it wants a label (`on = "gpu"`) that this session's `node_labels` lack.
    ///
    /// # Errors
    ///
    /// If there is no such task.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the request back.
    pub fn request_run(
        &self,
        name: &str,
        params: Params,
    ) -> Result<impl Future<Output = Option<Ended>> + Send + use<>, UnknownTask> {
        let task = self.state().registry.find(name)?;
        let (reply, ended) = oneshot::channel();
        self.send(Request::Run { task, params, reply });
        Ok(async move { ended.await.ok() })
    }

    /// Tells the live runs of a task to stop.
    ///
    /// # Errors
    ///
    /// If there is no such task.
    pub fn terminate(&self, name: &str) -> Result<(), UnknownTask> {
        let task = self.state().registry.find(name)?;
        self.send(Request::Terminate(task));
        Ok(())
    }

    /// Stops starting runs, until [`Session::resume`]. Live ones go on.
    pub fn hold(&self) {
        self.send(Request::Hold);
    }

    /// Starts runs again.
    pub fn resume(&self) {
        self.send(Request::Resume);
    }

    /// Ends the session in order: no new runs; live ones may end within `shutdown_deadline`, then
    /// they are told to stop. Asked a second time, it tells them at once.
    pub fn shutdown(&self) {
        self.send(Request::Shutdown);
    }

    /// Ends the session now: live runs are told to stop, and aborted after `termination_grace`.
    pub fn shutdown_now(&self) {
        self.send(Request::ShutdownNow);
    }

    /// Changes the configuration, also while the session runs.
    ///
    /// # Errors
    ///
    /// If the new `shut_cond` cannot be compiled; nothing is changed then.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) -> Result<(), BuildError> {
        let mut state = self.state();
        let mut config = state.registry.config().clone();
        change(&mut config);
        state.registry.configure(config).map_err(BuildError::new)?;
        self.tell(&state, Request::Configured);
        Ok(())
    }

    /// Tells the configuration.
    pub fn config(&self) -> Config {
        self.state().registry.config().clone()
    }

    /// Tells the parameters.
    pub fn params(&self) -> Arc<Params> {
        self.state().params.clone()
    }

    /// Sets a parameter, also while the session runs: runs that begin later see it.
    pub fn set_param<T: Send + Sync + 'static>(&self, name: impl Into<Arc<str>>, value: T) {
        let mut state = self.state();
        Arc::make_mut(&mut state.params).set(name, value);
        self.tell(&state, Request::Params);
    }

    /// Tells how the session is: whether it runs, and whether its log answers.
    pub fn health(&self) -> Health {
        self.state().health.clone()
    }

    /// Reads the run log.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    pub async fn history(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.0.log.read(query).await
    }

    /// Tells the run log.
    pub fn log(&self) -> &Arc<dyn RunLog> {
        &self.0.log
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // OK to go on after a panic elsewhere: definitions are added as a whole or not at all.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: &State, request: Request) {
        if state.running {
            self.send(request);
        }
    }

    fn send(&self, request: Request) {
        // Nobody listens only when the last session handle is gone, and this is one.
        let _ = self.0.requests.unbounded_send(request);
    }
}

/// What the runtime asks of a session. Users have no need of it.
#[doc(hidden)]
impl Session {
    /// Starts listening to requests; `None` if somebody does already.
    pub fn open(&self) -> Option<Inbox> {
        let mut inbox = self.0.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = inbox.take()?;
        self.state().running = true;
        Some(Inbox { session: self.clone(), requests: Some(requests) })
    }

    /// Notes how the session is.
    pub fn set_health(&self, health: Health) {
        self.state().health = health;
    }

    /// Tells what was wrong with tasks that registered themselves.
    pub fn problems(&self) -> Option<BuildError> {
        let problems = self.state().problems.clone();
        (!problems.is_empty()).then(|| BuildError::new(problems))
    }

    /// Tells the compiled `shut_cond`.
    pub fn shut_cond(&self) -> Option<Arc<Condition>> {
        self.state().registry.shut_cond().cloned()
    }

    /// Tells the probes that conditions use, in the order of their ids, from some place on.
    pub fn probes_from(&self, place: usize) -> Vec<Probe> {
        self.state().registry.probes().get(place..).unwrap_or_default().to_vec()
    }

    /// Tells the id of the task of a name, also of one that was removed.
    pub fn id_of(&self, name: &str) -> Option<TaskId> {
        self.state().registry.id_of(name)
    }

    /// Tells the tasks that were removed and not added again.
    pub fn removed(&self) -> Vec<(TaskId, Arc<str>)> {
        self.state().registry.removed()
    }

    /// Tells the name of a task.
    pub fn name_of(&self, task: TaskId) -> Option<Arc<str>> {
        self.state().registry.definition(task).map(|definition| definition.name.clone())
    }

    /// Tells the clock that the session was given.
    pub fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.0.clock.clone()
    }

    /// Tells the session's zone.
    pub fn zone(&self) -> Zone {
        self.state().registry.zone().clone()
    }
}

/// The requests to a running session; on drop, the session can be run again.
#[doc(hidden)]
pub struct Inbox {
    session: Session,
    requests: Option<mpsc::UnboundedReceiver<Request>>,
}

impl Inbox {
    /// Waits for the next request.
    pub async fn next(&mut self) -> Option<Request> {
        self.requests.as_mut()?.next().await
    }

    /// Takes a request that is there already.
    pub fn try_next(&mut self) -> Option<Request> {
        self.requests.as_mut()?.try_recv().ok()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        {
            let mut state = self.session.state();
            state.running = false;
            state.health = Health::default();
        }
        // What was asked of this run, such as a second shutdown, is not meant for the next one.
        while self.try_next().is_some() {}
        let mut inbox = self.session.0.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        *inbox = self.requests.take();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("log", &self.0.log).finish_non_exhaustive()
    }
}
