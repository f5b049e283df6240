//! Windows of days, weeks, months and years.
//!
//! Such a window occurs once per cycle: both its ends are local times, and each is the instant at
//! which the local clock reaches it (`time::zone`). So a window is longer or shorter by an hour
//! when the clock is set in it. Two exceptions: a window that lies wholly in a gap opens at the
//! transition for its nominal length, and a day that the zone skipped altogether has no windows.

use crate::time::{Timestamp, Zone};

use super::anchor::Shape;
use super::civil::{are_skipped, cycle_of, first_day};
use super::{Cycle, Interval, Unit};

/// How many cycles are looked through for one that has the window. Feb 29 can be eight years away;
/// what does not occur in so many does not occur at all.
const REACH: i64 = 12;

pub(super) struct Calendar<'a> {
    unit: Unit,
    shape: Shape,
    within: Option<i64>,
    zone: &'a Zone,
}

impl<'a> Calendar<'a> {
    pub(super) fn new(cycle: &Cycle, zone: &'a Zone) -> Self {
        let within = cycle.within.map(crate::time::micros);
        Self { unit: cycle.unit, shape: Shape::of(cycle), within, zone }
    }

    /// Finds the first window that ends after an instant.
    pub(super) fn seek(&self, at: i64) -> Option<Interval> {
        let current = cycle_of(self.unit, self.zone.latest(at));
        let from = match self.last(current, at) {
            Some((_, window)) if window.end.as_micros() > at => return Some(window),
            Some((cycle, _)) => cycle + 1,
            // A window of an earlier cycle would have begun before this one.
            None => current - 1,
        };
        self.first_from(from, current + REACH).map(|(cycle, open)| self.cut(cycle, open))
    }

    /// Finds the last window that starts at or before an instant.
    pub(super) fn seek_back(&self, at: i64) -> Option<Interval> {
        let current = cycle_of(self.unit, self.zone.latest(at));
        self.last(current, at).map(|(_, window)| window)
    }

    /// Finds the last window that starts at or before an instant of the given cycle.
    fn last(&self, current: i64, at: i64) -> Option<(i64, Interval)> {
        (current - REACH..=current).rev().find_map(|cycle| {
            let open = self.open(cycle).filter(|open| open.start <= at)?;
            Some((cycle, self.cut(cycle, open)))
        })
    }

    fn first_from(&self, from: i64, to: i64) -> Option<(i64, Open)> {
        (from..=to).find_map(|cycle| Some((cycle, self.open(cycle)?)))
    }

    /// Computes the window of a cycle; nobody has looked yet whether it reaches into the next.
    fn open(&self, cycle: i64) -> Option<Open> {
        let (from, to) = self.shape.window(self.unit, cycle)?;
        let start = self.zone.reach(from);
        let written = match self.shape {
            Shape::Span { .. } if !start.shown && self.skipped(cycle) => return None,
            _ => self.zone.reach(to).at,
        };
        let (end, free) = match (self.within, self.shape) {
            (Some(within), _) => (start.at.saturating_add(within), true),
            (None, Shape::Span { .. }) if written == start.at => (start.at + (to - from), true),
            (None, shape) => (written, shape.may_overlap()),
        };
        (start.at < end).then_some(Open { start: start.at, end, free })
    }

    /// Tells whether the zone has no instant of a cycle.
    fn skipped(&self, cycle: i64) -> bool {
        let [from, to] = [cycle, cycle + 1].map(|cycle| first_day(self.unit, cycle));
        are_skipped(from, to, self.zone)
    }

    /// Ends a window where the next begins, if it is one that could reach so far.
    fn cut(&self, cycle: i64, open: Open) -> Interval {
        let next = if open.free { self.first_from(cycle + 1, cycle + REACH) } else { None };
        let end = next.map_or(open.end, |(_, next)| open.end.min(next.start));
        Interval { start: Timestamp::from_micros(open.start), end: Timestamp::from_micros(end) }
    }
}

/// A window before it is cut at the start of the next.
#[derive(Clone, Copy)]
struct Open {
    start: i64,
    end: i64,
    /// Whether the next window may begin before this one ends.
    free: bool,
}
