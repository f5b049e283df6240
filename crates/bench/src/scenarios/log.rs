//! Appending to run logs, each beside the limit of what it is made of; and whole runs with each.
//!
//! The two sides take turns, many times in a run, with the same records: what the machine does
//! besides meets both. A log decides each append; the limit only writes.

mod raw;
pub(super) mod rows;
mod runs;

use std::future::ready;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use clap::ValueEnum;
use redengine::record::{Record, Recorded, Seq};
use redengine::runlog::{Append, Appended, RunLog};
use redengine_log::{CsvLog, JsonlLog, MemoryLog, PostgresLog, SqliteLog, Synchronous};
use redengine_testserver::Server;
use tokio::task::JoinSet;

use self::rows::Rows;
use super::Size;
use crate::clock::Stopwatch;
use crate::harness::Figures;

/// How many records a burst has, and how many callers there are at once.
const BURST: usize = 512;

/// Each side has so many turns.
const TURNS: u32 = 6;

/// A run log that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum LogName {
    Memory,
    Csv,
    Jsonl,
    SqliteFull,
    SqliteNormal,
    Postgres,
}

impl LogName {
    /// Tells whether all records are in memory.
    pub(super) fn is_in_memory(self) -> bool {
        matches!(self, Self::Memory | Self::Csv | Self::Jsonl)
    }
}

/// A run log and what it is made of.
pub(super) struct Subject {
    pub(super) log: LogName,
    pub(super) name: &'static str,
    /// Opens the log in a folder of its own.
    open: fn(PathBuf) -> Opening<Arc<dyn RunLog>>,
    /// Opens something that only writes, in another folder.
    limit: fn(PathBuf, Tasks) -> Opening<Box<dyn Limit>>,
}

type Tasks = Vec<Arc<str>>;

type Opening<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

impl Subject {
    /// Opens the log that belongs to a folder.
    pub(super) async fn open(&self, folder: &Path) -> Result<Arc<dyn RunLog>, String> {
        (self.open)(folder.to_owned()).await
    }
}

/// Writes records as fast as it can be done.
#[async_trait]
pub(super) trait Limit: Send {
    /// Writes them at once.
    async fn insert(&mut self, records: &[Recorded]) -> Result<(), String>;
}

/// The logs that are measured: all, or the one that was asked for.
pub(super) fn subjects(only: Option<LogName>) -> impl Iterator<Item = &'static Subject> {
    SUBJECTS.iter().filter(move |subject| only.is_none_or(|only| only == subject.log))
}

static SUBJECTS: [Subject; 6] = [
    Subject {
        log: LogName::Memory,
        name: "memory",
        open: |_| Box::pin(async { Ok(Arc::new(MemoryLog::new()) as _) }),
        limit: |_, _| Box::pin(async { Ok(Box::new(raw::Memory::default()) as _) }),
    },
    Subject {
        log: LogName::Csv,
        name: "csv",
        open: |folder| Box::pin(ready(csv(&folder))),
        limit: |folder, _| Box::pin(ready(raw_lines(&folder, raw::csv_line))),
    },
    Subject {
        log: LogName::Jsonl,
        name: "jsonl",
        open: |folder| Box::pin(ready(jsonl(&folder))),
        limit: |folder, _| Box::pin(ready(raw_lines(&folder, raw::json_line))),
    },
    Subject {
        log: LogName::SqliteFull,
        name: "sqlite_full",
        open: |folder| Box::pin(ready(sqlite(&folder, Synchronous::Full))),
        limit: |folder, tasks| Box::pin(ready(raw_sqlite(&folder, &tasks, "full"))),
    },
    Subject {
        log: LogName::SqliteNormal,
        name: "sqlite_normal",
        open: |folder| Box::pin(ready(sqlite(&folder, Synchronous::Normal))),
        limit: |folder, tasks| Box::pin(ready(raw_sqlite(&folder, &tasks, "normal"))),
    },
    Subject {
        log: LogName::Postgres,
        name: "postgres",
        open: |folder| Box::pin(postgres(folder)),
        limit: |folder, tasks| {
            Box::pin(async move {
                let url = postgres_url(&folder)?;
                Ok(Box::new(raw::Postgres::open(&url, &tasks).await?) as _)
            })
        },
    },
];

fn csv(folder: &Path) -> Result<Arc<dyn RunLog>, String> {
    let log = CsvLog::open(folder.join("runs.csv"));
    Ok(Arc::new(log.map_err(|error| error.to_string())?))
}

fn jsonl(folder: &Path) -> Result<Arc<dyn RunLog>, String> {
    let log = JsonlLog::open(folder.join("runs.jsonl"));
    Ok(Arc::new(log.map_err(|error| error.to_string())?))
}

fn raw_lines(folder: &Path, line: raw::Line) -> Result<Box<dyn Limit>, String> {
    Ok(Box::new(raw::Lines::open(&folder.join("runs"), line)?))
}

fn sqlite(folder: &Path, synchronous: Synchronous) -> Result<Arc<dyn RunLog>, String> {
    let log = SqliteLog::builder(folder.join("runs.db")).synchronous(synchronous).open();
    Ok(Arc::new(log.map_err(|error| error.to_string())?))
}

