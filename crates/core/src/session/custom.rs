//! Custom conditions that texts name: by a call, `file_exists('x.csv')`, or in words of their own,
//! `file 'x.csv' exists`. And probes that a program gave a name: `is_open()`.
//!
//! Always: a name calls one condition and a phrase is read by one, or there is a [`BuildProblem`].
//! Which texts may be phrases is the language's business (`expr::phrase`).

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::BuildProblem;
use crate::error::nearest;
use crate::expr::{Custom, Expr, Literal, Part, Phrase, Statement, Template};
use crate::probe::Probe;

/// A custom condition by name: what `#[condition]` registers.
#[derive(Clone)]
pub struct CustomCondition {
    name: &'static str,
    params: &'static [&'static str],
    make: fn(&[Literal]) -> Result<Probe, ArgError>,
    phrase: Option<&'static str>,
    /// Where it was made.
    place: &'static Location<'static>,
}

/// A probe that texts call by a name.
pub(super) struct NamedProbe {
    name: Arc<str>,
    probe: Probe,
    place: &'static Location<'static>,
}

impl NamedProbe {
    #[track_caller]
    pub(super) fn new(name: Arc<str>, probe: Probe) -> Self {
        Self { name, probe, place: Location::caller() }
    }

    /// Tells who it is, for an error.
    fn described(&self) -> String {
        format!("`{}` ({}:{})", self.name, self.place.file(), self.place.line())
    }

    /// Tells whether a text can call it.
    fn can_be_called(&self) -> bool {
        let call = format!("{}()", self.name).parse();
        matches!(call, Ok(Expr::Statement(Statement::Custom(call), _)) if call.name == self.name)
    }
}

/// An argument of a custom condition that is not what the function takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argument {number} (`{name}`) must be {expected}, but it is {found}")]
pub struct ArgError {
    /// Which one, from 1.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// What the function takes.
    pub expected: &'static str,
    /// What was written.
    pub found: String,
}

impl CustomCondition {
    /// Describes a function: its name, the names of its arguments, and how a call is made a probe.
    #[track_caller]
    pub const fn new(
        name: &'static str,
        params: &'static [&'static str],
        make: fn(&[Literal]) -> Result<Probe, ArgError>,
    ) -> Self {
        Self { name, params, make, phrase: None, place: Location::caller() }
    }

    /// Gives it words of its own, as [`Template::read`] reads them, by which texts may ask for it too.
    ///
    /// ```
    /// use redengine_core::expr::Literal;
    /// use redengine_core::probe::Probe;
    /// use redengine_core::session::{ArgError, CustomCondition};
    /// use redengine_core::{Session, Task};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use redengine_log as _;
    /// fn file_exists(args: &[Literal]) -> Result<Probe, ArgError> {
    ///     let path: String = ArgError::read(args, 0, "path")?;
    ///     Ok(Probe::blocking(move || Ok(std::path::Path::new(&path).exists())))
    /// }
    ///
    /// let condition = CustomCondition::new("file_exists", &["path"], file_exists);
    /// let session = Session::builder()
    ///     .condition(condition.phrase("file {path} exists"))
    ///     .task(Task::new("load", "daily & file 'x.csv' exists", || async {}))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "it is the condition that has the phrase"]
    pub const fn phrase(mut self, template: &'static str) -> Self {
        self.phrase = Some(template);
        self
    }

    /// Tells its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tells where it was made, for an order that is the same in each build.
    pub(super) fn place(&self) -> (&'static str, u32, u32) {
        (self.place.file(), self.place.line(), self.place.column())
    }

    /// Tells who it is, for an error.
    fn described(&self) -> String {
        format!("`{}` ({}:{})", self.name, self.place.file(), self.place.line())
    }

    /// Makes the probe of a call.
    pub(super) fn probe(&self, args: &[Literal]) -> Result<Probe, String> {
        if args.len() != self.params.len() {
            return Err(format!(
                "`{}` takes {} ({}), but there are {}",
                self.name,
                plural(self.params.len(), "argument"),
                self.params.join(", "),
                args.len()
            ));
        }
        (self.make)(args).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for CustomCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.params.join(", "))
    }
}

/// The custom conditions of a session.
#[derive(Default)]
pub(super) struct Customs {
    by_name: HashMap<&'static str, CustomCondition>,
    probes: HashMap<Arc<str>, NamedProbe>,
    /// By shape: the template, and the name of its condition.
    phrases: HashMap<String, (Template, &'static str)>,
}

impl Customs {
    /// Adds a condition, unless something is wrong with it.
    pub(super) fn add(&mut self, custom: CustomCondition) -> Result<(), BuildProblem> {
        if let Some(other) = self.by_name.get(custom.name) {
            let conditions = [other.described(), custom.described()];
            return Err(BuildProblem::ConditionTaken { name: custom.name.into(), conditions });
        }
        let phrase = custom.phrase.map(|text| self.add_phrase(text, &custom)).transpose();
        self.by_name.insert(custom.name, custom);
        phrase.map(|_| ())
    }

    /// Adds a probe, unless something is wrong with its name.
    pub(super) fn add_probe(&mut self, probe: NamedProbe) -> Result<(), BuildProblem> {
        let custom = self.by_name.get(&*probe.name).map(CustomCondition::described);
        let other = custom.or_else(|| self.probes.get(&probe.name).map(NamedProbe::described));
        if let Some(other) = other {
            let conditions = [other, probe.described()];
            return Err(BuildProblem::ConditionTaken { name: probe.name, conditions });
        }
        if !probe.can_be_called() {
            let place = format!("{}:{}", probe.place.file(), probe.place.line());
            return Err(BuildProblem::ProbeName { name: probe.name, place });
        }
        self.probes.insert(probe.name.clone(), probe);
        Ok(())
    }

