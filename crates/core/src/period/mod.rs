//! Periods: sets of time intervals.
//!
//! A [`Period`] is a value: what a user wrote, checked, with nothing computed. Two questions give
//! all answers: [`Period::seek`], the first interval that ends after an instant, and
//! [`Period::seek_back`], the last one that starts at or before it. `contains`, `current`, `next`,
//! `previous` and `next_edge` are made of these, so they cannot disagree.
//!
//! Always: an interval is half-open and not empty, intervals of a period are in order and do not
//! overlap. A period does not know what time it is, nor what anything else did in its intervals.

pub mod cycle;

pub use cycle::{Cycle, Place, Point, Unit, Weekday, Window};

use crate::time::Timestamp;

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
}
