//! Periods: sets of time intervals.
//!
//! A [`Period`] is a value: what a user wrote, checked, with nothing computed. Two questions give
//! all answers: [`Period::seek`], the first interval that ends after an instant, and
//! [`Period::seek_back`], the last one that starts at or before it. `contains`, `current`, `next`,
//! `previous` and `next_edge` are made of these, so they cannot disagree.
//!
//! Always: an interval is half-open and not empty, intervals of a period are in order and do not
//! overlap. A period does not know what time it is, nor what anything else did in its intervals.
//! Every question has an answer for every value and every instant, in bounded time; what lies
//! beyond [`Timestamp::MIN`] or [`Timestamp::MAX`] is cut off.

pub mod cron;
pub mod cycle;

mod anchor;
mod calendar;
mod civil;
mod clock_face;
mod date;
mod dates;
mod set;
mod span;
mod steady;

pub use cron::{Cron, CronError};
pub use cycle::{Cycle, Place, Point, Unit, Weekday, Window};
pub use date::{DateError, IntoDate, parse_date};
pub use dates::{BusinessDays, Dates};
pub use span::{CivilSpan, Moment};

use crate::time::{Timestamp, Zone};

use calendar::Calendar;
use clock_face::ClockFace;
use set::Search;

/// A half-open span `[start, end)` of the UTC axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first instant in it.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// A set of time intervals.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Period {
    /// All time.
    Always,
    /// No time.
    Never,
    /// A part of each minute, hour, day ..
    Cycle(Cycle),
    /// The minutes (or seconds) that a cron expression matches.
    Cron(Cron),
    /// Days that the user lists.
    Dates(Dates),
    /// Days of the week, without those that the user lists.
    BusinessDays(BusinessDays),
    /// One span of civil time.
    Span(CivilSpan),
    /// One interval; with [`Timestamp::MIN`] or [`Timestamp::MAX`] it has no start or no end.
    Fixed(Interval),
    /// What is in all of them: their non-empty intersections.
    All(Vec<Period>),
    /// What is in any of them: intervals that share an instant are one.
    Any(Vec<Period>),
}

