//! What a scheduler must know to go on: what the ledger knows, and the records that it names.
//!
//! The records are read after the ledger was caught up, and none above its last: so all is of one
//! moment, though nothing is locked. A record that was pruned in between is asked for again.

use std::collections::BTreeMap;

use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{Past, PastOf};

use super::books::Books;
use super::connect::{Connection, Parameters};
use super::error::Failure;
use super::row::{self, COLUMNS};

const BY_NUMBER: &str = "where seq = any($1) order by seq";

/// Pasts without the records that they name.
pub(super) struct Named {
    pasts: Vec<Past>,
    /// The numbers of the records of each past.
    seqs: Vec<Vec<Seq>>,
    /// Of which tasks and actions so many of the latest are wanted, and of which past.
    latest: Vec<Latest>,
    until: i64,
}

struct Latest {
    place: i64,
    task: i64,
    action: i16,
    count: i64,
}

impl Named {
    /// Looks them up in a ledger that is caught up.
    pub(super) fn of(books: &Books, of: &[PastOf]) -> Self {
        let mut named = Self {
            pasts: Vec::with_capacity(of.len()),
            seqs: Vec::with_capacity(of.len()),
            latest: Vec::new(),
            until: row::number(books.ledger.last()),
        };
        for (place, PastOf { task, keep }) in (0_i64..).zip(of) {
            let mut past = Past::default();
            let mut seqs = Vec::new();
            if let Some(task) = books.ledger.task(task) {
                past.counts = task.counts();
                past.failures = task.failures;
                past.open = task.open.iter().map(|(seq, _)| *seq).collect();
                seqs.extend(past.open.iter().copied());
                for tally in &task.tallies {
                    seqs.extend([tally.last, tally.top.1]);
                    let count = i64::try_from(keep.count(tally.action)).unwrap_or(i64::MAX);
                    if count > 1 {
                        let action = tally.action as i16;
                        named.latest.push(Latest { place, task: task.id, action, count });
                    }
                }
            }
            named.pasts.push(past);
            named.seqs.push(seqs);
        }
        named
    }

    /// Reads the records; an error within: this one was pruned meanwhile.
    pub(super) async fn read(
        &self,
        connection: &mut Connection,
    ) -> Result<Result<Vec<Past>, Seq>, Failure> {
        let mut wanted: Vec<i64> =
            self.seqs.iter().flatten().map(|seq| row::number(*seq)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let select = format!("select {COLUMNS} from record {BY_NUMBER}");
        let found = if wanted.is_empty() {
            Vec::new()
        } else {
            let rows = connection.rows(&select, &[&wanted]).await?;
            row::records(connection, &rows).await?
        };
        let latest = self.latest(connection).await?;

        let find = |seq: Seq| found.binary_search_by_key(&seq, |recorded| recorded.seq);
        let mut pasts = self.pasts.clone();
        for (place, (past, seqs)) in (0_i64..).zip(pasts.iter_mut().zip(&self.seqs)) {
            let mut records: BTreeMap<Seq, &Recorded> = BTreeMap::new();
            for seq in seqs {
                match find(*seq) {
                    Ok(place) => records.insert(*seq, &found[place]),
                    Err(_) => return Ok(Err(*seq)),
                };
            }
            let of_place = latest.get(&place).into_iter().flatten();
            records.extend(of_place.map(|recorded| (recorded.seq, recorded)));
            past.records = records.into_values().cloned().collect();
        }
        Ok(Ok(pasts))
    }

    /// The latest of each action of which more than one is wanted, by the places of the pasts.
    async fn latest(
        &self,
        connection: &mut Connection,
    ) -> Result<BTreeMap<i64, Vec<Recorded>>, Failure> {
        let mut by_place: BTreeMap<i64, Vec<Recorded>> = BTreeMap::new();
        if self.latest.is_empty() {
            return Ok(by_place);
        }
        let select = format!(
            "select found.*, wanted.place
             from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[])
                as wanted(task, action, count, place)
             cross join lateral (
                select {COLUMNS} from record
                where (task, action, seq) <= (wanted.task, wanted.action, $5)
                and (task, action, seq) >= (wanted.task, wanted.action, 0)
                order by task desc, action desc, seq desc limit wanted.count
             ) as found"
        );
        let tasks: Vec<i64> = self.latest.iter().map(|latest| latest.task).collect();
        let actions: Vec<i16> = self.latest.iter().map(|latest| latest.action).collect();
        let counts: Vec<i64> = self.latest.iter().map(|latest| latest.count).collect();
        let places: Vec<i64> = self.latest.iter().map(|latest| latest.place).collect();
        let parameters: Parameters<'_> = &[&tasks, &actions, &counts, &places, &self.until];
        let rows = connection.rows(&select, parameters).await?;
        let found = row::records(connection, &rows).await?;
        for (row, recorded) in rows.iter().zip(found) {
            by_place.entry(row.try_get("place")?).or_default().push(recorded);
        }
        Ok(by_place)
    }

    /// The numbers of all records that are named.
    pub(super) async fn numbers(self, connection: &mut Connection) -> Result<Vec<i64>, Failure> {
        let latest = self.latest(connection).await?;
        let latest = latest.into_values().flatten().map(|recorded| recorded.seq);
        let mut numbers: Vec<i64> =
            self.seqs.into_iter().flatten().chain(latest).map(row::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// The number of the last record that they are of.
    pub(super) fn until(&self) -> i64 {
        self.until
    }
}

/// How many records there are of a task, of all that ever were.
pub(super) fn count(books: &Books, task: &str) -> u64 {
    let counts = books.ledger.task(task).map(crate::ledger::TaskLedger::counts);
    counts.map_or(0, |counts| counts.iter().sum())
}

/// All actions as the database has them.
pub(super) fn actions() -> Vec<i16> {
    Action::ALL.iter().map(|action| *action as i16).collect()
}
