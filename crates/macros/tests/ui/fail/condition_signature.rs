use redengine::prelude::*;

#[condition]
unsafe fn generic<T>() -> bool {
    true
}

struct Client;

impl Client {
    #[condition]
    fn is_there(&self) -> bool {
        true
    }
}

#[condition]
const LIMIT: u32 = 5;

fn main() {}
