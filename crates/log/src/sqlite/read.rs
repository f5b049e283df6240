//! Reading records.
//!
//! A query is a walk along the records by number, or one for each task and action that it names,
//! and no walk goes on when as many are found as are asked for. Which index it goes along is said
//! in the statement: without statistics SQLite guesses, and a wrong guess is a scan of the whole
//! history. Times are not indexed; they say from which number on to look.
//!
//! All statements of one call see the same state of the file.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{Order, Past, PastOf, Query};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Rows, ToSql, named_params};

use super::error::Failure;
use super::hours;
use super::kept::Kept;
use super::row::{self, COLUMNS, Names, number, seq};

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

pub(super) fn count(connection: &mut Connection, query: &Query) -> Result<u64, Failure> {
    let mut query = query.clone();
    query.limit = None;
    let transaction = connection.transaction()?;
    let count = Reading::new(&transaction, &query).count();
    transaction.finish()?;
    count
}

/// Tells pasts; the ledger is brought up for it.
pub(super) fn past(
    connection: &mut Connection,
    kept: &mut Option<Kept>,
    of: &[PastOf],
) -> Result<Vec<Past>, Failure> {
    let transaction = connection.transaction()?;
    let current = Kept::current(kept.take(), &transaction)?;
    let pasts = of.iter().map(|of| past_of(&transaction, &current, of)).collect();
    *kept = Some(current);
    transaction.finish()?;
    pasts
}

/// Tells of which tasks runs have not ended; the ledger is brought up for it.
pub(super) fn unfinished(
    connection: &mut Connection,
    kept: &mut Option<Kept>,
) -> Result<Vec<Arc<str>>, Failure> {
    let transaction = connection.transaction()?;
    let current = Kept::current(kept.take(), &transaction)?;
    let unfinished = current.ledger.unfinished();
    *kept = Some(current);
    transaction.finish()?;
    Ok(unfinished)
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
        let direction = match order {
            Order::Oldest => "asc",
            Order::Newest => "desc",
        };
        let along = self.along("record where true");
        format!(
            "select {COLUMNS} from {along} and seq > :after and seq < :before
             and at >= :from and at <= :until and (:actions < 0 or (:actions >> action) & 1)
             order by seq {direction} limit :limit"
        )
    }

    /// Counts without a look at the records themselves, if their times do not matter.
    fn count(self, times: Times) -> String {
        let (along, times) = match times {
            Times::Bounded => ("record where true", "at >= :from and at <= :until"),
            // The smaller of the indices that have all of it.
            Times::Any => ("record indexed by record_action where true", ":from <= :until"),
        };
        let along = self.along(along);
        format!(
            "select count(*) from {along} and seq > :after and seq < :before and {times}
             and (:actions < 0 or (:actions >> action) & 1) limit :limit"
        )
    }

    fn along(self, all: &'static str) -> &'static str {
        match self {
            Self::All => all,
            Self::Run => "record indexed by record_run where run = :run",
            Self::Action { .. } => {
                "record indexed by record_action where task = :task and action = :action"
            }
        }
    }
}

/// Whether the times of records matter.
#[derive(Clone, Copy)]
enum Times {
    Any,
    Bounded,
}

struct Reading<'a> {
    connection: &'a Connection,
    query: &'a Query,
    names: Names,
    /// What is wanted is between two of these, without them; in order.
    ranges: Vec<(i64, i64)>,
    found: Vec<Recorded>,
}

impl<'a> Reading<'a> {
    fn new(connection: &'a Connection, query: &'a Query) -> Self {
        // Numbers are those of rows, so none is above `i64::MAX`.
        let ranges = vec![(query.after.map_or(i64::MIN, number), i64::MAX)];
        Self { connection, query, names: Names::default(), ranges, found: Vec::new() }
    }

    fn read(mut self) -> Result<Vec<Recorded>, Failure> {
        let walks = self.walks()?;
        let mut ranges = self.ranges.clone();
        if self.query.order == Order::Newest {
            // If there are enough in the last one, the others have nothing nearer.
            ranges.reverse();
        }
        let is_one = walks.len() * ranges.len() == 1;
        for walk in walks {
            for range in &ranges {
                self.walk(walk, *range)?;
            }
        }
        let query = self.query;
        if query.run.is_some() {
            self.found.retain(|recorded| query.matches(recorded));
        }
        if !is_one || query.run.is_some() {
            self.settle();
        }
        Ok(self.found)
    }

