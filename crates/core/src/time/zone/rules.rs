//! A zone's rules as a table of stretches of constant offset.
//!
//! The local axis is made unambiguous by one word: a local time is *reached* at the first instant
//! at which the local clock shows it or a later one. So a time in a gap is reached at the
//! transition, and a time in a fold at its first occurrence; there is no third case. `reach` never
//! decreases, which is why intervals made of it are in order.
//!
//! Invariant: stretches are in order, adjoin, cover the axis, and neighbours differ in offset.
//! The table ends in [`FAR`]; the Gregorian calendar, and so every rule of the form "the last
//! Sunday of March", repeats after 400 years, and later instants are looked up there.

use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// Where the table ends: 2500-01-01. No zone has rules of its own after 2087.
const FAR: i64 = 16_725_225_600_000_000;

/// 400 years of the Gregorian calendar, which are whole weeks too.
const ERA: i64 = 146_097 * 86_400_000_000;

/// A bucket of time is as many microseconds as a power of two can be near a year.
const BUCKET: u32 = 45;

/// More than any offset.
const DAY: i64 = 86_400_000_000;

/// Earlier than any instant and any local time.
const DAWN: i64 = i64::MIN / 4;

/// Later than any instant and any local time.
const DUSK: i64 = i64::MAX / 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// The first instant of the stretch.
    start: i64,
    /// The latest local time shown before it: everything earlier was reached before.
    shown: i64,
    /// Local time is UTC plus this.
    offset: i64,
}

/// A span of time in which a zone's offset is constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first instant in it.
    pub(crate) start: i64,
    /// The first instant after it.
    pub(crate) end: i64,
    /// Local time is UTC plus this.
    pub(crate) offset: i64,
    /// The offset before it; its own if there is nothing before it.
    pub(crate) before: i64,
    /// The offset after it; its own if there is nothing after it.
    pub(crate) after: i64,
}

/// When a local time is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The instant.
    pub(crate) at: i64,
    /// Whether the clock shows that time then; if not, it was skipped.
    pub(crate) shown: bool,
}

/// The rules of a zone.
#[derive(PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) name: Box<str>,
    table: Box<[Entry]>,
    /// For each bucket of time the stretch in which it begins, so that nothing is searched.
    buckets: Box<[u16]>,
    /// Whether the clock is still being set when the table ends.
    repeats: bool,
}

impl Rules {
    /// Writes out the table of a zone.
    pub(super) fn of(zone: &TimeZone, name: &str) -> Self {
        let earliest = jiff::Timestamp::MIN;
        let offset = micros(zone.to_offset(earliest));
        let mut table = vec![Entry { start: DAWN, shown: DAWN, offset }];
        for next in zone.following(earliest) {
            let (start, offset) = (next.timestamp().as_microsecond(), micros(next.offset()));
            let Some(last) = table.last() else { break };
            // A change of name or of the daylight saving flag is no change of the clock.
            if offset != last.offset {
                let shown = last.shown.max(start + last.offset);
                table.push(Entry { start, shown, offset });
            }
            if start > FAR {
                break;
            }
        }
        let repeats = table.last().is_some_and(|last| last.start > FAR);
        let buckets = match (table.get(1), table.last()) {
            (Some(first), Some(last)) => (bucket(first.start)..=bucket(last.start))
                .map(|bucket| table.partition_point(|entry| entry.start <= bucket << BUCKET))
                .map(|count| u16::try_from(count.saturating_sub(1)).unwrap_or(0))
                .collect(),
            _ => Box::default(),
        };
        Self { name: name.into(), table: table.into(), buckets, repeats }
    }

    /// Tells by how much an instant is to be moved back to lie in the table.
    fn eras(&self, at: i64) -> i64 {
        if self.repeats && at >= FAR { ((at - FAR) / ERA + 1) * ERA } else { 0 }
    }

    /// Finds the last entry whose key is at most `value`, given that its key is less than a day
    /// from its start.
    fn find(&self, value: i64, key: impl Fn(&Entry) -> i64) -> usize {
        let first = self.table.get(1).map_or(0, |entry| bucket(entry.start));
        let number = (bucket(value - DAY) - first).max(0);
        let number = usize::try_from(number).unwrap_or(0).min(self.buckets.len().saturating_sub(1));
        let mut index = match self.buckets.get(number) {
            // A bucket may begin before its first entry, and a value before the first bucket.
            Some(index) if value - DAY >= first << BUCKET => usize::from(*index),
            _ => 0,
        };
        while self.table.get(index + 1).is_some_and(|next| key(next) <= value) {
            index += 1;
        }
        index
    }

    fn index(&self, at: i64) -> usize {
        self.find(at, |entry| entry.start)
    }

    fn entry(&self, index: usize) -> Entry {
        let none = Entry { start: DUSK, shown: DUSK, offset: 0 };
        self.table.get(index).copied().unwrap_or(none)
    }

    /// Tells the offset at an instant.
    pub(super) fn offset(&self, at: i64) -> i64 {
        self.entry(self.index(at - self.eras(at))).offset
    }

    /// Finds the stretch that an instant lies in.
    pub(super) fn stretch(&self, at: i64) -> Stretch {
        let shift = self.eras(at);
        let index = self.index(at - shift);
        let entry = self.entry(index);
        let before = index.checked_sub(1).map_or(entry.offset, |before| self.entry(before).offset);
        let (end, after) = match self.table.get(index + 1) {
            Some(next) => (next.start + shift, next.offset),
            None => (DUSK, entry.offset),
        };
        let start = if index == 0 { DAWN } else { entry.start + shift };
        Stretch { start, end, offset: entry.offset, before, after }
    }

    /// Tells when a local time is reached.
    pub(super) fn reach(&self, local: i64) -> Reached {
        let shift = self.eras(local);
        let local = local - shift;
        let index = self.find(local, |entry| entry.shown);
        let entry = self.entry(index);
        let at = local - entry.offset;
        Reached { at: at.max(entry.start) + shift, shown: at >= entry.start }
    }

    /// Tells the latest local time that is reached at an instant or before it.
    pub(super) fn latest(&self, at: i64) -> i64 {
        let shift = self.eras(at);
        let entry = self.entry(self.index(at - shift));
        // In the second pass of a fold the clock has been later than it is: the time just before
        // the transition was reached, the time of the transition itself not yet.
        (at + entry.offset).max((entry.shown - 1).saturating_add(shift))
    }

    /// Tells the earliest local time that is reached at an instant or after it.
    pub(super) fn earliest(&self, at: i64) -> i64 {
        let shift = self.eras(at);
        let entry = self.entry(self.index(at - shift));
        // At a transition itself, all times of a gap are still to come.
        let shown = entry.shown.saturating_add(shift);
        if at - shift == entry.start { shown } else { shown.max(at + entry.offset) }
    }
}

fn bucket(at: i64) -> i64 {
    at >> BUCKET
}

fn micros(offset: jiff::tz::Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000_000
}

/// Brings any value into the span that can be expressed.
pub(super) fn clamp(at: Timestamp) -> i64 {
    at.as_micros().clamp(Timestamp::MIN.as_micros(), Timestamp::MAX.as_micros())
}
