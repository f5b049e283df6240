//! What is particular to the SQLite log: files, processes, kills.
//!
//! Where a second process is needed, this program starts itself: [`as_another_process`] is what
//! that process does.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod disk;
#[path = "../shared/process.rs"]
mod process;
#[path = "../shared/records.rs"]
mod records;
mod restored;
mod upkeep;
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Appended, LogError, LogErrorKind, PastOf, Query, RunLog};
use redengine_log::{SqliteLog, Synchronous};
use rusqlite::Connection;

use self::process::{FILE, ROLE, lines, say, start};
use self::records::{assert_says, begin, end, latest};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn newest(log: &SqliteLog, task: &str) -> Option<Seq> {
    let query = Query::task(task).newest_first().limit(1);
    log.read(query).await.unwrap().first().map(|recorded| recorded.seq)
}

// Other processes.

fn wait_for_a_line() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn as_another_process() {
    let (Ok(role), Some(file)) = (std::env::var(ROLE), std::env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    match &*role {
        "race" => race(&file),
        "append" => append_for_ever(&file),
        "lock" => lock(&file),
        "fill" => disk::fill(&file),
        "open" => match SqliteLog::builder(file).busy_timeout(Duration::from_millis(50)).open() {
            Ok(_) => say("opened"),
            Err(error) => say(format!("{:?}: {error}", error.kind())),
        },
        role => panic!("unknown role {role}"),
    }
}

/// Tries to win as many runs of one task as there are, and ends those that it wins.
fn race(file: &Path) {
    let log = SqliteLog::builder(file).synchronous(Synchronous::Normal).open().unwrap();
    wait_for_a_line();
    block_on(async {
        let mut wins = 0;
        for round in 0..RACES {
            let expected = newest(&log, "race").await;
            let run = u128::from(std::process::id()) << 64 | round;
            let record = begin("race", run, 0);
            let answers = log.append(vec![latest(record.clone(), expected)]).await.unwrap();
            if let Appended::Won(_) = answers[0] {
                say(format!("{run} {}", expected.unwrap_or_default()));
                wins += 1;
                let answers = log.append(vec![end(&record, Action::Success)]).await.unwrap();
                assert!(matches!(answers[0], Appended::Won(_)));
            }
        }
        say(format!("wins {wins}"));
    });
}

const RACES: u128 = 200;

/// Appends batches of a run, its end and a run of another task, and says so after each.
fn append_for_ever(file: &Path) {
    let log = SqliteLog::builder(file).synchronous(Synchronous::Normal).open().unwrap();
    block_on(async {
        for round in 0_u128.. {
            let run = u128::from(std::process::id()) << 64 | round;
            let record = begin("killed", run, 0);
            let batch = vec![
                latest(record.clone(), newest(&log, "killed").await),
                end(&record, Action::Success),
                latest(begin("open", run << 32, 0), newest(&log, "open").await),
            ];
            let answers = log.append(batch).await.unwrap();
            assert!(answers.iter().all(|answer| matches!(answer, Appended::Won(_))));
            say(run);
        }
    });
}

fn lock(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("pragma locking_mode = exclusive").unwrap();
    connection.execute_batch("begin immediate; create table x (y); rollback").unwrap();
    say("locked");
    wait_for_a_line();
}

#[test]
fn of_several_processes_one_wins_each_expectation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let mut children: Vec<Child> = (0..4).map(|_| start("race", &file).spawn().unwrap()).collect();
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut winners: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for child in &mut children {
        let said: Vec<String> = lines(child).collect();
        assert!(said.last().is_some_and(|line| line.starts_with("wins ")), "{said:?}");
        for line in &said[..said.len() - 1] {
            let (run, expected) = line.split_once(' ').unwrap();
            winners.entry(expected.parse().unwrap()).or_default().push(run.to_owned());
        }
        assert!(child.wait().unwrap().success());
    }
    let twice: Vec<_> = winners.iter().filter(|(_, runs)| runs.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(winners.len() as u128 >= RACES, "{} wins are no race", winners.len());

    let log = SqliteLog::open(file).unwrap();
    let records = block_on(log.read(Query::task("race"))).unwrap();
    assert_eq!(records.len(), 2 * winners.len());
    let past =
        block_on(log.past(vec![PastOf { task: "race".into(), keep: Keep::default() }])).unwrap();
    assert_eq!(past[0].counts[..2], [winners.len() as u64; 2]);
}

/// The log is whole: what `past` answers is what follows from the records.
fn assert_is_whole(log: &SqliteLog, file: &Path) {
    let check: String = Connection::open(file)
        .unwrap()
        .query_row("pragma integrity_check", (), |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    for task in ["killed", "open"] {
        let records = block_on(log.read(Query::task(task))).unwrap();
        let past =
            block_on(log.past(vec![PastOf { task: task.into(), keep: Keep::default() }])).unwrap();
        let count = |action| records.iter().filter(|one| one.record.action == action).count();
        assert_eq!(past[0].counts, Action::ALL.map(|action| count(action) as u64));
        if task == "open" {
            assert_eq!(past[0].records, records);
        } else {
            assert_eq!(count(Action::Run), count(Action::Success));
        }
    }
}

#[test]
fn a_killed_process_tears_nothing_and_what_it_acknowledged_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    for round in 0..8 {
        let mut child = start("append", &file).spawn().unwrap();
        let mut lines = lines(&mut child);
        // Killed at another point each time, the first while it makes the file.
        let mut said: Vec<u128> = Vec::new();
        for _ in 0..round * 7 {
            said.push(lines.next().unwrap().parse().unwrap());
        }
        child.kill().unwrap();
        said.extend(lines.map(|line| line.parse::<u128>().unwrap()));
        child.wait().unwrap();

        let log = SqliteLog::open(&file).unwrap();
        for run in said {
            let query = Query::all().run(RunId::from_bytes(run.to_be_bytes()));
            assert_eq!(block_on(log.read(query)).unwrap().len(), 2, "run {run} of round {round}");
        }
        assert_is_whole(&log, &file);
    }
}

#[test]
fn a_copy_of_the_files_of_a_living_log_is_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    let written = block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    // As after a power failure: the file, the write-ahead log, and no orderly end.
    let copy = folder.path().join("copy.db");
    fs::copy(&file, &copy).unwrap();
    fs::copy(folder.path().join("runs.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    let copy = SqliteLog::open(copy).unwrap();
    let read = block_on(copy.read(Query::all())).unwrap();
    assert_eq!(read.into_iter().map(Appended::Won).collect::<Vec<_>>(), written);
}

/// Copies a database in the middle of a transaction, as a kill leaves it: half of it is in the
/// file already, and a journal tells how to take it back.
fn copy_unfinished(file: &Path, copy: &Path, sql: &str) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("pragma journal_mode = delete; pragma cache_size = 1").unwrap();
    connection.execute_batch("begin immediate").unwrap();
    connection.execute_batch(sql).unwrap();
    let journal = |path: &Path| PathBuf::from(format!("{}-journal", path.display()));
    fs::copy(file, copy).unwrap();
    fs::copy(journal(file), journal(copy)).unwrap();
    connection.execute_batch("rollback").unwrap();
}

const FILL: &str = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 5000)
    insert into task (name) select 'unfinished' || i from n";

