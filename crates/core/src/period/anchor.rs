//! Points of a cycle as local times: "Mon", "3rd", "07:00", and the shape of a window.
//!
//! A window is either *tiling* (full cycles that begin at a mark) or a *span* from one mark to
//! another. What a month lacks is the month's end for a mark, and nothing for a window that names
//! it with `on`; Feb 29 of a common year is so the start of Mar 1.

use super::civil::{DAY, HOUR, MINUTE, SECOND, day_of, first_day, month_start, weekday_of};
use super::{Cycle, Place, Point, Unit, Window};

/// A place in each cycle, and a time counted from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    place: Place,
    time: i64,
    /// Counts from the end of the place instead: `before Friday` includes Friday.
    past: bool,
}

/// Which part of each cycle a window is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Each from the mark to the mark of the next cycle.
    Tiling(Mark),
    /// From one mark to another.
    Span {
        start: Mark,
        end: End,
        /// Whether a month must have the place itself: its end will not do.
        exact: bool,
    },
}

/// Where a span ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// At a mark of the same cycle.
    Same(Mark),
    /// At a mark of the next cycle.
    Next(Mark),
    /// At a mark of the same cycle if it comes after the start there, else of the next.
    Either(Mark),
    /// So long after the start.
    After(i64),
    /// As `after`, but a month long: in years, `on Feb` is as long as it is.
    Month,
}

impl Mark {
    const START: Self = Self { place: Place::Whole, time: 0, past: false };
    const END: Self = Self { place: Place::Whole, time: 0, past: true };

    fn of(point: Point) -> Self {
        // OK because no place is longer than a month; what is beyond its cycle ends with it.
        Self { place: point.place, time: point.time.unwrap_or(0).clamp(0, 31 * DAY), past: false }
    }

    /// Reads a point as the end of a window: if only a place is named, all of it is meant.
    fn end_of(point: Point) -> Self {
        let past = point.time.is_none() && point.place != Place::Whole;
        Self { past, ..Self::of(point) }
    }

    /// Tells where the mark lies in a cycle of nominal length, to compare it with others; `None`
    /// if that is different from cycle to cycle.
    fn nominal(self, unit: Unit) -> Option<i64> {
        let (start, length) = match self.place {
            Place::Whole => (0, nominal_length(unit)),
            Place::Weekday(day) => (day as i64 * DAY, DAY),
            Place::MonthDay(day) => ((i64::from(day) - 1) * DAY, DAY),
            // 1972 is a leap year.
            Place::Month(month) => {
                let month = i64::from(month.clamp(1, 12));
                let first = day_of(1972, month, 1);
                let length = month_start(1972 * 12 + month) - first;
                ((first - day_of(1972, 1, 1)) * DAY, length * DAY)
            }
            Place::YearDay(month, day) => {
                let month = i64::from(month.clamp(1, 12));
                let day = day_of(1972, month, i64::from(day)).min(month_start(1972 * 12 + month));
                ((day - day_of(1972, 1, 1)) * DAY, DAY)
            }
            Place::LastDay | Place::LastWeekday(_) => return None,
        };
        let offset = start + self.time + if self.past { length } else { 0 };
        Some(offset.clamp(0, nominal_length(unit)))
    }

    /// Tells the local time of the mark in a cycle; `None` if its place is no place of the unit.
    pub(super) fn at(self, unit: Unit, cycle: i64) -> Option<i64> {
        let first = first_day(unit, cycle);
        let next = first_day(unit, cycle + 1);
        let past = i64::from(self.past);
        let (day, limit) = match (unit, self.place) {
            (_, Place::Whole) if self.past => return Some(next * DAY),
            (_, Place::Whole) => (first, next),
            (Unit::Week, Place::Weekday(day)) => (first + day as i64 + past, next),
            (Unit::Month, Place::MonthDay(day @ 1..=31)) => {
                (first + i64::from(day) - 1 + past, next)
            }
            (Unit::Month, Place::LastDay) => (next - 1 + past, next),
            (Unit::Month, Place::LastWeekday(day)) => {
                let back = (weekday_of(next - 1) - day as i64).rem_euclid(7);
                (next - 1 - back + past, next)
            }
            (Unit::Year, Place::Month(month @ 1..=12)) => {
                (month_start(cycle * 12 + i64::from(month) - 1 + past), next)
            }
            (Unit::Year, Place::YearDay(month @ 1..=12, day @ 1..=31)) => {
                let month = cycle * 12 + i64::from(month) - 1;
                (month_start(month) + i64::from(day) - 1 + past, month_start(month + 1))
            }
            _ => return None,
        };
        Some(day.saturating_mul(DAY).saturating_add(self.time).min(limit * DAY))
    }

