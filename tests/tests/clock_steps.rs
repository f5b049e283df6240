//! A clock that is set while a session runs: elapsed time goes on as it did, and what waits for an
//! instant is looked at by the new time.

use redengine_core::Session;
use redengine_core::Task;
use redengine_core::session::SessionBuilder;
use redengine_tests::stepped::SteppedClock;
use redengine_tests::world::{
    actions, pass, run_while, serving, session, slow, span, starts, task,
};
use tokio::time::Instant;

/// How a clock is set.
type Set = fn(&SteppedClock);

/// The ways in which a clock is set, by an hour.
const WAYS: [Set; 2] = [|clock| clock.set_forward("1 hour"), |clock| clock.set_back("1 hour")];

fn on(clock: &SteppedClock) -> SessionBuilder {
    session("2026-11-24 07:00").clock(clock.clone())
}

/// Ignores that it is told to stop.
fn deaf(name: &str) -> Task {
    Task::new(name, "daily", std::future::pending::<()>)
}

/// Runs a session until it has ended, with its clock set at 5 s, and tells how many milliseconds that
/// took.
async fn lasts(session: &Session, clock: &SteppedClock, set: Set, story: impl Future) -> u128 {
    let begun = Instant::now();
    let set = async {
        pass("5 s").await;
        set(clock);
    };
    let story = async {
        tokio::join!(set, story);
        std::future::pending::<()>().await;
    };
    tokio::time::timeout(span("2 hours"), run_while(session, story)).await.unwrap().unwrap();
    begun.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn a_timeout_passes_after_the_time_it_says() {
    for set in WAYS {
        let clock = SteppedClock::starting("2026-11-24 07:00");
        let session = on(&clock)
            .configure(|config| config.timeout = Some(span("20 s")))
            .configure(|config| config.shut_cond = "task 'serve' has terminated".parse().ok())
            .task(serving("serve", "daily"))
            .build()
            .unwrap();
        assert_eq!(lasts(&session, &clock, set, async {}).await, 20_000);
        assert_eq!(actions(&session, "serve").await, "run terminate");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_told_to_stop_has_the_whole_grace_and_no_more() {
    for set in WAYS {
        let clock = SteppedClock::starting("2026-11-24 07:00");
        let session = on(&clock)
            .configure(|config| config.termination_grace = span("10 s"))
            .task(deaf("deaf"))
            .build()
            .unwrap();
        let story = async {
            pass("2 s").await;
            session.shutdown_now();
        };
        assert_eq!(lasts(&session, &clock, set, story).await, 12_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_until_its_deadline_and_no_longer() {
    for set in WAYS {
        let clock = SteppedClock::starting("2026-11-24 07:00");
        let session = on(&clock)
            .configure(|config| config.shutdown_deadline = span("30 s"))
            .task(serving("serve", "daily"))
            .build()
            .unwrap();
        let story = async {
            pass("2 s").await;
            session.shutdown();
        };
        assert_eq!(lasts(&session, &clock, set, story).await, 32_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_scheduler_has_run_for_as_long_as_it_has() {
    for set in WAYS {
        let clock = SteppedClock::starting("2026-11-24 07:00");
        let session = on(&clock)
            .configure(|config| config.shut_cond = "scheduler has run over 1 min".parse().ok())
            .task(task("daily", "daily"))
            .build()
            .unwrap();
        assert_eq!(lasts(&session, &clock, set, async {}).await, 60_000);
    }
}

#[tokio::test(start_paused = true)]
async fn cycles_rest_for_as_long_as_they_should() {
    for set in WAYS {
        let clock = SteppedClock::starting("2026-11-24 07:00");
        let session = on(&clock)
            .configure(|config| config.cycle_sleep = Some(span("20 s")))
            .configure(|config| config.shut_cond = "scheduler has more than 3 cycles".parse().ok())
            .task(task("often", "every 1 s"))
            .build()
            .unwrap();
        // Cycles at 0, 20, 40 and 60 s, and one that looks at how many there were.
        assert_eq!(lasts(&session, &clock, set, async {}).await, 80_000);
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_an_instant_goes_by_the_new_time() {
    let clock = SteppedClock::starting("2026-11-24 07:00");
    let tasks = [task("t", "cron '30 7 * * *'"), task("tick", "every 10 s")];
    let session = on(&clock).tasks(tasks).build().unwrap();
    let story = async {
        pass("29 min").await;
        // Half an hour too much: it was 07:29, and is 06:59.
        clock.set_back("30 min");
        pass("32 min").await;
        // It is 07:31; the next one is tomorrow.
        clock.set_forward("23 hours 59 min 30 s");
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "t").await, "24 07:30:00, 25 07:30:30");
}

#[tokio::test(start_paused = true)]
async fn a_run_never_ends_before_it_began() {
    let clock = SteppedClock::starting("2026-11-24 07:00");
    let session = on(&clock).task(slow("slow", "daily after 07:00", "10 s")).build().unwrap();
    let story = async {
        pass("5 s").await;
        clock.set_back("1 min");
        pass("10 s").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(actions(&session, "slow").await, "run success");
    let records = session.history(redengine_core::runlog::Query::all()).await.unwrap();
    assert_eq!(records[0].record.at, records[1].record.at);
}
