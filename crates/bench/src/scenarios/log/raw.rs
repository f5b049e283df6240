//! What only writes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redengine::Timestamp;
use redengine::record::Recorded;
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
                    record.details.as_ref().and_then(|details| details.node.as_ref()),
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
        fn node(one: &Recorded) -> Option<&str> {
            one.record.details.as_ref().and_then(|details| details.node.as_deref())
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
                    &column(records, node),
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
