use redengine::prelude::*;

#[task("daily")]
async fn fetch(limit: usize) {}

struct Prices;

#[task("daily")]
fn load(prices: Return<Prices>) {}

fn main() {}
