//! A clock that somebody sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use redengine_core::Timestamp;
use redengine_core::time::Clock;
use redengine_runtime::VirtualClock;

use crate::world::{at, span};

/// A clock that shows an instant when it is first read, follows Tokio's clock, and can be set.
#[derive(Clone, Debug)]
pub struct SteppedClock {
    clock: Arc<VirtualClock>,
    /// How far it was set in all, in microseconds.
    set: Arc<AtomicI64>,
}

impl SteppedClock {
    /// Makes a clock that shows `start` when it is first read.
    ///
    /// # Panics
    ///
    /// If `start` is no instant.
    pub fn starting(start: &str) -> Self {
        Self { clock: Arc::new(VirtualClock::starting(at(start))), set: Arc::default() }
    }

    /// Sets it forward.
    ///
    /// # Panics
    ///
    /// If `by` is no duration.
    pub fn set_forward(&self, by: &str) {
        self.set.fetch_add(micros(by), Ordering::Relaxed);
    }

    /// Sets it back.
    ///
    /// # Panics
    ///
    /// If `by` is no duration.
    pub fn set_back(&self, by: &str) {
        self.set.fetch_sub(micros(by), Ordering::Relaxed);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        let shown = self.clock.now().as_micros();
        Timestamp::from_micros(shown + self.set.load(Ordering::Relaxed))
    }
}

fn micros(by: &str) -> i64 {
    i64::try_from(span(by).as_micros()).expect("a short duration")
}
