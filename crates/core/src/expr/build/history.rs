//! Builders of what tasks did and do: `has ..`, `is running`, `after ..`, `retry`.

use std::fmt::Write as _;
use std::marker::PhantomData;

use super::days::in_zone_text;
use super::time::{options, windows};
use super::{IntoDuration, IntoTaskName, Quoted, statement};
use crate::expr::{Count, Expr};

/// `has failed today`: what a task did, and how often. Made by [`failed`] and the like.
///
/// `W` tells whether a window was named, such as `.today()`, that may be narrowed.
#[derive(Clone, Debug)]
#[must_use]
pub struct Has<W = Ever> {
    task: Option<String>,
    event: &'static str,
    count: Count,
    /// The period, as written.
    text: String,
    state: PhantomData<W>,
}

/// A status at any time, or in a past span.
#[derive(Clone, Copy, Debug)]
pub struct Ever;

/// A status in a window of the calendar.
#[derive(Clone, Copy, Debug)]
pub struct InWindow;

/// A status in a period: days, dates, and what they are joined to.
#[derive(Clone, Copy, Debug)]
pub struct InPeriod;

/// `task 'x' is running`. Made by [`running`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Running {
    task: Option<String>,
    age: String,
}

/// `after task 'x'`. Made by [`after_success`], [`after_all`] and the like.
#[derive(Clone, Debug)]
#[must_use]
pub struct After {
    which: &'static str,
    tasks: Vec<String>,
    outcome: &'static str,
}

/// `retry 3`. Made by [`retry`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Retry {
    count: Option<u64>,
    after: Option<String>,
}

macro_rules! happenings {
    ($($name:ident, $what:literal, $rest:literal, $example:literal;)+) => {$(
        #[doc = concat!("True when a task has ", $what, ".")]
        ///
        #[doc = concat!("- **True when** as many records say so as asked (at least one), in the period that is named")]
        ///   (at any time).
        /// - **Wakes** when a record of that kind is written, and when the period moves on.
        /// - **Looks back** as far as the period.
        ///
        /// # Examples
        ///
        /// ```
        /// use redengine_core::expr::{Expr, build::*, parse};
        ///
        #[doc = concat!("let condition = Expr::from(", stringify!($name), "()", $rest, ");")]
        #[doc = concat!("assert_eq!(condition, parse(\"", $example, "\").unwrap());")]
        /// ```
        pub fn $name() -> Has {
            let event = stringify!($name);
            let count = Count::AtLeast(1);
            Has { task: None, event, count, text: String::new(), state: PhantomData }
        }
    )+};
}

happenings! {
    succeeded, "succeeded", ".this_hour()", "has succeeded this hour";
    failed, "failed", ".task(\"x\").at_least(3).today()",
        "task 'x' has failed at least 3 times today";
    finished, "succeeded, failed or been terminated", ".today().between(\"10:00\", \"12:00\")",
        "has finished today between 10:00 and 12:00";
    started, "started", ".past(\"2 hours\")", "has started past 2 hours";
    terminated, "been terminated", ".this_month().after(\"6th\")",
        "has terminated this month after 6th";
    inacted, "found nothing to do", ".this_week()", "has inacted this week";
    crashed, "been cut off with its process", ".exactly(2)", "has crashed exactly 2 times";
}

impl<W> Has<W> {
    /// Of that task, instead of the one that owns the condition.
    pub fn task(mut self, task: impl IntoTaskName) -> Self {
        self.task = Some(task.task_name());
        self
    }

    /// `at least 3 times`
    pub fn at_least(self, times: u64) -> Self {
        self.count(Count::AtLeast(times))
    }

    /// `more than 3 times`
    pub fn more_than(self, times: u64) -> Self {
        self.count(Count::MoreThan(times))
    }

    /// `less than 3 times`
    pub fn less_than(self, times: u64) -> Self {
        self.count(Count::LessThan(times))
    }

    /// `at most 3 times`
    pub fn at_most(self, times: u64) -> Self {
        self.count(Count::AtMost(times))
    }

    /// `exactly 3 times`
    pub fn exactly(self, times: u64) -> Self {
        self.count(Count::Exactly(times))
    }

    /// `between 2 and 4 times`, both included.
    pub fn times_between(self, low: u64, high: u64) -> Self {
        self.count(Count::Between(low, high))
    }

    fn count(mut self, count: Count) -> Self {
        self.count = count;
        self
    }
}

impl Has<Ever> {
    /// `this minute`
    pub fn this_minute(self) -> Has<InWindow> {
        self.in_cycle(" this minute")
    }

    /// `this hour`
    pub fn this_hour(self) -> Has<InWindow> {
        self.in_cycle(" this hour")
    }

    /// `today`
    pub fn today(self) -> Has<InWindow> {
        self.in_cycle(" today")
    }

    /// `this week`
    pub fn this_week(self) -> Has<InWindow> {
        self.in_cycle(" this week")
    }

