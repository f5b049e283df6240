//! Durations: what `redengine_core::time::duration` reads, in microseconds.

use redengine_core::time::duration::{parse, parse_signed};
use serde_json::Value;

use super::{NOTE, Outcome};

/// Checks one text of a duration.
pub fn check(case: &Value) -> Outcome {
    let Some(input) = case["input"].as_str() else {
        return Outcome::Failed("the case has no `input`".to_owned());
    };
    let answer = match &case["recommended"] {
        recommended @ Value::Object(fields)
            if fields.contains_key("us") || fields.contains_key("error") =>
        {
            recommended
        }
        Value::Object(_) => return Outcome::Skipped(NOTE.to_owned()),
        _ => case,
    };
    let found = parse_signed(input);
    match (answer["us"].as_number(), &found) {
        (None, Err(_)) => Outcome::Passed,
        (None, Ok(micros)) => {
            Outcome::Failed(format!("`{input}`: expected an error, found {micros}"))
        }
        (Some(expected), Ok(micros)) if expected.to_string() == micros.to_string() => {
            // Conditions read durations without a sign.
            if parse(input).is_ok() == (*micros >= 0) {
                Outcome::Passed
            } else {
                Outcome::Failed(format!(
                    "`{input}`: expected a duration without a sign to be read, found {micros}"
                ))
            }
        }
        (Some(expected), Ok(micros)) => {
            Outcome::Failed(format!("`{input}`: expected {expected}, found {micros}"))
        }
        (Some(expected), Err(error)) => {
            Outcome::Failed(format!("`{input}`: expected {expected}, found: {error}"))
        }
    }
}
