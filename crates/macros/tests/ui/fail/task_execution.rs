use redengine::prelude::*;

#[task("daily", execution = "async")]
fn blocks() {}

#[task("daily", execution = "thraed")]
fn misspelt() {}

#[task("daily", execution = "process")]
fn unknown() {}

fn main() {}
