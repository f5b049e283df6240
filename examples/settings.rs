//! Options and conditions in a file, which change without a new build: `cargo run --example settings`.
//!
//! The file's word counts over the program's. What is wrong in it is told with file, line and
//! column, all at once, before anything runs.

use redengine::prelude::*;

#[task("daily")]
async fn fetch() -> u32 {
    println!("fetching");
    42
}

#[task("after task 'fetch'", disabled)]
async fn report(value: Return<Fetch>) {
    println!("the value is {}", *value);
}

#[tokio::main]
async fn main() -> Result {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/settings.toml");
    let session = Session::builder()
        .task(Fetch)
        .task(Report)
        .settings(path, std::fs::read_to_string(path)?)
        .configure(|config| config.shut_cond = Some("scheduler has run over 15 s".parse().unwrap()))
        .build()?;
    session.run().await
}
