//! Cron: the period of an expression at an instant, and what is rejected.

use redengine_core::period::{Cron, Period};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::Outcome;
use super::extensions::of_cron;
use super::periods::{answers, compare, instant, skipped};

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    if let Some(why) = skipped(case) {
        return Outcome::Skipped(why);
    }
    let Some(text) = expression(case) else {
        return Outcome::Failed("the case has no `cron`".to_owned());
    };
    let disputed = case["disputed"] == json!(true);
    let rejected = match &case["recommended"]["error"] {
        Value::Null => !disputed && case["expected"] == json!("error"),
        _ => disputed,
    };
    match Cron::parse(&text) {
        Err(_) if rejected => Outcome::Passed,
        Err(_) if text.split_whitespace().count() < 5 && !text.starts_with('@') => {
            Outcome::Skipped("refused on purpose: cron has five fields (C-FIELDS)".to_owned())
        }
        Err(error) => Outcome::Failed(format!("`{text}`: expected intervals, found {error}")),
        Ok(cron) if rejected => match of_cron(&text) {
            Some(rule) => Outcome::Skipped(format!("read on purpose: {rule}")),
            None => Outcome::Failed(format!("`{text}`: expected an error, found `{cron}`")),
        },
        Ok(cron) => {
            // What we print must be what we read.
            if Cron::parse(&cron.to_string()).as_ref() != Ok(&cron) {
                return Outcome::Failed(format!("`{text}`: expected to read as printed, `{cron}`"));
            }
            let Some(at) = case["at"].as_str().and_then(instant) else {
                return Outcome::Failed("the case has no instant `at`".to_owned());
            };
            compare(case, &answers(&Period::Cron(cron), at, &Zone::utc()))
        }
    }
}

/// The names of the fields, in order.
pub(super) const CRON_FIELDS: [&str; 5] =
    ["minute", "hour", "day_of_month", "month", "day_of_week"];

/// The expression of a case: in one text, in a statement, or by fields.
fn expression(case: &Value) -> Option<String> {
    let statement = || case["expr"].as_str()?.trim().strip_prefix("cron ");
    let whole = case["cron"].as_str().or_else(statement);
    whole.map(str::to_owned).or_else(|| joined(&case["fields"]))
}

/// Joins the fields of an expression; one that is not told is `*`.
pub(super) fn joined(fields: &Value) -> Option<String> {
    let field = |name: &&str| fields[*name].as_str().unwrap_or("*");
    fields.as_object().map(|_| CRON_FIELDS.iter().map(field).collect::<Vec<_>>().join(" "))
}
