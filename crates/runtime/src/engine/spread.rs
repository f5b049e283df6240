//! Whose turn it is: how work spreads over sessions that share a log, without a leader.
//!
//! Each session gives each task its own order of all of them, by a hash of both names, and all agree
//! on it. The first in that order claims a due task at once; the others wait for it a little, one
//! after the other, and find the task running when their turn comes. If they do not, they claim it:
//! who is slow or gone delays a run, and never loses it. Who is right is for the log to say.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redengine_core::runlog::Member;
use redengine_core::session::Definition;
use redengine_core::{TaskId, Timestamp};

use super::Engine;
use super::agenda::Key;
use crate::event::Step;

/// How long a session waits for each one before it.
const TURN: Duration = Duration::from_millis(100);

/// Who lets so many turns of a task pass in a row is not waited for any longer..
const PATIENCE: u32 = 3;

/// ..but now and then, after so many runs, in case it has the task by now.
const AGAIN: u32 = 32;

/// Who shares the log, and who waits for whom.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// This session among them; empty if nobody knows.
    members: Vec<Member>,
    /// When conditions were first seen to hold whose turn is another session's.
    since: HashMap<Key, Timestamp>,
    /// Who has not run a task though it came first, and how many times in a row.
    passed: HashMap<TaskId, Vec<(Arc<str>, u32)>>,
}

impl Turns {
    /// Takes note of who shares the log.
    pub(super) fn set_members(&mut self, members: Vec<Member>) {
        if self.members != members {
            self.members = members;
            self.passed.clear();
        }
    }

    /// Tells whether nobody is told what this session is good for.
    pub(super) fn is_alone(&self) -> bool {
        self.members.is_empty()
    }

    /// Notes that a task did not become due after all, or not here.
    pub(super) fn forget(&mut self, key: Key) {
        self.since.remove(&key);
    }

    /// Notes that a session has run a task.
    pub(super) fn ran(&mut self, task: TaskId, node: &str) {
        if let Some(passed) = self.passed.get_mut(&task) {
            passed.retain(|(name, _)| **name != *node);
            if passed.is_empty() {
                self.passed.remove(&task);
            }
        }
    }

    pub(super) fn clock_stepped(&mut self, step: Step) {
        for since in self.since.values_mut() {
            *since = step.shift(*since);
        }
    }

    /// Tells how many sessions are to be waited for.
    fn count(&self, definition: &Definition, node: &str) -> u32 {
        let passed = self.passed.get(&definition.id);
        let is_waited_for = |member: &&Member| {
            let known = passed.into_iter().flatten().find(|(name, _)| *name == member.node);
            known.is_none_or(|(_, times)| *times < PATIENCE || times % AGAIN == 0)
        };
        let count = before(&self.members, node, definition).filter(is_waited_for).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Notes that the sessions that come first have let their turns of a task pass.
    fn let_pass(&mut self, definition: &Definition, node: &str) {
        for member in before(&self.members, node, definition) {
            let passed = self.passed.entry(definition.id).or_default();
            match passed.iter_mut().find(|(name, _)| *name == member.node) {
                Some((_, times)) => *times = times.saturating_add(1),
                None => passed.push((member.node.clone(), 1)),
            }
        }
    }
}

impl Engine {
    /// Tells whether tasks of this label may run here.
    pub(super) fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|own| **own == *label)
    }

    pub(super) fn set_labels(&mut self, labels: Vec<Arc<str>>) {
        if self.labels != labels {
            self.labels = labels;
            // Tasks of a label that is new have waited for nothing.
            self.look_at_all();
        }
    }

    /// Tells when it is this session's turn to claim a task that became due; `None`: now. Nobody waits
    /// for others so long that there would be nothing to claim any more, nor each time for one that
    /// does not claim: it may not have the task, or be on hold.
    pub(super) fn turn(
        &mut self,
        key: Key,
        definition: &Definition,
        closes: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let turns = &mut self.turns;
        if turns.members.len() < 2 {
            turns.forget(key);
            return None;
        }
        let pause = TURN.saturating_mul(turns.count(definition, &self.node));
        // From when it was first seen to be due, which may be later than it was.
        let turn = turns.since.entry(key).or_insert(now).after(pause);
        if turn <= now {
            turns.let_pass(definition, &self.node);
        } else if closes.is_none_or(|closes| closes > turn) {
            return Some(turn);
        }
        turns.forget(key);
        None
    }
}

/// Tells which members come before one in the order of a task.
fn before<'a>(
    members: &'a [Member],
    node: &str,
    definition: &'a Definition,
) -> impl Iterator<Item = &'a Member> {
    let rank = |node: &str| (hash(&definition.name, node), Reverse(node.to_owned()));
    let own = rank(node);
    let fits = |member: &&Member| {
        definition.policy.on.as_ref().is_none_or(|label| member.labels.contains(label))
    };
    members.iter().filter(fits).filter(move |member| rank(&member.node) > own)
}

/// FNV-1a: the same in each version of each program that shares the log.
fn hash(task: &str, node: &str) -> u64 {
    let bytes = task.bytes().chain([0]).chain(node.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Names differ mostly at their ends, and what comes last moves the upper bits too little.
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn tasks_spread_evenly_and_move_only_if_theirs_is_gone() {
        let nodes: Vec<String> = (0..4).map(|n| format!("host/{n}/77/0000000{n}")).collect();
        let first = |task: &str, nodes: &[String]| {
            nodes.iter().max_by_key(|node| hash(task, node)).cloned().unwrap()
        };
        let mut counts: HashMap<String, u32> = HashMap::new();
        for n in 0..4000 {
            let task = format!("task-{n}");
            let of_all = first(&task, &nodes);
            if of_all != nodes[3] {
                assert_eq!(first(&task, &nodes[..3]), of_all);
            }
            *counts.entry(of_all).or_default() += 1;
        }
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
