use redengine::prelude::*;

#[task("daily")]
struct Fetch;

#[task("daily")]
mod tasks {
    fn fetch() {}
}

fn main() {}
