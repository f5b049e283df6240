//! Giving the room of removed records back.
//!
//! Always: nobody waits for it. So the tables are not written anew (`vacuum full` would lock them):
//! the room is ready for new records, and what is free at the end of a table goes back to the disk.

use std::pin::pin;

use super::address::Address;
use super::connect::Connection;
use super::error::Failure;

/// Gives the room of removed records back, however long that takes, as long as the server says that it
/// is at it.
pub(super) async fn compact(address: &Address) -> Result<(), Failure> {
    // A connection of its own, which ends with this: its limits are not those of the others.
    let mut connection = Connection::open(address).await?;
    let row = connection.row("select pg_backend_pid(), clock_timestamp()::text", &[]).await?;
    let (process, since): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    connection.run_all("set statement_timeout = 0").await?;
    let vacuum = "vacuum (analyze) record, tally, open_run, ended_run";
    let mut vacuum = pin!(async { Ok(connection.client().batch_execute(vacuum).await?) });
    loop {
        match connection.in_time(vacuum.as_mut()).await {
            Err(Failure::Late) if is_at_it(address, process, &since).await? => {}
            // It may have ended just now.
            Err(Failure::Late) => return connection.in_time(vacuum).await,
            done => return done,
        }
    }
}

/// Asks whether a process of the server, which was there at some instant, is at work.
async fn is_at_it(address: &Address, process: i32, since: &str) -> Result<bool, Failure> {
    // On another connection: the other may be broken without a word.
    let mut connection = Connection::open(address).await?;
    let select = "select exists (
        select from pg_stat_activity where pid = $1 and state = 'active'
        and backend_start <= $2::text::timestamptz
     )";
    Ok(connection.row(select, &[&process, &since]).await?.try_get(0)?)
}
