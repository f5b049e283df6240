//! What only writes.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redengine::Timestamp;
use redengine::record::{Record, Recorded};
use redengine_log::{PostgresLog, SqliteLog};
use rusqlite::{Connection, params};
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::Limit;

/// A list.
#[derive(Default)]
pub(super) struct Memory(Vec<Recorded>);

#[async_trait]
impl Limit for Memory {
    async fn insert(&mut self, records: &[Recorded]) -> Result<(), String> {
        self.0.extend_from_slice(records);
        Ok(())
    }
}

/// Writes a record as a line; so many more of its batch come after it.
pub(super) type Line = fn(&Recorded, more: usize, to: &mut Vec<u8>);

/// A file to which lines are appended; they are on the disk when it says so.
pub(super) struct Lines {
    file: File,
    line: Line,
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) fn open(path: &Path, line: Line) -> Result<Self, String> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| error.to_string())?;
        Ok(Self { file, line, buffer: Vec::new() })
    }
}

#[async_trait]
impl Limit for Lines {
    async fn insert(&mut self, records: &[Recorded]) -> Result<(), String> {
        self.buffer.clear();
        for (more, recorded) in (0..records.len()).rev().zip(records) {
            (self.line)(recorded, more, &mut self.buffer);
        }
        let written = self.file.write_all(&self.buffer).and_then(|()| self.file.sync_data());
        written.map_err(|error| error.to_string())
    }
}

/// Writes a row of comma-separated values as the run log does.
pub(super) fn csv_line(Recorded { seq, record }: &Recorded, more: usize, to: &mut Vec<u8>) {
    let (at, task, action, run) = (record.at, &record.task, record.action, record.run);
    // OK because memory takes all that is written.
    let _ = write!(to, "{seq},{at},{task},{action},");
    if action.ends() {
        let _ = write!(to, "{}", record.duration().as_secs_f64());
    }
    let _ = write!(to, ",,,{run},{},", record.started);
    if let Some(due) = record.due {
        let _ = write!(to, "{due}");
    }
    let _ = write!(to, ",{},,,,,", node(record).unwrap_or_default());
    if more > 0 {
        let _ = write!(to, "{more}");
    }
    to.extend_from_slice(b",,,,1\n");
}

