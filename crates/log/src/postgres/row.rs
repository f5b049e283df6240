//! A record from a row.
//!
//! Only a run log writes these rows, but anybody may write to the database: whatever is in a row, it
//! becomes a record or an error that names the row.

use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::connect::Connection;
use super::error::Failure;
use super::text;
use crate::causes;

/// What [`records`] reads, in this order.
pub(super) const COLUMNS: &str = "seq, task, run, action, at, started, due, node, reason, output, \
                                  attempt, params, trace, causes";

/// Finds the names of tasks by their numbers.
const NAMES: &str = "select id, name from task where id = any($1)";

/// Makes records from rows of [`COLUMNS`].
pub(super) async fn records(
    connection: &mut Connection,
    rows: &[Row],
) -> Result<Vec<Recorded>, Failure> {
    let mut unknown = Vec::new();
    for row in rows {
        let task = row.try_get(1)?;
        if connection.name(task).is_none() {
            unknown.push(task);
        }
    }
    if !unknown.is_empty() {
        unknown.sort_unstable();
        unknown.dedup();
        let names = connection.rows(NAMES, &[&unknown]).await?;
        connection.note_names(&names)?;
    }
    let mut node = None;
    rows.iter().map(|row| recorded(connection, row, &mut node)).collect()
}

fn recorded(
    connection: &Connection,
    row: &Row,
    latest_node: &mut Option<Arc<str>>,
) -> Result<Recorded, Failure> {
    let number: i64 = row.try_get(0)?;
    let corrupt = |what: String| Failure::Corrupt(format!("record {number} is corrupt: {what}"));
    let task: i64 = row.try_get(1)?;
    let name = connection.name(task).ok_or_else(|| corrupt(format!("there is no task {task}")))?;
    let mut details = Details::default();
    if let Some(node) = optional::<&str>(row, 7)? {
        let node = text::decode(node);
        // Many records in a row are of one node.
        if latest_node.as_deref() != Some(&*node) {
            *latest_node = Some(node.into());
        }
        details.node.clone_from(latest_node);
    }
    let owned = |place| Ok::<_, Failure>(optional::<&str>(row, place)?.map(text::decode));
    details.reason = causes::decode(owned(8)?, owned(13)?.as_deref()).map_err(corrupt)?;
    details.output = owned(9)?.map(Into::into);
    details.attempt = optional::<i64>(row, 10)?.map(i64::cast_unsigned);
    details.params = owned(11)?.map(Into::into);
    details.trace = owned(12)?.map(|trace| Arc::from(&*trace));
    let record = Record {
        task: Arc::clone(name),
        run: RunId::from_bytes(row.try_get::<_, Uuid>(2)?.into_bytes()),
        action: action(row.try_get(3)?).map_err(corrupt)?,
        at: Timestamp::from_micros(row.try_get(4)?),
        started: Timestamp::from_micros(row.try_get(5)?),
        due: optional::<i64>(row, 6)?.map(Timestamp::from_micros),
        details: details.shared(),
    };
    Ok(Recorded { seq: seq(number)?, record })
}

fn optional<'a, T: FromSql<'a>>(row: &'a Row, place: usize) -> Result<Option<T>, Failure> {
    Ok(row.try_get(place)?)
}

pub(super) fn action(number: i16) -> Result<Action, String> {
    usize::try_from(number)
        .ok()
        .and_then(|action| Action::ALL.get(action).copied())
        .ok_or_else(|| format!("there is no action {number}"))
}

pub(super) fn seq(number: i64) -> Result<Seq, Failure> {
    u64::try_from(number)
        .map(Seq)
        .map_err(|_| Failure::Corrupt(format!("there is a record with the number {number}")))
}

/// The number of a record as the database has it; greater ones there are none.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}
