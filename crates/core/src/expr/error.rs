//! Errors of written conditions, with the place and a suggestion.
//!
//! A [`ParseError`] keeps all that is wrong with a text; it prints like the compiler's errors.
//! Columns are counted as a terminal shows them: tabs are spread, wide characters take two.

use std::fmt::{self, Write as _};

use super::Span;

/// A text that is no condition: all that is wrong with it.
///
/// ```
/// use redengine_core::expr::parse;
///
/// let error = parse("daily betwen 10:00 and 14:00").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "error: unknown word `betwen`\n  \
///        |  daily betwen 10:00 and 14:00\n  \
///        |        ^^^^^^ did you mean `between`?",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The text.
    pub text: String,
    /// What is wrong, in order of place; not empty.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What: "unknown word `betwen`".
    pub message: String,
    /// What to write instead: "did you mean `between`?".
    pub help: Option<String>,
}

/// How many columns of a line are shown.
const WIDTH: usize = 96;

/// How many columns are shown before the place, when the line is cut.
const LEAD: usize = 32;

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                f.write_char('\n')?;
            }
            writeln!(f, "error: {}", problem.message)?;
            excerpt(&self.text, problem.span, problem.help.as_deref(), f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ParseError {}

/// Shows the line of a place in a text, with carets under the place and what to write instead.
pub(crate) fn excerpt(
    text: &str,
    span: Span,
    help: Option<&str>,
    f: &mut impl fmt::Write,
) -> fmt::Result {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = end.min(line_end);
    // A line may be a megabyte; more than this of it cannot be shown.
    let near_start = floor(text, start.saturating_sub(8 * WIDTH)).max(line_start);
    let near_end = floor(text, end.min(start + 8 * WIDTH)).max(start);
    let far_end = floor(text, near_end + 8 * WIDTH).min(line_end);

    let before = shown(&text[near_start..start]);
    let marked = shown(&text[start..near_end]);
    let after = shown(text[near_end..far_end].trim_end());
    let (before, cut) = keep_tail(before, LEAD, WIDTH);
    let room = WIDTH.saturating_sub(width(&before));
    let rest = format!("{marked}{after}");
    let (rest, more) = keep_head(&rest, room);
    let carets = width(&marked).clamp(1, room.max(1));

    let line = format!("{cut}{before}{rest}{more}");
    let pad = " ".repeat(width(cut) + width(&before));
    writeln!(f, "{}", format!("  |  {line}").trim_end())?;
    write!(f, "  |  {pad}{}", "^".repeat(carets))?;
    match help {
        Some(help) => write!(f, " {help}"),
        None => Ok(()),
    }
}

/// The largest start of a character that is not after `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Makes a part of a line printable.
fn shown(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for c in part.chars() {
        match c {
            '\t' => out.push_str("    "),
            '\r' => {}
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Keeps the last `keep` columns if there are more than leave room for the rest in `limit`.
fn keep_tail(text: String, keep: usize, limit: usize) -> (String, &'static str) {
    if width(&text) + keep <= limit {
        return (text, "");
    }
    let mut columns = 0;
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        columns += columns_of(c);
        if columns > keep {
            break;
        }
        from = at;
    }
    (text[from..].to_owned(), "..")
}

/// Keeps the first `keep` columns.
fn keep_head(text: &str, keep: usize) -> (&str, &'static str) {
    let mut columns = 0;
    for (at, c) in text.char_indices() {
        columns += columns_of(c);
        if columns > keep {
            return (&text[..at], "..");
        }
    }
    (text, "")
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Tells how many columns a terminal gives a character.
///
/// The blocks of East Asian wide characters and emoji, and those of combining marks: enough for
/// carets to stand right, without tables of Unicode.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