#[test]
fn an_unfinished_transaction_is_taken_back_in_a_run_log_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    let written = block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    drop(log);
    let copy = folder.path().join("copy.db");
    copy_unfinished(&file, &copy, FILL);
    assert!(fs::metadata(&copy).unwrap().len() > fs::metadata(&file).unwrap().len());
    let log = SqliteLog::open(&copy).unwrap();
    let read = block_on(log.read(Query::all())).unwrap();
    assert_eq!(read.into_iter().map(Appended::Won).collect::<Vec<_>>(), written);
    let tasks: i64 = Connection::open(&copy)
        .unwrap()
        .query_row("select count(*) from task", (), |row| row.get(0))
        .unwrap();
    assert_eq!(tasks, 1);

    let foreign = folder.path().join("foreign.db");
    let table = "create table task (name text); insert into task values ('x')";
    Connection::open(&foreign).unwrap().execute_batch(table).unwrap();
    let copy = folder.path().join("foreign copy.db");
    copy_unfinished(&foreign, &copy, FILL);
    assert_says(&refused(&copy), LogErrorKind::Open, "another program left a transaction");
}

// One process.

#[test]
fn reopening_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run log ä 日本 'x'?mode=ro#.db");
    let (records, pasts) = {
        let log = SqliteLog::open(&file).unwrap();
        let record = Record {
            due: Some(Timestamp::from_micros(-5)),
            details: Details::default()
                .with_node("node")
                .with_reason("it's")
                .with_output("[1]")
                .shared(),
            ..begin("a", 1, 1)
        };
        let batch = vec![
            latest(record.clone(), None),
            end(&record, Action::Fail),
            latest(begin("b", 2, 3), None),
        ];
        block_on(log.append(batch)).unwrap();
        everything(&log)
    };
    let log = SqliteLog::open(&file).unwrap();
    assert_eq!(everything(&log), (records.clone(), pasts));
    assert_eq!(records.len(), 3);
    // And two in one process get along.
    let other = SqliteLog::open(&file).unwrap();
    let seq = records.last().map(|recorded| recorded.seq);
    let answers = block_on(other.append(vec![latest(begin("b", 3, 4), seq)])).unwrap();
    assert_eq!(everything(&log).0.last().cloned().map(Appended::Won), answers.last().cloned());
}

