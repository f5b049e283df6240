use redengine::prelude::*;

#[task("daily")]
unsafe extern "C" fn printf(first: u32, ...) {}

fn main() {}
