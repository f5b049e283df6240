use redengine::prelude::*;

#[condition]
fn is_there(path: std::path::PathBuf) -> bool {
    path.exists()
}

fn main() {}
