//! A statement-based scheduler inside your program.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod prelude;

pub use redengine_core::session::session;
pub use redengine_core::{
    BuildError, Config, Expr, Session, SetupError, Task, TaskId, Timestamp, cond, error, expr,
    facts, param, period, probe, record, runlog, session, task, time,
};
pub use redengine_log as log;
#[cfg(feature = "macros")]
pub use redengine_macros::{condition, task};
pub use redengine_runtime::{Error, Run, RunError, RunSession, VirtualClock};

/// What tasks and `main` return: any error is fine.
///
/// It is the prelude's `Result`; both parameters have a default.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// What the macros' code calls. Not for people; it may change at any time.
#[doc(hidden)]
pub use redengine_core::macros as __private;
