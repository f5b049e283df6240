//! Cron around odd hours: the next instants after one.

use redengine_core::Timestamp;
use redengine_core::period::{Cron, Period};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::Outcome;
use super::periods::{instant, text};
use super::zones::in_zones;

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    in_zones(case, |zone| run(case, zone))
}

fn run(case: &Value, zone: &Zone) -> Result<Option<String>, String> {
    let cron = Cron::parse(case["cron"].as_str().ok_or("the case has no `cron`")?);
    let period = Period::Cron(cron.map_err(|error| error.to_string())?);
    let after = case["after"].as_str().and_then(instant);
    let mut at: Timestamp = after.ok_or("the case has no instant `after`")?;
    let expected = case["next"].as_array().ok_or("the case has no instants `next`")?;
    let mut found = Vec::new();
    for _ in expected {
        let Some(next) = period.next(at, zone) else { break };
        at = next.start;
        found.push(json!(text(at) + "Z"));
    }
    let told = || {
        let (cron, after, expected) = (&case["cron"], &case["after"], &case["next"]);
        format!("{cron} after {after}: expected {expected}, found {}", json!(found))
    };
    Ok((found != *expected).then(told))
}
