//! Reading conditions from text.

use std::hint::black_box;

use redengine::expr::parse;

use super::Size;
use crate::harness::Figures;
use crate::measure::nanos;

/// What people write, in the proportions in which they do.
const SHORT: [&str; 12] = [
    "daily",
    "daily after 07:00",
    "daily between 10:00 and 14:00",
    "hourly",
    "every 10 s",
    "every 1 h 30 min",
    "weekly on Mon",
    "monthly on last day",
    "has failed today",
    "has succeeded past 1 hour",
    "after task 'fetch'",
    "time of week between Mon and Fri",
];

/// A condition of so many statements is long.
const MEMBERS: usize = 1_000;

pub(super) fn run(size: Size) -> Result<Figures, String> {
    let long: Vec<String> =
        SHORT.iter().cycle().take(MEMBERS).map(|text| format!("~({text} | daily)")).collect();
    let long = long.join(" & ");
    for text in SHORT.into_iter().chain([long.as_str()]) {
        parse(text).map_err(|error| error.to_string())?;
    }
    let mut figures = Figures::default();
    let seconds = size.seconds / 4.0;
    let all = nanos(seconds * 2.0, || {
        for text in SHORT {
            let _ = black_box(parse(black_box(text)));
        }
    });
    figures.put("ns_per_statement", all / count(SHORT.len()));
    figures.put("statements_per_s", 1e9 * count(SHORT.len()) / all);
    let mut each = Figures::default();
    for text in SHORT {
        let each_seconds = seconds / count(SHORT.len());
        each.put(text, nanos(each_seconds, || black_box(parse(black_box(text)))));
    }
    figures.put("ns", each);
    let long_ns = nanos(seconds, || black_box(parse(black_box(&long))));
    figures.put("long_bytes", long.len());
    figures.put("long_statements", MEMBERS * 2);
    figures.put("long_ns_per_statement", long_ns / count(MEMBERS * 2));
    figures.put("long_mb_per_s", count(long.len()) * 1e3 / long_ns);
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}
