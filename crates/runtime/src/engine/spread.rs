//! Whose turn it is: how work spreads over sessions that share a log, without a leader.
//!
//! Each session gives each task its own order of all of them, by a hash of both names, and all agree
//! on it. The first in that order claims a due task at once; the others wait for it a little, one
//! after the other, and find the task running when their turn comes. If they do not, they claim it:
//! who is slow or gone delays a run, and never loses it. Who is right is for the log to say.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::runlog::Member;
use redengine_core::session::Definition;

use super::Engine;
use super::agenda::Key;

/// How long a session waits for each one before it.
const TURN: Duration = Duration::from_millis(100);

impl Engine {
    /// Takes note of who shares the log.
    pub(super) fn set_members(&mut self, members: Vec<Member>) {
        self.members = members;
    }

    /// Tells whether tasks of this label may run here.
    pub(super) fn has_label(&self, label: &str) -> bool {
        self.config.node_labels.iter().any(|own| **own == *label)
    }

    /// Tells when it is this session's turn to claim a task that became due; `None`: now. Nobody waits
    /// for others so long that there would be nothing to claim any more.
    pub(super) fn turn(
        &mut self,
        key: Key,
        definition: &Definition,
        closes: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.members.len() < 2 {
            self.turns.remove(&key);
            return None;
        }
        let place = place(&self.members, &self.node, definition);
        let pause = TURN.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
        // From when it was first seen to be due, which may be later than it was.
        let turn = self.turns.entry(key).or_insert(now).after(pause);
        if turn <= now || closes.is_some_and(|closes| closes <= turn) {
            self.turns.remove(&key);
            return None;
        }
        Some(turn)
    }
}

/// Tells how many members come before one in the order of a task.
fn place(members: &[Member], node: &Arc<str>, definition: &Definition) -> usize {
    let rank = |node: &str| (hash(&definition.name, node), Reverse(node.to_owned()));
    let own = rank(node);
    let fits = |member: &&Member| {
        definition.policy.on.as_ref().is_none_or(|label| member.labels.contains(label))
    };
    members.iter().filter(fits).filter(|member| rank(&member.node) > own).count()
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
