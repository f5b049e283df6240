//! Reading records.
//!
//! A query is a walk along the records by number, or one for each task and action that it names,
//! and no walk goes on when as many are found as are asked for. Which index it goes along is said
//! in the statement: without statistics SQLite guesses, and a wrong guess is a scan of the whole
//! history. Times are not indexed; they say from which number on to look.
//!
//! All statements of one call see the same state of the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{Order, Past, PastOf, Query};
use rusqlite::{Connection, OptionalExtension, ToSql, named_params};

use super::error::Failure;
use super::row::{self, COLUMNS, Names};
use super::schema::hour;
use super::write::seq;

pub(super) fn last_seq(connection: &Connection) -> Result<Seq, Failure> {
    let mut max = connection.prepare_cached("select max(seq) from record")?;
    let last: Option<i64> = max.query_row((), |row| row.get(0))?;
    seq(last.unwrap_or(0))
}

pub(super) fn read(connection: &mut Connection, query: &Query) -> Result<Vec<Recorded>, Failure> {
    let transaction = connection.transaction()?;
    let records = Reading::new(&transaction, query).read();
    transaction.finish()?;
    records
}

pub(super) fn past(connection: &mut Connection, of: &[PastOf]) -> Result<Vec<Past>, Failure> {
    let transaction = connection.transaction()?;
    let pasts = of.iter().map(|of| past_of(&transaction, of)).collect();
    transaction.finish()?;
    pasts
}

/// What a walk goes along.
#[derive(Clone, Copy)]
enum Walk {
    /// All records by number.
    All,
    /// Those of a run.
    Run,
    /// Those of an action of a task by number.
    Action { task: i64, action: Action },
}

impl Walk {
    fn select(self, order: Order) -> String {
        let along = match self {
            Self::All => "record where true",
            Self::Run => "record indexed by record_run where run = :run",
            Self::Action { .. } => {
                "record indexed by record_action where task = :task and action = :action"
            }
        };
        let direction = match order {
            Order::Oldest => "asc",
            Order::Newest => "desc",
        };
        format!(
            "select {COLUMNS} from {along} and seq > :after and seq < :before
             and at >= :from and at <= :until and (:actions < 0 or (:actions >> action) & 1)
             order by seq {direction} limit :limit"
        )
    }
}

struct Reading<'a> {
    connection: &'a Connection,
    query: &'a Query,
    names: Names,
    /// No number that is wanted is as small as this.
    after: i64,
    found: Vec<Recorded>,
}

impl<'a> Reading<'a> {
    fn new(connection: &'a Connection, query: &'a Query) -> Self {
        // Numbers are those of rows, so none is above `i64::MAX`.
        let after = query.after.map_or(i64::MIN, number);
        Self { connection, query, names: Names::default(), after, found: Vec::new() }
    }

    fn read(mut self) -> Result<Vec<Recorded>, Failure> {
        let Query { tasks, actions, run, after, from, until, limit, .. } = self.query;
        if *limit == Some(0) || until.is_some_and(|until| until.as_micros() == i64::MIN) {
            return Ok(Vec::new());
        }
        if run.is_some() {
            self.walk(Walk::Run)?;
            let query = self.query;
            self.found.retain(|recorded| query.matches(recorded));
            self.found.truncate(limit.unwrap_or(usize::MAX));
            return Ok(self.found);
        }
        if let Some(from) = from {
            match self.first_since(*from)? {
                Some(first) => self.after = self.after.max(first.saturating_sub(1)),
                None => return Ok(self.found),
            }
        }
        // Rare actions of all tasks are found sooner task by task than among all records.
        if tasks.is_none() && (actions.is_empty() || after.is_some() || from.is_some()) {
            self.walk(Walk::All)?;
            return Ok(self.found);
        }
        let is_wanted = |action: &Action| actions.is_empty() || actions.contains(action);
        for task in self.tasks()? {
            for action in Action::ALL.into_iter().filter(is_wanted) {
                self.walk(Walk::Action { task, action })?;
            }
        }
        self.settle();
        Ok(self.found)
    }

