//! What a first program needs: `use redengine::prelude::*;`.

pub use redengine_core::param::{Cancel, Param, Params, Return, RunInfo};
pub use redengine_core::session::session;
pub use redengine_core::task::Inaction;
pub use redengine_core::{Config, Session, Task};
#[cfg(feature = "macros")]
pub use redengine_macros::{condition, task};
pub use redengine_runtime::RunSession;

pub use crate::Result;
