// The names that the macros use may all mean something else here.
#![no_implicit_prelude]
#![allow(dead_code, unused_macros)]

use ::redengine as engine;

struct Vec;
struct String;
struct Option;
struct Ok;
trait Into {}
trait From {}
trait Clone {}
trait Iterator {}
mod redengine {}
mod core {}
mod std {}
macro_rules! line { () => { compile_error!("mine") } }
macro_rules! file { () => { compile_error!("mine") } }
macro_rules! vec { () => { compile_error!("mine") } }

#[engine::task("daily", crate = ::redengine, timeout = "10 s", end = "hourly")]
async fn fetch(cx: engine::param::Param<u32>, needs: engine::param::RunInfo) -> u32 {
    let _ = needs;
    *cx
}

#[engine::task("daily", crate = engine)]
fn finish(value: engine::param::Return<Fetch>) {
    let _ = value;
}

#[engine::condition(crate = engine, poll = "10 s")]
async fn is_there(literals: &str, arg0: i64) -> bool {
    literals.is_empty() && arg0 == 0
}

fn main() {}
