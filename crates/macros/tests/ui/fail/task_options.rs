use redengine::prelude::*;

#[task("daily", nmae = "x")]
async fn misspelt() {}

#[task("daily", disable)]
async fn misspelt_flag() {}

#[task("daily", colour = "red")]
async fn unlike_any() {}

#[task("daily", name = "a", name = "b", disabled, disabled = true)]
async fn twice() {}

#[task("daily" name = "a")]
async fn no_comma() {}

fn main() {}
