//! Reading records.
//!
//! A query is a walk along the records by number, or one for each task and action that it names.
//! The planner is left no choice of index: it would guess from statistics that are old or missing,
//! and a wrong guess is a scan of the whole history. So a walk along the records of an action is
//! written as a comparison of rows, `(task, action, seq) > (..)`, which is in the order of that one
//! index and of no other. Times are not indexed; they say from which number on to look.
//!
//! What has no small limit is read some numbers at a time, and so is what may be far between, so that no
//! statement takes long however much there is.

use redengine_core::Timestamp;
use redengine_core::record::{Action, Recorded};
use redengine_core::runlog::{Order, Query};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::connect::Connection;
use super::error::Failure;
use super::hours;
use super::row::{self, COLUMNS};
use super::text;

/// So many records are read with one statement.
const PAGE: i64 = 8192;

/// So many numbers are counted with one statement, or looked through for few records.
const COUNTED: i64 = 1 << 18;

/// So many tasks are walked along with one statement.
const WALKED: usize = 1 << 14;

pub(super) const LAST: &str = "select coalesce(max(seq), 0) from record";

const IDS: &str = "select id, name from task where name = any($1)";
const ALL_IDS: &str = "select id from task";
const OF_RUN: &str = "where run = $1 order by seq";

/// What else a walk wants.
const WANTED: &str = "at >= $3 and at <= $4";

/// What a walk goes along.
#[derive(Clone, Debug)]
enum Walk {
    /// All records by number.
    All,
    /// Those of some actions of some tasks.
    Tasks(Vec<i64>),
}

impl Walk {
    fn select(&self, order: Order) -> String {
        let direction = match order {
            Order::Oldest => "asc",
            Order::Newest => "desc",
        };
        match self {
            Self::All => format!(
                "select {COLUMNS} from record where seq > $1 and seq < $2 and {WANTED}
                 and action = any($5::smallint[])
                 order by seq {direction} limit $6::bigint"
            ),
            Self::Tasks(_) => format!(
                "select {COLUMNS}
                 from unnest($7::bigint[]) as t(id), unnest($5::smallint[]) as a(number)
                 cross join lateral (
                    select {COLUMNS} from record
                    where (task, action, seq) > (t.id, a.number, $1)
                    and (task, action, seq) < (t.id, a.number, $2)
                    and {WANTED}
                    order by task {direction}, action {direction}, seq {direction} limit $6::bigint
                 ) as found
                 order by seq {direction} limit $6::bigint"
            ),
        }
    }

    fn count(&self) -> String {
        match self {
            Self::All => {
                format!(
                    "select count(*) from record where seq > $1 and seq < $2 and {WANTED}
                     and action = any($5::smallint[])"
                )
            }
            Self::Tasks(_) => format!(
                "select coalesce(sum(found.count), 0)::bigint
                 from unnest($6::bigint[]) as t(id), unnest($5::smallint[]) as a(number)
                 cross join lateral (
                    select count(*) from record
                    where (task, action, seq) > (t.id, a.number, $1)
                    and (task, action, seq) < (t.id, a.number, $2)
                    and {WANTED}
                 ) as found"
            ),
        }
    }
}

/// A query as the database sees it.
struct Reading {
    walk: Walk,
    /// Between which two numbers it looks, without these.
    after: i64,
    before: i64,
    /// Between which two numbers what is wanted is; in order.
    ranges: Vec<(i64, i64)>,
    from: i64,
    until: i64,
    actions: Vec<i16>,
}

