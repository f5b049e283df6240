//! Cron is compared with the crate `croner`, in all zones and around changes of their clocks.
//!
//! Both read the zones' rules from the same database, so that only the search and the meaning of
//! fields are compared. What croner does otherwise on purpose is left out, and listed in
//! `docs/semantics.md`: it refuses `7/5` and ranges that wrap, takes either of `*/2` as a day and a
//! weekday, and lets times that are a list or a range follow elapsed time.

use std::str::FromStr;

use fastrand::Rng;
use redengine_core::Timestamp;
use redengine_core::period::{Cron, Period};
use redengine_core::time::Zone;

const CASES: usize = 6_000;

const DAY: i64 = 86_400_000_000;

/// So many occurrences of each are compared.
const CHAIN: usize = 4;

/// Makes a field of values from `low` to `high`.
fn field(rng: &mut Rng, (low, high): (u32, u32), names: &[&str]) -> String {
    let value = |rng: &mut Rng| rng.u32(low..=high);
    match rng.u8(0..10) {
        0..4 => "*".to_owned(),
        4 => format!("*/{}", rng.u32(1..=(high - low) / 2)),
        5 | 6 => {
            let (a, b) = (value(rng), value(rng));
            let step = ["", "/1", "/2", "/5"][rng.usize(..4)];
            format!("{}-{}{step}", a.min(b), a.max(b))
        }
        7 if !names.is_empty() => names[rng.usize(..names.len())].to_owned(),
        _ => {
            let values: Vec<String> =
                (0..rng.usize(1..4)).map(|_| value(rng).to_string()).collect();
            values.join(",")
        }
    }
}

fn expression(rng: &mut Rng) -> String {
    let minute = field(rng, (0, 59), &[]);
    let hour = field(rng, (0, 23), &[]);
    let mut date = field(rng, (1, 31), &["L", "LW", "15W", "1W"]);
    let month = field(rng, (1, 12), &["JAN", "feb", "OCT"]);
    let weekday = field(rng, (0, 7), &["MON", "fri#2", "5L", "SUN#5", "TUE-SAT"]);
    if weekday != "*" && date.starts_with('*') {
        date = "*".to_owned();
    }
    let weekday = if weekday.starts_with('*') && date != "*" { "*".to_owned() } else { weekday };
    let second = if rng.u8(0..8) == 0 { field(rng, (0, 59), &[]) + " " } else { String::new() };
    format!("{second}{minute} {hour} {date} {month} {weekday}")
}

/// Tells whether both let an expression follow elapsed time, or both do not.
fn alike(text: &str) -> bool {
    let times: Vec<&str> = text.split(' ').rev().skip(3).collect();
    let elapsed = times[..2].iter().any(|field| field.starts_with('*'));
    elapsed || times.iter().all(|field| field.parse::<u8>().is_ok())
}

/// Tells whether a zone's clock is set between two instants or within a day of them.
fn is_set(zone: &Zone, from: Timestamp, to: Timestamp) -> bool {
    let change = zone.next_transition(Timestamp::from_micros(from.as_micros() - DAY));
    change.is_some_and(|change| change.as_micros() <= to.as_micros() + DAY)
}

/// An instant from 1980 to 2080, every other time near a change of the zone's clock.
fn instant(rng: &mut Rng, zone: &Zone) -> Timestamp {
    let at = Timestamp::from_micros(rng.i64(315_532_800..3_471_292_800) * 1_000_000);
    match zone.next_transition(at).filter(|_| rng.bool()) {
        Some(change) => {
            let near = rng.i64(-86_400..7_200) * 1_000_000;
            Timestamp::from_micros(change.as_micros() + near)
        }
        None => at,
    }
}

#[test]
fn random_expressions_occur_when_croner_says() {
    let mut rng = Rng::with_seed(20_261_124);
    let zones = Zone::names();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for _ in 0..CASES {
        let zone = Zone::named(&zones[rng.usize(..zones.len())]).unwrap();
        let text = expression(&mut rng);
        let after = instant(&mut rng, &zone);
        let theirs = croner::Cron::from_str(&text).unwrap();
        let ours = Period::Cron(Cron::parse(&text).unwrap());
        let (mut at, mut found, mut expected) = (after, Vec::new(), Vec::new());
        let mut local = after.to_utc().with_timezone(&zone);
        for _ in 0..CHAIN {
            let Some(next) = ours.next(at, &zone) else { break };
            at = next.start;
            found.push(at);
            local = theirs.find_next_occurrence(&local, false).unwrap();
            expected.push(Timestamp::from(local.to_utc()));
        }
        if !alike(&text) && is_set(&zone, after, at) {
            continue;
        }
        compared += 1;
        if found != expected {
            let show = |list: &[Timestamp]| {
                let local = list.iter().map(|at| at.to_utc().with_timezone(&zone).to_rfc3339());
                local.collect::<Vec<_>>().join(" ")
            };
            wrong.push(format!(
                "`{text}` in {zone} after {}:\n  {}\n  {}",
                after.to_utc().with_timezone(&zone).to_rfc3339(),
                show(&found),
                show(&expected),
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > CASES * 4 / 5, "only {compared} were compared");
}
