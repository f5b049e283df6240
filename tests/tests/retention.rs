//! What a session removes from its log, and what it never does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect;
use redengine_core::param::Return;
use redengine_core::runlog::Query;
use redengine_core::session::SessionBuilder;
use redengine_core::task::TaskType;
use redengine_core::{Config, Task};
use redengine_log::MemoryLog;
use redengine_tests::world::{failing, run_for, session, slow, span, task};

/// Gives a value once a day.
struct Price;

impl TaskType for Price {
    type Output = u32;
    const NAME: &'static str = "price";

    fn task() -> Task {
        Task::new(Self::NAME, "daily", || async { Ok::<_, String>(41_u32) })
    }
}

/// Begins a session with tasks whose conditions look far back.
fn begin(log: &MemoryLog, start: &str) -> SessionBuilder {
    session(start)
        .log(log.clone())
        .task(task("often", "every 1 min"))
        .task(failing("bad", "every 1 hour"))
        .task(slow("rare", "weekly on Tue", "1 s"))
        .task(task("counting", "task 'bad' has failed at least 20 times today & daily"))
        .task(task("late", "task 'often' has succeeded more than 300 times past 10 hours & daily"))
        .task(task("after rare", "after task 'rare'"))
        .task(Price::task())
        .task(Task::new("spend", "every 5 hours", |price: Return<Price>| async move {
            assert_eq!(*price, 41);
        }))
}

type Launches = BTreeMap<String, Vec<String>>;

/// Runs a session for two days with a restart between them, and tells when each task last began and
/// ended on either, and how many records of it there are in the end.
async fn live(change: fn(&mut Config)) -> (Launches, Vec<(String, u64)>) {
    let log = MemoryLog::new();
    let mut launches = Launches::new();
    let mut left = Vec::new();
    for start in ["2026-11-24 00:00", "2026-11-25 00:00"] {
        let session = begin(&log, start).configure(change).build().unwrap();
        run_for(&session, "24 hours").await.unwrap();
        left.clear();
        for definition in session.tasks() {
            let name = definition.name.to_string();
            let records = session.history(Query::task(name.clone())).await.unwrap();
            left.push((name.clone(), records.len() as u64));
            let last = records.iter().rev().map(|known| known.record.at.to_string()).take(2);
            launches.entry(name).or_default().extend(last);
        }
    }
    (launches, left)
}

#[tokio::test(start_paused = true)]
async fn old_records_go_but_for_those_that_conditions_and_values_need() {
    let (as_ever, all) = live(|_| {}).await;
    let (by_count, few) = live(|config| config.retention_records = Some(10)).await;
    let (by_age, young) = live(|config| config.retention = Some(span("2 hours"))).await;
    assert_eq!(as_ever, by_count);
    assert_eq!(as_ever, by_age);
    let mut told = String::new();
    for (((name, all), (_, few)), (_, young)) in all.iter().zip(&few).zip(&young) {
        writeln!(told, "{name}: {all}, beyond ten {few}, by age {young}").unwrap();
    }
    expect![[r#"
        often: 5760, beyond ten 425, by age 540
        bad: 96, beyond ten 26, by age 23
        rare: 2, beyond ten 2, by age 2
        counting: 4, beyond ten 4, by age 2
        late: 4, beyond ten 4, by age 2
        after rare: 2, beyond ten 2, by age 2
        price: 4, beyond ten 4, by age 2
        spend: 20, beyond ten 11, by age 3
    "#]]
    .assert_eq(&told);
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_unless_the_session_says_so() {
    let log = MemoryLog::new();
    let session = begin(&log, "2026-11-24 00:00").build().unwrap();
    run_for(&session, "10 hours").await.unwrap();
    let records = session.history(Query::task("often")).await.unwrap();
    assert_eq!(records.len(), 2 * 600);
}
