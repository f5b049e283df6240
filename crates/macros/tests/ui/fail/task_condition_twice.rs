use redengine::prelude::*;

#[task("daily", "hourly")]
async fn two() {}

#[task(name = "late", "hourly")]
async fn after_an_option() {}

fn main() {}
