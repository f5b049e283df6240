//! `&` and `|` of periods.
//!
//! An interval of `&` is a non-empty intersection of one interval of each member. An interval of
//! `|` is a chain of members' intervals of which each shares an instant with another; intervals
//! that merely touch stay apart, so that `daily` keeps its midnights.
//!
//! Both are found by leaps from edge to edge, and the leaps are bounded: members of `&` that do
//! not meet within [`TRIES`] leaps or [`HORIZON`] (08-10 and 12-14) never do, and a chain of `|`
//! that has more than [`LINKS`] links on one side has no end there.

use std::cell::Cell;

use crate::time::{Timestamp, Zone};

use super::{Interval, Period};

/// Members that do not meet in so many leaps never do. Those that meet at all meet much sooner: the
/// rarest meeting in the calendar, a weekday on Feb 29, takes some twenty.
const TRIES: u32 = 3_000;

/// A longer chain is taken to be endless, as `daily | daily starting 10:00` is.
const LINKS: u32 = 1_000;

/// All leaps of one question, however sets are nested in sets; beyond that it has no answer.
const LEAPS: u32 = 20_000;

/// How far the search for an intersection goes: 400 years, after which the calendar repeats.
const HORIZON: i64 = 146_097 * 86_400_000_000;

/// One question: where it is asked, and how many leaps are left to answer it.
pub(super) struct Search<'a> {
    pub(super) zone: &'a Zone,
    leaps: Cell<u32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(zone: &'a Zone) -> Self {
        Self { zone, leaps: Cell::new(LEAPS) }
    }

    /// Takes a leap, if one is left.
    fn leap(&self) -> Option<()> {
        self.leaps.set(self.leaps.get().checked_sub(1)?);
        Some(())
    }
}

pub(super) fn all_seek(members: &[Period], at: i64, search: &Search<'_>) -> Option<Interval> {
    let mut from = at;
    for _ in 0..TRIES {
        search.leap()?;
        let mut common = Interval::ALWAYS;
        for member in members {
            let next = member.first(from, search)?;
            common = common.overlap(next);
        }
        if !common.is_empty() {
            // A member that ran out of leaps has told less than the truth.
            return (search.leaps.get() > 0).then_some(common);
        }
        // An intersection lies in intervals of all members, and so not before the latest start.
        from = common.start.as_micros();
        if from.saturating_sub(at) > HORIZON {
            return None;
        }
    }
    None
}

pub(super) fn all_seek_back(members: &[Period], at: i64, search: &Search<'_>) -> Option<Interval> {
    let mut from = at;
    for _ in 0..TRIES {
        search.leap()?;
        let mut common = Interval::ALWAYS;
        for member in members {
            let last = member.last(from, search)?;
            common = common.overlap(last);
        }
        if !common.is_empty() {
            // A member that ran out of leaps has told less than the truth.
            return (search.leaps.get() > 0).then_some(common);
        }
        from = common.end.as_micros() - 1;
        if at.saturating_sub(from) > HORIZON {
            return None;
        }
    }
    None
}

pub(super) fn any_seek(members: &[Period], at: i64, search: &Search<'_>) -> Option<Interval> {
    let first = members.iter().filter_map(|member| member.first(at, search));
    first.min_by_key(|next| next.start).map(|next| chain(members, next, search))
}

pub(super) fn any_seek_back(members: &[Period], at: i64, search: &Search<'_>) -> Option<Interval> {
    let last = members.iter().filter_map(|member| member.last(at, search));
    last.max_by_key(|last| last.start).map(|last| chain(members, last, search))
}

/// Follows the chain of overlapping intervals from one of them to both sides.
fn chain(members: &[Period], link: Interval, search: &Search<'_>) -> Interval {
    let start = grow(search, link.start, Timestamp::MIN, |start| {
        let reaching = members.iter().filter_map(|member| member.first(start.as_micros(), search));
        // A member's first interval that ends after `start` is in the chain if it begins before.
        reaching.map(|other| other.start).min().filter(|earlier| *earlier < start)
    });
    let end = grow(search, link.end, Timestamp::MAX, |end| {
        let before_end = end.as_micros() - 1;
        let reaching = members.iter().filter_map(|member| member.last(before_end, search));
        reaching.map(|other| other.end).max().filter(|later| *later > end)
    });
    Interval { start, end }
}

/// Moves an edge as long as it moves; if that does not end, to the edge of time.
fn grow(
    search: &Search<'_>,
    edge: Timestamp,
    limit: Timestamp,
    step: impl Fn(Timestamp) -> Option<Timestamp>,
) -> Timestamp {
    let mut edge = edge;
    for _ in 0..LINKS {
        match search.leap().and_then(|()| step(edge)) {
            Some(further) => edge = further,
            None => return edge,
        }
    }
    limit
}
