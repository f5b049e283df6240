//! The ledger and what it is made from: a copy that was written down, and the records after it.
//!
//! Always: the ledger is the fold of all records up to its last. Records that were pruned are below
//! the number that the copy is of, so whoever is behind that number begins again with the copy. So does
//! whoever finds another record under its last number, or none: the log was restored from a backup.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Record, RunId, Seq};
use tokio_postgres::Row;
use uuid::Uuid;

use super::address::{Address, Lock};
use super::connect::{Connection, Parameters};
use super::error::Failure;
use super::{row, schema, text};
use crate::ledger::{Ledger, Tally, TaskLedger};

/// So many records are folded in with one statement.
pub(super) const PAGE: i64 = 16_384;

/// A ledger is written down again after so many records: so many are folded in by who opens the log.
const COPY_AFTER: u64 = 32_768;

/// So many tasks are written down with one statement.
const COPIED: usize = 8192;

/// What others wrote after the last known record, with that one and the nodes whose leases have ended.
macro_rules! news {
    ($with:literal, $ended:literal) => {
        concat!(
            $with,
            " select version, copied, pruned, (select id from task order by id desc limit 1), ",
            $ended,
            ", seq, task, run, action, started
             from state left join (
                select seq, task, run, action, started from record
                where seq >= $1 order by seq limit $2
             ) as news on true
             order by seq"
        )
    };
}

const STATE: &str = "select version, copied, pruned from state";

/// What others wrote, all of one moment: the state, the greatest number of a task, those of some
/// nodes whose leases have ended, and the records.
///
/// The leases cannot change until the transaction ends: one ends either before an append, which
/// fails then, or after it, and who ended it finds the run in the log.
pub(super) const NEWS: &str = news!(
    "with looked as (
        select node, fenced is null and until > clock_timestamp() as is_there from lease
        where node = any($3) order by node for share
     )",
    "(select array_agg(node) from looked where not is_there)"
);

/// The same without the leases: a standby locks no rows, and nor may a user who may only read.
const NEWS_FOR_READERS: &str = news!("", "null::text[]");

const TASKS: &str = "select id, name from task where id > $1 order by id";

/// The ledger, and the numbers that the database knows things by.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) ledger: Ledger,
    /// The names of all tasks, by their numbers.
    names: HashMap<i64, Arc<str>>,
    /// The greatest number of a task.
    last_task: i64,
    /// The number that the copy is of, as far as is known.
    copied: u64,
    /// The nodes that have begun runs here: their leases are looked at with each append.
    pub(super) nodes: BTreeSet<String>,
    /// The hour of the last record, if it was written here and is open in the table of hours.
    pub(super) hour: Option<i64>,
}

/// Whether more is to be folded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// All is folded in that was there.
    Up,
    /// There is more.
    More,
    /// Some records that are missing were pruned, or what was folded in is not in the log any more:
    /// begin again with the copy.
    Behind,
}

impl Books {
    /// Reads the copy, and folds in what came after it.
    pub(super) async fn open(connection: &mut Connection) -> Result<Self, Failure> {
        loop {
            let mut books = Self::read_copy(connection).await?;
            if books.catch_up(connection).await? {
                return Ok(books);
            }
        }
    }

    async fn read_copy(connection: &mut Connection) -> Result<Self, Failure> {
        const TALLIES: &str =
            "select task, action, count, streak, last, top, top_started from tally";
        const OPEN: &str = "select task, seq, run from open_run order by task, seq";
        const ENDED: &str = "select run from ended_run";

        // One moment for all of it; and it is all that is in these tables, so no index helps.
        let begin =
            "begin isolation level repeatable read read only; set local enable_seqscan to on";
        connection.run_all(begin).await?;
        let state = connection.row(STATE, &[]).await?;
        let tasks = connection.rows(TASKS, &[&0_i64]).await?;
        let tallies = connection.rows(TALLIES, &[]).await?;
        let open = connection.rows(OPEN, &[]).await?;
        let ended = connection.rows(ENDED, &[]).await?;
        connection.run_all("commit").await?;

        let mut books = Self::default();
        books.check(&state)?;
        let mut of_task: HashMap<i64, TaskLedger> = HashMap::with_capacity(tasks.len());
        for row in &tasks {
            let (id, name) = books.note_task(row)?;
            of_task.insert(id, TaskLedger::new(name, id));
        }
        let unknown = |id: i64| Failure::Corrupt(format!("there is no task {id}"));
        for row in &tallies {
            let id: i64 = row.try_get(0)?;
            let task = of_task.get_mut(&id).ok_or_else(|| unknown(id))?;
            let action = row::action(row.try_get(1)?).map_err(Failure::Corrupt)?;
            let last = row::seq(row.try_get(4)?)?;
            task.latest = task.latest.max(Some(last));
            // OK because nothing is counted below zero.
            task.failures = task.failures.max(row.try_get::<_, i64>(3)?.cast_unsigned());
            let top = (Timestamp::from_micros(row.try_get(6)?), row::seq(row.try_get(5)?)?);
            let count = row.try_get::<_, i64>(2)?.cast_unsigned();
            task.tallies.push(Tally { action, count, last, top });
        }
        for row in &open {
            let id: i64 = row.try_get(0)?;
            let task = of_task.get_mut(&id).ok_or_else(|| unknown(id))?;
            task.open.push((row::seq(row.try_get(1)?)?, run(row, 2)?));
        }
        let mut tasks: Vec<TaskLedger> = of_task.into_values().collect();
        tasks.sort_by_key(|task| task.id);
        books.ledger = Ledger::restored(Seq(books.copied), tasks);
        for row in &ended {
            books.ledger.note_ended(run(row, 0)?);
        }
        Ok(books)
    }

