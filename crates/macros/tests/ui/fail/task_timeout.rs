use redengine::prelude::*;

#[task("daily", timeout = "10 sekonds")]
async fn fetch() {}

fn main() {}
