//! The ledger of a file: kept up with it in memory, and written down in it from time to time.
//!
//! Always, in the file: the copy is the ledger as of record `ledger.last`, and no record after that
//! is ever removed; so whoever opens the file has the ledger from the copy and the records after
//! it, however many there are before. In memory: a [`Kept`] is right about what the transaction
//! sees in which it was last brought up, and a transaction that fails takes it along.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Record, RunId, Seq};
use rusqlite::{Connection, params};

use super::error::Failure;
use super::row::{self, Names, number, seq};
use super::schema;
use crate::ledger::{Ledger, Tally, TaskLedger};

/// After so many records the copy is written anew: what opening a file has to fold in at most.
const COPY_EVERY: u64 = 50_000;

/// A ledger that is kept up with a file.
pub(super) struct Kept {
    pub(super) ledger: Ledger,
    /// As of which record the copy in the file is, as far as is known here.
    copied: Seq,
    /// What SQLite says of the file; it is something else after somebody else has written.
    data_version: i64,
}

impl Kept {
    /// Takes a ledger up to what the transaction sees, or makes it if there is none.
    pub(super) fn current(kept: Option<Self>, transaction: &Connection) -> Result<Self, Failure> {
        let data_version =
            transaction.prepare_cached("pragma data_version")?.query_row((), |row| row.get(0))?;
        let Some(mut kept) = kept else { return Self::load(transaction, data_version) };
        if kept.data_version != data_version {
            schema::check_version(transaction)?;
            let (copied, pruned) = marks(transaction)?;
            if pruned > kept.ledger.last() {
                // Some of what is missing here is in the copy only.
                return Self::load(transaction, data_version);
            }
            kept.copied = copied;
            if !kept.fold_rest(transaction)? {
                return Self::load(transaction, data_version);
            }
            kept.data_version = data_version;
        }
        Ok(kept)
    }

    /// What SQLite said of the file when this was brought up.
    pub(super) fn data_version(&self) -> i64 {
        self.data_version
    }

    fn load(transaction: &Connection, data_version: i64) -> Result<Self, Failure> {
        schema::check_version(transaction)?;
        let (copied, _) = marks(transaction)?;
        let ledger = copy(transaction, copied)?;
        let mut kept = Self { ledger, copied, data_version };
        kept.fold_rest(transaction)?;
        Ok(kept)
    }

    /// Folds in the records that came since; `false`: what was folded in is not in the file any more,
    /// which was restored from a backup.
    fn fold_rest(&mut self, transaction: &Connection) -> Result<bool, Failure> {
        let mut rest = transaction.prepare_cached(
            "select seq, task, run, action, started from record where seq >= ?1 order by seq",
        )?;
        let mut rows = rest.query([number(self.ledger.last())])?;
        let mut names = Names::default();
        let mut is_first = true;
        while let Some(row) = rows.next()? {
            let seq = seq(row.get(0)?)?;
            let corrupt =
                |what: String| Failure::Corrupt(format!("record {seq} is corrupt: {what}"));
            let run = RunId::from_bytes(row.get(2)?);
            let action = row::action(row.get(3)?).map_err(corrupt)?;
            let is_first = std::mem::replace(&mut is_first, false);
            if is_first && !self.ledger.goes_on(Some((seq, run, action))) {
                return Ok(false);
            }
            if seq == self.ledger.last() {
                continue;
            }
            let id: i64 = row.get(1)?;
            let task = names.get(transaction, id)?;
            let task = task.ok_or_else(|| corrupt(format!("there is no task {id}")))?;
            let started = Timestamp::from_micros(row.get(4)?);
            let record =
                Record { run, action, at: started, started, due: None, details: None, task };
            self.ledger.fold(seq, &record);
            if self.ledger.task(&record.task).is_some_and(|task| task.id != id) {
                self.ledger.set_id(&record.task, id);
            }
        }
        Ok(!is_first || self.ledger.goes_on(None))
    }

    /// Tells how many records have come since the copy, about.
    pub(super) fn since_copy(&self) -> u64 {
        self.ledger.last().0 - self.copied.0.min(self.ledger.last().0)
    }

    /// Tells whether it is time to write the ledger down.
    pub(super) fn is_copy_due(&self) -> bool {
        self.since_copy() >= COPY_EVERY
    }

