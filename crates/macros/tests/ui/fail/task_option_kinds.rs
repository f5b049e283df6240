use redengine::prelude::*;

#[task("daily", name = 5, execution = true, priority = "high", timeout = 10)]
async fn wrong_kinds() {}

#[task("daily", disabled = "yes", register = 0, priority = 3_000_000_000)]
async fn more_wrong_kinds() {}

#[task("daily", timeout = 10_u64 + 5, priority = 1.5 + 1.0)]
async fn wrong_expressions() {}

#[task("daily", name = "")]
async fn empty_name() {}

#[task("daily", name = "a\nb")]
async fn two_lines() {}

fn main() {}
