//! Where crates that read cron expressions part: odd hours, and what fields mean.
//!
//! What Debian's cron does was computed with Python's `cronsim` 2.8, which follows it.

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use redengine::Timestamp;
use redengine::period::{Cron, Period};
use redengine::time::Zone;
use serde_json::{Value, json};
use std::str::FromStr;

use crate::harness::Figures;

/// The clock is set forward on 2026-03-08 at 02:00 and back on 2026-11-01 at 02:00.
const ZONE: Tz = Tz::America__New_York;

/// An expression where they part.
struct Case {
    what: &'static str,
    cron: &'static str,
    after: &'static str,
    /// The next two instants; `None`: `cronsim` refuses the expression.
    debian: Option<[&'static str; 2]>,
}

const CASES: [Case; 9] = [
    Case {
        what: "a fixed time in the gap",
        cron: "30 2 * * *",
        after: "2026-03-07T12:00:00-05:00",
        debian: Some(["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]),
    },
    Case {
        what: "a step through the gap",
        cron: "*/30 2-3 * * *",
        after: "2026-03-07T12:00:00-05:00",
        debian: Some(["2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00"]),
    },
    Case {
        what: "a fixed time in the fold",
        cron: "30 1 * * *",
        after: "2026-10-31T12:00:00-04:00",
        debian: Some(["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]),
    },
    Case {
        what: "each hour through the fold",
        cron: "30 * * * *",
        after: "2026-11-01T01:00:00-04:00",
        debian: Some(["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"]),
    },
    Case {
        what: "a date or a weekday",
        cron: "0 12 13 * FRI",
        after: "2026-01-01T00:00:00-05:00",
        debian: Some(["2026-01-02T12:00:00-05:00", "2026-01-09T12:00:00-05:00"]),
    },
    Case {
        what: "a date that begins with `*`, and a weekday",
        cron: "0 12 */2 * MON",
        after: "2026-01-01T00:00:00-05:00",
        debian: Some(["2026-01-05T12:00:00-05:00", "2026-01-19T12:00:00-05:00"]),
    },
    Case {
        what: "a weekday by its number",
        cron: "0 12 * * 1",
        after: "2026-01-01T00:00:00-05:00",
        debian: Some(["2026-01-05T12:00:00-05:00", "2026-01-12T12:00:00-05:00"]),
    },
    Case {
        what: "Sunday as 0",
        cron: "0 12 * * 0",
        after: "2026-01-01T00:00:00-05:00",
        debian: Some(["2026-01-04T12:00:00-05:00", "2026-01-11T12:00:00-05:00"]),
    },
    Case {
        what: "a range that wraps, as Rocketry has it",
        cron: "0 22-2 * * *",
        after: "2026-01-01T12:00:00-05:00",
        debian: None,
    },
];

pub(super) fn run() -> Result<Figures, String> {
    let zone = Zone::named(ZONE.name()).map_err(|error| error.to_string())?;
    let mut cases = Vec::new();
    let mut wrong = [0; 3];
    for case in &CASES {
        let after = DateTime::parse_from_rfc3339(case.after).map_err(|error| error.to_string())?;
        let after = after.with_timezone(&ZONE);
        let found =
            [own(case.cron, after, &zone), cron(case.cron, after), croner(case.cron, after)];
        let debian = case.debian.map(|debian| debian.map(str::to_owned).to_vec());
        for (wrong, found) in wrong.iter_mut().zip(&found) {
            // To read more than Debian does is no mistake.
            *wrong += usize::from(debian.is_some() && *found != debian);
        }
        let says = |answer: &Option<Vec<String>>| match answer {
            Some(instants) => json!(instants),
            None => Value::from("refuses it"),
        };
        cases.push(json!({
            "what": case.what,
            "expression": case.cron,
            "debian": says(&debian),
            "redengine": says(&found[0]),
            "cron": says(&found[1]),
            "croner": says(&found[2]),
        }));
    }
    let mut figures = Figures::default();
    figures.put("odd_zone", ZONE.name());
    figures.put("odd", Value::Array(cases));
    figures.put("odd_wrong", json!({"redengine": wrong[0], "cron": wrong[1], "croner": wrong[2]}));
    Ok(figures)
}

fn own(text: &str, after: DateTime<Tz>, zone: &Zone) -> Option<Vec<String>> {
    let period = Period::Cron(Cron::parse(text).ok()?);
    Some(two(after, |at| {
        let next = period.next(Timestamp::from(at.to_utc()), zone)?;
        Some(next.start.to_utc().with_timezone(&ZONE))
    }))
}

fn cron(text: &str, after: DateTime<Tz>) -> Option<Vec<String>> {
    let schedule = cron::Schedule::from_str(&format!("0 {text}")).ok()?;
    Some(schedule.after(&after).take(2).map(shown).collect())
}

fn croner(text: &str, after: DateTime<Tz>) -> Option<Vec<String>> {
    let cron = croner::Cron::from_str(text).ok()?;
    Some(two(after, |at| cron.find_next_occurrence(&at, false).ok()))
}

fn two(after: DateTime<Tz>, next: impl Fn(DateTime<Tz>) -> Option<DateTime<Tz>>) -> Vec<String> {
    std::iter::successors(next(after), |at| next(*at)).take(2).map(shown).collect()
}

fn shown(at: DateTime<Tz>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}
