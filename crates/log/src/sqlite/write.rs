//! What changes the file, each in one transaction.
//!
//! A transaction takes the write lock before it looks at anything, so what it decides by cannot
//! change under it, neither in this process nor in another. It decides by the ledger, in memory;
//! only what the ledger cannot know is looked up: a record that is repeated.

use std::path::Path;

use redengine_core::record::{Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Append, Appended, LogError};
use rusqlite::{CachedStatement, Connection, TransactionBehavior, params};

use super::error::Failure;
use super::hours;
use super::kept::Kept;
use super::origin::Origin;
use super::row::{self, COLUMNS, Names, number};
use crate::causes;
use crate::hours::hour;
use crate::import::{check_order, refuse_repeated};
use crate::queue::{Answers, Group, Write as QueueWrite};

/// The connection that writes, and what it knows of the file.
pub(super) struct Writer {
    connection: Connection,
    origin: Origin,
    /// `None`: it is not known; the last transaction failed, or there was none.
    kept: Option<Kept>,
    /// The hour of the last record, if we wrote it: others may have noted that it is ahead.
    hour: Option<i64>,
}

impl Writer {
    pub(super) fn new(connection: Connection, origin: Origin) -> Self {
        Self { connection, origin, kept: None, hour: None }
    }

    /// Writes what another log has recorded; tells the last number then.
    pub(super) fn import(&mut self, records: &[Recorded]) -> Result<Seq, Failure> {
        let imported = self.write(|write| {
            check_order(write.kept.ledger.last(), records)?;
            records.iter().try_for_each(|recorded| write.import(recorded))
        });
        imported.map(|((), last)| last)
    }

    /// Removes records; tells how many were there.
    pub(super) fn remove(&mut self, seqs: &[Seq]) -> Result<u64, Failure> {
        let Some(last) = seqs.iter().max() else { return Ok(0) };
        let removed = self.write(|Write { transaction, kept, .. }| {
            kept.copy_from(*last, transaction)?;
            transaction
                .prepare_cached("update ledger set pruned = max(pruned, ?1)")?
                .execute([number(*last)])?;
            let mut delete = transaction.prepare_cached("delete from record where seq = ?1")?;
            let mut removed = 0;
            for seq in seqs {
                removed += delete.execute([number(*seq)])? as u64;
            }
            Ok(removed)
        });
        removed.map(|(removed, _)| removed)
    }

    /// Gives the room of removed records back.
    pub(super) fn compact(&mut self) -> Result<(), Failure> {
        self.origin.check()?;
        self.connection.execute_batch("vacuum")?;
        // All of the file has gone through the write-ahead log. Who reads may keep it from being
        // cut off now; then it is later.
        self.connection.query_row("pragma wal_checkpoint(truncate)", (), |_| Ok(()))?;
        Ok(())
    }

    /// Does something in a transaction; tells the last number then.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Failure>,
    ) -> Result<(T, Seq), Failure> {
        self.origin.check()?;
        // Who fails on the way leaves nothing that could be wrong.
        let (kept, hour) = (self.kept.take(), self.hour.take());
        let known = kept.as_ref().map(Kept::data_version);
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let kept = Kept::current(kept, &transaction)?;
        let hour = hour.filter(|_| known == Some(kept.data_version()));
        let (done, kept, hour) = {
            let statements = Statements::new(&transaction)?;
            let mut write = Write { transaction: &transaction, statements, kept, hour };
            let done = work(&mut write)?;
            if write.kept.is_copy_due() {
                write.kept.write_down(&transaction)?;
            }
            (done, write.kept, write.hour)
        };
        transaction.commit()?;
        let last = kept.ledger.last();
        (self.kept, self.hour) = (Some(kept), hour);
        Ok((done, last))
    }
}

impl QueueWrite for Writer {
    type Failure = Failure;

    fn append(&mut self, group: Group) -> Result<(Answers, Seq), Failure> {
        self.write(|write| {
            let answer =
                |batch: Vec<Append>| batch.into_iter().map(|one| write.append(one)).collect();
            group.into_iter().map(answer).collect()
        })
    }

