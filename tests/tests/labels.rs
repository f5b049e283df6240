//! Labels that change while a session runs: it goes by what it has told the others.

use std::sync::Arc;

use redengine_core::param::Params;
use redengine_core::session::{Session, SessionBuilder};
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{pass, run_while, session, starts, task};

/// Begins a session on a log that is shared.
fn on(line: &Line) -> SessionBuilder {
    session("2026-11-24 07:00").log(line.clone()).clock(line.clock())
}

fn set_labels(session: &Session, labels: &[&str]) {
    let labels = labels.iter().map(|label| Arc::from(*label)).collect();
    session.configure(|config| config.node_labels = labels).unwrap();
}

/// What the others know of it.
fn told(server: &Server, session: &Session) -> String {
    server.labels(&session.health().node.expect("a running session")).join(" ")
}

#[tokio::test(start_paused = true)]
async fn a_task_starts_as_soon_as_its_session_has_the_label() {
    let session =
        session("2026-11-24 07:00").task(task("train", "every 10 s").on("gpu")).build().unwrap();
    let story = async {
        pass("5 s").await;
        set_labels(&session, &["gpu"]);
        pass("15 s").await;
        set_labels(&session, &[]);
        pass("20 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "train").await, "24 07:00:05, 24 07:00:15");
}

#[tokio::test(start_paused = true)]
async fn other_sessions_are_told_at_once() {
    let server = Server::new();
    let session = on(&server.line()).task(task("train", "every 10 s").on("gpu")).build().unwrap();
    let story = async {
        pass("6 s").await;
        assert_eq!(told(&server, &session), "");
        set_labels(&session, &["gpu", "big"]);
        pass("1 ms").await;
        assert_eq!(told(&server, &session), "gpu big");
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "train").await, "24 07:00:06");
}

#[tokio::test(start_paused = true)]
async fn a_label_that_others_do_not_know_of_yet_starts_nothing() {
    let server = Server::new();
    let line = server.line();
    let session = on(&line).task(task("train", "every 10 s").on("gpu")).build().unwrap();
    let story = async {
        pass("6 s").await;
        line.set(Fault::Unrenewed);
        set_labels(&session, &["gpu"]);
        pass("2 s").await;
        assert_eq!(starts(&session, "train").await, "");
        // Who asks for a run waits for it too.
        let asked = session.request_run("train", Params::new()).unwrap();
        line.set(Fault::None);
        pass("5 s").await;
        assert!(asked.await.is_some());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let starts = starts(&session, "train").await;
    let first = starts.split(", ").next().unwrap();
    assert!(("24 07:00:08".."24 07:00:13").contains(&first), "{starts}");
}
