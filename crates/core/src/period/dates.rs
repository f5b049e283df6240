//! Whole days that no cycle names: a set of dates, and weekdays without one.
//!
//! Each day is an interval of its own, from midnight to midnight in the zone; neighbours adjoin and
//! stay apart. A day that the zone skipped does not occur.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use crate::time::{Timestamp, Zone};

use super::civil::{DAY, weekday_of};
use super::{Interval, Weekday};

/// chrono counts days from 0001-01-01, which is 1.
const EPOCH: i32 = 719_163;

/// A set of dates, for example of holidays. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dates {
    /// Day numbers, in order, each once.
    days: Arc<[i64]>,
}

/// Some days of each week, without a set of dates.
///
/// ```
/// use chrono::NaiveDate;
/// use redengine_core::period::{BusinessDays, Dates, Period};
/// use redengine_core::time::{Timestamp, Zone};
///
/// let holidays = Dates::new([NaiveDate::from_ymd_opt(2026, 12, 25).unwrap()]);
/// let period = Period::BusinessDays(BusinessDays::without(holidays));
///
/// // The next after Thursday the 24th is Monday the 28th.
/// let at: Timestamp = "2026-12-24T12:00:00Z".parse().unwrap();
/// let next = period.next(at, &Zone::utc()).unwrap();
/// assert_eq!(next.start.to_string(), "2026-12-28T00:00:00Z");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BusinessDays {
    /// Bit 0 is Monday.
    weekdays: u8,
    except: Dates,
}

impl Dates {
    /// Makes a set of dates.
    pub fn new(dates: impl IntoIterator<Item = NaiveDate>) -> Self {
        let days = dates.into_iter().map(|date| i64::from(date.num_days_from_ce() - EPOCH));
        let mut days: Vec<i64> = days.collect();
        days.sort_unstable();
        days.dedup();
        Self { days: days.into() }
    }

    /// Lists the dates, in order.
    pub fn iter(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        let day = |day: &i64| i32::try_from(*day).ok().and_then(|day| day.checked_add(EPOCH));
        self.days.iter().filter_map(move |it| NaiveDate::from_num_days_from_ce_opt(day(it)?))
    }

    /// Tells how many dates there are up to a day, that day included.
    fn up_to(&self, day: i64) -> usize {
        self.days.partition_point(|it| *it <= day)
    }

    pub(super) fn seek(&self, at: i64, zone: &Zone) -> Option<Interval> {
        seek(at, zone, |day| self.from(day), |day| self.to(day))
    }

    pub(super) fn seek_back(&self, at: i64, zone: &Zone) -> Option<Interval> {
        seek_back(at, zone, |day| self.to(day))
    }

    /// Finds the first date from a day on.
    fn from(&self, day: i64) -> Option<i64> {
        self.days.get(self.up_to(day - 1)).copied()
    }

    /// Finds the last date up to a day.
    fn to(&self, day: i64) -> Option<i64> {
        self.days.get(self.up_to(day).checked_sub(1)?).copied()
    }
}

impl FromIterator<NaiveDate> for Dates {
    fn from_iter<I: IntoIterator<Item = NaiveDate>>(dates: I) -> Self {
        Self::new(dates)
    }
}

impl BusinessDays {
    /// Monday to Friday.
    pub fn weekdays() -> Self {
        Self::without(Dates::default())
    }

    /// Saturday and Sunday.
    pub fn weekends() -> Self {
        Self::weekdays().on([Weekday::Sat, Weekday::Sun])
    }

    /// Makes Monday to Friday without some dates.
    pub fn without(holidays: Dates) -> Self {
        Self { weekdays: 0b001_1111, except: holidays }
    }

    /// Takes other days of the week: `[Sun, Mon, Tue, Wed, Thu]`.
    pub fn on(self, weekdays: impl IntoIterator<Item = Weekday>) -> Self {
        let weekdays = weekdays.into_iter().fold(0, |set, day| set | 1 << day as u8);
        Self { weekdays, ..self }
    }

    /// Tells the dates that are left out.
    pub fn except(&self) -> &Dates {
        &self.except
    }

    pub(super) fn seek(&self, at: i64, zone: &Zone) -> Option<Interval> {
        seek(at, zone, |day| self.walk(day, 1), |day| self.walk(day, -1))
    }

    pub(super) fn seek_back(&self, at: i64, zone: &Zone) -> Option<Interval> {
        seek_back(at, zone, |day| self.walk(day, -1))
    }

    /// Finds the first day in one direction, a day itself included.
    fn walk(&self, day: i64, step: i64) -> Option<i64> {
        // At most a week without such a weekday, and a week for each date left out.
        let most = 7 * (self.except.days.len() + 1);
        (0..).take(most).map(|days: i64| day + days * step).find(|day| {
            self.weekdays >> weekday_of(*day) & 1 != 0
                && self.except.days.binary_search(day).is_err()
        })
    }
}

/// Finds the first day's interval that ends after an instant.
fn seek(
    at: i64,
    zone: &Zone,
    from: impl Fn(i64) -> Option<i64>,
    to: impl Fn(i64) -> Option<i64>,
) -> Option<Interval> {
    if let Some(last) = seek_back(at, zone, to).filter(|last| last.end.as_micros() > at) {
        return Some(last);
    }
    let mut day = today(at, zone) + 1;
    loop {
        day = from(day)?;
        if let Some(interval) = interval(day, zone) {
            return Some(interval);
        }
        day += 1;
    }
}

/// Finds the last day's interval that starts at or before an instant.
fn seek_back(at: i64, zone: &Zone, to: impl Fn(i64) -> Option<i64>) -> Option<Interval> {
    let mut day = today(at, zone);
    loop {
        day = to(day)?;
        if let Some(interval) = interval(day, zone) {
            return Some(interval);
        }
        day -= 1;
    }
}

/// Tells the last day that has begun.
fn today(at: i64, zone: &Zone) -> i64 {
    zone.latest(at).div_euclid(DAY)
}

/// Computes the interval of a day; `None` if the zone skipped it.
fn interval(day: i64, zone: &Zone) -> Option<Interval> {
    let reach = |day: i64| Timestamp::from_micros(zone.reach(day.saturating_mul(DAY)).at);
    Some(Interval { start: reach(day), end: reach(day + 1) }).filter(|day| !day.is_empty())
}
