//! Builders of time: cycles, `time of ..`, `every ..`, `cron ..`.

use std::fmt::Write as _;

use super::{IntoDuration, Quoted, statement};
use crate::expr::print::based_on;
use crate::expr::{Basis, Expr};

/// `daily after 07:00`: once in each window. Made by [`daily`] and the like.
#[derive(Clone, Debug)]
#[must_use]
pub struct Repeat {
    text: String,
    retries: Option<u32>,
}

/// `time of day`, still without a window. Made by [`time_of_day`] and the like.
#[derive(Clone, Debug)]
#[must_use = "without a window this is no condition"]
pub struct TimeOf {
    text: String,
}

/// `time of day after 10:00`: now is in the window.
#[derive(Clone, Debug)]
#[must_use]
pub struct TimeWindow {
    text: String,
}

/// `every 10 min`. Made by [`every`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Every {
    interval: String,
    basis: Basis,
}

/// `cron '*/5 * * * *'`. Made by [`cron`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Cron {
    text: String,
}

macro_rules! cycles {
    ($($name:ident, $one:literal, $window:literal, $example:literal;)+) => {$(
        #[doc = concat!("True once in each ", $one, ": until a run of it has succeeded.")]
        ///
        /// - **True when** now is in the window, and no run that started in this window has
        ///   succeeded, found nothing to do or been terminated, nor have more than
        ///   [`Repeat::retries`] failed.
        /// - **Wakes** at the window's edges, and when a run of this task ends.
        /// - **Looks back** to the start of the window.
        ///
        /// # Examples
        ///
        /// ```
        /// use redengine_core::expr::{Expr, build::*, parse};
        ///
        #[doc = concat!("let condition = Expr::from(", stringify!($name), "()", $window, ");")]
        #[doc = concat!("assert_eq!(condition, parse(\"", $example, "\").unwrap());")]
        /// ```
        pub fn $name() -> Repeat {
            Repeat { text: stringify!($name).to_owned(), retries: None }
        }
    )+};
}

cycles! {
    secondly, "second", ".after(\"250\")", "secondly after 250";
    minutely, "minute", ".before(\"45\")", "minutely before 45";
    hourly, "hour", ".between(\"15:00\", \"45:00\")", "hourly between 15:00 and 45:00";
    daily, "day", ".after(\"07:00\")", "daily after 07:00";
    weekly, "week", ".on(\"Monday\")", "weekly on Monday";
    monthly, "month", ".starting(\"3rd\")", "monthly starting 3rd";
    yearly, "year", ".after(\"Feb 3rd\")", "yearly after Feb 3rd";
}

macro_rules! times_of {
    ($($name:ident, $unit:literal, $window:literal, $example:literal;)+) => {$(
        #[doc = concat!("True in a part of each ", $unit, ".")]
        ///
        /// - **True when** now is in the window.
        /// - **Wakes** at the window's edges.
        /// - **Looks back** not at all.
        ///
        /// # Examples
        ///
        /// ```
        /// use redengine_core::expr::{Expr, build::*, parse};
        ///
        #[doc = concat!("let condition = Expr::from(", stringify!($name), "()", $window, ");")]
        #[doc = concat!("assert_eq!(condition, parse(\"", $example, "\").unwrap());")]
        /// ```
        pub fn $name() -> TimeOf {
            TimeOf { text: concat!("time of ", $unit).to_owned() }
        }
    )+};
}

times_of! {
    time_of_minute, "minute", ".before(\"45\")", "time of minute before 45";
    time_of_hour, "hour", ".after(\"45:00\")", "time of hour after 45:00";
    time_of_day, "day", ".between(\"22:00\", \"06:00\")", "time of day between 22:00 and 06:00";
    time_of_week, "week", ".between(\"Mon\", \"Fri\")", "time of week between Mon and Fri";
    time_of_month, "month", ".on(\"last Fri\")", "time of month on last Fri";
    time_of_year, "year", ".after(\"Nov\")", "time of year after Nov";
}

