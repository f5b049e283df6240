//! Sets of spans of time.
//!
//! Always: the spans of a set are in order and do not touch.

use std::time::Duration;

use redengine_core::Timestamp;

/// From an instant until another.
pub type Span = (Timestamp, Timestamp);

/// A set of spans of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl FromIterator<Span> for Spans {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut spans: Vec<Span> = spans.into_iter().filter(|(from, until)| from < until).collect();
        spans.sort_unstable();
        let mut union: Vec<Span> = Vec::with_capacity(spans.len());
        for (from, until) in spans {
            match union.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => union.push((from, until)),
            }
        }
        Self(union)
    }
}

impl Spans {
    /// Takes out another set.
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.0.len());
        let mut out = other.0.iter().peekable();
        for &(mut from, until) in &self.0 {
            while out.next_if(|(_, end)| *end <= from).is_some() {}
            // One that reaches over the end may take something of the next as well.
            for (begin, end) in out.clone().take_while(|(begin, _)| *begin < until) {
                if from < *begin {
                    rest.push((from, *begin));
                }
                from = from.max(*end);
            }
            if from < until {
                rest.push((from, until));
            }
        }
        Self(rest)
    }

    /// Tells what is in both.
    pub fn and(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }

    /// Tells the longest part that is between two instants.
    pub fn longest(&self, from: Timestamp, until: Timestamp) -> Duration {
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let parts = self.0[first..].iter().take_while(|(begin, _)| *begin < until);
        let long = |(begin, end): &Span| end.min(&until).since(*begin.max(&from));
        parts.map(long).max().unwrap_or_default()
    }

    /// Tells how much of the time between two instants is in it, in percent.
    pub fn share(&self, from: Timestamp, until: Timestamp) -> u32 {
        let of = until.since(from).as_micros().max(1);
        let part = |(begin, end): &Span| end.min(&until).since(*begin.max(&from)).as_micros();
        let parts: u128 = self.0.iter().map(part).sum();
        u32::try_from(parts * 100 / of).unwrap_or(u32::MAX)
    }

    /// Tells whether an instant is in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.0.iter().any(|(from, until)| (*from..*until).contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &[(i64, i64)]) -> Spans {
        let at = Timestamp::from_micros;
        text.iter().map(|(from, until)| (at(*from), at(*until))).collect()
    }

    #[test]
    fn sets_are_joined_and_cut() {
        let all = spans(&[(5, 9), (0, 3), (2, 4), (20, 30)]);
        assert_eq!(all, spans(&[(0, 4), (5, 9), (20, 30)]));
        assert_eq!(
            all.without(&spans(&[(1, 2), (3, 22), (29, 40)])),
            spans(&[(0, 1), (2, 3), (22, 29)])
        );
        assert_eq!(all.and(&spans(&[(3, 6), (25, 26)])), spans(&[(3, 4), (5, 6), (25, 26)]));
        let at = Timestamp::from_micros;
        assert_eq!(all.longest(at(1), at(8)), Duration::from_micros(3));
        assert_eq!(all.longest(at(9), at(19)), Duration::ZERO);
        assert_eq!(all.share(at(2), at(22)), 40);
        assert!(all.contains(at(0)) && !all.contains(at(4)));
    }
}
