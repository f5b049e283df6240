use redengine::prelude::*;

struct Client;

impl Client {
    #[task("daily")]
    async fn fetch(&self, limit: &u32) {}
}

fn main() {}
