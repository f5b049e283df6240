use redengine::prelude::*;

// A mistake in the body is told as without the attribute, and alone.
#[task("daily")]
async fn fetch() -> Result<u32> {
    let text = "5";
    Ok(text.parse::<u32>()?.)
}

#[task(after_success(Fetch))]
async fn load(fetched: Return<Fetch>) {
    let _: u32 = *fetched;
}

fn main() {}
