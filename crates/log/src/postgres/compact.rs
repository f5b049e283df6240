//! Giving the room of removed records back.
//!
//! Always: nobody waits for it. So the tables are not written anew (`vacuum full` would lock them):
//! the room is ready for new records, and what is free at the end of a table goes back to the disk.

use super::address::Address;
use super::connect::Connection;
use super::error::Failure;

/// Gives the room of removed records back, however long that takes.
pub(super) async fn compact(address: &Address) -> Result<(), Failure> {
    // A connection of its own, which ends with this: its limits are not those of the others.
    let connection = Connection::open(address).await?;
    connection.run_all("set statement_timeout = 0").await?;
    let vacuum = "vacuum (analyze) record, tally, open_run, ended_run";
    Ok(connection.client().batch_execute(vacuum).await?)
}
