//! Why a task runs or does not: each part of its condition with what it found.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect;
use redengine_core::Expr;
use redengine_core::cond::Explanation;
use redengine_core::expr::{Custom, Statement, parse};
use redengine_core::probe::Probe;
use redengine_core::runlog::Prune;
use redengine_tests::world::{clock, failing, pass, run_for, run_while, session, slow, task};
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_tells_what_blocks_it() {
    let session = session("2026-11-24 06:00")
        .task(task("fetch", "daily after 07:00"))
        .task(task("load", "after task 'fetch' & ~has failed past 1 hour & param 'mode' is 'on'"))
        .param("mode", "on".to_owned())
        .build()
        .unwrap();
    let asked = session.clone();
    run_while(&session, async move {
        sleep(Duration::from_mins(1)).await;
        expect![[r#"
            task `load`: its condition does not hold
            ✘ after task 'fetch' & ~has failed past 1 hour & param 'mode' is 'on'
              may change on a record (success) of task `fetch`
              ✘ after task 'fetch': task `fetch` has no success yet; this task has no run yet
              ✔ ~has failed past 1 hour
                ✘ has failed past 1 hour: 0 such records since 2026-11-24 05:01:00.000001; task `load` has no fail yet
              ✔ param 'mode' is 'on': parameter `mode` is `on`"#]].assert_eq(&asked.why("load").await.unwrap().to_string());
        expect![[r#"
            task `fetch`: its condition does not hold
            ✘ daily after 07:00, since 2026-11-24 00:00:00: the next window begins at 2026-11-24 07:00:00
              may change at 2026-11-24 07:00:00"#]].assert_eq(&asked.why("fetch").await.unwrap().to_string());
        sleep(Duration::from_hours(2)).await;
        expect![[r#"
            task `load`: its condition does not hold
            ✘ after task 'fetch' & ~has failed past 1 hour & param 'mode' is 'on', since 2026-11-24 07:00:00
              may change on a record (success) of task `fetch`
              ✘ after task 'fetch', since 2026-11-24 07:00:00: task `fetch` has its last success at 2026-11-24 07:00:00 (record 2); this task has its last run at 2026-11-24 07:00:00 (record 3)
              ✔ ~has failed past 1 hour
                ✘ has failed past 1 hour: 0 such records since 2026-11-24 07:01:00.000001; task `load` has no fail yet
              ✔ param 'mode' is 'on': parameter `mode` is `on`"#]].assert_eq(&asked.why("load").await.unwrap().to_string());
        expect![[r#"
            task `fetch`: its condition does not hold
            ✘ daily after 07:00, since 2026-11-24 07:00:00: the window is from 2026-11-24 07:00:00 to 2026-11-25 00:00:00; the run that began in it at 2026-11-24 07:00:00 ended at 2026-11-24 07:00:00 as success (record 2); the next begins at 2026-11-25 07:00:00
              may change at 2026-11-25 07:00:00"#]].assert_eq(&asked.why("fetch").await.unwrap().to_string());
        asked.shutdown();
    })
    .await
    .unwrap();
    let before = "2026-11-24T06:30:00Z".parse().unwrap();
    expect![[r#"
        task `load`: its condition does not hold
        ✘ after task 'fetch' & ~has failed past 1 hour & param 'mode' is 'on'
          may change on a record (success) of task `fetch`
          ✘ after task 'fetch': task `fetch` has no success yet; this task has no run yet
          ✔ ~has failed past 1 hour
            ✘ has failed past 1 hour: 0 such records since 2026-11-24 05:30:00.000001; task `load` has no fail yet
          ✔ param 'mode' is 'on': parameter `mode` is `on`"#]].assert_eq(&session.why_at("load", before).await.unwrap().to_string());
}

#[tokio::test(start_paused = true)]
async fn of_a_past_instant_it_says_which_records_are_no_more() {
    let session = session("2026-11-24 06:00")
        .task(task("fetch", "every 10 min"))
        .task(task("load", "task 'fetch' has succeeded at least 2 times past 1 hour & daily"))
        .build()
        .unwrap();
    run_for(&session, "3 hours").await.unwrap();
    let at = "2026-11-24T06:15:00Z".parse().unwrap();
    let before = session.why_at("load", at).await.unwrap();
    assert!(!before.to_string().contains("note"), "{before}");
    session.log().prune(Prune::default().beyond(6)).await.unwrap();
    expect![[r#"
        task `load`: its condition does not hold
        ✘ task 'fetch' has succeeded at least 2 times past 1 hour & daily
          may change on a record (success) of task `fetch`
          ✘ task 'fetch' has succeeded at least 2 times past 1 hour: 0 such records since 2026-11-24 05:15:00.000001; task `fetch` has no success yet
          ✘ daily, since 2026-11-24 06:10:00: the window is from 2026-11-24 00:00:00 to 2026-11-25 00:00:00; the run that began in it at 2026-11-24 06:10:00 ended at 2026-11-24 06:10:00 as success (record 6); the next begins at 2026-11-25 00:00:00
        note: 30 old records of `fetch` were removed from the log, and are not known"#]].assert_eq(&session.why_at("load", at).await.unwrap().to_string());
}

/// Tells of each statement what it found, when time may change it, and what else may.
fn evidence(why: &Explanation, out: &mut String) {
    if why.parts.is_empty() {
        let since = why.since.map_or(String::new(), |since| format!(" since {}", clock(since)));
        let _ = writeln!(out, "{}: {:?}{since}", why.text, why.truth);
        let next = why.next.map(|next| format!("at {}", clock(next)));
        let topics = why.waits_on.iter().map(|topic| format!("on {topic}"));
        let found = Some(why.reason.clone()).filter(|reason| !reason.is_empty());
        for line in found.into_iter().chain(next).chain(topics) {
            let _ = writeln!(out, "  {line}");
        }
    }
    why.parts.iter().for_each(|part| evidence(part, out));
}

#[tokio::test(start_paused = true)]
async fn each_statement_has_evidence() {
    let statements = [
        "time of day between 10:00 and 12:00",
        "daily before 07:00",
        "hourly",
        "cron '0 8 * * *' within 10 min",
        "every 10 min",
        "every 10 min based on fail",
        "task 'up' has succeeded",
        "task 'up' has succeeded at least 2 times past 1 hour",
        "task 'up' has succeeded at least 100 times today",
        "task 'up' has started this hour between 01:00 and 02:00",
        "after task 'up'",
        "after any tasks 'up', 'long' failed",
        "task 'long' is running more than 5 min",
        "task 'up' is running",
        "retry 3 after 10 min",
        "scheduler has more than 1000000 cycles",
        "scheduler has run over 1 hour",
        "scheduler started 1 min ago",
        "param 'mode' is 'on'",
        "env 'prod'",
        "true",
    ];
    let session = session("2026-11-24 07:00")
        .task(task("up", "every 1 min"))
        .task(slow("long", "daily", "1 day"))
        .task(failing("all", format!("hourly & ({})", statements.join(" | ")).as_str()))
        .param("mode", "off".to_owned())
        .build()
        .unwrap();
    let asked = session.clone();
    run_while(&session, async move {
        pass("3 min 1 s").await;
        let why = asked.why("all").await.unwrap();
        let mut out = String::new();
        evidence(&why.condition, &mut out);
        // Runs have names that differ each time.
        let out: Vec<String> = out.lines().map(without_runs).collect();
        expect![[r#"
            hourly: False since 24 07:00:00
              the window is from 2026-11-24 07:00:00 to 2026-11-24 08:00:00; the run that began in it at 2026-11-24 07:00:00 ended at 2026-11-24 07:00:00 as fail (record 5); the next begins at 2026-11-24 08:00:00
              at 24 08:00:00
            time of day between 10:00 and 12:00: False since 23 12:00:00
              it begins next at 2026-11-24 10:00:00
              at 24 10:00:00
            daily before 07:00: False since 24 07:00:00
              the next window begins at 2026-11-25 00:00:00
              at 25 00:00:00
            hourly: False since 24 07:00:00
              the window is from 2026-11-24 07:00:00 to 2026-11-24 08:00:00; the run that began in it at 2026-11-24 07:00:00 ended at 2026-11-24 07:00:00 as fail (record 5); the next begins at 2026-11-24 08:00:00
              at 24 08:00:00
            cron '0 8 * * *' within 10 min: False since 23 08:10:00
              the last match was from 2026-11-23 08:00:00 to 2026-11-23 08:10:00; the next is at 2026-11-24 08:00:00; has its last run at 2026-11-24 07:00:00 (record 3)
              at 24 08:00:00
            every 10 min: False since 24 07:00:00
              has its last run at 2026-11-24 07:00:00 (record 3); due at 2026-11-24 07:10:00
              at 24 07:10:00
              on a record (run) of task `all`
            every 10 min based on fail: False since 24 07:00:00
              has its last fail at 2026-11-24 07:00:00 (record 5); due at 2026-11-24 07:10:00
              at 24 07:10:00
              on a record (fail) of task `all`
            task 'up' has succeeded: True
              4 such records in all; task `up` has its last success at 2026-11-24 07:03:00 (record 11)
            task 'up' has succeeded at least 2 times past 1 hour: True
              at least 3 such records since 2026-11-24 06:03:01.000001 (records 7, 9, 11); task `up` has its last success at 2026-11-24 07:03:00 (record 11)
              at 24 08:02:00
            task 'up' has succeeded at least 100 times today: False since 24 00:00:00
              4 such records from 2026-11-24 00:00:00 to 2026-11-25 00:00:00 (records 4, 7, 9, 11); task `up` has its last success at 2026-11-24 07:03:00 (record 11)
              on a record (success) of task `up`
            task 'up' has started this hour between 01:00 and 02:00: True since 24 07:01:00
              1 such records from 2026-11-24 07:01:00 to 2026-11-24 07:02:00 (record 6); task `up` has its last run at 2026-11-24 07:03:00 (record 10)
              at 24 08:01:00
            after task 'up': True since 24 07:00:00
              task `up` has its last success at 2026-11-24 07:03:00 (record 11); this task has its last run at 2026-11-24 07:00:00 (record 3)
              on a record (run) of task `all`
            after any tasks 'up', 'long' failed: False
              task `up` has no fail yet; or task `long` has no fail yet; this task has its last run at 2026-11-24 07:00:00 (record 3)
              on a record (fail) of task `up`
              on a record (fail) of task `long`
            task 'long' is running more than 5 min: False
              run .. has been live since 2026-11-24 07:00:00 (3 min 1 s)
              at 24 07:05:00
            task 'up' is running: False
              no run is live; task `up` has its last run at 2026-11-24 07:03:00 (record 10)
              on a record (run) of task `up`
            retry 3 after 10 min: False since 24 07:00:00
              1 failures in a row; the status is fail; has its last fail at 2026-11-24 07:00:00 (record 5); due at 2026-11-24 07:10:00
              at 24 07:10:00
            scheduler has more than 1000000 cycles: False
              8 cycles have ended
              on the next cycle
            scheduler has run over 1 hour: False since 24 07:00:00
              the session has run since 2026-11-24 07:00:00 (3 min 1 s)
              at 24 08:00:00
            scheduler started 1 min ago: False since 24 07:01:00
              the session has run since 2026-11-24 07:00:00 (3 min 1 s)
            param 'mode' is 'on': False
              parameter `mode` is `off`
              on a change of a parameter
            env 'prod': False
              there is no parameter `env`
              on a change of a parameter
            true: True"#]].assert_eq(&out.join("\n"));
        asked.shutdown();
    })
    .await
    .unwrap();
}

fn without_runs(line: &str) -> String {
    let word = |word: &str| if word.len() == 36 { "..".to_owned() } else { word.to_owned() };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_says_why() {
    let ask = |name: &str, probe| -> Expr {
        Statement::Custom(Custom { name: name.into(), args: Vec::new(), probe: Some(probe) }).into()
    };
    let session = session("2026-11-24 07:00")
        .task(task(
            "slow",
            ask("hangs", Probe::future(std::future::pending)) & parse("daily").unwrap(),
        ))
        .task(task("bad", !ask("breaks", Probe::blocking(|| Err("no disk".into())))))
        .build()
        .unwrap();
    let asked = session.clone();
    run_while(&session, async move {
        pass("1 s").await;
        expect![[r#"
            task `slow`: its condition does not hold
            ? hangs() & daily, since 2026-11-24 00:00:00, not known yet
              may change on another answer of the custom condition, or on a record (success, fail, terminate, inaction) of task `slow`
              ? hangs(): it has not answered yet
              ✔ daily, since 2026-11-24 00:00:00: the window is from 2026-11-24 00:00:00 to 2026-11-25 00:00:00; no run that began in it has ended"#]].assert_eq(&asked.why("slow").await.unwrap().to_string());
        expect![[r#"
            task `bad`: its condition does not hold
            ! ~breaks(), in error: no disk
              may change on another answer of the custom condition
              ! breaks(), in error: no disk: asking it has failed since 2026-11-24 07:00:00: no disk"#]].assert_eq(&asked.why("bad").await.unwrap().to_string());
        asked.shutdown();
    })
    .await
    .unwrap();
}
