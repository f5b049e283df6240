//! Logs in files: a disk without room or that fails later, files that may not be written, another
//! process, a newer version.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::Timestamp;
use redengine_core::record::{Action, Record, RunId};
use redengine_core::runlog::{Append, Expect, LogErrorKind, Query, RunLog};
use redengine_core::session::LogHealth;
use redengine_log::connect;
use redengine_tests::world::{pass, run_while};
use rusqlite::Connection;
use tempfile::TempDir;

use super::process::{fill_a_disk, lines, say, start};
use super::{Scene, Told, Trouble, begin, ended, live_through};

const FULL: Told =
    Told { kinds: &[LogErrorKind::Full], words: &["the disk is full; make room on it"] };

/// Opens a log by the end of its file's name, with little patience.
async fn open(file: &Path) -> Arc<dyn RunLog> {
    let path = file.display();
    let address = match file.extension().and_then(|extension| extension.to_str()) {
        Some("db") => format!("sqlite:{path}?busy_timeout=20ms"),
        Some(scheme) => format!("{scheme}:{path}"),
        None => panic!("no format"),
    };
    connect(&address).await.unwrap()
}

fn beside(file: &Path, end: &str) -> PathBuf {
    file.with_file_name(format!("{}{end}", file.file_name().unwrap().to_str().unwrap()))
}

/// A disk is filled by others.
struct NoRoom {
    log: Arc<dyn RunLog>,
    ballast: PathBuf,
    filled: u32,
}

#[async_trait]
impl Trouble for NoRoom {
    async fn begin(&mut self) {
        let mut ballast = File::create(&self.ballast).unwrap();
        while ballast.write_all(&[1; 4096]).is_ok() {}
        // There may be room for some records yet in the log's own last page.
        loop {
            self.filled += 1;
            let at = Timestamp::from_micros(0);
            let run = RunId::from_bytes(u128::from(self.filled).to_be_bytes());
            let task = format!("{}", self.filled).into();
            let record = Record {
                task,
                run,
                action: Action::Run,
                at,
                started: at,
                due: None,
                details: None,
            };
            let append = Append { record, expect: Expect::Latest(None) };
            if let Err(error) = self.log.append(vec![append]).await {
                assert_eq!(error.kind(), LogErrorKind::Full, "{error:?}");
                return;
            }
        }
    }

    async fn end(&mut self) {
        fs::remove_file(&self.ballast).unwrap();
    }
}

/// Lives through a disk without room, on the disk of a file.
pub(super) async fn fill_the_disk(file: &Path) {
    let scheme = file.extension().unwrap().to_str().unwrap();
    let number = Cell::new(0);
    let scene = async || {
        number.set(number.get() + 1);
        let file = file.with_file_name(format!("{}.{scheme}", number.get()));
        let log = open(&file).await;
        let trouble = NoRoom { log: log.clone(), ballast: beside(&file, ".ballast"), filled: 0 };
        Scene { log, trouble }
    };
    live_through(scene, FULL).await;
}

#[test]
fn a_disk_without_room() {
    for name in ["runs.db", "runs.jsonl", "runs.csv"] {
        fill_a_disk("4m", name);
    }
}

/// A disk takes what is written, and fails when it is waited for some time later; see the tests of logs in
/// files.
#[test]
fn a_disk_that_fails_later() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("no_sync.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/log/tests/files/no_sync.c");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    let Ok(compiled) = compile.status() else { return eprintln!("skipped: there is no `cc`") };
    assert!(compiled.success());
    let file = folder.path().join("runs.jsonl");
    let mut child = start("unsynced", &file)
        .env("LD_PRELOAD", &library)
        .env("REDENGINE_LOG_TEST_NO_SYNC", beside(&file, ".trigger"))
        .spawn()
        .unwrap();
    let said: Vec<String> = lines(&mut child).collect();
    assert!(child.wait().unwrap().success(), "{said:?}");
    assert_eq!(said, ["whole"]);
}

