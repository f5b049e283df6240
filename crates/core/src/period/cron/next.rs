//! The next and the previous match of a cron expression.
//!
//! The search runs on the local axis, a day at a time: the days of a month that match are one word
//! of bits, computed from its length and first weekday. Local matches become instants in one of
//! two ways (see the module above): reached once, or shown by the clock in each stretch of constant
//! offset.
//!
//! Always: `next` is the first match at or after an instant, `previous` the last one at or before
//! it, and both come from the same two functions on the local axis.

use crate::time::{Timestamp, Zone};

use super::super::Interval;
use super::super::civil::{DAY, HOUR, MINUTE, SECOND, date_of, month_start, weekday_of};
use super::field::low;
use super::{Cron, Days, Fields, Weekdays};

/// In so many months each day of the calendar has fallen on each weekday that it can.
const MONTHS: i64 = 400 * 12;

/// Stretches of constant offset that are looked through: two a year, for 400 years.
const STRETCHES: usize = 1_000;

impl Cron {
    /// Finds the first match that ends after an instant.
    pub(in super::super) fn seek(&self, at: i64, zone: &Zone) -> Option<Interval> {
        // A match is in it until its minute is over.
        let start = self.next(at - self.length() + 1, zone)?;
        let interval = self.interval(start, zone);
        if interval.end.as_micros() > at {
            return Some(interval);
        }
        // It was cut where the next begins.
        self.next(start + 1, zone).map(|start| self.interval(start, zone))
    }

    /// Finds the last match that starts at or before an instant.
    pub(in super::super) fn seek_back(&self, at: i64, zone: &Zone) -> Option<Interval> {
        self.previous(at, zone).map(|start| self.interval(start, zone))
    }

    fn length(&self) -> i64 {
        if self.fields.fine { SECOND } else { MINUTE }
    }

    /// Makes the interval of a match; where the clock is set in it, it ends where the next begins.
    fn interval(&self, start: i64, zone: &Zone) -> Interval {
        let mut end = start + self.length();
        let stretch = zone.stretch(start);
        // Only offsets of odd seconds can bring that about: else, minutes begin with minutes.
        if start == stretch.start || end > stretch.end {
            end = self.next(start + 1, zone).map_or(end, |next| end.min(next));
        }
        Interval { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) }
    }

    /// Finds the first match at or after an instant.
    fn next(&self, at: i64, zone: &Zone) -> Option<i64> {
        if !self.fields.possible {
            return None;
        }
        if !self.fields.elapsed {
            return next_local(&self.fields, zone.earliest(at)).map(|local| zone.reach(local).at);
        }
        let mut at = at;
        for _ in 0..STRETCHES {
            let stretch = zone.stretch(at);
            let found = next_local(&self.fields, at + stretch.offset)? - stretch.offset;
            if found < stretch.end {
                return Some(found);
            }
            at = stretch.end;
        }
        None
    }

    /// Finds the last match at or before an instant.
    fn previous(&self, at: i64, zone: &Zone) -> Option<i64> {
        if !self.fields.possible {
            return None;
        }
        if !self.fields.elapsed {
            return previous_local(&self.fields, zone.latest(at)).map(|local| zone.reach(local).at);
        }
        let mut at = at;
        for _ in 0..STRETCHES {
            let stretch = zone.stretch(at);
            let found = previous_local(&self.fields, at + stretch.offset)? - stretch.offset;
            if found >= stretch.start {
                return Some(found);
            }
            at = stretch.start - 1;
        }
        None
    }
}

/// Tells whether an expression matches any local time.
pub(super) fn occurs(fields: &Fields) -> bool {
    next_local(fields, 0).is_some()
}

