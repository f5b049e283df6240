//! Finding out what may be removed.
//!
//! Always: what was once not needed is never needed again, because later records take its place and
//! they are not removed. So what is needed is found out once, beside the appends, and removed bit by
//! bit while they go on.

use std::collections::{HashMap, HashSet};

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Seq};
use redengine_core::runlog::Prune;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::Failure;
use super::kept::Kept;
use super::row::{self, number, seq};
use crate::ledger::TaskLedger;

/// So many records are looked at in one go, and so many are removed in one transaction.
const LOOK_AT: i64 = 50_000;
const REMOVE: usize = 2000;

/// A walk over all records that finds those that may be removed. It has a connection of its own, so
/// that nobody who reads waits for it.
pub(super) struct Search {
    connection: Connection,
    /// What is before this instant is old.
    before: i64,
    tasks: HashMap<i64, Needed>,
    /// The runs whose starts are old and needed: without its end, a copy would take such a run for one
    /// that has not ended.
    begun: HashSet<[u8; 16]>,
    /// The last record that was looked at.
    after: i64,
    /// The last record to look at.
    until: i64,
}

/// What stays of a task.
struct Needed {
    /// Of each action, records from this number on stay.
    from: [i64; 6],
    /// Records with these numbers stay.
    stay: HashSet<i64>,
    /// Smaller numbers are old because there are enough later ones.
    beyond: i64,
}

impl Search {
    pub(super) fn new(mut connection: Connection, prune: &Prune) -> Result<Self, Failure> {
        let keeps: HashMap<&str, Keep> =
            prune.needed.iter().map(|of| (&*of.task, of.keep)).collect();
        let transaction = connection.transaction()?;
        let kept = Kept::current(None, &transaction)?;
        let mut tasks = HashMap::new();
        for task in kept.ledger.tasks().filter(|task| prune.is_of(&task.name)) {
            let keep = keeps.get(&*task.name).copied().unwrap_or_default();
            tasks.insert(task.id, needed(&transaction, task, keep, prune.beyond)?);
        }
        transaction.finish()?;
        let before = prune.before.map_or(i64::MIN, redengine_core::Timestamp::as_micros);
        let until = number(kept.ledger.last());
        Ok(Self { connection, before, tasks, begun: HashSet::new(), after: i64::MIN, until })
    }

    /// Finds the next ones; `None`: there are no more.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Seq>>, Failure> {
        if self.after >= self.until {
            return Ok(None);
        }
        let mut walk = self.connection.prepare_cached(
            "select seq, task, action, at, run from record where seq > ?1 and seq <= ?2
             order by seq limit ?3",
        )?;
        let mut rows = walk.query(params![self.after, self.until, LOOK_AT])?;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while found.len() < REMOVE
            && let Some(row) = rows.next()?
        {
            let (number, at): (i64, i64) = (row.get(0)?, row.get(3)?);
            let corrupt = |what| Failure::Corrupt(format!("record {number} is corrupt: {what}"));
            self.after = number;
            looked_at += 1;
            if let Some(needed) = self.tasks.get(&row.get(1)?) {
                let is_old = at < self.before || number < needed.beyond;
                let action = row::action(row.get(2)?).map_err(corrupt)?;
                if is_old && needed.stays(number, action) {
                    if action == Action::Run {
                        self.begun.insert(row.get(4)?);
                    }
                } else if is_old
                    && !(action.ends() && self.begun.contains(&row.get::<_, [u8; 16]>(4)?))
                {
                    found.push(seq(number)?);
                }
            }
        }
        if found.len() < REMOVE && looked_at < LOOK_AT {
            self.after = self.until;
        }
        Ok(Some(found))
    }
}

impl Needed {
    fn stays(&self, number: i64, action: Action) -> bool {
        // OK because an action's number is below six.
        number >= self.from[action as usize] || self.stay.contains(&number)
    }
}

fn needed(
    connection: &Connection,
    task: &TaskLedger,
    keep: Keep,
    beyond: Option<u64>,
) -> Result<Needed, Failure> {
    let mut needed = Needed { from: [i64::MIN; 6], stay: HashSet::new(), beyond: i64::MIN };
    for tally in &task.tallies {
        let action = tally.action;
        needed.stay.insert(number(tally.top.1));
        // OK because an action's number is below six.
        needed.from[action as usize] = match keep.count(action) {
            0 | 1 => number(tally.last),
            // If there are fewer, all stay.
            count => nth_action(connection, task.id, action, count)?.unwrap_or(i64::MIN),
        };
    }
    needed.stay.extend(task.open.iter().map(|(seq, _)| number(*seq)));
    needed.beyond = match beyond {
        None => i64::MIN,
        Some(0) => i64::MAX,
        Some(count) => nth(connection, task.id, count)?.unwrap_or(i64::MIN),
    };
    Ok(needed)
}

/// The number of the so manieth record of a task and an action, from the end.
fn nth_action(
    connection: &Connection,
    task: i64,
    action: Action,
    count: usize,
) -> Result<Option<i64>, Failure> {
    let mut nth = connection.prepare_cached(
        "select seq from record indexed by record_action where task = ?1 and action = ?2
         order by seq desc limit 1 offset ?3",
    )?;
    let offset = i64::try_from(count - 1).unwrap_or(i64::MAX);
    let nth = nth.query_row(params![task, action as i64, offset], |row| row.get(0));
    Ok(nth.optional()?)
}

/// The number of the so manieth record of a task, from the end.
fn nth(connection: &Connection, task: i64, count: u64) -> Result<Option<i64>, Failure> {
    let mut nth = connection.prepare_cached(
        "select seq from record indexed by record_action where task = ?1
         order by seq desc limit 1 offset ?2",
    )?;
    let offset = i64::try_from(count - 1).unwrap_or(i64::MAX);
    Ok(nth.query_row([task, offset], |row| row.get(0)).optional()?)
}
