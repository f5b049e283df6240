//! A period in a zone, with its intervals around now remembered.
//!
//! Conditions share these: a hundred thousand tasks that are `daily` find midnight once. What is
//! remembered follows from the period and the instant alone, so it cannot make an answer wrong.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::period::{Cycle, Interval, Period, Window};
use crate::time::{Timestamp, Zone};

/// A period in a zone.
#[derive(Debug)]
pub struct Calendar {
    period: Period,
    zone: Zone,
    memory: Mutex<Memory>,
}

/// What is remembered: what lies around two instants, mostly now and the next wake.
#[derive(Debug, Default)]
struct Memory {
    around: [Option<Around>; 2],
    /// Which of them was asked for last.
    last: usize,
    lasting: Option<Lasting>,
}

/// Windows that adjoin, so that from the first instant to the last one of them is the current one.
#[derive(Clone, Copy, Debug)]
struct Lasting {
    within: Option<Duration>,
    from: Timestamp,
    until: Timestamp,
    /// Whether more adjoin than were looked at, so that this is only told of the first one.
    more: bool,
}

/// How many windows that adjoin are seen as one. There may be no end to them.
const JOINTS: usize = 16;

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
        Self { period, zone, memory: Mutex::default() }
    }

    /// Tells the intervals around an instant.
    pub(super) fn around(&self, at: Timestamp) -> Around {
        // OK to go on after a panic elsewhere: what is remembered is replaced as a whole.
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        for place in [memory.last, 1 - memory.last] {
            if let Some(known) = memory.around[place].filter(|it| it.from <= at && at < it.until) {
                memory.last = place;
                return known;
            }
        }
        memory.last = 1 - memory.last;
        let place = memory.last;
        *memory.around[place].insert(self.look(at))
    }

    /// Tells how long the interval that began last lasts, together with those that adjoin it; all
    /// of them last for `within` if that is given.
    pub(super) fn lasts(&self, around: &Around, within: Option<Duration>) -> Option<Timestamp> {
        let end = |of: Interval| within.map_or(of.end, |within| of.start.after(within));
        let first = around.begun()?;
        // Each follows the one before for ever.
        if is_without_gaps(&self.period) {
            return None;
        }
        let until = if around.next.is_some_and(|next| next.start <= end(first)) {
            self.lasts_on(first, within, end)
        } else {
            end(first)
        };
        Some(until).filter(|until| *until < Timestamp::MAX)
    }

    fn lasts_on(
        &self,
        first: Interval,
        within: Option<Duration>,
        end: impl Fn(Interval) -> Timestamp,
    ) -> Timestamp {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let from = first.start;
        let known = memory.lasting.filter(|known| known.within == within);
        let of_it = |known: &Lasting| {
            from == known.from || (!known.more && known.from < from && from < known.until)
        };
        if let Some(known) = known.filter(of_it) {
            return known.until;
        }
        let mut last = first;
        let mut joints = 0;
        while let Some(next) = self.period.seek(last.end, &self.zone)
            && next.start <= end(last)
            && joints < JOINTS
        {
            last = next;
            joints += 1;
        }
        let until = end(last);
        memory.lasting = Some(Lasting { within, from, until, more: joints == JOINTS });
        until
    }

    /// Tells when the current interval began, or the first of those that adjoin it; `None`: too far
    /// back.
    pub(super) fn begun(&self, around: &Around) -> Option<Timestamp> {
        let mut first = around.current?;
        let mut previous = around.previous;
        for _ in 0..JOINTS {
            match previous {
                Some(joined) if joined.end == first.start => first = joined,
                _ => return Some(first.start).filter(|start| *start > Timestamp::MIN),
            }
            previous = self.period.seek_back(before(first.start), &self.zone);
        }
        None
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
            Some(current) => before(current.start),
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

    /// Tells since when it has been as it is: in this interval, or in none.
    pub(super) fn since(&self) -> Option<Timestamp> {
        (self.from > Timestamp::MIN).then_some(self.from)
    }

    /// Tells until when it stays as it is.
    pub(super) fn until(&self) -> Option<Timestamp> {
        (self.until < Timestamp::MAX).then_some(self.until)
    }
}

/// Tells whether the intervals of a period follow one another for ever, as those of whole days do.
pub(super) fn is_without_gaps(period: &Period) -> bool {
    matches!(period, Period::Cycle(Cycle { window: Window::Full, within: None, .. }))
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_sub(1))
}
