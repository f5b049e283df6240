//! Custom conditions that are called by name in text.

use std::fmt;

use crate::expr::Literal;
use crate::probe::Probe;

/// A custom condition by name: what `#[condition]` registers.
#[derive(Clone)]
pub struct CustomCondition {
    name: &'static str,
    params: &'static [&'static str],
    make: fn(&[Literal]) -> Result<Probe, ArgError>,
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
    pub const fn new(
        name: &'static str,
        params: &'static [&'static str],
        make: fn(&[Literal]) -> Result<Probe, ArgError>,
    ) -> Self {
        Self { name, params, make }
    }

    /// Tells its name.
    pub fn name(&self) -> &'static str {
        self.name
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