/// The methods that name a part of a cycle.
macro_rules! windows {
    ($out:ident) => {
        /// From a point to the end of the cycle: `after 07:00`.
        pub fn after(self, point: &str) -> $out {
            self.window("after", point)
        }

        /// From the start of the cycle to a point: `before 07:00`; all of a day or month that
        /// is named: `before Friday` is through Friday.
        pub fn before(self, point: &str) -> $out {
            self.window("before", point)
        }

        /// From one point to another, perhaps over the end of the cycle:
        /// `between 22:00 and 06:00`.
        pub fn between(self, from: &str, to: &str) -> $out {
            self.window("between", &format!("{from} and {to}"))
        }

        /// The hour, day or month that a point names: `on Mon`.
        pub fn on(self, point: &str) -> $out {
            self.window("on", point)
        }

        /// The same as `on`: `at 10:00` is from 10:00 to 11:00.
        pub fn at(self, point: &str) -> $out {
            self.window("at", point)
        }

        /// The cycle begins at a point: `starting 10:00`.
        pub fn starting(self, point: &str) -> $out {
            self.window("starting", point)
        }
    };
}

/// The methods that go on after a window.
macro_rules! options {
    () => {
        /// The window is so long from its start: `at 07:00 within 10 min`.
        pub fn within(mut self, duration: impl IntoDuration) -> Self {
            // OK because writing to a string does not fail.
            let _ = write!(self.text, " within {}", duration.duration_text());
            self
        }

        /// In the civil time of a zone instead of the session's: `in Europe/Helsinki`.
        pub fn in_zone(mut self, zone: &str) -> Self {
            let _ = write!(self.text, " in {zone}");
            self
        }
    };
}

pub(super) use {options, windows};

impl Repeat {
    windows!(Repeat);
    options!();

    /// So many runs of a window may fail before it counts as used up: `with 2 retries`.
    ///
    /// ```
    /// use redengine_core::expr::{Expr, build::*, parse};
    ///
    /// let condition = Expr::from(daily().retries(2));
    /// assert_eq!(condition, parse("daily with 2 retries").unwrap());
    /// ```
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    fn window(mut self, word: &str, point: &str) -> Self {
        let _ = write!(self.text, " {word} {point}");
        self
    }
}

impl TimeOf {
    windows!(TimeWindow);

    fn window(self, word: &str, point: &str) -> TimeWindow {
        TimeWindow { text: format!("{} {word} {point}", self.text) }
    }
}

impl TimeWindow {
    options!();
}

/// True when so much time has passed since the last run was due.
///
/// - **True when** the last run was due that long ago, or there was none; after a run that was
///   later than one interval, that long after its start.
/// - **Wakes** when the interval is over, and when a run of this task starts (or, with
///   [`Every::based_on`], ends).
/// - **Looks back** to the last run.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Basis::Finish, Expr, build::*, parse};
///
/// let condition = Expr::from(every("10 min").based_on(Finish));
/// assert_eq!(condition, parse("every 10 min based on finish").unwrap());
/// ```
pub fn every(interval: impl IntoDuration) -> Every {
    Every { interval: interval.duration_text(), basis: Basis::Due }
}

impl Every {
    /// Counts from another record than the start of the last run: `based on finish`.
    pub fn based_on(mut self, basis: Basis) -> Self {
        self.basis = basis;
        self
    }
}

/// True once at each match of a cron expression: until a run has taken it.
///
/// Five fields (minute, hour, day, month, weekday), six with seconds first, or a nickname like
/// `@daily`.
///
/// - **True when** now is in a match, and no run that is due in it exists.
/// - **Wakes** at the start and the end of a match, and when a run of this task starts.
/// - **Looks back** to the start of the match.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(cron("0 7 * * MON-FRI").within("2 hours"));
/// assert_eq!(condition, parse("cron 0 7 * * MON-FRI within 2 hours").unwrap());
/// ```
pub fn cron(expression: &str) -> Cron {
    Cron { text: format!("cron {}", Quoted(expression)) }
}

impl Cron {
    options!();
}

impl From<Repeat> for Expr {
    fn from(repeat: Repeat) -> Self {
        statement(match repeat.retries {
            Some(retries) => format!("{} with {retries} retries", repeat.text),
            None => repeat.text,
        })
    }
}

impl From<TimeWindow> for Expr {
    fn from(time: TimeWindow) -> Self {
        statement(time.text)
    }
}

impl From<Every> for Expr {
    fn from(Every { interval, basis }: Every) -> Self {
        statement(format!("every {interval}{}", based_on(basis)))
    }
}

impl From<Cron> for Expr {
    fn from(cron: Cron) -> Self {
        statement(cron.text)
    }
}
