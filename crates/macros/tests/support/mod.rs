//! Runs tasks without a runtime.

use std::sync::Arc;

use redengine::param::{Cancel, Params, RunCx, RunInfo};
use redengine::record::RunId;
use redengine::session::Definition;
use redengine::task::{Body, Output, TaskError, TaskResult};
use redengine::{Session, Task, Timestamp};

/// Adds a task to a session of its own and tells what became of it.
pub(crate) fn definition(task: impl Into<Task>) -> Arc<Definition> {
    let session = Session::builder().task(task).build().expect("a session");
    session.tasks()[0].clone()
}

/// Runs a task that takes nothing.
pub(crate) fn run(task: impl Into<Task>) -> TaskResult {
    run_with(task, Params::new(), Vec::new())
}

/// Runs a task that is to fail, and tells its error.
pub(crate) fn fails(task: impl Into<Task>) -> String {
    match run(task) {
        Ok(_) => "success".to_owned(),
        Err(TaskError::Inaction) => "inaction".to_owned(),
        Err(TaskError::Failed(error)) => error.to_string(),
    }
}

/// Runs a task with parameters and with what other tasks returned.
pub(crate) fn run_with(
    task: impl Into<Task>,
    params: Params,
    returns: Vec<(&'static str, Output)>,
) -> TaskResult {
    let mut builder = Session::builder().task(task);
    for (other, _) in &returns {
        builder = builder.task(Task::new(*other, "false", || async {}));
    }
    for name in ["limit", "offset", "cx", "arg1", "type"] {
        builder = builder.param(name, 0_u32);
    }
    let session = builder.build().expect("a session");
    let body = session.tasks()[0].body.clone();
    let run = RunId::from_bytes([0; 16]);
    let info = RunInfo::new("task".into(), run, Timestamp::default(), None, false);
    let cancel = Cancel::new();
    let cx = RunCx { info, session, cancel, params: Some(Arc::new(params)), returns };
    match body {
        Body::Future(start) => futures::executor::block_on(start(cx).expect("all arguments")),
        Body::Blocking(run) => run(cx).expect("all arguments"),
        other => panic!("an unknown body: {other:?}"),
    }
}
