//! Every log answers as the naive one does, whatever it is asked and in whatever order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::future::Future;
use std::sync::Arc;
#[cfg(feature = "sqlite")]
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

#[cfg(feature = "sqlite")]
use async_trait::async_trait;
use common::NaiveLog;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, ActionSet, Details, Reason, Record, Recorded, RunId, Seq};
#[cfg(feature = "sqlite")]
use redengine_core::runlog::LogError;
use redengine_core::runlog::{Append, Appended, Expect, Past, PastOf, Prune, Query, RunLog};
use redengine_log::MemoryLog;
#[cfg(feature = "sqlite")]
use redengine_log::{SqliteLog, Synchronous};

const TASKS: [&str; 4] = ["a", "b", "ж \"'; --", ""];

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(Record, Expected)>),
    Read(Query),
    Count(Query),
    Past(Vec<PastOf>),
    Prune(Prune),
    /// Records, and how much greater the number of each is than the one before it.
    Import(Vec<(Record, u64)>),
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    /// The latest record of the task, whichever that is.
    Right,
    This(Expect),
}

fn times() -> impl Strategy<Value = Timestamp> {
    // Half hours, of which some fall together and some are in one hour.
    (-3_i64..12).prop_map(|half| Timestamp::from_micros(half * 1_800_000_000))
}

fn runs() -> impl Strategy<Value = RunId> {
    (0_u8..12).prop_map(|byte| RunId::from_bytes([byte; 16]))
}

fn seqs() -> impl Strategy<Value = Seq> {
    (0_u64..12).prop_map(Seq)
}

fn tasks() -> impl Strategy<Value = &'static str> {
    select(&TASKS[..])
}

fn details() -> impl Strategy<Value = Option<Arc<Details>>> {
    let text = || proptest::option::weighted(0.3, "[a-zä\"'\\\\\u{0}\n]{0,8}");
    let attempt = proptest::option::weighted(0.3, 0_u64..5);
    let causes = proptest::collection::vec("[a-zä\"\u{0}\n]{0,4}", 0..3);
    (text(), text(), causes, text(), attempt, text(), text()).prop_map(
        |(node, reason, causes, output, attempt, params, trace)| {
            let mut details = Details::default();
            details.node = node.map(Into::into);
            details.reason = reason.map(|message| Reason::new(message).with_causes(causes));
            details.output = output;
            details.attempt = attempt;
            details.params = params;
            details.trace = trace.map(Into::into);
            details.shared()
        },
    )
}

fn records() -> impl Strategy<Value = Record> {
    let due = proptest::option::of(times());
    (tasks(), runs(), select(&Action::ALL[..]), times(), times(), due, details()).prop_map(
        |(task, run, action, at, started, due, details)| Record {
            task: task.into(),
            run,
            action,
            at,
            started,
            due,
            details,
        },
    )
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        5 => Just(Expected::Right),
        3 => Just(Expected::This(Expect::Open)),
        1 => Just(Expected::This(Expect::Latest(None))),
        1 => seqs().prop_map(|seq| Expected::This(Expect::Latest(Some(seq)))),
    ]
}

fn queries() -> impl Strategy<Value = Query> {
    use proptest::option::weighted;
    (
        weighted(0.5, vec(tasks(), 0..3)),
        vec(select(&Action::ALL[..]), 0..3),
        weighted(0.2, runs()),
        weighted(0.3, seqs()),
        weighted(0.3, times()),
        weighted(0.3, times()),
        weighted(0.4, 0_usize..6),
        any::<bool>(),
    )
        .prop_map(|(tasks, actions, run, after, from, until, limit, newest)| {
            let mut query = Query::all().actions(actions);
            query.tasks = tasks.map(|tasks| tasks.into_iter().map(Into::into).collect());
            query.run = run;
            query.after = after;
            query.from = from;
            query.until = until;
            query.limit = limit;
            if newest { query.newest_first() } else { query }
        })
}

fn pasts() -> impl Strategy<Value = Vec<PastOf>> {
    let of = (tasks(), 1_u64..5).prop_map(|(task, count)| PastOf {
        task: task.into(),
        keep: Keep::of(ActionSet::of(&Action::ALL), count),
    });
    vec(of, 0..5)
}

