//! Values of options and of tasks' settings as they come from text: what each may be.
//!
//! Each reader takes a value, and the name of the option for what is wrong with it. Where in a file
//! that is, who has read the file tells.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::expr::{Expr, ParseError};
use crate::task::Execution;
use crate::time::duration::{self, DurationError};
use crate::time::{Zone, ZoneError};

/// What is wrong with an option.
#[derive(Debug)]
pub(super) enum Wrong {
    /// There is no option of that name.
    Name { message: String, help: String },
    /// The value is of the wrong kind.
    Value { message: String, help: Option<String> },
    /// The value is a text that is no condition.
    Condition { key: String, error: ParseError },
    /// The value is a text that is no duration.
    Duration { key: String, error: DurationError },
    /// The value is a text that is no time zone.
    Zone { key: String, error: ZoneError },
}

pub(super) type Read<T> = Result<T, Wrong>;

impl Wrong {
    pub(super) fn expected(key: &str, what: &str, value: &Value) -> Self {
        let message = format!("option `{key}` must be {what}, but it is {value}");
        Self::Value { message, help: None }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { message, help } | Self::Value { message, help: Some(help) } => {
                write!(f, "{message}; {help}")
            }
            Self::Value { message, help: None } => f.write_str(message),
            Self::Condition { key, error } => write!(f, "option `{key}`: {error}"),
            Self::Duration { key, error } => write!(f, "option `{key}`: {error}"),
            Self::Zone { key, error } => write!(f, "option `{key}`: {error}"),
        }
    }
}

pub(super) fn word<'a>(key: &str, value: &'a Value) -> Read<&'a str> {
    value.as_str().ok_or_else(|| Wrong::expected(key, "a text", value))
}

pub(super) fn flag(key: &str, value: &Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| Wrong::expected(key, "true or false", value))
}

/// Reads a text, or a number of seconds.
pub(super) fn time(key: &str, value: &Value) -> Read<Duration> {
    match value {
        Value::String(text) => {
            duration::parse(text).map_err(|error| Wrong::Duration { key: key.to_owned(), error })
        }
        Value::Number(seconds) => seconds
            .as_f64()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| Wrong::expected(key, "a number of seconds that is not negative", value)),
        _ => {
            let what = "a duration: a text like '10 s', or a number of seconds";
            Err(Wrong::expected(key, what, value))
        }
    }
}

/// Reads a duration that is not zero.
pub(super) fn timeout(key: &str, value: &Value) -> Read<Duration> {
    match time(key, value)? {
        Duration::ZERO => Err(Wrong::expected(key, "more than nothing", value)),
        timeout => Ok(timeout),
    }
}

pub(super) fn condition(key: &str, value: &Value) -> Read<Expr> {
    let condition = word(key, value)?.parse();
    condition.map_err(|error| Wrong::Condition { key: key.to_owned(), error })
}

pub(super) fn execution(key: &str, value: &Value) -> Read<Execution> {
    serde_json::from_value(value.clone())
        .map_err(|_| Wrong::expected(key, "`async` or `thread`", value))
}

pub(super) fn priority(key: &str, value: &Value) -> Read<i32> {
    let priority = value.as_i64().and_then(|priority| i32::try_from(priority).ok());
    priority.ok_or_else(|| Wrong::expected(key, "a whole number", value))
}

pub(super) fn count(key: &str, value: &Value) -> Read<u64> {
    value.as_u64().ok_or_else(|| Wrong::expected(key, "a whole number that is not negative", value))
}

pub(super) fn zone(key: &str, value: &Value) -> Read<Zone> {
    Zone::named(word(key, value)?).map_err(|error| Wrong::Zone { key: key.to_owned(), error })
}

/// Reads a value, or null for none.
pub(super) fn or_none<T>(value: &Value, read: impl FnOnce() -> Read<T>) -> Read<Option<T>> {
    if value.is_null() { Ok(None) } else { read().map(Some) }
}
