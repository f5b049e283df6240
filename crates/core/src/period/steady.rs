//! Where a period repeats itself: what lets a chain of `|` be followed without taking each link.
//!
//! Between two changes of its zone's clock a cycle repeats after its length, and so do sets of
//! cycles after the longest of theirs (lengths up to a week divide each other). What has no
//! rhythm is steady from one edge of its own to the next.

use super::civil::DAY;
use super::set::Search;
use super::{Period, Unit, anchor};

/// A stretch of time in which a period repeats: whether an instant in it is inside an interval, and
/// whether it is an edge, is so too `rhythm` later, if that is still in the stretch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    pub(super) rhythm: i64,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// What counts as a rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Up to an hour; days and weeks are steady from edge to edge.
    Hour,
    /// Up to a week.
    Week,
}

impl Steady {
    const EVER: Self = Self { rhythm: 1, from: i64::MIN, until: i64::MAX };

    fn and(self, other: Self) -> Self {
        Self {
            rhythm: self.rhythm.max(other.rhythm),
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        }
    }
}

/// Tells around an instant where all of some periods repeat; that may be nowhere.
pub(super) fn steady(members: &[Period], at: i64, beat: Beat, search: &Search<'_>) -> Steady {
    let each = members.iter().map(|member| one(member, at, beat, search));
    each.fold(Steady::EVER, Steady::and)
}

fn one(period: &Period, at: i64, beat: Beat, search: &Search<'_>) -> Steady {
    let (rhythm, margin) = match period {
        Period::Always | Period::Never => return Steady::EVER,
        Period::All(members) | Period::Any(members) => return steady(members, at, beat, search),
        Period::Cycle(cycle) => {
            let length = anchor::nominal_length(cycle.unit);
            match (cycle.unit, beat) {
                // A window is at most as long as its cycle, so a change is forgotten after two.
                (Unit::Second | Unit::Minute | Unit::Hour, _) => (length, 2 * length),
                // A clock is set by less than a day; what counts elapsed time from before that
                // lasts for a cycle.
                (Unit::Day | Unit::Week, Beat::Week) => {
                    (length, 2 * DAY + cycle.within.map_or(0, |_| length))
                }
                _ => return between_edges(period, at, search),
            }
        }
        // They repeat each week from one of the dates left out to the next.
        Period::BusinessDays(days) if beat == Beat::Week => {
            let dates = between_edges(&Period::Dates(days.except().clone()), at, search);
            let stretch = search.zone.stretch(at);
            let (from, until) = (stretch.start + 2 * DAY, stretch.end - 2 * DAY);
            return dates.and(Steady { rhythm: 7 * DAY, from, until });
        }
        _ => return between_edges(period, at, search),
    };
    let stretch = search.zone.stretch(at);
    Steady { rhythm, from: stretch.start + margin, until: stretch.end - margin }
}

/// Tells the interval that an instant is in, or the pause between two.
fn between_edges(period: &Period, at: i64, search: &Search<'_>) -> Steady {
    let micros = |edge: crate::time::Timestamp| edge.as_micros();
    let next = period.first(at, search);
    if let Some(current) = next.filter(|next| micros(next.start) <= at) {
        return Steady { rhythm: 1, from: micros(current.start), until: micros(current.end) };
    }
    let last = period.last(at, search);
    Steady {
        rhythm: 1,
        from: last.map_or(i64::MIN, |last| micros(last.end)),
        until: next.map_or(i64::MAX, |next| micros(next.start)),
    }
}
