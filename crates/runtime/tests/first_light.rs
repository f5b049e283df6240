//! The whole ring, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redengine_core::runlog::Query;
use redengine_core::time::Zone;
use redengine_core::{Session, Task};
use redengine_log as _;
use redengine_runtime::{RunSession, VirtualClock};

#[tokio::test(start_paused = true)]
async fn ring() {
    let count = Arc::new(AtomicU32::new(0));
    let c = count.clone();
    let session = Session::builder()
        .clock(VirtualClock::starting("2026-11-24T06:59:00Z".parse().unwrap()))
        .configure(|config| config.timezone = Some(Zone::utc()))
        .task(Task::new("a", "daily after 07:00", move || {
            let c = c.clone();
            async move {
                c.fetch_add(1, Ordering::Relaxed);
            }
        }))
        .task(Task::new("b", "after task 'a'", || async {}))
        .task(Task::blocking("c", "every 1 hour", || {}))
        .build()
        .unwrap();
    let stop = session.clone();
    let week = async move {
        tokio::time::sleep(Duration::from_secs(7 * 24 * 3600)).await;
        stop.shutdown();
    };
    let (result, ()) = tokio::join!(session.run().typed(), week);
    result.unwrap();
    for r in session.history(Query::all().limit(14)).await.unwrap() {
        println!(
            "{} {} {} {} due {:?}",
            r.seq, r.record.at, r.record.task, r.record.action, r.record.due
        );
    }
    assert_eq!(session.history(Query::task("a")).await.unwrap().len(), 14);
    assert_eq!(session.history(Query::task("b")).await.unwrap().len(), 14);
    assert_eq!(session.history(Query::task("c")).await.unwrap().len(), 2 * 7 * 24);
    assert_eq!(count.load(Ordering::Relaxed), 7);
}
