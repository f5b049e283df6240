//! What a session does while its run log fails.

use std::time::Duration;

use expect_test::expect;
use redengine_core::session::{Health, LogHealth, OnLogFailure, SessionBuilder};
use redengine_core::{Session, Timestamp};
use redengine_runtime::RunError;
use redengine_tests::shared::{Fault, Line, Server};
use redengine_tests::world::{
    clock, failing, pass, run_while, session, slow, starts, task, timeline, times,
};

/// Begins a session on a log that can be disturbed.
fn on(line: &Line) -> SessionBuilder {
    session("2026-11-24 07:00").log(line.clone())
}

/// Tells health without what differs from run to run.
fn told(health: &Health) -> String {
    let log = match &health.log {
        LogHealth::Up => "up".to_owned(),
        LogHealth::Down { since, error } => {
            let error = error.lines().next().unwrap_or_default();
            format!("down since {}: {error}", clock(*since))
        }
    };
    let well = if health.is_well() { "well" } else { "not well" };
    format!("{well}, log {log}, {} unwritten", health.unwritten)
}

#[tokio::test(start_paused = true)]
async fn live_runs_go_on_nothing_starts_and_ends_are_written_later_in_order() {
    let line = Server::without_leases().line();
    let session = on(&line)
        .task(slow("long", "daily", "20 s"))
        .task(failing("bad", "daily after 07:00:01"))
        .task(slow("short", "daily", "10 s"))
        .task(task("tick", "every 5 s"))
        .task(task("next", "after task 'long'"))
        .build()
        .unwrap();
    let mut health = vec![told(&session.health())];
    let story = async {
        pass("7 s").await;
        health.push(told(&session.health()));
        line.set(Fault::Cut);
        pass("5 s").await;
        health.push(told(&session.health()));
        pass("18 s").await;
        health.push(told(&session.health()));
        line.set(Fault::None);
        pass("11 s").await;
        health.push(told(&session.health()));
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    expect![[r#""#]].assert_eq(&health.join("\n"));
    // The instants of ends are those at which the runs ended, not those of their records. What was
    // due meanwhile starts when the log answers again, once.
    let timeline = timeline(&session).await;
    let (before, ends) = timeline.split_once("24 07:00:10 short").unwrap();
    expect![[r#""#]].assert_eq(before);
    let kept: Vec<&str> = ends.lines().take(2).collect();
    expect![[r#""#]].assert_eq(&kept.join("\n"));
    assert_eq!(starts(&session, "next").await.matches(',').count(), 0);
}