impl Interval {
    /// All time.
    pub const ALWAYS: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// Tells whether an instant is in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Tells whether no instant is in it.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Cuts it to what is in the other too; that may be empty.
    fn overlap(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

impl Period {
    /// Finds the first interval that ends after `at`.
    ///
    /// ```
    /// use redengine_core::period::{Cycle, Period, Place, Point, Unit, Window};
    /// use redengine_core::time::{Timestamp, Zone};
    ///
    /// let seven = Point { place: Place::Whole, time: Some(7 * 3_600_000_000) };
    /// let window = Window::After(seven);
    /// let period = Period::Cycle(Cycle { unit: Unit::Day, window, within: None });
    ///
    /// let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    /// let today = period.seek(at, &Zone::utc()).unwrap();
    /// assert_eq!(today.start.to_string(), "2026-11-24T07:00:00Z");
    /// assert_eq!(today.end.to_string(), "2026-11-25T00:00:00Z");
    /// ```
    pub fn seek(&self, at: Timestamp, zone: &Zone) -> Option<Interval> {
        self.first(clamp(at), &Search::new(zone))
    }

    /// Finds the last interval that starts at or before `at`.
    pub fn seek_back(&self, at: Timestamp, zone: &Zone) -> Option<Interval> {
        self.last(clamp(at), &Search::new(zone))
    }

    /// Tells whether `at` is in the period.
    pub fn contains(&self, at: Timestamp, zone: &Zone) -> bool {
        self.current(at, zone).is_some()
    }

    /// Finds the interval that `at` is in.
    pub fn current(&self, at: Timestamp, zone: &Zone) -> Option<Interval> {
        self.seek(at, zone).filter(|interval| interval.contains(at))
    }

    /// Finds the first interval that starts after `at`.
    pub fn next(&self, at: Timestamp, zone: &Zone) -> Option<Interval> {
        let first = self.seek(at, zone)?;
        if first.start > at {
            return Some(first);
        }
        self.seek(first.end, zone).filter(|next| next.start > at)
    }

    /// Finds the last interval that ends at or before `at`.
    pub fn previous(&self, at: Timestamp, zone: &Zone) -> Option<Interval> {
        let last = self.seek_back(at, zone)?;
        if last.end <= at {
            return Some(last);
        }
        let before = Timestamp::from_micros(last.start.as_micros().saturating_sub(1));
        self.seek_back(before, zone).filter(|previous| previous.end <= at)
    }

    /// Finds the first instant after `at` at which an interval starts or ends.
    ///
    /// Where one interval adjoins the next, as two days do, their common edge is one too.
    pub fn next_edge(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let first = self.seek(at, zone)?;
        let edge = if first.start > at { first.start } else { first.end };
        (edge < Timestamp::MAX).then_some(edge)
    }

    /// Tells whether the period has no interval at all, as far as can be found out.
    ///
    /// Looks through the 400 years after which the calendar repeats.
    pub fn never_occurs(&self, zone: &Zone) -> bool {
        self.seek(Timestamp::from_micros(0), zone).is_none()
            && self.seek_back(Timestamp::from_micros(0), zone).is_none()
    }

    fn first(&self, at: i64, search: &Search<'_>) -> Option<Interval> {
        let found = match self {
            Self::Always => Some(Interval::ALWAYS),
            Self::Never => None,
            Self::Cycle(cycle) => match cycle.unit {
                Unit::Second | Unit::Minute | Unit::Hour => {
                    ClockFace::new(cycle, search.zone).seek(at)
                }
                Unit::Day | Unit::Week | Unit::Month | Unit::Year => {
                    Calendar::new(cycle, search.zone).seek(at)
                }
            },
            Self::Cron(cron) => cron.seek(at, search.zone),
            Self::Dates(dates) => dates.seek(at, search.zone),
            Self::BusinessDays(days) => days.seek(at, search.zone),
            Self::Span(span) => {
                span.interval(search.zone).filter(|interval| interval.end.as_micros() > at)
            }
            Self::Fixed(interval) => (interval.end.as_micros() > at).then_some(*interval),
            Self::All(members) => set::all_seek(members, at, search),
            Self::Any(members) => set::any_seek(members, at, search),
        };
        found.and_then(expressible)
    }

    fn last(&self, at: i64, search: &Search<'_>) -> Option<Interval> {
        let found = match self {
            Self::Always => Some(Interval::ALWAYS),
            Self::Never => None,
            Self::Cycle(cycle) => match cycle.unit {
                Unit::Second | Unit::Minute | Unit::Hour => {
                    ClockFace::new(cycle, search.zone).seek_back(at)
                }
                Unit::Day | Unit::Week | Unit::Month | Unit::Year => {
                    Calendar::new(cycle, search.zone).seek_back(at)
                }
            },
            Self::Cron(cron) => cron.seek_back(at, search.zone),
            Self::Dates(dates) => dates.seek_back(at, search.zone),
            Self::BusinessDays(days) => days.seek_back(at, search.zone),
            Self::Span(span) => {
                span.interval(search.zone).filter(|interval| interval.start.as_micros() <= at)
            }
            Self::Fixed(interval) => (interval.start.as_micros() <= at).then_some(*interval),
            Self::All(members) => set::all_seek_back(members, at, search),
            Self::Any(members) => set::any_seek_back(members, at, search),
        };
        found.and_then(expressible)
    }
}

/// Brings an instant into the span in which intervals lie; the last instant has none after it.
fn clamp(at: Timestamp) -> i64 {
    at.as_micros().clamp(Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros() - 1)
}

/// Cuts an interval to what can be expressed.
fn expressible(interval: Interval) -> Option<Interval> {
    Some(interval.overlap(Interval::ALWAYS)).filter(|interval| !interval.is_empty())
}
