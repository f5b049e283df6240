//! Runs a Red Engine session on Tokio.
//!
//! ```text
//!   requests, ends of bodies, answers of the log and of probes, the timer
//!        │ Event
//!        ▼
//!   driver ──▶ Engine::step(events, now) ──▶ Effects ──▶ driver
//!   (select!)   pure: decides everything                  journal: append to the log
//!                                                         exec: run a body
//!                                                         probe: ask a custom condition
//! ```
//!
//! The [`engine`] decides and knows no Tokio; the driver waits and performs. A run starts only after
//! its record was won: `Append` goes out, `Appended` comes in, `Start` goes out.

mod clock;
#[cfg(feature = "crash-points")]
pub mod crash;
#[cfg(not(feature = "crash-points"))]
#[expect(unreachable_pub, reason = "it is public with the feature")]
mod crash;
mod driver;
pub mod effect;
pub mod engine;
mod error;
pub mod event;
mod exec;
mod journal;
mod lints;
mod membership;
mod node;
mod probe;
mod report;
mod retention;
mod run;
mod strays;

pub use clock::VirtualClock;
pub use error::RunError;
pub use probe::watched;
pub use run::{Error, Run, RunSession};
