//! One look at a condition that waits.

use std::hint::black_box;

use redengine::cond::{View, evaluate};
use redengine::facts::Facts;
use redengine::time::Zone;
use redengine::{Session, Task, Timestamp};

use super::Size;
use crate::clock::Stopwatch;
use crate::harness::Figures;
use crate::process;

/// So many looks lie between two looks at the clock.
const LOOKS: u32 = 10_000;

pub(super) fn run(size: Size) -> Result<Figures, String> {
    let mut figures = Figures::default();
    for (name, condition) in [
        ("ns_daily", "daily after 07:00"),
        ("ns_daily_and", "daily after 07:00 & time of week between Mon and Fri"),
        ("ns_every", "every 10 s"),
        ("ns_cron", "cron '0 7 * * *'"),
    ] {
        figures.put(name, nanos(condition, size.seconds / 4.0)?);
    }
    Ok(figures)
}

fn nanos(condition: &str, seconds: f64) -> Result<f64, String> {
    let session = Session::builder()
        .configure(|config| config.timezone = Some(Zone::utc()))
        .task(Task::new("task", condition, || async {}))
        .build()
        .map_err(|error| error.to_string())?;
    let definition = session.task("task").map_err(|error| error.to_string())?;
    let now: Timestamp = "2026-11-24T06:00:00Z".parse().map_err(|_| "no instant".to_owned())?;
    let facts = Facts::default();
    let view = View { facts: &facts, owner: Some(definition.id), now };
    let (clock, before, mut looks) = (Stopwatch::start(), process::cpu(), 0.0);
    while clock.seconds() < seconds {
        for _ in 0..LOOKS {
            black_box(evaluate(black_box(&definition.start), black_box(&view), &mut ()));
        }
        looks += f64::from(LOOKS);
    }
    Ok((process::cpu() - before) * 1e9 / looks)
}