    /// `this month`
    pub fn this_month(self) -> Has<InWindow> {
        self.in_cycle(" this month")
    }

    /// `this year`
    pub fn this_year(self) -> Has<InWindow> {
        self.in_cycle(" this year")
    }

    /// `past 2 hours`
    pub fn past(mut self, duration: impl IntoDuration) -> Self {
        self.text = format!(" past {}", duration.duration_text());
        self
    }

    /// In the interval of a period that began last: `between 2026-01-01 and 2026-02-01`, `in (..)`.
    ///
    /// ```
    /// use redengine_core::expr::{Expr, build::*, parse};
    ///
    /// let in_january = failed().during(between_dates("2026-01-01", "2026-01-31"));
    /// let text = "has failed between 2026-01-01 and 2026-01-31";
    /// assert_eq!(Expr::from(in_january), parse(text).unwrap());
    ///
    /// let since_it_opened = failed().during(time_of_day().after("09:00") & on_weekdays());
    /// let text = "has failed in (time of day after 09:00 & on weekdays)";
    /// assert_eq!(Expr::from(since_it_opened), parse(text).unwrap());
    /// ```
    pub fn during(self, period: impl Into<Expr>) -> Has<InPeriod> {
        self.within(format!(" in ({})", period.into()))
    }

    fn in_cycle(self, period: &str) -> Has<InWindow> {
        self.within(period.to_owned())
    }

    fn within<W>(self, text: String) -> Has<W> {
        let Self { task, event, count, .. } = self;
        Has { task, event, count, text, state: PhantomData }
    }
}

impl Has<InPeriod> {
    /// In the civil time of a zone instead of the session's: `in Europe/Helsinki`.
    pub fn in_zone(mut self, zone: &str) -> Self {
        self.text.push_str(&in_zone_text(Some(zone.to_owned())));
        self
    }
}

impl Has<InWindow> {
    windows!(Self);
    options!();

    fn window(mut self, word: &str, point: &str) -> Self {
        // OK because writing to a string does not fail.
        let _ = write!(self.text, " {word} {point}");
        self
    }
}

/// True while a task is running.
///
/// - **True when** the task has a live run of the age that is named (any).
/// - **Wakes** when a run of the task starts or ends, and when a live run reaches that age.
/// - **Looks back** to the start of the live runs.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(running().task("x").more_than("10 min"));
/// assert_eq!(condition, parse("task 'x' is running more than 10 min").unwrap());
/// ```
pub fn running() -> Running {
    Running { task: None, age: String::new() }
}

impl Running {
    /// Of that task, instead of the one that owns the condition.
    pub fn task(mut self, task: impl IntoTaskName) -> Self {
        self.task = Some(task.task_name());
        self
    }

    /// `more than 10 min`
    pub fn more_than(mut self, age: impl IntoDuration) -> Self {
        self.age = format!(" more than {}", age.duration_text());
        self
    }

    /// `less than 10 min`
    pub fn less_than(mut self, age: impl IntoDuration) -> Self {
        self.age = format!(" less than {}", age.duration_text());
        self
    }

    /// `between 10 min and 20 min`
    pub fn between(mut self, low: impl IntoDuration, high: impl IntoDuration) -> Self {
        self.age = format!(" between {} and {}", low.duration_text(), high.duration_text());
        self
    }
}

/// True when a task has succeeded since this one last started.
///
/// - **True when** its latest success is later, by sequence number, than the latest start of the
///   task that owns the condition.
/// - **Wakes** when that task succeeds, and when this one starts.
/// - **Looks back** to the latest such record of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(after_success("fetch")), parse("after task 'fetch'").unwrap());
/// ```
pub fn after_success(task: impl IntoTaskName) -> After {
    one(task, "")
}

/// True when a task has failed since this one last started.
///
/// - **True when** its latest failure is later, by sequence number, than the latest start of the
///   task that owns the condition.
/// - **Wakes** when that task fails, and when this one starts.
/// - **Looks back** to the latest such record of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(after_fail("fetch")), parse("after task 'fetch' failed").unwrap());
/// ```
pub fn after_fail(task: impl IntoTaskName) -> After {
    one(task, " failed")
}

/// True when a task has succeeded or failed since this one last started.
///
/// - **True when** its latest success or failure is later, by sequence number, than the latest
///   start of the task that owns the condition; a termination does not count.
/// - **Wakes** when that task succeeds or fails, and when this one starts.
/// - **Looks back** to the latest such record of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(after_finish("fetch")), parse("after task 'fetch' finished").unwrap());
/// ```
pub fn after_finish(task: impl IntoTaskName) -> After {
    one(task, " finished")
}

