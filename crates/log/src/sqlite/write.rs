//! Appending records.
//!
//! The transaction takes the write lock before it looks at anything, so what it decides by cannot
//! change under it, neither in this process nor in another.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Append, Appended, Expect};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::Failure;
use super::row::{self, COLUMNS, Names};
use super::schema;

pub(super) fn append(
    connection: &mut Connection,
    batch: Vec<Append>,
) -> Result<Vec<Appended>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut batched = Batch { connection: &transaction, tasks: HashMap::new(), hour: None };
    let mut appended = Vec::with_capacity(batch.len());
    for append in batch {
        appended.push(batched.append(append)?);
    }
    transaction.commit()?;
    Ok(appended)
}

/// A task as the transaction sees it.
#[derive(Clone, Copy)]
struct Task {
    /// `None`: there is no row for it yet.
    id: Option<i64>,
    latest: Option<Seq>,
}

struct Batch<'a> {
    connection: &'a Connection,
    tasks: HashMap<Arc<str>, Task>,
    /// The hour of the latest record.
    hour: Option<i64>,
}

impl Batch<'_> {
    fn append(&mut self, Append { record, expect }: Append) -> Result<Appended, Failure> {
        if let Some(there) = self.find(record.run, record.action)? {
            return Ok(Appended::Won(there));
        }
        let task = self.task(&record.task)?;
        let as_expected = match expect {
            Expect::Latest(seq) => task.latest == seq,
            Expect::Open => self.is_open(task, record.run)?,
        };
        if !as_expected {
            return Ok(Appended::Lost);
        }
        let seq = self.write(task, &record)?;
        Ok(Appended::Won(Recorded { seq, record }))
    }

    /// Finds the record of a run and an action, if it is in the log already.
    fn find(&self, run: RunId, action: Action) -> Result<Option<Recorded>, Failure> {
        let mut find = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from record indexed by record_run where run = ?1 and action = ?2"
        ))?;
        let mut rows = find.query(params![run.as_bytes(), action as i64])?;
        match rows.next()? {
            Some(row) => row::recorded(self.connection, &mut Names::default(), row).map(Some),
            None => Ok(None),
        }
    }

    fn task(&mut self, name: &Arc<str>) -> Result<Task, Failure> {
        if let Some(task) = self.tasks.get(name) {
            return Ok(*task);
        }
        let mut find = self.connection.prepare_cached(
            "select id, (select max(last) from tally where task = id) from task where name = ?1",
        )?;
        let found = find
            .query_row([name], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?)))
            .optional()?;
        let task = match found {
            Some((id, latest)) => Task { id: Some(id), latest: latest.map(seq).transpose()? },
            None => Task { id: None, latest: None },
        };
        self.tasks.insert(Arc::clone(name), task);
        Ok(task)
    }

    fn is_open(&self, task: Task, run: RunId) -> Result<bool, Failure> {
        let mut find = self
            .connection
            .prepare_cached("select 1 from open_run where task = ?1 and run = ?2")?;
        Ok(find.exists(params![task.id, run.as_bytes()])?)
    }

    fn write(&mut self, task: Task, record: &Record) -> Result<Seq, Failure> {
        let id = match task.id {
            Some(id) => id,
            None => self
                .connection
                .prepare_cached("insert into task (name) values (?1)")?
                .insert([&record.task])?,
        };
        let details = record.details.as_deref();
        let number = self
            .connection
            .prepare_cached(
                "insert into record (task, run, action, at, started, due, node, reason, output)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .insert(params![
                id,
                record.run.as_bytes(),
                record.action as i64,
                record.at.as_micros(),
                record.started.as_micros(),
                record.due.map(redengine_core::Timestamp::as_micros),
                details.and_then(|details| details.node.as_ref()),
                details.and_then(|details| details.reason.as_ref()),
                details.and_then(|details| details.output.as_ref()),
            ])?;
        self.note_hour(number, record)?;
        self.count(id, number, record)?;
        self.open_or_close(id, number, record)?;
        let seq = seq(number)?;
        self.tasks.insert(Arc::clone(&record.task), Task { id: Some(id), latest: Some(seq) });
        Ok(seq)
    }

    fn note_hour(&mut self, number: i64, record: &Record) -> Result<(), Failure> {
        let hour = schema::hour(record.at);
        if self.hour != Some(hour) {
            self.connection
                .prepare_cached("insert or ignore into hour (hour, first) values (?1, ?2)")?
                .execute([hour, number])?;
            self.hour = Some(hour);
        }
        Ok(())
    }

    fn count(&self, task: i64, number: i64, record: &Record) -> Result<(), Failure> {
        self.connection
            .prepare_cached(
                "insert into tally (task, action, count, streak, last, top, top_started)
                 values (?1, ?2, 1, 1, ?3, ?3, ?4)
                 on conflict do update set
                    count = count + 1,
                    streak = streak + 1,
                    last = excluded.last,
                    top = iif(excluded.top_started >= top_started, excluded.top, top),
                    top_started = max(top_started, excluded.top_started)",
            )?
            .execute(params![task, record.action as i64, number, record.started.as_micros()])?;
        if record.action.ends() && record.action != Action::Fail {
            self.connection
                .prepare_cached(
                    "update tally set streak = 0 where task = ?1 and action = ?2 and streak > 0",
                )?
                .execute(params![task, Action::Fail as i64])?;
        }
        Ok(())
    }

    fn open_or_close(&self, task: i64, number: i64, record: &Record) -> Result<(), Failure> {
        let run = record.run.as_bytes();
        if record.action.ends() {
            let closed = self
                .connection
                .prepare_cached("delete from open_run where task = ?1 and run = ?2")?
                .execute(params![task, run])?;
            if closed == 0 {
                // It is not open, or was begun by another task.
                self.connection
                    .prepare_cached(
                        "delete from open_run where run = ?1 and task in (
                            select task from record indexed by record_run
                            where run = ?1 and action = 0
                         )",
                    )?
                    .execute([run])?;
            }
        } else {
            // A run of which an end came first never opens.
            self.connection
                .prepare_cached(
                    "insert into open_run (task, run, seq) select ?1, ?2, ?3
                     where not exists (
                        select 1 from record indexed by record_run where run = ?2 and action > 0
                     )",
                )?
                .execute(params![task, run, number])?;
        }
        Ok(())
    }
}

pub(super) fn seq(number: i64) -> Result<Seq, Failure> {
    u64::try_from(number)
        .map(Seq)
        .map_err(|_| Failure::Corrupt(format!("there is a record with the number {number}")))
}