/// Writes a line of JSON as the run log does.
pub(super) fn json_line(Recorded { seq, record }: &Recorded, more: usize, to: &mut Vec<u8>) {
    let (at, task, action, run) = (record.at, &record.task, record.action, record.run);
    // OK because memory takes all that is written.
    let _ = write!(to, r#"{{"seq":{seq},"at":"{at}","task":"{task}","action":"{action}""#);
    if action.ends() {
        let _ = write!(to, r#","duration":{:?}"#, record.duration().as_secs_f64());
    }
    let _ = write!(to, r#","run":"{run}""#);
    if record.started != at {
        let _ = write!(to, r#","started":"{}""#, record.started);
    }
    if let Some(due) = record.due {
        let _ = write!(to, r#","due":"{due}""#);
    }
    if let Some(node) = node(record) {
        let _ = write!(to, r#","node":"{node}""#);
    }
    if more > 0 {
        let _ = write!(to, r#","more":{more}"#);
    }
    to.extend_from_slice(b",\"v\":1}\n");
}

fn node(record: &Record) -> Option<&str> {
    record.details.as_ref()?.node.as_deref()
}

/// The tables of a run log, and one statement.
pub(super) struct Sqlite {
    connection: Connection,
    tasks: HashMap<Arc<str>, i64>,
}

impl Sqlite {
    pub(super) fn open(
        folder: &Path,
        tasks: &[Arc<str>],
        synchronous: &str,
    ) -> Result<Self, String> {
        let path = folder.join("runs.db");
        drop(SqliteLog::open(&path).map_err(|error| error.to_string())?);
        Self::prepare(&path, tasks, synchronous).map_err(|error| error.to_string())
    }

    fn prepare(path: &Path, names: &[Arc<str>], synchronous: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "wal_autocheckpoint", 2000)?;
        let mut tasks = HashMap::new();
        for (id, name) in (1..).zip(names) {
            connection.execute("insert into task (id, name) values (?1, ?2)", params![id, name])?;
            tasks.insert(Arc::clone(name), id);
        }
        Ok(Self { connection, tasks })
    }

    fn write(&mut self, records: &[Recorded]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "insert into record (seq, task, run, action, at, started, due, node)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for Recorded { seq, record } in records {
                insert.execute(params![
                    seq.0.cast_signed(),
                    self.tasks[&record.task],
                    record.run.as_bytes(),
                    record.action as i64,
                    record.at.as_micros(),
                    record.started.as_micros(),
                    record.due.map(Timestamp::as_micros),
                    node(record),
                ])?;
            }
        }
        transaction.commit()
    }
}

#[async_trait]
impl Limit for Sqlite {
    async fn insert(&mut self, records: &[Recorded]) -> Result<(), String> {
        self.write(records).map_err(|error| error.to_string())
    }
}

/// The tables of a run log, and one statement that inserts many rows.
pub(super) struct Postgres {
    client: Client,
    insert: Statement,
    tasks: HashMap<Arc<str>, i64>,
}

impl Postgres {
    pub(super) async fn open(url: &str, names: &[Arc<str>]) -> Result<Self, String> {
        drop(PostgresLog::connect(url).await.map_err(|error| error.to_string())?);
        Self::prepare(url, names).await.map_err(|error| error.to_string())
    }

    async fn prepare(url: &str, names: &[Arc<str>]) -> Result<Self, tokio_postgres::Error> {
        let (server, schema) = url.split_once("?schema=").unwrap_or((url, "redengine"));
        let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(&format!("set search_path to \"{schema}\"")).await?;
        let ids: Vec<i64> = (1..).take(names.len()).collect();
        let texts: Vec<&str> = names.iter().map(|name| &**name).collect();
        let into = "insert into task (id, name) select * from unnest($1::bigint[], $2::text[])";
        client.execute(into, &[&ids, &texts]).await?;
        let insert = client
            .prepare(
                "insert into record (seq, task, run, action, at, started, due, node)
                 select * from unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::smallint[],
                    $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])",
            )
            .await?;
        let tasks = names.iter().cloned().zip(ids).collect();
        Ok(Self { client, insert, tasks })
    }

    async fn write(&mut self, records: &[Recorded]) -> Result<u64, tokio_postgres::Error> {
        fn column<'a, T>(records: &'a [Recorded], of: impl Fn(&'a Recorded) -> T) -> Vec<T> {
            records.iter().map(of).collect()
        }
        self.client
            .execute(
                &self.insert,
                &[
                    &column(records, |one| one.seq.0.cast_signed()),
                    &column(records, |one| self.tasks[&one.record.task]),
                    &column(records, |one| Uuid::from_bytes(*one.record.run.as_bytes())),
                    &column(records, |one| one.record.action as i16),
                    &column(records, |one| one.record.at.as_micros()),
                    &column(records, |one| one.record.started.as_micros()),
                    &column(records, |one| one.record.due.map(Timestamp::as_micros)),
                    &column(records, |one| node(&one.record)),
                ],
            )
            .await
    }
}

#[async_trait]
impl Limit for Postgres {
    async fn insert(&mut self, records: &[Recorded]) -> Result<(), String> {
        self.write(records).await.map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use redengine::runlog::RunLog;
    use redengine_log::{CsvLog, JsonlLog};

    use super::super::append;
    use super::super::rows::Rows;
    use super::super::{Shape, folder};
    use super::*;

    /// The file of a log, and what is appended raw, of the same records.
    async fn files(name: &str, log: Arc<dyn RunLog>, folder: &Path, line: Line) -> [String; 2] {
        let mut raw = Lines::open(&folder.join("raw"), line).unwrap();
        let mut rows = Rows::new(5);
        for shape in [Shape::Burst, Shape::Single] {
            for _ in 0..2 {
                let recorded = append(&log, shape, rows.next(3)).await.unwrap();
                rows.note(&recorded);
                raw.insert(&recorded).await.unwrap();
            }
        }
        drop(log);
        [name, "raw"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
    }

    #[tokio::test]
    async fn the_limit_of_files_writes_the_same_lines() {
        let folder = folder().unwrap();
        let path = folder.path().join("runs.jsonl");
        let log = Arc::new(JsonlLog::open(path).unwrap());
        let [own, raw] = files("runs.jsonl", log, folder.path(), json_line).await;
        assert_eq!(own, raw);
        let folder = super::super::folder().unwrap();
        let log = Arc::new(CsvLog::open(folder.path().join("runs.csv")).unwrap());
        let [own, raw] = files("runs.csv", log, folder.path(), csv_line).await;
        assert_eq!(own.split_once('\n').unwrap().1, raw);
    }
}
