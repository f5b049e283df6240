//! Runs a body: on the async runtime or on a thread, with its panics and its end reported.
//!
//! Always: a started run sends exactly one `Ended`, whatever its body does; dropping the session
//! aborts what is async. Code that blocks a thread can be asked to stop, not made to.

mod panic;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{AbortHandle, AbortRegistration, Abortable};
use redengine_core::Session;
use redengine_core::param::{Cancel, RunCx};
use redengine_core::record::Reason;
use redengine_core::task::{Body, BodyFuture, Execution, SetupError, TaskError, TaskResult};
use tokio::sync::mpsc::UnboundedSender;

use crate::crash::{self, Point};
use crate::effect::Ticket;
use crate::engine::RunKey;
use crate::event::{BodyEnd, Event};
pub(crate) use panic::{describe, note_places};

/// A run that was started.
#[derive(Debug)]
pub(crate) struct Started {
    key: RunKey,
    cancel: Cancel,
    abort: AbortHandle,
}

/// The runs that were started and have not ended, by the place of their keys. Aborted when dropped.
#[derive(Debug, Default)]
pub(crate) struct StartedRuns(Vec<Option<Started>>);

impl StartedRuns {
    pub(crate) fn insert(&mut self, started: Started) {
        let index = started.key.index();
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        // OK because the line above made room for it.
        self.0[index] = Some(started);
    }

    pub(crate) fn remove(&mut self, key: RunKey) {
        if let Some(place) = self.0.get_mut(key.index()) {
            place.take_if(|started| started.key == key);
        }
    }

    /// Tells a run to stop.
    pub(crate) fn cancel(&self, key: RunKey) {
        if let Some(started) = self.get(key) {
            started.cancel.cancel();
        }
    }

    /// Aborts a run.
    pub(crate) fn abort(&self, key: RunKey) {
        if let Some(started) = self.get(key) {
            started.abort.abort();
        }
    }

    fn get(&self, key: RunKey) -> Option<&Started> {
        self.0.get(key.index())?.as_ref().filter(|started| started.key == key)
    }
}

impl Drop for StartedRuns {
    fn drop(&mut self) {
        for started in self.0.iter().flatten() {
            started.cancel.cancel();
            started.abort.abort();
        }
    }
}

/// Makes a run ready, and what stops it.
pub(crate) fn prepare(ticket: Ticket) -> (Started, Ready) {
    let (abort, aborted) = AbortHandle::new_pair();
    let cancel = Cancel::new();
    let started = Started { key: ticket.key, cancel: cancel.clone(), abort };
    (started, Ready { ticket, cancel, aborted })
}

/// A run that is ready to be started. It may be told to stop before that.
#[derive(Debug)]
pub(crate) struct Ready {
    ticket: Ticket,
    cancel: Cancel,
    aborted: AbortRegistration,
}

/// So many runs are started by whoever decides them ..
const FEW: usize = 16;

/// .. and of more than that, so many by one task of the async runtime.
///
/// Starting takes about as long as deciding, and wakes a thread that waits for work; so another
/// thread does it, while the rest of a burst is being decided.
const TOGETHER: usize = 64;

/// Starts runs if they are many already. Their ends come as events.
pub(crate) fn start_many(
    ready: &mut Vec<Ready>,
    session: &Session,
    events: &UnboundedSender<Event>,
) {
    if ready.len() >= TOGETHER {
        let many = std::mem::replace(ready, Vec::with_capacity(TOGETHER));
        start_elsewhere(many, session, events);
    }
}

/// Starts runs, and leaves none. Their ends come as events.
pub(crate) fn start_rest(
    ready: &mut Vec<Ready>,
    session: &Session,
    events: &UnboundedSender<Event>,
) {
    if ready.len() <= FEW {
        ready.drain(..).for_each(|run| run.start(session, events));
    } else {
        start_elsewhere(std::mem::take(ready), session, events);
    }
}

fn start_elsewhere(runs: Vec<Ready>, session: &Session, events: &UnboundedSender<Event>) {
    let (session, events) = (session.clone(), events.clone());
    tokio::spawn(async move {
        for run in runs {
            run.start(&session, &events);
        }
    });
}

