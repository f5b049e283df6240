//! A record from a row.
//!
//! Only a run log writes these rows, but anybody may write to the file: whatever is in a row, it
//! becomes a record or an error that names the row.

use std::collections::HashMap;
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::Failure;
use crate::causes;

/// What [`recorded`] reads, in this order.
pub(super) const COLUMNS: &str = "seq, task, run, action, at, started, due, node, reason, output, \
                                  attempt, params, trace, causes";

/// The names of the tasks that came up so far, by their numbers.
#[derive(Default)]
pub(super) struct Names(HashMap<i64, Arc<str>>);

impl Names {
    pub(super) fn insert(&mut self, id: i64, name: Arc<str>) {
        self.0.insert(id, name);
    }

    pub(super) fn get(
        &mut self,
        connection: &Connection,
        id: i64,
    ) -> Result<Option<Arc<str>>, Failure> {
        if let Some(name) = self.0.get(&id) {
            return Ok(Some(Arc::clone(name)));
        }
        let mut find = connection.prepare_cached("select name from task where id = ?1")?;
        let name = find.query_row([id], |row| row.get::<_, Arc<str>>(0)).optional();
        let name =
            name.map_err(|_| Failure::Corrupt(format!("the name of task {id} is no text")))?;
        self.0.extend(name.clone().map(|name| (id, name)));
        Ok(name)
    }
}

/// Makes a record from a row of [`COLUMNS`].
pub(super) fn recorded(
    connection: &Connection,
    names: &mut Names,
    row: &Row<'_>,
) -> Result<Recorded, Failure> {
    let number: i64 = row.get(0)?;
    let corrupt = |what: String| Failure::Corrupt(format!("record {number} is corrupt: {what}"));
    let seq = u64::try_from(number).map_err(|_| corrupt("its number is negative".to_owned()))?;
    let task = field::<i64>(row, 1).map_err(corrupt)?;
    let task =
        names.get(connection, task)?.ok_or_else(|| corrupt(format!("there is no task {task}")))?;
    let run = field::<[u8; 16]>(row, 2).map_err(corrupt)?;
    let action = action(field(row, 3).map_err(corrupt)?).map_err(corrupt)?;
    let mut details = Details::default();
    details.node = field::<Option<Arc<str>>>(row, 7).map_err(corrupt)?;
    let message = field::<Option<String>>(row, 8).map_err(corrupt)?;
    let causes = field::<Option<String>>(row, 13).map_err(corrupt)?;
    details.reason = causes::decode(message, causes.as_deref()).map_err(corrupt)?;
    details.output = field(row, 9).map_err(corrupt)?;
    let attempt = field::<Option<i64>>(row, 10).map_err(corrupt)?;
    details.attempt = attempt.and_then(|attempt| u64::try_from(attempt).ok());
    details.params = field(row, 11).map_err(corrupt)?;
    details.trace = field::<Option<Arc<str>>>(row, 12).map_err(corrupt)?;
    let record = Record {
        task,
        run: RunId::from_bytes(run),
        action,
        at: Timestamp::from_micros(field(row, 4).map_err(corrupt)?),
        started: Timestamp::from_micros(field(row, 5).map_err(corrupt)?),
        due: field::<Option<i64>>(row, 6).map_err(corrupt)?.map(Timestamp::from_micros),
        details: details.shared(),
    };
    Ok(Recorded { seq: Seq(seq), record })
}

/// The action of a number.
pub(super) fn action(number: i64) -> Result<Action, String> {
    let action = usize::try_from(number).ok().and_then(|number| Action::ALL.get(number).copied());
    action.ok_or_else(|| format!("there is no action {number}"))
}

/// The number of a record, of the number of its row.
pub(super) fn seq(number: i64) -> Result<Seq, Failure> {
    u64::try_from(number)
        .map(Seq)
        .map_err(|_| Failure::Corrupt(format!("there is a record with the number {number}")))
}

/// The number of the row of a record. None is above `i64::MAX`.
pub(super) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn field<T: FromSql>(row: &Row<'_>, place: usize) -> Result<T, String> {
    row.get(place).map_err(|_| {
        let column = COLUMNS.split(", ").nth(place).unwrap_or_default();
        let found = match row.get_ref(place) {
            Ok(ValueRef::Null) => "nothing".to_owned(),
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Real(number)) => number.to_string(),
            Ok(ValueRef::Text(text)) => format!("`{}`", String::from_utf8_lossy(text)),
            Ok(ValueRef::Blob(bytes)) => format!("{} bytes", bytes.len()),
            Err(_) => "something unknown".to_owned(),
        };
        format!("its `{column}` is {found}")
    })
}