    /// The smallest number that a record at or after an instant can have.
    fn first_since(&self, from: Timestamp) -> Result<Option<i64>, Failure> {
        // Not simply the first of its hour: a clock may step back.
        let select = "select min(first) from hour where hour >= ?1";
        Ok(self.connection.prepare_cached(select)?.query_row([hour(from)], |row| row.get(0))?)
    }

    /// The numbers of the tasks that are asked for.
    fn tasks(&mut self) -> Result<Vec<i64>, Failure> {
        let mut ids = Vec::new();
        if let Some(names) = &self.query.tasks {
            for name in names {
                if let Some(id) = task_id(self.connection, name)? {
                    self.names.insert(id, Arc::clone(name));
                    ids.push(id);
                }
            }
            ids.sort_unstable();
            ids.dedup();
        } else {
            let mut all = self.connection.prepare_cached("select id from task")?;
            for id in all.query_map((), |row| row.get(0))? {
                ids.push(id?);
            }
        }
        Ok(ids)
    }

    /// Adds what a walk finds, in the query's order.
    fn walk(&mut self, walk: Walk) -> Result<(), Failure> {
        let Query { actions, run, from, until, limit, order, .. } = self.query;
        let mut after = self.after;
        let mut before = i64::MAX;
        // Once there are enough, only what is nearer than the farthest of them is of use.
        if let Some(limit) = *limit
            && self.found.len() >= limit
        {
            self.settle();
            match (order, self.found.last()) {
                (Order::Oldest, Some(last)) => before = number(last.seq),
                (Order::Newest, Some(last)) => after = after.max(number(last.seq)),
                (_, None) => {}
            }
        }
        let from = from.map_or(i64::MIN, Timestamp::as_micros);
        let until = until.map_or(i64::MAX, |until| until.as_micros().saturating_sub(1));
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1));
        let mask = actions.iter().fold(0_i64, |mask, action| mask | 1 << *action as i64);
        let mask = if actions.is_empty() { -1 } else { mask };
        let run = run.map(|run| *run.as_bytes());
        let mut parameters: Vec<(&str, &dyn ToSql)> = named_params! {
            ":after": after, ":before": before, ":from": from, ":until": until,
            ":actions": mask, ":limit": limit,
        }
        .to_vec();
        let action_number;
        match &walk {
            Walk::All => {}
            Walk::Run => parameters.push((":run", &run)),
            Walk::Action { task, action } => {
                action_number = *action as i64;
                parameters.push((":task", task));
                parameters.push((":action", &action_number));
            }
        }
        let mut statement = self.connection.prepare_cached(&walk.select(*order))?;
        let mut rows = statement.query(&*parameters)?;
        while let Some(row) = rows.next()? {
            self.found.push(row::recorded(self.connection, &mut self.names, row)?);
        }
        Ok(())
    }

    /// Puts what several walks found in order and leaves as many as are asked for.
    fn settle(&mut self) {
        match self.query.order {
            Order::Oldest => self.found.sort_by_key(|recorded| recorded.seq),
            Order::Newest => self.found.sort_by_key(|recorded| std::cmp::Reverse(recorded.seq)),
        }
        self.found.truncate(self.query.limit.unwrap_or(usize::MAX));
    }
}

fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn task_id(connection: &Connection, name: &str) -> Result<Option<i64>, Failure> {
    let mut find = connection.prepare_cached("select id from task where name = ?1")?;
    Ok(find.query_row([name], |row| row.get(0)).optional()?)
}

