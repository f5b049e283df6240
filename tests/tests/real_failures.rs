//! Sessions whose real run log fails: a disk without room, files that may not be written, a file that
//! another process holds, a server that goes away, and a newer version that changes the format.
//!
//! Each trouble is made for real and lived through three times: it goes away; the session is one that
//! stops; and it does not go away before the session is to end. Logs work on threads of their own, in
//! which Tokio's paused clock does not advance, so all that takes is virtual time.

#![cfg(unix)]

#[path = "../../crates/log/tests/shared/process.rs"]
mod process;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::record::{Action, Record, Recorded, RunId};
use redengine_core::runlog::{Append, Expect, LogErrorKind, Query, RunLog};
use redengine_core::session::{LogHealth, OnLogFailure, SessionBuilder};
use redengine_core::{Session, Timestamp};
use redengine_log::connect;
use redengine_runtime::RunError;
use redengine_tests::world::{
    actions, pass, run_for, run_while, session, slow, starts, still, task, timeline,
};
use redengine_testserver::Server;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use self::process::{FILE, ROLE, lines, say, start};

/// Something that keeps a log from being written.
#[async_trait]
trait Trouble {
    async fn begin(&mut self);
    async fn end(&mut self);
}

/// A new log, and what will happen to it.
struct Scene<T> {
    log: Arc<dyn RunLog>,
    trouble: T,
}

/// What is told of a trouble.
#[derive(Clone, Copy)]
struct Told {
    /// The first error that a session hears of is of one of these kinds.
    kinds: &'static [LogErrorKind],
    /// What health says then, one of them.
    words: &'static [&'static str],
}

const FULL: Told =
    Told { kinds: &[LogErrorKind::Full], words: &["the disk is full; make room on it"] };

/// Begins a session with two live runs that end while its log fails.
fn begin(log: &Arc<dyn RunLog>) -> SessionBuilder {
    session("2026-11-24 07:00")
        .log(log.clone())
        .task(slow("long", "daily", "20 s"))
        .task(slow("short", "daily", "10 s"))
        .task(task("tick", "every 5 s"))
        .task(task("next", "after task 'long'"))
}

/// Lives through a trouble in all ways.
async fn live_through<T: Trouble>(make: impl AsyncFn() -> Scene<T>, told: Told) {
    goes_away(make().await, told).await;
    stops_a_session(make().await, told).await;
    does_not_go_away(make().await).await;
}

