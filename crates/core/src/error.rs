//! What all errors of the crate share.

use std::error::Error;
use std::fmt::{self, Display as _};

use crate::record::Reason;

/// Writes an error and its causes, one to a line.
///
/// Our errors print so with `{:?}` too: it is what `fn main() -> Result<..>` shows to a person.
pub fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn Error) -> fmt::Result {
    Reason::of(error).fmt(f)
}

/// Finds the nearest of some names, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let letters = Letters::of(word);
    // A third of the letters may differ: `ftech` is `fetch`, `at` is not `in`.
    let near = |distance: usize, name: &str| distance * 3 <= name.chars().count().max(3);
    names
        .into_iter()
        // Nearly all names are too far already by the letters that they have.
        .filter(|name| near(letters.least_distance(&Letters::of(name)), name))
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| near(*distance, name))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Tells what was likely meant.
pub fn did_you_mean(name: impl fmt::Display) -> String {
    format!("did you mean `{name}`?")
}

/// How often a word has each letter, in whatever order.
struct Letters([usize; 32]);

impl Letters {
    fn of(word: &str) -> Self {
        let mut counts = [0; 32];
        for c in word.chars().flat_map(char::to_lowercase) {
            // Letters that share a place can only seem nearer than they are.
            counts[c as usize % 32] += 1;
        }
        Self(counts)
    }

    /// Tells how many edits it takes at least from one word to the other.
    fn least_distance(&self, other: &Self) -> usize {
        let pairs = || self.0.iter().zip(&other.0);
        let more: usize = pairs().map(|(a, b)| a.saturating_sub(*b)).sum();
        let fewer: usize = pairs().map(|(a, b)| b.saturating_sub(*a)).sum();
        more.max(fewer)
    }
}

/// Shortens a word of a text for a message.
pub(crate) fn shortened(word: &str) -> std::borrow::Cow<'_, str> {
    match word.char_indices().nth(40) {
        Some((at, _)) => format!("{}..", &word[..at]).into(),
        None => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_that_is_near_is_passed_over() {
        let words = ["daly", "ftech", "fetch", "atfer", "AFTER", "überal", "hs", "evry", "x", ""];
        let names = ["daily", "fetch", "after", "überall", "has", "every", "cron", "is", "İx"];
        for word in words {
            for name in names {
                let edits = strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
                let least = Letters::of(word).least_distance(&Letters::of(name));
                assert!(least <= edits, "`{word}`, `{name}`: {least} > {edits}");
            }
        }
        assert_eq!(nearest("daly", names), Some("daily"));
        assert_eq!(nearest("atfer", names), Some("after"));
        assert_eq!(nearest("word", names), None);
    }
}
