//! Windows that are shorter than the task's usual run.
//!
//! A window with `within` is left alone: it says how late a run may begin, not how long it takes. So
//! is a cron expression, whose minute is a point in time rather than a window.

use std::time::Duration;

use super::LintCode;
use super::finding::Finding;
use crate::expr::{Expr, Statement, Times};
use crate::period::{Cycle, Period};
use crate::time::{Timestamp, Zone, duration};

/// So many windows are looked at: all of them must be too short.
const WINDOWS: usize = 12;

/// A window, and how long the longest of the coming ones is.
pub(super) type Longest = (String, Duration);

/// Lists the windows that a condition lies in, with their lengths.
pub(super) fn windows(expr: &Expr, now: Timestamp, own: &Zone, found: &mut Vec<Longest>) {
    match expr {
        Expr::All(children) | Expr::Any(children) => {
            for child in children {
                windows(child, now, own, found);
            }
        }
        Expr::Statement(statement, _) => {
            let (Statement::Once { period, zone, .. } | Statement::InPeriod { period, zone }) =
                statement
            else {
                return;
            };
            if let Times::Period(period @ Period::Cycle(Cycle { within: None, .. })) = period {
                let longest = longest(period, now, zone.as_ref().unwrap_or(own));
                found.extend(longest.map(|longest| (statement.to_string(), longest)));
            }
        }
        _ => {}
    }
}

fn longest(period: &Period, now: Timestamp, zone: &Zone) -> Option<Duration> {
    let mut next = period.seek(now, zone);
    let mut longest = None;
    for _ in 0..WINDOWS {
        let Some(window) = next else { break };
        longest = longest.max(Some(window.end.since(window.start)));
        next = period.seek(window.end, zone);
    }
    longest
}

/// Tells the windows that the usual run does not fit into.
pub(super) fn too_short(windows: &[Longest], usual: Duration) -> impl Iterator<Item = Finding> {
    let short = windows.iter().filter(move |(_, longest)| *longest < usual);
    short.map(move |(statement, longest)| {
        let reason = format!(
            "is a window of {}, but a run usually takes {}: it goes on after the window's end",
            duration::display(*longest),
            duration::display(usual)
        );
        let fix = "widen the window; if it says only when runs may begin, write that with `within`";
        Finding::new(LintCode::WindowTooShort, statement, reason, fix)
    })
}
