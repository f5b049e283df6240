//! Removing old records, some at a time.
//!
//! Always: what was pruned is in the copy of the ledger, and is said to be pruned before it is
//! removed. So whoever folds the log and finds something missing knows to begin with the copy. All
//! others go on meanwhile: no lock is held while records are removed.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::facts::Keep;
use redengine_core::runlog::{Order, PastOf, Prune};

use super::books::Books;
use super::connect::{Connection, Parameters};
use super::error::Failure;
use super::past::{Named, actions, count};
use super::read::Windows;

/// So many numbers are looked at with one statement.
const CHUNK: i64 = 16_384;

const NOTE: &str = "update state set pruned = greatest(pruned, $1) where copied >= $1";

/// The number of the record of a task that has so many later ones.
const FLOORS: &str = "select t.id, (
        select max(seq) from (
            select seq from unnest($2::smallint[]) as a(number)
            cross join lateral (
                select seq from record
                where (task, action, seq) > (t.id, a.number, 0)
                and (task, action, seq) <= (t.id, a.number, $4)
                order by task desc, action desc, seq desc limit $3::bigint + 1
            ) as latest
            order by seq desc offset $3::bigint
        ) as beyond
     )
     from unnest($1::bigint[]) as t(id)";

/// The tasks without a floor get all of theirs removed that are old. The end of a run whose start is
/// old and needed stays, since without it a copy would take the run for one that has not ended; what
/// is not needed of the windows before is gone already.
const REMOVE: &str = "delete from record using (
        select seq from record as r
        left join unnest($5::bigint[], $6::bigint[]) as f(id, floor) on f.id = task
        where seq > $1 and seq < $2 and (at < $3 or seq <= floor)
        and ($7::bigint[] is null or task = any($7))
        and not (seq = any($4))
        and not (action > 0 and exists (
            select from record as b
            left join unnest($5::bigint[], $6::bigint[]) as g(id, floor) on g.id = b.task
            where b.run = r.run and b.action = 0 and b.seq < r.seq
            and (b.at < $3 or b.seq <= g.floor)
            and (b.seq <= $1 or b.seq = any($4))
        ))
     ) as old where record.seq = old.seq";

/// What is to be removed.
pub(super) struct Plan {
    until: i64,
    before: i64,
    kept: Vec<i64>,
    beyond: Option<i64>,
    /// The tasks that may have more records than that.
    long: Vec<i64>,
    /// Only of these tasks; `None`: of all.
    only: Option<Vec<i64>>,
}

impl Plan {
    /// Says what is to be removed; the ledger must be caught up and written down.
    pub(super) async fn new(
        connection: &mut Connection,
        books: &Books,
        prune: &Prune,
    ) -> Result<Self, Failure> {
        let keeps: HashMap<&str, Keep> =
            prune.needed.iter().map(|of| (&*of.task, of.keep)).collect();
        let needed: Vec<PastOf> = books
            .ledger
            .tasks()
            .map(|task| PastOf {
                task: Arc::clone(&task.name),
                keep: keeps.get(&*task.name).copied().unwrap_or_default(),
            })
            .collect();
        let beyond = prune.beyond;
        let long = books
            .ledger
            .tasks()
            .filter(|task| beyond.is_some_and(|beyond| count(books, &task.name) > beyond));
        let long = long.map(|task| task.id).collect();
        let of = books.ledger.tasks().filter(|task| prune.is_of(&task.name));
        let only = prune.tasks.is_some().then(|| of.map(|task| task.id).collect());
        let named = Named::of(books, &needed);
        Ok(Self {
            until: named.until(),
            before: prune.before.map_or(i64::MIN, redengine_core::Timestamp::as_micros),
            kept: named.numbers(connection).await?,
            beyond: beyond.map(|beyond| i64::try_from(beyond).unwrap_or(i64::MAX - 1)),
            long,
            only,
        })
    }

    /// Removes it; tells how many records that were.
    pub(super) async fn carry_out(&self, connection: &mut Connection) -> Result<u64, Failure> {
        if connection.run(NOTE, &[&self.until]).await? == 0 {
            return Err(Failure::Corrupt("its copy of the ledger is gone".to_owned()));
        }
        let floors = self.floors(connection).await?;
        let mut windows = Windows::new(0, self.until + 1, Order::Oldest, CHUNK);
        let mut removed = 0;
        while let Some((after, before)) = windows.next(connection).await? {
            let from = self.kept.partition_point(|kept| *kept <= after);
            let to = self.kept.partition_point(|kept| *kept < before);
            let kept = &self.kept[from..to];
            let parameters: Parameters<'_> =
                &[&after, &before, &self.before, &kept, &floors.0, &floors.1, &self.only];
            removed += connection.run(REMOVE, parameters).await?;
        }
        Ok(removed)
    }

    async fn floors(&self, connection: &mut Connection) -> Result<(Vec<i64>, Vec<i64>), Failure> {
        let mut floors = (Vec::new(), Vec::new());
        let Some(beyond) = self.beyond else { return Ok(floors) };
        // Some tasks at a time, so that no statement takes long.
        for tasks in self.long.chunks(256) {
            let parameters: Parameters<'_> = &[&tasks, &actions(), &beyond, &self.until];
            for row in connection.rows(FLOORS, parameters).await? {
                if let Some(floor) = row.try_get::<_, Option<i64>>(1)? {
                    floors.0.push(row.try_get(0)?);
                    floors.1.push(floor);
                }
            }
        }
        Ok(floors)
    }
}
