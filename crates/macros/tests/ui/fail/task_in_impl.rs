use redengine::prelude::*;

struct Client;

impl Client {
    #[task("daily")]
    async fn fetch() {}
}

fn main() {}
