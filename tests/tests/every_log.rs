//! The same scenarios on every run log, with facts in memory and read from the log: the same launches.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use expect_test::expect;
use redengine_core::record::{Action, Details, Record, RunId, Seq};
use redengine_core::runlog::{Append, Appended, Expect, Member, Query, RunLog};
use redengine_core::task::Inaction;
use redengine_core::{Expr, Session, Task, Timestamp};
use redengine_tests::ear::{Ear, Hearing, Launch, differ};
use redengine_tests::repository::{Opened, Repository};
use redengine_tests::world::{actions, at, run_for, run_while, serving, session, span, still};

/// Tasks, and what another program writes meanwhile.
struct Scenario {
    name: &'static str,
    lasts: &'static str,
    tasks: &'static [Row],
    /// In order of time.
    theirs: &'static [Theirs],
}

/// A task: its name, its condition, how long its runs take, and how they end in turn: `s`uccess,
/// `f`ail, `i`naction.
struct Row(&'static str, &'static str, &'static str, &'static str);

/// A record of another program: after which time, of which task, and what.
struct Theirs(&'static str, &'static str, Action);

// Nothing ends at an instant at which something else becomes due: either order would be right.
const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "chains",
        lasts: "10 min",
        tasks: &[
            Row("up", "every 1 min", "3100 ms", "ssf"),
            Row("down", "after task 'up'", "1700 ms", "sis"),
            Row("both", "after tasks 'up', 'down'", "300 ms", "s"),
            Row("either", "after any tasks 'down', 'both' finished", "200 ms", "s"),
            Row("failed", "after task 'up' failed", "0 s", "s"),
            Row("ring", "after task 'ring' | daily", "37300 ms", "sssf"),
        ],
        theirs: &[],
    },
    Scenario {
        name: "retry",
        lasts: "12 min",
        tasks: &[
            Row("bad", "every 3 min | retry 2", "700 ms", "fffs"),
            Row("slow", "minutely before 30 & ~task 'bad' is running", "5200 ms", "fs"),
            Row("later", "every 4 min | retry 3 after 7 s", "1100 ms", "f"),
            Row("once more", "minutely before 40 with 1 retry", "2300 ms", "ffs"),
            Row(
                "done",
                "after task 'bad' terminated | task 'bad' has failed exactly 3 times & daily",
                "0 s",
                "s",
            ),
        ],
        theirs: &[],
    },
    Scenario {
        name: "history",
        lasts: "15 min",
        tasks: &[
            Row("often", "every 20 s", "1300 ms", "sffsi"),
            Row(
                "many",
                "task 'often' has failed at least 3 times past 2 min & every 30 s",
                "0 s",
                "s",
            ),
            Row("calm", "~task 'often' has failed past 45 s & every 11 s", "100 ms", "s"),
            Row(
                "counted",
                "task 'often' has succeeded between 2 and 5 times today & every 17 s",
                "0 s",
                "s",
            ),
            Row(
                "minute",
                "task 'often' has started at least 3 times this minute & minutely",
                "0 s",
                "s",
            ),
            Row("idle", "task 'often' has inacted past 10 s & every 4 s", "0 s", "s"),
            Row("own", "has succeeded less than 4 times past 5 min & every 13 s", "700 ms", "s"),
        ],
        theirs: &[],
    },
    Scenario {
        name: "every",
        lasts: "10 min",
        tasks: &[
            Row("due", "every 7 s", "900 ms", "s"),
            Row("finish", "every 7 s based on finish", "900 ms", "sf"),
            Row("success", "every 40 s based on success", "900 ms", "sf"),
            Row("longer", "every 9 s", "20600 ms", "s"),
            Row("cron", "cron '*/2 * * * *'", "400 ms", "s"),
            Row("beside", "task 'longer' is running more than 4 s & every 5 s", "0 s", "s"),
            Row("held", "task 'longer' is running for 3 s & every 6 s", "0 s", "s"),
        ],
        theirs: &[],
    },
    Scenario {
        name: "others",
        lasts: "10 min",
        tasks: &[
            Row("theirs", "false", "0 s", "s"),
            Row("mine", "after task 'theirs'", "1300 ms", "s"),
            Row("mourn", "after task 'theirs' failed", "0 s", "s"),
            Row("beside", "task 'theirs' is running & every 10 s", "0 s", "s"),
            Row("long", "task 'theirs' is running more than 30 s & every 20 s", "0 s", "s"),
            Row("counting", "task 'theirs' has finished at least 3 times & daily", "0 s", "s"),
            Row("quiet", "~task 'theirs' has finished past 1 min & every 25 s", "0 s", "s"),
        ],
        theirs: &[
            Theirs("1 min 2 s", "theirs", Action::Run),
            Theirs("1 min 47 s", "theirs", Action::Success),
            Theirs("3 min 1 s", "theirs", Action::Run),
            Theirs("3 min 1 s", "theirs", Action::Fail),
            Theirs("5 min 3 s", "theirs", Action::Run),
            Theirs("6 min 11 s", "theirs", Action::Success),
        ],
    },
    Scenario {
        name: "together",
        lasts: "10 min",
        tasks: &[
            Row("shared", "every 1 min", "2300 ms", "s"),
            Row("once", "hourly", "0 s", "f"),
            Row("after", "after task 'shared'", "100 ms", "s"),
            Row("again", "every 5 min | retry 1 after 90 s", "300 ms", "f"),
        ],
        theirs: &[
            // It blocks the next run here, and moves those after it.
            Theirs("1 min 31 s", "shared", Action::Run),
            // It ends the failures in a row.
            Theirs("1 min 33 s", "again", Action::Run),
            Theirs("1 min 34 s", "again", Action::Success),
            Theirs("3 min 17 s", "shared", Action::Success),
            Theirs("6 min 41 s", "shared", Action::Run),
            Theirs("6 min 42 s", "shared", Action::Fail),
            Theirs("7 min 5 s", "again", Action::Run),
            Theirs("7 min 6 s", "again", Action::Fail),
        ],
    },
];

