//! Builders of days, dates and periods: `on weekdays`, `between 2026-01-01 and 2026-02-01`,
//! `once in (..)`.

use chrono::NaiveDate;

use super::{Quoted, statement};
use crate::expr::Expr;

/// `on weekdays`, `between 2026-01-01 and 2026-02-01`, `time in (..)`: now is in the period. Made by
/// [`on_weekdays`], [`between_dates`], [`time_in`] and the like.
#[derive(Clone, Debug)]
#[must_use]
pub struct During {
    text: String,
    zone: Option<String>,
}

/// `on business days`. Made by [`on_business_days`].
#[derive(Clone, Debug)]
#[must_use]
pub struct OnBusinessDays {
    calendar: Option<String>,
    zone: Option<String>,
}

/// `once in (..)`: once in each interval of a period. Made by [`once_in`].
#[derive(Clone, Debug)]
#[must_use]
pub struct OnceIn {
    period: String,
    retries: Option<u32>,
    zone: Option<String>,
}

/// What tells a date, perhaps with a time of day: a text like `"2026-01-01"` or
/// `"2026-01-01 10:00"`, or a [`NaiveDate`].
pub trait IntoMoment {
    /// Gives the date as text.
    fn moment_text(self) -> String;
}

impl IntoMoment for &str {
    fn moment_text(self) -> String {
        self.to_owned()
    }
}

impl IntoMoment for String {
    fn moment_text(self) -> String {
        self
    }
}

impl IntoMoment for NaiveDate {
    fn moment_text(self) -> String {
        self.to_string()
    }
}

/// True from Monday to Friday.
///
/// - **True when** now is on one of these days.
/// - **Wakes** at midnight.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(on_weekdays()), parse("on weekdays").unwrap());
/// ```
pub fn on_weekdays() -> During {
    during("on weekdays".to_owned())
}

/// True on Saturday and Sunday.
///
/// - **True when** now is on one of these days.
/// - **Wakes** at midnight.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(on_weekends()), parse("on weekends").unwrap());
/// ```
pub fn on_weekends() -> During {
    during("on weekends".to_owned())
}

/// True from Monday to Friday, but not on holidays.
///
/// The holidays are those of the calendar that is named ([`OnBusinessDays::of`]); if none is, of the
/// session's calendar `holidays`, where it has one.
///
/// - **True when** now is on one of these days.
/// - **Wakes** at midnight.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = daily().after("07:00") & on_business_days().of("bank holidays");
/// let text = "daily after 07:00 & on business days of 'bank holidays'";
/// assert_eq!(condition, parse(text).unwrap());
/// ```
pub fn on_business_days() -> OnBusinessDays {
    OnBusinessDays { calendar: None, zone: None }
}

/// True on the dates of a calendar that the session was given.
///
/// - **True when** now is on one of them.
/// - **Wakes** at midnight.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(on_calendar("holidays"));
/// assert_eq!(condition, parse("on calendar 'holidays'").unwrap());
/// ```
pub fn on_calendar(name: &str) -> During {
    during(format!("on calendar {}", Quoted(name)))
}

/// True on one day.
///
/// - **True when** now is on it.
/// - **Wakes** at its start and its end.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(on_date("2026-05-01")), parse("on 2026-05-01").unwrap());
/// ```
pub fn on_date(date: impl IntoMoment) -> During {
    during(format!("on {}", date.moment_text()))
}

/// True from one date to another, that one included; a time of day as the end is not.
///
/// - **True when** now is between them.
/// - **Wakes** at both ends.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(between_dates("2026-01-01", "2026-02-01 10:00"));
/// assert_eq!(condition, parse("between 2026-01-01 and 2026-02-01 10:00").unwrap());
/// ```
pub fn between_dates(from: impl IntoMoment, to: impl IntoMoment) -> During {
    during(format!("between {} and {}", from.moment_text(), to.moment_text()))
}

