use std::rc::Rc;

use redengine::prelude::*;

async fn wait() {}

#[task("daily")]
async fn fetch() {
    let shared = Rc::new(1);
    wait().await;
    drop(shared);
}

fn main() {}
