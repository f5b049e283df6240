//! What the start of a session tells in the program's log.

use std::io;
use std::sync::{Arc, Mutex};

use redengine_core::time::Zone;
use redengine_tests::world::{run_for, session, task};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_zone_and_the_version_of_the_time_zone_database_are_told() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let session = session("2026-11-24 07:00")
        .configure(|config| config.timezone = Some(Zone::named("Europe/Helsinki").unwrap()))
        .task(task("a", "daily"))
        .build()
        .unwrap();
    run_for(&session, "1 s").await.unwrap();
    drop(guard);
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let start = told.lines().find(|line| line.contains("the session starts")).unwrap();
    let wanted = format!("tasks=1 zone=Europe/Helsinki tzdb={}", Zone::database());
    assert!(start.contains(&wanted), "{start}");
}
