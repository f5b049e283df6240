//! The shortest program: a task that runs once a day.
//!
//! `cargo run --example hello`; stop it with Ctrl-C.

use redengine::prelude::*;

#[task("daily")]
async fn do_daily() {}

#[tokio::main]
async fn main() -> Result {
    session().run().await
}
