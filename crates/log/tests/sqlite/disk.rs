//! A disk that is full, with a real one.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use redengine_core::record::{Action, Seq};
use redengine_core::runlog::{Appended, LogErrorKind, Query, RunLog};
use redengine_log::SqliteLog;

use super::versions::{in_memory, pasts};
use super::{FILE, ROLE, begin, block_on, end, latest, lines, say};

/// Mounts a small disk where only this process sees it, and runs the program again on it.
const MOUNT: &str = "mount -t tmpfs -o size=4m tmpfs \"$1\" && exec \"$2\" as_another_process \
                     --exact --nocapture";

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .env(ROLE, "fill")
        .env(FILE, folder.path().join("runs.db"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return skip() };
    let said: Vec<String> = lines(&mut child).collect();
    let ended = child.wait_with_output().unwrap();
    if said.is_empty() && String::from_utf8_lossy(&ended.stderr).contains("ermitted") {
        return skip();
    }
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(said.last().map(String::as_str), Some("whole"), "{said:?}");
}

fn skip() {
    eprintln!("skipped: no disk may be mounted here");
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
