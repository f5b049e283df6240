//! The only file of the benchmarks that reads a clock.
//!
//! Lateness is a matter of the system's clock, as conditions are; how long something took is not.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds of the system's clock since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unix(pub u64);

impl Unix {
    const SECOND: u64 = 1_000_000_000;

    #[expect(clippy::disallowed_methods, reason = "benchmarks compare with the real clock")]
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // OK because 64 bits of nanoseconds last until 2554.
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Tells the first full second that is at or after this instant.
    pub(crate) fn next_second(self) -> Self {
        Self(self.0.next_multiple_of(Self::SECOND))
    }

    pub(crate) fn plus(self, span: Duration) -> Self {
        // OK because spans are seconds or hours.
        Self(self.0 + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Tells the second of the day, in UTC.
    pub(crate) fn second_of_day(self) -> u64 {
        self.0 / Self::SECOND % 86_400
    }

    /// Tells the time from `earlier` to this, negative if it is the other way round.
    pub(crate) fn seconds_since(self, earlier: Self) -> f64 {
        let span = |a: Self, b: Self| Duration::from_nanos(a.0.saturating_sub(b.0)).as_secs_f64();
        span(self, earlier) - span(earlier, self)
    }

    /// Waits until the instant.
    pub(crate) async fn wait(self) {
        tokio::time::sleep(Duration::from_nanos(self.0.saturating_sub(Self::now().0))).await;
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "benchmarks measure real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