const START: &str = "2026-11-24 07:00";

/// The name of the other program in records. It is on another host, so nobody can look whether it is
/// there.
const THEIR_NODE: &str = "another-host/5/5/00000005";

impl Row {
    fn task(&self) -> Task {
        let &Self(name, condition, takes, ends) = self;
        let (takes, begun) = (span(takes), Arc::new(AtomicUsize::new(0)));
        let body = move || {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::time::sleep(takes).await;
                match ends.as_bytes()[number % ends.len()] {
                    b's' => Ok(()),
                    b'i' => Err(Inaction.into()),
                    _ => Err::<(), redengine_runtime::Error>("no luck".into()),
                }
            }
        };
        let condition: Expr = condition.parse().unwrap();
        // The other program has no such label, so nobody waits for its turn.
        Task::new(name, condition, body).on("here")
    }
}

/// Where conditions look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// At the facts in memory.
    Memory,
    /// At the log, each time: `force_status_from_logs`.
    Log,
}

impl Scenario {
    /// Lives through it on a log; tells what the session launched.
    async fn launches(&self, opened: &Opened, hearing: Hearing, reading: Reading) -> Vec<Launch> {
        let ear = Ear::new(opened.log.clone(), hearing);
        let session = session(START)
            .log(ear.clone())
            .configure(|config| {
                config.force_status_from_logs = reading == Reading::Log;
                config.node_labels = vec!["here".into()];
            })
            .tasks(self.tasks.iter().map(Row::task))
            .build()
            .unwrap();
        run_while(&session, self.story(&session, opened, &ear, hearing)).await.unwrap();
        ear.launches()
    }

    /// What happens meanwhile.
    async fn story(&self, session: &Session, opened: &Opened, ear: &Ear, hearing: Hearing) {
        let theirs = &opened.theirs;
        if let Some(leases) = theirs.leases() {
            let me = Member { node: THEIR_NODE.into(), labels: Vec::new() };
            leases.renew(&me, Duration::from_secs(3600), &[]).await.unwrap();
        }
        let mut passed = Duration::ZERO;
        for Theirs(when, task, action) in self.theirs {
            tokio::time::sleep(span(when) - passed).await;
            passed = span(when);
            still(async {
                let seq = write(&**theirs, task, *action, at(START).after(passed)).await;
                if hearing != Hearing::Deaf {
                    ear.heard(seq).await;
                }
            })
            .await;
        }
        tokio::time::sleep(span(self.lasts) - passed).await;
        session.shutdown();
    }
}

/// Writes a record as another program does; tells its number.
async fn write(theirs: &dyn RunLog, task: &str, action: Action, at: Timestamp) -> Seq {
    let latest = theirs.read(Query::task(task).newest_first().limit(1)).await.unwrap().pop();
    let (record, expect) = match (action, latest) {
        (Action::Run, latest) => {
            let details = Details::default().with_node(THEIR_NODE).shared();
            let run = RunId::new(at, [5; 10]);
            let task = task.into();
            let record = Record { task, run, action, at, started: at, due: None, details };
            (record, Expect::Latest(latest.map(|latest| latest.seq)))
        }
        (_, Some(begun)) => (Record { action, at, details: None, ..begun.record }, Expect::Open),
        (_, None) => panic!("`{task}` has not begun"),
    };
    let answers = theirs.append(vec![Append { record, expect }]).await.unwrap();
    match &answers[..] {
        [Appended::Won(recorded)] => recorded.seq,
        lost => panic!("{task} {action} at {at}: {lost:?}"),
    }
}

