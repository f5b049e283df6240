//! What all errors of the crate share.

use std::error::Error;
use std::fmt;

/// Writes an error and its causes, one to a line.
///
/// Our errors print so with `{:?}` too: it is what `fn main() -> Result<..>` shows to a person.
pub fn write_chain(f: &mut fmt::Formatter<'_>, error: &dyn Error) -> fmt::Result {
    write!(f, "{error}")?;
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, "\n  because: {error}")?;
        cause = error.source();
    }
    Ok(())
}

/// Finds the nearest of some names, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        // A third of the letters may differ: `ftech` is `fetch`, `at` is not `in`.
        .filter(|(distance, name)| *distance * 3 <= name.chars().count().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Shortens a word of a text for a message.
pub(crate) fn shortened(word: &str) -> std::borrow::Cow<'_, str> {
    match word.char_indices().nth(40) {
        Some((at, _)) => format!("{}..", &word[..at]).into(),
        None => word.into(),
    }
}