    /// Folds in all that is there; `false`: some of it was pruned.
    pub(super) async fn catch_up(&mut self, connection: &mut Connection) -> Result<bool, Failure> {
        loop {
            let after = row::number(self.ledger.last());
            let news = connection.rows(NEWS_FOR_READERS, &[&after, &PAGE]).await?;
            match self.fold(connection, &news).await? {
                Caught::Up => return Ok(true),
                Caught::More => {}
                Caught::Behind => return Ok(false),
            }
        }
    }

    /// Folds in what others wrote: the rows of [`NEWS`].
    pub(super) async fn fold(
        &mut self,
        connection: &mut Connection,
        news: &[Row],
    ) -> Result<Caught, Failure> {
        let missing = || Failure::Corrupt("its table `state` is empty".to_owned());
        let state = news.first().ok_or_else(missing)?;
        let pruned = self.check(state)?;
        if Seq(pruned) > self.ledger.last() {
            return Ok(Caught::Behind);
        }
        // New tasks are rare. Those of the records are there when these are.
        if state.try_get::<_, Option<i64>>(3)? > Some(self.last_task) {
            for row in &connection.rows(TASKS, &[&self.last_task]).await? {
                let (id, name) = self.note_task(row)?;
                self.ledger.set_id(&name, id);
            }
        }
        let mut records = 0;
        for row in news {
            // Without a record, there is one row all the same.
            let Some(number) = row.try_get::<_, Option<i64>>(5)? else { break };
            records += 1;
            let corrupt = |what| Failure::Corrupt(format!("record {number} is corrupt: {what}"));
            let (seq, run) = (row::seq(number)?, run(row, 7)?);
            let action = row::action(row.try_get(8)?).map_err(corrupt)?;
            if records == 1 && !self.ledger.goes_on(Some((seq, run, action))) {
                return Ok(Caught::Behind);
            }
            if seq == self.ledger.last() {
                continue;
            }
            let id: i64 = row.try_get(6)?;
            let name = self.names.get(&id);
            let name = name.ok_or_else(|| corrupt(format!("there is no task {id}")))?;
            let started = Timestamp::from_micros(row.try_get(9)?);
            let record = Record {
                task: Arc::clone(name),
                run,
                action,
                // A ledger does not look at the others.
                at: started,
                started,
                due: None,
                details: None,
            };
            self.ledger.fold(seq, &record);
            // Others may have noted that it is ahead.
            self.hour = None;
        }
        if records == 0 && !self.ledger.goes_on(None) {
            return Ok(Caught::Behind);
        }
        Ok(if records == PAGE { Caught::More } else { Caught::Up })
    }

    /// Tells the number of a task, and gives it one if it has none.
    pub(super) fn task(&mut self, name: &Arc<str>) -> (i64, IsNew) {
        match self.ledger.task(name).map_or(0, |task| task.id) {
            0 => {
                self.last_task += 1;
                self.ledger.set_id(name, self.last_task);
                self.names.insert(self.last_task, Arc::clone(name));
                (self.last_task, IsNew::Yes)
            }
            id => (id, IsNew::No),
        }
    }

    /// Checks the version; tells below which number records may have been pruned.
    fn check(&mut self, state: &Row) -> Result<u64, Failure> {
        let version: i32 = state.try_get(0)?;
        if version != schema::VERSION {
            return Err(Failure::Version(version));
        }
        self.copied = row::seq(state.try_get(1)?)?.0;
        Ok(row::seq(state.try_get(2)?)?.0)
    }

