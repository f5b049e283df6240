//! Periods as written: what stands in `once in (..)`, and in a condition by itself.
//!
//! A [`Times`] names the calendars of a session, where a [`Period`] has their dates, and it may
//! float with now. Which dates a name stands for, and whether what floats may stand where it does,
//! is found out when the session is built (`cond::compile`).

use std::time::Duration;

use crate::period::Period;

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
