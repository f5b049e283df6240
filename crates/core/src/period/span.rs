//! One span of civil time: `between 2026-01-01 and 2026-02-01`.
//!
//! Its ends are local times, and each is the instant at which the zone's clock reaches it, so the
//! same span is another interval in another zone. The rules are those of a cycle's windows: a date
//! by itself as the end is meant as a whole, a span that lies wholly in a gap opens at the change
//! of the clock for its nominal length, and a day that the zone skipped does not occur.

use chrono::{Datelike, NaiveDate};

use crate::time::{Timestamp, Zone};

use super::Interval;
use super::civil::{DAY, are_skipped, day_of};

/// A civil time that may be the end of a span: a date, perhaps with a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The date.
    pub date: NaiveDate,
    /// Microseconds from the start of that day; `None`: the day itself, whose first instant begins
    /// a span and whose last ends it.
    pub time: Option<i64>,
}

/// A span between two civil times, or without an end on one side.
///
/// ```
/// use chrono::NaiveDate;
/// use redengine_core::period::{CivilSpan, Moment, Period};
/// use redengine_core::time::{Timestamp, Zone};
///
/// let day = |day| Moment { date: NaiveDate::from_ymd_opt(2026, 1, day).unwrap(), time: None };
/// let period = Period::Span(CivilSpan::between(day(1), day(2)).unwrap());
///
/// let at: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
/// let interval = period.current(at, &Zone::utc()).unwrap();
/// assert_eq!(interval.end.to_string(), "2026-01-03T00:00:00Z", "the last day is a part of it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CivilSpan {
    from: Option<Moment>,
    to: Option<Moment>,
}

impl Moment {
    /// Tells the local time at which a span from here begins.
    fn start(self) -> i64 {
        self.day() * DAY + self.time.unwrap_or(0)
    }

    /// Tells the local time at which a span to here ends.
    fn end(self) -> i64 {
        self.day() * DAY + self.time.unwrap_or(DAY)
    }

    fn day(self) -> i64 {
        day_of(self.date.year().into(), self.date.month().into(), self.date.day().into())
    }
}

impl CivilSpan {
    /// Makes a span of two ends; none if it would not end after it begins.
    pub fn between(from: Moment, to: Moment) -> Option<Self> {
        let span = Self { from: Some(first(from)), to: Some(last(to)) };
        (from.start() < to.end()).then_some(span)
    }

    /// Makes a span from a moment on.
    pub fn after(from: Moment) -> Self {
        Self { from: Some(first(from)), to: None }
    }

    /// Makes a span up to a moment; with a date by itself, that day included.
    pub fn before(to: Moment) -> Self {
        Self { from: None, to: Some(last(to)) }
    }

    /// Makes the span that is a day.
    pub fn on(date: NaiveDate) -> Self {
        let day = Some(Moment { date, time: None });
        Self { from: day, to: day }
    }

    /// Tells where it begins.
    pub fn from(&self) -> Option<Moment> {
        self.from
    }

    /// Tells where it ends.
    pub fn to(&self) -> Option<Moment> {
        self.to
    }

    /// Computes its interval in a zone.
    pub(super) fn interval(&self, zone: &Zone) -> Option<Interval> {
        let (from, to) = (self.from.map(Moment::start), self.to.map(Moment::end));
        let start = from.map_or(Timestamp::MIN.as_micros(), |from| zone.reach(from).at);
        let mut end = to.map_or(Timestamp::MAX.as_micros(), |to| zone.reach(to).at);
        if let (Some(from), Some(to)) = (from, to)
            && start == end
        {
            let day = from.div_euclid(DAY);
            if !are_skipped(day, day + 1, zone) {
                end = start.saturating_add(to - from);
            }
        }
        let [start, end] = [start, end].map(Timestamp::from_micros);
        Some(Interval { start, end }).filter(|interval| !interval.is_empty())
    }
}

/// A day and its first instant begin at the same; there is one way to say so.
fn first(from: Moment) -> Moment {
    Moment { time: from.time.filter(|time| *time != 0), ..from }
}

/// A day and its `24:00` end at the same.
fn last(to: Moment) -> Moment {
    Moment { time: to.time.filter(|time| *time != DAY), ..to }
}