/// Nothing starts, live runs go on, their ends are kept and written later in order, and it goes on.
async fn goes_away<T: Trouble>(Scene { log, mut trouble }: Scene<T>, told: Told) {
    let session = begin(&log).build().unwrap();
    let story = async {
        pass("7 s").await;
        assert!(session.health().is_well());
        trouble.begin().await;
        pass("5 s").await;
        let health = session.health();
        let LogHealth::Down { error, .. } = &health.log else { panic!("{health:?}") };
        assert!(told.words.iter().any(|words| error.contains(words)), "{error}");
        assert_eq!(health.unwritten, 1, "{health:?}");
        pass("18 s").await;
        let health = session.health();
        assert!(!health.is_well() && health.unwritten == 2, "{health:?}");
        trouble.end().await;
        pass("30 s").await;
        let health = session.health();
        assert!(health.is_well() && health.unwritten == 0, "{health:?}");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let timeline = timeline(&session).await;
    let place = |text: &str| timeline.find(text).unwrap_or_else(|| panic!("{text} in\n{timeline}"));
    assert!(place("24 07:00:10 short success") < place("24 07:00:20 long success"), "{timeline}");
    assert!(place("24 07:00:20 long success") < place("next run"), "{timeline}");
    let ticks = starts(&session, "tick").await;
    let ticks: Vec<&str> = ticks.split(", ").collect();
    assert_eq!(&ticks[..2], ["24 07:00:00", "24 07:00:05"]);
    assert!(ticks[2..].iter().all(|at| ("24 07:00:30".."24 07:01:00").contains(at)), "{ticks:?}");
    assert!(ticks.len() >= 5, "{ticks:?}");
    for name in ["long", "short", "next"] {
        assert_eq!(actions(&session, name).await, "run success");
    }
    assert_eq!(actions(&session, "tick").await, ["run success"].repeat(ticks.len()).join(" "));
}

/// A session that is to stop ends with the error, and what was live is written if it can be.
async fn stops_a_session<T: Trouble>(Scene { log, mut trouble }: Scene<T>, told: Told) {
    let stop = |config: &mut redengine_core::Config| config.on_log_failure = OnLogFailure::Stop;
    let session = begin(&log).configure(stop).build().unwrap();
    let story = async {
        pass("7 s").await;
        trouble.begin().await;
        pass("5 s").await;
        trouble.end().await;
        pass("1 hour").await;
    };
    let error = run_while(&session, story).await.unwrap_err();
    let RunError::LogFailed(error) = &error else { panic!("{error:?}") };
    assert!(told.kinds.contains(&error.kind()), "{error:?}");
    assert_eq!(starts(&session, "tick").await, "24 07:00:00, 24 07:00:05");
    for name in ["long", "short"] {
        assert_eq!(actions(&session, name).await, "run success");
    }
}

/// A session that is to end does not wait for its log for ever, and says what was not written. The
/// next one finds what it has left.
async fn does_not_go_away<T: Trouble>(Scene { log, mut trouble }: Scene<T>) {
    let session = begin(&log).build().unwrap();
    let story = async {
        pass("7 s").await;
        trouble.begin().await;
        pass("23 s").await;
        session.shutdown();
        // The deadline of the shutdown, the grace, and five seconds for the last records.
        pass("30 s").await;
        assert!(session.health().running);
        pass("11 s").await;
        panic!("it waits for a log that does not come back");
    };
    let error = run_while(&session, story).await.unwrap_err();
    let RunError::Unwritten { ends, error: Some(_) } = &error else { panic!("{error:?}") };
    let mut ends: Vec<_> = ends.iter().map(|(task, action)| (&**task, *action)).collect();
    ends.sort_unstable();
    assert_eq!(ends, [("long", Action::Success), ("short", Action::Success)]);
    assert!(error.to_string().contains("`long` (success)"), "{error}");
    trouble.end().await;
    let next = begin(&log).build().unwrap();
    run_for(&next, "1 s").await.unwrap();
    for name in ["long", "short"] {
        assert!(actions(&next, name).await.starts_with("run crash"), "{name}");
    }
}

// ---- files

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

/// What another process does; see [`process`].
#[test]
fn as_another_process() {
    let (Ok(role), Some(file)) = (std::env::var(ROLE), std::env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    match &*role {
        "fill" => {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().start_paused(true).build().unwrap();
            let number = std::cell::Cell::new(0);
            let scene = async || {
                number.set(number.get() + 1);
                let file = file.with_file_name(format!("{}.{}", number.get(), scheme(&file)));
                let log = open(&file).await;
                let trouble =
                    NoRoom { log: log.clone(), ballast: beside(&file, ".ballast"), filled: 0 };
                Scene { log, trouble }
            };
            runtime.block_on(live_through(scene, FULL));
            say("whole");
        }
        "unsynced" => {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().start_paused(true).build().unwrap();
            runtime.block_on(live_through_what_is_told_later(&file));
            say("whole");
        }
        "hold" => {
            let connection = Connection::open(&file).unwrap();
            connection.execute_batch("begin immediate").unwrap();
            say("held");
            // Until whoever started it lets go.
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
            // Nobody hears any more how this test went.
            std::process::exit(0);
        }
        role => panic!("unknown role {role}"),
    }
}

fn scheme(file: &Path) -> &str {
    file.extension().unwrap().to_str().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room() {
    for name in ["runs.db", "runs.jsonl", "runs.csv"] {
        process::fill_a_disk("4m", name);
    }
}

/// A disk takes what is written, and fails when it is waited for some time later; see the tests of logs in
/// files.
#[cfg(target_os = "linux")]
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

async fn live_through_what_is_told_later(file: &Path) {
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

#[cfg(target_os = "linux")]
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

// ---- servers

/// Connects to a server beside the log.
async fn admin(server: &Server) -> Client {
    let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A server becomes a standby, which takes no writes, and then the primary again.
struct Standby(Arc<Server>);

#[async_trait]
impl Trouble for Standby {
    async fn begin(&mut self) {
        let server = self.0.clone();
        tokio::task::spawn_blocking(move || server.stand_by().unwrap()).await.unwrap();
    }

    async fn end(&mut self) {
        let server = self.0.clone();
        tokio::task::spawn_blocking(move || server.promote().unwrap()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_writes() {
    let server = Arc::new(Server::start().unwrap());
    let scene = async || {
        let log = connect(&server.url_of_new_schema()).await.unwrap();
        Scene { log, trouble: Standby(server.clone()) }
    };
    // To become a standby, it ends its connections.
    let kinds = &[LogErrorKind::Unreachable, LogErrorKind::ReadOnly];
    let told = Told { kinds, words: &["takes no writes"] };
    live_through(scene, told).await;
}

/// A newer version raises the version of the tables.
struct NewerTables {
    admin: Client,
    schema: String,
}

#[async_trait]
impl Trouble for NewerTables {
    async fn begin(&mut self) {
        let raise = format!("update {}.state set version = version + 1", self.schema);
        still(self.admin.batch_execute(&raise)).await.unwrap();
    }

    async fn end(&mut self) {
        let lower = format!("update {}.state set version = version - 1", self.schema);
        still(self.admin.batch_execute(&lower)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn tables_whose_version_a_newer_program_has_raised() {
    let scene = async || {
        let url = Server::shared().url_of_new_schema();
        let schema = url.split_once("schema=").unwrap().1.to_owned();
        let log = connect(&url).await.unwrap();
        let admin = admin(Server::shared()).await;
        Scene { log, trouble: NewerTables { admin, schema } }
    };
    let words = &["use the newer program everywhere"];
    live_through(scene, Told { kinds: &[LogErrorKind::Version], words }).await;
}

/// A server crashes, and is started again.
struct Crashed(Arc<Server>);

#[async_trait]
impl Trouble for Crashed {
    async fn begin(&mut self) {
        let server = self.0.clone();
        tokio::task::spawn_blocking(move || server.crash().unwrap()).await.unwrap();
    }

    async fn end(&mut self) {
        let server = self.0.clone();
        tokio::task::spawn_blocking(move || server.resume().unwrap()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_crashes_and_comes_back() {
    let server = Arc::new(Server::start().unwrap());
    let scene = async || {
        let log = connect(&server.url_of_new_schema()).await.unwrap();
        Scene { log, trouble: Crashed(server.clone()) }
    };
    let words = &["cannot be reached", "ended the connection", "closed the connection"];
    live_through(scene, Told { kinds: &[LogErrorKind::Unreachable], words }).await;
}

/// Makes a user of its own for a log on the server that all tests share: what happens to it happens to
/// nobody else.
async fn user_and_log(admin: &Client) -> (String, Arc<dyn RunLog>) {
    let url = Server::shared().url_of_new_schema();
    let schema = url.split_once("schema=").unwrap().1;
    let user = format!("user_of_{schema}");
    admin.batch_execute(&format!("create role {user} login superuser")).await.unwrap();
    let log = connect(&url.replacen("redengine@", &format!("{user}@"), 1)).await.unwrap();
    (user, log)
}

/// Ends all connections of a user.
async fn cut(admin: &Client, user: &str) {
    let cut =
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = $1";
    admin.query(cut, &[&user]).await.unwrap();
}

/// Checks that each run has one end, and tells how many there are.
fn ended(records: &[Recorded]) -> usize {
    let (begun, ended): (Vec<_>, Vec<_>) =
        records.iter().partition(|known| known.record.action == Action::Run);
    let runs = |records: Vec<&Recorded>| {
        let mut runs: Vec<RunId> = records.iter().map(|known| known.record.run).collect();
        runs.sort_unstable();
        runs
    };
    let (begun, ended) = (runs(begun), runs(ended));
    assert_eq!(begun, ended);
    begun.len()
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_cut_again_and_again() {
    let admin = admin(Server::shared()).await;
    let (user, log) = user_and_log(&admin).await;
    let session: Session = begin(&log).build().unwrap();
    let story = async {
        pass("3 s").await;
        for _ in 0..30 {
            still(cut(&admin, &user)).await;
            pass("700 ms").await;
        }
        pass("30 s").await;
        assert!(session.health().is_well());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let records = session.history(Query::all()).await.unwrap();
    assert!(ended(&records) >= 3 + 6);
    for name in ["long", "short", "next"] {
        let actions = actions(&session, name).await;
        assert!(actions.ends_with("run success"), "{name}: {actions}");
    }
}