/// True when a task has been terminated since this one last started.
///
/// - **True when** its latest termination is later, by sequence number, than the latest start of
///   the task that owns the condition.
/// - **Wakes** when that task is terminated, and when this one starts.
/// - **Looks back** to the latest such record of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(after_termination("fetch"));
/// assert_eq!(condition, parse("after task 'fetch' terminated").unwrap());
/// ```
pub fn after_termination(task: impl IntoTaskName) -> After {
    one(task, " terminated")
}

/// True when all of some tasks have succeeded since this one last started.
///
/// - **True when** for each of them [`after_success`] is; with [`After::failed`] and the like, of
///   that outcome.
/// - **Wakes** when the last of them gets there, and when this one starts.
/// - **Looks back** to the latest such record of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(after_all(["a", "b"]).finished());
/// assert_eq!(condition, parse("after tasks 'a', 'b' finished").unwrap());
/// ```
pub fn after_all<T: IntoTaskName>(tasks: impl IntoIterator<Item = T>) -> After {
    let tasks = tasks.into_iter().map(T::task_name).collect();
    After { which: "after tasks", tasks, outcome: "" }
}

/// True when any of some tasks has succeeded since this one last started.
///
/// - **True when** for one of them [`after_success`] is; with [`After::failed`] and the like, of
///   that outcome.
/// - **Wakes** when the first of them gets there, and when this one starts.
/// - **Looks back** to the latest such record of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(after_any(["a", "b"]).failed());
/// assert_eq!(condition, parse("after any tasks 'a', 'b' failed").unwrap());
/// ```
pub fn after_any<T: IntoTaskName>(tasks: impl IntoIterator<Item = T>) -> After {
    let tasks = tasks.into_iter().map(T::task_name).collect();
    After { which: "after any tasks", tasks, outcome: "" }
}

fn one(task: impl IntoTaskName, outcome: &'static str) -> After {
    After { which: "after task", tasks: vec![task.task_name()], outcome }
}

impl After {
    /// Waits for success, as by default.
    pub fn succeeded(mut self) -> Self {
        self.outcome = "";
        self
    }

    /// Waits for failure.
    pub fn failed(mut self) -> Self {
        self.outcome = " failed";
        self
    }

    /// Waits for success or failure.
    pub fn finished(mut self) -> Self {
        self.outcome = " finished";
        self
    }

    /// Waits for termination.
    pub fn terminated(mut self) -> Self {
        self.outcome = " terminated";
        self
    }
}

/// True after a failed run, until so many retries in a row have failed too.
///
/// - **True when** the last run failed, and no more than that many in a row did; with
///   [`Retry::after`], that long after the failure, doubling with each.
/// - **Wakes** when a run of this task ends, and when the delay is over.
/// - **Looks back** over that many failures and one.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// let condition = Expr::from(retry(3).after("10 s"));
/// assert_eq!(condition, parse("retry 3 after 10 s").unwrap());
/// ```
pub fn retry(count: u64) -> Retry {
    Retry { count: Some(count), after: None }
}

/// True after a failed run, however many have failed.
///
/// - **True when** the last run failed; with [`Retry::after`], that long after it, doubling with
///   each failure in a row.
/// - **Wakes** when a run of this task ends, and when the delay is over.
/// - **Looks back** to the last run, with a delay over the failures in a row.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{Expr, build::*, parse};
///
/// assert_eq!(Expr::from(retry_forever()), parse("retry").unwrap());
/// ```
pub fn retry_forever() -> Retry {
    Retry { count: None, after: None }
}

impl Retry {
    /// So long after the first failure, twice as long after the next: `after 10 s`.
    pub fn after(mut self, delay: impl IntoDuration) -> Self {
        self.after = Some(delay.duration_text());
        self
    }
}

/// `task 'x' `, or nothing.
fn of_task(task: Option<&str>) -> String {
    task.map(|task| format!("task {} ", Quoted(task))).unwrap_or_default()
}

impl<W> From<Has<W>> for Expr {
    fn from(has: Has<W>) -> Self {
        let task = of_task(has.task.as_deref());
        let count = match has.count {
            Count::AtLeast(1) => String::new(),
            count => format!(" {count} times"),
        };
        statement(format!("{task}has {}{count}{}", has.event, has.text))
    }
}

impl From<Running> for Expr {
    fn from(running: Running) -> Self {
        statement(format!("{}is running{}", of_task(running.task.as_deref()), running.age))
    }
}

impl From<After> for Expr {
    fn from(After { which, tasks, outcome }: After) -> Self {
        let names: Vec<String> = tasks.iter().map(|task| Quoted(task).to_string()).collect();
        statement(format!("{which} {}{outcome}", names.join(", ")))
    }
}

impl From<Retry> for Expr {
    fn from(Retry { count, after }: Retry) -> Self {
        let mut text = "retry".to_owned();
        if let Some(count) = count {
            let _ = write!(text, " {count}");
        }
        if let Some(after) = after {
            let _ = write!(text, " after {after}");
        }
        statement(text)
    }
}
