use redengine::prelude::*;

#[task("daily")]
async fn fetch() -> std::rc::Rc<u32> {
    std::rc::Rc::new(1)
}

fn main() {}
