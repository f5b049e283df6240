//! Statements about time: in a period, once in each window, at an interval.

use std::time::Duration;

use super::calendar::Calendar;
use super::eval::View;
use super::verdict::{Topic, Verdict, Wake};
use crate::expr::Basis;
use crate::facts::{History, Mark};
use crate::record::{Action, ActionSet};
use crate::time::Timestamp;

/// Now is in the period.
pub(super) fn in_period(calendar: &Calendar, view: &View<'_>) -> Verdict {
    let around = calendar.around(view.now);
    Verdict::new(around.current.is_some(), around.since(), Wake::at(around.until()))
}

/// Now is in a window, and none of the task's runs that began in it has used it up.
pub(super) fn once(windows: &Calendar, retries: u32, view: &View<'_>) -> Verdict {
    let around = windows.around(view.now);
    let Some(window) = around.current else {
        return Verdict::new(false, around.since(), Wake::at(around.next_start()));
    };
    let Some(owner) = view.owner else {
        return Verdict::new(true, Some(window.start), Wake::at(around.until()));
    };
    let history = view.facts.history(owner);
    match used_up(history, window.start, view.now, retries) {
        // Used up for good: only the next window can change it.
        Some(since) => Verdict::new(false, Some(since), Wake::at(around.next_start())),
        None => {
            let tried = history
                .last(Action::Fail)
                .filter(|fail| fail.started >= window.start)
                .map(|fail| fail.at);
            let wake = Wake::at(around.until())
                .and_on(Topic::Task { task: owner, actions: ActionSet::ENDS });
            Verdict::new(true, tried.or(Some(window.start)), wake)
        }
    }
}

/// Tells since when a window that began at `start` is used up, if it is. A crash does not use it up.
fn used_up(history: &History, start: Timestamp, now: Timestamp, retries: u32) -> Option<Timestamp> {
    let ended = [Action::Success, Action::Inaction, Action::Terminate]
        .into_iter()
        .filter_map(|action| ended_since(history, action, start, now))
        .min();
    let failures = history
        .marks(ActionSet::of(&[Action::Fail]))
        .filter(|fail| fail.started >= start && fail.at <= now)
        .count();
    let given_up = (failures > retries as usize).then(|| history.last(Action::Fail)).flatten();
    ended.into_iter().chain(given_up.map(|fail| fail.at)).min()
}

/// Tells when a run that began at `start` or later has ended so. Records of the future, which are
/// there when the clock was set back, do not count.
fn ended_since(
    history: &History,
    action: Action,
    start: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let last = history.last(action)?;
    if last.at <= now {
        return history.latest_start(action).filter(|began| *began >= start).map(|_| last.at);
    }
    let known = history.marks(ActionSet::of(&[action]));
    known.filter(|mark| mark.started >= start && mark.at <= now).map(|mark| mark.at).min()
}

/// A match has come, lasts still, and no run that was due in it has begun.
pub(super) fn cron(matches: &Calendar, within: Option<Duration>, view: &View<'_>) -> Verdict {
    let around = matches.around(view.now);
    let next = around.next_start();
    let Some(last) = around.begun() else { return Verdict::new(false, None, Wake::at(next)) };
    let end = within.map_or(last.end, |within| last.start.after(within));
    if end <= view.now {
        return Verdict::new(false, Some(end), Wake::at(next));
    }
    let history = view.owner.map(|owner| view.facts.history(owner));
    let begun = history.and_then(|history| {
        let run = history.last_by(ActionSet::of(&[Action::Run]), view.now)?;
        // A run that began late is that of the match in which it was due.
        (due(history, run).unwrap_or(run.at) >= last.start).then_some(run.at)
    });
    match begun {
        Some(begun) => Verdict::new(false, Some(begun), Wake::at(next)),
        None => {
            let wake = Wake::at(Some(next.map_or(end, |next| next.min(end))));
            let ran =
                view.owner.map(|task| Topic::Task { task, actions: ActionSet::of(&[Action::Run]) });
            let wake = ran.into_iter().fold(wake, Wake::and_on);
            Verdict::new(true, Some(last.start), wake)
        }
    }
}

/// The interval has passed since what it counts from.
pub(super) fn every(interval: Duration, basis: Basis, view: &View<'_>) -> Verdict {
    let Some(owner) = view.owner else { return Verdict::new(true, None, Wake::never()) };
    let history = view.facts.history(owner);
    let (from, actions) = match basis {
        Basis::Due => (due_basis(history, interval, view.now), &[Action::Run][..]),
        Basis::Finish => (None, &[Action::Success, Action::Fail][..]),
        Basis::Success => (None, &[Action::Success][..]),
        Basis::Fail => (None, &[Action::Fail][..]),
    };
    let actions = ActionSet::of(actions);
    let from = from.or_else(|| history.last_by(actions, view.now).map(|mark| mark.at));
    let topic = Topic::Task { task: owner, actions };
    match from.map(|from| from.after(interval)) {
        Some(next) if view.now < next => {
            Verdict::new(false, from, Wake::at(Some(next)).and_on(topic))
        }
        // It holds until the task runs; without a history it has held from the first.
        next => Verdict::new(true, next, Wake::on(topic)),
    }
}

/// Counts from the instant at which the last run was due, so that lateness does not add up; from
/// its start if it was later than a whole interval, so that it is not made up by a burst.
fn due_basis(history: &History, interval: Duration, now: Timestamp) -> Option<Timestamp> {
    let run = history.last_by(ActionSet::of(&[Action::Run]), now)?;
    Some(due(history, run).filter(|due| run.at.since(*due) <= interval).unwrap_or(run.at))
}

/// Tells when a run was due, which is known of the latest one.
fn due(history: &History, run: Mark) -> Option<Timestamp> {
    history.last_due().filter(|_| history.last(Action::Run) == Some(run))
}

/// The session has run for longer than this.
pub(super) fn run_over(age: Duration, view: &View<'_>) -> Verdict {
    let Some(started) = view.facts.started else { return Verdict::new(false, None, Wake::never()) };
    let at = started.after(age);
    if view.now >= at {
        Verdict::new(true, Some(at), Wake::never())
    } else {
        Verdict::new(false, Some(started), Wake::at(Some(at)))
    }
}
