//! What keeps a long log fast and small: the copy of the ledger, pruning, compacting.

use std::fs;

use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, Record, RunId, Seq};
use redengine_core::runlog::{Append, Appended, PastOf, Prune, Query, RunLog};
use redengine_log::{SqliteLog, Synchronous};
use rusqlite::Connection;

use super::versions::{in_memory, pasts};
use super::{begin, block_on, end, latest};

const TASKS: [&str; 3] = ["a", "b", "c"];

/// Runs of three tasks from a number on, of which every hundredth does not end.
fn batch(from: u128, runs: u128, latest_of: &mut [Option<Seq>; 3], next: &mut u64) -> Vec<Append> {
    let mut batch = Vec::new();
    for number in from..from + runs {
        let place = usize::try_from(number % 3).unwrap();
        let record = begin(TASKS[place], number, i64::try_from(number).unwrap());
        batch.push(latest(record.clone(), latest_of[place]));
        *next += 1;
        if number % 100 != 0 {
            let action = if number % 7 == 0 { Action::Fail } else { Action::Success };
            batch.push(end(&record, action));
            *next += 1;
        }
        latest_of[place] = Some(Seq(*next));
    }
    batch
}

fn fill(log: &SqliteLog, runs: u128) {
    let (mut latest_of, mut next) = ([None; 3], 0);
    for from in (1..=runs).step_by(5000) {
        let batch = batch(from, 5000.min(runs + 1 - from), &mut latest_of, &mut next);
        let answers = block_on(log.append(batch)).unwrap();
        assert!(!answers.contains(&Appended::Lost));
    }
}

fn number(file: &std::path::Path, select: &str) -> i64 {
    Connection::open(file).unwrap().query_row(select, (), |row| row.get(0)).unwrap()
}

/// Has the ledger written down, as pruning does when it removes something.
pub(super) fn write_down(log: &SqliteLog) {
    let runs = [u128::MAX, u128::MAX - 1];
    let mut last = None;
    for run in runs {
        let record = Record { run: RunId::from_bytes(run.to_be_bytes()), ..begin("pruned", 1, 1) };
        let batch = vec![latest(record.clone(), last), end(&record, Action::Success)];
        block_on(log.append(batch)).unwrap();
        last = Some(block_on(log.last_seq()).unwrap());
    }
    assert_eq!(block_on(log.prune(Prune::default().beyond(0))).unwrap(), 2);
}

#[test]
fn a_long_log_is_opened_from_the_copy_and_what_came_since() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::builder(&file).synchronous(Synchronous::Normal).open().unwrap();
    fill(&log, 32_000);
    let last = i64::try_from(block_on(log.last_seq()).unwrap().0).unwrap();
    let copied = number(&file, "select last from ledger");
    assert!((50_000..last).contains(&copied), "{copied} of {last}");
    let wanted = pasts(&in_memory(block_on(log.read(Query::all())).unwrap()), &TASKS);
    assert_eq!(pasts(&log, &TASKS), wanted);
    // As if it had been killed.
    let copy = folder.path().join("killed.db");
    fs::copy(&file, &copy).unwrap();
    fs::copy(folder.path().join("runs.db-wal"), folder.path().join("killed.db-wal")).unwrap();
    assert_eq!(pasts(&SqliteLog::open(&copy).unwrap(), &TASKS), wanted);
    assert_eq!(number(&copy, "select last from ledger"), copied);
    // An orderly end leaves nothing to read.
    drop(log);
    assert_eq!(number(&file, "select last from ledger"), last);
    assert_eq!(pasts(&SqliteLog::open(&file).unwrap(), &TASKS), wanted);
    // And it is the copy that is believed: the records before it are not read again.
    let sql = "update ledger_tally set count = count + 1000000";
    Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let believed = pasts(&SqliteLog::open(&file).unwrap(), &TASKS);
    assert!(believed.iter().all(|past| past.0[0] > 1_000_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_go_on_while_a_log_is_pruned() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::builder(&file).synchronous(Synchronous::Normal).open().unwrap();
    // Another process, with a ledger of its own.
    let other = SqliteLog::builder(&file).synchronous(Synchronous::Normal).open().unwrap();
    let (mut latest_of, mut next) = ([None; 3], 0);
    let mut written = Vec::new();
    for from in (1..=9000).step_by(3000) {
        written.extend(log.append(batch(from, 3000, &mut latest_of, &mut next)).await.unwrap());
    }
    let pruning = other.clone();
    let prune = tokio::spawn(async move { pruning.prune(Prune::default().beyond(10)).await });
    let mut from = 10_000;
    while !prune.is_finished() || from < 10_100 {
        let writer = if from % 2 == 0 { &log } else { &other };
        written.extend(writer.append(batch(from, 1, &mut latest_of, &mut next)).await.unwrap());
        from += 1;
    }
    let removed = prune.await.unwrap().unwrap();
    assert!(removed > 15_000, "{removed}");
    let records: Vec<_> = written
        .into_iter()
        .map(|answer| match answer {
            Appended::Won(recorded) => recorded,
            Appended::Lost => panic!("an append was lost"),
        })
        .collect();
    let left = log.count(Query::all()).await.unwrap();
    assert_eq!(left, records.len() as u64 - removed);
    tokio::task::spawn_blocking(move || {
        let wanted = essence(&in_memory(records));
        for log in [log, other, SqliteLog::open(file).unwrap()] {
            assert_eq!(essence(&log), wanted);
        }
    })
    .await
    .unwrap();
}

/// What pruning may not change.
fn essence(log: &dyn RunLog) -> Vec<(String, Vec<Seq>)> {
    let of = TASKS.map(|task| PastOf { task: task.into(), keep: Keep::default() });
    let pasts = block_on(log.past(of.to_vec())).unwrap();
    pasts
        .into_iter()
        .map(|past| (format!("{:?} {} {:?}", past.counts, past.failures, past.records), past.open))
        .collect()
}

#[test]
fn compacting_gives_room_back_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::builder(&file).synchronous(Synchronous::Normal).open().unwrap();
    fill(&log, 10_000);
    let size = || fs::metadata(&file).unwrap().len();
    block_on(log.prune(Prune::default().before(Timestamp::from_micros(9_900_000_000)))).unwrap();
    let (records, before) = (block_on(log.read(Query::all())).unwrap(), pasts(&log, &TASKS));
    block_on(log.compact()).unwrap();
    assert!(size() < 200_000, "{}", size());
    assert_eq!(fs::metadata(folder.path().join("runs.db-wal")).unwrap().len(), 0);
    assert_eq!(block_on(log.read(Query::all())).unwrap(), records);
    assert_eq!(pasts(&log, &TASKS), before);
    let again = SqliteLog::open(&file).unwrap();
    assert_eq!(pasts(&again, &TASKS), before);
    let seq = records.iter().rfind(|one| &*one.record.task == "a").map(|one| one.seq);
    let answers = block_on(log.append(vec![latest(begin("a", 1 << 80, 1), seq)])).unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
}
