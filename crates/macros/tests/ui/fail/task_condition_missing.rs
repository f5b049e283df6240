use redengine::prelude::*;

#[task]
async fn without_anything() {}

#[task(name = "named")]
async fn with_options() {}

fn main() {}
