//! The table of hours: which records can be of an hour or later, by their numbers ([`crate::hours`]).

use redengine_core::Timestamp;
use redengine_core::record::Seq;
use rusqlite::Connection;

use super::error::Failure;
use super::row::number;
use crate::hours::{hour, ranges};

/// Notes that records are of an hour from one on, which was written just now.
pub(super) fn enter(transaction: &Connection, hour: i64, seq: Seq) -> Result<(), Failure> {
    let mut open = transaction.prepare_cached(
        "insert into hour (hour, first) values (?1, ?2)
         on conflict (hour) do update set last = null where last is not null",
    )?;
    open.execute([hour, number(seq)])?;
    // Not the next hour: clocks of several processes need not agree to the second.
    let mut close = transaction
        .prepare_cached("update hour set last = ?2 - 1 where hour > ?1 + 1 and last is null")?;
    close.execute([hour, number(seq)])?;
    Ok(())
}

/// Between which two numbers, without these, the records at or after an instant are; in order.
pub(super) fn since(connection: &Connection, from: Timestamp) -> Result<Vec<(i64, i64)>, Failure> {
    let hour = hour(from);
    let open = "select min(first) from hour where hour >= ?1 and last is null";
    let first: Option<i64> =
        connection.prepare_cached(open)?.query_row([hour], |row| row.get(0))?;
    let before = first.unwrap_or(i64::MAX);
    let mut ahead = connection.prepare_cached(
        "select min(first), max(last) from hour
         where hour >= ?1 and last is not null and first < ?2",
    )?;
    let ahead: (Option<i64>, Option<i64>) =
        ahead.query_row([hour, before], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ranges(first, ahead.0.zip(ahead.1)))
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn a_clock_that_was_far_ahead_makes_nobody_look_at_all_records() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::create(&mut connection).unwrap();
        let since = |from: i64| {
            let from = Timestamp::from_micros(from * 3_600_000_000);
            super::since(&connection, from).unwrap()
        };
        assert_eq!(since(0), []);
        for (hour, seq) in [(10, 1), (9999, 5), (10, 7), (11, 100), (12, 200)] {
            enter(&connection, hour, Seq(seq)).unwrap();
        }
        assert_eq!(since(12), [(4, 7), (199, i64::MAX)]);
        assert_eq!(since(11), [(4, 7), (99, i64::MAX)]);
        assert_eq!(since(10), [(0, i64::MAX)]);
        assert_eq!(since(13), [(4, 7)]);
        // It is ahead again, and then its time has come.
        enter(&connection, 9999, Seq(300)).unwrap();
        assert_eq!(since(12), [(4, i64::MAX)]);
        // What a program wrote that does not know of ends.
        let old = "insert or ignore into hour (hour, first) values (8888, 2)";
        connection.execute_batch(old).unwrap();
        assert_eq!(since(12), [(1, i64::MAX)]);
    }
}
