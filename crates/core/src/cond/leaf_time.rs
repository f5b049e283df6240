//! Statements about time: in a period, once in each window, at an interval.

use std::time::Duration;

use super::calendar::Calendar;
use super::eval::View;
use super::verdict::{Topic, Verdict, Wake, Watch};
use crate::expr::Basis;
use crate::facts::{History, Mark};
use crate::record::{Action, ActionSet};
use crate::time::Timestamp;

/// Now is in the period. Of intervals that adjoin, the joint is no change.
pub(super) fn in_period(calendar: &Calendar, watch: Watch, view: &View<'_>) -> Verdict {
    let around = calendar.around(view.now);
    if around.current.is_none() {
        return Verdict::new(false, around.since(), Wake::at(around.until()));
    }
    // Since when it holds may be further back than is looked, so that is asked again at each joint.
    let until = match watch {
        Watch::Each => around.until(),
        Watch::Witness => calendar.lasts(&around, None),
    };
    Verdict::new(true, calendar.begun(&around), Wake::at(until))
}

/// Now is in a window, and none of the task's runs that began in it has used it up.
pub(super) fn once(
    windows: &Calendar,
    retries: u32,
    reach: u64,
    watch: Watch,
    view: &View<'_>,
) -> Verdict {
    let around = windows.around(view.now);
    let history = view.owner.map(|owner| view.facts.history(owner));
    let used_up = |start| used_up(history?, start, view.now, retries, reach);
    let Some(window) = around.current else {
        let earlier = around.previous.and_then(|window| used_up(window.start));
        let since = earlier.min(around.since()).or(around.since());
        return Verdict::new(false, since, Wake::at(around.next_start()));
    };
    // Used up for good: only the next window can change it.
    if let Some(since) = used_up(window.start) {
        return Verdict::new(false, Some(since), Wake::at(around.next_start()));
    }
    let tried = history.and_then(|history| history.last(Action::Fail));
    let tried = tried.filter(|fail| fail.started >= window.start).map(|fail| fail.at);
    // Windows that adjoin are one as to whether it holds: it is not used up in the next one either.
    let until = match watch {
        Watch::Each => around.until(),
        Watch::Witness => windows.lasts(&around, None),
    };
    let ends = view.owner.map(|task| Topic::Task { task, actions: USES_UP });
    let wake = ends.into_iter().fold(Wake::at(until), Wake::and_on);
    Verdict::new(true, tried.or(Some(window.start)), wake)
}

/// What uses up a window; a failure may. A crash does not.
pub(super) const USES_UP: ActionSet =
    ActionSet::of(&[Action::Success, Action::Fail, Action::Terminate, Action::Inaction]);

/// Tells since when a window that began at `start` is used up, if it is.
fn used_up(
    history: &History,
    start: Timestamp,
    now: Timestamp,
    retries: u32,
    reach: u64,
) -> Option<Timestamp> {
    history.status()?;
    let ended = USES_UP
        .iter()
        .filter(|action| *action != Action::Fail || retries == 0)
        .filter_map(|action| ended_since(history, action, start, now, reach))
        .min();
    let fails = history.latest(ActionSet::of(&[Action::Fail]), reach).0;
    let mut fails = fails.iter().filter(|fail| fail.started >= start && fail.at <= now);
    let given_up = fails.nth(retries as usize).map(|fail| fail.at);
    ended.into_iter().chain(given_up).min()
}

/// Tells when a run that began at `start` or later has ended so. Records of the future, which are
/// there when the clock was set back, do not count.
fn ended_since(
    history: &History,
    action: Action,
    start: Timestamp,
    now: Timestamp,
    reach: u64,
) -> Option<Timestamp> {
    let last = history.last(action)?;
    let (known, _) = history.latest(ActionSet::of(&[action]), reach);
    let known = known.iter().filter(|mark| mark.started >= start && mark.at <= now);
    let first = known.map(|mark| mark.at).min();
    // A run may end after one that began later, and only the latest ends are kept.
    let began = history.latest_start(action).filter(|began| *began >= start && last.at <= now);
    first.or(began.map(|_| last.at))
}

/// A match has come, lasts still, and no run that was due in it has begun.
pub(super) fn cron(
    matches: &Calendar,
    within: Option<Duration>,
    watch: Watch,
    view: &View<'_>,
) -> Verdict {
    let around = matches.around(view.now);
    let next = around.next_start();
    let Some(last) = around.begun() else { return Verdict::new(false, None, Wake::at(next)) };
    let end = within.map_or(last.end, |within| last.start.after(within));
    let history = view.owner.map(|owner| view.facts.history(owner));
    let begun = history.and_then(|history| {
        let run = history.last_by(ActionSet::of(&[Action::Run]), view.now)?;
        // A run that began late is that of the match in which it was due.
        (due(history, run).unwrap_or(run.at) >= last.start).then_some(run.at)
    });
    let ran = view.owner.map(|task| Topic::Task { task, actions: ActionSet::of(&[Action::Run]) });
    let on_run = |wake| ran.into_iter().fold(wake, Wake::and_on);
    match (begun, watch) {
        (None, _) if view.now < end => {
            // At the next match no run has begun in it either.
            let until = match watch {
                Watch::Each => Some(next.map_or(end, |next| next.min(end))),
                Watch::Witness => matches.lasts(&around, within),
            };
            Verdict::new(true, Some(last.start), on_run(Wake::at(until)))
        }
        (begun, watch) => {
            let since = begun.map_or(end, |begun| begun.min(end));
            let wake = Wake::at(next);
            Verdict::new(false, Some(since), if watch == Watch::Each { on_run(wake) } else { wake })
        }
    }
}

/// The interval has passed since what it counts from.
pub(super) fn every(interval: Duration, basis: Basis, view: &View<'_>) -> Verdict {
    let Some(owner) = view.owner else { return Verdict::new(true, None, Wake::never()) };
    let history = view.facts.history(owner);
    let actions = ActionSet::of(basis.actions());
    let from = match basis {
        Basis::Due => due_basis(history, interval, view.now),
        Basis::Finish | Basis::Success | Basis::Fail => None,
    };
    let from = from.or_else(|| history.last_by(actions, view.now).map(|mark| mark.at));
    let topic = Topic::Task { task: owner, actions };
    match from.map(|from| from.after(interval)) {
        Some(next) if view.now < next => {
            // It turned when what it counts from happened, be that later than it was due.
            let since = history.last_by(actions, view.now).map(|mark| mark.at);
            Verdict::new(false, since, Wake::at(Some(next)).and_on(topic))
        }
        // It holds until the task runs; without a history it has held from the first.
        next => Verdict::new(true, next, Wake::on(topic)),
    }
}

impl Basis {
    /// Tells the actions of the records that it counts from.
    pub(super) fn actions(self) -> &'static [Action] {
        match self {
            Self::Due => &[Action::Run],
            Self::Finish => &[Action::Success, Action::Fail],
            Self::Success => &[Action::Success],
            Self::Fail => &[Action::Fail],
        }
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
