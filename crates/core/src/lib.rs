//! Sessions, conditions, time and records of the Red Engine scheduler.
//!
//! The crate knows what things mean. It does no I/O, reads no clock and needs no async runtime:
//! time is an argument, the run log is a trait, and whoever acts is `redengine-runtime`.
//!
//! In reading order: [`time`] and [`period`] (when), [`expr`] (conditions as written), [`record`] and
//! [`runlog`] (what happened), [`facts`] (what is known of it), [`cond`] (conditions compiled, and
//! their evaluation), [`task`], [`param`] and [`session`] (what a user makes), [`lint`] (what is
//! allowed and still hardly meant).

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod cond;
pub mod error;
pub mod expr;
pub mod facts;
pub mod lint;
#[doc(hidden)]
pub mod macros;
pub mod param;
pub mod period;
pub mod probe;
pub mod record;
pub mod runlog;
pub mod session;
pub mod task;
pub mod time;

#[doc(inline)]
pub use expr::Expr;
pub use session::{BuildError, Config, Session};
pub use task::{SetupError, Task, TaskId};
pub use time::Timestamp;
