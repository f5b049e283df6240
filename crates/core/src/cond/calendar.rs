//! A period in a zone, with its intervals around now remembered.
//!
//! Conditions share these: a hundred thousand tasks that are `daily` find midnight once. What is
//! remembered follows from the period and the instant alone, so it cannot make an answer wrong.

use std::sync::{Mutex, PoisonError};

use crate::period::{Interval, Period};
use crate::time::{Timestamp, Zone};

/// A period in a zone.
#[derive(Debug)]
pub struct Calendar {
    period: Period,
    zone: Zone,
    around: Mutex<Option<Around>>,
}

/// The intervals around an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// Good for instants at or after this one ..
    from: Timestamp,
    /// .. and before this one.
    until: Timestamp,
    /// The interval that the instant is in.
    pub current: Option<Interval>,
    /// The interval that ended last, or is the current one's predecessor.
    pub previous: Option<Interval>,
    /// The first interval that starts later.
    pub next: Option<Interval>,
}

impl Calendar {
    /// Makes a calendar of a period in a zone.
    pub fn new(period: Period, zone: Zone) -> Self {
        Self { period, zone, around: Mutex::new(None) }
    }

    /// Tells the intervals around an instant.
    pub(super) fn around(&self, at: Timestamp) -> Around {
        // OK to go on after a panic elsewhere: what is remembered is replaced as a whole.
        let mut around = self.around.lock().unwrap_or_else(PoisonError::into_inner);
        match *around {
            Some(known) if known.from <= at && at < known.until => known,
            _ => *around.insert(self.look(at)),
        }
    }

    fn look(&self, at: Timestamp) -> Around {
        let first = self.period.seek(at, &self.zone);
        let current = first.filter(|interval| interval.start <= at);
        let next = match current {
            Some(current) => self.period.seek(current.end, &self.zone),
            None => first,
        };
        let before = match current {
            // One microsecond before its start is either in the previous interval or after it.
            Some(current) => Timestamp::from_micros(current.start.as_micros().saturating_sub(1)),
            None => at,
        };
        let previous = self.period.seek_back(before, &self.zone);
        let from = match current {
            Some(current) => current.start,
            None => previous.map_or(Timestamp::MIN, |interval| interval.end),
        };
        let until = match current {
            Some(current) => current.end,
            None => next.map_or(Timestamp::MAX, |interval| interval.start),
        };
        Around { from, until, current, previous, next }
    }
}

impl Around {
    /// Tells the interval that began last: the current one, or the one before.
    pub(super) fn begun(&self) -> Option<Interval> {
        self.current.or(self.previous)
    }

    /// Tells when the next interval begins.
    pub(super) fn next_start(&self) -> Option<Timestamp> {
        self.next.map(|interval| interval.start)
    }

    /// Tells since when it has been as it is: in an interval, or in none.
    ///
    /// Intervals that touch count as one for this only when the caller does not mind the joint.
    pub(super) fn since(&self) -> Option<Timestamp> {
        (self.from > Timestamp::MIN).then_some(self.from)
    }

    /// Tells until when it stays as it is.
    pub(super) fn until(&self) -> Option<Timestamp> {
        (self.until < Timestamp::MAX).then_some(self.until)
    }
}
