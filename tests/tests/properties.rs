//! Laws of the scheduler, on random scenarios.

use proptest::prelude::*;
use redengine_core::time::Zone;
use redengine_core::{Session, Task, Timestamp};
use redengine_log as _;
use redengine_tests::simulation::{Launch, Looks, Simulation, brute_force};

const TASKS: [&str; 4] = ["a", "b", "c", "d"];

fn task() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&TASKS[..])
}

/// A statement, with times that pass within seconds.
fn statement() -> BoxedStrategy<String> {
    let outcome =
        prop::sample::select(vec!["", " succeeded", " failed", " finished", " terminated"]);
    let event = prop::sample::select(vec!["succeeded", "failed", "finished", "started", "inacted"]);
    let count = prop::sample::select(vec![
        "",
        "at least 2 times",
        "less than 3 times",
        "exactly 1 times",
        "between 1 and 2 times",
    ]);
    let own = prop_oneof![3 => task().prop_map(|task| format!("task '{task}' ")), 2 => Just(String::new())];
    let within = prop_oneof![
        Just("this minute".to_owned()),
        (300..4000_u32).prop_map(|past| format!("past {past} ms")),
        Just(String::new()),
    ];
    let age = prop_oneof![
        Just(String::new()),
        (50..700_u32).prop_map(|age| format!(" more than {age} ms")),
        (50..700_u32).prop_map(|age| format!(" less than {age} ms")),
    ];
    prop_oneof![
        4 => (200..3000_u32).prop_map(|every| format!("every {every} ms")),
        1 => (400..3000_u32, prop::sample::select(vec!["finish", "success", "fail"]))
            .prop_map(|(every, from)| format!("every {every} ms based on {from}")),
        2 => Just("secondly".to_owned()),
        1 => (1..900_u32).prop_map(|after| format!("secondly after {after}")),
        1 => (0..50_u32).prop_map(|from| format!("minutely between {from:02} and {:02}", from + 4)),
        1 => (0..50_u32).prop_map(|from| format!("time of minute after {from:02}")),
        1 => (1..900_u32).prop_map(|before| format!("secondly before {before} with 1 retry")),
        3 => (task(), outcome.clone()).prop_map(|(task, outcome)| format!("after task '{task}'{outcome}")),
        1 => (task(), task(), outcome)
            .prop_map(|(one, other, outcome)| format!("after any tasks '{one}', '{other}'{outcome}")),
        3 => (own, event, count, within)
            .prop_map(|(task, event, count, within)| format!("{task}has {event} {count} {within}")),
        2 => (task(), age).prop_map(|(task, age)| format!("task '{task}' is running{age}")),
        1 => (1..4_u32, 50..900_u32).prop_map(|(n, after)| format!("retry {n} after {after} ms")),
        1 => (2..9_u32).prop_map(|step| format!("cron '*/{step} * * * * *'")),
        1 => (3..9_u32, 1..4_u32)
            .prop_map(|(step, within)| format!("cron '*/{step} * * * * *' within {within} s")),
        1 => (500..5000_u32).prop_map(|over| format!("scheduler has run over {over} ms")),
        1 => (500..5000_u32).prop_map(|ago| format!("scheduler started {ago} ms ago")),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    statement()
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} & {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} | {b})")),
                inner.prop_map(|a| format!("~({a})")),
            ]
        })
        .boxed()
}

fn scenario() -> impl Strategy<Value = (Vec<String>, i64, u64)> {
    // The start lies anywhere in a minute.
    (prop::collection::vec(condition(), 4), 0..60_000_i64, any::<u64>())
}

fn session(conditions: &[String]) -> Session {
    let tasks = TASKS.iter().zip(conditions);
    Session::builder()
        .configure(|config| config.timezone = Some(Zone::utc()))
        .tasks(tasks.map(|(name, condition)| Task::new(*name, condition.as_str(), || async {})))
        .build()
        .expect("a session")
}

fn start(offset: i64) -> Timestamp {
    let day: Timestamp = "2026-11-24T07:00:00Z".parse().expect("an instant");
    Timestamp::from_micros(day.as_micros() + offset * 1000)
}

/// Tells the first difference; what is launched at one instant has no order.
fn differ(one: &[Launch], other: &[Launch]) -> Option<String> {
    let sorted = |launches: &[Launch]| {
        let mut launches = launches.to_vec();
        launches.sort();
        launches
    };
    let (one, other) = (&sorted(one), &sorted(other));
    let place = one.iter().zip(other).position(|(one, other)| one != other);
    let place = place.or((one.len() != other.len()).then_some(one.len().min(other.len())))?;
    Some(format!("launch {place}: {:?} and {:?}", one.get(place), other.get(place)))
}

/// So long is a scenario, in milliseconds.
const LENGTH: i64 = 6_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The same log, other instants of looking: the same launches.
    #[test]
    fn looking_more_often_changes_nothing((conditions, offset, seed) in scenario()) {
        let session = session(&conditions);
        let simulate = |looks| Simulation::new(&session, start(offset), seed).run(LENGTH, looks);
        let seldom = simulate(Looks::AtWakes);
        let often = simulate(Looks::MoreOften(seed));
        prop_assert_eq!(differ(&seldom, &often), None, "{:?}", conditions);
    }

    /// The engine, which sleeps, against one that looks at every task at every millisecond.
    #[test]
    fn sleeping_misses_nothing((conditions, offset, seed) in scenario()) {
        let session = session(&conditions);
        let slept = Simulation::new(&session, start(offset), seed).run(LENGTH, Looks::AtWakes);
        let watched = brute_force(&session, start(offset), seed, LENGTH);
        prop_assert_eq!(differ(&slept, &watched), None, "{:?}", conditions);
    }
}

#[test]
fn waking_late_is_noticed() {
    let conditions = ["every 700 ms", "secondly", "after task 'a'", "time of minute after 02"];
    let session = session(&conditions.map(str::to_owned));
    let watched = brute_force(&session, start(0), 7, LENGTH);
    let simulate = |looks| Simulation::new(&session, start(0), 7).run(LENGTH, looks);
    assert_eq!(differ(&simulate(Looks::AtWakes), &watched), None);
    assert!(differ(&simulate(Looks::Late(3)), &watched).is_some());
    let mut one_less = watched.clone();
    one_less.remove(watched.len() / 2);
    assert!(differ(&one_less, &watched).is_some());
    assert!(watched.len() > 15, "{watched:?}");
}
