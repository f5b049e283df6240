//! Expressions as values: normal form, equality, `&` `|` `!`, text in and out.
//!
//! An expression made here is in normal form: no `All` in an `All`, no `Any` in an `Any`, none
//! with a single member, no `Not` of a `Not`. Equality ignores where a statement was written.

use std::ops::{BitAnd, BitOr, Not};
use std::str::FromStr;
use std::sync::Arc;

use super::{Custom, Expr, ParseError, Statement, parse};

impl Expr {
    /// Joins conditions with `&`; none at all are `true`.
    ///
    /// ```
    /// use redengine_core::expr::{Expr, parse};
    ///
    /// let all = Expr::all([parse("daily & hourly").unwrap(), parse("true").unwrap()]);
    /// assert_eq!(all.to_string(), "daily & hourly & true");
    /// ```
    pub fn all(members: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for member in members {
            match member {
                Self::All(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Const(true),
            1 => flat.swap_remove(0),
            _ => Self::All(flat),
        }
    }

    /// Joins conditions with `|`; none at all are `false`.
    ///
    /// ```
    /// use redengine_core::expr::{Expr, parse};
    ///
    /// let any = Expr::any([parse("daily").unwrap(), parse("hourly").unwrap()]);
    /// assert_eq!(any.to_string(), "daily | hourly");
    /// ```
    pub fn any(members: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for member in members {
            match member {
                Self::Any(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Const(false),
            1 => flat.swap_remove(0),
            _ => Self::Any(flat),
        }
    }

    /// Makes the normal form: flat, without double negation.
    pub fn normal(self) -> Self {
        match self {
            Self::All(members) => Self::all(members.into_iter().map(Self::normal)),
            Self::Any(members) => Self::any(members.into_iter().map(Self::normal)),
            Self::Not(inner) => !inner.normal(),
            Self::For(inner, duration) => Self::For(Box::new(inner.normal()), duration),
            Self::Newly(inner) => Self::Newly(Box::new(inner.normal())),
            Self::Since(inner, other) => {
                Self::Since(Box::new(inner.normal()), Box::new(other.normal()))
            }
            other => other,
        }
    }

    /// Looks through what says nothing: an `&` or `|` of one member, a double negation.
    pub(super) fn peeled(&self) -> &Self {
        match self {
            Self::All(members) | Self::Any(members) => match members.as_slice() {
                [only] => only.peeled(),
                _ => self,
            },
            Self::Not(inner) => match inner.peeled() {
                Self::Not(inner) => inner.peeled(),
                _ => self,
            },
            _ => self,
        }
    }

    /// Lists the errors of builders in it, in order of place.
    pub fn errors(&self) -> Vec<&ParseError> {
        let mut errors = Vec::new();
        self.collect_errors(&mut errors);
        errors
    }

    fn collect_errors<'a>(&'a self, errors: &mut Vec<&'a ParseError>) {
        match self {
            Self::Invalid(error) => errors.push(error),
            Self::Not(inner) | Self::For(inner, _) | Self::Newly(inner) => {
                inner.collect_errors(errors);
            }
            Self::Since(inner, other) => {
                inner.collect_errors(errors);
                other.collect_errors(errors);
            }
            Self::All(members) | Self::Any(members) => {
                for member in members {
                    member.collect_errors(errors);
                }
            }
            Self::Const(_) | Self::Statement(..) => {}
        }
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Const(a), Self::Const(b)) => a == b,
            (Self::Not(a), Self::Not(b)) | (Self::Newly(a), Self::Newly(b)) => a == b,
            (Self::For(a, m), Self::For(b, n)) => m == n && a == b,
            (Self::Since(a, m), Self::Since(b, n)) => a == b && m == n,
            (Self::All(a), Self::All(b)) | (Self::Any(a), Self::Any(b)) => a == b,
            (Self::Statement(a, _), Self::Statement(b, _)) => a == b,
            (Self::Invalid(a), Self::Invalid(b)) => a == b,
            _ => false,
        }
    }
}

impl PartialEq for Custom {
    /// Compares name and arguments; what is asked follows from these.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.args == other.args
    }
}

impl From<Statement> for Expr {
    fn from(statement: Statement) -> Self {
        Self::Statement(statement, None)
    }
}

impl From<Custom> for Expr {
    fn from(custom: Custom) -> Self {
        Self::Statement(Statement::Custom(custom), None)
    }
}

impl From<bool> for Expr {
    fn from(value: bool) -> Self {
        Self::Const(value)
    }
}

impl From<&str> for Expr {
    /// Reads a text; what is wrong with it is reported when the session is built.
    fn from(text: &str) -> Self {
        parse(text).unwrap_or_else(|error| Self::Invalid(Arc::new(error)))
    }
}

impl From<String> for Expr {
    /// Reads a text; what is wrong with it is reported when the session is built.
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl FromStr for Expr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
    }
}

impl<R: Into<Expr>> BitAnd<R> for Expr {
    type Output = Self;

    fn bitand(self, other: R) -> Self {
        Self::all([self, other.into()])
    }
}

impl<R: Into<Expr>> BitOr<R> for Expr {
    type Output = Self;

    fn bitor(self, other: R) -> Self {
        Self::any([self, other.into()])
    }
}

impl BitAnd<Expr> for bool {
    type Output = Expr;

    fn bitand(self, other: Expr) -> Expr {
        Expr::from(self) & other
    }
}

impl BitOr<Expr> for bool {
    type Output = Expr;

    fn bitor(self, other: Expr) -> Expr {
        Expr::from(self) | other
    }
}

impl Not for Expr {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}
