use redengine::prelude::*;

#[task("daily betwen 10:00 and 14:00")]
async fn one_mistake() {}

#[task("evry 10 s & has failled")]
async fn two_mistakes() {}

#[task("daily", end = "tme of day after 10:00")]
async fn at_the_end() {}

#[task("daily & on businessdays & before 2026-02-30")]
async fn wrong_days() {}

#[task(10)]
async fn a_number() {}

fn main() {}
