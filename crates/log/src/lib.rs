//! Run logs of the Red Engine scheduler: where records are kept.

mod memory;

pub use memory::MemoryLog;