fn prunes() -> impl Strategy<Value = Prune> {
    use proptest::option::weighted;
    (weighted(0.5, times()), weighted(0.5, 0_u64..6), pasts()).prop_map(
        |(before, beyond, needed)| {
            let mut prune = Prune::default().needed(needed);
            prune.before = before;
            prune.beyond = beyond;
            prune
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => vec((records(), expected()), 0..5).prop_map(Step::Append),
        6 => queries().prop_map(Step::Read),
        2 => queries().prop_map(Step::Count),
        4 => pasts().prop_map(Step::Past),
        1 => prunes().prop_map(Step::Prune),
        1 => vec((records(), 1_u64..4), 0..5).prop_map(Step::Import),
    ];
    vec(step, 0..40)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn parts(past: &Past) -> (&[u64; 6], u64, &[Seq], &[Recorded]) {
    (&past.counts, past.failures, &past.open, &past.records)
}

fn is_pruned(naive: &NaiveLog, run: RunId) -> bool {
    let removed = naive.removed.lock().unwrap();
    let records = naive.records.lock().unwrap();
    records.iter().any(|recorded| recorded.record.run == run && removed.contains(&recorded.seq))
}

/// Tells whether a run that is there is begun again with another expectation than that which was met.
fn is_begun_otherwise(naive: &NaiveLog, Append { record, expect }: &Append) -> bool {
    let Expect::Latest(expected) = expect else { return false };
    let records = naive.records.lock().unwrap();
    let is_same = |other: &Recorded| {
        record.action == Action::Run
            && other.record.action == Action::Run
            && other.record.run == record.run
    };
    let Some(place) = records.iter().position(is_same) else { return false };
    let before = records[..place].iter().rev().find(|other| other.record.task == record.task);
    records[place].record.task != record.task || before.map(|before| before.seq) != *expected
}

/// Numbers records, and leaves out more of a run that was pruned.
fn importable(naive: &NaiveLog, mut records: Vec<(Record, u64)>) -> Vec<Recorded> {
    records.retain(|(record, _)| !is_pruned(naive, record.run));
    let mut seq = naive.records.lock().unwrap().last().map_or(0, |last| last.seq.0);
    let number = |(record, step)| {
        seq += step;
        Recorded { seq: Seq(seq), record }
    };
    records.into_iter().map(number).collect()
}

/// Takes the same steps with both logs.
///
/// Numbers may be skipped, but a log that nobody else writes to has no reason to.
async fn agree(log: impl RunLog, steps: Vec<Step>) {
    let naive = NaiveLog::default();
    for step in steps {
        match step {
            Step::Append(records) => {
                let mut batch = Vec::new();
                for (record, expected) in records {
                    // What is answered about a run that was pruned is each log's own.
                    if is_pruned(&naive, record.run) {
                        continue;
                    }
                    let expect = match expected {
                        Expected::This(expect) => expect,
                        Expected::Right => {
                            let latest = Query::task(record.task.clone()).newest_first().limit(1);
                            let latest = naive.read(latest).await.unwrap();
                            Expect::Latest(latest.first().map(|recorded| recorded.seq))
                        }
                    };
                    let append = Append { record, expect };
                    // And what is answered about this.
                    if !is_begun_otherwise(&naive, &append) {
                        batch.push(append);
                    }
                }
                let wanted = naive.append(batch.clone()).await.unwrap();
                assert_eq!(log.append(batch).await.unwrap(), wanted);
                assert_eq!(log.last_seq().await.unwrap(), naive.last_seq().await.unwrap());
            }
            Step::Read(query) => {
                let wanted = naive.read(query.clone()).await.unwrap();
                assert_eq!(log.read(query.clone()).await.unwrap(), wanted, "{query:?}");
            }
            Step::Count(query) => {
                let wanted = naive.count(query.clone()).await.unwrap();
                assert_eq!(log.count(query.clone()).await.unwrap(), wanted, "{query:?}");
            }
            Step::Prune(prune) => {
                let wanted = naive.prune(prune.clone()).await.unwrap();
                assert_eq!(log.prune(prune.clone()).await.unwrap(), wanted, "{prune:?}");
            }
            Step::Import(records) => {
                let records = importable(&naive, records);
                let wanted = naive.import(records.clone()).await.map_err(|error| error.kind());
                let imported = log.import(records).await.map_err(|error| error.kind());
                assert_eq!(imported, wanted);
                assert_eq!(log.last_seq().await.unwrap(), naive.last_seq().await.unwrap());
            }
            Step::Past(of) => {
                let wanted = naive.past(of.clone()).await.unwrap();
                let got = log.past(of.clone()).await.unwrap();
                assert_eq!(got.len(), wanted.len());
                for ((of, got), wanted) in of.iter().zip(&got).zip(&wanted) {
                    assert_eq!(parts(got), parts(wanted), "{of:?}");
                }
            }
        }
    }
    let all = naive.read(Query::all()).await.unwrap();
    assert_eq!(log.read(Query::all()).await.unwrap(), all);
}

/// Several logs with one file, each of which is asked in turn. To the file, each is a process; one of
/// them has just come.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
struct Turns {
    file: PathBuf,
    logs: [SqliteLog; 2],
    turn: AtomicUsize,
}

#[cfg(feature = "sqlite")]
impl Turns {
    fn new(file: &Path) -> Self {
        let logs = [(); 2].map(|()| Self::open(file));
        Self { file: file.to_owned(), logs, turn: AtomicUsize::new(0) }
    }

    fn open(file: &Path) -> SqliteLog {
        SqliteLog::builder(file).synchronous(Synchronous::Normal).open().unwrap()
    }

    fn next(&self) -> SqliteLog {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % 5;
        self.logs.get(turn / 2).cloned().unwrap_or_else(|| Self::open(&self.file))
    }
}

#[cfg(feature = "sqlite")]
#[async_trait]
impl RunLog for Turns {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        self.next().append(batch).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.next().read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.next().past(of).await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.next().last_seq().await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.next().count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        self.next().changed(after).await
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        self.next().prune(prune).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.next().import(records).await
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[cfg(feature = "postgres")]
proptest! {
    // Each makes a schema.
    #![proptest_config(cases(24))]

    #[test]
    fn the_postgres_log_answers_as_the_naive_one(steps in steps()) {
        let url = redengine_testserver::Server::shared().url_of_new_schema();
        block_on(async { agree(redengine_log::PostgresLog::connect(&url).await.unwrap(), steps).await });
    }
}

#[cfg(feature = "sqlite")]
proptest! {
    // Each makes a file, and opens it many times.
    #![proptest_config(cases(80))]

    #[test]
    fn several_processes_with_one_file_answer_as_one(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        block_on(agree(Turns::new(&folder.path().join("runs.db")), steps));
    }
}

#[cfg(feature = "sqlite")]
proptest! {
    // Each makes a file.
    #![proptest_config(cases(250))]

    #[test]
    fn the_sqlite_log_answers_as_the_naive_one(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::builder(folder.path().join("runs.db"));
        block_on(agree(log.synchronous(Synchronous::Normal).open().unwrap(), steps));
    }

}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn the_memory_log_answers_as_the_naive_one(steps in steps()) {
        block_on(agree(MemoryLog::new(), steps));
    }

    #[test]
    fn a_bounded_log_forgets_nothing_that_its_past_needs(
        steps in vec((0_usize..2, select(&Action::ALL[..]), times(), 0_usize..4), 0..120),
        bound in 0_usize..8,
    ) {
        block_on(async {
            let (log, naive) = (MemoryLog::bounded(bound), NaiveLog::default());
            let mut open: Vec<Record> = Vec::new();
            for (number, (task, action, at, which)) in steps.into_iter().enumerate() {
                let append = match action {
                    Action::Run => {
                        let record = Record {
                            task: TASKS[task].into(),
                            run: RunId::from_bytes((number as u128).to_be_bytes()),
                            action,
                            at,
                            started: at,
                            due: None,
                            details: None,
                        };
                        open.push(record.clone());
                        let latest = log.read(Query::task(TASKS[task]).newest_first().limit(1));
                        let latest = latest.await.unwrap().first().map(|recorded| recorded.seq);
                        Append { record, expect: Expect::Latest(latest) }
                    }
                    _ if open.is_empty() => continue,
                    _ => {
                        let record = open.remove(which % open.len());
                        let record = Record { action, at, ..record };
                        Append { record, expect: Expect::Open }
                    }
                };
                let wanted = naive.append(vec![append.clone()]).await.unwrap();
                assert!(matches!(wanted[0], Appended::Won(_)));
                assert_eq!(log.append(vec![append.clone()]).await.unwrap(), wanted);
                // What was acknowledged just now may be said again: nobody can know it was.
                assert_eq!(log.append(vec![append]).await.unwrap(), wanted);
                for task in TASKS {
                    let of = vec![PastOf { task: task.into(), keep: Keep::default() }];
                    let wanted = naive.past(of.clone()).await.unwrap();
                    assert_eq!(parts(&log.past(of).await.unwrap()[0]), parts(&wanted[0]));
                    // Two for each action, those of open runs, and what it takes to look seldom.
                    let left = log.read(Query::task(task)).await.unwrap().len();
                    assert!(left <= bound + 2 * (12 + open.len()) + 13, "{left} of {bound}");
                }
            }
        });
    }
}