/// All records, and the counts, failures and records of two pasts.
fn everything(log: &SqliteLog) -> (Vec<Recorded>, Vec<(u64, Vec<Recorded>)>) {
    let of = ["a", "b"].map(|task| PastOf { task: task.into(), keep: Keep::default() });
    let pasts = block_on(log.past(of.to_vec())).unwrap();
    let pasts = pasts.into_iter().map(|past| (past.failures, past.records));
    (block_on(log.read(Query::all())).unwrap(), pasts.collect())
}

/// All files of a folder and what is in them.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Opens a file that cannot be opened and checks that no file changed.
fn refused(file: &Path) -> LogError {
    let folder = file.parent().unwrap();
    let before = contents(folder);
    let error = SqliteLog::builder(file).busy_timeout(Duration::from_millis(50)).open();
    let error = error.unwrap_err();
    for (path, bytes) in before {
        // The index of a write-ahead log is no more than shared memory with a name.
        let is_memory = path.to_string_lossy().ends_with("-shm");
        assert!(is_memory || fs::read(&path).unwrap() == bytes, "{} changed", path.display());
    }
    let message = error.to_string();
    assert!(message.contains(&format!("`{}`", file.display())), "{message}");
    error
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("short.txt", b"x".to_vec()),
        ("511.txt", vec![b'x'; 511]),
        ("512.txt", vec![b'x'; 512]),
        ("600.txt", vec![b'x'; 600]),
        ("4095.txt", vec![b'x'; 4095]),
        ("text.csv", b"task,action\n".repeat(1000)),
        ("zeros", vec![0; 8192]),
        ("torn.db", b"SQLite format 3\0".to_vec()),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = refused(&file);
        assert_says(&error, LogErrorKind::Open, "is not an SQLite database; choose another file");
    }
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("tables.db", "create table task (id); insert into task values (1)"),
        ("wal.db", "pragma journal_mode = wal; create table record (id)"),
        ("marked.db", "pragma application_id = 77"),
        ("versioned.db", "pragma user_version = 3"),
    ] {
        let file = folder.path().join(name);
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        let error = refused(&file);
        assert_says(&error, LogErrorKind::Open, "but not a run log; choose another file");
    }
    // One whose last transactions are only in its write-ahead log.
    let file = folder.path().join("living.db");
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch("pragma journal_mode = wal; create table record (id)").unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(&file, &copy).unwrap();
    fs::copy(folder.path().join("living.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    assert_says(&refused(&copy), LogErrorKind::Open, "but not a run log");
    assert_says(&refused(&file), LogErrorKind::Open, "but not a run log");
}

#[test]
fn an_empty_file_or_database_becomes_a_run_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty");
    fs::write(&file, b"").unwrap();
    let bare = folder.path().join("bare.db");
    Connection::open(&bare).unwrap().execute_batch("vacuum").unwrap();
    for file in [file, bare] {
        let log = SqliteLog::open(&file).unwrap();
        assert_eq!(block_on(log.last_seq()).unwrap(), Seq(0));
        assert_eq!(log.path(), file);
    }
}

