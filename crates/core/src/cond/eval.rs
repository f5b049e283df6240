//! The evaluation: a pure function of a condition, the facts and an instant.

use super::leaf_history::{self, Has};
use super::verdict::{Topic, Truth, Verdict, Wake, Watch};
use super::{Condition, Leaf, Node, Who, Within, leaf_task, leaf_time, temporal};
use crate::facts::{Facts, ProbeState};
use crate::record::{Action, ActionSet};
use crate::task::TaskId;
use crate::time::Timestamp;

/// What an evaluation looks at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// The task that owns the condition; a session's `shut_cond` has none.
    pub owner: Option<TaskId>,
    /// The instant.
    pub now: Timestamp,
}

/// Hears of each node that is evaluated, children before their parents.
pub trait Trace {
    /// A node has been evaluated.
    fn note(&mut self, node: Noted<'_>, verdict: &Verdict);
}

/// A node that was evaluated.
#[derive(Clone, Copy, Debug)]
pub enum Noted<'a> {
    /// A statement or a constant.
    Leaf(Evidence<'a>),
    /// `~`, `newly` and `for`, of the last node.
    One,
    /// `&`, `|` and `since`, of as many nodes before it.
    Several(usize),
}

/// What a statement looks at, for those who want to see it too.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a>(pub(super) Option<&'a Leaf>);

/// Nobody listens: what the scheduler uses.
impl Trace for () {
    fn note(&mut self, _node: Noted<'_>, _verdict: &Verdict) {}
}

/// Tells whether a condition holds, since when, and when or on what that may change.
///
/// `trace` hears of each part; `&mut ()` does not listen and costs nothing.
pub fn evaluate(condition: &Condition, view: &View<'_>, trace: &mut impl Trace) -> Verdict {
    let mut verdict = node(&condition.root, Watch::Witness, view, trace);
    look_ahead(&condition.root, view, &mut verdict);
    verdict
}

/// How many wakes are looked at ahead. A condition of cycles that never meet has no last one.
const AHEAD: usize = 16;

/// Passes over wakes that change nothing: the next instant at which a part changes may leave the
/// whole as it is, and what it will be then is known now, as long as nothing moves.
fn look_ahead(root: &Node, view: &View<'_>, verdict: &mut Verdict) {
    // A statement by itself wakes when it changes, except at records of the future.
    if let Some(leaf) = root.only_leaf()
        && next_in_future(leaf, view).is_none()
    {
        return;
    }
    for _ in 0..AHEAD {
        let Some(at) = verdict.wake.at else { return };
        let next = node(root, Watch::Witness, &View { now: at, ..*view }, &mut ());
        // A probe is asked while it is waited for, so not earlier nor longer than needed.
        if next.truth != verdict.truth || !next.wake.asks_as(&verdict.wake) {
            return;
        }
        verdict.wake.at = None;
        verdict.wake = std::mem::take(&mut verdict.wake).either(next.wake);
    }
}

fn node(node_: &Node, watch: Watch, view: &View<'_>, trace: &mut impl Trace) -> Verdict {
    let (noted, verdict) = match node_ {
        Node::Const(value) => {
            (Noted::Leaf(Evidence(None)), Verdict::new(*value, None, Wake::never()))
        }
        Node::Not(child) => (Noted::One, node(child, watch, view, trace).not()),
        Node::All(children) => {
            let verdicts = children.iter().map(|child| node(child, watch, view, trace));
            (Noted::Several(children.len()), Verdict::all_of(verdicts, watch))
        }
        Node::Any(children) => {
            let verdicts = children.iter().map(|child| node(child, watch, view, trace));
            (Noted::Several(children.len()), Verdict::any_of(verdicts, watch))
        }
        Node::For(child, held) => {
            let child = node(child, Watch::Each, view, trace);
            (Noted::One, temporal::held_for(child, *held, view))
        }
        Node::Newly(child) => {
            (Noted::One, temporal::newly(node(child, Watch::Each, view, trace), watch, view))
        }
        Node::Since(both) => {
            let [first, other] = both.each_ref().map(|it| node(it, Watch::Each, view, trace));
            (Noted::Several(2), temporal::since(first, other))
        }
        Node::Leaf(child) => {
            let mut verdict = leaf(child, watch, view);
            // Records of the future are there when the clock was set back.
            verdict.since = verdict.since.map(|since| since.min(view.now));
            verdict.wake.at = earliest(verdict.wake.at, next_in_future(child, view));
            (Noted::Leaf(Evidence(Some(child))), verdict)
        }
    };
    trace.note(noted, &verdict);
    verdict
}

fn leaf(leaf: &Leaf, watch: Watch, view: &View<'_>) -> Verdict {
    let named: &[Who] = match leaf {
        Leaf::Has(Has { who, .. }) | Leaf::Running { who, .. } => std::slice::from_ref(who),
        Leaf::After(after) => &after.tasks,
        _ => &[],
    };
    if let Some(broken) = named.iter().find_map(|who| removed(*who, view)) {
        return broken;
    }
    match leaf {
        Leaf::InPeriod(calendar) => leaf_time::in_period(calendar, watch, view),
        Leaf::Once { windows, retries, reach } => {
            leaf_time::once(windows, *retries, *reach, watch, view)
        }
        Leaf::Cron { matches, within } => leaf_time::cron(matches, *within, watch, view),
        Leaf::Every { interval, basis } => leaf_time::every(*interval, *basis, view),
        Leaf::Has(has) => leaf_history::has(has, watch, view),
        Leaf::After(after) => leaf_task::after(after, watch, view),
        Leaf::Running { who, age, reach } => leaf_task::running(*who, *age, *reach, watch, view),
        Leaf::Retry { limit, after } => leaf_task::retry(*limit, *after, watch, view),
        Leaf::Cycles(count) => {
            let cycles = view.facts.cycles;
            // Once more cycles cannot change it, it must not ask for more of them.
            let wake = if count.settled(cycles) { Wake::never() } else { Wake::on(Topic::Cycles) };
            Verdict::new(count.holds(cycles), None, wake)
        }
        Leaf::RunOver(age) => leaf_time::run_over(*age, view),
        Leaf::StartedWithin(age) => leaf_time::run_over(*age, view).not(),
        Leaf::Param { name, value } => {
            let holds = match (view.facts.param(name), value) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(text), Some(value)) => text == Some(value),
            };
            Verdict::new(holds, None, Wake::on(Topic::Params))
        }
        Leaf::Probe { id, text } => {
            let wake = Wake::on(Topic::Probe(*id));
            match view.facts.probe(*id) {
                ProbeState::Known { value, since } => Verdict::new(*value, Some(*since), wake),
                ProbeState::Unknown => Verdict { truth: Truth::Pending, since: None, wake },
                ProbeState::Failed { reason, .. } => {
                    Verdict::broken(text.clone(), reason.clone(), wake)
                }
            }
        }
    }
}

/// Tells the error of a statement about a task that is gone; it may come again.
fn removed(who: Who, view: &View<'_>) -> Option<Verdict> {
    let task = who.task(view.owner)?;
    let name = view.facts.removed(task)?;
    let wake = Wake::on(Topic::Task { task, actions: ActionSet::of(&Action::ALL) });
    let reason = format!("task `{name}` was removed").into();
    Some(Verdict::broken(format!("task '{name}'").into(), reason, wake))
}

/// Tells when the next record of the future comes to count in a statement.
fn next_in_future(leaf: &Leaf, view: &View<'_>) -> Option<Timestamp> {
    let who = match leaf {
        Leaf::Once { .. } | Leaf::Cron { .. } | Leaf::Every { .. } | Leaf::Retry { .. } => {
            Who::Owner
        }
        // Those that count all records count these already.
        Leaf::Has(Has { within: Within::Ever, .. }) => return None,
        Leaf::Has(Has { who, .. }) | Leaf::Running { who, .. } => *who,
        _ => return None,
    };
    view.facts.history(who.task(view.owner)?).next_in_future(view.now)
}

pub(super) fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
