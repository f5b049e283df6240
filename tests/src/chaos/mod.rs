//! Chaos: nodes as real processes on one run log, killed, stopped and cut off; and the proof from the log
//! and from an independent file of effects that no run was doubled and none was lost.
//!
//! The command is `cargo run --release -p redengine-tests --bin chaos`; what it proves, and what not,
//! is in `docs/reliability.md`.

pub mod arguments;
pub mod checker;
mod command;
pub mod database;
pub mod effects;
pub mod faults;
pub mod naive;
pub mod node;
mod opportunities;
pub mod process;
pub mod spans;
pub mod tasks;
mod witness;

pub use command::{Outcome, now, read, run};