/// Finds the first matching local time that is not before the given one.
fn next_local(fields: &Fields, local: i64) -> Option<i64> {
    let (mut day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    // Seconds and minutes begin with themselves, so what is past the start of one is in the next.
    let second = (time + SECOND - 1).div_euclid(SECOND);
    let (year, month, date) = date_of(day);
    let mut month = year * 12 + month - 1;
    let mut left = fields.dates(month) & !0 << date;
    if left & 1 << date != 0 {
        if let Some(time) = fields.time_from(second) {
            return Some(day * DAY + time);
        }
        left &= !(1 << date);
    }
    let last = month + MONTHS;
    loop {
        if left != 0 {
            day = month_start(month) + i64::from(left.trailing_zeros()) - 1;
            return fields.time_from(0).map(|time| day * DAY + time);
        }
        month = fields.month_from(month + 1)?;
        if month > last {
            return None;
        }
        left = fields.dates(month);
    }
}

/// Finds the last matching local time that is not after the given one.
fn previous_local(fields: &Fields, local: i64) -> Option<i64> {
    let (mut day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (year, month, date) = date_of(day);
    let mut month = year * 12 + month - 1;
    let mut left = fields.dates(month) & !(!1 << date);
    if left & 1 << date != 0 {
        if let Some(time) = fields.time_to(time.div_euclid(SECOND)) {
            return Some(day * DAY + time);
        }
        left &= !(1 << date);
    }
    let last = month - MONTHS;
    loop {
        if left != 0 {
            day = month_start(month) + i64::from(left.ilog2()) - 1;
            return fields.time_to(DAY / SECOND - 1).map(|time| day * DAY + time);
        }
        month = fields.month_to(month - 1)?;
        if month < last {
            return None;
        }
        left = fields.dates(month);
    }
}

impl Fields {
    /// Finds the first matching time of day from a second of the day on.
    fn time_from(&self, second: i64) -> Option<i64> {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let hours = u64::from(self.hours);
        if bit(hours, hour) {
            if bit(self.minutes, minute)
                && let Some(second) = from(self.seconds, second)
            {
                return Some(time(hour, minute, second));
            }
            if let Some(minute) = from(self.minutes, minute + 1) {
                return Some(time(hour, minute, from(self.seconds, 0)?));
            }
        }
        let hour = from(hours, hour + 1)?;
        Some(time(hour, from(self.minutes, 0)?, from(self.seconds, 0)?))
    }

    /// Finds the last matching time of day up to a second of the day.
    fn time_to(&self, second: i64) -> Option<i64> {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let hours = u64::from(self.hours);
        if bit(hours, hour) {
            if bit(self.minutes, minute)
                && let Some(second) = to(self.seconds, second)
            {
                return Some(time(hour, minute, second));
            }
            if let Some(minute) = to(self.minutes, minute - 1) {
                return Some(time(hour, minute, to(self.seconds, 59)?));
            }
        }
        let hour = to(hours, hour - 1)?;
        Some(time(hour, to(self.minutes, 59)?, to(self.seconds, 59)?))
    }

    /// Finds the first month from one on that matches; months are numbered through.
    fn month_from(&self, month: i64) -> Option<i64> {
        let year = month.div_euclid(12);
        let months = u64::from(self.months);
        match from(months, month.rem_euclid(12) + 1) {
            Some(month) => Some(year * 12 + month - 1),
            None => Some((year + 1) * 12 + from(months, 0)? - 1),
        }
    }

    /// Finds the last month up to one that matches.
    fn month_to(&self, month: i64) -> Option<i64> {
        let year = month.div_euclid(12);
        let months = u64::from(self.months);
        match to(months, month.rem_euclid(12) + 1) {
            Some(month) => Some(year * 12 + month - 1),
            None => Some((year - 1) * 12 + to(months, 12)? - 1),
        }
    }

    /// Tells which days of a month match: bit n is the n-th.
    fn dates(&self, month: i64) -> u32 {
        if !bit(u64::from(self.months), month.rem_euclid(12) + 1) {
            return 0;
        }
        if self.days.is_any() && self.weekdays.is_any() {
            // Most expressions do not care; how long a month is, the caller must know then.
            return every(length_of(month));
        }
        let first = month_start(month);
        let length = length_of(month);
        // Sunday is 0 in cron, Monday in the calendar.
        let weekday = (weekday_of(first) + 1) % 7;
        let days = self.days.dates(length, weekday);
        let weekdays = self.weekdays.dates(length, weekday);
        // Vixie's rule; a plain `*` matches all days, so that "both" is the other one alone.
        let both = self.days.star || self.weekdays.star;
        every(length) & if both { days & weekdays } else { days | weekdays }
    }
}

impl Days {
    fn is_any(&self) -> bool {
        self.set & every(31) == every(31)
    }

    fn dates(&self, length: i64, first_weekday: i64) -> u32 {
        let mut dates = self.set;
        let workday = |date: i64| {
            let weekday = (first_weekday + date - 1).rem_euclid(7);
            match weekday {
                // The nearest in the same month, as Quartz has it.
                6 if date == 1 => 3,
                6 => date - 1,
                0 if date == length => date - 2,
                0 => date + 1,
                _ => date,
            }
        };
        let mut each = self.from_last;
        while each != 0 {
            let date = length - i64::from(each.trailing_zeros());
            if date >= 1 {
                dates |= 1 << date;
            }
            each &= each - 1;
        }
        let mut each = self.nearest & every(length);
        while each != 0 {
            dates |= 1 << workday(i64::from(each.trailing_zeros()));
            each &= each - 1;
        }
        if self.last_workday {
            dates |= 1 << workday(length);
        }
        dates
    }
}

impl Weekdays {
    fn is_any(self) -> bool {
        self.set & 0x7f == 0x7f
    }

    fn dates(self, length: i64, first_weekday: i64) -> u32 {
        let mut dates = weekly(self.set, first_weekday);
        if self.last != 0 {
            dates |= weekly(self.last, first_weekday) & (0x7f << (length - 6));
        }
        for (week, set) in (0..).zip(self.nth) {
            if set != 0 {
                dates |= weekly(set, first_weekday) & low(0x7f << (7 * week + 1));
            }
        }
        dates
    }
}

/// Spreads a set of weekdays over a month: bit n is its n-th day.
fn weekly(set: u8, first_weekday: i64) -> u32 {
    let set = u64::from(set & 0x7f);
    // Turned so that the weekday of the first comes first, then once for each week.
    let turned = (set | set << 7) >> first_weekday & 0x7f;
    let weeks = turned | turned << 7 | turned << 14 | turned << 21 | turned << 28;
    low(weeks << 1)
}

/// Makes the set of the days of a month of some length.
fn every(length: i64) -> u32 {
    low((1 << (length + 1)) - 2)
}

fn length_of(month: i64) -> i64 {
    month_start(month + 1) - month_start(month)
}

fn time(hour: i64, minute: i64, second: i64) -> i64 {
    hour * HOUR + minute * MINUTE + second * SECOND
}

fn bit(set: u64, value: i64) -> bool {
    set >> value & 1 != 0
}

/// Finds the first value of a set from one on.
fn from(set: u64, value: i64) -> Option<i64> {
    let rest = set & u64::MAX.checked_shl(u32::try_from(value).ok()?).unwrap_or(0);
    (rest != 0).then(|| i64::from(rest.trailing_zeros()))
}

/// Finds the last value of a set up to one.
fn to(set: u64, value: i64) -> Option<i64> {
    let rest = set & u64::MAX.checked_shr(u32::try_from(63 - value).ok()?).unwrap_or(0);
    (rest != 0).then(|| i64::from(rest.ilog2()))
}
