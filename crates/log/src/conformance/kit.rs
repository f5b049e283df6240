//! What the checks are written with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, ActionSet, Record, Recorded, RunId, Seq};
use redengine_core::runlog::{Append, Appended, Expect, LogError, Past, PastOf, Query, RunLog};

pub(super) type Checked<T = ()> = Result<T, String>;

pub(super) type Log = Arc<dyn RunLog>;

/// Makes the list of a file's checks.
macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        crate::conformance::kit::checks![Check: $($name),*];
    };
    ($check:ident: $($name:ident),* $(,)?) => {
        pub(super) const CHECKS: &[super::$check] = &[
            $(super::$check { name: stringify!($name), run: |log| Box::pin($name(log)) }),*
        ];
    };
}
pub(super) use checks;

/// An instant of 2026, so many seconds after the first one.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_123_456 + second * 1_000_000)
}

pub(super) fn run_id(number: u128) -> RunId {
    RunId::from_bytes(number.to_be_bytes())
}

/// The `run` record of run `number`, which begins at that second.
pub(super) fn begin(task: &str, number: u32) -> Record {
    let at = at(number.into());
    Record {
        task: task.into(),
        run: run_id(number.into()),
        action: Action::Run,
        at,
        started: at,
        due: None,
        details: None,
    }
}

/// A record that ends run `number`, half a second after it began.
pub(super) fn end(task: &str, number: u32, action: Action) -> Record {
    let begin = begin(task, number);
    let at = Timestamp::from_micros(begin.at.as_micros() + 500_000);
    Record { action, at, ..begin }
}

pub(super) fn latest(record: Record, seq: Option<Seq>) -> Append {
    Append { record, expect: Expect::Latest(seq) }
}

pub(super) fn open(record: Record) -> Append {
    Append { record, expect: Expect::Open }
}

/// Fails unless two things are the same.
pub(super) fn same<T: PartialEq + fmt::Debug>(what: &str, got: &T, wanted: &T) -> Checked {
    ensure(got == wanted, || {
        // A hundred records tell no more than the first of them.
        format!("{what}: got {got:.300?}, wanted {wanted:.300?}").chars().take(2000).collect()
    })
}

pub(super) fn ensure(is_so: bool, why_not: impl FnOnce() -> String) -> Checked {
    if is_so { Ok(()) } else { Err(why_not()) }
}

pub(super) fn fine<T>(result: Result<T, LogError>) -> Checked<T> {
    result.map_err(|error| format!("{error:?}"))
}

/// Waits for something that should come soon, for as long as the slowest log may take.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> Checked<T> {
    const LONGEST: Duration = Duration::from_secs(10);
    let waited = tokio::time::timeout(LONGEST, future).await;
    waited.map_err(|_| format!("{what} did not come within {LONGEST:?}"))
}

/// Appends one record.
pub(super) async fn append(log: &Arc<dyn RunLog>, one: Append) -> Checked<Appended> {
    let mut appended = fine(log.append(vec![one]).await)?;
    match (appended.pop(), appended.pop()) {
        (Some(appended), None) => Ok(appended),
        _ => Err("one record was appended, and there is not one answer".to_owned()),
    }
}

/// Appends one record, which must be won.
pub(super) async fn won(log: &Arc<dyn RunLog>, one: Append) -> Checked<Recorded> {
    let record = one.record.clone();
    match append(log, one).await? {
        Appended::Won(recorded) => {
            same("the record that was won", &recorded.record, &record)?;
            Ok(recorded)
        }
        Appended::Lost => Err(format!("{record:?} was lost")),
    }
}

/// Appends one record, which must be lost.
pub(super) async fn lost(log: &Arc<dyn RunLog>, one: Append) -> Checked {
    let record = one.record.clone();
    let appended = append(log, one).await?;
    ensure(appended == Appended::Lost, || format!("{record:?} was not lost"))
}

/// Appends a record after the task's latest, whichever that is.
pub(super) async fn add(log: &Arc<dyn RunLog>, record: Record) -> Checked<Recorded> {
    let newest = read(log, Query::task(Arc::clone(&record.task)).newest_first().limit(1)).await?;
    won(log, latest(record, newest.first().map(|recorded| recorded.seq))).await
}

/// Checks that two logs cannot be told apart.
pub(super) async fn alike(log: &Log, original: &Log) -> Checked {
    let all = read(original, Query::all()).await?;
    same("the records", &read(log, Query::all()).await?, &all)?;
    same("the last number", &fine(log.last_seq().await)?, &fine(original.last_seq().await)?)?;
    let middle = &all[all.len() / 2];
    let of_run = Query::all().run(middle.record.run);
    for query in [
        of_run,
        Query::task("a").newest_first().limit(3),
        Query::all().actions([Action::Fail]),
        Query::all().after(middle.seq),
        Query::all().from(middle.record.at),
        Query::task("b").until(middle.record.at),
    ] {
        let what = format!("{query:?}");
        let wanted = read(original, query.clone()).await?;
        same(&what, &read(log, query.clone()).await?, &wanted)?;
        let count = fine(log.count(query.clone()).await)?;
        same(&format!("the count of {what}"), &count, &fine(original.count(query).await)?)?;
    }
    same("the tasks with open runs", &unfinished(log).await?, &unfinished(original).await?)?;
    let mut tasks: Vec<&str> = all.iter().map(|recorded| &*recorded.record.task).collect();
    tasks.push("nobody");
    tasks.sort_unstable();
    tasks.dedup();
    for task in tasks {
        let keep = Keep::of(ActionSet::of(&Action::ALL), 4);
        let (copy, past) = (past(log, task, keep).await?, past(original, task, keep).await?);
        same(&format!("the counts of `{task}`"), &copy.counts, &past.counts)?;
        same(&format!("the failures of `{task}`"), &copy.failures, &past.failures)?;
        same(&format!("the open runs of `{task}`"), &copy.open, &past.open)?;
        let missing = past.records.iter().find(|one| !copy.records.contains(one));
        ensure(missing.is_none(), || format!("of `{task}`, {missing:?} is missing"))?;
    }
    Ok(())
}

async fn unfinished(log: &Log) -> Checked<Vec<Arc<str>>> {
    let mut tasks = fine(log.unfinished().await)?;
    tasks.sort_unstable();
    Ok(tasks)
}

pub(super) async fn read(log: &Arc<dyn RunLog>, query: Query) -> Checked<Vec<Recorded>> {
    fine(log.read(query).await)
}

pub(super) async fn past(log: &Arc<dyn RunLog>, task: &str, keep: Keep) -> Checked<Past> {
    let mut pasts = fine(log.past(vec![PastOf { task: task.into(), keep }]).await)?;
    match (pasts.pop(), pasts.pop()) {
        (Some(past), None) => Ok(past),
        _ => Err("one past was asked for, and there is not one answer".to_owned()),
    }
}
