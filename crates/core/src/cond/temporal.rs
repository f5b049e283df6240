//! Operators over time: `a for 10 min`, `newly a`, `a since b`.
//!
//! All three ask since when their parts are as they are, which a verdict tells; so they hang on the
//! log, the facts and the clock alone, never on when somebody looked. Their parts are evaluated with
//! [`Watch::Each`](super::verdict::Watch::Each), since a change of the instant matters too, not only
//! one of the truth. What is not known to have been different has been so from the first.

use std::time::Duration;

use super::eval::{View, earliest};
use super::verdict::{Topic, Truth, Verdict, Watch};
use crate::record::{Action, ActionSet};
use crate::time::Timestamp;

/// It holds, and began to so long ago or longer.
pub(super) fn held_for(child: Verdict, held: Duration, view: &View<'_>) -> Verdict {
    let due = child.since.map(|since| since.after(held));
    match (&child.truth, due) {
        (Truth::True, Some(due)) if view.now < due => {
            let mut verdict = Verdict { truth: Truth::False, ..child };
            verdict.wake.at = earliest(verdict.wake.at, Some(due));
            verdict
        }
        (Truth::True, due) => Verdict { since: due, ..child },
        _ => child,
    }
}

/// It holds, and began to later than the owner last did.
pub(super) fn newly(child: Verdict, watch: Watch, view: &View<'_>) -> Verdict {
    let Some(owner) = view.owner.filter(|_| child.holds()) else { return child };
    let history = view.facts.history(owner);
    let actions = ActionSet::of(&[Action::Run]);
    let ran = history.last_by(actions, view.now).map(|mark| mark.at);
    let (holds, since) = match (child.since, ran) {
        // What has held from the first is new to a task that has never run.
        (since, None) => (true, since),
        (Some(since), Some(ran)) if since > ran => (true, Some(since)),
        (_, ran) => (false, ran),
    };
    let mut wake = child.wake;
    // Another run makes nothing new.
    if holds || watch == Watch::Each {
        wake = wake.and_on(Topic::Task { task: owner, actions });
    }
    wake.at = earliest(wake.at, history.next_in_future(view.now));
    Verdict::new(holds, since, wake)
}

/// The first holds, and began to no earlier than the other last changed.
pub(super) fn since(first: Verdict, other: Verdict) -> Verdict {
    match (&first.truth, &other.truth) {
        // Whatever the other does.
        (Truth::False, _) => first,
        (Truth::Broken(_), _) | (Truth::Pending, Truth::True | Truth::False | Truth::Pending) => {
            Verdict { wake: first.wake.either(other.wake), ..first }
        }
        (_, Truth::Broken(_) | Truth::Pending) => {
            Verdict { since: None, wake: first.wake.either(other.wake), ..other }
        }
        (Truth::True, Truth::True | Truth::False) => {
            let holds = first.since >= other.since;
            // The later of both is what brought it about.
            let since: Option<Timestamp> = first.since.max(other.since);
            Verdict::new(holds, since, first.wake.either(other.wake))
        }
    }
}
