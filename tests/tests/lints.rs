//! A session that begins to run tells its lints, and goes on as if it had not.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use expect_test::expect;
use redengine_core::lint::LintCode;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{Append, Appended, LogError, Past, PastOf, Prune, Query, RunLog};
use redengine_core::session::SessionBuilder;
use redengine_core::{Session, Task};
use redengine_log::MemoryLog;
use redengine_runtime::VirtualClock;
use redengine_tests::world::{at, run_for, session, slow, starts, task};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Told {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Runs a session for so long; tells its warnings.
async fn warnings(session: &Session, time: &str) -> String {
    let told = Told::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .without_time()
        .with_ansi(false)
        .with_writer(told.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    run_for(session, time).await.unwrap();
    drop(guard);
    let told = told.0.lock().unwrap().clone();
    let told = String::from_utf8(told).unwrap();
    // Levels are padded.
    told.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

fn with_lints() -> SessionBuilder {
    session("2026-11-24 07:00")
        .task(task("end of month", "monthly on 31st"))
        .task(task("sync", "daily between 06:00 and 18:00 & every 10 min"))
}

#[tokio::test(start_paused = true)]
async fn a_session_that_begins_to_run_tells_its_lints_once() {
    let session = with_lints().build().unwrap();
    expect![[r#"
        WARN redengine::lint: task `end of month`: `monthly on 31st` does not occur in Feb, Apr, Jun, Sep and Nov, which are too short [missing-days]
        help: for the end of each month, write `monthly on last day`
        WARN redengine::lint: task `sync`: `daily between 06:00 and 18:00 & every 10 min` runs the task once in each window, not each 10 min: `daily between 06:00 and 18:00` holds until a run has used the window up [once-and-every]
        help: for many runs in the window, write `time of day between 06:00 and 18:00 & every 10 min`; for one, `daily between 06:00 and 18:00`"#]].assert_eq(&warnings(&session, "3 days").await);
    assert_eq!(
        starts(&session, "sync").await,
        "24 07:00:00, 25 06:00:00, 26 06:00:00, 27 06:00:00"
    );
}

#[tokio::test(start_paused = true)]
async fn allowed_lints_are_not_told() {
    let allow = |config: &mut redengine_core::Config| {
        config.allowed_lints = vec![LintCode::MissingDays, LintCode::OnceAndEvery];
    };
    let session = with_lints().configure(allow).build().unwrap();
    assert_eq!(warnings(&session, "1 day").await, "");
}

#[tokio::test(start_paused = true)]
async fn how_long_runs_take_is_read_off_the_log() {
    let log: Arc<dyn RunLog> = Arc::new(MemoryLog::new());
    let made = |start: &str| {
        session(start)
            .log(log.clone())
            .clock(VirtualClock::starting(at(start)))
            .task(slow("report", "daily between 07:00 and 07:10", "30 min"))
            .build()
            .unwrap()
    };
    let first = made("2026-11-24 00:00");
    assert_eq!(warnings(&first, "3 days").await, "", "nothing is known yet");
    let second = made("2026-11-27 12:00");
    expect![[r#"
        WARN redengine::lint: task `report`: `daily between 07:00 and 07:10` is a window of 10 min, but a run usually takes 30 min: it goes on after the window's end [window-too-short]
        help: widen the window; if it says only when runs may begin, write that with `within`"#]].assert_eq(&warnings(&second, "1 hour").await);
}

#[tokio::test(start_paused = true)]
async fn many_lints_are_told_in_part() {
    let tasks = (0..100).map(|n| task(&format!("task {n}"), "monthly on 31st"));
    let session = session("2026-11-24 07:00").tasks(tasks).build().unwrap();
    let told = warnings(&session, "1 min").await;
    assert_eq!(told.matches("[missing-days]").count(), 32);
    assert!(told.contains("there are 68 more lints like these"), "{told}");
}

/// A log that does not answer when more of it is read than its last record.
#[derive(Debug, Default)]
struct Silent(MemoryLog);

#[async_trait::async_trait]
impl RunLog for Silent {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        self.0.append(batch).await
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        match query.limit {
            Some(1) => self.0.read(query).await,
            _ => std::future::pending().await,
        }
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.0.past(of).await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.0.unfinished().await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        // As if others had written to it.
        Ok(self.0.last_seq().await?.max(Seq(1)))
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.0.count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        self.0.changed(after).await
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        self.0.prune(prune).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.0.import(records).await
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_for_a_log_that_does_not_answer() {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async {}
    };
    let session = session("2026-11-24 07:00")
        .log(Silent::default())
        .task(Task::new("a", "every 1 s", count))
        .build()
        .unwrap();
    run_for(&session, "2500 ms").await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}
