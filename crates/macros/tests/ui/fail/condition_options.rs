use redengine::prelude::*;

#[condition(5, "file {path} exists")]
fn phrase(path: &str) -> bool {
    true
}

#[condition(pol = "10 s", disabled)]
fn misspelt() -> bool {
    true
}

#[condition(poll = "10 sekonds")]
fn wrong_unit() -> bool {
    true
}

#[condition(poll = 5, name = 5)]
fn wrong_kinds() -> bool {
    true
}

#[condition(poll = "never")]
fn never() -> bool {
    true
}

#[condition(poll = "1 s", poll = "2 s")]
fn twice() -> bool {
    true
}

fn main() {}
