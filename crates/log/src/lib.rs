//! Run logs of the Red Engine scheduler: where records are kept.
//!
//! A run log remembers and decides nothing but who was first. All that a scheduler knows of the
//! past it can read from here again; what a log must do is said in [`redengine_core::runlog`], and
//! [`conformance`] checks it.
//!
//! | | [`MemoryLog`] | [`SqliteLog`] | [`PostgresLog`] |
//! |---|---|---|---|
//! | for | tests, forecasts, programs whose past does not matter | programs whose past does | programs on several machines |
//! | the process ends | all is lost | nothing that was acknowledged is lost | the same |
//! | the power fails | all is lost | nothing is lost with [`Synchronous::Full`] (the default) | nothing the server has committed is lost |
//! | several processes | each has its own | share one file; one of them wins each run | share one server; one of them wins each run |
//! | they hear of each other | - | within a tenth of a second | at once |
//! | an append takes | less than a microsecond | a fraction of a millisecond, mostly for the disk; many at once share that | two round trips and the server's disk; many at once share that |
//! | what must be known of a task takes | a microsecond or two | some 20 microseconds, however long the log | some 300 microseconds, however long the log |
//! | opening takes | - | some milliseconds, however long the log | the same |
//! | grows | some 100 bytes a record, unless [bounded](MemoryLog::bounded) or pruned | some 170 bytes a record, until it is pruned | the same, on the server |
//!
//! [`CsvLog`] and [`JsonlLog`] keep records in files that a person can read, one program at a time.
//! [`connect`] opens any log by its address, and [`copy`] copies any into any other.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use redengine_core::runlog::RunLog;
//! use redengine_log::{MemoryLog, SqliteLog};
//!
//! # fn main() -> Result<(), redengine_core::runlog::LogError> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("runs.db");
//! let in_production = true;
//! let log: Box<dyn RunLog> =
//!     if in_production { Box::new(SqliteLog::open(path)?) } else { Box::new(MemoryLog::new()) };
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```
//!
//! # Features
//!
//! - `sqlite` (default): [`SqliteLog`].
//! - `csv`: [`CsvLog`].
//! - `jsonl`: [`JsonlLog`].
//! - `postgres`: [`PostgresLog`].
//! - `postgres-tls`: the same, by TLS.
//! - `conformance`: [`conformance`], for those who write a run log of their own.

// The links to what a feature brings work where the feature is on.
#![cfg_attr(
    not(all(
        feature = "sqlite",
        feature = "csv",
        feature = "jsonl",
        feature = "postgres",
        feature = "conformance"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(any(feature = "csv", feature = "sqlite", feature = "postgres"))]
mod causes;
#[cfg(feature = "conformance")]
pub mod conformance;
mod connect;
mod copy;
#[cfg(any(feature = "csv", feature = "jsonl"))]
mod file;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod hours;
mod import;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod last;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod ledger;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "csv", feature = "jsonl", feature = "sqlite"))]
mod queue;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use connect::connect;
pub use copy::copy;
#[cfg(feature = "csv")]
pub use file::CsvLog;
#[cfg(feature = "jsonl")]
pub use file::JsonlLog;
#[cfg(any(feature = "csv", feature = "jsonl"))]
pub use file::{FileLog, FileLogBuilder, Fsync};
pub use memory::MemoryLog;

// A session that is given no log keeps one in memory.
inventory::submit! {
    redengine_core::session::DefaultLog(|| std::sync::Arc::new(MemoryLog::new()))
}

#[cfg(feature = "postgres")]
pub use postgres::{PostgresLog, PostgresLogBuilder};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteLog, SqliteLogBuilder, Synchronous};