impl Reading {
    /// Looks up what a query names; `None`: there is nothing to read.
    async fn new(connection: &mut Connection, query: &Query) -> Result<Option<Self>, Failure> {
        let Query { tasks, actions, after, from, until, .. } = query;
        // No instant is before the first one.
        let Some(until) = until.map_or(Some(i64::MAX), |until| until.as_micros().checked_sub(1))
        else {
            return Ok(None);
        };
        // Numbers begin with 1.
        let least = after.map_or(0, row::number);
        let mut ranges = vec![(least, i64::MAX)];
        if let Some(from) = from {
            let since = hours::since(connection, *from).await?.into_iter();
            let since = since.map(|(after, before)| (after.max(least), before));
            ranges = since.filter(|(after, before)| after < before).collect();
        }
        // Rare actions of all tasks are found sooner task by task than among all records.
        let walk = match tasks {
            Some(names) => {
                let names: Vec<_> = names.iter().map(|name| text::encode(name)).collect();
                let rows = connection.rows(IDS, &[&names]).await?;
                connection.note_names(&rows)?;
                let ids: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
                Walk::Tasks(ids?)
            }
            None if actions.is_empty() || after.is_some() || from.is_some() => Walk::All,
            None => {
                let rows = connection.rows(ALL_IDS, &[]).await?;
                let ids: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get(0)).collect();
                Walk::Tasks(ids?)
            }
        };
        let all = Action::ALL.into_iter();
        let actions = all
            .filter(|action| actions.is_empty() || actions.contains(action))
            .map(|action| action as i16);
        Ok(Some(Self {
            walk,
            after: least,
            before: i64::MAX,
            ranges,
            from: from.map_or(i64::MIN, Timestamp::as_micros),
            until,
            actions: actions.collect(),
        }))
    }

    /// Reads those within the bounds, or so many of them.
    async fn records(
        &self,
        connection: &mut Connection,
        order: Order,
        limit: Option<i64>,
    ) -> Result<Vec<Recorded>, Failure> {
        let select = self.walk.select(order);
        let mut parameters = self.parameters();
        parameters.push(&limit);
        let Walk::Tasks(ids) = &self.walk else {
            let rows = connection.rows(&select, &parameters).await?;
            return row::records(connection, &rows).await;
        };
        let mut found = Vec::new();
        for some in ids.chunks(WALKED) {
            let mut parameters = parameters.clone();
            parameters.push(&some);
            let rows = connection.rows(&select, &parameters).await?;
            found.extend(row::records(connection, &rows).await?);
        }
        if ids.len() > WALKED {
            found.sort_unstable_by_key(|recorded| recorded.seq);
            if order == Order::Newest {
                found.reverse();
            }
            found.truncate(
                limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX),
            );
        }
        Ok(found)
    }

    /// Tells whether a walk may go by much that is not wanted.
    fn is_sparse(&self) -> bool {
        let is_timed = self.from > i64::MIN || self.until < i64::MAX;
        let is_of_some = matches!(self.walk, Walk::All) && self.actions.len() < Action::ALL.len();
        is_timed || is_of_some
    }

    /// So many numbers are looked through with one statement, if so many records are wanted at most.
    fn width(&self, few: Option<i64>) -> i64 {
        match self.walk {
            _ if few.is_some() => COUNTED,
            Walk::All => PAGE,
            // Few of them are wanted, and each task and action is looked up again.
            Walk::Tasks(_) => PAGE * 8,
        }
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.after, &self.before, &self.from, &self.until, &self.actions]
    }
}

pub(super) async fn read(
    connection: &mut Connection,
    query: &Query,
) -> Result<Vec<Recorded>, Failure> {
    let wanted = query.limit.unwrap_or(usize::MAX);
    if wanted == 0 {
        return Ok(Vec::new());
    }
    if query.run.is_some() {
        return of_run(connection, query, wanted).await;
    }
    let Some(mut reading) = Reading::new(connection, query).await? else { return Ok(Vec::new()) };
    let few = i64::try_from(wanted).ok().filter(|wanted| *wanted <= PAGE);
    let mut ranges = std::mem::take(&mut reading.ranges);
    if query.order == Order::Newest {
        ranges.reverse();
    }
    let mut found = Vec::new();
    for (after, before) in ranges {
        if few.is_some() && !reading.is_sparse() {
            // What it comes by is what is wanted, and that is few.
            (reading.after, reading.before) = (after, before);
            found.extend(reading.records(connection, query.order, few).await?);
            continue;
        }
        let mut windows = Windows::new(after, before, query.order, reading.width(few));
        while found.len() < wanted
            && let Some((after, before)) = windows.next(connection).await?
        {
            (reading.after, reading.before) = (after, before);
            found.extend(reading.records(connection, query.order, few).await?);
        }
    }
    found.truncate(wanted);
    Ok(found)
}

pub(super) async fn count(connection: &mut Connection, query: &Query) -> Result<u64, Failure> {
    if query.run.is_some() {
        return Ok(of_run(connection, query, usize::MAX).await?.len() as u64);
    }
    let Some(mut reading) = Reading::new(connection, query).await? else { return Ok(0) };
    let mut count = 0;
    for (after, before) in std::mem::take(&mut reading.ranges) {
        let mut windows = Windows::new(after, before, Order::Oldest, COUNTED);
        while let Some((after, before)) = windows.next(connection).await? {
            (reading.after, reading.before) = (after, before);
            let mut parameters = reading.parameters();
            if let Walk::Tasks(ids) = &reading.walk {
                parameters.push(ids);
            }
            let row = connection.row(&reading.walk.count(), &parameters).await?;
            // OK because nothing is counted below zero.
            count += row.try_get::<_, i64>(0)?.cast_unsigned();
        }
    }
    Ok(count)
}

