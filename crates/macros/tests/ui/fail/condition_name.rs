use redengine::prelude::*;

#[condition]
fn hourly() -> bool {
    true
}

#[condition(name = "is a work day")]
fn is_work_day() -> bool {
    true
}

fn main() {}
