//! Which records can be of an hour or later, by their numbers.
//!
//! Always: a record of an hour has no smaller number than the hour's first, and no greater one than its
//! last if there is one. Times are not indexed; nearly all records are in the order of their times, so this
//! says where to look. A clock that was far ahead once leaves an hour that is ahead of all later records:
//! it is closed as soon as the clock is right again, and opened again when its time has come.
//!
//! The databases keep the table; here is what it means.

use redengine_core::Timestamp;

/// The hour of an instant, as in the table of hours.
pub(crate) fn hour(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(3_600_000_000)
}

/// Between which two numbers, without these, the records at or after an instant are; in order.
///
/// Of the hours from that instant on, these are the first number of those that are open, and the first and
/// the last one of those that are closed and begin before it.
pub(crate) fn ranges(open: Option<i64>, closed: Option<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut ranges = Vec::new();
    if let Some((first, last)) = closed {
        let until = last.saturating_add(1).min(open.unwrap_or(i64::MAX));
        ranges.push((first.saturating_sub(1), until));
    }
    ranges.extend(open.map(|first| (first.saturating_sub(1), i64::MAX)));
    ranges
}
