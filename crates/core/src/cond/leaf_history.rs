//! Statements about the records of a task: `has succeeded ..`, with counts and periods.

use std::time::Duration;

use smallvec::SmallVec;

use super::eval::View;
use super::verdict::{Topic, Verdict, Wake};
use super::{Who, Within};
use crate::expr::Count;
use crate::record::ActionSet;
use crate::task::TaskId;
use crate::time::Timestamp;

/// Instants of records, oldest first.
type Instants = SmallVec<[Timestamp; 8]>;

/// The number of records of some actions in a period passes a comparison.
pub(super) fn has(
    who: Who,
    actions: ActionSet,
    count: Count,
    within: &Within,
    view: &View<'_>,
) -> Verdict {
    let Some(task) = who.task(view.owner) else {
        return Verdict::new(count.holds(0), None, Wake::never());
    };
    match within {
        Within::Ever => ever(task, actions, count, view),
        Within::Past(span) => past(task, actions, count, *span, view),
        Within::Window(calendar) => {
            let around = calendar.around(view.now);
            // Before the first interval there is nothing to count.
            let start = around.begun().map_or(view.now, |interval| interval.start);
            let end = around.begun().map_or(view.now, |interval| interval.end);
            let records = records(task, actions, view, |at| start <= at && at < end);
            let (holds, since) = walk_back(count, &records, Some(start));
            let n = records.len() as u64;
            // The current interval may get more records; the next one starts with none, and gets
            // its own. Only while it waits for records anyway need it not be told of the next.
            let open = around.current.is_some() && !count.settled(n);
            let at = if open && count.holds(0) == holds { None } else { around.next_start() };
            let wake = Wake::at(at);
            Verdict::new(holds, since, if open { wake.and_on(topic(task, actions)) } else { wake })
        }
    }
}

fn ever(task: TaskId, actions: ActionSet, count: Count, view: &View<'_>) -> Verdict {
    let n = view.facts.history(task).count(actions);
    let records = records(task, actions, view, |_| true);
    // Only the latest records are kept; those before them are as if they had always been.
    let before = n.saturating_sub(records.len() as u64);
    let mut since = None;
    for (i, at) in records.iter().enumerate().rev() {
        if count.holds(before + i as u64) != count.holds(n) {
            since = Some(*at);
            break;
        }
    }
    let wake = if count.settled(n) { Wake::never() } else { Wake::on(topic(task, actions)) };
    Verdict::new(count.holds(n), since, wake)
}

fn past(
    task: TaskId,
    actions: ActionSet,
    count: Count,
    span: Duration,
    view: &View<'_>,
) -> Verdict {
    // The period is `(now - span, now]`: a record leaves it at its instant plus the span.
    let known = records(task, actions, view, |at| at <= view.now);
    let left = known.iter().take_while(|at| at.after(span) <= view.now).count();
    let inside = &known[left..];
    let n = inside.len() as u64;
    let holds = count.holds(n);
    let turns = |left: &usize| count.holds((inside.len() - left - 1) as u64) != holds;
    let at = (0..inside.len()).find(turns).map(|left| inside[left].after(span));
    let wake = Wake::at(at).and_on(topic(task, actions));
    Verdict::new(holds, turned(count, &known, left, span), wake)
}

/// Finds the last instant at which the comparison of a floating period turned: records enter it at
/// their instants and leave it a span later, and these steps are taken back one by one.
fn turned(count: Count, known: &[Timestamp], left: usize, span: Duration) -> Option<Timestamp> {
    let (mut from, mut to) = (left, known.len());
    let holds = count.holds((to - from) as u64);
    loop {
        let entered = to.checked_sub(1).and_then(|last| known.get(last)).copied();
        let dropped = from.checked_sub(1).and_then(|last| known.get(last)).map(|at| at.after(span));
        let at = entered.max(dropped)?;
        if entered == Some(at) {
            to -= 1;
        }
        if dropped == Some(at) {
            from -= 1;
        }
        if count.holds(to.saturating_sub(from) as u64) != holds {
            return Some(at);
        }
    }
}

/// Finds the last record before which the comparison came out otherwise.
fn walk_back(
    count: Count,
    records: &[Timestamp],
    start: Option<Timestamp>,
) -> (bool, Option<Timestamp>) {
    let holds = count.holds(records.len() as u64);
    let turned = records.iter().enumerate().rev().find(|(i, _)| count.holds(*i as u64) != holds);
    (holds, turned.map(|(_, at)| *at).or(start))
}

fn records(
    task: TaskId,
    actions: ActionSet,
    view: &View<'_>,
    within: impl Fn(Timestamp) -> bool,
) -> Instants {
    let marks = view.facts.history(task).marks(actions);
    let mut records: Instants =
        marks.map(|mark| mark.at).filter(|at| *at <= view.now && within(*at)).collect();
    records.sort_unstable();
    records
}

fn topic(task: TaskId, actions: ActionSet) -> Topic {
    Topic::Task { task, actions }
}

impl Count {
    /// Tells whether further records cannot change how `n` comes out.
    pub(super) fn settled(self, n: u64) -> bool {
        match self {
            Self::AtLeast(k) | Self::LessThan(k) => n >= k,
            Self::MoreThan(k) | Self::AtMost(k) | Self::Exactly(k) | Self::Between(_, k) => n > k,
        }
    }

    /// Tells how many of the latest records must be known to compare: one more than the number at
    /// which it is settled, to know since when.
    pub(super) fn looks_at(self) -> u64 {
        match self {
            Self::AtLeast(k) | Self::LessThan(k) => k.saturating_add(1),
            Self::MoreThan(k) | Self::AtMost(k) | Self::Exactly(k) | Self::Between(_, k) => {
                k.saturating_add(2)
            }
        }
    }
}
