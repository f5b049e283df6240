use redengine::prelude::*;

struct NoError;

#[condition]
fn is_there() -> Result<bool, NoError> {
    Ok(true)
}

fn main() {}
