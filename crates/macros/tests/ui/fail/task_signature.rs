use redengine::prelude::*;

#[task("daily")]
async fn generic<T: Send, const N: usize>(param: Param<[T; N]>) {}

#[task("daily")]
async fn lifetime<'a>(param: Param<&'a str>) {}

#[task("daily")]
async unsafe fn dangerous() {}

#[task("daily")]
extern "C" fn foreign() {}

#[task("daily")]
async fn borrows(name: &str, names: Param<&[u8]>, any: impl Clone) -> impl Sized {}

#[task("daily")]
async fn on_windows(#[cfg(windows)] limit: Param<u32>) {}

#[task("daily")]
async fn __() {}

fn main() {}
