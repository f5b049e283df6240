//! The table of hours: which records can be of an hour or later, by their numbers ([`crate::hours`]).

use redengine_core::Timestamp;

use super::connect::Connection;
use super::error::Failure;
use crate::hours::{hour, ranges};

/// Notes that records are of some hours, each from one on, the last of them to the end.
///
/// What is closed was opened before, none of these is, and all records of it are before these. The next
/// hour is not ahead, since the clocks of several nodes need not agree to the second.
pub(super) const ENTER: &str = "with entered as (
        insert into hour (hour, first)
        select hour, min(first) from unnest($1::bigint[], $2::bigint[]) as new(hour, first)
        group by hour
        on conflict (hour) do update set last = null where hour.last is not null
     )
     update hour set last = ($2::bigint[])[1] - 1
     where hour > ($1::bigint[])[cardinality($1::bigint[])] + 1 and last is null
     and not (hour = any($1::bigint[]))";

/// The first record of an hour that is open, and between which those before it are.
const SINCE: &str = "select open.first, min(hour.first), max(hour.last) from (
        select min(first) from hour where hour >= $1 and last is null
     ) as open(first)
     left join hour on hour.hour >= $1 and hour.last is not null
        and hour.first < coalesce(open.first, $2)
     group by open.first";

/// Between which two numbers, without these, the records at or after an instant are; in order.
pub(super) async fn since(
    connection: &mut Connection,
    from: Timestamp,
) -> Result<Vec<(i64, i64)>, Failure> {
    let row = connection.row(SINCE, &[&hour(from), &i64::MAX]).await?;
    let open = row.try_get(0)?;
    let closed: (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
    Ok(ranges(open, closed.0.zip(closed.1)))
}

#[cfg(test)]
mod tests {
    use super::super::address::Address;
    use super::super::schema;
    use super::*;

    #[tokio::test]
    async fn a_clock_that_was_far_ahead_makes_nobody_look_at_all_records() {
        let server = redengine_testserver::Server::shared();
        let address = Address::parse(&server.url_of_new_schema()).unwrap();
        let mut connection = Connection::open(&address).await.unwrap();
        schema::settle(connection.client(), &address).await.unwrap();
        let since = async |connection: &mut Connection, from: i64| {
            let from = Timestamp::from_micros(from * 3_600_000_000);
            super::since(connection, from).await.unwrap()
        };
        assert_eq!(since(&mut connection, 0).await, []);
        for (hours, firsts) in
            [(vec![10_i64, 9999, 10], vec![1_i64, 5, 7]), (vec![11, 12], vec![100, 200])]
        {
            connection.run(ENTER, &[&hours, &firsts]).await.unwrap();
        }
        assert_eq!(since(&mut connection, 12).await, [(4, 100), (199, i64::MAX)]);
        assert_eq!(since(&mut connection, 10).await, [(0, i64::MAX)]);
        assert_eq!(since(&mut connection, 13).await, [(4, 100)]);
        // It is ahead again, and then its time has come.
        connection.run(ENTER, &[&vec![9999_i64], &vec![300_i64]]).await.unwrap();
        assert_eq!(since(&mut connection, 12).await, [(4, i64::MAX)]);
        // What a program wrote that does not know of ends.
        let old = "insert into hour (hour, first) values (8888, 2) on conflict do nothing";
        connection.run_all(old).await.unwrap();
        assert_eq!(since(&mut connection, 12).await, [(1, i64::MAX)]);
    }
}
