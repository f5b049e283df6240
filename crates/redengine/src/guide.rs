//! Pages to read.
//!
//! The same as in the repository's `docs/`.

#[doc = include_str!("guide/statements.md")]
pub mod statements {}
