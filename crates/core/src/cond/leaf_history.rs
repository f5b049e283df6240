//! Statements about the records of a task: `has succeeded ..`, with counts and periods.
//!
//! Of a task's records the latest few are kept, so a statement has a reach: how many of the latest it
//! looks at, however many more are kept for others. Within reach are more than the comparison can
//! tell apart ([`Count::looks_at`]), so whether it holds is exact; where too many others have come
//! since a window ended, nobody can know, which is an error. Since when it does is exact while
//! the record that brought it about is within reach. Beyond, it is told to be since the earliest
//! instant that it can be: the start of the window, or from the first. So a verdict hangs on the log
//! and the statement alone, never on what other statements have kept.
//!
//! Times are taken to be in the order of the log, as they are unless a clock was set back by more
//! than the records within reach.

use std::fmt;
use std::time::Duration;

use smallvec::SmallVec;

use super::eval::View;
use super::verdict::{Topic, Verdict, Wake, Watch};
use super::{Who, Within};
use crate::expr::Count;
use crate::record::{Action, ActionSet};
use crate::task::TaskId;
use crate::time::Timestamp;

/// The number of records of some actions in a period passes a comparison.
#[derive(Debug)]
pub(crate) struct Has {
    pub who: Who,
    pub actions: ActionSet,
    pub count: Count,
    pub within: Within,
    /// How many of the latest records it looks at.
    pub reach: u64,
}

/// The records within reach, by their times, oldest first.
struct Latest {
    known: SmallVec<[Timestamp; 8]>,
    /// How many there are before them.
    before: u64,
}

pub(super) fn has(has: &Has, watch: Watch, view: &View<'_>) -> Verdict {
    let count = has.count;
    let Some(task) = has.who.task(view.owner) else {
        return Verdict::new(count.holds(0), None, Wake::never());
    };
    // Any number passes, or none does.
    if count.settled(0) {
        return Verdict::new(count.holds(0), None, Wake::never());
    }
    match &has.within {
        Within::Ever => has.ever(task, watch, view),
        Within::Past(span) => has.past(task, *span, watch, view),
        Within::Window(calendar) => {
            let around = calendar.around(view.now);
            let window = around.begun();
            let mut records = has.latest(task, view);
            let reaches = |start| records.before == 0 || records.known.first() < Some(&start);
            let whole = window.is_none_or(|window| reaches(window.start));
            // Before the first window there is nothing to count.
            let counts =
                |at: Timestamp| at <= view.now && window.is_some_and(|window| window.contains(at));
            records.known.retain(|at| counts(*at));
            let n = records.known.len() as u64;
            let turned = if whole { records.turned(count, n) } else { None };
            let holds = count.holds(n);
            // The next window starts with none, and gets its own. Only when it waits for records
            // anyway need it not be told of the next one.
            let flips = count.holds(0) != holds;
            let timed = watch == Watch::Each;
            let wake = Wake::at(around.next_start().filter(|_| flips || timed));
            let known = whole || count.settled(n);
            let settled = count.settled(n) && flips;
            let wake = if settled && !timed { wake } else { wake.and_on(has.topic(task)) };
            // Too many have come since the window ended.
            if !known {
                return has.beyond_reach(wake);
            }
            Verdict::new(holds, turned.or(window.map(|window| window.start)), wake)
        }
    }
}

impl Has {
    fn ever(&self, task: TaskId, watch: Watch, view: &View<'_>) -> Verdict {
        let records = self.latest(task, view);
        // All that are in the log, be it from a future before the clock was set back.
        let n = records.before + records.known.len() as u64;
        let settled = self.count.settled(n) && watch == Watch::Witness;
        let wake = if settled { Wake::never() } else { Wake::on(self.topic(task)) };
        Verdict::new(self.count.holds(n), records.turned(self.count, n), wake)
    }

