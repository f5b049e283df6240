//! Tasks that wait: what they cost in CPU time and memory while nothing is due.

use std::time::Duration;

use super::Size;
use crate::clock::Stopwatch;
use crate::harness::{Due, Figures, Running, settle};
use crate::process::{self, Usage};
use crate::starts::{Noting, Starts};

pub(super) async fn run(size: Size) -> Result<Figures, String> {
    let starts = Starts::prepare(Noting::Total);
    let mut running = Running::start(size.tasks, Due::Today)?;
    let mut figures = Figures::default();
    figures.put("reg_s", running.wall);
    let longest = (3.0 + running.wall * 2.0).min(20.0);
    figures.put("settle_s", running.during(settle(longest)).await?);
    // What a session does in the background when it starts is part of registering.
    figures.put("reg_cpu_s", process::cpu() - running.cpu_before);
    let resident = process::resident();
    figures.put("rss", resident);
    figures.put("rss_per_task", per_task(resident, running.resident_before, size.tasks));

    let (before, clock) = (Usage::read(), Stopwatch::start());
    running.during(tokio::time::sleep(Duration::from_secs_f64(size.seconds))).await?;
    let (used, seconds) = (Usage::read().since(before), clock.seconds());
    figures.put("cpu_per_s", used.cpu / seconds);
    figures.put("switches_per_s", count(used.switches) / seconds);
    figures.put("fired", starts.all());
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory are below 2^52")]
fn per_task(now: u64, before: u64, tasks: usize) -> f64 {
    (now as f64 - before as f64) / tasks as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn count(n: u64) -> f64 {
    n as f64
}
