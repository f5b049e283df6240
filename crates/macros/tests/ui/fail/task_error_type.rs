use redengine::prelude::*;

struct NoError;

#[task("daily")]
async fn fetch() -> Result<u32, NoError> {
    Ok(1)
}

fn main() {}
