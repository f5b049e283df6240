//! Real processes on a real file: killed, told to stop, started again, two at a time.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use redengine_core::record::{Action, Recorded};
use redengine_core::runlog::{Query, RunLog};
use redengine_log::SqliteLog;

struct Worker {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Worker {
    fn start(file: &Path, story: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
            .arg(file)
            .arg(story)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// Waits until it prints a line.
    fn wait_for(&mut self, line: &str) {
        let found = self.lines.by_ref().map_while(Result::ok).any(|printed| printed == line);
        assert!(found, "the worker ended without `{line}`");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("kill").success());
    }

    /// Waits until it ends, and tells its exit status.
    fn end(mut self) -> Option<i32> {
        let rest: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        drop(rest);
        self.child.wait().expect("an exit status").code()
    }

    fn kill(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("an exit status");
    }
}

fn records(file: &Path) -> Vec<Recorded> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let log = SqliteLog::open(file).expect("the log");
    runtime.block_on(log.read(Query::all())).expect("its records")
}

/// The actions of a task, in order.
fn actions(records: &[Recorded], task: &str) -> String {
    let own = records.iter().filter(|known| &*known.record.task == task);
    own.map(|known| known.record.action.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn after_a_kill_nothing_is_lost_and_nothing_runs_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.db");
    let mut first = Worker::start(&file, "first");
    first.wait_for("begin cut");
    // `daily` may be a little later than `cut`.
    while actions(&records(&file), "daily") != "run success" {
        std::thread::sleep(Duration::from_millis(10));
    }
    first.kill();
    let before = records(&file);
    assert_eq!(actions(&before, "count"), "run success");
    assert_eq!(actions(&before, "cut"), "run");
    assert_eq!(actions(&before, "next"), "");

    let mut second = Worker::start(&file, "second");
    // The chain goes on, with the value of the process that is gone.
    second.wait_for("begin next with 41");
    second.signal("TERM");
    assert_eq!(second.end(), Some(0));
    let after = records(&file);
    assert_eq!(actions(&after, "count"), "run success", "it ran less than an hour ago");
    assert_eq!(actions(&after, "daily"), "run success", "it ran today");
    assert_eq!(actions(&after, "cut"), "run crash run success", "one end for each run");
    assert_eq!(actions(&after, "next"), "run success");
    let crash = after.iter().find(|known| known.record.action == Action::Crash).expect("a crash");
    let cut = before.iter().find(|known| &*known.record.task == "cut").expect("its run");
    assert_eq!(crash.record.run, cut.record.run);
}

#[test]
fn a_signal_ends_in_order_and_a_second_one_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    for signal in ["TERM", "INT"] {
        let file = folder.path().join(format!("{signal}.db"));
        let mut worker = Worker::start(&file, "serve");
        worker.wait_for("begin serve");
        worker.signal(signal);
        assert_eq!(worker.end(), Some(0));
        assert_eq!(actions(&records(&file), "serve"), "run success", "it was waited for");

        let file = folder.path().join(format!("{signal}-twice.db"));
        let mut worker = Worker::start(&file, "serve");
        worker.wait_for("begin serve");
        worker.signal(signal);
        std::thread::sleep(Duration::from_millis(100));
        worker.signal(signal);
        assert_eq!(worker.end(), Some(0));
        let records = records(&file);
        assert_eq!(actions(&records, "serve"), "run terminate", "it was told to stop");
        let reason = records[1].record.details.as_ref().and_then(|details| details.reason.clone());
        assert_eq!(reason, Some("the session shuts down; it ended with: told to stop".into()));
    }
}

#[test]
fn two_processes_on_one_file_share_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runs.db");
    let workers = [0; 2].map(|_| Worker::start(&file, "secondly"));
    std::thread::sleep(Duration::from_millis(5500));
    for worker in workers {
        worker.signal("TERM");
        assert_eq!(worker.end(), Some(0));
    }
    let records = records(&file);
    let starts = records.iter().filter(|known| known.record.action == Action::Run);
    let mut seconds: Vec<i64> =
        starts.map(|known| known.record.at.as_micros().div_euclid(1_000_000)).collect();
    let all = seconds.len();
    seconds.dedup();
    assert_eq!(seconds.len(), all, "no second twice: {records:#?}");
    assert!(
        seconds.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "no second left out: {seconds:?}"
    );
    assert!(all >= 5, "{all}");
    // A run begins only after the one before it has ended.
    let words = actions(&records, "tick");
    assert_eq!(words.replace("run success", "").trim(), "", "{words}");
}

#[test]
fn a_file_that_is_no_log_is_told_and_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("notes.txt");
    let text = "not a database, but long enough to look like something. ".repeat(20);
    std::fs::write(&file, &text).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_worker")).arg(&file).arg("serve").output();
    let output = output.expect("the worker starts");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("the run log") && told.contains("notes.txt"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), text);
}
