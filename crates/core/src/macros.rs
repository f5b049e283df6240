//! What the code that the macros write calls. Not for people; it may change at any time.

use std::marker::PhantomData;

pub use inventory;

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
