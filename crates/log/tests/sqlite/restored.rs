//! A file that is put back to what it was by SQLite's own means while it is open, or by others: nothing
//! is decided by what it had.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use redengine_core::facts::Keep;
use redengine_core::record::{Action, Seq};
use redengine_core::runlog::{Appended, LogErrorKind, PastOf, Query, RunLog};
use redengine_log::SqliteLog;
use rusqlite::Connection;

use super::{assert_says, begin, block_on, end, latest};

fn back_up(file: &Path, copy: &Path) {
    let to = format!("vacuum into '{}'", copy.display());
    Connection::open(file).unwrap().execute_batch(&to).unwrap();
}

/// Puts all tables back at once. The backup interface does so page by page, under the same locks.
fn restore(file: &Path, copy: &Path) {
    let file = Connection::open(file).unwrap();
    file.execute("attach ?1 as copy", [copy.display().to_string()]).unwrap();
    let mut restore = String::from("begin immediate;");
    for table in ["record", "hour", "ledger", "ledger_tally", "ledger_open", "ledger_ended", "task"]
    {
        write!(restore, "delete from {table};").unwrap();
    }
    for table in ["task", "record", "hour", "ledger", "ledger_tally", "ledger_open", "ledger_ended"]
    {
        write!(restore, "insert into {table} select * from copy.{table};").unwrap();
    }
    file.execute_batch(&(restore + "commit")).unwrap();
}

#[test]
fn a_file_that_is_put_back_is_decided_by_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("runs.db"), folder.path().join("copy.db"));
    let log = SqliteLog::open(&file).unwrap();
    block_on(async {
        let first = begin("a", 1, 0);
        log.append(vec![latest(first.clone(), None)]).await.unwrap();
        back_up(&file, &copy);
        log.append(vec![end(&first, Action::Success)]).await.unwrap();
        log.append(vec![latest(begin("a", 2, 0), Some(Seq(2)))]).await.unwrap();
        let of = || vec![PastOf { task: "a".into(), keep: Keep::default() }];
        assert_eq!(log.past(of()).await.unwrap()[0].open, [Seq(3)]);
        restore(&file, &copy);
        assert_eq!(log.past(of()).await.unwrap()[0].open, [Seq(1)]);
        let answer = log.append(vec![latest(begin("a", 3, 0), Some(Seq(3)))]).await.unwrap();
        assert_eq!(answer[0], Appended::Lost, "it was decided by a record that is not there");
        let ended = log.append(vec![end(&first, Action::Fail)]).await.unwrap();
        assert!(matches!(&ended[0], Appended::Won(recorded) if recorded.seq == Seq(2)));
        assert_eq!(log.count(Query::all()).await.unwrap(), 2);
    });
}

#[test]
fn who_follows_a_file_that_is_put_back_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("runs.db"), folder.path().join("copy.db"));
    let (log, other) = (SqliteLog::open(&file).unwrap(), SqliteLog::open(&file).unwrap());
    block_on(async {
        log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
        back_up(&file, &copy);
        for last in 1..4 {
            let next = latest(begin("a", u128::from(last) + 1, 0), Some(Seq(last)));
            log.append(vec![next]).await.unwrap();
        }
        assert_eq!(other.changed(Seq(3)).await.unwrap(), Seq(4));
        let (error, ()) = futures::join!(other.changed(Seq(4)), async { restore(&file, &copy) });
        let words = "its last record is 1 now, and 4 was told before";
        assert_says(&error.unwrap_err(), LogErrorKind::Replaced, words);
        let (changed, _) =
            futures::join!(other.changed(Seq(1)), log.append(vec![latest(begin("b", 9, 0), None)]));
        assert_eq!(changed.unwrap(), Seq(2));
    });
}

#[cfg(unix)]
#[test]
fn nothing_is_written_to_a_file_that_is_not_there_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (file, away) = (folder.path().join("runs.db"), folder.path().join("away.db"));
    let log = SqliteLog::open(&file).unwrap();
    let append = |run: u128, last| log.append(vec![latest(begin("a", run, 0), last)]);
    block_on(async {
        append(1, None).await.unwrap();
        fs::rename(&file, &away).unwrap();
        let error = append(2, Some(Seq(1))).await.unwrap_err();
        assert_says(&error, LogErrorKind::Replaced, "was moved or removed while it was open");
        assert_eq!(log.read(Query::all()).await.unwrap_err().kind(), LogErrorKind::Replaced);
        assert_eq!(log.changed(Seq(7)).await.unwrap_err().kind(), LogErrorKind::Replaced);
        fs::write(&file, "").unwrap();
        let error = append(2, Some(Seq(1))).await.unwrap_err();
        assert_says(&error, LogErrorKind::Replaced, "another file was put in its place");
        fs::rename(&away, &file).unwrap();
        assert!(matches!(append(2, Some(Seq(1))).await.unwrap()[0], Appended::Won(_)));
        assert_eq!(log.count(Query::all()).await.unwrap(), 2);
    });
}