fn raw_sqlite(
    folder: &Path,
    tasks: &[Arc<str>],
    synchronous: &str,
) -> Result<Box<dyn Limit>, String> {
    Ok(Box::new(raw::Sqlite::open(folder, tasks, synchronous)?))
}

async fn postgres(folder: PathBuf) -> Result<Arc<dyn RunLog>, String> {
    let log = PostgresLog::connect(&postgres_url(&folder)?).await;
    Ok(Arc::new(log.map_err(|error| error.to_string())?))
}

/// The address of the schema that belongs to a folder.
fn postgres_url(folder: &Path) -> Result<String, String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!("{}?schema={name}", server()?.url()))
}

/// The PostgreSQL server of all measurements; it ends with this program.
pub(super) fn server() -> Result<&'static Server, String> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start().map_err(|error| error.to_string()));
    server.as_ref().map_err(Clone::clone)
}

/// How records come.
#[derive(Clone, Copy)]
enum Shape {
    /// One at a time, each after the answer to the one before it.
    Single,
    /// So many in one batch.
    Burst,
    /// One at a time of so many callers at once.
    Callers,
}

impl Shape {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Single, "single"), (Self::Burst, "burst"), (Self::Callers, "callers")];

    /// How many records go together.
    fn together(self) -> usize {
        match self {
            Self::Single => 1,
            Self::Burst | Self::Callers => BURST,
        }
    }
}

pub(super) async fn run(size: Size) -> Result<Figures, String> {
    let mut figures = Figures::default();
    // Each shape of appends gets as much time as the runs.
    let count = subjects(size.log).count();
    let share = size.seconds / float(count * (Shape::ALL.len() + 1));
    let turn = share / f64::from(TURNS * 2);
    for subject in subjects(size.log) {
        for (shape, name) in Shape::ALL {
            let (own, limit) = measure(subject, shape, size.tasks, turn).await?;
            let name = format!("{}_{name}", subject.name);
            figures.put(&format!("{name}_per_s"), own.round());
            figures.put(&format!("{name}_limit_per_s"), limit.round());
            figures.put(&format!("{name}_ratio"), (own / limit * 1000.0).round() / 1000.0);
        }
        let runs = runs::per_second(subject, folder()?.path(), size.tasks, share).await?;
        figures.put(&format!("{}_runs_per_s", subject.name), runs.round());
    }
    Ok(figures)
}

/// Tells how many records a second the log takes, and how many its limit.
async fn measure(
    subject: &Subject,
    shape: Shape,
    tasks: usize,
    turn: f64,
) -> Result<(f64, f64), String> {
    let (folder, other) = (folder()?, folder()?);
    let log = subject.open(folder.path()).await?;
    let (mut rows, mut same_rows) = (Rows::new(tasks.max(BURST)), Rows::new(tasks.max(BURST)));
    let mut limit = (subject.limit)(other.path().to_owned(), rows.tasks().to_vec()).await?;
    let (mut own, mut raw) = (Rate::default(), Rate::default());
    for _ in 0..TURNS {
        let clock = Stopwatch::start();
        while clock.seconds() < turn {
            let appends = rows.next(shape.together());
            let took = Stopwatch::start();
            let recorded = append(&log, shape, appends.clone()).await?;
            own.add(appends.len(), took);
            rows.note(&recorded);
        }
        let clock = Stopwatch::start();
        while clock.seconds() < turn {
            let appends = same_rows.next(shape.together());
            let records = same_rows.number(appends);
            let took = Stopwatch::start();
            limit.insert(&records).await?;
            raw.add(records.len(), took);
            same_rows.note(&records);
        }
    }
    Ok((own.per_second(), raw.per_second()))
}

pub(super) fn folder() -> Result<tempfile::TempDir, String> {
    tempfile::tempdir().map_err(|error| error.to_string())
}

async fn append(
    log: &Arc<dyn RunLog>,
    shape: Shape,
    appends: Vec<Append>,
) -> Result<Vec<Recorded>, String> {
    let answers = match shape {
        Shape::Single | Shape::Burst => log.append(appends).await,
        Shape::Callers => {
            let mut callers = JoinSet::new();
            for append in appends {
                let log = Arc::clone(log);
                callers.spawn(async move { log.append(vec![append]).await });
            }
            let mut all = Vec::with_capacity(BURST);
            for answers in callers.join_all().await {
                all.extend(answers.map_err(|error| error.to_string())?);
            }
            Ok(all)
        }
    };
    let answers = answers.map_err(|error| error.to_string())?;
    answers
        .into_iter()
        .map(|answer| match answer {
            Appended::Won(recorded) => Ok(recorded),
            Appended::Lost => Err("an append was lost".to_owned()),
        })
        .collect()
}

#[derive(Default)]
struct Rate {
    records: f64,
    seconds: f64,
}

impl Rate {
    fn add(&mut self, records: usize, took: Stopwatch) {
        self.records += float(records);
        self.seconds += took.seconds();
    }

    fn per_second(&self) -> f64 {
        self.records / self.seconds
    }
}

/// A number of things, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2 to the 53 here")]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

/// A record that was written, as a log would have.
fn recorded(seq: u64, record: Record) -> Recorded {
    Recorded { seq: Seq(seq), record }
}
