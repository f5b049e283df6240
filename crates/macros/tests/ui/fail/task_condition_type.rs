use redengine::prelude::*;

#[task(Some("daily"))]
async fn fetch() {}

fn main() {}