/// Some numbers at a time, from one end to the other; those that nobody has are stepped over.
pub(super) struct Windows {
    after: i64,
    before: i64,
    order: Order,
    width: i64,
}

impl Windows {
    /// Those between two numbers, without these.
    pub(super) fn new(after: i64, before: i64, order: Order, width: i64) -> Self {
        Self { after, before, order, width }
    }

    /// The bounds of the next ones, which are not among them.
    pub(super) async fn next(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<(i64, i64)>, Failure> {
        const FIRST: &str = "select min(seq) from record where seq > $1 and seq < $2";
        const LAST: &str = "select max(seq) from record where seq > $1 and seq < $2";

        let select = match self.order {
            Order::Oldest => FIRST,
            Order::Newest => LAST,
        };
        let row = connection.row(select, &[&self.after, &self.before]).await?;
        let Some(end) = row.try_get::<_, Option<i64>>(0)? else { return Ok(None) };
        Ok(Some(match self.order {
            Order::Oldest => {
                let (after, before) = (end - 1, self.before.min(end.saturating_add(self.width)));
                self.after = before - 1;
                (after, before)
            }
            Order::Newest => {
                let (after, before) = (self.after.max(end - self.width), end.saturating_add(1));
                self.before = after + 1;
                (after, before)
            }
        }))
    }
}

/// A run has few records, whatever else is asked for.
async fn of_run(
    connection: &mut Connection,
    query: &Query,
    wanted: usize,
) -> Result<Vec<Recorded>, Failure> {
    let run = query.run.map(|run| Uuid::from_bytes(*run.as_bytes()));
    let select = format!("select {COLUMNS} from record {OF_RUN}");
    let rows = connection.rows(&select, &[&run]).await?;
    let mut found = row::records(connection, &rows).await?;
    found.retain(|recorded| query.matches(recorded));
    if query.order == Order::Newest {
        found.reverse();
    }
    found.truncate(wanted);
    Ok(found)
}

/// The number of the last record.
pub(super) async fn last(connection: &mut Connection) -> Result<i64, Failure> {
    Ok(connection.row(LAST, &[]).await?.try_get(0)?)
}

#[cfg(test)]
mod tests {
    use super::super::address::Address;
    use super::super::schema;
    use super::*;

    async fn plan(connection: &mut Connection, select: &str, parameters: &str) -> String {
        let prepare = format!("prepare walk as {select}");
        connection.run_all(&prepare).await.unwrap();
        let explain = format!("explain (costs off) execute walk({parameters})");
        let rows = connection.client().query(&explain, &[]).await.unwrap();
        connection.run_all("deallocate walk").await.unwrap();
        rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn a_walk_goes_along_its_index_whatever_the_statistics_say() {
        let server = redengine_testserver::Server::shared();
        let address = Address::parse(&server.url_of_new_schema()).unwrap();
        let mut connection = Connection::open(&address).await.unwrap();
        schema::settle(connection.client(), &address).await.unwrap();
        let walks = [
            (Walk::All, "record_pkey", "1, 2, 3, 4, '{1}', 5"),
            (Walk::Tasks(Vec::new()), "record_action", "1, 2, 3, 4, '{1}', 5, '{1}'"),
        ];
        let of_run = format!("select {COLUMNS} from record {OF_RUN}");
        // Without rows, with nearly all of one task and action, and with statistics of that.
        for prepare in [
            "select 1",
            "insert into record (seq, task, run, action, at, started)
             select n, 1, gen_random_uuid(), 1, n, n from generate_series(1, 40000) n",
            "insert into record (seq, task, run, action, at, started)
             select n, n, gen_random_uuid(), 2, n, n from generate_series(40001, 41000) n;
             analyze record",
        ] {
            connection.client().batch_execute(prepare).await.unwrap();
            for mode in ["force_custom_plan", "force_generic_plan"] {
                let set = format!("set plan_cache_mode to {mode}");
                connection.client().batch_execute(&set).await.unwrap();
                for (walk, index, parameters) in &walks {
                    for order in [Order::Oldest, Order::Newest] {
                        let plan = plan(&mut connection, &walk.select(order), parameters).await;
                        let is_wanted = plan.contains(&format!("using {index} on record"));
                        assert!(is_wanted && !plan.contains("Seq Scan"), "{mode}\n{plan}");
                    }
                }
                let plan = plan(&mut connection, &of_run, "gen_random_uuid()").await;
                assert!(plan.contains("record_run"), "{mode}\n{plan}");
            }
        }
    }
}
