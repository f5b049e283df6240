//! The word to a run that it should stop.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Tells a run that it should stop: at its timeout, when its end condition holds, on `terminate`, or
/// when the session does not wait for it any longer.
///
/// A run that ends with an error after that counts as terminated; one that ends well has succeeded.
/// What does not end within the session's `termination_grace` is aborted if it is async, and left
/// behind if it blocks a thread.
///
/// ```
/// use redengine_core::param::Cancel;
///
/// async fn serve(cancel: Cancel) {
///     while !cancel.is_cancelled() {
///         // .. one piece of work
///         # break;
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    waiting: Vec<Waker>,
}

impl Cancel {
    /// Makes one that has not been told.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the run to stop.
    pub fn cancel(&self) {
        let waiting = {
            let mut state = self.lock();
            state.cancelled = true;
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }

    /// Tells whether the run should stop.
    pub fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// Waits until the run should stop.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again at any time.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + '_ {
        Cancelled(self)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // OK to go on after a panic elsewhere: no code of others runs while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}

struct Cancelled<'a>(&'a Cancel);

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.cancelled {
            return Poll::Ready(());
        }
        // A waker of an earlier poll may be left behind; it does no harm, and the next poll of the
        // same task does not add another one.
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
