//! Runs of other programs, whose records name no session: nobody can tell whether they are there.

use redengine_core::record::{Action, Record, RunId};
use redengine_core::runlog::{Append, Appended, Expect, RunLog};
use redengine_tests::shared::{Line, Server};
use redengine_tests::world::{actions, at, pass, run_while, session, task, timeline};

/// Writes a record of a run of another program.
async fn write(line: &Line, action: Action, expect: Expect) {
    let started = at("2026-11-24 07:00");
    let record = Record {
        task: "fetch".into(),
        run: RunId::new(started, [1; 10]),
        action,
        at: started,
        started,
        due: None,
        details: None,
    };
    let answers = line.append(vec![Append { record, expect }]).await.unwrap();
    assert!(matches!(answers[..], [Appended::Won(_)]));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_names_no_session_is_left_alone_for_a_day() {
    for server in [Server::new, Server::without_leases] {
        let line = server().line();
        write(&line, Action::Run, Expect::Latest(None)).await;
        let session = session("2026-11-24 07:00")
            .log(line.clone())
            .task(task("fetch", "daily"))
            .build()
            .unwrap();
        let story = async {
            pass("23 hours").await;
            assert_eq!(actions(&session, "fetch").await, "run");
            pass("2 hours").await;
            assert_eq!(actions(&session, "fetch").await, "run crash run success");
            session.shutdown();
        };
        run_while(&session, story).await.unwrap();
        assert!(timeline(&session).await.contains("fetch crash: its record names no session"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_names_no_session_ends_as_its_program_says() {
    let line = Server::without_leases().line();
    write(&line, Action::Run, Expect::Latest(None)).await;
    let session = session("2026-11-24 07:00")
        .log(line.clone())
        .task(task("fetch", "false"))
        .task(task("load", "after task 'fetch'"))
        .build()
        .unwrap();
    let story = async {
        pass("1 hour").await;
        write(&line, Action::Success, Expect::Open).await;
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "fetch").await, "run success");
    assert_eq!(actions(&session, "load").await, "run success");
}
