//! The suite passes every log of ours, and none that is broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod faulty;
mod leases;
#[cfg(any(feature = "csv", feature = "jsonl"))]
#[path = "../reopened/mod.rs"]
mod reopened;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
#[cfg(any(feature = "csv", feature = "jsonl"))]
use std::sync::atomic::{AtomicU64, Ordering};

use common::NaiveLog;
use faults::{FAULTS, Fault, REOPENED_FAULTS, SHARED_FAULTS};
use faulty::{Faulty, FaultyStore};
use futures::future::join_all;
use redengine_log::MemoryLog;
use redengine_log::conformance::{self, StoreCheck};
#[cfg(any(feature = "csv", feature = "jsonl"))]
use reopened::Reopened;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_log_passes() {
    conformance::run(async || MemoryLog::new()).await.unwrap();
}

#[tokio::test]
async fn the_naive_log_passes() {
    conformance::run(async || NaiveLog::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_naive_log_with_leases_passes() {
    conformance::run(async || Faulty::new(Fault::Nothing)).await.unwrap();
    let stores = Stores::new(|_| FaultyStore::new(Fault::Nothing));
    conformance::run_reopened(async |store| stores.of(store).open()).await.unwrap();
    conformance::run_shared(async |store| stores.of(store).open()).await.unwrap();
}

/// Stores that are made when their number is first asked for.
struct Stores<S, F> {
    make: F,
    made: RefCell<BTreeMap<usize, Rc<S>>>,
}

impl<S, F: Fn(usize) -> S> Stores<S, F> {
    fn new(make: F) -> Self {
        Self { make, made: RefCell::default() }
    }

    fn of(&self, store: usize) -> Rc<S> {
        Rc::clone(
            self.made.borrow_mut().entry(store).or_insert_with(|| Rc::new((self.make)(store))),
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_logs_of_one_store_pass() {
    let stores = Stores::new(|_| MemoryLog::new());
    conformance::run_reopened(async |store| MemoryLog::clone(&stores.of(store))).await.unwrap();
    conformance::run_shared(async |store| MemoryLog::clone(&stores.of(store))).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sqlite_logs_of_one_file_pass() {
    use redengine_log::{SqliteLog, Synchronous};

    let folder = tempfile::tempdir().unwrap();
    let open = async |store| {
        let log = SqliteLog::builder(folder.path().join(format!("{store}.db")));
        log.synchronous(Synchronous::Normal).open().unwrap()
    };
    conformance::run_reopened(open).await.unwrap();
    conformance::run_shared(open).await.unwrap();
}

#[cfg(feature = "csv")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_csv_log_that_is_opened_again_passes() {
    use redengine_log::{CsvLog, Fsync};

    let folder = tempfile::tempdir().unwrap();
    let open = async |store| {
        let log = CsvLog::builder(folder.path().join(format!("{store}.csv"))).rotate_at(2000);
        log.fsync(Fsync::Never).open().unwrap()
    };
    conformance::run_reopened(open).await.unwrap();
}

#[cfg(feature = "jsonl")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_jsonl_log_that_is_opened_again_passes() {
    use redengine_log::{Fsync, JsonlLog};

    let folder = tempfile::tempdir().unwrap();
    let open = async |store| {
        let log = JsonlLog::builder(folder.path().join(format!("{store}.jsonl"))).rotate_at(2000);
        log.fsync(Fsync::Never).open().unwrap()
    };
    conformance::run_reopened(open).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sqlite_log_passes() {
    use redengine_log::{SqliteLog, Synchronous};

    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let make = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = SqliteLog::builder(folder.path().join(format!("{number}.db")));
        log.synchronous(Synchronous::Normal).open().unwrap()
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "csv")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_csv_log_passes() {
    use redengine_log::{CsvLog, Fsync};

    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let make = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // So that all of it is tried on rotated files too.
        let log = CsvLog::builder(folder.path().join(format!("{number}.csv"))).rotate_at(2000);
        log.fsync(Fsync::Never).open().unwrap()
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "jsonl")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_jsonl_log_passes() {
    use redengine_log::{Fsync, JsonlLog};

    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let make = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = JsonlLog::builder(folder.path().join(format!("{number}.jsonl"))).rotate_at(2000);
        log.fsync(Fsync::Never).open().unwrap()
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "csv")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_csv_log_that_is_opened_again_all_the_time_passes() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU64::new(0);
    let make = async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Reopened::<redengine_log::CsvLog>::new(folder.path().join(format!("{number}.csv")))
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "jsonl")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_jsonl_log_that_is_opened_again_all_the_time_passes() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU64::new(0);
    let make = async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Reopened::<redengine_log::JsonlLog>::new(folder.path().join(format!("{number}.jsonl")))
    };
    conformance::run(make).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_fault_is_noticed_by_the_check_that_is_there_for_it() {
    let checks = conformance::checks();
    // All at once: those who wait in vain do so together.
    let mut running = JoinSet::new();
    for (fault, name) in FAULTS {
        let check = *checks.iter().find(|check| check.name() == *name).unwrap();
        running.spawn(async move {
            let noticed = check.run(Arc::new(Faulty::new(*fault))).await.is_err();
            (!noticed).then(|| format!("{name} does not notice {fault:?}"))
        });
    }
    let unnoticed: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert_eq!(unnoticed, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_fault_of_a_store_is_noticed_by_the_check_that_is_there_for_it() {
    let checks = [conformance::reopened_checks(), conformance::shared_checks()].concat();
    let faults = REOPENED_FAULTS.iter().chain(SHARED_FAULTS);
    let unnoticed = join_all(faults.map(async |(fault, name)| {
        let check = checks.iter().find(|check| check.name() == *name).unwrap();
        let store = FaultyStore::new(*fault);
        let noticed = check.run(async || store.open()).await.is_err();
        (!noticed).then(|| format!("{name} does not notice {fault:?}"))
    }));
    let unnoticed: Vec<String> = unnoticed.await.into_iter().flatten().collect();
    assert_eq!(unnoticed, Vec::<String>::new());
}

#[test]
fn each_check_is_there_for_some_fault() {
    let check = |names: Vec<&'static str>, faults: &[(Fault, &str)]| {
        let of_none = names.into_iter().find(|name| !faults.iter().any(|(_, of)| of == name));
        assert_eq!(of_none, None);
    };
    check(conformance::checks().iter().map(conformance::Check::name).collect(), FAULTS);
    let names = |checks: Vec<StoreCheck>| checks.iter().map(StoreCheck::name).collect();
    check(names(conformance::reopened_checks()), REOPENED_FAULTS);
    check(names(conformance::shared_checks()), SHARED_FAULTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_failed_is_named() {
    let failures = conformance::run(async || Faulty::new(Fault::Fails)).await.unwrap_err();
    let message = failures.to_string();
    assert!(message.contains("\n  numbers_increase: cannot write"), "{message}");
}