/// True up to a date, that one included; up to a time of day, without it.
///
/// - **True when** now is before its end.
/// - **Wakes** at its end.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(before_date("2026-02-01")), parse("before 2026-02-01").unwrap());
/// ```
pub fn before_date(date: impl IntoMoment) -> During {
    during(format!("before {}", date.moment_text()))
}

/// True from a date on.
///
/// - **True when** it has begun.
/// - **Wakes** at its start.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(after_date("2026-01-01").in_zone("Europe/Helsinki"));
/// assert_eq!(condition, parse("after 2026-01-01 in Europe/Helsinki").unwrap());
/// ```
pub fn after_date(date: impl IntoMoment) -> During {
    during(format!("after {}", date.moment_text()))
}

/// True in a period that is made of others with `&` and `|`.
///
/// Unlike statements joined by themselves, it is one: with one zone, and without the edges at which
/// nothing changes.
///
/// - **True when** now is in the period.
/// - **Wakes** at its edges.
/// - **Looks back** not at all.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let office = time_of_day().between("09:00", "17:00") & on_weekdays();
/// let text = "time in (time of day between 09:00 and 17:00 & on weekdays) in Europe/Berlin";
/// assert_eq!(Expr::from(time_in(office).in_zone("Europe/Berlin")), parse(text).unwrap());
/// ```
pub fn time_in(period: impl Into<Expr>) -> During {
    during(format!("time in ({})", period.into()))
}

/// True once in each interval of a period: until a run of it has succeeded.
///
/// As [`daily`](super::daily) is once in each day, for a period that is made of others with `&` and
/// `|`, of cron expressions, days and dates.
///
/// - **True when** now is in an interval, and no run that started in this interval has succeeded,
///   found nothing to do or been terminated, nor have more than [`OnceIn::retries`] failed.
/// - **Wakes** at the interval's edges, and when a run of this task ends.
/// - **Looks back** to the start of the interval.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = once_in(time_of_day().after("07:00") & on_business_days()).retries(2);
/// let text = "once in (time of day after 07:00 & on business days) with 2 retries";
/// assert_eq!(Expr::from(condition), parse(text).unwrap());
/// ```
pub fn once_in(period: impl Into<Expr>) -> OnceIn {
    OnceIn { period: period.into().to_string(), retries: None, zone: None }
}

fn during(text: String) -> During {
    During { text, zone: None }
}

macro_rules! in_zone {
    () => {
        /// In the civil time of a zone instead of the session's: `in Europe/Helsinki`.
        pub fn in_zone(mut self, zone: &str) -> Self {
            self.zone = Some(zone.to_owned());
            self
        }
    };
}

impl During {
    in_zone!();
}

impl OnBusinessDays {
    in_zone!();

    /// Leaves out the dates of a calendar that the session was given: `of 'holidays'`.
    pub fn of(mut self, calendar: &str) -> Self {
        self.calendar = Some(calendar.to_owned());
        self
    }
}

impl OnceIn {
    in_zone!();

    /// So many runs of an interval may fail before it counts as used up: `with 2 retries`.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }
}

/// ` in Europe/Helsinki`, or nothing.
pub(super) fn in_zone_text(zone: Option<String>) -> String {
    zone.map(|zone| format!(" in {zone}")).unwrap_or_default()
}

impl From<During> for Expr {
    fn from(During { text, zone }: During) -> Self {
        statement(format!("{text}{}", in_zone_text(zone)))
    }
}

impl From<OnBusinessDays> for Expr {
    fn from(OnBusinessDays { calendar, zone }: OnBusinessDays) -> Self {
        let of = calendar.map(|name| format!(" of {}", Quoted(&name))).unwrap_or_default();
        statement(format!("on business days{of}{}", in_zone_text(zone)))
    }
}

impl From<OnceIn> for Expr {
    fn from(OnceIn { period, retries, zone }: OnceIn) -> Self {
        let with = retries.map(|retries| format!(" with {retries} retries")).unwrap_or_default();
        statement(format!("once in ({period}){with}{}", in_zone_text(zone)))
    }
}