#[test]
fn a_run_log_without_its_tables_is_refused() {
    for sql in [
        "drop table hour",
        "drop index record_action",
        "drop view history; alter table record \
                 rename column due to dew",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs.db");
        drop(SqliteLog::open(&file).unwrap());
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        assert_says(&refused(&file), LogErrorKind::Corrupt, "its tables are not those");
    }
}

#[test]
fn a_damaged_run_log_is_refused_or_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    for number in 1..50 {
        let record = begin(&format!("task {number}"), number, 1);
        block_on(log.append(vec![latest(record, None)])).unwrap();
    }
    drop(log);
    let whole = fs::read(&file).unwrap();
    let mut found_out = 0;
    for (number, place) in (100..whole.len()).step_by(997).enumerate() {
        let file = folder.path().join(format!("damaged {number}.db"));
        let mut bytes = whole.clone();
        let until = bytes.len().min(place + 64);
        bytes[place..until].fill(0xA5);
        fs::write(&file, bytes).unwrap();
        let outcome = SqliteLog::open(&file).and_then(|log| {
            block_on(log.read(Query::all()))?;
            block_on(log.past(vec![PastOf { task: "task 7".into(), keep: Keep::default() }]))?;
            block_on(log.append(vec![latest(begin("task 7", 100, 1), Some(Seq(7)))]))
        });
        if let Err(error) = outcome {
            found_out += 1;
            assert_eq!(error.kind(), LogErrorKind::Corrupt, "{error:?}");
        }
    }
    assert!(found_out > 5, "{found_out}");
    // Half a file.
    let file = folder.path().join("half.db");
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(refused(&file).kind(), LogErrorKind::Corrupt);
}

#[test]
fn a_row_that_is_no_record_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (number, (sql, words)) in [
        ("update record set action = 9 where seq = 2", "record 2 is corrupt: there is no action 9"),
        ("update record set action = -1 where seq = 2", "record 2 is corrupt: there is no action"),
        ("update record set run = x'0102' where seq = 1", "record 1 is corrupt: its `run` is 2 b"),
        ("update record set task = 77 where seq = 2", "record 2 is corrupt: there is no task 77"),
        ("delete from task", "record 1 is corrupt: there is no task 1"),
        ("update task set name = cast(x'ff' as text)", "the name of task 1 is no text"),
        ("update record set node = cast(x'ff' as text)", "record 1 is corrupt: its `node` is"),
        ("update record set seq = -3 where seq = 1", "record -3 is corrupt: its number is neg"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{number}.db"));
        let log = SqliteLog::open(&file).unwrap();
        let record = begin("a", 1, 1);
        let batch = vec![latest(record.clone(), None), end(&record, Action::Success)];
        block_on(log.append(batch)).unwrap();
        let other = Connection::open(&file).unwrap();
        other.execute_batch("pragma ignore_check_constraints = on").unwrap();
        other.execute_batch("pragma foreign_keys = off").unwrap();
        other.execute_batch(sql).unwrap();
        let error = block_on(log.read(Query::all())).unwrap_err();
        assert_says(&error, LogErrorKind::Corrupt, words);
        assert!(error.to_string().contains(&format!("{number}.db`")), "{error}");
    }
}

