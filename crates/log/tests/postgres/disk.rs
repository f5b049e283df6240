//! A server whose disk is full: nothing is lost, nothing is half written, and it ends.

use redengine_core::record::{Action, Details, Record, Recorded, Seq};
use redengine_core::runlog::{Append, Appended, LogErrorKind, Query, RunLog};
use redengine_testserver::CrampedServer;

use super::{assert_says, begin, beside, connect, end, latest};

/// Some whole runs of a task, with errors that take their room.
fn batch(number: u64) -> Vec<Append> {
    let task = format!("task {number}");
    // What PostgreSQL cannot make smaller, so it keeps it beside the table.
    let mut random = number + 1;
    let reason = (0..6000).map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // OK because these are few.
        char::from_digit((random >> 60) as u32, 16).unwrap()
    });
    let reason: String = reason.collect();
    let mut last = None;
    let runs = (0..10).flat_map(|run| {
        let begun = begin(&task, u128::from(number * 10 + run), 0);
        let ended = end(&begun, Action::Success);
        let details = Details::default().with_reason(reason.as_str()).shared();
        let ended = Append { record: Record { details, ..ended.record }, ..ended };
        [latest(begun, last.replace(Seq(number * 20 + run * 2 + 2))), ended]
    });
    runs.collect()
}

fn won(answers: Vec<Appended>) -> Vec<Recorded> {
    let won = answers.into_iter().map(|answer| match answer {
        Appended::Won(recorded) => recorded,
        Appended::Lost => panic!("nobody else runs it"),
    });
    won.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_appends_go_on_when_there_is_room() {
    let server = match CrampedServer::start() {
        Ok(server) => server,
        // Not a thing that one can do something about from within a container.
        Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
            return eprintln!("a full disk is not tested here: {error}");
        }
        Err(error) => panic!("{error}"),
    };
    let admin = beside(&server.url()).await;
    let disk = server.disk();
    for prepare in [
        &format!("create tablespace small location '{}'", disk.display()),
        "alter role redengine set default_tablespace = small",
        // It takes half of the disk, so that there is room as soon as it goes.
        "create table ballast tablespace small as
         select repeat(md5(n::text), 100) from generate_series(1, 600) n",
    ] {
        admin.batch_execute(prepare).await.unwrap();
    }
    let log = connect(&server.url()).await;
    let mut there = Vec::new();
    let mut number = 0;
    let error = loop {
        match log.append(batch(number)).await {
            Ok(answers) => there.extend(won(answers)),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 100, "the disk is larger than was thought");
    };
    assert!(number > 0, "there was no room at all: {error:?}");
    assert_says(&error, LogErrorKind::Full, "the server's disk is full; make room on it");
    for _ in 0..2 {
        let error = log.append(batch(number)).await.unwrap_err();
        assert_says(&error, LogErrorKind::Full, "cannot append to");
        // All that was acknowledged can be read, and nothing of what was not.
        assert_eq!(log.read(Query::all()).await.unwrap(), there);
        assert_eq!(log.last_seq().await.unwrap(), there.last().unwrap().seq);
    }
    admin.batch_execute("drop table ballast").await.unwrap();
    there.extend(won(log.append(batch(number)).await.unwrap()));
    assert_eq!(log.read(Query::all()).await.unwrap(), there);
    let seqs: Vec<u64> = there.iter().map(|recorded| recorded.seq.0).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "no number was used up");
    // Whoever opens the log finds the same.
    assert_eq!(connect(&server.url()).await.read(Query::all()).await.unwrap(), there);
}
