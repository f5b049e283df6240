//! The entries of some actions, without a look at those of others.
//!
//! Always: a walk gives the same entries as a look at all of them, in the same order. Each entry says how
//! far back the one before of its action is; from there on a walk goes from one to the next.
//!
//! It goes backwards. Who wants the oldest first collects them so if they are few, and else looks at all.

use std::iter;
use std::ops::Range;

use redengine_core::record::Action;
use redengine_core::runlog::Query;
use smallvec::SmallVec;

use super::history::{Entry, History};

/// One in so many entries is rare.
const RARE: usize = 16;

type Entries<'a> = Box<dyn DoubleEndedIterator<Item = &'a Entry> + 'a>;

impl History {
    /// Those of a range that a query may want, the last one first.
    pub(super) fn newest<'a>(
        &'a self,
        query: &Query,
        range: Range<usize>,
    ) -> Box<dyn Iterator<Item = &'a Entry> + 'a> {
        if query.actions.is_empty() {
            return Box::new(self.entries.range(range).rev());
        }
        let mut heads: SmallVec<[usize; 6]> =
            query.actions.iter().filter_map(|action| self.last_before(*action, &range)).collect();
        heads.sort_unstable();
        heads.dedup();
        Box::new(iter::from_fn(move || {
            let head = heads.iter_mut().max()?;
            let place = *head;
            // OK because a head is the place of an entry, and what it is moved to is before it.
            let entry = self.entries.get(place)?;
            match self.before(place).filter(|before| range.contains(before)) {
                Some(before) => *head = before,
                None => heads.retain(|other| *other != place),
            }
            Some(entry)
        }))
    }

    /// Those of a range that a query may want, the first one first.
    pub(super) fn oldest<'a>(&'a self, query: &Query, range: Range<usize>) -> Entries<'a> {
        let is_rare = |actions: &[Action]| self.had(actions) <= (range.len() / RARE) as u64;
        if !query.actions.is_empty() && is_rare(&query.actions) {
            let found: Vec<&Entry> = self.newest(query, range).collect();
            return Box::new(found.into_iter().rev());
        }
        Box::new(self.entries.range(range))
    }

    /// The place of the last entry of an action in a range.
    fn last_before(&self, action: Action, range: &Range<usize>) -> Option<usize> {
        let mut chained = self.last_place(action)?;
        // What is after the range may be much, and so may be what is of other actions: whichever of
        // the two ways is shorter.
        for place in range.clone().rev() {
            if chained < range.end {
                return Some(chained).filter(|place| range.contains(place));
            }
            if self.entries.get(place)?.action == action {
                return Some(place);
            }
            chained = self.before(chained)?;
        }
        None
    }

    /// The place of the entry before one of its action.
    fn before(&self, place: usize) -> Option<usize> {
        let back = self.entries.get(place)?.back;
        // What is forgotten was at the front.
        (back > 0).then(|| place.checked_sub(back as usize))?
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use redengine_core::Timestamp;
    use redengine_core::record::{Record, RunId, Seq};

    use super::super::runs::Runs;
    use super::*;

    fn history(actions: impl IntoIterator<Item = Action>) -> History {
        let mut history = History::new("a".into());
        for (seq, action) in (1..).zip(actions) {
            let at = Timestamp::from_micros(0);
            let run = RunId::from_bytes([0; 16]);
            let task = "a".into();
            let record = Record { task, run, action, at, started: at, due: None, details: None };
            history.push(Seq(seq), &record);
        }
        history
    }

    #[test]
    fn a_walk_looks_at_nothing_that_it_does_not_want() {
        let all = (0..100_000).map(|number| match number {
            3 | 50_000 => Action::Fail,
            number if number % 2 == 0 => Action::Run,
            _ => Action::Success,
        });
        let history = history(all);
        let fail = Query::all().actions([Action::Fail]);
        for (range, wanted) in [(0..100_000, 2), (0..50_000, 1), (4..50_000, 0), (4..100_000, 1)] {
            assert_eq!(history.newest(&fail, range.clone()).count(), wanted);
            assert_eq!(history.oldest(&fail, range).count(), wanted);
        }
        let either = Query::all().actions([Action::Crash, Action::Fail]);
        assert_eq!(history.oldest(&either, 0..100_000).count(), 2);
    }

    proptest! {
        #[test]
        fn a_walk_gives_what_a_look_at_all_gives(
            all in proptest::collection::vec(0..6_usize, 0..80),
            more in proptest::collection::vec(0..6_usize, 0..20),
            gone in proptest::collection::hash_set(1..80_u64, 0..40),
            wanted in proptest::collection::vec(0..6_usize, 1..3),
            (from, until) in (0..100_usize, 0..100_usize),
            bound in 1..100_usize,
        ) {
            let action = |number: usize| Action::ALL[number];
            let mut history = history(all.iter().copied().map(action));
            let gone: HashSet<Seq> = gone.into_iter().map(Seq).collect();
            history.remove(&gone, &mut Runs::default());
            for (seq, number) in (100..).zip(more) {
                let at = Timestamp::from_micros(0);
                let run = RunId::from_bytes([0; 16]);
                let (task, action) = ("a".into(), action(number));
                let record = Record { task, run, action, at, started: at, due: None, details: None };
                history.push(Seq(seq), &record);
                history.trim(bound, &mut Runs::default());
            }
            let until = until.min(history.entries.len());
            let range = from.min(until)..until;
            let query = Query::all().actions(wanted.into_iter().map(action).collect::<Vec<_>>());
            let is_wanted = |entry: &&Entry| query.actions.contains(&entry.action);
            let seqs = |entries: Vec<&Entry>| entries.into_iter().map(Entry::seq).collect::<Vec<_>>();
            let all = seqs(history.entries.range(range.clone()).filter(is_wanted).collect());
            let oldest = history.oldest(&query, range.clone()).filter(is_wanted).collect();
            prop_assert_eq!(seqs(oldest), all.clone());
            let mut newest = seqs(history.newest(&query, range).collect());
            newest.reverse();
            prop_assert_eq!(newest, all);
        }
    }
}
