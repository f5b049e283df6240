//! Periods: `contains`, `rollback` and `rollforward` at an instant.

use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::period::{Cron, Cycle, Interval, Period, Place, Point, Unit, Weekday, Window};
use redengine_core::time::Zone;
use serde_json::{Value, json};

use super::cron::joined;
use super::{NOTE, Outcome};

const DAY: i64 = 86_400_000_000;

/// What the reference takes for the first and the last instant.
const DAWN: &str = "1970-01-03T02:00:00.000000";
const DUSK: &str = "2260-01-01T00:00:00.000000";

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    if let Some(why) = skipped(case) {
        return Outcome::Skipped(why);
    }
    let Some(at) = case["at"].as_str().and_then(instant) else {
        return Outcome::Failed("the case has no instant `at`".to_owned());
    };
    let ast = &case["period"];
    let found = match ast["type"].as_str() {
        Some("TimeDelta" | "TimeSpanDelta") => floating(ast, case, at),
        _ => match period(ast) {
            Ok(period) => Ok(answers(&period, at, &Zone::utc())),
            Err(why) => Err(why),
        },
    };
    match found {
        Ok(found) => compare(case, &found),
        Err(why) => Outcome::Failed(why),
    }
}

/// Tells why a case has no answer: it holds only a note, or the reference's depends on hash order.
pub(super) fn skipped(case: &Value) -> Option<String> {
    if case["disputed"] != json!(true) {
        return None;
    }
    if case["issues"].as_array().is_some_and(|issues| issues.contains(&json!("P-ORDER"))) {
        return Some("the reference's answer depends on hash order (P-ORDER)".to_owned());
    }
    let Some(recommended) = case["recommended"].as_object() else {
        return Some(NOTE.to_owned());
    };
    (recommended.len() == 1 && recommended.contains_key("note")).then(|| NOTE.to_owned())
}

/// What we answer to the three questions, as the cases have it.
pub(super) struct Answers {
    contains: bool,
    rollback: Value,
    rollforward: Value,
}

pub(super) fn answers(period: &Period, at: Timestamp, zone: &Zone) -> Answers {
    let rollback = period.seek_back(at, zone).map_or(Value::Null, |Interval { start, end }| {
        let (right, closed) = match at {
            _ if at >= end => (end, "left"),
            _ if at == start => (at, "both"),
            _ => (at, "left"),
        };
        interval(start, right, closed)
    });
    let rollforward = period
        .seek(at, zone)
        .map_or(Value::Null, |found| interval(found.start.max(at), found.end, "left"));
    Answers { contains: period.contains(at, zone), rollback, rollforward }
}

/// Compares the answers with those of a case: the recommended, else the recorded.
pub(super) fn compare(case: &Value, found: &Answers) -> Outcome {
    let expected = |key: &str| match case["recommended"].get(key) {
        Some(value) if case["disputed"] == json!(true) => value.clone(),
        _ => case[key].clone(),
    };
    let mut wrong = Vec::new();
    let contains = json!(found.contains);
    let questions = [
        ("contains", &contains),
        ("rollback", &found.rollback),
        ("rollforward", &found.rollforward),
    ];
    for (key, found) in questions {
        let expected = expected(key);
        // A static interval that has none in that direction is recorded as an empty one.
        let none = found.is_null() && expected["left"] == expected["right"];
        if *found != expected && !(none && expected["closed"] != "both") {
            wrong.push(format!("{key} {found}, expected {expected}"));
        }
    }
    if wrong.is_empty() {
        return Outcome::Passed;
    }
    Outcome::Failed(format!("{} at {}: {}", case["period"], case["at"], wrong.join("; ")))
}

fn interval(left: Timestamp, right: Timestamp, closed: &str) -> Value {
    json!({ "left": text(left), "right": text(right), "closed": closed })
}

/// Writes an instant as the cases do.
pub(super) fn text(at: Timestamp) -> String {
    match at {
        Timestamp::MIN => DAWN.to_owned(),
        Timestamp::MAX => DUSK.to_owned(),
        at => at.to_utc().format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
    }
}

/// Reads an instant as the cases write it.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let naive = text.trim_end_matches('Z').parse::<chrono::NaiveDateTime>();
    naive.map(|naive| naive.and_utc().into()).or_else(|_| text.parse()).ok()
}

