//! How long the runs of tasks usually take, as far as the run log tells.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::record::{Action, Recorded};

/// So many of a task's latest successful runs are looked at.
const RUNS: usize = 20;

/// Fewer runs say nothing of what is usual.
const FEWEST: usize = 3;

/// How long the runs of tasks usually take: the median of the latest successful ones.
///
/// Of a task with fewer than three nothing is known.
#[derive(Clone, Debug, Default)]
pub struct UsualDurations(HashMap<Arc<str>, Duration>);

impl UsualDurations {
    /// Reads it off records, the newest first. Those that are no successes are passed over.
    pub fn of<'a>(newest_first: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let mut taken: HashMap<Arc<str>, Vec<Duration>> = HashMap::new();
        for Recorded { record, .. } in newest_first {
            if record.action == Action::Success {
                let taken = taken.entry(record.task.clone()).or_default();
                if taken.len() < RUNS {
                    taken.push(record.duration());
                }
            }
        }
        let usual = taken.into_iter().filter(|(_, taken)| taken.len() >= FEWEST);
        Self(usual.map(|(task, taken)| (task, median(taken))).collect())
    }

    /// Tells that of a task.
    pub fn get(&self, task: &str) -> Option<Duration> {
        self.0.get(task).copied()
    }
}

/// Finds the middle one; of two, the shorter, since nothing may be told that is not certain.
fn median(mut taken: Vec<Duration>) -> Duration {
    taken.sort_unstable();
    taken.get(taken.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