    /// Sees to it that the copy is as of a record or later, so that the record may be removed.
    pub(super) fn copy_from(&mut self, seq: Seq, transaction: &Connection) -> Result<(), Failure> {
        if self.copied < seq { self.write_down(transaction) } else { Ok(()) }
    }

    /// Writes the ledger down: what has changed since this process did so the last time.
    pub(super) fn write_down(&mut self, transaction: &Connection) -> Result<(), Failure> {
        let mut tally = transaction.prepare_cached(
            "insert or replace into ledger_tally
                (task, action, count, streak, last, top, top_started)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let mut close = transaction.prepare_cached("delete from ledger_open where task = ?1")?;
        let mut open = transaction
            .prepare_cached("insert into ledger_open (task, seq, run) values (?1, ?2, ?3)")?;
        for task in self.ledger.take_changed() {
            for Tally { action, count, last, top } in &task.tallies {
                let streak = if *action == Action::Fail { task.failures } else { 0 };
                tally.execute(params![
                    task.id,
                    *action as i64,
                    i64::try_from(*count).unwrap_or(i64::MAX),
                    i64::try_from(streak).unwrap_or(i64::MAX),
                    number(*last),
                    number(top.1),
                    top.0.as_micros(),
                ])?;
            }
            close.execute([task.id])?;
            for (seq, run) in &task.open {
                open.execute(params![task.id, number(*seq), run.as_bytes()])?;
            }
        }
        let mut ended =
            transaction.prepare_cached("insert or ignore into ledger_ended (run) values (?1)")?;
        for run in self.ledger.ended() {
            ended.execute([run.as_bytes()])?;
        }
        transaction
            .prepare_cached("update ledger set last = ?1")?
            .execute([number(self.ledger.last())])?;
        self.copied = self.ledger.last();
        Ok(())
    }
}

/// As of which record the copy is, and the last record that was removed.
fn marks(transaction: &Connection) -> Result<(Seq, Seq), Failure> {
    let mut marks = transaction.prepare_cached("select last, pruned from ledger")?;
    let (last, pruned) = marks.query_row((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((seq(last)?, seq(pruned)?))
}

/// Reads the copy.
fn copy(transaction: &Connection, last: Seq) -> Result<Ledger, Failure> {
    let corrupt =
        |id: i64, what: &str| Failure::Corrupt(format!("the {what} of task {id} is corrupt"));
    let mut tasks: Vec<TaskLedger> = Vec::new();
    let mut places: HashMap<i64, usize> = HashMap::new();
    let mut tallies = transaction.prepare_cached(
        "select id, name, action, count, streak, last, top, top_started
         from ledger_tally join task on task = id",
    )?;
    let mut rows = tallies.query(())?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let place = match places.get(&id) {
            Some(place) => *place,
            None => {
                let name: Arc<str> = row.get(1)?;
                tasks.push(TaskLedger::new(name, id));
                places.insert(id, tasks.len() - 1);
                tasks.len() - 1
            }
        };
        let task = &mut tasks[place];
        let tally = || corrupt(id, "tally");
        let action = row::action(row.get(2)?).map_err(|_| tally())?;
        let (count, streak): (i64, i64) = (row.get(3)?, row.get(4)?);
        let (latest, top) = (seq(row.get(5)?)?, seq(row.get(6)?)?);
        if latest > last || top > latest || top == Seq(0) {
            return Err(tally());
        }
        task.latest = task.latest.max(Some(latest));
        if action == Action::Fail {
            task.failures = u64::try_from(streak).map_err(|_| tally())?;
        }
        task.tallies.push(Tally {
            action,
            count: u64::try_from(count).map_err(|_| tally())?,
            last: latest,
            top: (Timestamp::from_micros(row.get(7)?), top),
        });
    }
    let mut open =
        transaction.prepare_cached("select task, seq, run from ledger_open order by seq")?;
    let mut rows = open.query(())?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let place = *places.get(&id).ok_or_else(|| corrupt(id, "list of open runs"))?;
        tasks[place].open.push((seq(row.get(1)?)?, RunId::from_bytes(row.get(2)?)));
    }
    let mut ledger = Ledger::restored(last, tasks);
    let mut ended = transaction.prepare_cached("select run from ledger_ended")?;
    for run in ended.query_map((), |row| row.get(0))? {
        ledger.note_ended(RunId::from_bytes(run?));
    }
    Ok(ledger)
}
