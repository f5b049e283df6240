//! The only file that reads a clock.
//!
//! Live, the time of day is the system's. When Tokio's clock is paused (`start_paused` in a test), it
//! is driven by that, so that a year passes in milliseconds and two runs of a test see the same.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::time::Clock;
use tokio::time::Instant;

use crate::event::Step;

/// A far wake is looked at again after this long: Tokio's timers follow neither a step of the
/// system's clock nor a suspend.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How far the clock must be from where elapsed time would have brought it to count as set.
const STEP: Duration = Duration::from_millis(500);

/// Tells the instant by Tokio's clock, which never steps.
#[expect(clippy::disallowed_methods, reason = "this file is where clocks are read")]
pub(crate) fn steady() -> Instant {
    Instant::now()
}

/// A clock that starts at an instant of your choice and follows Tokio's clock.
///
/// With Tokio's clock paused, a session on it lives through days in milliseconds:
///
/// ```
/// use redengine_core::{Session, Task};
/// use redengine_runtime::{RunSession, VirtualClock};
/// # use redengine_log as _;
///
/// #[tokio::main(flavor = "current_thread", start_paused = true)]
/// async fn main() -> Result<(), redengine_runtime::Error> {
///     let session = Session::builder()
///         .clock(VirtualClock::starting("2026-11-24T06:59:00Z".parse()?))
///         .configure(|config| config.timezone = Some(redengine_core::time::Zone::utc()))
///         .task(Task::new("wake up", "daily after 07:00", || async {}))
///         .build()?;
///     let stop = session.clone();
///     let week = async move {
///         tokio::time::sleep(std::time::Duration::from_secs(7 * 24 * 3600)).await;
///         stop.shutdown();
///     };
///     let (result, ()) = tokio::join!(session.run().typed(), week);
///     result?;
///     let runs = session.history(redengine_core::runlog::Query::task("wake up")).await?;
///     assert_eq!(runs.len(), 2 * 7);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct VirtualClock {
    start: Timestamp,
    /// Set when it is first read, which is when the session begins to run.
    origin: OnceLock<Instant>,
}

impl VirtualClock {
    /// Makes a clock that shows `start` when it is first read.
    pub fn starting(start: Timestamp) -> Self {
        Self { start, origin: OnceLock::new() }
    }
}

impl Clock for VirtualClock {
    #[expect(clippy::disallowed_methods, reason = "this file is where clocks are read")]
    fn now(&self) -> Timestamp {
        let now = Instant::now();
        self.start.after(now.saturating_duration_since(*self.origin.get_or_init(|| now)))
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this file is where clocks are read")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_micros(0).after(since_epoch.unwrap_or_default())
    }
}

/// The clock of a running session, and how long to sleep by it.
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    longest: Option<Duration>,
    last: Timestamp,
    /// What it showed when it was first read, or was last found set, and the instant of that.
    known: (Instant, Timestamp),
}

impl Time {
    /// Chooses the clock: the session's own, else Tokio's if it is paused, else the system's.
    pub(crate) fn choose(own: Option<Arc<dyn Clock>>) -> Self {
        let (clock, longest): (Arc<dyn Clock>, _) = match own {
            Some(clock) => (clock, if is_paused() { None } else { Some(LONGEST_SLEEP) }),
            None if is_paused() => (Arc::new(VirtualClock::starting(SystemClock.now())), None),
            None => (Arc::new(SystemClock), Some(LONGEST_SLEEP)),
        };
        let last = clock.now();
        Self { clock, longest, last, known: (steady(), last) }
    }

    /// Reads the clock.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        // A step of a few milliseconds is the work of a time daemon; time stands still for it.
        if now.after(STEP) < self.last { now } else { now.max(self.last) }
    }

    /// Reads the clock, and tells how it was set since that was told last.
    ///
    /// It is compared with Tokio's, which shows elapsed time but for that in which the machine was
    /// suspended. Small differences are told once they have grown to a step.
    pub(crate) fn read(&mut self) -> (Timestamp, Option<Step>) {
        let (now, expected) = (self.clock.now(), self.expected());
        let step = step(expected, now);
        if step.is_some() {
            self.known = (steady(), now);
            self.last = now;
        }
        self.last = self.last.max(now);
        (self.last, step)
    }

    /// Tells what the clock would show if it had not been set since that was told last.
    fn expected(&self) -> Timestamp {
        self.known.1.after(steady().saturating_duration_since(self.known.0))
    }

    /// Tells how long to sleep until an instant; `None`: no timer is needed.
    pub(crate) fn sleep_until(&self, wake: Option<Timestamp>) -> Option<Duration> {
        let wait = wake.map(|wake| {
            let (now, expected) = (self.clock.now(), self.expected());
            // Instants are by the clock as it was until it is told that it was set.
            wake.since(if step(expected, now).is_some() { expected } else { now })
        });
        match (wait, self.longest) {
            (Some(wait), Some(longest)) => Some(wait.min(longest)),
            (wait, longest) => wait.or(longest),
        }
    }
}

/// Tells how a clock was set that should show an instant and shows another one.
fn step(expected: Timestamp, now: Timestamp) -> Option<Step> {
    if now.after(STEP) < expected {
        Some(Step::Back(expected.since(now)))
    } else if expected.after(STEP) < now {
        Some(Step::Forward(now.since(expected)))
    } else {
        None
    }
}

/// Tells whether Tokio's clock is paused: then it stands still while the processor works.
#[expect(clippy::disallowed_methods, reason = "this file is where clocks are read")]
fn is_paused() -> bool {
    let (real, tokio) = (std::time::Instant::now(), Instant::now());
    while real.elapsed() < Duration::from_micros(2) {
        std::hint::spin_loop();
    }
    Instant::now() == tokio
}