pub(super) async fn live_through_what_is_told_later(file: &Path) {
    let trigger = beside(file, ".trigger");
    let log = connect(&format!("jsonl:{}?fsync=1ms", file.display())).await.unwrap();
    let session = begin(&log).build().unwrap();
    let story = async {
        pass("7 s").await;
        fs::write(&trigger, "").unwrap();
        // A thread of the log fails, in its own time; the next append tells, and fails nothing else.
        let mut told = String::new();
        for _ in 0..100_000 {
            pass("10 ms").await;
            if let LogHealth::Down { error, .. } = session.health().log {
                told = error.to_string();
                break;
            }
        }
        assert!(told.contains("may not be on the disk"), "{told}");
        pass("30 s").await;
        assert!(!session.health().is_well());
        fs::remove_file(&trigger).unwrap();
        pass("30 s").await;
        assert!(session.health().is_well(), "{:?}", session.health());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let there = session.history(Query::all()).await.unwrap();
    ended(&there);
    drop((session, log));
    assert_eq!(open(file).await.read(Query::all()).await.unwrap(), there);
}

/// Nobody may write to files, also who has opened them already: as on a disk that the system has made
/// read-only because of errors.
struct Sealed {
    files: Vec<PathBuf>,
    _folder: TempDir,
}

impl Sealed {
    /// Tells whether it could be done: not everybody may, and not on each disk.
    fn set(&self, flag: &str) -> bool {
        let mut command = Command::new("chattr");
        command.arg(flag).args(&self.files).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // Or the folder could not be removed.
        self.set("-i");
    }
}

#[async_trait]
impl Trouble for Sealed {
    async fn begin(&mut self) {
        assert!(self.set("+i"));
    }

    async fn end(&mut self) {
        assert!(self.set("-i"));
    }
}

async fn sealed(name: &str, ends: &[&str]) -> Scene<Sealed> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    let log = open(&file).await;
    let files = ends.iter().map(|end| beside(&file, end)).collect();
    Scene { log, trouble: Sealed { files, _folder: folder } }
}

async fn live_through_sealed(name: &str, ends: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("any");
    fs::write(&file, "").unwrap();
    if !(Sealed { files: vec![file], _folder: folder }).set("+i") {
        return eprintln!("skipped: `chattr +i` is not for this user or this disk");
    }
    let told = Told { kinds: &[LogErrorKind::ReadOnly], words: &["it may not be written to"] };
    live_through(async || sealed(name, ends).await, told).await;
}

#[tokio::test(start_paused = true)]
async fn files_that_nobody_may_write_to() {
    live_through_sealed("runs.jsonl", &[""]).await;
    live_through_sealed("runs.csv", &[""]).await;
    // What SQLite has in memory with other processes goes on.
    live_through_sealed("runs.db", &["", "-wal"]).await;
}

/// A newer version raises the format of a file.
struct NewerFormat {
    file: PathBuf,
    _folder: TempDir,
}

impl NewerFormat {
    fn set(&self, format: impl Fn(i64) -> i64) {
        let newer = Connection::open(&self.file).unwrap();
        let known = newer.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        newer.pragma_update(None, "user_version", format(known)).unwrap();
    }
}

#[async_trait]
impl Trouble for NewerFormat {
    async fn begin(&mut self) {
        self.set(|known| known + 1);
    }

    async fn end(&mut self) {
        self.set(|known| known - 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_whose_format_a_newer_version_has_raised() {
    let scene = async || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs.db");
        let log = open(&file).await;
        Scene { log, trouble: NewerFormat { file, _folder: folder } }
    };
    let told = Told { kinds: &[LogErrorKind::Version], words: &["update this program"] };
    live_through(scene, told).await;
}

/// Another process holds a file for longer than anybody waits.
struct Held {
    file: PathBuf,
    holder: Option<Child>,
    _folder: TempDir,
}

#[async_trait]
impl Trouble for Held {
    async fn begin(&mut self) {
        let mut holder = start("hold", &self.file).spawn().unwrap();
        assert_eq!(lines(&mut holder).next().as_deref(), Some("held"));
        self.holder = Some(holder);
    }

    async fn end(&mut self) {
        let mut holder = self.holder.take().unwrap();
        drop(holder.stdin.take());
        holder.wait().unwrap();
    }
}

/// Holds a file as another process.
pub(super) fn hold(file: &Path) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("begin immediate").unwrap();
    say("held");
    // Until whoever started it lets go.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
    // Nobody hears any more how this test went.
    std::process::exit(0);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_another_process_holds() {
    let scene = async || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs.db");
        let log = open(&file).await;
        Scene { log, trouble: Held { file, holder: None, _folder: folder } }
    };
    let told = Told { kinds: &[LogErrorKind::Locked], words: &["another process holds it"] };
    live_through(scene, told).await;
}
