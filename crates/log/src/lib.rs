//! Run logs of the Red Engine scheduler: where records are kept.

#[cfg(feature = "conformance")]
pub mod conformance;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryLog;

// A session that is given no log keeps one in memory.
inventory::submit! {
    redengine_core::session::DefaultLog(|| std::sync::Arc::new(MemoryLog::new()))
}

#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteLog, SqliteLogBuilder, Synchronous};
