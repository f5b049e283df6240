//! Whether a period, or several at once, will ever occur from an instant on.
//!
//! The search of `period` ends after so many steps. Here `&` is taken apart first: of an `|` inside
//! it each member is tried by itself. What is left are cycles, cron expressions and days, which meet
//! soon if they meet at all, so that a search that ends without a meeting has proved that there is
//! none. What would come apart into too many pieces counts as occurring.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::period::Period;
use crate::time::{Timestamp, Zone};

/// An `&` that comes apart into more pieces is not looked at.
const PIECES: usize = 32;

/// So many answers are remembered: those of one condition are wanted again soon, if at all.
const KNOWN: usize = 1024;

/// Answers which periods occur from now on, and remembers the latest answers.
pub(super) struct Meetings {
    now: Timestamp,
    known: RefCell<HashMap<(Period, Zone), Occurs>>,
}

/// Whether a period occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurs {
    /// It may, as far as is known.
    Perhaps,
    /// It has, and never will again.
    NoMore,
    /// It never has and never will.
    Never,
}

impl Meetings {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, known: RefCell::default() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Tells whether a period occurs now or later.
    pub(super) fn occurs(&self, period: &Period, zone: &Zone) -> Occurs {
        let key = (period.clone(), zone.clone());
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        let occurs = self.look(period, zone);
        let mut known = self.known.borrow_mut();
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(key, occurs);
        drop(known);
        occurs
    }

    fn look(&self, period: &Period, zone: &Zone) -> Occurs {
        let Some(pieces) = pieces(period) else { return Occurs::Perhaps };
        let one = |piece: &Vec<Period>| {
            let piece = match piece.as_slice() {
                [only] => only.clone(),
                _ => Period::All(piece.clone()),
            };
            if piece.seek(self.now, zone).is_some() {
                Occurs::Perhaps
            } else if piece.seek_back(self.now, zone).is_some() {
                Occurs::NoMore
            } else {
                Occurs::Never
            }
        };
        let all: Vec<Occurs> = pieces.iter().map(one).collect();
        if all.contains(&Occurs::Perhaps) {
            Occurs::Perhaps
        } else if all.contains(&Occurs::NoMore) {
            Occurs::NoMore
        } else {
            Occurs::Never
        }
    }
}

/// Takes a period apart: it is in one of the pieces, which is to be in all of its members.
fn pieces(period: &Period) -> Option<Vec<Vec<Period>>> {
    let mut found = match period {
        Period::Any(members) => {
            let mut all = Vec::new();
            for member in members {
                all.extend(pieces(member)?);
                if all.len() > PIECES {
                    return None;
                }
            }
            all
        }
        Period::All(members) => {
            let mut all = vec![Vec::new()];
            for member in members {
                let apart = pieces(member)?;
                if all.len() * apart.len() > PIECES {
                    return None;
                }
                let joined = |one: &Vec<Period>| -> Vec<Vec<Period>> {
                    apart.iter().map(|other| [one.as_slice(), other].concat()).collect()
                };
                all = all.iter().flat_map(joined).collect();
            }
            all
        }
        other => vec![vec![other.clone()]],
    };
    found.retain(|piece| !piece.contains(&Period::Never));
    (found.iter().all(|piece| piece.len() <= PIECES)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::parse_period;

    fn period(text: &str) -> Period {
        parse_period(text).unwrap().known("").unwrap()
    }

    #[test]
    fn members_that_meet_once_a_year_beside_those_that_miss_each_other_each_minute_do_meet() {
        let even = Period::Cron("*/2 * * * *".parse().unwrap());
        let odd = Period::Cron("1-59/2 * * * *".parse().unwrap());
        let new_year = Period::Cron("0 0 1 1 *".parse().unwrap());
        let meetings = Meetings::new(Timestamp::from_micros(1_770_000_000_000_000));
        let utc = Zone::utc();
        let missing = Period::All(vec![even.clone(), odd.clone()]);
        assert_eq!(meetings.occurs(&missing, &utc), Occurs::Never);
        let meeting = Period::All(vec![even, Period::Any(vec![odd, new_year])]);
        assert_eq!(meeting.seek(meetings.now(), &utc), None, "the search gives up");
        assert_eq!(meetings.occurs(&meeting, &utc), Occurs::Perhaps);
    }

    #[test]
    fn what_meets_is_told_from_what_does_not() {
        let meetings = Meetings::new(Timestamp::from_micros(1_770_000_000_000_000));
        let utc = Zone::utc();
        let apart = "time of day between 08:00 and 10:00 & time of day between 12:00 and 14:00";
        assert_eq!(meetings.occurs(&period(apart), &utc), Occurs::Never);
        let together = "time of day between 08:00 and 12:01 & time of day between 12:00 and 14:00";
        assert_eq!(meetings.occurs(&period(together), &utc), Occurs::Perhaps);
        assert_eq!(meetings.occurs(&Period::Never, &utc), Occurs::Never);
        assert_eq!(meetings.occurs(&Period::Always, &utc), Occurs::Perhaps);
    }
}
