use redengine::prelude::*;

#[condition]
fn borrowed(path: &std::path::Path, mode: &mut str, ratio: f32, any: impl Clone) -> bool {
    true
}

#[condition]
fn pattern((low, high): (u32, u32)) -> bool {
    low < high
}

fn main() {}
