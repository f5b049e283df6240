//! Running a session: what `session.run()` gives, and what can be said before it is awaited.

use std::future::{Future, IntoFuture};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

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
        let driver = AbortOnDrop(tokio::spawn(run));
        match driver.await {
            Ok(Ok(result)) => result,
            Ok(Err(payload)) => Err(RunError::Panicked(describe(&*payload))),
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
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells of each Ctrl-C and SIGTERM.
fn signals() -> impl Stream<Item = ()> + Send {
    let interrupts = stream::unfold((), |()| async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(target: "redengine", %error, "Ctrl-C cannot be listened to");
            std::future::pending::<()>().await;
        }
        Some(((), ()))
    });
    stream::select(interrupts.boxed(), terminations().boxed())
}

#[cfg(unix)]
fn terminations() -> impl Stream<Item = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(terminate) => stream::unfold(terminate, |mut terminate| async {
            terminate.recv().await.map(|()| ((), terminate))
        })
        .left_stream(),
        Err(error) => {
            tracing::warn!(target: "redengine", %error, "SIGTERM cannot be listened to");
            stream::pending().right_stream()
        }
    }
}

#[cfg(not(unix))]
fn terminations() -> impl Stream<Item = ()> + Send {
    stream::pending()
}
