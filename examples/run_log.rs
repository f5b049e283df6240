//! Any run log by its address, and what is in it: `cargo run --example run_log sqlite:runs.db`.
//!
//! The address may as well be `csv:runs.csv`, `jsonl:runs.jsonl`, `memory:`, or that of a PostgreSQL
//! server, `postgres://user:password@host/database`. Start it again with the same address, and it goes
//! on counting; with `sqlite:` or `postgres:`, in two terminals, and they share the work.

use redengine::log::connect;
use redengine::prelude::*;
use redengine::record::Action;
use redengine::runlog::Query;

/// Tells how many runs of all tasks the log has seen, this one with them.
#[task("every 2 s")]
async fn count(session: Session) -> Result<u64> {
    let runs = session.log().count(Query::all().actions([Action::Run])).await?;
    println!("{runs} runs so far");
    Ok(runs)
}

/// Greets a multiple of five, by what the other task returned, whichever process ran it.
#[task(after_success(Count))]
async fn cheer(runs: Return<Count>) -> Result {
    if !runs.is_multiple_of(5) {
        return Err(Inaction.into());
    }
    println!("{} runs, hooray", *runs);
    Ok(())
}

#[tokio::main]
async fn main() -> Result {
    let address = std::env::args().nth(1).unwrap_or_else(|| "memory:".to_owned());
    let session = Session::builder()
        .log(connect(&address).await)
        .task(Count)
        .task(Cheer)
        .configure(|config| config.shut_cond = Some("scheduler has run over 11 s".parse().unwrap()))
        .build()?;
    session.run().await
}
