//! The clock as an argument.
//!
//! Nothing below the driver of a running session reads a clock; what needs the time is given it.

use super::Timestamp;

/// Tells the time of day.
///
/// A session runs on the system's clock unless it is given another one. A clock may be stepped:
/// two readings need not increase.
pub trait Clock: Send + Sync + 'static {
    /// Tells what time it is.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still.
///
/// ```
/// use redengine_core::{time::clock::{Clock, FixedClock}, Timestamp};
///
/// let at: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
/// assert_eq!(FixedClock(at).now(), at);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}
