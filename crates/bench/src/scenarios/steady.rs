//! A load that stays the same: how much gets done, at what cost, and how late.

use std::time::Duration;

use serde_json::Value;

use super::Size;
use crate::clock::{Stopwatch, Unix};
use crate::harness::{Due, Figures, Running, settle};
use crate::process::Usage;
use crate::starts::{Noting, Starts};

/// The measurement begins and ends so long before a full second, when the last one's work is done.
const BEFORE: Duration = Duration::from_millis(50);

/// A start that is early by less than this belongs to the second that follows.
const EARLY: Duration = Duration::from_millis(5);

/// Starts that are due at each full second, among tasks that wait.
pub(super) async fn lateness(size: Size) -> Result<Figures, String> {
    let Size { tasks, probes, .. } = size;
    let starts = Starts::prepare(Noting::Instants(probes));
    let due = |task| if task < probes { Due::EachSecond } else { Due::Today(task) };
    let mut running = Running::start(tasks + probes, due)?;
    let (mut figures, span) = watch(&mut running, starts, size).await?;
    // The last starts may be late.
    running.during(span.end().plus(Duration::from_millis(200)).wait()).await?;
    let lateness = Lateness::of(starts, span);
    let quantile = |f| lateness.quantile(f).map_or(Value::Null, Value::from);
    figures.put("min_us", quantile(0.0));
    figures.put("p50_us", quantile(0.5));
    figures.put("p99_us", quantile(0.99));
    figures.put("max_us", quantile(1.0));
    figures.put("expected", probes as u64 * span.seconds);
    figures.put("missed", lateness.missed);
    figures.put("extra", lateness.extra);
    Ok(figures)
}

/// Tasks all of which are due at each full second.
pub(super) async fn every_second(size: Size) -> Result<Figures, String> {
    let starts = Starts::prepare(Noting::Total);
    let mut running = Running::start(size.tasks, |_| Due::EachSecond)?;
    let (mut figures, _) = watch(&mut running, starts, size).await?;
    figures.put("expected_per_s", size.tasks);
    Ok(figures)
}

/// Tasks that are always due.
pub(super) async fn throughput(size: Size) -> Result<Figures, String> {
    let starts = Starts::prepare(Noting::Total);
    let mut running = Running::start(size.tasks, |_| Due::Always)?;
    let (figures, _) = watch(&mut running, starts, size).await?;
    Ok(figures)
}

/// The full seconds that were watched.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: Unix,
    seconds: u64,
}

impl Span {
    fn end(self) -> Unix {
        self.first.plus(Duration::from_secs(self.seconds))
    }
}

/// Watches a session for some full seconds.
async fn watch(
    running: &mut Running,
    starts: &Starts,
    size: Size,
) -> Result<(Figures, Span), String> {
    let mut figures = Figures::default();
    figures.put("reg_s", running.wall);
    figures.put("reg_cpu_s", running.cpu);
    running.during(settle(2.0)).await?;
    let first = Unix::now().next_second().plus(Duration::from_secs(1));
    let seconds = Duration::from_secs_f64(size.seconds.ceil()).as_secs();
    let span = Span { first, seconds };

    running.during(first.minus(BEFORE).wait()).await?;
    let (usage, all, clock) = (Usage::read(), starts.all(), Stopwatch::start());
    running.during(span.end().minus(BEFORE).wait()).await?;
    let took = clock.seconds();
    let (used, runs) = (Usage::read().since(usage), starts.all() - all);

    figures.put("cpu_per_s", used.cpu / took);
    figures.put("runs_per_s", count(runs) / took);
    figures.put("cpu_us_per_run", used.cpu * 1e6 / count(runs));
    figures.put("rq_wait_us_per_switch", used.waited * 1e6 / count(used.switches.max(1)));
    Ok((figures, span))
}

/// How late the starts of a span were.
#[derive(Debug, Default)]
struct Lateness {
    /// In microseconds, in order.
    micros: Vec<f64>,
    /// Seconds in which a task did not start.
    missed: u64,
    /// Starts beyond the first of a second.
    extra: u64,
}

impl Lateness {
    fn of(starts: &Starts, span: Span) -> Self {
        let mut lateness = Self::default();
        for instants in starts.instants() {
            let mut seen: Vec<u64> = vec![0; usize::try_from(span.seconds).unwrap_or(0)];
            for instant in instants {
                let since = instant.plus(EARLY).seconds_since(span.first);
                if since < 0.0 {
                    continue;
                }
                let second = Duration::from_secs_f64(since).as_secs();
                let Some(seen) = usize::try_from(second).ok().and_then(|place| seen.get_mut(place))
                else {
                    continue;
                };
                *seen += 1;
                let due = span.first.plus(Duration::from_secs(second));
                lateness.micros.push(instant.seconds_since(due) * 1e6);
            }
            lateness.missed += seen.iter().filter(|seen| **seen == 0).count() as u64;
            lateness.extra += seen.iter().map(|seen| seen.saturating_sub(1)).sum::<u64>();
        }
        lateness.micros.sort_by(f64::total_cmp);
        lateness
    }

    /// Tells the lateness that a fraction of the starts do not exceed.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list of thousands, times a fraction"
    )]
    fn quantile(&self, fraction: f64) -> Option<f64> {
        let last = self.micros.len().checked_sub(1)?;
        self.micros.get((last as f64 * fraction) as usize).copied()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn count(n: u64) -> f64 {
    n as f64
}
