//! What is particular to logs in files: lines, torn ends, rotation, processes, kills.
//!
//! Where a second process is needed, this program starts itself: [`as_another_process`] is what
//! that process does. Each test is for both formats.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod crashes;
mod disk;
#[cfg(target_os = "linux")]
mod fsync;
mod lines;
#[path = "../shared/process.rs"]
mod process;
#[path = "../shared/records.rs"]
mod records;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, ActionSet, Details, Reason, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{
    Append, Appended, LogError, LogErrorKind, Past, PastOf, Prune, Query, RunLog,
};

use self::process::{FILE, ROLE, lines, say, start};
use self::records::{assert_says, latest};

/// Both formats, by what their files end with.
const FORMATS: [&str; 2] = ["csv", "jsonl"];

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn try_open(file: &Path, options: &str) -> Result<Arc<dyn RunLog>, LogError> {
    let scheme = file.extension().unwrap().to_str().unwrap();
    block_on(redengine_log::connect(&format!("{scheme}:{}{options}", file.display())))
}

#[track_caller]
fn open(file: &Path) -> Arc<dyn RunLog> {
    try_open(file, "").unwrap()
}

fn begin(task: &str, run: u128, second: i64) -> Record {
    records::begin(task, run, 1_795_503_600 + second)
}

fn end(record: &Record, action: Action) -> Append {
    let mut end = records::end(record, action);
    end.record.at = Timestamp::from_micros(record.at.as_micros() + 1_500_000);
    end
}

fn all(log: &dyn RunLog) -> Vec<Recorded> {
    block_on(log.read(Query::all())).unwrap()
}

/// Appends what is won for certain.
#[track_caller]
fn add(log: &dyn RunLog, batch: Vec<Append>) -> Vec<Recorded> {
    let answers = block_on(log.append(batch)).unwrap();
    let won = answers.into_iter().map(|answer| match answer {
        Appended::Won(recorded) => recorded,
        Appended::Lost => panic!("an append was lost"),
    });
    won.collect()
}

/// What a past tells: counts, failures in a row, open runs, records.
type Told = ([u64; 6], u64, Vec<Seq>, Vec<Recorded>);

fn past(log: &dyn RunLog, task: &str) -> Told {
    told(log, PastOf { task: task.into(), keep: Keep::of(ActionSet::of(&Action::ALL), 3) })
}

fn told(log: &dyn RunLog, of: PastOf) -> Told {
    let of = vec![of];
    let Past { counts, failures, open, records } = block_on(log.past(of)).unwrap().remove(0);
    (counts, failures, open, records)
}

/// All files of a folder and what is in them.
fn contents(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

fn names(folder: &Path) -> Vec<String> {
    contents(folder).into_keys().collect()
}

// Other processes.

#[test]
fn as_another_process() {
    let (Ok(role), Some(file)) = (std::env::var(ROLE), std::env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    match &*role {
        "append" => crashes::append_for_ever(&file),
        "fill" => disk::fill(&file),
        #[cfg(target_os = "linux")]
        "sync" => fsync::sync(&file),
        "open" => match try_open(&file, "") {
            Ok(_) => say("opened"),
            Err(error) => say(format!("{:?}: {error}", error.kind())),
        },
        role => panic!("unknown role {role}"),
    }
}

// One process.

#[test]
fn a_second_program_is_refused_and_told_who_is_there() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let log = open(&file);
        let clone = Arc::clone(&log);
        let mut child = start("open", &file).spawn().unwrap();
        let said = lines(&mut child).last().unwrap();
        child.wait().unwrap();
        let me = std::process::id();
        let words = format!("Locked: cannot open `{}`: process {me} has it open", file.display());
        assert!(said.starts_with(&words), "{said}");
        // Here too.
        let words = format!("process {me} has it open; end that program");
        assert_says(&try_open(&file, "").unwrap_err(), LogErrorKind::Locked, &words);
        drop(log);
        assert_says(&try_open(&file, "").unwrap_err(), LogErrorKind::Locked, &words);
        drop(clone);
        open(&file);
    }
}

#[cfg(unix)]
#[test]
fn a_file_is_open_once_whatever_it_is_called() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).with_extension(format);
        let file = path("runs");
        let mut log = try_open(&file, "?rotate=1kB").unwrap();
        let mut last = None;
        for round in 1..=20 {
            let record = begin("a", round, 1);
            let batch = vec![latest(record.clone(), last), end(&record, Action::Success)];
            last = add(&*log, batch).last().map(|added| added.seq);
        }
        let aside = folder.path().join(format!("runs.1.{format}"));
        for (name, of) in [("hard", &file), ("hard aside", &aside)] {
            fs::hard_link(of, path(name)).unwrap();
        }
        std::os::unix::fs::symlink(&file, path("soft")).unwrap();
        for round in 0..2 {
            for name in ["hard", "hard aside", "soft"] {
                let error = try_open(&path(name), "").unwrap_err();
                assert_says(&error, LogErrorKind::Locked, "has it open under another name");
            }
            if round == 0 {
                drop(log);
                log = open(&file);
            }
        }
        // The first file and those that were put aside are no part of it any more.
        block_on(log.prune(redengine_core::runlog::Prune::default().beyond(0))).unwrap();
        assert_says(&try_open(&path("soft"), "").unwrap_err(), LogErrorKind::Locked, "has it open");
        assert!(!aside.exists());
        drop(log);
        open(&path("soft"));
    }
}

