//! Statements about tasks: after others, running, after a failure.

use std::time::Duration;

use smallvec::SmallVec;

use super::Who;
use super::eval::View;
use super::verdict::{Topic, Verdict, Wake, Watch};
use crate::expr::{Age, Quantifier};
use crate::facts::{History, Mark};
use crate::period::Interval;
use crate::record::{Action, ActionSet};
use crate::time::Timestamp;

/// The latest outcome of others is later, by sequence number, than the owner's latest start.
#[derive(Debug)]
pub(crate) struct After {
    pub tasks: Box<[Who]>,
    pub which: Quantifier,
    pub actions: ActionSet,
    /// How many of the latest records it looks at, to tell since when.
    pub reach: u64,
}

pub(super) fn after(after: &After, watch: Watch, view: &View<'_>) -> Verdict {
    let own = view.owner.map(|owner| view.facts.history(owner));
    let runs = ActionSet::of(&[Action::Run]);
    let began = own.and_then(|own| own.last(Action::Run));
    let one = |who: &Who| {
        let Some(task) = who.task(view.owner) else {
            return Verdict::new(false, None, Wake::never());
        };
        let history = view.facts.history(task);
        let ended = history.last_of(after.actions);
        let holds = ended.map(|mark| mark.seq) > began.map(|mark| mark.seq);
        let since = match own {
            _ if holds => first_after(history, after.actions, began, after.reach),
            // It has never held before there was an outcome.
            Some(own) if ended.is_some() => first_after(own, runs, ended, after.reach),
            _ => None,
        };
        let ends = Topic::Task { task, actions: after.actions };
        // It holds until the owner runs.
        let wake = match view.owner.map(|owner| Topic::Task { task: owner, actions: runs }) {
            Some(starts) if watch == Watch::Each => Wake::on(ends).and_on(starts),
            Some(starts) if holds => Wake::on(starts),
            _ => Wake::on(ends),
        };
        Verdict::new(holds, since, wake)
    };
    match after.which {
        Quantifier::All => Verdict::all_of(after.tasks.iter().map(one), watch),
        Quantifier::Any => Verdict::any_of(after.tasks.iter().map(one), watch),
    }
}

/// Tells when the first record after a mark happened. If it may be beyond reach, it is told to have
/// happened as early as it can: at the mark.
fn first_after(
    history: &History,
    actions: ActionSet,
    mark: Option<Mark>,
    reach: u64,
) -> Option<Timestamp> {
    let (later, before) = history.latest(actions, reach);
    let seq = mark.map(|mark| mark.seq);
    match later.iter().position(|known| Some(known.seq) > seq) {
        Some(0) if before > 0 => mark.map(|mark| mark.at),
        first => first.map(|first| later[first].at),
    }
}

/// A run of the task has begun and not ended, and is of the given age.
pub(super) fn running(who: Who, age: Age, reach: u64, watch: Watch, view: &View<'_>) -> Verdict {
    let Some(task) = who.task(view.owner) else { return Verdict::new(false, None, Wake::never()) };
    let history = view.facts.history(task);
    // While a run that began then is of the age.
    let aged = |started: Timestamp| {
        let (from, until) = match age {
            Age::Any => (Duration::ZERO, None),
            Age::MoreThan(least) => (least, None),
            Age::LessThan(most) => (Duration::ZERO, Some(most)),
            Age::Between(least, most) => (least, Some(most)),
        };
        let end = until.map_or(Timestamp::MAX, |until| started.after(until));
        Interval { start: started.after(from), end }
    };
    let live: SmallVec<[Interval; 4]> =
        history.live().iter().map(|live| aged(live.started)).collect();
    let now = view.now;
    let holds = live.iter().any(|live| live.contains(now));
    let since = {
        let mut past = live.clone();
        past.extend(history.latest(ActionSet::ENDS, reach).0.iter().map(|ended| {
            let aged = aged(ended.started);
            Interval { end: aged.end.min(ended.at), ..aged }
        }));
        past.retain(|past| !past.is_empty() && past.start <= now);
        turned(&mut past, holds, now)
    };
    let (at, actions) = if holds {
        (lasts(&live, now), ActionSet::ENDS)
    } else {
        let at = live.iter().map(|live| live.start).filter(|start| *start > now).min();
        // A run that begins later is of the age later, unless this one is from a future before the
        // clock was set back; and one that ends is not waited for, since it only can make it later.
        let first = at.is_some_and(|at| at <= aged(now).start);
        (at, if first { ActionSet::default() } else { ActionSet::of(&[Action::Run]) })
    };
    let actions = if watch == Watch::Each { ActionSet::of(&Action::ALL) } else { actions };
    let wake = Wake::at(at.filter(|at| *at < Timestamp::MAX));
    let waits = actions != ActionSet::default();
    let wake = if waits { wake.and_on(Topic::Task { task, actions }) } else { wake };
    Verdict::new(holds, since, wake)
}

/// Tells since when it is in one of the intervals, or in none.
fn turned(past: &mut [Interval], inside: bool, now: Timestamp) -> Option<Timestamp> {
    if !inside {
        return past.iter().map(|past| past.end).filter(|end| *end <= now).max();
    }
    past.sort_unstable_by_key(|past| std::cmp::Reverse(past.end));
    let mut since = now;
    for past in past {
        if past.end >= since {
            since = since.min(past.start);
        }
    }
    Some(since)
}

/// Tells how long it stays in one of the intervals.
fn lasts(live: &[Interval], now: Timestamp) -> Option<Timestamp> {
    let mut until = now;
    while let Some(later) = live
        .iter()
        .filter(|live| live.start <= until && live.end > until)
        .map(|live| live.end)
        .max()
    {
        until = later;
    }
    Some(until).filter(|until| *until > now)
}

/// The task's status is fail, and it has not failed too often in a row.
pub(super) fn retry(
    limit: Option<u64>,
    after: Option<Duration>,
    watch: Watch,
    view: &View<'_>,
) -> Verdict {
    let Some(owner) = view.owner else { return Verdict::new(false, None, Wake::never()) };
    let on = |actions: ActionSet| Topic::Task { task: owner, actions };
    let any = on(ActionSet::of(&Action::ALL));
    let history = view.facts.history(owner);
    let failures = history.failures_in_a_row();
    let failed = history.last(Action::Fail);
    // Only a failure makes it hold.
    let fails = if watch == Watch::Each { any } else { on(ActionSet::of(&[Action::Fail])) };
    let (Some(Action::Fail), Some(failed)) = (history.status(), failed) else {
        return Verdict::new(false, None, Wake::on(fails));
    };
    if limit.is_some_and(|limit| failures > limit) {
        return Verdict::new(false, Some(failed.at), Wake::on(fails));
    }
    // The pause doubles with each failure.
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(30);
    let pause = after.map_or(Duration::ZERO, |after| after.saturating_mul(1 << doublings));
    let due = failed.at.after(pause);
    if view.now < due {
        // Whatever is recorded until then, it does not hold earlier.
        let wake = Wake::at(Some(due));
        let wake = if watch == Watch::Each { wake.and_on(any) } else { wake };
        Verdict::new(false, Some(failed.at), wake)
    } else {
        Verdict::new(true, Some(due), Wake::on(any))
    }
}
