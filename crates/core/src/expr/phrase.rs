//! Phrases: statements in words of a user's own, `file 'x.csv' exists`.
//!
//! A text is read without knowing which phrases there are. So a [`Phrase`] is kept as it was
//! written, and a session finds the condition whose [`Template`] it fits. Always: the words of both
//! are in lower case, there is at least one argument, and two templates can read the same text only
//! if they have one [shape](Template::shape). What may be a phrase is said in `parse::phrase`.

use std::fmt::{self, Display, Formatter};

use super::{Literal, ParseError, parse};

/// A statement that no rule of the language reads, as it was written.
///
/// ```
/// use redengine_core::expr::{Expr, Statement, parse};
///
/// let Expr::Statement(Statement::Phrase(phrase), _) = parse("File 'x.csv'  exists").unwrap() else {
///     unreachable!("no statement of the language begins with `file`");
/// };
/// assert_eq!(phrase.to_string(), "file 'x.csv' exists");
/// assert_eq!(phrase.shape(), "file {} exists");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    parts: Vec<Part>,
}

/// A word or an argument of a phrase.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A word, in lower case.
    Word(String),
    /// `'text'`, `42`, `1.5` or `true`
    Argument(Literal),
}

impl Phrase {
    /// The caller has seen that it begins with a word and has an argument.
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Tells its words and arguments.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Tells its words, with `{}` for each argument.
    pub fn shape(&self) -> String {
        shape(self.parts.iter().map(|part| match part {
            Part::Word(word) => Some(word.as_str()),
            Part::Argument(_) => None,
        }))
    }
}

impl Display for Phrase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, part) in self.parts.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            match part {
                Part::Word(word) => f.write_str(word)?,
                Part::Argument(literal) => literal.fmt(f)?,
            }
        }
        Ok(())
    }
}

/// How the phrase of a custom condition is written: `file {path} exists`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    shape: String,
    /// For each parameter, which of the arguments it is.
    places: Vec<usize>,
}

impl Template {
    /// Reads a template for a function with such parameters.
    ///
    /// ```
    /// use redengine_core::expr::Template;
    ///
    /// assert!(Template::read("file {path} exists", &["path"]).is_ok());
    /// assert!(Template::read("daily {path}", &["path"]).is_err());
    /// assert!(Template::read("file {pth} exists", &["path"]).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// When no text could be written so: it does not begin with a word, or with one that the
    /// language has a meaning for or that is nearly one; when a parameter is missing, stands there
    /// twice, or is none of the function; when something else than words and `{parameters}` is in
    /// it. The error tells all that is wrong.
    pub fn read(text: &str, params: &[&str]) -> Result<Self, ParseError> {
        let parts = parse::parse_template(text, params)?;
        let shape = shape(parts.iter().map(|part| part.as_word()));
        let arguments = || parts.iter().filter_map(TemplatePart::as_argument);
        // OK because each parameter is in it; a wrong place could only mix up arguments.
        let place = |param| arguments().position(|argument| argument == param).unwrap_or_default();
        Ok(Self { text: text.to_owned(), shape, places: (0..params.len()).map(place).collect() })
    }

    /// Tells its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells its words, with `{}` for each argument: it reads the phrases of this shape.
    pub fn shape(&self) -> &str {
        &self.shape
    }

    /// Takes the arguments out of a phrase of its shape, in the order of the parameters.
    pub(crate) fn arguments(&self, phrase: &Phrase) -> Vec<Literal> {
        let written: Vec<&Literal> = phrase
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Word(_) => None,
                Part::Argument(literal) => Some(literal),
            })
            .collect();
        self.places.iter().filter_map(|place| written.get(*place).copied().cloned()).collect()
    }
}

/// A word or an argument of a template.
pub(super) enum TemplatePart {
    /// A word, in lower case.
    Word(String),
    /// The number of the parameter.
    Argument(usize),
}

impl TemplatePart {
    fn as_word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Argument(_) => None,
        }
    }

    fn as_argument(&self) -> Option<usize> {
        match self {
            Self::Word(_) => None,
            Self::Argument(param) => Some(*param),
        }
    }
}

fn shape<'a>(parts: impl Iterator<Item = Option<&'a str>>) -> String {
    let mut shape = String::new();
    for part in parts {
        if !shape.is_empty() {
            shape.push(' ');
        }
        shape.push_str(part.unwrap_or("{}"));
    }
    shape
}
