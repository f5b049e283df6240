//! When to look at which subject again: an indexed heap of instants.
//!
//! Always: a key is in the heap at most once, and `places` tells where. The agenda does not know
//! what a key stands for or why it waits.

use redengine_core::Timestamp;

/// A subject of the engine, as a dense number.
pub(super) type Key = u32;

const ABSENT: u32 = u32::MAX;

/// Four children a node: fewer cache lines are touched than with two.
const ARITY: usize = 4;

/// Instants, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: Vec<(Timestamp, Key)>,
    places: Vec<u32>,
}

impl Agenda {
    /// Tells the earliest instant.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.heap.first().map(|(at, _)| *at)
    }

    /// Tells the instant of a key.
    pub(super) fn at(&self, key: Key) -> Option<Timestamp> {
        let place = self.places.get(key as usize)?;
        // A key that is absent has a place past all others.
        self.heap.get(*place as usize).map(|(at, _)| *at)
    }

    /// Enters a key, moves it, or with `None` takes it out.
    pub(super) fn set(&mut self, key: Key, at: Option<Timestamp>) {
        let index = key as usize;
        if self.places.len() <= index {
            if at.is_none() {
                return;
            }
            self.places.resize(index + 1, ABSENT);
        }
        // OK because the line above made room for it.
        let place = self.places[index];
        match (at, place) {
            (None, ABSENT) => {}
            (None, place) => self.remove(place as usize),
            (Some(at), ABSENT) => {
                let place = self.heap.len();
                self.heap.push((at, key));
                self.settle(place);
            }
            (Some(at), place) => {
                let place = place as usize;
                self.heap[place].0 = at;
                self.settle(place);
            }
        }
    }

    /// Takes out a key that is due.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<Key> {
        let (at, key) = *self.heap.first()?;
        if at > now {
            return None;
        }
        self.remove(0);
        Some(key)
    }

    fn remove(&mut self, place: usize) {
        let (_, key) = self.heap.swap_remove(place);
        self.places[key as usize] = ABSENT;
        if place < self.heap.len() {
            self.settle(place);
        }
    }

    /// Moves the entry at a place up or down to where it belongs.
    fn settle(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if self.heap[parent].0 <= entry.0 {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        loop {
            let first = place * ARITY + 1;
            let last = (first + ARITY).min(self.heap.len());
            let Some(child) = (first..last).min_by_key(|child| self.heap[*child].0) else { break };
            if entry.0 <= self.heap[child].0 {
                break;
            }
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, entry);
    }

    fn put(&mut self, place: usize, entry: (Timestamp, Key)) {
        self.heap[place] = entry;
        // OK because each key has a place of 32 bits, and the heap has at most one entry a key.
        self.places[entry.1 as usize] = u32::try_from(place).unwrap_or(ABSENT);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The heap against a map: whatever is set, moved and taken out, keys come out in order.
        #[test]
        fn keys_come_out_in_the_order_of_their_instants(
            steps in prop::collection::vec((0_u32..20, prop::option::of(0_i64..50)), 0..200),
            until in 0_i64..60,
        ) {
            let mut agenda = Agenda::default();
            let mut model = BTreeMap::new();
            for (key, at) in steps {
                agenda.set(key, at.map(Timestamp::from_micros));
                prop_assert_eq!(agenda.at(key).map(Timestamp::as_micros), at);
                match at {
                    Some(at) => model.insert(key, at),
                    None => model.remove(&key),
                };
                prop_assert_eq!(
                    agenda.next().map(Timestamp::as_micros),
                    model.values().min().copied()
                );
            }
            let mut out = Vec::new();
            while let Some(key) = agenda.pop(Timestamp::from_micros(until)) {
                out.push(model.remove(&key).expect("a key that was set, once"));
            }
            prop_assert!(out.is_sorted());
            prop_assert!(out.iter().all(|at| *at <= until));
            prop_assert!(model.values().all(|at| *at > until));
        }
    }
}
