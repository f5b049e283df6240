//! Cron around odd hours: the next instants after one.

use redengine_core::Timestamp;
use redengine_core::period::{Cron, Period};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::Outcome;
use super::periods::{instant, text};
use super::zones::changed_since;

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    match run(case) {
        Ok(found) if found == case["next"] => Outcome::Passed,
        Ok(_) if changed_since(case) => Outcome::Skipped("its zone has other rules now".to_owned()),
        Ok(found) => Outcome::Failed(format!(
            "`{}` in {} after {}: {found}, expected {}",
            case["cron"], case["zone"], case["after"], case["next"]
        )),
        Err(why) => Outcome::Failed(why),
    }
}

fn run(case: &Value) -> Result<Value, String> {
    let zone = Zone::named(case["zone"].as_str().ok_or("no zone")?).map_err(|e| e.to_string())?;
    let cron = Cron::parse(case["cron"].as_str().ok_or("no `cron`")?).map_err(|e| e.to_string())?;
    let period = Period::Cron(cron);
    let mut at: Timestamp = case["after"].as_str().and_then(instant).ok_or("no instant `after`")?;
    let mut found = Vec::new();
    for _ in 0..case["next"].as_array().map_or(0, Vec::len) {
        let Some(next) = period.next(at, &zone) else { break };
        at = next.start;
        found.push(text(at) + "Z");
    }
    Ok(json!(found))
}