    fn add_phrase(
        &mut self,
        text: &'static str,
        custom: &CustomCondition,
    ) -> Result<(), BuildProblem> {
        let template = Template::read(text, custom.params).map_err(|error| {
            BuildProblem::Phrase { condition: custom.described(), error: Arc::new(error) }
        })?;
        if let Some((other, name)) = self.phrases.get(template.shape()) {
            let other_condition = self.by_name.get(name).map(CustomCondition::described);
            return Err(BuildProblem::PhraseTaken {
                phrases: [other.text().to_owned(), text.to_owned()],
                conditions: [other_condition.unwrap_or_default(), custom.described()],
            });
        }
        self.phrases.insert(template.shape().to_owned(), (template, custom.name));
        Ok(())
    }

    /// Makes the probe of a call; the error says what is wrong with it.
    pub(super) fn probe(&self, call: &Custom) -> Result<Probe, String> {
        if let Some(named) = self.probes.get(&call.name) {
            if !call.args.is_empty() {
                let count = call.args.len();
                return Err(format!("`{}` takes no arguments, but there are {count}", named.name));
            }
            return Ok(named.probe.clone());
        }
        match self.by_name.get(&*call.name) {
            Some(function) => function.probe(&call.args),
            None => {
                let named = self.probes.keys().map(|name| &**name);
                let near = nearest(&call.name, self.by_name.keys().copied().chain(named));
                let help = near.map(|near| format!("; did you mean `{near}`?"));
                Err(format!("unknown condition `{}`{}", call.name, help.unwrap_or_default()))
            }
        }
    }

    /// Finds the call that a phrase means, or else a phrase like it.
    pub(super) fn call(&self, phrase: &Phrase) -> Result<Custom, Option<String>> {
        let shape = phrase.shape();
        match self.phrases.get(&shape) {
            Some((template, name)) => {
                Ok(Custom { name: Arc::from(*name), args: template.arguments(phrase), probe: None })
            }
            None => Err(self.similar(&shape, phrase).map(|near| near.text().to_owned())),
        }
    }

    /// Finds the phrase of which a word is misspelt, or else one that begins with the same word.
    fn similar(&self, shape: &str, phrase: &Phrase) -> Option<&Template> {
        let mut known: Vec<&Template> = self.phrases.values().map(|(known, _)| known).collect();
        known.sort_unstable_by_key(|known| known.shape());
        // Comparing takes the product of the lengths.
        let comparable = shape.len() <= MAX_COMPARED;
        let near = comparable.then(|| nearest(shape, known.iter().map(|known| known.shape())));
        let near = near.flatten();
        let first = phrase.parts().first();
        let begins = |known: &Template| match first {
            Some(Part::Word(word)) => known.shape().split(' ').next() == Some(word),
            _ => false,
        };
        known
            .iter()
            .find(|known| Some(known.shape()) == near)
            .or_else(|| known.iter().find(|known| begins(known)))
            .copied()
    }
}

/// A longer phrase is not compared with those that there are.
const MAX_COMPARED: usize = 256;

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// A type that an argument of a custom condition may have in text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a condition",
    label = "not a text, a number or a boolean",
    note = "a condition takes `String` or `&str`, integers, floats and `bool`: what can be written in text"
)]
pub trait FromLiteral: Sized {
    /// What is expected, for people.
    const EXPECTED: &'static str;

    /// Reads it.
    fn from_literal(literal: &Literal) -> Option<Self>;

    /// Writes it.
    fn to_literal(&self) -> Literal;
}

impl FromLiteral for String {
    const EXPECTED: &'static str = "a text in quotes";

    fn from_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn to_literal(&self) -> Literal {
        Literal::Text(self.clone())
    }
}

impl FromLiteral for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn to_literal(&self) -> Literal {
        Literal::Bool(*self)
    }
}

impl FromLiteral for f64 {
    const EXPECTED: &'static str = "a number";

    #[expect(clippy::cast_precision_loss, reason = "a number is written, and read, as it is")]
    fn from_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Float(value) => Some(*value),
            Literal::Int(value) => Some(*value as Self),
            _ => None,
        }
    }

    fn to_literal(&self) -> Literal {
        Literal::Float(*self)
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl FromLiteral for $type {
            const EXPECTED: &'static str = concat!("a whole number (", stringify!($type), ")");

            fn from_literal(literal: &Literal) -> Option<Self> {
                match literal {
                    Literal::Int(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }

            fn to_literal(&self) -> Literal {
                Literal::Int(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl ArgError {
    /// Reads an argument, or tells what is wrong with it.
    pub fn read<T: FromLiteral>(
        args: &[Literal],
        index: usize,
        name: &'static str,
    ) -> Result<T, Self> {
        Self::read_with(args, index, name, T::EXPECTED, T::from_literal)
    }

    pub(crate) fn read_with<T>(
        args: &[Literal],
        index: usize,
        name: &'static str,
        expected: &'static str,
        from_literal: fn(&Literal) -> Option<T>,
    ) -> Result<T, Self> {
        let found = args.get(index);
        found.and_then(from_literal).ok_or_else(|| Self {
            number: index + 1,
            name,
            expected,
            found: found.map_or_else(|| "missing".to_owned(), describe),
        })
    }
}

fn describe(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => format!("the text '{text}'"),
        Literal::Int(value) => format!("the number {value}"),
        Literal::Float(value) => format!("the number {value}"),
        Literal::Bool(value) => value.to_string(),
    }
}
