//! Time zones; gaps and folds.
//!
//! One policy for all: a local time stands for the first instant at which the local clock shows
//! it or a later one. In a gap (the clock is set forward) that is the transition; in a fold (it is
//! set back) the first occurrence. How windows behave there is `period`'s business.
//!
//! The public signatures speak chrono; whose zone database is behind them is not their matter.

mod database;
mod rules;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone};

pub(crate) use rules::{Reached, Stretch};

use super::Timestamp;
use rules::Rules;

/// A time zone: an IANA name and its rules.
///
/// Cheap to clone. Two zones are equal if their names and rules are.
///
/// ```
/// use redengine_core::time::Zone;
///
/// let zone = Zone::named("europe/helsinki").unwrap();
/// assert_eq!(zone.name(), "Europe/Helsinki");
/// assert_eq!(
///     Zone::named("Europe/Helsinky").unwrap_err().to_string(),
///     "unknown time zone `Europe/Helsinky`; did you mean `Europe/Helsinki`?",
/// );
/// ```
#[derive(Clone)]
pub struct Zone(Arc<Rules>);

/// A name that is no time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone `{name}`{}", suggestion.as_ref().map(|s| format!("; did you mean `{s}`?")).unwrap_or_default())]
pub struct ZoneError {
    /// The name.
    pub name: String,
    /// The zone that was likely meant.
    pub suggestion: Option<String>,
}

/// Bytes that are no rules of a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules of time zone `{name}` cannot be read: {reason}")]
pub struct TzifError {
    /// The name of the zone.
    pub name: String,
    /// Why.
    pub reason: String,
}

impl Zone {
    /// Makes UTC.
    pub fn utc() -> Self {
        Self(database::utc())
    }

    /// Finds the zone that the system is set to; UTC if it tells none.
    ///
    /// Reads the environment (`TZ`) and the system's settings. A zone without an IANA name is
    /// called `Local`, a name that [`Zone::named`] does not know.
    pub fn system() -> Self {
        Self(database::system())
    }

    /// Looks up a zone by its IANA name, in any case; the name's usual spelling is kept.
    ///
    /// # Errors
    ///
    /// If there is no such zone; the error names the one that was likely meant.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        database::find(name)
            .map(Self)
            .ok_or_else(|| ZoneError { name: name.to_owned(), suggestion: suggestion(name) })
    }

    /// Makes a zone of a compiled `TZif` file, for rules that no database has yet or has any more.
    ///
    /// The name is the zone's own from now on; it is not looked up by [`Zone::named`].
    ///
    /// # Errors
    ///
    /// If the bytes are no `TZif` file.
    pub fn from_tzif(name: &str, rules: &[u8]) -> Result<Self, TzifError> {
        let zone = jiff::tz::TimeZone::tzif(name, rules)
            .map_err(|error| TzifError { name: name.to_owned(), reason: error.to_string() })?;
        Ok(Self(Arc::new(Rules::of(&zone, name))))
    }

    /// Lists the names of all zones.
    pub fn names() -> Vec<String> {
        database::names()
    }

    /// Tells which time zone database is in use: its version and origin, `2026f (bundled)`.
    ///
    /// Of the system's copy and the bundled one the newer is used.
    pub fn database() -> String {
        database::describe()
    }

    /// Tells its IANA name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Converts an instant to local time.
    pub fn to_local(&self, at: Timestamp) -> NaiveDateTime {
        let at = rules::clamp(at);
        naive(at + self.0.offset(at))
    }

    /// Converts local time to an instant: in a gap the transition, in a fold the first of the two.
    pub fn to_instant(&self, local: NaiveDateTime) -> Timestamp {
        Timestamp::from_micros(self.0.reach(local.and_utc().timestamp_micros()).at)
    }

    /// Finds the first instant after `at` at which the clock is set forward or back.
    pub fn next_transition(&self, at: Timestamp) -> Option<Timestamp> {
        let end = Timestamp::from_micros(self.0.stretch(rules::clamp(at)).end);
        (end < Timestamp::MAX).then_some(end)
    }

    /// Finds the last instant before `at` at which the clock was set forward or back.
    pub fn previous_transition(&self, at: Timestamp) -> Option<Timestamp> {
        let start = Timestamp::from_micros(self.0.stretch(rules::clamp(at) - 1).start);
        (start > Timestamp::MIN).then_some(start)
    }

    /// Finds the stretch of constant offset that an instant lies in.
    pub(crate) fn stretch(&self, at: i64) -> Stretch {
        self.0.stretch(at)
    }

    /// Tells when a local time is reached.
    pub(crate) fn reach(&self, local: i64) -> Reached {
        self.0.reach(local)
    }

    /// Tells the latest local time that is reached at an instant or before it.
    pub(crate) fn latest(&self, at: i64) -> i64 {
        self.0.latest(at)
    }

    /// Tells the earliest local time that is reached at an instant or after it.
    pub(crate) fn earliest(&self, at: i64) -> i64 {
        self.0.earliest(at)
    }
}

/// Finds the zone that was likely meant: by the whole name, or by the city alone.
fn suggestion(name: &str) -> Option<String> {
    let names = Zone::names();
    let whole = crate::error::nearest(name, names.iter().map(String::as_str));
    let city = |zone: &str| zone.rsplit('/').next().unwrap_or_default().replace('_', " ");
    whole.map(str::to_owned).or_else(|| {
        let cities: Vec<String> = names.iter().map(|name| city(name)).collect();
        let wanted = city(name);
        let found = crate::error::nearest(&wanted, cities.iter().map(String::as_str))?;
        let index = cities.iter().position(|city| city == found)?;
        names.get(index).cloned()
    })
}

fn naive(local: i64) -> NaiveDateTime {
    // OK because local times of expressible instants are inside chrono's range.
    DateTime::from_timestamp_micros(local).unwrap_or_default().naive_utc()
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::named(name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || *self.0 == *other.0
    }
}

impl Eq for Zone {}

impl std::hash::Hash for Zone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// The offset of a zone at some instant.
#[derive(Clone, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    offset: FixedOffset,
}

impl ZoneOffset {
    fn new(zone: &Zone, offset: i64) -> Self {
        let seconds = i32::try_from(offset / 1_000_000).unwrap_or_default();
        // OK because every zone's offset is less than a day; the fallback is never taken.
        let offset = FixedOffset::east_opt(seconds).unwrap_or_else(|| chrono::Utc.fix());
        Self { zone: zone.clone(), offset }
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.offset
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.offset, f)
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.offset, f)
    }
}

/// With chrono's [`DateTime<Zone>`], gaps and folds are chrono's: none, or two.
impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let local = local.and_utc().timestamp_micros();
        let first = self.0.reach(local);
        if !first.shown {
            return MappedLocalTime::None;
        }
        let stretch = self.0.stretch(first.at);
        let earlier = ZoneOffset::new(self, stretch.offset);
        if local >= stretch.end + stretch.after {
            return MappedLocalTime::Ambiguous(earlier, ZoneOffset::new(self, stretch.after));
        }
        MappedLocalTime::Single(earlier)
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        ZoneOffset::new(self, self.0.offset(utc.and_utc().timestamp_micros()))
    }
}