    fn count(mut self) -> Result<u64, Failure> {
        if self.query.run.is_some() {
            // There are no more of one run than there are actions.
            return Ok(self.read()?.len() as u64);
        }
        let is_bounded = self.query.from.is_some() || self.query.until.is_some();
        let times = if is_bounded { Times::Bounded } else { Times::Any };
        let mut count: i64 = 0;
        for walk in self.walks()? {
            for range in &self.ranges {
                // From some number on, the records are nearer than the index.
                let times = match walk {
                    Walk::All if range.0 > i64::MIN => Times::Bounded,
                    _ => times,
                };
                let mut statement = self.connection.prepare_cached(&walk.count(times))?;
                count += self.bound(&mut statement, walk, *range, |rows| {
                    rows.next()?.map_or(Ok(0), |row| Ok(row.get::<_, i64>(0)?))
                })?;
            }
        }
        // OK because no count is negative.
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The walks that find all that is asked for.
    fn walks(&mut self) -> Result<Vec<Walk>, Failure> {
        let Query { tasks, actions, run, after, from, until, limit, .. } = self.query;
        if *limit == Some(0) || until.is_some_and(|until| until.as_micros() == i64::MIN) {
            return Ok(Vec::new());
        }
        if run.is_some() {
            return Ok(vec![Walk::Run]);
        }
        if let Some(from) = from {
            let after = after.map_or(i64::MIN, number);
            let since = hours::since(self.connection, *from)?.into_iter();
            self.ranges = since
                .map(|(first, before)| (first.max(after), before))
                .filter(|(first, before)| first < before)
                .collect();
        }
        // Rare actions of all tasks are found sooner task by task than among all records.
        if tasks.is_none() && (actions.is_empty() || after.is_some() || from.is_some()) {
            return Ok(vec![Walk::All]);
        }
        let is_wanted = |action: &Action| actions.is_empty() || actions.contains(action);
        let actions: Vec<Action> = Action::ALL.into_iter().filter(is_wanted).collect();
        let tasks = self.tasks()?.into_iter();
        Ok(tasks
            .flat_map(|task| {
                actions.iter().map(move |action| Walk::Action { task, action: *action })
            })
            .collect())
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
    fn walk(&mut self, walk: Walk, (mut after, mut before): (i64, i64)) -> Result<(), Failure> {
        let Query { limit, order, .. } = self.query;
        // Once there are enough, only what is nearer than the farthest of them is of use.
        if let Some(limit) = *limit
            && self.found.len() >= limit
        {
            self.settle();
            match (order, self.found.last()) {
                (Order::Oldest, Some(last)) => before = before.min(number(last.seq)),
                (Order::Newest, Some(last)) => after = after.max(number(last.seq)),
                (_, None) => {}
            }
            if after >= before {
                return Ok(());
            }
        }
        let mut statement = self.connection.prepare_cached(&walk.select(*order))?;
        let (mut names, mut found) = (mem::take(&mut self.names), mem::take(&mut self.found));
        self.bound(&mut statement, walk, (after, before), |rows| {
            while let Some(row) = rows.next()? {
                found.push(row::recorded(self.connection, &mut names, row)?);
            }
            Ok(())
        })?;
        (self.names, self.found) = (names, found);
        Ok(())
    }

    /// Does something with the rows of a statement of a walk.
    fn bound<T>(
        &self,
        statement: &mut CachedStatement<'_>,
        walk: Walk,
        (after, before): (i64, i64),
        work: impl FnOnce(&mut Rows<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Query { actions, run, from, until, limit, .. } = self.query;
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
        work(&mut statement.query(&*parameters)?)
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

fn task_id(connection: &Connection, name: &str) -> Result<Option<i64>, Failure> {
    let mut find = connection.prepare_cached("select id from task where name = ?1")?;
    Ok(find.query_row([name], |row| row.get(0)).optional()?)
}

fn past_of(
    connection: &Connection,
    kept: &Kept,
    PastOf { task, keep }: &PastOf,
) -> Result<Past, Failure> {
    let Some(known) = kept.ledger.task(task) else { return Ok(Past::default()) };
    let open: Vec<Seq> = known.open.iter().map(|(seq, _)| *seq).collect();
    let mut wanted = open.clone();
    wanted.extend(known.tallies.iter().flat_map(|tally| [tally.last, tally.top.1]));
    let mut past =
        Past { counts: known.counts(), failures: known.failures, records: Vec::new(), open };

    let mut records: BTreeMap<Seq, Recorded> = BTreeMap::new();
    for action in Action::ALL.into_iter().filter(|action| keep.count(*action) > 1) {
        let newest = Query::task(Arc::clone(task)).actions([action]).newest_first();
        let newest = newest.limit(keep.count(action));
        let latest = Reading::new(connection, &newest).read()?;
        records.extend(latest.into_iter().map(|recorded| (recorded.seq, recorded)));
    }
    let mut names = Names::default();
    names.insert(known.id, Arc::clone(task));
    let mut find =
        connection.prepare_cached(&format!("select {COLUMNS} from record where seq = ?1"))?;
    for seq in wanted {
        if records.contains_key(&seq) {
            continue;
        }
        let mut rows = find.query([number(seq)])?;
        let row = rows
            .next()?
            .ok_or_else(|| Failure::Corrupt(format!("record {seq} of `{task}` is missing")))?;
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
