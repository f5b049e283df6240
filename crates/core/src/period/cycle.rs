//! Cycles: a window in each second, minute, hour, day, week, month or year.

use std::time::Duration;

/// The length of a cycle. Weeks start on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// `secondly`
    Second,
    /// `minutely`
    Minute,
    /// `hourly`
    Hour,
    /// `daily`
    Day,
    /// `weekly`
    Week,
    /// `monthly`
    Month,
    /// `yearly`
    Year,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A window in each cycle of a unit, in civil time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cycle {
    /// How long the cycle is.
    pub unit: Unit,
    /// Which part of it is meant.
    pub window: Window,
    /// `.. within D`: the window is the `D` after its start, shorter or longer than written.
    pub within: Option<Duration>,
}

/// Which part of a cycle is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// All of it.
    Full,
    /// All of it, but the cycle begins at the point: `weekly starting Tue`.
    Starting(Point),
    /// The sub-unit that the point names: `weekly on Mon`, `daily at 10:00` (an hour).
    On(Point),
    /// From the point to the end of the cycle.
    After(Point),
    /// From the start of the cycle to the point.
    Before(Point),
    /// From one point to another; may wrap: `between 22:00 and 06:00`.
    Between(Point, Point),
}

/// A point of a cycle: a place in it and a time there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// The part of the cycle: a weekday, a day of the month, a month ..
    pub place: Place,
    /// Microseconds from the start of that place; `None`: only the place was named, and as the
    /// end of a window all of it is meant (`between Mon and Fri` includes Friday).
    pub time: Option<i64>,
}

/// The part of a cycle that a point lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// The cycle itself: in seconds, minutes, hours and days a point is only a time.
    Whole,
    /// A day of the week (weekly).
    Weekday(Weekday),
    /// A day of the month, 1 to 31 (monthly).
    MonthDay(u8),
    /// The last day of the month (monthly).
    LastDay,
    /// The last such weekday of the month (monthly).
    LastWeekday(Weekday),
    /// A month, 1 to 12 (yearly).
    Month(u8),
    /// A month, 1 to 12, and its day, 1 to 31 (yearly).
    YearDay(u8, u8),
}
