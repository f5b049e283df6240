//! Civil dates as day numbers, and local times as microseconds.
//!
//! Day 0 is 1970-01-01. All functions are total: the Gregorian calendar goes on for ever in both
//! directions, and callers clamp what users write before they come here.

use super::Unit;
use crate::time::Zone;

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Tells the day number of a date; months count from 1 and may not exceed 12.
pub(super) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    // Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so
    // that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Tells the year, month and day of a day number.
pub(super) fn date_of(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Tells whether a zone has no instant from one day to another, as Samoa has none of 2011-12-30.
pub(super) fn are_skipped(from: i64, to: i64, zone: &Zone) -> bool {
    zone.reach(from * DAY).at == zone.reach(to * DAY).at
}

/// Tells the weekday of a day number: 0 is Monday.
pub(super) fn weekday_of(day: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    (day + 3).rem_euclid(7)
}

/// Tells the first day of a month; months are numbered through from January of year 0.
pub(super) fn month_start(month: i64) -> i64 {
    day_of(month.div_euclid(12), month.rem_euclid(12) + 1, 1)
}

/// Tells the number of the cycle that a local time lies in; for calendar units.
pub(super) fn cycle_of(unit: Unit, local: i64) -> i64 {
    let day = local.div_euclid(DAY);
    match unit {
        Unit::Second => local.div_euclid(SECOND),
        Unit::Minute => local.div_euclid(MINUTE),
        Unit::Hour => local.div_euclid(HOUR),
        Unit::Day => day,
        // Weeks begin on Monday; day -3 was one.
        Unit::Week => (day + 3).div_euclid(7),
        Unit::Month => {
            let (year, month, _) = date_of(day);
            year * 12 + month - 1
        }
        Unit::Year => date_of(day).0,
    }
}

/// Tells the day on which a cycle begins; for units of a day and longer.
pub(super) fn first_day(unit: Unit, cycle: i64) -> i64 {
    match unit {
        Unit::Second | Unit::Minute | Unit::Hour | Unit::Day => cycle,
        Unit::Week => cycle * 7 - 3,
        Unit::Month => month_start(cycle),
        Unit::Year => day_of(cycle, 1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_day_numbers_agree() {
        let mut expected = (1200, 1, 1);
        for day in day_of(1200, 1, 1)..day_of(2405, 1, 1) {
            assert_eq!(date_of(day), expected);
            let (year, month, date) = expected;
            assert_eq!(day_of(year, month, date), day);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, date) {
                (12, 31) => (year + 1, 1, 1),
                (_, date) if date == last => (year, month + 1, 1),
                _ => (year, month, date + 1),
            };
        }
        assert_eq!(weekday_of(day_of(2026, 11, 24)), 1);
    }
}
