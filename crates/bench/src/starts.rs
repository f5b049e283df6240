//! What the body of a task does: it notes that it started, and nothing else.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::clock::Unix;

/// Bodies find it here, so that a task keeps no more than its number.
static STARTS: OnceLock<Starts> = OnceLock::new();

/// The starts that were noted.
#[derive(Debug)]
pub(crate) struct Starts {
    all: AtomicU64,
    first: AtomicU64,
    last: AtomicU64,
    /// The instants at which the first tasks started.
    timed: Vec<Mutex<Vec<Unix>>>,
    /// How often the first tasks started.
    counted: Vec<AtomicU8>,
    distinct: AtomicU64,
}

/// How much is noted of the first tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Noting {
    /// Only how many starts there were.
    Total,
    /// The instants at which so many tasks started.
    Instants(usize),
    /// How often so many tasks started.
    Counts(usize),
}

impl Starts {
    /// Makes what starts are noted in. What was made first stays.
    pub(crate) fn prepare(noting: Noting) -> &'static Self {
        let (timed, counted) = match noting {
            Noting::Total => (0, 0),
            Noting::Instants(tasks) => (tasks, 0),
            Noting::Counts(tasks) => (0, tasks),
        };
        STARTS.get_or_init(|| Self {
            all: AtomicU64::new(0),
            first: AtomicU64::new(u64::MAX),
            last: AtomicU64::new(0),
            timed: (0..timed).map(|_| Mutex::new(Vec::with_capacity(64))).collect(),
            counted: (0..counted).map(|_| AtomicU8::new(0)).collect(),
            distinct: AtomicU64::new(0),
        })
    }

    pub(crate) fn all(&self) -> u64 {
        self.all.load(Relaxed)
    }

    /// Tells how many different tasks started, of those that are counted.
    pub(crate) fn distinct(&self) -> u64 {
        self.distinct.load(Relaxed)
    }

    pub(crate) fn first(&self) -> Unix {
        Unix(self.first.load(Relaxed))
    }

    pub(crate) fn last(&self) -> Unix {
        Unix(self.last.load(Relaxed))
    }

    /// Tells the instants at which each of the timed tasks started.
    pub(crate) fn instants(&self) -> impl Iterator<Item = Vec<Unix>> {
        self.timed.iter().map(|task| task.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Notes that a task starts now.
pub(crate) fn note(task: usize) {
    let now = Unix::now();
    let Some(starts) = STARTS.get() else { return };
    starts.first.fetch_min(now.0, Relaxed);
    starts.last.fetch_max(now.0, Relaxed);
    if let Some(timed) = starts.timed.get(task) {
        timed.lock().unwrap_or_else(PoisonError::into_inner).push(now);
    }
    if let Some(counted) = starts.counted.get(task)
        && counted.fetch_add(1, Relaxed) == 0
    {
        starts.distinct.fetch_add(1, Relaxed);
    }
    starts.all.fetch_add(1, Relaxed);
}
