//! Run logs of the Red Engine scheduler: where records are kept.

#[cfg(feature = "conformance")]
pub mod conformance;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use memory::MemoryLog;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteLog, SqliteLogBuilder, Synchronous};