    fn past(&self, task: TaskId, span: Duration, watch: Watch, view: &View<'_>) -> Verdict {
        let mut records = self.latest(task, view);
        records.known.retain(|at| *at <= view.now);
        // The period is `(now - span, now]`: a record leaves it at its instant plus the span.
        let left = records.known.iter().take_while(|at| at.after(span) <= view.now).count();
        let inside = &records.known[left..];
        let holds = self.count.holds(inside.len() as u64);
        let flips = |left: &usize| {
            // Those of one instant leave together.
            inside.get(left + 1) != Some(&inside[*left])
                && self.count.holds((inside.len() - left - 1) as u64) != holds
        };
        let wake = Wake::at((0..inside.len()).find(flips).map(|left| inside[left].after(span)));
        // What further records cannot change now, they only make last longer.
        let settled = self.count.settled(inside.len() as u64) && watch == Watch::Witness;
        let wake = if settled { wake } else { wake.and_on(self.topic(task)) };
        Verdict::new(holds, records.turned_floating(self.count, left, span), wake)
    }

    fn beyond_reach(&self, wake: Wake) -> Verdict {
        let reason = format!(
            "the records that it counts are followed by {} others, and no more are looked at",
            self.reach
        );
        Verdict::broken(self.to_string().into(), reason.into(), wake)
    }

    /// Finds the records within reach.
    fn latest(&self, task: TaskId, view: &View<'_>) -> Latest {
        let (marks, before) = view.facts.history(task).latest(self.actions, self.reach);
        let mut known: SmallVec<[Timestamp; 8]> = marks.iter().map(|mark| mark.at).collect();
        known.sort_unstable();
        Latest { known, before }
    }

    fn topic(&self, task: TaskId) -> Topic {
        Topic::Task { task, actions: self.actions }
    }
}

impl fmt::Display for Has {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.actions.iter().map(Action::as_str).collect();
        write!(f, "the number of records ({}) in a window", words.join(", "))
    }
}

impl Latest {
    /// Finds the last record before which the comparison came out otherwise than with `n`, the last
    /// of which is the last known one.
    fn turned(&self, count: Count, n: u64) -> Option<Timestamp> {
        let before = n.saturating_sub(self.known.len() as u64);
        let turns = |i: &usize| {
            // Those of one instant come together.
            (*i == 0 || self.known[i - 1] != self.known[*i])
                && count.holds(before + *i as u64) != count.holds(n)
        };
        (0..self.known.len()).rev().find(turns).map(|i| self.known[i])
    }

    /// Finds the last instant at which the comparison of a floating period turned: records enter it
    /// at their instants and leave it a span later, and these steps are taken back one by one.
    fn turned_floating(&self, count: Count, left: usize, span: Duration) -> Option<Timestamp> {
        let (mut from, mut to) = (left, self.known.len());
        let holds = count.holds((to - from) as u64);
        loop {
            let entered = |to: usize| to.checked_sub(1).map(|last| self.known[last]);
            let dropped =
                |from: usize| from.checked_sub(1).map(|last| self.known[last].after(span));
            let at = entered(to).max(dropped(from))?;
            while entered(to) == Some(at) {
                to -= 1;
            }
            while dropped(from) == Some(at) {
                from -= 1;
            }
            let n = to.saturating_sub(from) as u64;
            // Before the first known one has left, those before it may be in it too.
            if from == 0 && self.before > 0 && !count.settled(n) {
                return None;
            }
            if count.holds(n) != holds {
                return Some(at);
            }
        }
    }
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
    /// which it is settled, so that also the next one to leave a floating period is known.
    pub(super) fn looks_at(self) -> u64 {
        match self {
            Self::AtLeast(k) | Self::LessThan(k) => k.saturating_add(1),
            Self::MoreThan(k) | Self::AtMost(k) | Self::Exactly(k) | Self::Between(_, k) => {
                k.saturating_add(2)
            }
        }
    }
}