#[test]
fn a_ledger_that_cannot_be_is_refused() {
    for sql in [
        "update ledger_tally set count = -1",
        "update ledger_tally set last = 5",
        "update ledger_tally set action = 7 where task = 1",
        "update ledger_open set task = 2",
        "delete from ledger",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs.db");
        let log = SqliteLog::open(&file).unwrap();
        block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
        let record = begin("b", 2, 1);
        let batch = vec![latest(record.clone(), None), end(&record, Action::Success)];
        block_on(log.append(batch)).unwrap();
        upkeep::write_down(&log);
        drop(log);
        let other = Connection::open(&file).unwrap();
        other
            .execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on")
            .unwrap();
        let sql = sql.replace("task = 2", "task = 77");
        other.execute_batch(&sql).unwrap();
        let log = SqliteLog::open(&file).unwrap();
        let of = vec![PastOf { task: "a".into(), keep: Keep::default() }];
        let error = block_on(log.past(of)).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Corrupt, "{sql}: {error:?}");
        let error = block_on(log.append(vec![latest(begin("a", 3, 1), None)])).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Corrupt, "{sql}: {error:?}");
    }
}

#[test]
fn a_file_that_another_process_has_locked_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    drop(SqliteLog::open(&file).unwrap());
    let mut child = start("lock", &file).spawn().unwrap();
    let mut said = lines(&mut child);
    assert_eq!(said.next().as_deref(), Some("locked"));
    assert_says(&refused(&file), LogErrorKind::Locked, "another process holds it");
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(said.next(), None);
    child.wait().unwrap();
    SqliteLog::open(&file).unwrap();
}

#[test]
fn an_append_says_who_is_in_its_way_and_may_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::builder(&file).busy_timeout(Duration::from_millis(50)).open().unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let batch = vec![latest(begin("a", 1, 1), None)];
    let error = block_on(log.append(batch.clone())).unwrap_err();
    assert_says(&error, LogErrorKind::Locked, "another process holds it");
    // Who reads is in nobody's way.
    assert_eq!(block_on(log.read(Query::all())).unwrap(), []);
    other.execute_batch("rollback").unwrap();
    assert!(matches!(block_on(log.append(batch)).unwrap()[0], Appended::Won(_)));
}

#[test]
fn a_path_that_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("runs.db");
    let missing = folder.path().join("missing");
    let words = format!("there is no folder `{}`; create it first", missing.display());
    assert_says(&SqliteLog::open(path).unwrap_err(), LogErrorKind::Open, &words);
    assert!(!missing.exists());
    assert_says(&SqliteLog::open(folder.path()).unwrap_err(), LogErrorKind::Open, "it is a folder");
    for path in [":memory:", ""] {
        let error = SqliteLog::open(path).unwrap_err();
        assert_says(&error, LogErrorKind::Open, "take `MemoryLog`");
    }
    assert_eq!(SqliteLog::open("/dev/null").unwrap_err().kind(), LogErrorKind::Open);
    let through_a_file = folder.path().join("file");
    fs::write(&through_a_file, b"x").unwrap();
    let error = SqliteLog::open(through_a_file.join("runs.db")).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Open, "{error:?}");
}

/// Opens a file as a user who is not its owner and not root, for whom rights do not count.
#[cfg(unix)]
fn opened_by_nobody(file: &Path) -> String {
    use std::os::unix::process::CommandExt;

    let mut command = start("open", file);
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| {
        use std::os::unix::fs::MetadataExt;
        me.uid() == 0
    });
    if is_root {
        command.uid(65534).gid(65534);
    }
    let mut child = command.spawn().unwrap();
    let mut said: Vec<String> = lines(&mut child).collect();
    child.wait().unwrap();
    said.remove(0)
}

