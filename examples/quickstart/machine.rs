//! This machine, and a series of samples of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redengine::Result;
use serde::{Deserialize, Serialize};
use sysinfo::System;

/// How many samples there are, for the condition that asks.
pub static SAMPLES: AtomicUsize = AtomicUsize::new(0);

/// A handle to the machine and its series, shared by the tasks as a parameter.
#[derive(Clone)]
pub struct Machine(Arc<Mutex<Inner>>);

struct Inner {
    system: System,
    series: VecDeque<Sample>,
}

/// A sample of the machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub cpu_percent: f32,
    pub memory_percent: f32,
    pub load: f64,
}

impl Machine {
    pub fn new() -> Result<Self> {
        let inner = Inner { system: System::new()?, series: VecDeque::new() };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }

    /// Takes a sample and adds it to the series.
    pub fn sample(&self) -> Result<Sample> {
        self.with(|inner| {
            inner.system.refresh_cpu_usage();
            inner.system.refresh_memory();
            let (used, total) = (inner.system.used_memory(), inner.system.total_memory());
            let sample = Sample {
                cpu_percent: inner.system.global_cpu_usage(),
                memory_percent: (used as f64 / total.max(1) as f64 * 100.0) as f32,
                load: System::load_average()?.one,
            };
            inner.series.push_back(sample.clone());
            Ok(sample)
        })
    }

    /// Tells the series.
    pub fn series(&self) -> Vec<Sample> {
        self.with(|inner| inner.series.iter().cloned().collect())
    }

    /// Drops the older half of the series.
    pub fn drop_older_half(&self) {
        self.with(|inner| drop(inner.series.drain(..inner.series.len() / 2)));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut inner);
        SAMPLES.store(inner.series.len(), Ordering::Relaxed);
        result
    }
}
