//! What is asked of a long run log.
//!
//! Each question is asked of another task each time, so that nothing is answered from what was just
//! read; the figures are medians.

mod looks;

use std::sync::Arc;

use redengine::Timestamp;
use redengine::facts::Keep;
use redengine::record::{Action, ActionSet};
use redengine::runlog::{LogError, PastOf, Query, RunLog};

use self::looks::Looks;
use super::Size;
use super::log::rows::Rows;
use super::log::{LogName, float, folder, subjects};
use crate::clock::Stopwatch;
use crate::harness::Figures;
use crate::process;

/// So many records are written at a time.
const CHUNK: usize = 20_000;

/// A log that has all records in memory takes no more than this: 1 GiB.
const IN_MEMORY: usize = 4_000_000;

/// Each question is asked so often; those that look at all records a few times.
const OFTEN: usize = 1000;
const SELDOM: usize = 5;

pub(super) async fn run(size: Size) -> Result<Figures, String> {
    let mut figures = Figures::default();
    figures.put("records", size.records);
    let looks = Looks::new(Rows::new(size.tasks.max(1)).tasks())?;
    // How safe it is to write does not matter to who reads.
    for subject in subjects(size.log).filter(|subject| subject.log != LogName::SqliteFull) {
        if subject.log.is_in_memory() && size.records > IN_MEMORY {
            continue;
        }
        let folder = folder()?;
        let explain = |error: LogError| error.to_string();
        let mut rows = Rows::new(size.tasks.max(1));
        let mut log = subject.open(folder.path()).await?;
        let clock = Stopwatch::start();
        let mut written = 0;
        while written < size.records {
            let appends = rows.next(CHUNK.min((size.records - written).div_ceil(2)));
            let records = rows.number(appends);
            rows.note(&records);
            written += records.len();
            log.import(records).await.map_err(explain)?;
        }
        let put = |figures: &mut Figures, name: &str, value: f64| {
            figures.put(&format!("{}_{name}", subject.name), value);
        };
        put(&mut figures, "import_per_s", (float(written) / clock.seconds()).round());
        if subject.log != LogName::Memory {
            drop(log);
            let before = process::resident();
            let clock = Stopwatch::start();
            log = subject.open(folder.path()).await?;
            put(&mut figures, "open_ms", clock.seconds() * 1e3);
            let first = vec![PastOf { task: Arc::clone(&rows.tasks()[0]), keep: Keep::default() }];
            log.past(first).await.map_err(explain)?;
            put(&mut figures, "open_and_first_past_ms", clock.seconds() * 1e3);
            let grown = process::resident().saturating_sub(before);
            put(
                &mut figures,
                "open_mb",
                float(usize::try_from(grown / 100_000).unwrap_or(0)) / 10.0,
            );
        }
        let last = log.read(Query::all().newest_first().limit(1)).await.map_err(explain)?;
        let now = last.first().map(|last| last.record.at).unwrap_or_default();
        let asked = Asked { log: &*log, looks: &looks, tasks: rows.tasks(), now };
        for question in Question::ALL {
            let nanos = asked.median(question).await.map_err(explain)?;
            put(&mut figures, &format!("{}_ns", question.name()), nanos.round());
        }
    }
    Ok(figures)
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// What a scheduler must know of a task.
    Past,
    /// The same with the last ten failures, as conditions that count want it.
    PastOfTen,
    /// A failure of a task in the last day.
    FailureOfDay,
    /// What a look at `has failed today` takes with `force_status_from_logs`: reading and evaluating.
    HasFailedToday,
    /// The last hundred records of a task.
    LastHundred,
    /// The last hundred records of all.
    LastHundredOfAll,
    /// How many records a task has.
    CountTask,
    /// How many failures there were in the last hour.
    CountHour,
    /// How many records there are.
    CountAll,
    /// The last number.
    LastNumber,
}

impl Question {
    const ALL: [Self; 10] = [
        Self::Past,
        Self::PastOfTen,
        Self::FailureOfDay,
        Self::HasFailedToday,
        Self::LastHundred,
        Self::LastHundredOfAll,
        Self::CountTask,
        Self::CountHour,
        Self::CountAll,
        Self::LastNumber,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Past => "past",
            Self::PastOfTen => "past_10_failures",
            Self::FailureOfDay => "failure_of_day",
            Self::HasFailedToday => "has_failed_today",
            Self::LastHundred => "last_100_of_task",
            Self::LastHundredOfAll => "last_100",
            Self::CountTask => "count_task",
            Self::CountHour => "count_failures_of_hour",
            Self::CountAll => "count_all",
            Self::LastNumber => "last_seq",
        }
    }
}

/// Who is asked.
struct Asked<'a> {
    log: &'a dyn RunLog,
    looks: &'a Looks,
    tasks: &'a [Arc<str>],
    now: Timestamp,
}

impl Asked<'_> {
    async fn median(&self, question: Question) -> Result<f64, LogError> {
        let times = match question {
            Question::CountAll | Question::CountHour => SELDOM,
            _ => OFTEN,
        };
        let mut took = Vec::with_capacity(times);
        for number in 0..times {
            // A prime far apart from its neighbours, so that tasks come in no order.
            let number = number * 7919 % self.tasks.len();
            let clock = Stopwatch::start();
            self.ask(question, number).await?;
            took.push(clock.seconds() * 1e9);
        }
        took.sort_by(f64::total_cmp);
        Ok(took[times / 2])
    }

    async fn ask(&self, question: Question, number: usize) -> Result<(), LogError> {
        let Self { log, looks, tasks, now } = *self;
        let task = Arc::clone(&tasks[number]);
        let ago = |seconds: i64| Timestamp::from_micros(now.as_micros() - seconds * 1_000_000);
        let failures = ActionSet::of(&[Action::Fail]);
        match question {
            Question::Past => drop(log.past(vec![PastOf { task, keep: Keep::default() }]).await?),
            Question::PastOfTen => {
                drop(log.past(vec![PastOf { task, keep: Keep::of(failures, 10) }]).await?);
            }
            Question::FailureOfDay => {
                let query = Query::task(task).actions([Action::Fail]).from(ago(86_400));
                drop(log.read(query.newest_first().limit(1)).await?);
            }
            Question::HasFailedToday => drop(looks.look(log, number, now).await?),
            Question::LastHundred => {
                drop(log.read(Query::task(task).newest_first().limit(100)).await?);
            }
            Question::LastHundredOfAll => {
                drop(log.read(Query::all().newest_first().limit(100)).await?);
            }
            Question::CountTask => {
                log.count(Query::task(task)).await?;
            }
            Question::CountHour => {
                log.count(Query::all().actions([Action::Fail]).from(ago(3600))).await?;
            }
            Question::CountAll => {
                log.count(Query::all()).await?;
            }
            Question::LastNumber => {
                log.last_seq().await?;
            }
        }
        Ok(())
    }
}
