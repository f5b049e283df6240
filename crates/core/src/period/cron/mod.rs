//! Cron expressions.
//!
//! A [`Cron`] is the expression in bits: which seconds, minutes, hours, days, months and weekdays
//! match. Its intervals are the matching minutes; with six fields, the matching seconds.
//!
//! Clock changes are treated as Debian's cron treats them. A job with fixed times that fall into a
//! gap runs right after it, and in a fold once. A job with a `*` in its hours or minutes follows
//! elapsed time: it runs in each minute whose clock face matches, so in a fold twice.
//!
//! The day is decided as Vixie's cron decides it: if both day fields are restricted, either will
//! do; if one begins with `*`, both must match (which is all the same for a plain `*`).

mod error;
mod field;
mod next;
mod parse;

pub use error::{CronError, CronProblem};

use std::fmt;
use std::hash::{Hash, Hasher};

/// A cron expression of five fields, or six with seconds first.
///
/// Fields take `*`, `5`, `1-5`, `22-3` (ranges may wrap), `*/15`, `10-30/5`, `7/5` (from 7 on) and
/// lists of them; months and weekdays also names (`JAN`, `MON-FRI`), weekdays 0 and 7 for Sunday.
/// Days of the month also take `L` (the last), `L-3`, `15W` (the weekday nearest to the 15th) and
/// `LW`; days of the week `5L` (the last Friday) and `FRI#2` (the second). `?` is `*`. `~` is a
/// value that is picked once for each seed ([`Cron::spread`]), `10~40` one of these. `@daily` and
/// its like stand for the usual five fields.
///
/// Two expressions are equal if they match the same instants in the same way.
///
/// ```
/// use redengine_core::period::Cron;
///
/// let cron = Cron::parse("*/15 9-17 * * mon-fri").unwrap();
/// assert_eq!(cron.to_string(), "*/15 9-17 * * MON-FRI");
///
/// let error = Cron::parse("0 25 * * *").unwrap_err();
/// assert_eq!(error.to_string(), "`25` is no hour; allowed are 0 to 23");
/// assert_eq!(error.span, 2..4);
/// ```
#[derive(Clone)]
pub struct Cron {
    fields: Fields,
    /// The expression in one spelling; what was picked for `~` is not in it.
    text: Box<str>,
}

/// What matches, one bit for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Fields {
    seconds: u64,
    minutes: u64,
    hours: u32,
    months: u16,
    days: Days,
    weekdays: Weekdays,
    /// Whether there are seconds: if so, an interval is a second long.
    fine: bool,
    /// Whether the job follows elapsed time where the clock is set.
    elapsed: bool,
    /// Whether it ever matches.
    possible: bool,
}

/// Days of the month; bit 0 of a set is unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Days {
    set: u32,
    /// Bit n: the n-th last day, the last itself being bit 0.
    from_last: u32,
    /// The weekdays nearest to these.
    nearest: u32,
    /// The last day that is no Saturday or Sunday.
    last_workday: bool,
    /// Whether the field began with `*`.
    star: bool,
}

/// Days of the week; bit 0 is Sunday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Weekdays {
    set: u8,
    /// The last ones of the month.
    last: u8,
    /// The first to the fifth of the month.
    nth: [u8; 5],
    /// Whether the field began with `*`.
    star: bool,
}

impl Cron {
    /// Reads an expression; each `~` is picked as for an empty seed.
    ///
    /// # Errors
    ///
    /// If a field is missing, or a part of one is not understood or out of range. The error tells
    /// which bytes of the text are wrong.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        Self::parse_with(text, "")
    }

    /// Picks each `~` anew: the same for the same seed, evenly spread over different seeds.
    ///
    /// With the task's name as the seed, a thousand tasks with `~ * * * *` do not all start in
    /// the same minute, and each keeps its own.
    pub fn spread(&self, seed: &str) -> Self {
        // OK because the text came out of the parser; the fallback is never taken.
        Self::parse_with(&self.text, seed).unwrap_or_else(|_| self.clone())
    }

    fn parse_with(text: &str, seed: &str) -> Result<Self, CronError> {
        let (mut fields, text) = parse::parse(text, seed)?;
        fields.possible = next::occurs(&fields);
        Ok(Self { fields, text })
    }

    /// Tells whether it never matches, as `0 0 31 2 *`.
    pub fn never_matches(&self) -> bool {
        !self.fields.possible
    }

    /// Tells whether it has seconds.
    pub fn has_seconds(&self) -> bool {
        self.fields.fine
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Cron {}

impl Hash for Cron {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fields.hash(state);
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.text)
    }
}

impl std::str::FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
