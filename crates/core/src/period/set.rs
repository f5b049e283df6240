//! `&` and `|` of periods.
//!
//! An interval of `&` is a non-empty intersection of one interval of each member. An interval of
//! `|` is a chain of members' intervals of which each shares an instant with another; intervals
//! that merely touch stay apart, so that `daily` keeps its midnights.
//!
//! Both are found by leaps from edge to edge, and the leaps are bounded: members of `&` that do
//! not meet within [`TRIES`] leaps or [`HORIZON`] (08-10 and 12-14) never do. A chain of `|` is
//! followed over years, for `hourly | hourly starting 01:00` ends where the clock is set forward;
//! one that takes more than [`LINKS`] leaps to one side, which is a century and more, has no end
//! there.

use std::cell::Cell;

use crate::time::{Timestamp, Zone};

use super::steady::{Beat, steady};
use super::{Interval, Period};

/// Members that do not meet in so many leaps never do. Those that meet at all meet much sooner: the
/// rarest meeting in the calendar, a weekday on Feb 29, takes some twenty.
const TRIES: u32 = 3_000;

/// A longer chain is taken to be endless, as `daily | daily starting 10:00` is.
const LINKS: u32 = 4_000;

/// All leaps of one question, however sets are nested in sets; beyond that it has no answer.
const LEAPS: u32 = 50_000;

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
///
/// An instant is inside a chain if it is inside some member's interval and not its start, which
/// hangs on the neighbourhood of the instant alone. So where all members repeat, a chain that has
/// lasted for a whole rhythm lasts as long as they do.
fn chain(members: &[Period], link: Interval, search: &Search<'_>) -> Interval {
    Interval {
        start: Timestamp::from_micros(chain_start(members, link, search)),
        end: Timestamp::from_micros(chain_end(members, link, search)),
    }
}

fn chain_start(members: &[Period], link: Interval, search: &Search<'_>) -> i64 {
    let (mut edge, known) = (link.start.as_micros(), link.end.as_micros());
    for links in 0..LINKS {
        if edge <= Timestamp::MIN.as_micros() || search.leap().is_none() {
            break;
        }
        let reaching = members.iter().filter_map(|member| member.first(edge, search));
        // A member's first interval that ends after `edge` is in the chain if it begins before.
        match reaching.map(|other| other.start.as_micros()).min() {
            Some(earlier) if earlier < edge => edge = earlier,
            _ => return edge,
        }
        for &beat in beats(links) {
            let steady = steady(members, edge, beat, search);
            let lasted = known.min(steady.until).saturating_sub(edge);
            if lasted > steady.rhythm {
                edge = edge.min(steady.from);
            }
        }
    }
    Timestamp::MIN.as_micros()
}

fn chain_end(members: &[Period], link: Interval, search: &Search<'_>) -> i64 {
    let (known, mut edge) = (link.start.as_micros(), link.end.as_micros());
    for links in 0..LINKS {
        if edge >= Timestamp::MAX.as_micros() || search.leap().is_none() {
            break;
        }
        let reaching = members.iter().filter_map(|member| member.last(edge - 1, search));
        match reaching.map(|other| other.end.as_micros()).max() {
            Some(later) if later > edge => edge = later,
            _ => return edge,
        }
        for &beat in beats(links) {
            let steady = steady(members, edge, beat, search);
            let lasted = edge.saturating_sub(known.max(steady.from));
            if lasted > steady.rhythm {
                edge = edge.max(steady.until);
            }
        }
    }
    Timestamp::MAX.as_micros()
}

/// Tells which rhythms to look for after so many links: most chains are short.
fn beats(links: u32) -> &'static [Beat] {
    match links {
        0..4 => &[],
        _ if links.is_multiple_of(4) => &[Beat::Hour, Beat::Week],
        _ => &[],
    }
}
