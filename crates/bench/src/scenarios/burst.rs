//! Tasks that are all due at once: how long until the last of them has started.

use std::time::Duration;

use super::Size;
use crate::clock::{Stopwatch, Unix};
use crate::harness::{Due, Figures, Running};
use crate::process::{self, Usage};
use crate::starts::{Noting, Starts};

pub(super) async fn run(size: Size) -> Result<Figures, String> {
    let starts = Starts::prepare(Noting::Counts(size.tasks));
    let tasks = size.tasks as u64;
    let lead = if size.lead > 0.0 { size.lead } else { 4.0 + count(tasks) / 20_000.0 };
    let due = Unix::now().plus(Duration::from_secs_f64(lead)).next_second();
    let mut running = Running::start(size.tasks, |_| Due::At(due))?;
    if Unix::now() > due.minus(Duration::from_millis(300)) {
        let took = running.wall;
        return Err(format!("too late: registration took {took:.1} s, lead was {lead:.1} s"));
    }
    let mut figures = Figures::default();
    figures.put("reg_s", running.wall);
    figures.put("reg_cpu_s", running.cpu);

    running.during(due.minus(Duration::from_millis(100)).wait()).await?;
    let (before, early) = (Usage::read(), starts.all());
    let cpu = running.during(all_started(starts, tasks, size.seconds)).await? - before.cpu;
    // Those that start a second time do so soon.
    running.during(tokio::time::sleep(Duration::from_millis(300))).await?;

    let (started, distinct) = (starts.all(), starts.distinct());
    let last = starts.last().seconds_since(due);
    figures.put("rq_wait_ms", Usage::read().since(before).waited * 1e3);
    figures.put("early", early);
    figures.put("first_ms", starts.first().seconds_since(due) * 1e3);
    figures.put("last_ms", last * 1e3);
    figures.put("started", started);
    figures.put("missed", tasks - distinct);
    figures.put("extra", started - distinct);
    figures.put("starts_per_s", count(started) / last);
    figures.put("cpu_us_per_start", cpu * 1e6 / count(started));
    Ok(figures)
}

/// Waits until all have started, or none has for a while. Tells the CPU time up to then.
async fn all_started(starts: &Starts, tasks: u64, patience: f64) -> f64 {
    let (mut seen, mut cpu, mut quiet) = (0, process::cpu(), Stopwatch::start());
    while starts.distinct() < tasks && quiet.seconds() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if starts.all() > seen {
            (seen, cpu, quiet) = (starts.all(), process::cpu(), Stopwatch::start());
        }
    }
    if starts.distinct() < tasks { cpu } else { process::cpu() }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn count(n: u64) -> f64 {
    n as f64
}
