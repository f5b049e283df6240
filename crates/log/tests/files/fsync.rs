//! A disk that takes what is written and fails when it is waited for.
//!
//! No disk does so on request, so another process is started with `fsync` and `fdatasync` of its own,
//! which fail as long as there is a file beside the log. A C compiler makes them, as one links Rust.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use redengine_core::runlog::RunLog;

use super::{
    Action, Appended, Arc, FORMATS, LogErrorKind, Recorded, all, assert_says, begin, block_on, end,
    fs, latest, lines, open, past, say, start, try_open,
};

const TRIGGER: &str = "no-sync";

#[test]
fn a_disk_that_fails_later_fails_the_next_append_and_all_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("no_sync.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/no_sync.c");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    let Ok(compiled) = compile.status() else { return eprintln!("skipped: there is no `cc`") };
    assert!(compiled.success());
    for format in FORMATS {
        let file = folder.path().join("runs").with_extension(format);
        let mut child = start("sync", &file)
            .env("LD_PRELOAD", &library)
            .env("REDENGINE_LOG_TEST_NO_SYNC", folder.path().join(TRIGGER))
            .spawn()
            .unwrap();
        let said: Vec<String> = lines(&mut child).collect();
        assert!(child.wait().unwrap().success(), "{format}: {said:?}");
        assert_eq!(said, ["whole"], "{format}");
    }
}

/// Appends a run until the log refuses one, but at most so many.
fn append(log: &dyn RunLog, written: &mut Vec<Recorded>, runs: usize) -> Option<super::LogError> {
    for _ in 0..runs {
        let record = begin("a", written.len() as u128, 1);
        let last = written.last().map(|recorded| recorded.seq);
        match block_on(
            log.append(vec![latest(record.clone(), last), end(&record, Action::Success)]),
        ) {
            Ok(answers) => written.extend(answers.into_iter().map(|answer| match answer {
                Appended::Won(recorded) => recorded,
                Appended::Lost => panic!("an append was lost"),
            })),
            Err(error) => return Some(error),
        }
    }
    None
}

/// Has the disk fail and mend, and looks at what is told and what is there.
pub(super) fn sync(file: &Path) {
    told_by_the_thread(file);
    told_when_it_is_opened(&file.with_file_name(format!("opened.{}", extension(file))));
    told_by_who_puts_a_file_aside(&file.with_file_name(format!("others.{}", extension(file))));
    say("whole");
}

fn extension(file: &Path) -> &str {
    file.extension().unwrap().to_str().unwrap()
}

fn told_by_the_thread(file: &Path) {
    const MANY: usize = 100_000;
    let trigger = file.with_file_name(TRIGGER);
    let number = || fs::metadata(file).unwrap().ino();
    let log = try_open(file, "?fsync=1ms").unwrap();
    let mut written = Vec::new();
    // Nothing is wrong, and nothing is told.
    assert!(append(&*log, &mut written, 300).is_none());
    for _ in 0..2 {
        let before = number();
        fs::write(&trigger, "").unwrap();
        let error = append(&*log, &mut written, MANY).expect("it is told");
        assert_says(&error, LogErrorKind::Full, "from number ");
        assert_says(&error, LogErrorKind::Full, " on may not be on the disk");
        assert!(format!("{error:?}").contains("the disk is full; make room on it"), "{error:?}");
        let since = error.to_string();
        let since = since.split_once("number ").unwrap().1.split(' ').next().unwrap();
        assert!((1..=written.len()).contains(&since.parse().unwrap()), "{error}");
        // It goes on refusing, and what it has acknowledged is there to be read.
        let error = append(&*log, &mut written, 1).unwrap();
        assert_says(&error, LogErrorKind::Full, ".new`: the disk is full");
        assert_eq!(all(&*log), written);
        fs::remove_file(&trigger).unwrap();
        let error = append(&*log, &mut written, 1);
        assert!(error.is_none(), "{error:?}");
        assert_ne!(number(), before, "it was not written anew");
    }
    demand_that_all_is_there(log, file, &written);
}

fn told_when_it_is_opened(file: &Path) {
    let trigger = file.with_file_name(TRIGGER);
    let mut written = Vec::new();
    // A process that was killed has written it, and did not wait for the disk.
    assert!(append(&*try_open(file, "?fsync=never").unwrap(), &mut written, 3).is_none());
    fs::write(&trigger, "").unwrap();
    for options in ["", "?fsync=1h"] {
        let error = try_open(file, options).unwrap_err();
        assert_says(&error, LogErrorKind::Full, "cannot open");
    }
    assert_eq!(all(&*try_open(file, "?fsync=never").unwrap()), written);
    fs::remove_file(&trigger).unwrap();
    assert_eq!(all(&*open(file)), written);
}

fn told_by_who_puts_a_file_aside(file: &Path) {
    let trigger = file.with_file_name(TRIGGER);
    let log = try_open(file, "?fsync=1h&rotate=5kB").unwrap();
    let mut written = Vec::new();
    assert!(append(&*log, &mut written, 100).is_none());
    let aside =
        |number| file.with_file_name(format!("others.{number}.{}", extension(file))).exists();
    assert!(aside(3));
    fs::write(&trigger, "").unwrap();
    let error = append(&*log, &mut written, 100).expect("it is told");
    assert_says(&error, LogErrorKind::Full, "cannot rotate");
    fs::remove_file(&trigger).unwrap();
    assert!(append(&*log, &mut written, 1).is_none());
    // All is in one file, which is put aside at once.
    assert!(aside(1) && !aside(2));
    demand_that_all_is_there(log, file, &written);
}

fn demand_that_all_is_there(log: Arc<dyn RunLog>, file: &Path, written: &[Recorded]) {
    let told = past(&*log, "a");
    assert_eq!(all(&*log), written);
    drop(log);
    let log = open(file);
    assert_eq!((&*all(&*log), past(&*log, "a")), (written, told));
}
