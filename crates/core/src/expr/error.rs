//! Errors of written conditions, with the place and a suggestion.

use std::fmt;

use super::Span;

/// A text that is no condition: all that is wrong with it.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The text.
    pub text: String,
    /// What is wrong, in order of place.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What: "unknown unit `betwen`".
    pub message: String,
    /// What to write instead: "did you mean `between`?".
    pub help: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text)
    }
}
impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for ParseError {}
