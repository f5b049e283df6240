//! A scheduler inside your program, on Tokio: say when a task may run as a **statement** that is
//! true or false.
//!
//! ```no_run
//! use redengine::prelude::*;
//!
//! #[task("daily after 07:00 & ~has failed past 1 hour")]
//! async fn fetch() -> Result<Vec<u32>> {
//!     Ok(vec![1, 2, 3])
//! }
//!
//! #[task("after task 'fetch'")]
//! async fn load(rows: Return<Fetch>) {
//!     println!("{} rows", rows.len());
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result {
//!     session().run().await
//! }
//! ```
//!
//! # A tour
//!
//! **Statements.** A condition is text, checked while compiling, or built of functions that mirror it
//! word for word. Both make the same tree:
//!
//! ```
//! use redengine::prelude::*;
//!
//! let text: redengine::Expr = "daily after 07:00 & ~has failed past 1 hour".parse().unwrap();
//! let built = daily().after("07:00") & !failed().past("1 hour");
//! assert_eq!(text, built);
//! ```
//!
//! All statements, with when they are true and what builds them: [`guide::statements`].
//!
//! **Tasks** are functions. `#[task]` leaves a function as it is and adds a type in `CamelCase` that
//! stands for the task: in conditions (`after_success(Fetch)`) and for its value (`Return<Fetch>`).
//! By hand, a [`Task`] is made of any function or closure whose arguments are extractors:
//! [`Param`](param::Param), [`Return`](param::Return), [`RunInfo`](param::RunInfo), [`Session`],
//! [`Cancel`](param::Cancel), and `Option` of them.
//!
//! **A session** holds tasks, options, parameters and the run log. There is a default one,
//! [`session()`], which takes all that `#[task]` makes. Your own is built of parts, and all that is
//! wrong with it is told at once:
//!
//! ```
//! use redengine::prelude::*;
//!
//! let error = Session::builder()
//!     .task(Task::new("fetch", "every 10 s", || async {}))
//!     .task(Task::new("load", "after task 'ftech'", || async {}))
//!     .task(Task::new("load", "daily betwen 10:00 and 14:00", || async {}))
//!     .build()
//!     .unwrap_err();
//! assert_eq!(error.problems().len(), 2);
//! ```
//!
//! **Running.** [`session.run()`](RunSession::run) is a future. It ends on Ctrl-C, SIGTERM,
//! [`Session::shutdown`] or the session's `shut_cond`, after the live runs ended. Handles to the session
//! work from anywhere: add and remove tasks, ask for runs, change options and parameters.
//!
//! **The run log** is the truth. Each run is recorded before it starts and when it ends, in memory,
//! in an SQLite file, in CSV files or JSON lines, or on a PostgreSQL server ([`log`]); conditions about
//! the past look only there. After a restart on a file nothing runs that has run already, chains go
//! on, and what was cut off is a `crash`. [`log::connect`] opens any of them by its address, and
//! [`log::copy`] copies any into any other:
//!
//! ```
//! use redengine::log::{connect, copy};
//! use redengine::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result {
//! let log = connect("memory:").await?; // or "sqlite:runs.db", "jsonl:runs.jsonl", "postgres://.."
//! let session = Session::builder().log(log.clone()).build()?;
//! copy(&*log, &*connect("memory:").await?).await?; // or "csv:runs.csv", to look at it
//! # Ok(())
//! # }
//! ```
//!
//! **Lints** are told as warnings when a session begins to run: a condition that never holds, a task
//! that restarts without a pause, a date that some months lack ([`Session::lints`], [`lint`]).
//!
//! **Tests** run in virtual time: pause Tokio's clock, and a [`VirtualClock`] lives through a week in
//! milliseconds.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `macros` | yes | `#[task]` and `#[condition]` |
//! | `toml` | no | [`SessionBuilder::settings`](session::SessionBuilder): options and conditions in a TOML file |
//! | `sqlite` | no | [`log::SqliteLog`](https://docs.rs/redengine/latest/redengine/log/struct.SqliteLog.html) |
//! | `csv` | no | [`log::CsvLog`](https://docs.rs/redengine/latest/redengine/log/type.CsvLog.html) |
//! | `jsonl` | no | [`log::JsonlLog`](https://docs.rs/redengine/latest/redengine/log/type.JsonlLog.html) |
//! | `postgres` | no | [`log::PostgresLog`](https://docs.rs/redengine/latest/redengine/log/struct.PostgresLog.html) |
//! | `postgres-tls` | no | the same by TLS, as hosted servers want it |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;
pub mod prelude;

pub use redengine_core::session::session;
pub use redengine_core::{
    BuildError, Config, Expr, Session, SetupError, Task, TaskId, Timestamp, cond, error, expr,
    facts, lint, param, period, probe, record, runlog, session, task, time,
};
pub use redengine_log as log;
#[cfg(feature = "macros")]
pub use redengine_macros::{condition, task};
pub use redengine_runtime::{Error, Run, RunError, RunSession, VirtualClock, watched};

/// What tasks and `main` return: any error is fine.
///
/// It is the prelude's `Result`; both parameters have a default.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// What the macros' code calls. Not for people; it may change at any time.
#[doc(hidden)]
pub use redengine_core::macros as __private;

/// The README's programs compile.
#[cfg(all(doctest, feature = "macros", feature = "sqlite"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So do those about lints.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/lints.md")]
struct Lints;
