//! What this process costs: CPU time, memory, context switches, and how long it waited for a CPU.
//!
//! CPU time is the kernel's own, in nanoseconds; the rest is read from `/proc`, and is zero where
//! there is none. Threads that have ended are missing from switches and waits; the benchmarks end
//! none while they measure.

use std::fs;
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};

/// A reading of all that grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Seconds of user and system time.
    pub cpu: f64,
    /// Context switches, whether they were wanted or not.
    pub switches: u64,
    /// Seconds that threads could have run but others had the CPU.
    pub waited: f64,
}

impl Usage {
    pub(crate) fn read() -> Self {
        let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let (mut switches, mut waited) = (0, 0.0);
        for thread in threads {
            switches += switches_of(&thread.path()).unwrap_or(0);
            waited += waited_by(&thread.path()).unwrap_or(0.0);
        }
        Self { cpu: cpu(), switches, waited }
    }

    /// Tells what came after an earlier reading.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu - earlier.cpu,
            switches: self.switches.saturating_sub(earlier.switches),
            waited: self.waited - earlier.waited,
        }
    }
}

/// Tells the CPU seconds that this process has used.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // OK because neither is negative.
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    std::time::Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0)).as_secs_f64()
}

/// Tells the resident memory in bytes.
pub(crate) fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|statm| statm.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

fn switches_of(thread: &Path) -> Option<u64> {
    let status = fs::read_to_string(thread.join("status")).ok()?;
    let counts = status.lines().filter(|line| line.contains("ctxt_switches:"));
    Some(counts.filter_map(|line| line.rsplit('\t').next()?.parse::<u64>().ok()).sum())
}

fn waited_by(thread: &Path) -> Option<f64> {
    let stat = fs::read_to_string(thread.join("schedstat")).ok()?;
    Some(stat.split(' ').nth(1)?.parse::<f64>().ok()? / 1e9)
}