    /// Writes the ledger down, so that the next one who opens the file need not read what came since.
    fn close(&mut self) -> Result<(), Failure> {
        /// Fewer are read faster than this is written.
        const FEW: u64 = 1000;
        if self.kept.as_ref().is_some_and(|kept| kept.since_copy() > FEW) {
            // Nobody should wait for what is only a convenience.
            self.connection.busy_timeout(std::time::Duration::ZERO)?;
            self.write(|Write { transaction, kept, .. }| kept.write_down(transaction))?;
        }
        Ok(())
    }

    fn explain(failure: Failure, doing: &str, path: &Path) -> LogError {
        failure.explain(doing, path)
    }
}

/// The statements of an append, which are looked up once in a transaction.
struct Statements<'a> {
    insert: CachedStatement<'a>,
    find: CachedStatement<'a>,
}

impl<'a> Statements<'a> {
    fn new(transaction: &'a Connection) -> rusqlite::Result<Self> {
        let insert = transaction.prepare_cached(
            "insert into record (seq, task, run, action, at, started, due, node, reason, output,
                attempt, params, trace, causes)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             on conflict (run, action) do nothing",
        )?;
        let find = transaction.prepare_cached(&format!(
            "select {COLUMNS} from record indexed by record_run where run = ?1 and action = ?2"
        ))?;
        Ok(Self { insert, find })
    }
}

/// A transaction.
struct Write<'a> {
    transaction: &'a Connection,
    statements: Statements<'a>,
    kept: Kept,
    hour: Option<i64>,
}

impl Write<'_> {
    fn append(&mut self, Append { record, expect }: Append) -> Result<Appended, Failure> {
        if self.kept.ledger.is_expected(&record, expect) {
            let seq = Seq(self.kept.ledger.last().0 + 1);
            if self.insert(seq, &record)? {
                return Ok(Appended::Won(Recorded { seq, record }));
            }
        }
        // It may be there already: what was said and not heard is said again.
        let there = self.find(&record)?;
        Ok(there.map_or(Appended::Lost, Appended::Won))
    }

    fn import(&mut self, recorded: &Recorded) -> Result<(), Failure> {
        if self.insert(recorded.seq, &recorded.record)? {
            Ok(())
        } else {
            Err(refuse_repeated(recorded).into())
        }
    }

    /// Writes a record, unless its run has one of its action.
    fn insert(&mut self, seq: Seq, record: &Record) -> Result<bool, Failure> {
        let known = self.kept.ledger.task(&record.task).map(|task| task.id);
        let is_new = known.is_none();
        let task = known.map_or_else(|| self.new_task(record), Ok)?;
        let details = record.details.as_deref();
        let attempt = details.and_then(|details| details.attempt);
        let inserted = self.statements.insert.execute(params![
            number(seq),
            task,
            record.run.as_bytes(),
            record.action as i64,
            record.at.as_micros(),
            record.started.as_micros(),
            record.due.map(redengine_core::Timestamp::as_micros),
            details.and_then(|details| details.node.as_ref()),
            causes::message(details),
            details.and_then(|details| details.output.as_ref()),
            attempt.map(|attempt| i64::try_from(attempt).unwrap_or(i64::MAX)),
            details.and_then(|details| details.params.as_ref()),
            details.and_then(|details| details.trace.as_ref()),
            causes::encode(details),
        ])?;
        if inserted == 0 {
            return Ok(false);
        }
        let hour = hour(record.at);
        if self.hour != Some(hour) {
            hours::enter(self.transaction, hour, seq)?;
            self.hour = Some(hour);
        }
        self.kept.ledger.fold(seq, record);
        if is_new {
            self.kept.ledger.set_id(&record.task, task);
        }
        Ok(true)
    }

    /// Gives a record's task a number, unless a record that was not written after all did so.
    fn new_task(&self, record: &Record) -> Result<i64, Failure> {
        let mut name = self.transaction.prepare_cached(
            "insert into task (name) values (?1) on conflict (name) do update set name = name
             returning id",
        )?;
        Ok(name.query_row([&record.task], |row| row.get(0))?)
    }

    /// Finds the record of a run and an action.
    fn find(&mut self, Record { run, action, .. }: &Record) -> Result<Option<Recorded>, Failure> {
        let run: &RunId = run;
        let mut rows = self.statements.find.query(params![run.as_bytes(), *action as i64])?;
        match rows.next()? {
            Some(row) => row::recorded(self.transaction, &mut Names::default(), row).map(Some),
            None => Ok(None),
        }
    }
}
