use redengine::prelude::*;

#[condition]
fn nothing(path: &str) {}

#[condition]
fn number() -> u32 {
    1
}

#[condition]
fn fails() -> Result<u32> {
    Ok(1)
}

fn main() {}
