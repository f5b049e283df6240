//! Why a task runs or does not: each part of its condition with what it found.

use expect_test::expect;
use redengine_tests::world::{run_while, session, task};
use std::time::Duration;
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
                ✘ has failed past 1 hour: 0 such records are known since 2026-11-24 05:01:00.000001; task `load` has no fail yet
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
                ✘ has failed past 1 hour: 0 such records are known since 2026-11-24 07:01:00.000001; task `load` has no fail yet
              ✔ param 'mode' is 'on': parameter `mode` is `on`"#]].assert_eq(&asked.why("load").await.unwrap().to_string());
        expect![[r#"
            task `fetch`: its condition does not hold
            ✘ daily after 07:00, since 2026-11-24 07:00:00: the window is from 2026-11-24 07:00:00 to 2026-11-25 00:00:00; the run that began in it at 2026-11-24 07:00:00 ended at 2026-11-24 07:00:00 as success (record 2)
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
            ✘ has failed past 1 hour: 0 such records are known since 2026-11-24 05:30:00.000001; task `load` has no fail yet
          ✔ param 'mode' is 'on': parameter `mode` is `on`"#]].assert_eq(&session.why_at("load", before).await.unwrap().to_string());
}
