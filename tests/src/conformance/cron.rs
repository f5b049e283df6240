//! Cron: the period of an expression at an instant, and what is rejected.

use redengine_core::period::{Cron, Period};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::Outcome;
use super::periods::{answers, compare, instant, skipped};

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    if let Some(why) = skipped(case) {
        return Outcome::Skipped(why);
    }
    let Some(text) = case["cron"].as_str() else {
        return Outcome::Failed("no `cron`".to_owned());
    };
    let disputed = case["disputed"] == json!(true);
    let rejected = match &case["recommended"]["error"] {
        Value::Null => !disputed && case["expected"] == json!("error"),
        _ => disputed,
    };
    match Cron::parse(text) {
        Err(_) if rejected => Outcome::Passed,
        Err(_) if text.split_whitespace().count() < 5 && !text.starts_with('@') => {
            Outcome::Skipped("refused on purpose: cron has five fields (C-FIELDS)".to_owned())
        }
        Err(error) => Outcome::Failed(format!("`{text}`: {error}")),
        Ok(_) if rejected && is_extension(text) => Outcome::Skipped(
            "accepted on purpose: more of cron than the reference knows".to_owned(),
        ),
        Ok(_) if rejected => Outcome::Failed(format!("`{text}` is not rejected")),
        Ok(cron) => {
            // What we print must be what we read.
            if Cron::parse(&cron.to_string()).as_ref() != Ok(&cron) {
                return Outcome::Failed(format!("`{text}` prints as `{cron}`"));
            }
            let Some(at) = case["at"].as_str().and_then(instant) else {
                return Outcome::Failed("no instant `at`".to_owned());
            };
            compare(case, &answers(&Period::Cron(cron), at, &Zone::utc()))
        }
    }
}

/// Tells whether an expression is of the forms that the reference does not have and we do:
/// seconds, nicknames, `L`, `W`, `#`, `~` and `?`.
fn is_extension(text: &str) -> bool {
    text.split_whitespace().count() == 6
        || text.contains(['@', '#', '~', '?'])
        || text.split_whitespace().skip(2).any(|field| field.contains(['L', 'W']))
}