fn past_of(connection: &Connection, PastOf { task, keep }: &PastOf) -> Result<Past, Failure> {
    let mut past = Past::default();
    let Some(id) = task_id(connection, task)? else { return Ok(past) };
    let mut wanted: Vec<i64> = Vec::new();

    let mut tallies = connection
        .prepare_cached("select action, count, streak, last, top from tally where task = ?1")?;
    let mut rows = tallies.query([id])?;
    while let Some(row) = rows.next()? {
        let (action, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        let streak: i64 = row.get(2)?;
        let corrupt = || Failure::Corrupt(format!("the tally of task {id} is corrupt"));
        let place = usize::try_from(action).map_err(|_| corrupt())?;
        *past.counts.get_mut(place).ok_or_else(corrupt)? =
            u64::try_from(count).map_err(|_| corrupt())?;
        if action == Action::Fail as i64 {
            past.failures = u64::try_from(streak).map_err(|_| corrupt())?;
        }
        wanted.extend([row.get::<_, i64>(3)?, row.get(4)?]);
    }
    let mut open =
        connection.prepare_cached("select seq from open_run where task = ?1 order by seq")?;
    for number in open.query_map([id], |row| row.get(0))? {
        let number = number?;
        wanted.push(number);
        past.open.push(seq(number)?);
    }

    let mut records: BTreeMap<Seq, Recorded> = BTreeMap::new();
    for action in Action::ALL.into_iter().filter(|action| keep.count(*action) > 1) {
        let newest = Query::task(Arc::clone(task)).actions([action]).newest_first();
        let newest = newest.limit(keep.count(action));
        let latest = Reading::new(connection, &newest).read()?;
        records.extend(latest.into_iter().map(|recorded| (recorded.seq, recorded)));
    }
    let mut names = Names::default();
    names.insert(id, Arc::clone(task));
    let mut find =
        connection.prepare_cached(&format!("select {COLUMNS} from record where seq = ?1"))?;
    for number in wanted {
        let seq = seq(number)?;
        if records.contains_key(&seq) {
            continue;
        }
        let mut rows = find.query([number])?;
        let row = rows
            .next()?
            .ok_or_else(|| Failure::Corrupt(format!("record {number} of task {id} is missing")))?;
        records.insert(seq, row::recorded(connection, &mut names, row)?);
    }
    past.records = records.into_values().collect();
    Ok(past)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::super::{Synchronous, schema};
    use super::*;

    fn plan(connection: &Connection, select: &str) -> Vec<String> {
        let mut explain = connection.prepare(&format!("explain query plan {select}")).unwrap();
        let mut steps = explain.raw_query();
        std::iter::from_fn(|| steps.next().unwrap().map(|row| row.get(3).unwrap())).collect()
    }

    #[test]
    fn a_walk_looks_at_nothing_that_it_does_not_want() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::create(&mut connection).unwrap();
        let task = 1;
        let action = Action::Fail;
        for order in [Order::Oldest, Order::Newest] {
            for (walk, wanted) in [
                (Walk::All, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
                (Walk::Run, "USING INDEX record_run (run=?)"),
                (
                    Walk::Action { task, action },
                    "USING INDEX record_action (task=? AND action=? AND rowid>? AND rowid<?)",
                ),
            ] {
                let plan = plan(&connection, &walk.select(order));
                assert_eq!(plan[0], format!("SEARCH record {wanted}"));
                // Those of a run are put in order, all others are in order.
                assert_eq!(plan.len() > 1, matches!(walk, Walk::Run), "{plan:?}");
            }
        }
    }

    #[test]
    fn no_statement_is_compiled_again_for_other_parameters() {
        let folder = tempfile::tempdir().unwrap();
        let timeout = std::time::Duration::ZERO;
        let file = folder.path().join("runs.db");
        let (_, mut reader) =
            super::super::open::open(&file, Synchronous::Normal, timeout).unwrap();
        let statement = Walk::All.select(Order::Oldest);
        for limit in 1_u8..5 {
            read(&mut reader, &Query::all().after(Seq(limit.into())).limit(limit.into())).unwrap();
        }
        let statement = reader.prepare_cached(&statement).unwrap();
        assert_eq!(statement.get_status(StatementStatus::Run), 4);
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
