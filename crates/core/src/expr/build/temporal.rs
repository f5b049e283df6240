//! Operators over time: for how long a condition has held, and since what.

use std::sync::Arc;

use super::IntoDuration;
use crate::expr::{Expr, ParseError, Problem, Span};
use crate::time::duration;

/// True when a condition has held for so long without a break.
///
/// In an `|`, it is one of its members that must have held for so long.
///
/// - **True when** the condition holds, and began to that long ago or longer.
/// - **Wakes** when that time is over, and when the condition may change.
/// - **Looks back** to when the condition became true.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = held_for(running().task("x"), "10 min");
/// assert_eq!(condition, parse("task 'x' is running for 10 min").unwrap());
/// ```
pub fn held_for(condition: impl Into<Expr>, duration: impl IntoDuration) -> Expr {
    let text = duration.duration_text();
    let (span, message, help) = match duration::parse(&text) {
        Ok(held) if !held.is_zero() => return Expr::For(Box::new(condition.into()), held),
        Ok(_) => (0..text.len(), "`for` needs a duration above zero".to_owned(), None),
        Err(error) => (error.span, error.message, error.help),
    };
    let span = Span { start: span.start, end: span.end };
    Expr::Invalid(Arc::new(ParseError { text, problems: vec![Problem { span, message, help }] }))
}

/// True when a condition has become true since this task last started.
///
/// - **True when** the condition holds, and began to later than the latest start of the task that
///   owns it; of a task that has never started, when the condition holds.
/// - **Wakes** when the condition may change, and when this task starts.
/// - **Looks back** to when the condition became true, and to the latest start.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = newly(time_of_day().after("07:00"));
/// assert_eq!(condition, parse("newly time of day after 07:00").unwrap());
/// ```
pub fn newly(condition: impl Into<Expr>) -> Expr {
    Expr::Newly(Box::new(condition.into()))
}

/// True when a condition has become true since another last changed.
///
/// - **True when** the first holds, and began to no earlier than the other last became true (if it
///   holds) or false (if it does not); what is not known to have changed has been so from the first.
/// - **Wakes** when either may change.
/// - **Looks back** to the last change of each.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::{build::*, parse};
///
/// let condition = since(failed().past("1 hour"), param("x").exists());
/// assert_eq!(condition, parse("has failed past 1 hour since param 'x' exists").unwrap());
/// ```
pub fn since(condition: impl Into<Expr>, other: impl Into<Expr>) -> Expr {
    Expr::Since(Box::new(condition.into()), Box::new(other.into()))
}
