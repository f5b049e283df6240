//! Files of older and newer versions.

use std::fs;
use std::path::{Path, PathBuf};

use redengine_core::facts::Keep;
use redengine_core::record::{Action, ActionSet, Details, Reason, Record, Recorded, Seq};
use redengine_core::runlog::{Appended, LogErrorKind, Past, PastOf, Query, RunLog};
use redengine_log::{MemoryLog, SqliteLog};
use rusqlite::Connection;

use super::{assert_says, begin, block_on, end, latest, newest, refused};

const TASKS: [&str; 3] = ["fetch", "load 'daily' ä", ""];

/// What a past tells: counts, failures in a row, open runs, records.
pub(super) type Told = ([u64; 6], u64, Vec<Seq>, Vec<Recorded>);

pub(super) fn pasts(log: &dyn RunLog, tasks: &[&str]) -> Vec<Told> {
    let keep = Keep::of(ActionSet::of(&Action::ALL), 3);
    let of = tasks.iter().map(|task| PastOf { task: (*task).into(), keep }).collect();
    let told = |past: Past| (past.counts, past.failures, past.open, past.records);
    block_on(log.past(of)).unwrap().into_iter().map(told).collect()
}

/// A log in memory with the same records.
pub(super) fn in_memory(records: Vec<Recorded>) -> MemoryLog {
    let memory = MemoryLog::new();
    block_on(memory.import(records)).unwrap();
    memory
}

/// A file that version 0.1.0 made when its format was 1.
fn of_format_1(folder: &Path) -> PathBuf {
    let file = folder.join("runs.db");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/version-1.db");
    fs::copy(data, &file).unwrap();
    file
}

#[test]
fn a_file_of_format_1_is_brought_up_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = of_format_1(folder.path());
    let log = SqliteLog::open(&file).unwrap();
    let records = block_on(log.read(Query::all())).unwrap();
    assert_eq!(records.len(), 23);
    let details = |place: usize| records[place].record.details.as_deref().unwrap();
    assert_eq!(*details(0), Details::default().with_node("host:17"));
    assert_eq!(
        *details(1),
        Details::default().with_reason("it's the disk").with_output("[1, \"ä\"]")
    );
    let wanted = pasts(&in_memory(records.clone()), &TASKS);
    assert_eq!(wanted.iter().map(|past| past.2.len()).sum::<usize>(), 2, "two runs are open");
    assert_eq!(pasts(&log, &TASKS), wanted);

    // What format 1 did not know can be written, and the next one who opens it sees all.
    let record = Record {
        details: Details::default().with_attempt(2).with_params("{}").with_trace("t").shared(),
        ..begin("fetch", 1, 1)
    };
    let append = latest(record, block_on(newest(&log, "fetch")));
    let answers = block_on(log.append(vec![append])).unwrap();
    drop(log);
    let log = SqliteLog::open(&file).unwrap();
    let mut all: Vec<Appended> = records.into_iter().map(Appended::Won).collect();
    all.extend(answers);
    let read = block_on(log.read(Query::all())).unwrap();
    assert_eq!(read.into_iter().map(Appended::Won).collect::<Vec<_>>(), all);
}

#[test]
fn a_run_that_ended_before_it_began_stays_ended_when_its_file_is_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(of_format_1(folder.path())).unwrap();
    let last = block_on(log.read(Query::all().newest_first().limit(1))).unwrap().remove(0);
    let record = Record { action: Action::Run, ..last.record };
    let answers = block_on(log.append(vec![latest(record.clone(), Some(last.seq))])).unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
    assert_eq!(block_on(log.append(vec![end(&record, Action::Fail)])).unwrap(), [Appended::Lost]);
}

#[test]
fn a_program_that_knows_only_format_1_writes_nothing_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = of_format_1(folder.path());
    let old = Connection::open(&file).unwrap();
    // What it does with each record.
    let tally = "update tally set count = count + 1 where task = 1 and action = 0";
    old.execute_batch(tally).unwrap();
    drop(SqliteLog::open(&file).unwrap());
    let error = old.execute_batch(tally).unwrap_err();
    assert!(error.to_string().contains("no such table: tally"), "{error}");
}

#[test]
fn what_a_later_version_adds_is_read_past() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    let later = Connection::open(&file).unwrap();
    later
        .execute_batch(
            "alter table record add column weather text;
             alter table task add column owner integer not null default 7;
             alter table ledger add column more integer;
             update record set weather = 'rain';
             create table unheard_of (x)",
        )
        .unwrap();
    // Whoever has it open goes on, and so does whoever opens it.
    for number in 2..4 {
        let seq = block_on(newest(&log, "a"));
        block_on(log.append(vec![latest(begin("a", number, 1), seq)])).unwrap();
        let log = SqliteLog::open(&file).unwrap();
        let records = block_on(log.read(Query::all())).unwrap();
        assert_eq!(records.len() as u128, number);
        assert_eq!(pasts(&log, &["a"]), pasts(&in_memory(records), &["a"]));
    }
}

#[test]
fn a_file_that_was_made_before_causes_were_kept_gets_a_column_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    drop(SqliteLog::open(&file).unwrap());
    let earlier = Connection::open(&file).unwrap();
    earlier
        .execute_batch(
            "drop view history;
             alter table record drop column causes;
             create view history as select seq, reason from record;",
        )
        .unwrap();
    let log = SqliteLog::open(&file).unwrap();
    let begun = begin("a", 1, 1);
    let reason = Reason::new("no prices").because("no answer").because("the cable is cut");
    let mut failed = end(&begun, Action::Fail);
    failed.record.details = Details::default().with_reason(reason).shared();
    block_on(log.append(vec![latest(begun, None), failed.clone()])).unwrap();
    assert_eq!(block_on(log.read(Query::all())).unwrap()[1].record, failed.record);
    // Who does not know the column writes past it, and people see it.
    earlier
        .execute_batch(
            "insert into record (seq, task, run, action, at, started)
             values (3, 1, randomblob(16), 0, 2, 2)",
        )
        .unwrap();
    assert_eq!(block_on(log.read(Query::all())).unwrap().len(), 3);
    let shown: Option<String> = earlier
        .query_row("select causes from history where reason = 'no prices'", (), |row| row.get(0))
        .unwrap();
    assert_eq!(shown.as_deref(), Some(r#"["no answer","the cable is cut"]"#));
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    drop(SqliteLog::open(&file).unwrap());
    Connection::open(&file).unwrap().execute_batch("pragma user_version = 3").unwrap();
    let error = refused(&file);
    assert_says(&error, LogErrorKind::Version, "its format is 3, the latest known here is 2");
}

#[test]
fn a_newer_version_that_changes_the_format_meanwhile_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    assert_eq!(pasts(&log, &["a"])[0].0[0], 1);
    let newer = Connection::open(&file).unwrap();
    newer.execute_batch("pragma user_version = 3").unwrap();
    let again = latest(begin("a", 2, 1), Some(Seq(1)));
    let error = block_on(log.append(vec![again.clone()])).unwrap_err();
    assert_says(&error, LogErrorKind::Version, "a newer version has changed its format to 3");
    let of = PastOf { task: "a".into(), keep: Keep::default() };
    let error = block_on(log.past(vec![of])).unwrap_err();
    assert_says(&error, LogErrorKind::Version, "update this program");
    // Nothing was written, and if it was a mistake, all goes on.
    newer.execute_batch("pragma user_version = 2").unwrap();
    assert_eq!(block_on(log.read(Query::all())).unwrap().len(), 1);
    block_on(log.append(vec![again])).unwrap();
}
