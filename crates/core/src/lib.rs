//! Sessions, conditions, time and records of the Red Engine scheduler.
//!
//! The crate knows what things mean. It does no I/O, reads no clock and needs no async runtime:
//! time is an argument, the run log is a trait, and whoever acts is `redengine-runtime`.

pub mod error;
pub mod expr;
pub mod period;
pub mod probe;
pub mod record;
pub mod runlog;
pub mod time;

pub use time::Timestamp;
