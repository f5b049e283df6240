//! Running a session: what `session.run()` gives, and what can be said before it is awaited.

use std::future::{Future, IntoFuture};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use redengine_core::Session;

use crate::driver::Driver;
use crate::error::RunError;
use crate::exec::describe;

/// Any error.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Runs sessions on Tokio. It is in the prelude.
pub trait RunSession {
    /// Runs the session until it is shut down: by [`Session::shutdown`], its `shut_cond`, Ctrl-C or
    /// SIGTERM. Await the result; nothing happens before that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the session at once: async runs are aborted, runs that block a
    /// thread are told to stop and left behind. Their ends are not recorded; the next session on the
    /// log records them as crashed. To end in order, ask for [`Session::shutdown`].
    fn run(&self) -> Run;
}

impl RunSession for Session {
    fn run(&self) -> Run {
        Run { session: self.clone(), stop: Stop::Signals, empty: Empty::IsAnError }
    }
}

/// A session that is about to run. Await it.
///
/// ```no_run
/// use redengine_core::Session;
/// use redengine_runtime::RunSession;
///
/// # async fn f(session: Session) -> Result<(), redengine_runtime::Error> {
/// session.run().await?;
/// // or, where the program has its own idea of when to end:
/// let (end, ended) = tokio::sync::oneshot::channel::<()>();
/// session.run().with_graceful_shutdown(async { ended.await.unwrap_or(()) }).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a session runs only while this is awaited"]
pub struct Run {
    session: Session,
    stop: Stop,
    empty: Empty,
}

enum Stop {
    /// Ctrl-C and SIGTERM: the first ends the session in order, the second at once.
    Signals,
    /// Something else, once.
    When(BoxFuture<'static, ()>),
    /// Only requests.
    Requests,
}

enum Empty {
    IsAnError,
    IsFine,
}

impl Run {
    /// Ends the session in order when `signal` is ready, instead of on Ctrl-C and SIGTERM.
    pub fn with_graceful_shutdown(
        mut self,
        signal: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        self.stop = Stop::When(Box::pin(signal));
        self
    }

    /// Leaves Ctrl-C and SIGTERM to the rest of the program.
    pub fn without_signals(mut self) -> Self {
        self.stop = Stop::Requests;
        self
    }

    /// Runs also if there are no tasks yet.
    pub fn allow_empty(mut self) -> Self {
        self.empty = Empty::IsFine;
        self
    }

    /// Runs the session as awaiting it does, and tells the error by its own type.
    ///
    /// # Errors
    ///
    /// If the session cannot be run, or ended because of an error.
    ///
    /// # Cancel safety
    ///
    /// As [`RunSession::run`].
    pub async fn typed(self) -> Result<(), RunError> {
        self.run().await
    }

    async fn run(self) -> Result<(), RunError> {
        if let Some(problems) = self.session.problems() {
            return Err(problems.into());
        }
        if matches!(self.empty, Empty::IsAnError) && self.session.tasks().is_empty() {
            return Err(RunError::NoTasks);
        }
        let inbox = self.session.open().ok_or(RunError::AlreadyRunning)?;
        let driver = Driver::start(self.session, inbox).await?;
        let stop: Pin<Box<dyn Stream<Item = ()> + Send>> = match self.stop {
            Stop::Signals => Box::pin(signals()),
            Stop::When(signal) => Box::pin(stream::once(signal)),
            Stop::Requests => Box::pin(stream::pending()),
        };
        // On a worker of the runtime, a timer wakes the driver without a hop to another thread.
        let run = AssertUnwindSafe(driver.run(stop)).catch_unwind();
        match EndOnDrop::spawn(run).await {
            Ok(Some(Ok(result))) => result,
            Ok(Some(Err(payload))) => Err(RunError::Panicked(describe(&*payload))),
            Ok(None) => Err(RunError::Panicked("it was ended from outside".to_owned())),
            Err(gone) => Err(RunError::Panicked(gone.to_string())),
        }
    }
}

impl IntoFuture for Run {
    /// The error is a [`RunError`], boxed so that `main` can return it beside any other.
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.run().await?) })
    }
}

/// A task that ends with the one that waits for it.
///
/// Aborting a task drops its future some time later, and until then the session would count as
/// running. So the future is kept where it can be dropped at once.
struct EndOnDrop<F: Future> {
    future: Shared<F>,
    task: tokio::task::JoinHandle<Option<F::Output>>,
}

type Shared<F> = Arc<Mutex<Option<Pin<Box<F>>>>>;

impl<F: Future<Output: Send> + Send + 'static> EndOnDrop<F> {
    fn spawn(future: F) -> Self {
        let future: Shared<F> = Arc::new(Mutex::new(Some(Box::pin(future))));
        let shared = future.clone();
        let poll = std::future::poll_fn(move |cx| {
            let mut future = shared.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *future {
                Some(running) => running.as_mut().poll(cx).map(Some),
                None => Poll::Ready(None),
            }
        });
        Self { future, task: tokio::spawn(poll) }
    }
}

impl<F: Future> Future for EndOnDrop<F> {
    type Output = Result<Option<F::Output>, tokio::task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx)
    }
}

impl<F: Future> Drop for EndOnDrop<F> {
    fn drop(&mut self) {
        self.task.abort();
        // At most one poll is waited for, and nothing in it waits.
        let future = self.future.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(future);
    }
}

/// Tells of each Ctrl-C and SIGTERM.
#[cfg(unix)]
fn signals() -> impl Stream<Item = ()> + Send {
    use tokio::signal::unix::SignalKind;

    stream::select(each(SignalKind::interrupt()), each(SignalKind::terminate()))
}

/// Tells of each signal of a kind, also of those that come while the last one is dealt with.
#[cfg(unix)]
fn each(kind: tokio::signal::unix::SignalKind) -> stream::BoxStream<'static, ()> {
    match tokio::signal::unix::signal(kind) {
        Ok(signal) => stream::unfold(signal, |mut signal| async {
            signal.recv().await.map(|()| ((), signal))
        })
        .boxed(),
        Err(error) => {
            tracing::warn!(target: "redengine", ?kind, %error, "a signal cannot be listened to");
            stream::pending().boxed()
        }
    }
}

/// Tells of each Ctrl-C.
#[cfg(not(unix))]
fn signals() -> impl Stream<Item = ()> + Send {
    stream::unfold((), |()| async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(target: "redengine", %error, "Ctrl-C cannot be listened to");
            std::future::pending::<()>().await;
        }
        Some(((), ()))
    })
}
