//! Periods as written: what stands in `once in (..)`, and in a condition by itself.
//!
//! A [`Times`] names the calendars of a session, where a [`Period`] has their dates, and it may
//! float with now. Which dates a name stands for, and whether what floats may stand where it does,
//! is found out when the session is built (`cond::compile`).

use std::time::Duration;

use crate::period::{BusinessDays, Dates, Period};

/// A written period, as [`parse_period`](super::parse_period) reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Times {
    /// A period by itself, neither `&` nor `|`: those are [`Times::All`] and [`Times::Any`].
    Period(Period),
    /// `on calendar 'holidays'`: the dates that the session knows by that name.
    Calendar(String),
    /// `on business days of 'holidays'`: Monday to Friday without those dates; without a name,
    /// those of the calendar [`HOLIDAYS`], if the session has one.
    BusinessDays(Option<String>),
    /// `past 2 hours`
    Past(Duration),
    /// `a & b`
    All(Vec<Times>),
    /// `a | b`
    Any(Vec<Times>),
}

/// The calendar whose dates are no business days where none is named.
pub const HOLIDAYS: &str = "holidays";

impl Times {
    /// Makes the period that is meant, given the dates of calendars; none if it floats with now, or
    /// names a calendar that is not known. Each `~` of its cron expressions is picked by the name of
    /// the task that it is for.
    ///
    /// ```
    /// use chrono::NaiveDate;
    /// use redengine_core::expr::parse_period;
    /// use redengine_core::period::{BusinessDays, Dates, Period};
    ///
    /// let holidays = Dates::new(NaiveDate::from_ymd_opt(2026, 12, 25));
    /// let known = |name: &str| (name == "holidays").then(|| holidays.clone());
    ///
    /// let times = parse_period("on business days").unwrap();
    /// let period = Period::BusinessDays(BusinessDays::without(holidays.clone()));
    /// assert_eq!(times.resolve("task", &known), Some(period));
    ///
    /// let times = parse_period("on calendar 'holiday'").unwrap();
    /// assert_eq!(times.resolve("task", &known), None);
    /// ```
    pub fn resolve(&self, owner: &str, dates: &dyn Fn(&str) -> Option<Dates>) -> Option<Period> {
        let all = |members: &[Self]| -> Option<Vec<Period>> {
            members.iter().map(|member| member.resolve(owner, dates)).collect()
        };
        Some(match self {
            Self::Period(Period::Cron(cron)) => Period::Cron(cron.spread(owner)),
            Self::Period(period) => period.clone(),
            Self::Calendar(name) => Period::Dates(dates(name)?),
            Self::BusinessDays(name) => {
                let holidays = match name {
                    Some(name) => dates(name)?,
                    None => dates(HOLIDAYS).unwrap_or_default(),
                };
                Period::BusinessDays(BusinessDays::without(holidays))
            }
            Self::Past(_) => return None,
            Self::All(members) => Period::All(all(members)?),
            Self::Any(members) => Period::Any(all(members)?),
        })
    }

    /// Makes the period as far as it is known without a session: none if it names a calendar.
    pub(crate) fn known(&self, owner: &str) -> Option<Period> {
        self.resolve(owner, &|_| None)
    }

    /// Lists the calendars that it names.
    pub fn calendars(&self) -> Vec<&str> {
        match self {
            Self::Calendar(name) | Self::BusinessDays(Some(name)) => vec![name],
            Self::All(members) | Self::Any(members) => {
                members.iter().flat_map(Self::calendars).collect()
            }
            Self::Period(_) | Self::BusinessDays(None) | Self::Past(_) => Vec::new(),
        }
    }

    /// Tells whether a part of it moves with now.
    pub fn floats(&self) -> bool {
        match self {
            Self::Past(_) => true,
            Self::All(members) | Self::Any(members) => members.iter().any(Self::floats),
            _ => false,
        }
    }

    /// Makes the same period with its members in one order, each once.
    pub(super) fn ordered(&self) -> Self {
        let sorted = |members: &[Self]| {
            let mut members: Vec<Self> = members.iter().map(Self::ordered).collect();
            members.sort_by_cached_key(Self::to_string);
            members.dedup();
            members
        };
        match self {
            Self::All(members) => Self::all(sorted(members)),
            Self::Any(members) => Self::any(sorted(members)),
            other => other.clone(),
        }
    }

    /// Joins periods with `&`; `always` adds nothing, none at all are `always`.
    pub(super) fn all(members: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for member in members {
            match member {
                Self::All(inner) => flat.extend(inner),
                Self::Period(Period::Always) => {}
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Period(Period::Always),
            1 => flat.swap_remove(0),
            _ => Self::All(flat),
        }
    }

    /// Joins periods with `|`; `always` is all there is, none at all are `never`.
    pub(super) fn any(members: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for member in members {
            match member {
                Self::Any(inner) => flat.extend(inner),
                Self::Period(Period::Always) => return Self::Period(Period::Always),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Period(Period::Never),
            1 => flat.swap_remove(0),
            _ => Self::Any(flat),
        }
    }

    /// Tells whether its text says all: nothing in it is picked by the name of a task.
    pub(super) fn says_all(&self) -> bool {
        match self {
            Self::Period(Period::Cron(cron)) => !cron.to_string().contains('~'),
            Self::All(members) | Self::Any(members) => members.iter().all(Self::says_all),
            _ => true,
        }
    }
}

impl From<Period> for Times {
    fn from(period: Period) -> Self {
        match period {
            Period::All(members) => Self::all(members.into_iter().map(Self::from)),
            Period::Any(members) => Self::any(members.into_iter().map(Self::from)),
            other => Self::Period(other),
        }
    }
}
