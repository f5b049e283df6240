//! What the crate `redengine` shows of the core and the macros, without a runtime.

mod log;

pub use redengine_core::macros as __private;
pub use redengine_core::session::session;
pub use redengine_core::{
    BuildError, Config, Expr, Session, SetupError, Task, TaskId, Timestamp, cond, error, expr,
    param, period, probe, record, runlog, session, task, time,
};
pub use redengine_macros::{condition, task};

/// What tasks and `main` return: any error is fine.
pub type Result<T = (), E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// What a first program needs.
pub mod prelude {
    pub use redengine_core::param::{Cancel, Param, Params, Return, RunInfo};
    pub use redengine_core::session::session;
    pub use redengine_core::task::Inaction;
    pub use redengine_core::{Config, Session, Task};
    pub use redengine_macros::{condition, task};

    pub use crate::Result;
}