impl Ready {
    /// Starts it. Its end comes as an event.
    fn start(self, session: &Session, events: &UnboundedSender<Event>) {
        let Self { ticket, cancel, aborted } = self;
        let Ticket { key, definition, execution, info, params, returns } = ticket;
        let cx = RunCx { info, session: session.clone(), cancel, params, returns };
        let end = End { key, events: Some(events.clone()) };
        match (&definition.body, execution) {
            (Body::Future(prepare), Execution::Async) => {
                let body = Running::Prepared { prepare: prepare.clone(), cx };
                tokio::spawn(Abortable::new(Reported { body, end }, aborted));
            }
            (Body::Future(prepare), _) => {
                let prepare = prepare.clone();
                let runtime = tokio::runtime::Handle::current();
                on_thread(end, aborted, move || runtime.block_on(finish_future(prepare(cx))));
            }
            (Body::Blocking(run), _) => {
                let run = run.clone();
                on_thread(end, aborted, move || match run(cx) {
                    Ok(result) => body_end(result),
                    Err(error) => BodyEnd::SetupFailed(error),
                });
            }
            // `Body` is open to further kinds; a task of one that this version cannot run fails.
            _ => {
                let error = SetupError::unusable("this version cannot run such a body");
                on_thread(end, aborted, move || BodyEnd::SetupFailed(error));
            }
        }
    }
}

fn on_thread(
    mut end: End,
    aborted: AbortRegistration,
    body: impl FnOnce() -> BodyEnd + Send + 'static,
) {
    tokio::task::spawn_blocking(move || {
        // Aborted before there was a thread for it; later, nobody can.
        if !aborted.handle().is_aborted() {
            crash::pass(Point::BeforeBody);
            end.send(catch_unwind(AssertUnwindSafe(body)));
        }
    });
}

/// The body of an async run, and later its end.
///
/// By hand, for an `async` block would keep room for what it was given beside what it made of it,
/// and a burst starts thousands of these.
struct Reported {
    body: Running,
    end: End,
}

type Prepare = dyn Fn(RunCx) -> Result<BodyFuture, SetupError> + Send + Sync;

enum Running {
    /// It has not been polled.
    Prepared { prepare: Arc<Prepare>, cx: RunCx },
    /// It is under way.
    Begun(BodyFuture),
    /// It has ended.
    Over,
}

impl Running {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BodyEnd> {
        if let Self::Prepared { .. } = self
            && let Self::Prepared { prepare, cx } = std::mem::replace(self, Self::Over)
        {
            crash::pass(Point::BeforeBody);
            match prepare(cx) {
                Ok(future) => *self = Self::Begun(future),
                Err(error) => return Poll::Ready(BodyEnd::SetupFailed(error)),
            }
        }
        // Nobody polls what has ended.
        let Self::Begun(future) = self else { return Poll::Pending };
        let polled = future.as_mut().poll(cx).map(body_end);
        if polled.is_ready() {
            *self = Self::Over;
        }
        polled
    }
}

impl Future for Reported {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let end = match catch_unwind(AssertUnwindSafe(|| self.body.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(end)) => Ok(end),
            Err(payload) => Err(payload),
        };
        self.end.send(end);
        Poll::Ready(())
    }
}

async fn finish_future(prepared: Result<BodyFuture, SetupError>) -> BodyEnd {
    match prepared {
        Ok(future) => body_end(future.await),
        Err(error) => BodyEnd::SetupFailed(error),
    }
}

fn body_end(result: TaskResult) -> BodyEnd {
    match result {
        Ok(output) => BodyEnd::Succeeded(output),
        Err(TaskError::Inaction) => BodyEnd::Inaction,
        Err(TaskError::Failed(error)) => BodyEnd::Failed(Reason::of(&*error)),
    }
}

/// Sends the end of a run, at the latest when it is dropped with its future.
struct End {
    key: RunKey,
    events: Option<UnboundedSender<Event>>,
}

impl End {
    fn send(&mut self, end: Result<BodyEnd, Box<dyn Any + Send>>) {
        let end = end.unwrap_or_else(|payload| BodyEnd::Failed(describe(&*payload).into()));
        self.report(end);
    }

    fn report(&mut self, end: BodyEnd) {
        if let Some(events) = self.events.take() {
            crash::pass(Point::AfterBody);
            // Nobody listens when the session was dropped; then nobody wants to know.
            let _ = events.send(Event::Ended(self.key, end));
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.report(BodyEnd::Aborted);
    }
}
