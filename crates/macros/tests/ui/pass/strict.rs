// What is written must pass the strictest lints of a user.
#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations, missing_copy_implementations)]
#![deny(rust_2018_idioms, unused_qualifications, unused, non_local_definitions, single_use_lifetimes)]
#![deny(elided_lifetimes_in_paths, explicit_outlives_requirements, trivial_casts, unused_results)]
#![forbid(unsafe_code)]

//! A crate.

use redengine::prelude::*;

/// Documented.
#[task("daily", timeout = "10 s")]
pub async fn fetch(_limit: Param<u32>) -> Result<u32> {
    Ok(1)
}

/// Documented.
#[task("false")]
fn blocks(fetched: Return<Fetch>) -> u32 {
    *fetched
}

/// Documented.
#[condition(poll = "10 s")]
pub fn is_there(path: &str, _depth: u32) -> Result<bool, std::io::Error> {
    std::fs::exists(path)
}

/// Old.
#[deprecated]
#[task("false")]
pub async fn old() {}

fn main() {
    #[task("hourly")]
    async fn inside() {}

    #[condition]
    fn is_late() -> bool {
        true
    }

    let _ = session();
    let _ = is_late();
}