    /// Tells whether a cycle has the mark's place itself.
    fn exists(self, unit: Unit, cycle: i64) -> bool {
        let (month, day) = match (unit, self.place) {
            (Unit::Month, Place::MonthDay(day)) => (cycle, day),
            (Unit::Year, Place::YearDay(month, day)) => (cycle * 12 + i64::from(month) - 1, day),
            _ => return true,
        };
        i64::from(day) <= month_start(month + 1) - month_start(month)
    }
}

impl Shape {
    pub(super) fn of(cycle: &Cycle) -> Self {
        let unit = cycle.unit;
        let (start, end) = match cycle.window {
            Window::Full => return Self::Tiling(Mark::START),
            Window::Starting(point) => return Self::Tiling(Mark::of(point)),
            Window::On(point) => {
                let end = match (unit, point.place) {
                    (Unit::Year, Place::Month(_)) => End::Month,
                    _ => End::After(part(unit)),
                };
                return Self::Span { start: Mark::of(point), end, exact: true };
            }
            Window::After(point) => (Mark::of(point), Mark::END),
            Window::Before(point) => (Mark::START, Mark::end_of(point)),
            Window::Between(start, end) => (Mark::of(start), Mark::end_of(end)),
        };
        let span = |end| Self::Span { start, end, exact: false };
        match (start.nominal(unit), end.nominal(unit)) {
            _ if start == end => Self::Tiling(start),
            // Nothing is left out, so these are full cycles, as Rocketry has it
            // (core/time/base.py, TimeInterval.is_full).
            (Some(from), Some(to)) if from == to || to - from == nominal_length(unit) => {
                Self::Tiling(start)
            }
            (Some(from), Some(to)) if from < to => span(End::Same(end)),
            (Some(_), Some(_)) => span(End::Next(end)),
            _ if end == Mark::END => span(End::Same(end)),
            _ => span(End::Either(end)),
        }
    }

    /// Tells the local start and end of the window of a cycle; `None` if it has none.
    pub(super) fn window(self, unit: Unit, cycle: i64) -> Option<(i64, i64)> {
        let (start, end) = match self {
            Self::Tiling(mark) => (mark.at(unit, cycle)?, mark.at(unit, cycle + 1)?),
            Self::Span { start, exact: true, .. } if !start.exists(unit, cycle) => return None,
            Self::Span { start: mark, end, .. } => {
                let start = mark.at(unit, cycle)?;
                let end = match end {
                    End::Same(end) => end.at(unit, cycle)?,
                    End::Next(end) => end.at(unit, cycle + 1)?,
                    End::Either(end) => match end.at(unit, cycle)? {
                        same if same > start => same,
                        _ => end.at(unit, cycle + 1)?,
                    },
                    End::After(length) => start + length,
                    End::Month => Mark { past: true, ..mark }.at(unit, cycle)?,
                };
                (start, end)
            }
        };
        (start < end).then_some((start, end))
    }

    /// Tells whether a window may reach into the next one if nobody cuts it.
    pub(super) fn may_overlap(self) -> bool {
        matches!(self, Self::Span { end: End::Either(_), .. })
    }

    /// Tells the offsets of the window in a cycle of a constant length: a second, minute or hour.
    pub(super) fn offsets(self, unit: Unit) -> (i64, i64) {
        let length = nominal_length(unit);
        let offset = |mark: Mark| if mark.past { length } else { mark.time.min(length) };
        match self {
            Self::Tiling(mark) => (offset(mark) % length, offset(mark) % length + length),
            Self::Span { start, end, .. } => {
                let from = offset(start);
                match end {
                    End::Same(end) | End::Either(end) => (from, offset(end)),
                    End::Next(end) => (from, offset(end) + length),
                    End::After(part) => (from, from + part),
                    End::Month => (from, from + length),
                }
            }
        }
    }
}

/// Tells how long the part of a cycle is that a point names.
fn part(unit: Unit) -> i64 {
    match unit {
        Unit::Second => SECOND / 1000,
        Unit::Minute => SECOND,
        Unit::Hour => MINUTE,
        Unit::Day => HOUR,
        Unit::Week | Unit::Month | Unit::Year => DAY,
    }
}

/// Tells how long a cycle can be.
pub(super) fn nominal_length(unit: Unit) -> i64 {
    match unit {
        Unit::Second => SECOND,
        Unit::Minute => MINUTE,
        Unit::Hour => HOUR,
        Unit::Day => DAY,
        Unit::Week => 7 * DAY,
        Unit::Month => 31 * DAY,
        Unit::Year => 366 * DAY,
    }
}
