//! Conditions in Rust: `daily().after("07:00") & !failed().past("1 hour")`.
//!
//! Each function mirrors a statement of the text, word for word: a builder writes that text and
//! the parser reads it, so the two cannot mean different things. What is wrong with a part
//! (`.after("25:00")`) is kept in the expression with the parser's message and reported when the
//! session is built. Every builder joins with `&`, `|` and `!`, with others, with [`Expr`]s, with
//! texts and with `bool`s.

mod days;
mod facts;
mod history;
mod temporal;
mod time;

pub use days::{
    During, IntoMoment, OnBusinessDays, OnceIn, after_date, before_date, between_dates,
    on_business_days, on_calendar, on_date, on_weekdays, on_weekends, once_in, time_in,
};
pub use facts::{
    Param, SchedulerCycles, always, always_false, always_true, condition, env, never, param,
    scheduler_cycles, scheduler_has_run_over, scheduler_started_within,
};
pub use history::{
    After, Ever, Has, InPeriod, InWindow, Retry, Running, after_all, after_any, after_fail,
    after_finish, after_success, after_termination, crashed, failed, finished, inacted, retry,
    retry_forever, running, started, succeeded, terminated,
};
pub use temporal::{held_for, newly, since};
pub use time::{
    Cron, Every, Repeat, TimeOf, TimeWindow, cron, daily, every, hourly, minutely, monthly,
    secondly, time_of_day, time_of_hour, time_of_minute, time_of_month, time_of_week, time_of_year,
    weekly, yearly,
};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::lex::quote;
use super::{Expr, ParseError, Problem, Span, parse};
use crate::task::TaskType;
use crate::time::duration::display;

/// What names a task: a text, or the type that `#[task]` makes.
pub trait IntoTaskName {
    /// Gives the name.
    fn task_name(self) -> String;
}

impl IntoTaskName for &str {
    fn task_name(self) -> String {
        self.to_owned()
    }
}

impl IntoTaskName for String {
    fn task_name(self) -> String {
        self
    }
}

impl IntoTaskName for &String {
    fn task_name(self) -> String {
        self.clone()
    }
}

impl<T: TaskType> IntoTaskName for T {
    fn task_name(self) -> String {
        T::NAME.to_owned()
    }
}

/// What tells a duration: a text like `"10 min"`, or a [`Duration`].
pub trait IntoDuration {
    /// Gives the duration as text.
    fn duration_text(self) -> String;
}

impl IntoDuration for &str {
    fn duration_text(self) -> String {
        self.to_owned()
    }
}

impl IntoDuration for String {
    fn duration_text(self) -> String {
        self
    }
}

impl IntoDuration for Duration {
    fn duration_text(self) -> String {
        display(self).to_string()
    }
}

/// A name in quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote(self.0, f)
    }
}

/// Reads the text of one statement that a builder wrote.
fn statement(text: String) -> Expr {
    match parse(&text) {
        Ok(Expr::Statement(statement, _)) => Expr::Statement(statement, None),
        Ok(Expr::Const(value)) => Expr::Const(value),
        // A part like `"10:00 | true"` must not become more than a part.
        Ok(_) => {
            let span = Span { start: 0, end: text.len() };
            let message = "expected one statement, found several".to_owned();
            let help = Some("join builders with `&` and `|` instead".to_owned());
            Expr::Invalid(Arc::new(ParseError {
                text,
                problems: vec![Problem { span, message, help }],
            }))
        }
        Err(error) => Expr::Invalid(Arc::new(error)),
    }
}

/// Makes a builder join with `&`, `|` and `!`.
macro_rules! operators {
    ($($name:ident $(<$state:ident>)?),+ $(,)?) => {$(
        impl<$($state,)? R: Into<Expr>> std::ops::BitAnd<R> for $name $(<$state>)? {
            type Output = Expr;

            fn bitand(self, other: R) -> Expr {
                Expr::from(self) & other
            }
        }

        impl<$($state,)? R: Into<Expr>> std::ops::BitOr<R> for $name $(<$state>)? {
            type Output = Expr;

            fn bitor(self, other: R) -> Expr {
                Expr::from(self) | other
            }
        }

        impl $(<$state>)? std::ops::BitAnd<$name $(<$state>)?> for bool {
            type Output = Expr;

            fn bitand(self, other: $name $(<$state>)?) -> Expr {
                Expr::from(self) & other
            }
        }

        impl $(<$state>)? std::ops::BitOr<$name $(<$state>)?> for bool {
            type Output = Expr;

            fn bitor(self, other: $name $(<$state>)?) -> Expr {
                Expr::from(self) | other
            }
        }

        impl $(<$state>)? std::ops::Not for $name $(<$state>)? {
            type Output = Expr;

            fn not(self) -> Expr {
                !Expr::from(self)
            }
        }
    )+};
}

operators!(
    Repeat,
    TimeWindow,
    Every,
    Cron,
    During,
    OnBusinessDays,
    OnceIn,
    Has<W>,
    Running,
    After,
    Retry,
);
