//! The next edge of a period after an instant; for cron, beside the crates `cron` and `croner`.
//!
//! All are asked in one run for the same expressions and instants, each in its own types: the crates
//! get chrono's `DateTime` in a zone of `chrono-tz`, as their users give it to them.

mod odd;

use std::hint::black_box;
use std::str::FromStr;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use redengine::Timestamp;
use redengine::period::{Cron, Cycle, Period, Place, Point, Unit, Weekday, Window};
use redengine::time::Zone;
use serde_json::{Value, json};

use super::Size;
use crate::harness::Figures;
use crate::measure::nanos;

/// A zone whose clock is set twice a year.
const ZONE: Tz = Tz::Europe__Helsinki;

/// Expressions that all three read alike, from dense to never.
const EXPRESSIONS: [&str; 10] = [
    "* * * * *",
    "*/5 * * * *",
    "30 9-17 * * MON-FRI",
    "0 3 * * *",
    "15,45 2 * * SUN",
    "0 0 1 * *",
    "0 4 1 JAN,JUL *",
    "0 0 29 FEB *",
    "0 12 31 * MON-FRI",
    "0 0 31 FEB *",
];

/// So many instants, which lie in two years.
const INSTANTS: i64 = 512;

pub(super) fn run(size: Size) -> Result<Figures, String> {
    let zone = Zone::named(ZONE.name()).map_err(|error| error.to_string())?;
    let instants: Vec<DateTime<Tz>> = (0..INSTANTS)
        // The steps are no multiple of a minute, an hour or a day.
        .map(|number| ZONE.timestamp_opt(1_767_225_600 + number * 123_457, 0))
        .map(|at| at.single().ok_or_else(|| "no instant".to_owned()))
        .collect::<Result<_, _>>()?;
    let ours: Vec<Timestamp> = instants.iter().map(|at| Timestamp::from(at.to_utc())).collect();
    let share = size.seconds / count(EXPRESSIONS.len() * 3 + 2);

    let mut figures = Figures::default();
    figures.put("zone", ZONE.name());
    for (name, period) in [("day", day_window()), ("last_fri", last_friday())] {
        let mut at = ours.iter().cycle();
        let edge = nanos(share, || {
            at.next().and_then(|at| black_box(period.next_edge(black_box(*at), &zone)))
        });
        figures.put(&format!("ns_{name}"), edge);
        figures.put(&format!("{name}_per_s"), 1e9 / edge);
    }
    let mut each = Vec::new();
    let mut least = [f64::INFINITY; 2];
    for expression in EXPRESSIONS {
        let peers = Peers::parse(expression)?;
        let (mut one, mut two, mut three) =
            (ours.iter().cycle(), instants.iter().cycle(), instants.iter().cycle());
        let own = nanos(share, || one.next().map(|at| black_box(peers.own(black_box(*at), &zone))));
        let cron = nanos(share, || two.next().map(|at| black_box(peers.cron(black_box(at)))));
        let croner = nanos(share, || three.next().map(|at| black_box(peers.croner(black_box(at)))));
        least = [least[0].min(cron / own), least[1].min(croner / own)];
        let differs = |peer: &dyn Fn(&DateTime<Tz>) -> Option<DateTime<Utc>>| {
            let both = ours.iter().zip(&instants);
            both.filter(|(own, at)| peers.own(**own, &zone) != peer(at)).count()
        };
        each.push(json!({
            "cron": expression,
            "ns": own,
            "per_s": 1e9 / own,
            "ns_cron": cron,
            "ns_croner": croner,
            "times_cron": cron / own,
            "times_croner": croner / own,
            "other_than_cron": differs(&|at| peers.cron(at)),
            "other_than_croner": differs(&|at| peers.croner(at)),
        }));
    }
    figures.put("instants", INSTANTS);
    figures.put("cron", Value::Array(each));
    figures.put("least_times_cron", least[0]);
    figures.put("least_times_croner", least[1]);
    figures.extend(odd::run()?);
    Ok(figures)
}

/// `daily between 10:00 and 14:00`
fn day_window() -> Period {
    let hour = |hour: i64| Point { place: Place::Whole, time: Some(hour * 3_600_000_000) };
    let window = Window::Between(hour(10), hour(14));
    Period::Cycle(Cycle { unit: Unit::Day, window, within: None })
}

/// `monthly on last Fri`
fn last_friday() -> Period {
    let window = Window::On(Point { place: Place::LastWeekday(Weekday::Fri), time: None });
    Period::Cycle(Cycle { unit: Unit::Month, window, within: None })
}

/// One expression as each of the three reads it.
struct Peers {
    own: Period,
    cron: cron::Schedule,
    croner: croner::Cron,
}

impl Peers {
    fn parse(expression: &str) -> Result<Self, String> {
        Ok(Self {
            own: Period::Cron(Cron::parse(expression).map_err(|error| error.to_string())?),
            // Its seconds are not optional.
            cron: cron::Schedule::from_str(&format!("0 {expression}"))
                .map_err(|error| error.to_string())?,
            croner: croner::Cron::from_str(expression).map_err(|error| error.to_string())?,
        })
    }

    fn own(&self, after: Timestamp, zone: &Zone) -> Option<DateTime<Utc>> {
        self.own.next(after, zone).map(|next| next.start.to_utc())
    }

    fn cron(&self, after: &DateTime<Tz>) -> Option<DateTime<Utc>> {
        self.cron.after(after).next().map(|next| next.to_utc())
    }

    fn croner(&self, after: &DateTime<Tz>) -> Option<DateTime<Utc>> {
        self.croner.find_next_occurrence(after, false).ok().map(|next| next.to_utc())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}
