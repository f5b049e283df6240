//! A disk that is full, with a real one.

use std::fs;
use std::path::Path;

use redengine_core::record::{Action, Seq};
use redengine_core::runlog::{Appended, LogErrorKind, Query, RunLog};
use redengine_log::SqliteLog;

#[cfg(target_os = "linux")]
use super::process::fill_a_disk;
use super::versions::{in_memory, pasts};
use super::{begin, block_on, end, latest, say};

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_nothing_is_lost() {
    fill_a_disk("4m", "runs.db");
}

/// Fills the disk, makes room, and goes on.
pub(super) fn fill(file: &Path) {
    let ballast = file.with_file_name("ballast");
    fs::write(&ballast, vec![1; 1_000_000]).unwrap();
    let log = SqliteLog::open(file).unwrap();
    let mut written = Vec::new();
    let mut refused = None;
    for number in 1..10_000 {
        let record = begin("a", number, 1);
        let last = written.last().map(|recorded: &redengine_core::record::Recorded| recorded.seq);
        let batch = vec![latest(record.clone(), last), end(&record, Action::Success)];
        match block_on(log.append(batch.clone())) {
            Ok(answers) => written.extend(answers.into_iter().map(|answer| match answer {
                Appended::Won(recorded) => recorded,
                Appended::Lost => panic!("an append was lost"),
            })),
            Err(error) => {
                assert_eq!(error.kind(), LogErrorKind::Full, "{error:?}");
                assert!(error.to_string().contains("the disk is full; make room"), "{error}");
                refused = Some(batch);
                break;
            }
        }
    }
    let refused = refused.unwrap();
    assert!(written.len() > 100);
    // It can be read, and goes on refusing until there is room.
    assert_eq!(block_on(log.read(Query::all())).unwrap(), written);
    assert_eq!(block_on(log.append(refused.clone())).unwrap_err().kind(), LogErrorKind::Full);
    assert_eq!(pasts(&log, &["a"]), pasts(&in_memory(written.clone()), &["a"]));
    fs::remove_file(ballast).unwrap();
    for answer in block_on(log.append(refused)).unwrap() {
        let Appended::Won(recorded) = answer else { panic!("it was not written") };
        assert_eq!(recorded.seq, Seq(written.len() as u64 + 1));
        written.push(recorded);
    }
    let again = SqliteLog::open(file).unwrap();
    assert_eq!(block_on(again.read(Query::all())).unwrap(), written);
    assert_eq!(pasts(&again, &["a"]), pasts(&in_memory(written), &["a"]));
    say("whole");
}
