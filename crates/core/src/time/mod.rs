//! Instants and elapsed time.
//!
//! A [`Timestamp`] is an instant on the UTC axis with microseconds; elapsed time is a
//! [`std::time::Duration`]. Civil (wall-clock) time exists only inside a cycle's window and is
//! turned into instants by [`zone`], so that no other file has to think of daylight saving.
//! Nothing here reads a clock: see [`clock::Clock`].

pub mod clock;
pub mod duration;
pub mod zone;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

pub use clock::Clock;
pub use zone::{TzifError, Zone, ZoneError};

/// An instant: microseconds since 1970-01-01 00:00 UTC.
///
/// Converts from and to [`chrono::DateTime<Utc>`]; finer digits are cut off.
///
/// ```
/// use redengine_core::Timestamp;
///
/// let at: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-11-24T07:00:00Z");
/// assert_eq!(at.to_utc().to_rfc3339(), "2026-11-24T07:00:00+00:00");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant that can be expressed; earlier than anything a user can mean.
    pub const MIN: Self = Self(-2_208_988_800_000_000 * 10);
    /// The last instant that can be expressed; later than anything a user can mean.
    pub const MAX: Self = Self(253_402_300_799_000_000);

    /// Makes an instant from microseconds since 1970-01-01 00:00 UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Tells the microseconds since 1970-01-01 00:00 UTC.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Converts to chrono's instant.
    pub fn to_utc(self) -> DateTime<Utc> {
        // The clamp keeps the value inside chrono's range, so the fallback is never taken.
        DateTime::from_timestamp_micros(self.0.clamp(Self::MIN.0, Self::MAX.0)).unwrap_or_default()
    }

    /// Adds elapsed time; stops at [`Timestamp::MAX`].
    pub fn after(self, elapsed: Duration) -> Self {
        Self(self.0.saturating_add(micros(elapsed)).min(Self::MAX.0))
    }

    /// Subtracts elapsed time; stops at [`Timestamp::MIN`].
    pub fn before(self, elapsed: Duration) -> Self {
        Self(self.0.saturating_sub(micros(elapsed)).max(Self::MIN.0))
    }

    /// Tells how much time has passed since `earlier`; zero if it is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Converts elapsed time to whole microseconds; what does not fit is as good as for ever.
pub(crate) fn micros(elapsed: Duration) -> i64 {
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(at: Timestamp) -> Self {
        at.to_utc()
    }
}

impl std::str::FromStr for Timestamp {
    type Err = chrono::ParseError;

    /// Reads RFC 3339, for example `2026-11-24T07:00:00+02:00`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|at| at.to_utc().into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
