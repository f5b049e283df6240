use redengine::prelude::*;

#[task("daily")]
struct Fetch;

#[task("daily")]
mod tasks {
    fn fetch() {}
}

#[task("daily")]
async fn fetch();

fn main() {}