/// Lives through all scenarios on new logs of a kind, and demands of each the launches that there are
/// with a log in memory and facts in memory.
async fn demand_the_same(repository: Repository, hearing: Hearing) {
    let mut differences = String::new();
    for scenario in &SCENARIOS {
        let memory = Repository::Memory.open().await;
        let expected = scenario.launches(&memory, Hearing::Good, Reading::Memory).await;
        for reading in [Reading::Memory, Reading::Log] {
            let found = scenario.launches(&repository.open().await, hearing, reading).await;
            let difference = differ(&expected, &found);
            if !difference.is_empty() {
                let name = scenario.name;
                writeln!(differences, "`{name}`, looking at the {reading:?}:\n{difference}")
                    .unwrap();
            }
        }
    }
    assert!(differences.is_empty(), "{repository:?}, {hearing:?}:\n{differences}");
}

#[tokio::test(start_paused = true)]
async fn with_a_log_in_memory() {
    demand_the_same(Repository::Memory, Hearing::Good).await;
}

#[tokio::test(start_paused = true)]
async fn with_csv_files() {
    demand_the_same(Repository::Csv, Hearing::Good).await;
}

#[tokio::test(start_paused = true)]
async fn with_json_lines() {
    demand_the_same(Repository::Jsonl, Hearing::Good).await;
}

#[tokio::test(start_paused = true)]
async fn with_an_sqlite_file() {
    demand_the_same(Repository::Sqlite, Hearing::Good).await;
}

#[tokio::test(start_paused = true)]
async fn with_a_postgres_server() {
    demand_the_same(Repository::Postgres, Hearing::Good).await;
}

#[tokio::test(start_paused = true)]
async fn where_a_session_hears_of_its_records_before_its_appends_are_answered() {
    for repository in [Repository::Memory, Repository::Csv] {
        demand_the_same(repository, Hearing::BeforeAnswers).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_scenarios_launch_what_they_should() {
    let mut told = String::new();
    for scenario in &SCENARIOS {
        let memory = Repository::Memory.open().await;
        let launches = scenario.launches(&memory, Hearing::Good, Reading::Memory).await;
        let mut counts = BTreeMap::new();
        for (_, task, _) in &launches {
            *counts.entry(task).or_insert(0) += 1;
        }
        writeln!(told, "{}: {counts:?}", scenario.name).unwrap();
    }
    expect![[r#"
        chains: {"both": 5, "down": 7, "either": 10, "failed": 3, "ring": 4, "up": 10}
        retry: {"bad": 8, "done": 1, "later": 6, "once more": 18, "slow": 12}
        history: {"calm": 36, "counted": 12, "idle": 27, "many": 16, "minute": 15, "often": 45, "own": 12}
        every: {"beside": 116, "cron": 5, "due": 86, "finish": 76, "held": 100, "longer": 30, "success": 29}
        others: {"beside": 13, "counting": 1, "long": 3, "mine": 2, "mourn": 1, "quiet": 19}
        together: {"after": 11, "again": 3, "once": 1, "shared": 10}
    "#]].assert_eq(&told);
}

/// The scenarios in which another program writes.
fn with_others() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(|scenario| !scenario.theirs.is_empty())
}

#[tokio::test(start_paused = true)]
async fn a_log_that_hides_what_others_write_is_noticed() {
    for scenario in with_others() {
        let memory = Repository::Memory.open().await;
        let expected = scenario.launches(&memory, Hearing::Good, Reading::Memory).await;
        for reading in [Reading::Memory, Reading::Log] {
            let mut apart = Repository::Memory.open().await;
            apart.theirs = Repository::Memory.open().await.theirs;
            let found = scenario.launches(&apart, Hearing::Deaf, reading).await;
            assert_ne!(differ(&expected, &found), "", "{}, {reading:?}", scenario.name);
        }
    }
}

/// Where a session does not hear of others, only what is read each time can be right.
#[tokio::test(start_paused = true)]
async fn reading_the_log_each_time_sees_what_nobody_told() {
    let scenario = with_others().next().unwrap();
    let mut seen = Vec::new();
    for reading in [Reading::Memory, Reading::Log] {
        let memory = Repository::Memory.open().await;
        let launches = scenario.launches(&memory, Hearing::Deaf, reading).await;
        let of_beside = launches.iter().filter(|(_, task, _)| &**task == "beside");
        seen.push(of_beside.count());
    }
    assert_eq!(seen, [0, 10]);
}

/// It holds before the session is told that the run has begun, and never changes.
#[tokio::test(start_paused = true)]
async fn an_end_condition_that_holds_from_the_beginning_stops_a_run() {
    for hearing in [Hearing::Good, Hearing::BeforeAnswers] {
        let session = session(START)
            .log(Ear::new(Repository::Memory.open().await.log.clone(), hearing))
            .task(serving("long", "daily").end("always true"))
            .build()
            .unwrap();
        run_for(&session, "10 s").await.unwrap();
        assert_eq!(actions(&session, "long").await, "run terminate", "{hearing:?}");
        let end = session.history(Query::task("long").newest_first().limit(1)).await.unwrap();
        assert_eq!(end[0].record.at, at(START), "{hearing:?}");
    }
}
