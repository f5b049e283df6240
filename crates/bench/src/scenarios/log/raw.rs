//! What only writes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redengine::Timestamp;
use redengine::record::Recorded;
use redengine_log::SqliteLog;
use rusqlite::{Connection, params};

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
