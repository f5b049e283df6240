//! `daily & every 10 s`: a cycle holds once in each window, so the interval cannot repeat in it.

use std::time::Duration;

use super::LintCode;
use super::finding::Finding;
use crate::expr::{Expr, Statement, Times};
use crate::period::{Cycle, Period, Window};
use crate::time::{Timestamp, Zone, duration};

/// Finds intervals that are joined to a window in which they would repeat, but cannot.
///
/// An interval of more than half the window is left alone: it can be meant as the least time between
/// the runs of two windows. With retries, it can be meant as the time between these.
pub(super) fn once_and_every(expr: &Expr, now: Timestamp, zone: &Zone, found: &mut Vec<Finding>) {
    match expr {
        Expr::All(children) => {
            let every = children.iter().find_map(|child| match child {
                Expr::Statement(Statement::Every { interval, .. }, _) => Some((child, *interval)),
                _ => None,
            });
            if let Some((every, interval)) = every {
                let once = children.iter().filter_map(|child| match child {
                    Expr::Statement(statement, _) => {
                        Some((statement, window(statement, now, zone)?))
                    }
                    _ => None,
                });
                let meant = once.filter(|(_, window)| interval.saturating_mul(2) <= *window);
                found.extend(meant.map(|(once, _)| tell(once, every, interval)));
            }
            for child in children {
                once_and_every(child, now, zone, found);
            }
        }
        Expr::Any(children) => {
            for child in children {
                once_and_every(child, now, zone, found);
            }
        }
        _ => {}
    }
}

/// Tells how long the next window is of a statement that holds once in each.
fn window(statement: &Statement, now: Timestamp, own: &Zone) -> Option<Duration> {
    match statement {
        Statement::Once { period, zone, retries: 0 } => {
            let interval = period.known("")?.seek(now, zone.as_ref().unwrap_or(own))?;
            Some(interval.end.since(interval.start))
        }
        Statement::Cron { within: Some(within), .. } => Some(*within),
        Statement::Cron { cron, .. } => {
            Some(Duration::from_secs(if cron.has_seconds() { 1 } else { 60 }))
        }
        _ => None,
    }
}

fn tell(once: &Statement, every: &Expr, interval: Duration) -> Finding {
    let both = Expr::all([Expr::from(once.clone()), every.clone()]);
    let reason = format!(
        "runs the task once in each window, not each {}: `{once}` holds until a run has used the \
         window up",
        duration::display(interval)
    );
    let fix = match as_time_of(once) {
        Some(time_of) => {
            format!("for many runs in the window, write `{time_of} & {every}`; for one, `{once}`")
        }
        None => format!("for many runs, write `{every}`; for one in each window, `{once}`"),
    };
    Finding::new(LintCode::OnceAndEvery, &both, reason, fix)
}

/// Tells the statement that holds all through the window, if the window is a part of its cycle.
fn as_time_of(once: &Statement) -> Option<Statement> {
    let Statement::Once { period, zone, .. } = once else { return None };
    let part = match period {
        Times::Period(Period::Cycle(Cycle { within: Some(_), .. })) => true,
        Times::Period(Period::Cycle(Cycle { window, .. })) => {
            !matches!(window, Window::Full | Window::Starting(_))
        }
        _ => false,
    };
    part.then(|| Statement::InPeriod { period: period.clone(), zone: zone.clone() })
}
