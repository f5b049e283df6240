//! The tasks of the nodes, and which opportunities each has.
//!
//! Always: all nodes have the same tasks, made of their number alone.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::record::Action;

/// When a task has an opportunity to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opportunities {
    /// So long after the last one.
    Every(Duration),
    /// As [`Opportunities::Every`], and again this long after a failure.
    EveryOrRetry(Duration, Duration),
    /// At each multiple of the first, open for the second; only one run is of each.
    Slots(Duration, Duration),
    /// In each second, until a run has ended in it well.
    Secondly,
    /// Once there is a new record of these actions of that task.
    After(Arc<str>, Vec<Action>),
}

/// How the runs of a task end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Well.
    Well,
    /// Some well and some not, by the id of the run.
    Mixed,
}

/// A task of the nodes.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name.
    pub name: Arc<str>,
    /// Its condition.
    pub condition: String,
    /// When it has an opportunity to run.
    pub opportunities: Opportunities,
    /// How long its runs take.
    pub takes: Duration,
    /// How they end.
    pub ends: Ends,
}

const SECOND: Duration = Duration::from_secs(1);

/// Tells the tasks of all nodes.
pub fn tasks(count: usize) -> Vec<Planned> {
    (0..count).map(task).collect()
}

fn task(place: usize) -> Planned {
    let millis = Duration::from_millis;
    let before =
        |back: usize, word: &str| -> Arc<str> { format!("{word}-{}", place - back).into() };
    let (word, condition, opportunities, takes, ends) = match place % 8 {
        0 => {
            ("often", "every 1 s".to_owned(), Opportunities::Every(SECOND), millis(20), Ends::Well)
        }
        1 => (
            "cron",
            "cron '* * * * * *'".to_owned(),
            Opportunities::Slots(SECOND, SECOND),
            millis(30),
            Ends::Well,
        ),
        2 => {
            let often = before(2, "often");
            let condition = format!("after task '{often}'");
            let opportunities = Opportunities::After(often, vec![Action::Success]);
            ("chained", condition, opportunities, millis(10), Ends::Well)
        }
        3 => (
            "failing",
            "every 2 s | retry 2 after 300 ms".to_owned(),
            Opportunities::EveryOrRetry(2 * SECOND, millis(300)),
            millis(50),
            Ends::Mixed,
        ),
        4 => {
            let failing = before(1, "failing");
            let condition = format!("after task '{failing}' finished");
            let finished = vec![Action::Success, Action::Fail, Action::Terminate];
            ("mourner", condition, Opportunities::After(failing, finished), millis(0), Ends::Well)
        }
        5 => (
            "late",
            "cron '*/2 * * * * *' within 1500 ms".to_owned(),
            Opportunities::Slots(2 * SECOND, millis(1500)),
            // Longer than a slot: each other one finds the last run live.
            millis(2200),
            Ends::Well,
        ),
        6 => ("once", "secondly".to_owned(), Opportunities::Secondly, millis(100), Ends::Well),
        _ => (
            "long",
            "every 2 s".to_owned(),
            Opportunities::Every(2 * SECOND),
            millis(1200),
            Ends::Well,
        ),
    };
    Planned { name: format!("{word}-{place}").into(), condition, opportunities, takes, ends }
}
