//! What becomes of the matches of a cron expression where the clock is set.
//!
//! What the expression says of the clock face is read off its matches in UTC, where the clock is never
//! set. An expression that matches in each hour around the change is not told of: whether its runs go
//! by the clock or by elapsed time, nobody misses one.

use super::clock_change::{Change, HOUR, face, shown};
use crate::period::Period;
use crate::time::{Timestamp, Zone};

/// Tells what becomes of the first match that is skipped, or shown twice.
pub(super) fn cron_effect(period: &Period, change: Change, zone: &Zone) -> Option<String> {
    let utc = Zone::utc();
    let on_face = |local: i64| period.contains(Timestamp::from_micros(local), &utc);
    let (first, after) = change.odd();
    let odd = period.seek(Timestamp::from_micros(first), &utc)?.start.as_micros();
    if odd < first || odd >= after || on_face(odd - HOUR) && on_face(odd + HOUR) {
        return None;
    }
    let time = face(odd);
    if !change.skips() {
        let at = |offset: i64| period.contains(Timestamp::from_micros(odd - offset), zone);
        // Once is what is written.
        let twice = at(change.before) && at(change.after);
        return twice.then(|| format!("{time} comes twice, and it matches both times"));
    }
    let next = period.seek(Timestamp::from_micros(change.at), zone)?.start.as_micros();
    let moved = next < change.at + (after - first) && !on_face(next + change.after);
    Some(if moved {
        format!("{time} is skipped, so it matches at {}", shown(next, zone))
    } else {
        format!("{time} is skipped, so it does not match then")
    })
}
