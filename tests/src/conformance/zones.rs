//! Windows around odd hours: the current one and the next.
//!
//! The cases are said to be made with tzdb 2026f; two of their zones have the rules of 2025b. A
//! case that comes out wrong is tried again with those, which are kept in `tests/data/tzdb-2025b`:
//! what is checked is where windows are, not which rules a government has made since.

use redengine_core::expr::{Expr, Statement, Times, parse, parse_period};
use redengine_core::period::{Interval, Period};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::Outcome;
use super::periods::{instant, text};

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    in_zones(case, |zone| run(case, zone))
}

/// Zones whose rules are other ones since tzdb 2025b, as that version has them.
const OLDER: [(&str, &[u8]); 2] = [
    ("Africa/Casablanca", include_bytes!("../../data/tzdb-2025b/Africa/Casablanca")),
    ("America/Havana", include_bytes!("../../data/tzdb-2025b/America/Havana")),
];

/// Answers a case in its zone; if that is wrong, by the zone's older rules.
///
/// What answers tells what is wrong, if something is.
pub(super) fn in_zones(
    case: &Value,
    answer: impl Fn(&Zone) -> Result<Option<String>, String>,
) -> Outcome {
    let Some(name) = case["zone"].as_str() else {
        return Outcome::Failed("the case has no `zone`".to_owned());
    };
    let zone = match Zone::named(name) {
        Ok(zone) => zone,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let wrong = match answer(&zone) {
        Ok(None) => return Outcome::Passed,
        Ok(Some(wrong)) | Err(wrong) => wrong,
    };
    let older = OLDER.iter().find(|(older, _)| *older == zone.name());
    let older = older.and_then(|(name, rules)| Zone::from_tzif(name, rules).ok());
    match older.map(|zone| answer(&zone)) {
        Some(Ok(None)) => Outcome::Passed,
        _ => Outcome::Failed(format!("in {name}: {wrong}")),
    }
}

fn run(case: &Value, zone: &Zone) -> Result<Option<String>, String> {
    let at = case["at"].as_str().and_then(instant).ok_or("the case has no instant `at`")?;
    let (period, own) = windows(case["expr"].as_str().ok_or("the case has no `expr`")?)?;
    // The zone of the case may be one of older rules; a statement that names it means that one.
    let zone = &own.filter(|own| own.name() != zone.name()).unwrap_or_else(|| zone.clone());
    let show = |found: Option<Interval>| match found {
        Some(Interval { start, end }) => json!([text(start) + "Z", text(end) + "Z"]),
        None => Value::Null,
    };
    let found = [
        ("contains", json!(period.contains(at, zone))),
        ("current", show(period.current(at, zone))),
        ("next", show(period.next(at, zone))),
    ];
    let wrong = found.into_iter().filter(|(key, found)| *found != case[*key]);
    let wrong = wrong.map(|(key, found)| format!("{key}: expected {}, found {found}", case[key]));
    let wrong: Vec<String> = wrong.collect();
    let told = || format!("`{}` at {}: {}", case["expr"], case["at"], wrong.join("; "));
    Ok((!wrong.is_empty()).then(told))
}

/// Reads the windows that a text means, and the zone that it names: of a statement, or of a period.
fn windows(text: &str) -> Result<(Period, Option<Zone>), String> {
    let no_windows = || format!("`{text}` has no windows");
    match parse(text) {
        Ok(Expr::Statement(statement, _)) => match statement {
            Statement::InPeriod { period, zone } | Statement::Once { period, zone, .. } => {
                fixed(&period).map(|period| (period, zone)).ok_or_else(no_windows)
            }
            Statement::Cron { cron, zone, .. } => Ok((Period::Cron(cron), zone)),
            _ => Err(no_windows()),
        },
        Ok(_) | Err(_) => {
            let times = parse_period(text).map_err(|error| error.to_string())?;
            fixed(&times).map(|period| (period, None)).ok_or_else(no_windows)
        }
    }
}

fn fixed(times: &Times) -> Option<Period> {
    times.resolve("", &|_| None)
}