#[cfg(unix)]
#[test]
fn rights_that_are_missing_are_named() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    drop(log);
    let before = fs::read(&file).unwrap();
    let open = |file_mode, folder_mode| {
        mode(&file, file_mode);
        mode(folder.path(), folder_mode);
        let said = opened_by_nobody(&file);
        mode(folder.path(), 0o777);
        let there: Vec<PathBuf> = contents(folder.path()).into_keys().collect();
        assert!(fs::read(&file).unwrap() == before, "the file changed");
        for file in there.iter().filter(|path| **path != file) {
            fs::remove_file(file).unwrap();
        }
        said
    };
    assert_eq!(open(0o666, 0o777), "opened");
    let said = open(0o444, 0o777);
    assert!(said.starts_with("ReadOnly: ") && said.contains("may not be written to"), "{said}");
    let said = open(0o666, 0o555);
    assert!(said.starts_with("ReadOnly: ") && said.contains("and its folder"), "{said}");
    let said = open(0o444, 0o555);
    assert!(said.starts_with("ReadOnly: "), "{said}");
    let said = open(0o000, 0o777);
    assert!(said.starts_with("Open: ") && said.contains("may not be read"), "{said}");

    mode(folder.path(), 0o555);
    let said = opened_by_nobody(&folder.path().join("new.db"));
    assert!(said.starts_with("ReadOnly: "), "{said}");
    mode(folder.path(), 0o000);
    let said = opened_by_nobody(&file);
    assert!(said.starts_with("Open: ") && said.contains("cannot be looked at"), "{said}");
    mode(folder.path(), 0o777);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_advance_while_the_log_works() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("runs.db")).unwrap();
    let append = async {
        for number in 1..20 {
            let expected = newest(&log, "a").await;
            log.append(vec![latest(begin("a", number, 1), expected)]).await.unwrap();
        }
    };
    tokio::select! {
        biased;
        () = tokio::time::sleep(Duration::from_millis(1)) => panic!("time passed"),
        () = append => {}
    }
}

#[test]
fn a_log_works_without_a_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("runs.db")).unwrap();
    let mut append = std::pin::pin!(log.append(vec![latest(begin("a", 1, 1), None)]));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(append.as_mut().poll(&mut context).is_ready());
}

#[test]
fn a_runtime_that_ends_takes_no_other_along() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("runs.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let mut append = std::pin::pin!(log.append(vec![latest(begin("a", 1, 1), None)]));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = ({
        let _inside = handle.enter();
        append.as_mut().poll(&mut context)
    }) else {
        panic!("it did not fail");
    };
    assert_says(&error, LogErrorKind::Io, "the runtime is shutting down");
    let answers = block_on(log.append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_hears_of_what_another_process_writes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.db");
    let log = SqliteLog::open(&file).unwrap();
    // To the file, another connection is another process.
    let other = SqliteLog::open(&file).unwrap();
    let mut last = Seq(0);
    for number in 1..4 {
        let waiting = log.clone();
        let told = tokio::spawn(async move { waiting.changed(last).await.unwrap() });
        tokio::task::yield_now().await;
        let expected = (last != Seq(0)).then_some(last);
        other.append(vec![latest(begin("a", number, 1), expected)]).await.unwrap();
        last = told.await.unwrap();
        assert_eq!(other.last_seq().await.unwrap(), last);
        assert_eq!(log.last_seq().await.unwrap(), last);
    }
}

#[tokio::test(start_paused = true)]
async fn a_year_of_waiting_is_over_at_once_in_virtual_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("runs.db")).unwrap();
    let year = tokio::time::sleep(Duration::from_hours(365 * 24));
    tokio::select! {
        _ = log.changed(Seq(0)) => panic!("nothing was written"),
        () = year => {}
    }
}

#[test]
fn a_log_that_is_closed_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(folder.path().join("runs.db")).unwrap();
    block_on(async {
        log.append(vec![latest(begin("a", 1, 1), None)]).await.unwrap();
        assert_eq!(log.changed(Seq(0)).await.unwrap(), Seq(1));
    });
    drop(log);
    assert_eq!(contents(folder.path()).len(), 1);
}
