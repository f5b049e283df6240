//! Windows around odd hours: the current one and the next.

use redengine_core::period::{Cycle, Interval, Period, Place, Point, Unit, Weekday, Window};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::Outcome;
use super::periods::{instant, text};

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    match run(case) {
        Ok(wrong) if wrong.is_empty() => Outcome::Passed,
        Ok(_) if changed_since(case) => Outcome::Skipped("its zone has other rules now".to_owned()),
        Ok(wrong) => Outcome::Failed(format!(
            "{} in {} at {}: {wrong}",
            case["expr"], case["zone"], case["at"]
        )),
        Err(why) => Outcome::Failed(why),
    }
}

/// Zones whose rules were changed after the cases were made, and since when: Morocco gives up
/// its changes, Cuba stays on summer time (tzdb 2026f).
const CHANGED: [(&str, &str); 2] =
    [("Africa/Casablanca", "2026-09-19"), ("America/Havana", "2026-10-31")];

/// Tells whether a case rests on rules that have been changed since.
pub(super) fn changed_since(case: &Value) -> bool {
    let at = case["at"].as_str().or(case["after"].as_str()).unwrap_or_default();
    CHANGED.iter().any(|(zone, since)| case["zone"] == *zone && at >= *since)
}

fn run(case: &Value) -> Result<String, String> {
    let zone = Zone::named(case["zone"].as_str().ok_or("no zone")?).map_err(|e| e.to_string())?;
    let at = case["at"].as_str().and_then(instant).ok_or("no instant `at`")?;
    let period = Period::Cycle(cycle_of(case["expr"].as_str().ok_or("no `expr`")?)?);
    let show = |found: Option<Interval>| match found {
        Some(Interval { start, end }) => json!([text(start) + "Z", text(end) + "Z"]),
        None => Value::Null,
    };
    let found = [
        ("contains", json!(period.contains(at, &zone))),
        ("current", show(period.current(at, &zone))),
        ("next", show(period.next(at, &zone))),
    ];
    let wrong = found.into_iter().filter(|(key, found)| *found != case[*key]);
    let wrong = wrong.map(|(key, found)| format!("{key} {found}, expected {}", case[key]));
    Ok(wrong.collect::<Vec<_>>().join("; "))
}

/// Reads the spellings that occur in these cases: a cycle and a window of it.
fn cycle_of(expr: &str) -> Result<Cycle, String> {
    let mut words = expr.splitn(3, ' ');
    let unit = match words.next() {
        Some("hourly") => Unit::Hour,
        Some("daily") => Unit::Day,
        Some("weekly") => Unit::Week,
        Some("monthly") => Unit::Month,
        _ => return Err(format!("unknown cycle in `{expr}`")),
    };
    let kind = words.next();
    let rest = words.next().unwrap_or_default();
    let window = match kind {
        None => Window::Full,
        Some("after") => Window::After(point(unit, rest)?),
        Some("before") => Window::Before(point(unit, rest)?),
        Some("starting") => Window::Starting(point(unit, rest)?),
        Some("on" | "at") => Window::On(point(unit, rest)?),
        Some("between") => {
            let (from, to) = rest.split_once(" and ").ok_or("no `and`")?;
            Window::Between(point(unit, from)?, point(unit, to)?)
        }
        Some(other) => return Err(format!("unknown window `{other}`")),
    };
    Ok(Cycle { unit, window, within: None })
}

fn point(unit: Unit, text: &str) -> Result<Point, String> {
    let bad = || format!("unknown point `{text}`");
    let time = |text: &str, unit: i64| -> Result<i64, String> {
        let (first, second) = text.split_once(':').ok_or_else(bad)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| bad());
        Ok((number(first)? * 60 + number(second)?) * unit)
    };
    let (place, rest) = match unit {
        Unit::Hour => return Ok(Point { place: Place::Whole, time: Some(time(text, 1_000_000)?) }),
        Unit::Day => return Ok(Point { place: Place::Whole, time: Some(time(text, 60_000_000)?) }),
        _ => text.split_once(' ').map_or((text, None), |(place, rest)| (place, Some(rest))),
    };
    let place = match place.get(..3) {
        Some("Mon") => Place::Weekday(Weekday::Mon),
        Some("Tue") => Place::Weekday(Weekday::Tue),
        Some("Wed") => Place::Weekday(Weekday::Wed),
        Some("Thu") => Place::Weekday(Weekday::Thu),
        Some("Fri") => Place::Weekday(Weekday::Fri),
        Some("Sat") => Place::Weekday(Weekday::Sat),
        Some("Sun") => Place::Weekday(Weekday::Sun),
        _ => {
            let day = place.trim_end_matches(|c: char| !c.is_ascii_digit());
            Place::MonthDay(day.parse().map_err(|_| bad())?)
        }
    };
    Ok(Point { place, time: rest.map(|rest| time(rest, 60_000_000)).transpose()? })
}
