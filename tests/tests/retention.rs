//! What a session removes from its log, and what it never does.

use std::fmt::Write as _;
use std::sync::Arc;

use expect_test::expect;
use redengine_core::param::Return;
use redengine_core::runlog::{Query, RunLog};
use redengine_core::session::SessionBuilder;
use redengine_core::task::TaskType;
use redengine_core::{Config, Task};
use redengine_log::MemoryLog;
use redengine_tests::ear::{Ear, Hearing, Launch, differ};
use redengine_tests::repository::Repository;
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
fn begin(log: impl RunLog, start: &str) -> SessionBuilder {
    session(start)
        .log(log)
        // To renew it costs a server as much as a record, and two days pass in some seconds.
        .configure(|config| config.lease = span("3 hours"))
        .task(task("often", "every 5 min"))
        .task(failing("bad", "every 1 hour"))
        .task(slow("rare", "weekly on Tue", "1 s"))
        .task(task("counting", "task 'bad' has failed at least 20 times today & daily"))
        .task(task("late", "task 'often' has succeeded more than 60 times past 10 hours & daily"))
        .task(task("after rare", "after task 'rare'"))
        .task(failing("again", "every 6 hours | retry 3 after 50 min"))
        .task(task("quiet", "~task 'rare' has started past 30 hours & every 7 hours"))
        .task(task("in all", "task 'often' has succeeded at least 300 times & daily"))
        .task(Price::task())
        .task(Task::new("spend", "every 5 hours", |price: Return<Price>| async move {
            assert_eq!(*price, 41);
        }))
}

/// Runs a session for two days with a restart between them; tells all that it launched, and how many
/// records of each task there are in the end.
async fn live(log: Arc<dyn RunLog>, change: fn(&mut Config)) -> (Vec<Launch>, Vec<(String, u64)>) {
    let ear = Ear::new(log, Hearing::Good);
    let mut left = Vec::new();
    for start in ["2026-11-24 00:00", "2026-11-25 00:00"] {
        let session = begin(ear.clone(), start).configure(change).build().unwrap();
        run_for(&session, "24 hours").await.unwrap();
        left.clear();
        for definition in session.tasks() {
            let name = definition.name.to_string();
            left.push((name.clone(), session.log().count(Query::task(name)).await.unwrap()));
        }
    }
    (ear.launches(), left)
}

/// Removes what is beyond ten records of a task, what is two hours old, and both.
const WAYS: [fn(&mut Config); 3] = [
    |config| config.retention_records = Some(10),
    |config| config.retention = Some(span("2 hours")),
    |config| {
        config.retention = Some(span("5 hours"));
        config.retention_records = Some(3);
        config.force_status_from_logs = true;
    },
];

/// Demands that a session launches the same whatever is removed as where nothing is; tells how many
/// records of each task there are where nothing is removed, and how many are left each time.
async fn demand_the_same(repository: Repository, ways: &[fn(&mut Config)]) -> String {
    let memory = Repository::Memory.open().await;
    let (expected, all) = live(memory.log.clone(), |_| {}).await;
    let mut told: Vec<String> = all.iter().map(|(name, all)| format!("{name}: {all}")).collect();
    for way in ways {
        let opened = repository.open().await;
        let (found, left) = live(opened.log.clone(), *way).await;
        assert_eq!(differ(&expected, &found), "", "{repository:?}");
        for (line, (_, left)) in told.iter_mut().zip(left) {
            write!(line, ", {left}").unwrap();
        }
    }
    told.join("\n")
}

#[tokio::test(start_paused = true)]
async fn old_records_go_but_for_those_that_conditions_and_values_need() {
    let told = demand_the_same(Repository::Memory, &WAYS).await;
    expect![[r#"
        often: 1152, 328, 347, 324
        bad: 96, 26, 23, 22
        rare: 2, 2, 2, 2
        counting: 4, 4, 2, 2
        late: 4, 4, 2, 2
        after rare: 2, 2, 2, 2
        again: 22, 12, 4, 4
        quiet: 8, 8, 2, 2
        in all: 2, 2, 2, 2
        price: 4, 4, 2, 2
        spend: 20, 11, 3, 3"#]]
    .assert_eq(&told);
}

/// Demands that the same goes from another log as from one in memory, in the way that asks the log for
/// most: by age and by number, and with conditions that read it each time.
async fn demand_that_the_same_goes_from(repository: Repository) {
    let in_memory = demand_the_same(Repository::Memory, &WAYS[2..]).await;
    assert_eq!(demand_the_same(repository, &WAYS[2..]).await, in_memory);
}

#[tokio::test(start_paused = true)]
async fn the_same_records_go_from_csv_files() {
    demand_that_the_same_goes_from(Repository::Csv).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_records_go_from_json_lines() {
    demand_that_the_same_goes_from(Repository::Jsonl).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_records_go_from_an_sqlite_file() {
    demand_that_the_same_goes_from(Repository::Sqlite).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_records_go_from_a_postgres_server() {
    demand_that_the_same_goes_from(Repository::Postgres).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_unless_the_session_says_so() {
    let log = MemoryLog::new();
    let session = begin(log, "2026-11-24 00:00").build().unwrap();
    run_for(&session, "10 hours").await.unwrap();
    let records = session.history(Query::task("often")).await.unwrap();
    assert_eq!(records.len(), 2 * 120);
}

#[tokio::test(start_paused = true)]
async fn records_of_tasks_that_only_others_have_stay() {
    let log = Ear::new(Arc::new(MemoryLog::new()), Hearing::Good);
    let theirs = session("2026-11-24 00:00").log(log.clone()).task(task("theirs", "every 5 min"));
    run_for(&theirs.build().unwrap(), "10 hours").await.unwrap();
    let ours = session("2026-11-24 10:00").log(log.clone()).task(task("ours", "every 5 min"));
    let ours = ours.configure(|config| config.retention_records = Some(10)).build().unwrap();
    run_for(&ours, "2 hours 2 min").await.unwrap();
    assert_eq!(log.count(Query::task("theirs")).await.unwrap(), 2 * 120);
    assert!(log.count(Query::task("ours")).await.unwrap() < 2 * 24);
}
