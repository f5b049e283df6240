//! The attributes of Red Engine: `#[task]` and `#[condition]`.
//!
//! They check and forward. What they write, you could write: a unit type with
//! `impl TaskType`, and its registration.

mod condition;
mod options;
mod signature;
mod task;

use proc_macro::TokenStream;

/// Makes a task of a function.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(arguments.into(), &item.into()).into()
}

/// Makes a condition of a function that answers yes or no.
#[proc_macro_attribute]
pub fn condition(arguments: TokenStream, item: TokenStream) -> TokenStream {
    condition::expand(arguments.into(), item.into()).into()
}