    fn note_task(&mut self, row: &Row) -> Result<(i64, Arc<str>), Failure> {
        let id: i64 = row.try_get(0)?;
        let name: Arc<str> = text::decode(row.try_get(1)?).into();
        self.names.insert(id, Arc::clone(&name));
        self.last_task = self.last_task.max(id);
        Ok((id, name))
    }

    /// Tells whether it is time to write the ledger down.
    pub(super) fn is_copy_due(&self) -> bool {
        self.ledger.last().0 >= self.copied + COPY_AFTER
    }

    /// Writes down the tasks that changed, unless somebody has written down as much.
    ///
    /// What has changed is all since this ledger was opened or written down by us. So it is all
    /// since the copy that is there, which is not older than either.
    pub(super) async fn copy(
        &mut self,
        connection: &mut Connection,
        address: &Address,
    ) -> Result<(), Failure> {
        const TALLIES: &str =
            "insert into tally (task, action, count, streak, last, top, top_started)
             select * from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[],
                $5::bigint[], $6::bigint[], $7::bigint[])
             on conflict (task, action) do update set count = excluded.count,
                streak = excluded.streak, last = excluded.last, top = excluded.top,
                top_started = excluded.top_started";
        const CLOSE: &str = "delete from open_run where task = any($1)";
        const OPEN: &str = "insert into open_run (task, seq, run)
             select * from unnest($1::bigint[], $2::bigint[], $3::uuid[])";
        const ENDED: &str = "insert into ended_run (run)
             select * from unnest($1::uuid[]) on conflict do nothing";
        const COPIED_UP_TO: &str = "update state set copied = $1";

        let last = self.ledger.last();
        let begin = address.begin(&[Lock::Copy]);
        connection.run_all(&begin).await?;
        let state = connection.row(STATE, &[]).await?;
        self.check(&state)?;
        if self.copied >= last.0 {
            return connection.run_all("rollback").await;
        }
        for tasks in self.ledger.take_changed().chunks(COPIED) {
            let copied = Copied::of(tasks);
            let columns = &copied.tallies;
            let parameters: Parameters<'_> = &[
                &columns.0, &columns.1, &columns.2, &columns.3, &columns.4, &columns.5, &columns.6,
            ];
            connection.run(TALLIES, parameters).await?;
            connection.run(CLOSE, &[&copied.ids]).await?;
            let (tasks, seqs, runs) = &copied.open;
            connection.run(OPEN, &[tasks, seqs, runs]).await?;
        }
        let ended = self.ledger.ended().map(|run| Uuid::from_bytes(*run.as_bytes()));
        connection.run(ENDED, &[&ended.collect::<Vec<Uuid>>()]).await?;
        connection.run(COPIED_UP_TO, &[&row::number(last)]).await?;
        connection.run_all("commit").await?;
        self.copied = last.0;
        Ok(())
    }
}

/// Whether a task has no row yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsNew {
    Yes,
    No,
}

/// Some tasks of a ledger, column by column.
#[derive(Default)]
struct Copied {
    ids: Vec<i64>,
    #[allow(clippy::type_complexity, reason = "the columns of `tally`")]
    tallies: (Vec<i64>, Vec<i16>, Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>),
    open: (Vec<i64>, Vec<i64>, Vec<Uuid>),
}

impl Copied {
    fn of(tasks: &[&TaskLedger]) -> Self {
        let mut copied = Self::default();
        for task in tasks {
            copied.ids.push(task.id);
            for tally in &task.tallies {
                let is_failure = tally.action == redengine_core::record::Action::Fail;
                let streak = if is_failure { task.failures } else { 0 };
                let columns = &mut copied.tallies;
                columns.0.push(task.id);
                columns.1.push(tally.action as i16);
                columns.2.push(tally.count.cast_signed());
                columns.3.push(streak.cast_signed());
                columns.4.push(row::number(tally.last));
                columns.5.push(row::number(tally.top.1));
                columns.6.push(tally.top.0.as_micros());
            }
            for (seq, run) in &task.open {
                copied.open.0.push(task.id);
                copied.open.1.push(row::number(*seq));
                copied.open.2.push(Uuid::from_bytes(*run.as_bytes()));
            }
        }
        copied
    }
}

fn run(row: &Row, place: usize) -> Result<RunId, Failure> {
    Ok(RunId::from_bytes(row.try_get::<_, Uuid>(place)?.into_bytes()))
}
