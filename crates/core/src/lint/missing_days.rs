//! `monthly on 31st`: windows that some months lack.

use std::collections::BTreeSet;

use chrono::{Datelike, Months, NaiveDate};

use super::LintCode;
use super::finding::Finding;
use crate::expr::{Statement, Times};
use crate::period::{Cycle, Period, Place, Unit, Window};
use crate::time::{Timestamp, Zone};

/// Months and years are looked at for so long; each month comes with and without a leap day.
const MONTHS: u32 = 8 * 12;

const NAMES: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Tells in which months a window that names a day does not occur.
pub(super) fn missing_days(statement: &Statement, now: Timestamp, own: &Zone) -> Option<Finding> {
    let (Statement::Once { period, zone, .. } | Statement::InPeriod { period, zone }) = statement
    else {
        return None;
    };
    let Times::Period(period @ Period::Cycle(cycle)) = period else { return None };
    let zone = zone.as_ref().unwrap_or(own);
    match (cycle.unit, start(cycle)?) {
        (Unit::Month, Place::MonthDay(29..)) => {}
        (Unit::Year, Place::YearDay(2, 29)) if matches!(cycle.window, Window::On(_)) => {
            return Some(Finding::new(
                LintCode::MissingDays,
                statement,
                "occurs in leap years only: other years have no Feb 29",
                "for the end of February in each year, write `monthly on last day`, and join it with \
                 `time of year on Feb`",
            ));
        }
        _ => return None,
    }
    let (mut with, mut without) = (BTreeSet::new(), BTreeSet::new());
    let first = zone.to_local(now).date().with_day(1)?;
    for month in 0..MONTHS {
        let from = first.checked_add_months(Months::new(month))?;
        let to = from.checked_add_months(Months::new(1))?;
        let start = |date: NaiveDate| zone.to_instant(date.and_time(chrono::NaiveTime::MIN));
        // One that has begun before is that of another month.
        let window = period.next(Timestamp::from_micros(start(from).as_micros() - 1), zone);
        let has = window.is_some_and(|window| window.start < start(to));
        if has { &mut with } else { &mut without }.insert(from.month0());
    }
    let never: Vec<&str> = names(without.difference(&with));
    let sometimes: Vec<&str> = names(without.intersection(&with));
    let reason = match (never.as_slice(), sometimes.as_slice()) {
        ([], []) => return None,
        ([], _) => "does not occur in February, save in leap years".to_owned(),
        ([only], _) => format!("does not occur in {only}, which is too short"),
        ([first @ .., last], _) => {
            format!("does not occur in {} and {last}, which are too short", first.join(", "))
        }
    };
    let fix = match cycle.window {
        Window::On(_) => "for the end of each month, write `monthly on last day`",
        _ => "for the end of each month, begin with `last day`",
    };
    Some(Finding::new(LintCode::MissingDays, statement, reason, fix))
}

/// Tells the place without which a month has no such window. One that may reach into the next month
/// has it all the same, from the month's end on.
fn start(cycle: &Cycle) -> Option<Place> {
    match cycle.window {
        Window::On(point) | Window::After(point) => Some(point.place),
        Window::Full | Window::Starting(_) | Window::Before(_) | Window::Between(..) => None,
    }
}

fn names<'a>(months: impl Iterator<Item = &'a u32>) -> Vec<&'static str> {
    months.filter_map(|month| NAMES.get(*month as usize).copied()).collect()
}
