//! The default session, and what registers itself to it.
//!
//! There always is one: [`session`] makes it when it is first asked for, with every task that
//! `#[task]` has registered in the program.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::Session;
use super::custom::CustomCondition;
use crate::record::{Recorded, Seq};
use crate::runlog::{Append, Appended, LogError, LogErrorKind, Past, PastOf, Prune, Query, RunLog};
use crate::task::Task;

static DEFAULT: Mutex<Option<Session>> = Mutex::new(None);

/// Tells the default session: the one that the tasks of `#[task]` belong to.
///
/// What is wrong with those tasks is told when it runs.
pub fn session() -> Session {
    let mut default = DEFAULT.lock().unwrap_or_else(PoisonError::into_inner);
    default.get_or_insert_with(|| Session::builder().tasks(registered()).build_anyway()).clone()
}

/// Makes a session the default one.
pub(super) fn set(session: &Session) {
    *DEFAULT.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
}

/// A task that registers itself: what `#[task]` submits.
#[derive(Debug)]
pub struct Registered {
    make: fn() -> Task,
    file: &'static str,
    line: u32,
}

impl Registered {
    /// Describes a task by how it is made and where it stands in the source.
    pub const fn new(make: fn() -> Task, file: &'static str, line: u32) -> Self {
        Self { make, file, line }
    }
}

inventory::collect!(Registered);

/// A custom condition that registers itself: what `#[condition]` submits.
#[derive(Debug)]
pub struct RegisteredCondition(pub fn() -> CustomCondition);

inventory::collect!(RegisteredCondition);

/// Makes the conditions that registered themselves, in the order of the source.
pub(super) fn registered_conditions() -> Vec<CustomCondition> {
    let make = |registered: &RegisteredCondition| (registered.0)();
    let mut all: Vec<_> = inventory::iter::<RegisteredCondition>.into_iter().map(make).collect();
    all.sort_by_key(CustomCondition::place);
    all
}

/// Makes the tasks that registered themselves, in the order of the source.
pub(super) fn registered() -> Vec<Task> {
    // The linker's order is none; that of the source is the same in each build.
    let mut all: Vec<&Registered> = inventory::iter::<Registered>.into_iter().collect();
    all.sort_by_key(|registered| (registered.file, registered.line));
    all.into_iter().map(|registered| (registered.make)()).collect()
}

/// The run log of sessions that are given none; `redengine-log` submits one that is kept in memory.
#[derive(Debug)]
pub struct DefaultLog(pub fn() -> Arc<dyn RunLog>);

inventory::collect!(DefaultLog);

impl DefaultLog {
    pub(super) fn make() -> Option<Arc<dyn RunLog>> {
        inventory::iter::<Self>.into_iter().next().map(|log| (log.0)())
    }
}

/// Stands in for the log of a session that is never built, or, as the default one, never run.
#[derive(Debug)]
pub(super) struct NoLog;

fn none<T>() -> Result<T, LogError> {
    Err(LogError::new(LogErrorKind::Open, "there is no run log"))
}

#[async_trait]
impl RunLog for NoLog {
    async fn append(&self, _batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        none()
    }

    async fn read(&self, _query: Query) -> Result<Vec<Recorded>, LogError> {
        none()
    }

    async fn past(&self, _of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        none()
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        none()
    }

    async fn count(&self, _query: Query) -> Result<u64, LogError> {
        none()
    }

    async fn changed(&self, _after: Seq) -> Result<Seq, LogError> {
        none()
    }

    async fn prune(&self, _prune: Prune) -> Result<u64, LogError> {
        none()
    }

    async fn import(&self, _records: Vec<Recorded>) -> Result<(), LogError> {
        none()
    }
}
