//! Windows of seconds, minutes and hours: what a wall clock shows.
//!
//! These follow the clock face. In the second pass of a fold the clock shows an hour again, and so
//! its windows occur again; in a gap it does not show it, and they do not occur. Where the clock
//! is set back, a window is cut in two; where it is set forward, a window that lies on both sides
//! is one, and shorter.

use crate::time::zone::Stretch;
use crate::time::{Timestamp, Zone};

use super::anchor::{Shape, nominal_length};
use super::{Cycle, Interval};

/// How many stretches of constant offset are looked through for one that is long enough to hold
/// a window. Stretches are months long, save for a few days' worth in the history of few zones.
const REACH: usize = 8;

pub(super) struct ClockFace<'a> {
    length: i64,
    from: i64,
    to: i64,
    within: Option<i64>,
    zone: &'a Zone,
}

/// A window, where it was found, and its number there.
#[derive(Clone, Copy)]
struct Piece {
    start: i64,
    end: i64,
    number: i64,
    stretch: Stretch,
}

impl<'a> ClockFace<'a> {
    pub(super) fn new(cycle: &Cycle, zone: &'a Zone) -> Self {
        let within = cycle.within.map(crate::time::micros);
        let (from, to) = Shape::of(cycle).offsets(cycle.unit);
        Self { length: nominal_length(cycle.unit), from, to, within, zone }
    }

    /// Finds the first window that ends after an instant.
    pub(super) fn seek(&self, at: i64) -> Option<Interval> {
        let last = self.last(at)?;
        let window = self.window(last)?;
        if window.end.as_micros() > at {
            return Some(window);
        }
        self.window(self.after(last)?)
    }

    /// Finds the last window that starts at or before an instant.
    pub(super) fn seek_back(&self, at: i64) -> Option<Interval> {
        self.window(self.last(at)?)
    }

    fn last(&self, at: i64) -> Option<Piece> {
        let mut at = at;
        for _ in 0..REACH {
            let stretch = self.zone.stretch(at);
            let number = self.number(at + stretch.offset);
            if let Some(piece) = self.piece(stretch, number).filter(|piece| piece.start <= at) {
                return Some(piece);
            }
            at = stretch.start - 1;
        }
        None
    }

    fn after(&self, piece: Piece) -> Option<Piece> {
        if let Some(next) = self.piece(piece.stretch, piece.number + 1) {
            return Some(next);
        }
        let mut stretch = piece.stretch;
        for _ in 0..REACH {
            stretch = self.zone.stretch(stretch.end);
            let number = self.number(stretch.start + stretch.offset);
            // The first may have begun before, and then it is the one we come from.
            let next = self
                .piece(stretch, number)
                .filter(|first| first.start >= stretch.start)
                .or_else(|| self.piece(stretch, number + 1));
            if next.is_some() {
                return next;
            }
        }
        None
    }

    /// Tells the number of the last window that starts at or before a local time.
    fn number(&self, local: i64) -> i64 {
        (local - self.from).div_euclid(self.length)
    }

    /// Computes a window as seen from a stretch; `None` if it has no instant there.
    fn piece(&self, stretch: Stretch, number: i64) -> Option<Piece> {
        let base = number * self.length;
        let mut start = base + self.from - stretch.offset;
        let mut end = base + self.to - stretch.offset;
        if start >= stretch.end || end <= stretch.start {
            return None;
        }
        if start < stretch.start {
            let before = base + self.from - stretch.before;
            let forward = stretch.before < stretch.offset;
            start = if forward { before.min(stretch.start) } else { stretch.start };
        }
        if end > stretch.end {
            let after = base + self.to - stretch.after;
            let forward = stretch.after > stretch.offset;
            end = if forward { after.max(stretch.end) } else { stretch.end };
        }
        (start < end).then_some(Piece { start, end, number, stretch })
    }

    fn window(&self, piece: Piece) -> Option<Interval> {
        let end = match self.within {
            None => piece.end,
            Some(within) => {
                let end = piece.start.saturating_add(within);
                self.after(piece).map_or(end, |next| end.min(next.start))
            }
        };
        (piece.start < end).then_some(Interval {
            start: Timestamp::from_micros(piece.start),
            end: Timestamp::from_micros(end),
        })
    }
}
