//! Statements about tasks: after others, running, after a failure.

use std::time::Duration;

use super::Who;
use super::eval::View;
use super::verdict::{Topic, Verdict, Wake};
use crate::expr::{Age, Quantifier};
use crate::record::{Action, ActionSet};

/// The latest outcome of the others is later, by sequence number, than the owner's latest start.
pub(super) fn after(
    tasks: &[Who],
    which: Quantifier,
    actions: ActionSet,
    view: &View<'_>,
) -> Verdict {
    let began = view.owner.and_then(|owner| view.facts.history(owner).last(Action::Run));
    let one = |who: &Who| {
        let Some(task) = who.task(view.owner) else {
            return Verdict::new(false, None, Wake::never());
        };
        let ended = view.facts.history(task).last_of(actions);
        let holds = ended.map(|mark| mark.seq) > began.map(|mark| mark.seq);
        let since = if holds { ended } else { began }.map(|mark| mark.at);
        let waits_for = match view.owner {
            // It holds until the owner runs.
            Some(owner) if holds => {
                Topic::Task { task: owner, actions: ActionSet::of(&[Action::Run]) }
            }
            _ => Topic::Task { task, actions },
        };
        Verdict::new(holds, since, Wake::on(waits_for))
    };
    match which {
        Quantifier::All => Verdict::all(tasks.iter().map(one)),
        Quantifier::Any => Verdict::any(tasks.iter().map(one)),
    }
}

/// A run of the task has begun and not ended, and is of the given age.
pub(super) fn running(who: Who, age: Age, view: &View<'_>) -> Verdict {
    let Some(task) = who.task(view.owner) else { return Verdict::new(false, None, Wake::never()) };
    let topic = Topic::Task { task, actions: ActionSet::of(&Action::ALL) };
    let history = view.facts.history(task);
    let ended = history.last_of(ActionSet::ENDS).map(|mark| mark.at);
    let runs = history.live().iter().map(|live| {
        // The clock of who runs it may be ahead, or the own one was set back.
        if view.now < live.started {
            return Verdict::new(false, None, Wake::at(Some(live.started)).and_on(topic));
        }
        // Of what age it is, as a half-open interval of instants.
        let (from, until) = match age {
            Age::Any => (live.started, None),
            Age::MoreThan(least) => (live.started.after(least), None),
            Age::LessThan(most) => (live.started, Some(live.started.after(most))),
            Age::Between(least, most) => {
                (live.started.after(least), Some(live.started.after(most)))
            }
        };
        if view.now < from {
            Verdict::new(false, Some(live.started), Wake::at(Some(from)).and_on(topic))
        } else if until.is_some_and(|until| until <= view.now) {
            Verdict::new(false, until, Wake::on(topic))
        } else {
            Verdict::new(true, Some(from), Wake::at(until).and_on(topic))
        }
    });
    let none = std::iter::once(Verdict::new(false, ended, Wake::on(topic)));
    Verdict::any(none.chain(runs))
}

/// The task's status is fail, and it has not failed too often in a row.
pub(super) fn retry(limit: Option<u64>, after: Option<Duration>, view: &View<'_>) -> Verdict {
    let Some(owner) = view.owner else { return Verdict::new(false, None, Wake::never()) };
    let topic = Topic::Task { task: owner, actions: ActionSet::of(&Action::ALL) };
    let history = view.facts.history(owner);
    let failures = history.failures_in_a_row();
    let failed = history.last(Action::Fail);
    let (Some(Action::Fail), Some(failed)) = (history.status(), failed) else {
        return Verdict::new(false, None, Wake::on(topic));
    };
    if limit.is_some_and(|limit| failures > limit) {
        return Verdict::new(false, Some(failed.at), Wake::on(topic));
    }
    // The pause doubles with each failure.
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(30);
    let pause = after.map_or(Duration::ZERO, |after| after.saturating_mul(1 << doublings));
    let due = failed.at.after(pause);
    if view.now < due {
        Verdict::new(false, Some(failed.at), Wake::at(Some(due)).and_on(topic))
    } else {
        Verdict::new(true, Some(due), Wake::on(topic))
    }
}
