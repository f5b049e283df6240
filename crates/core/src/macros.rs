//! What the code that the macros write calls. Not for people; it may change at any time.

use std::marker::PhantomData;

pub use inventory;

use crate::expr::Literal;
use crate::param::Need;
use crate::probe::ProbeError;
use crate::session::ArgError;
use crate::task::{IntoOutcome, Output, TaskResult};

/// Turns what a function returned into what its body returns; `encode` writes its value as JSON.
pub fn finish<R: IntoOutcome>(
    returned: R,
    encode: impl FnOnce(&R::Value) -> Option<String>,
) -> TaskResult {
    returned.into_outcome().map(|value| {
        let json = encode(&value);
        Output::new(value, json)
    })
}

/// Lists what the arguments of a function need.
pub fn needs<const N: usize>(needs: [Option<Need>; N]) -> Vec<Need> {
    needs.into_iter().flatten().collect()
}

/// Reads an argument of a condition; its type is named by the caller, so that one which cannot be
/// read is one error.
pub fn read<T>(
    args: &[Literal],
    index: usize,
    name: &'static str,
    expected: &'static str,
    from_literal: fn(&Literal) -> Option<T>,
) -> Result<T, ArgError> {
    ArgError::read_with(args, index, name, expected, from_literal)
}

/// What a condition may return, apart from `bool`.
#[diagnostic::on_unimplemented(
    message = "a condition cannot return `{Self}`",
    label = "not an answer",
    note = "return `bool`, or a `Result<bool, E>` whose `E` is an error"
)]
pub trait IntoAnswer {
    /// Tells the answer or the error.
    fn into_answer(self) -> Result<bool, ProbeError>;
}

impl<E: Into<ProbeError>> IntoAnswer for Result<bool, E> {
    fn into_answer(self) -> Result<bool, ProbeError> {
        self.map_err(Into::into)
    }
}

/// Turns what a condition's function returned into an answer.
pub fn answer<R: IntoAnswer>(returned: R) -> Result<bool, ProbeError> {
    returned.into_answer()
}

/// Chooses, while compiling, whether a value can be written and read with serde.
///
/// `(&&Json::<T>::new()).encode(&value)` and `.decode(text)` find the methods of the traits
/// `..ViaSerde` if `T` has what they need, and those of `..ViaNothing` otherwise.
#[derive(Debug)]
pub struct Json<T>(PhantomData<T>);

impl<T> Json<T> {
    /// Makes it.
    #[expect(clippy::new_without_default, reason = "only macros make it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Types that can be written with serde.
pub trait EncodeViaSerde<T> {
    /// Writes a value.
    fn encode(&self, value: &T) -> Option<String>;
}

impl<T: serde::Serialize> EncodeViaSerde<T> for &Json<T> {
    fn encode(&self, value: &T) -> Option<String> {
        serde_json::to_string(value).ok()
    }
}

/// Types that cannot be written.
pub trait EncodeViaNothing<T> {
    /// Writes nothing.
    fn encode(&self, value: &T) -> Option<String>;
}

impl<T> EncodeViaNothing<T> for Json<T> {
    fn encode(&self, _value: &T) -> Option<String> {
        None
    }
}

/// Types that can be read with serde.
pub trait DecodeViaSerde<T> {
    /// Reads a value.
    fn decode(&self, json: &str) -> Option<T>;
}

impl<T: serde::de::DeserializeOwned> DecodeViaSerde<T> for &Json<T> {
    fn decode(&self, json: &str) -> Option<T> {
        serde_json::from_str(json).ok()
    }
}

/// Types that cannot be read.
pub trait DecodeViaNothing<T> {
    /// Reads nothing.
    fn decode(&self, json: &str) -> Option<T>;
}

impl<T> DecodeViaNothing<T> for Json<T> {
    fn decode(&self, _json: &str) -> Option<T> {
        None
    }
}
