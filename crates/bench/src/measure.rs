//! How long something short takes, in processor time of this process.

use crate::clock::Stopwatch;
use crate::process;

/// So many nanoseconds should lie between two looks at the clock, which costs a thousand.
const BATCH: f64 = 200_000.0;

/// Does something again and again for some seconds; tells the mean nanoseconds of one time.
pub(crate) fn nanos<T>(seconds: f64, mut once: impl FnMut() -> T) -> f64 {
    let (mut batch, mut times) = (1_u32, 0.0);
    let (mut clock, mut before) = (Stopwatch::start(), process::cpu());
    loop {
        for _ in 0..batch {
            once();
        }
        times += f64::from(batch);
        let (wall, cpu) = (clock.seconds(), process::cpu() - before);
        if batch < u32::MAX / 2 && cpu * 1e9 < BATCH {
            // The first times are slow and tell only how many make a batch.
            batch *= 2;
            (clock, before, times) = (Stopwatch::start(), process::cpu(), 0.0);
        } else if wall >= seconds {
            return cpu * 1e9 / times;
        }
    }
}
