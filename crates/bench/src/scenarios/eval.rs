//! One look at a condition, as the scheduler takes it: does it hold, and when may that change?

use std::hint::black_box;

use redengine::cond::{View, evaluate};
use redengine::facts::Facts;
use redengine::record::{Action, Record, Recorded, RunId, Seq};
use redengine::time::Zone;
use redengine::{Session, Task, Timestamp};

use super::Size;
use crate::harness::Figures;
use crate::measure::nanos;

/// So many records are in the facts for statements about the history.
const RECORDS: u64 = 10_000;

/// Conditions: what they are called, the text, and how many failures today there are.
const CONDITIONS: [(&str, &str, u64); 8] = [
    ("daily", "daily after 07:00", 0),
    ("daily_and", "daily after 07:00 & time of week between Mon and Fri", 0),
    ("every", "every 10 s", 0),
    ("cron", "cron '0 7 * * *'", 0),
    (
        "five",
        "daily between 05:00 and 22:00 & time of week between Mon and Fri & ~has failed past 1 hour \
         & (after task 'other' | every 10 min)",
        0,
    ),
    // So many are kept as can be told apart: here 4, below all.
    ("count", "has failed at least 3 times today", RECORDS),
    ("count_all", "has failed at least 20000 times today", RECORDS),
    ("count_past", "has failed at least 20000 times past 5 hours", RECORDS),
];

pub(super) fn run(size: Size) -> Result<Figures, String> {
    let mut figures = Figures::default();
    figures.put("records", RECORDS);
    for (name, condition, failures) in CONDITIONS {
        let nanos = look(condition, failures, size.seconds / count(CONDITIONS.len()))?;
        figures.put(&format!("ns_{name}"), nanos);
        figures.put(&format!("{name}_per_s"), 1e9 / nanos);
    }
    Ok(figures)
}

fn look(condition: &str, failures: u64, seconds: f64) -> Result<f64, String> {
    let session = Session::builder()
        .configure(|config| config.timezone = Some(Zone::utc()))
        .task(Task::new("task", condition, || async {}))
        .task(Task::new("other", "daily", || async {}))
        .build()
        .map_err(|error| error.to_string())?;
    let definition = session.task("task").map_err(|error| error.to_string())?;
    let now: Timestamp = "2026-11-24T06:00:00Z".parse().map_err(|_| "no instant".to_owned())?;
    let mut facts = Facts::default();
    for (who, keep) in definition.start.reads() {
        if let Some(task) = who.task(Some(definition.id)) {
            facts.keep(task, *keep);
        }
    }
    for seq in 1..=failures {
        // One a second, and the last of them an hour ago.
        let ago = std::time::Duration::from_secs(3_600 + failures - seq);
        facts.apply(definition.id, &failure(seq, now.before(ago)));
    }
    let view = View { facts: &facts, owner: Some(definition.id), now };
    Ok(nanos(seconds, || {
        black_box(evaluate(black_box(&definition.start), black_box(&view), &mut ()))
    }))
}

fn failure(seq: u64, at: Timestamp) -> Recorded {
    let record = Record {
        task: "task".into(),
        run: RunId::new(at, [0; 10]),
        action: Action::Fail,
        at,
        started: at,
        due: None,
        details: None,
    };
    Recorded { seq: Seq(seq), record }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}