#[test]
fn a_log_that_was_just_written_to_can_be_opened_again() {
    // Whatever another thread starts meanwhile has the files open too, for a moment.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let others = std::thread::spawn(move || {
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            Command::new("true").spawn().unwrap().wait().unwrap();
        }
    });
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        for round in 1..200 {
            let log = try_open(&file, "?fsync=never").unwrap();
            add(&*log, vec![latest(begin(&format!("task {round}"), round, 1), None)]);
            assert_eq!(all(&*log).len() as u128, round);
        }
    }
    drop(stop);
    others.join().unwrap();
}

#[test]
fn a_file_is_put_aside_when_it_has_grown_and_numbers_go_on() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let mut written = Vec::new();
        for round in 1..=30 {
            let log = try_open(&file, "?rotate=1kB").unwrap();
            let record = begin("a", round, 1);
            let last = written.last().map(|recorded: &Recorded| recorded.seq);
            written
                .extend(add(&*log, vec![latest(record.clone(), last), end(&record, Action::Fail)]));
            assert_eq!(all(&*log), written);
        }
        let rotated = fs::read_dir(folder.path()).unwrap().count() - 2;
        assert!(rotated > 3, "{:?}", names(folder.path()));
        for number in 1..=rotated {
            let rotated = folder.path().join(format!("runs.{number}.{format}"));
            let length = fs::metadata(rotated).unwrap().len();
            assert!((1000..2000).contains(&length), "{number} has {length}");
        }
        // Others that only look alike are nobody's business.
        fs::write(folder.path().join(format!("runs.01.{format}")), "x").unwrap();
        fs::write(folder.path().join(format!("runs.x.{format}")), "x").unwrap();
        fs::write(folder.path().join(format!("other.1.{format}")), "x").unwrap();
        let log = open(&file);
        assert_eq!(all(&*log), written);
        assert_eq!(past(&*log, "a").0[..3], [30, 0, 30]);
        drop(log);
        // Killed when the file was put aside, and before the other was begun.
        let aside = folder.path().join(format!("runs.{}.{format}", rotated + 1));
        fs::rename(&file, aside).unwrap();
        let log = open(&file);
        assert_eq!(all(&*log), written);
        written.extend(add(&*log, vec![latest(begin("b", 99, 1), None)]));
        drop(log);
        assert_eq!(all(&*open(&file)), written);
    }
}

#[test]
fn what_was_pruned_is_one_file_and_the_past_stays() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let log = try_open(&file, "?rotate=1kB").unwrap();
        let mut last = None;
        for round in 1..=40 {
            let record = begin("a", round, 100 - i64::try_from(round).unwrap());
            let action = if round < 30 { Action::Success } else { Action::Fail };
            let mut batch = vec![latest(record.clone(), last)];
            batch.extend((round != 7).then(|| end(&record, action)));
            last = add(&*log, batch).last().map(|recorded| recorded.seq);
        }
        // Of some runs there is left that they began, and not that they ended.
        let needed = PastOf { task: "a".into(), keep: Keep::of(ActionSet::of(&[Action::Run]), 6) };
        let before = told(&*log, needed.clone());
        let prune = Prune::default().beyond(0).needed(vec![needed.clone()]);
        let removed = block_on(log.prune(prune.clone())).unwrap();
        let left = all(&*log);
        assert_eq!(
            (removed + left.len() as u64, told(&*log, needed.clone())),
            (79, before.clone())
        );
        assert_eq!(before.2.len(), 1);
        assert_eq!(names(folder.path()), [format!("runs.{format}"), format!("runs.{format}.lock")]);
        assert_eq!(block_on(log.prune(prune)).unwrap(), 0);
        drop(log);
        let log = open(&file);
        assert_eq!((all(&*log), told(&*log, needed)), (left, before));
        // Of a run whose end was removed, there is no other end.
        let ended = begin("a", 37, 63);
        let answers = block_on(log.append(vec![end(&ended, Action::Crash)])).unwrap();
        assert_eq!(answers, [Appended::Lost]);
        add(&*log, vec![end(&begin("a", 7, 93), Action::Crash)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_advance_while_the_log_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    for format in FORMATS {
        let log = redengine_log::connect(&format!("{format}:{path}/r.{format}")).await.unwrap();
        let append = async {
            for number in 1..20 {
                let task = format!("task {number}");
                log.append(vec![latest(begin(&task, number, 1), None)]).await.unwrap();
            }
        };
        tokio::select! {
            biased;
            () = tokio::time::sleep(std::time::Duration::from_millis(1)) => panic!("time passed"),
            () = append => {}
        }
    }
}

#[test]
fn a_log_works_without_a_runtime_and_by_any_policy() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for (number, options) in ["", "?fsync=never", "?fsync=1ms", "?fsync=1h"].iter().enumerate()
        {
            let file = folder.path().join(format!("{number}.{format}"));
            let log = try_open(&file, options).unwrap();
            for run in 1..5 {
                let task = format!("task {run}");
                let mut append =
                    std::pin::pin!(log.append(vec![latest(begin(&task, run, 1), None)]));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(append.as_mut().poll(&mut context).is_ready());
            }
            // Also one that waits an hour ends at once.
            drop(log);
            assert_eq!(all(&*open(&file)).len(), 4);
        }
    }
}