/// Answers for the past span, whose ends move with the instant.
fn floating(ast: &Value, case: &Value, at: Timestamp) -> Result<Answers, String> {
    let duration = |key: &str| ast[key].as_u64().map(Duration::from_micros);
    let reference = case["reference"].as_str().and_then(instant).ok_or("no reference")?;
    let (since, until) = (at.since(reference), reference.since(at));
    // As recorded: both ends are in it. That statements leave out the far end is theirs to say.
    let (contains, rollback, rollforward) = if ast["type"] == json!("TimeDelta") {
        let past = duration("past_us").ok_or("no past")?;
        let future = duration("future_us").ok_or("no future")?;
        (since <= future && until <= past, (at.before(past), at), (at, at.after(future)))
    } else {
        let near = duration("near_us").ok_or("no near end")?;
        let far = duration("far_us");
        // The reference is not asked on which side: `abs(dt - reference)` (time/delta.py).
        let distance = since.max(until);
        (
            near <= distance && far.is_none_or(|far| distance <= far),
            (far.map_or(Timestamp::MIN, |far| at.before(far)), at.before(near)),
            (at.after(near), far.map_or(Timestamp::MAX, |far| at.after(far))),
        )
    };
    let left = |(from, to)| interval(from, to, "left");
    Ok(Answers { contains, rollback: left(rollback), rollforward: left(rollforward) })
}

/// Builds a period from its AST.
pub(super) fn period(ast: &Value) -> Result<Period, String> {
    let members = || {
        let members = ast["periods"].as_array().ok_or("no members")?;
        members.iter().map(period).collect::<Result<Vec<_>, String>>()
    };
    let kind = ast["type"].as_str().ok_or("no type")?;
    let unit = match kind {
        "Cron" => {
            let text = joined(ast).ok_or("no fields of cron")?;
            return Cron::parse(&text).map(Period::Cron).map_err(|e| e.to_string());
        }
        "always" => return Ok(Period::Always),
        "never" => return Ok(Period::Never),
        "All" => return Ok(Period::All(members()?)),
        "Any" => return Ok(Period::Any(members()?)),
        "StaticInterval" => {
            let edge = |key: &str| ast[key].as_str().and_then(instant).ok_or("bad instant");
            return Ok(Period::Fixed(Interval { start: edge("start")?, end: edge("end")? }));
        }
        "TimeOfSecond" => Unit::Second,
        "TimeOfMinute" => Unit::Minute,
        "TimeOfHour" => Unit::Hour,
        "TimeOfDay" => Unit::Day,
        "TimeOfWeek" => Unit::Week,
        "TimeOfMonth" => Unit::Month,
        "TimeOfYear" => Unit::Year,
        other => return Err(format!("unknown type `{other}`")),
    };
    let edge = |key: &str| ast[key].as_f64().map(|us| whole(unit, us)).ok_or("no offset");
    let (start, end) = (edge("start_us")?, edge("end_us")?);
    let length = match unit {
        Unit::Second => 1_000_000,
        Unit::Minute => 60_000_000,
        Unit::Hour => 3_600_000_000,
        Unit::Day => DAY,
        Unit::Week => 7 * DAY,
        Unit::Month => 31 * DAY,
        Unit::Year => 366 * DAY,
    };
    let window = match (start, end) {
        (0, end) if end == length => Window::Full,
        _ if start == end => Window::Starting(point(unit, start)),
        _ if end == length => Window::After(point(unit, start)),
        (0, _) => Window::Before(point(unit, end)),
        _ => Window::Between(point(unit, start), point(unit, end)),
    };
    Ok(Period::Cycle(Cycle { unit, window, within: None }))
}

/// Undoes the reference's rounding: quarters of an hour lack a fraction of a microsecond, months
/// of a year their last microsecond (P-QUARTER, P-YEAR-END).
fn whole(unit: Unit, us: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "offsets are less than a year")]
    let us = us.ceil() as i64;
    if unit == Unit::Year && us % 1_000_000 == 999_999 { us + 1 } else { us }
}

fn point(unit: Unit, offset: i64) -> Point {
    let (day, time) = (offset / DAY, offset % DAY);
    let (place, time) = match unit {
        Unit::Second | Unit::Minute | Unit::Hour | Unit::Day => (Place::Whole, offset),
        // The end of the last day is a time of that day.
        Unit::Week if day == 7 => (Place::Weekday(Weekday::Sun), DAY),
        Unit::Week => {
            let weekday = usize::try_from(day).ok().and_then(|day| WEEKDAYS.get(day));
            (Place::Weekday(*weekday.unwrap_or(&Weekday::Sun)), time)
        }
        Unit::Month if day == 31 => (Place::MonthDay(31), DAY),
        Unit::Month => (Place::MonthDay(u8::try_from(day + 1).unwrap_or(0)), time),
        Unit::Year => {
            let date = chrono::NaiveDate::from_yo_opt(1972, u32::try_from(day + 1).unwrap_or(0));
            let date = date.unwrap_or(chrono::NaiveDate::MAX);
            let (month, day) = (chrono::Datelike::month(&date), chrono::Datelike::day(&date));
            let small = |n: u32| u8::try_from(n).unwrap_or(0);
            (Place::YearDay(small(month), small(day)), time)
        }
    };
    Point { place, time: Some(time) }
}

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];
