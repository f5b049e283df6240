//! Places in a file: line, column, the line itself, and parts of texts that are written in it.
//!
//! A text in TOML has quotes and may have escapes, so a place in the text is another one in the
//! file. [`Source::part`] goes through what is written character by character; what it cannot follow
//! is pointed at as a whole.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::expr::Span;
use crate::expr::error::excerpt;

/// A file as text.
#[derive(Clone, Debug)]
pub(in crate::session) struct Source {
    pub(super) name: Arc<str>,
    pub(super) text: Arc<str>,
}

/// One thing that is wrong in a file of settings.
///
/// It prints with the file, the line and the column, and shows the line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingError {
    /// The name of the file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong: "unknown option `timout`".
    pub message: String,
    /// What to write instead: "did you mean `timeout`?".
    pub help: Option<String>,
    /// The line, and carets under what is wrong.
    excerpt: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, excerpt, .. } = self;
        write!(f, "{file}:{line}:{column}: {message}\n{excerpt}")
    }
}

impl std::error::Error for SettingError {}

impl Source {
    /// Tells what is wrong at some bytes.
    pub(super) fn error(
        &self,
        at: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> SettingError {
        let before = self.text.get(..at.start).unwrap_or(&self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let mut shown = String::new();
        let span = Span { start: at.start, end: at.end };
        // OK because writing to a string does not fail.
        let _ = excerpt(&self.text, span, help.as_deref(), &mut shown);
        SettingError {
            file: self.name.clone(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message,
            help,
            excerpt: shown,
        }
    }

    /// Finds the bytes of the file that some bytes of a text in it are written as.
    pub(super) fn part(
        &self,
        written: &Range<usize>,
        text: &str,
        part: &Range<usize>,
    ) -> Range<usize> {
        let starts = self.text.get(written.clone()).and_then(starts);
        // One more than there are bytes: where the text ends.
        let starts = starts.filter(|starts| starts.len() == text.len() + 1).unwrap_or_default();
        match (starts.get(part.start), starts.get(part.end)) {
            (Some(start), Some(end)) => written.start + start..written.start + end,
            _ => written.clone(),
        }
    }
}

/// Tells for each byte of a text, and for its end, where in what is written it begins.
fn starts(written: &str) -> Option<Vec<usize>> {
    let quote = written.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let long: String = std::iter::repeat_n(quote, 3).collect();
    let is_long = written.len() >= 6 && written.starts_with(&long);
    let width = if is_long { 3 } else { 1 };
    let end = written.len().checked_sub(width)?;
    let mut at = width;
    if is_long {
        // A line break right after the quotes is not part of the text.
        at += ["\r\n", "\n"]
            .iter()
            .find(|line| written[at..].starts_with(**line))
            .map_or(0, |l| l.len());
    }
    let mut starts = Vec::with_capacity(written.len());
    while at < end {
        let rest = written.get(at..end)?;
        let first = rest.chars().next()?;
        let (bytes, length) = match first {
            '\\' if quote == '"' => escape(rest)?,
            // Line breaks are read as `\n`, however they are written.
            '\r' if rest.starts_with("\r\n") => (1, 2),
            other => (other.len_utf8(), other.len_utf8()),
        };
        // A character that is written in as many bytes as it has can be cut anywhere.
        let step = usize::from(bytes == length);
        starts.extend((0..bytes).map(|byte| at + byte * step));
        at += length;
    }
    starts.push(end);
    Some(starts)
}

/// Tells how many bytes an escape stands for, and how many it is written in.
fn escape(rest: &str) -> Option<(usize, usize)> {
    let kind = rest.chars().nth(1)?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        // A line that goes on: all white space after it is left out.
        kind if kind.is_whitespace() => {
            let skipped = rest[1..].len() - rest[1..].trim_start().len();
            return Some((0, 1 + skipped));
        }
        _ => return Some((1, 2)),
    };
    let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
    Some((char::from_u32(code)?.len_utf8(), 2 + digits))
}

#[cfg(test)]
mod tests {
    use super::Source;

    /// What is written where `marked` stands in the text.
    fn written(file: &str, text: &str, marked: &str) -> String {
        let source = Source { name: "f".into(), text: file.into() };
        let at = text.find(marked).unwrap_or(usize::MAX);
        let found = source.part(&(0..file.len()), text, &(at..at + marked.len()));
        file[found].to_owned()
    }

    #[test]
    fn a_part_of_a_text_is_found_where_it_is_written() {
        assert_eq!(written("'daily betwen'", "daily betwen", "betwen"), "betwen");
        assert_eq!(
            written(r#""task \"ä\" has failled""#, "task \"ä\" has failled", "failled"),
            "failled"
        );
        assert_eq!(written(r#""\u00e4\t\x41 dayly""#, "ä\tA dayly", "dayly"), "dayly");
        assert_eq!(written("\"\"\"\ndaily &\r\n wekly\"\"\"", "daily &\n wekly", "wekly"), "wekly");
        assert_eq!(written("\"\"\"daily \\\n   & wekly\"\"\"", "daily & wekly", "wekly"), "wekly");
        assert_eq!(written("'''\r\nwekly'''", "wekly", "wekly"), "wekly");
    }

    #[test]
    fn what_cannot_be_followed_is_pointed_at_as_a_whole() {
        assert_eq!(written("\"daily\"", "another text", "text"), "\"daily\"");
        assert_eq!(written("daily", "daily", "daily"), "daily");
    }
}
