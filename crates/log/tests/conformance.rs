//! The suite passes every log of ours, and none that is broken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
#[cfg(any(feature = "csv", feature = "jsonl"))]
mod reopened;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::NaiveLog;
use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, LogError, LogErrorKind, Order, Past, PastOf, Prune, Query, RunLog,
};
use redengine_log::{MemoryLog, conformance};
#[cfg(any(feature = "csv", feature = "jsonl"))]
use reopened::Reopened;
use tokio::sync::Notify;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_log_passes() {
    conformance::run(async || MemoryLog::new()).await.unwrap();
}

#[tokio::test]
async fn the_naive_log_passes() {
    conformance::run(async || NaiveLog::default()).await.unwrap();
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sqlite_log_passes() {
    use redengine_log::{SqliteLog, Synchronous};

    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let make = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = SqliteLog::builder(folder.path().join(format!("{number}.db")));
        log.synchronous(Synchronous::Normal).open().unwrap()
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "csv")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_csv_log_passes() {
    use redengine_log::{CsvLog, Fsync};

    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let make = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // So that all of it is tried on rotated files too.
        let log = CsvLog::builder(folder.path().join(format!("{number}.csv"))).rotate_at(2000);
        log.fsync(Fsync::Never).open().unwrap()
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "jsonl")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_jsonl_log_passes() {
    use redengine_log::{Fsync, JsonlLog};

    let folder = tempfile::tempdir().unwrap();
    let number = std::sync::atomic::AtomicUsize::new(0);
    let make = async || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = JsonlLog::builder(folder.path().join(format!("{number}.jsonl"))).rotate_at(2000);
        log.fsync(Fsync::Never).open().unwrap()
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "csv")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_csv_log_that_is_opened_again_all_the_time_passes() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU64::new(0);
    let make = async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Reopened::<redengine_log::CsvLog>::new(folder.path().join(format!("{number}.csv")))
    };
    conformance::run(make).await.unwrap();
}

#[cfg(feature = "jsonl")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_jsonl_log_that_is_opened_again_all_the_time_passes() {
    let folder = tempfile::tempdir().unwrap();
    let number = AtomicU64::new(0);
    let make = async || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        Reopened::<redengine_log::JsonlLog>::new(folder.path().join(format!("{number}.jsonl")))
    };
    conformance::run(make).await.unwrap();
}

/// What a log may do wrong, and the check that must notice.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::IgnoresLatest, "a_run_is_lost_if_another_record_came_first"),
    (Fault::LatestOfAllTasks, "records_of_other_tasks_do_not_matter"),
    (Fault::IgnoresOpen, "a_run_ends_once_and_the_first_wins"),
    (Fault::OpenWithoutBegin, "a_run_that_did_not_begin_cannot_end"),
    (Fault::LosesRepeated, "a_record_that_is_there_is_won_again"),
    (Fault::WritesRepeated, "a_dropped_append_may_be_repeated"),
    (Fault::WritesLost, "what_is_lost_leaves_no_trace"),
    (Fault::StopsAtLost, "a_batch_is_decided_in_order"),
    (Fault::AppendsBackwards, "a_batch_is_decided_in_order"),
    (Fault::AnswersBackwards, "a_batch_is_decided_in_order"),
    (Fault::ChecksThenActs, "of_many_that_expect_the_same_one_wins"),
    (Fault::ChecksThenActs, "of_many_that_end_a_run_one_wins"),
    (Fault::DropsTheThousandth, "ten_thousand_records_are_one_batch"),
    (Fault::OrdersByTime, "records_are_in_the_order_of_their_numbers_when_the_clock_stepped_back"),
    (Fault::OrdersOneInstantByRun, "records_of_one_instant_are_in_the_order_of_their_numbers"),
    (Fault::IgnoresCase, "any_name_is_a_name"),
    (Fault::TrimsNames, "any_name_is_a_name"),
    (Fault::CutsAtNul, "any_name_is_a_name"),
    (Fault::LosesDetails, "every_field_comes_back"),
    (Fault::LosesOutput, "every_field_comes_back"),
    (Fault::LosesDue, "every_field_comes_back"),
    (Fault::KeepsMilliseconds, "every_field_comes_back"),
    (Fault::IgnoresTasks, "each_field_of_a_query_alone"),
    (Fault::IgnoresNoTasks, "each_field_of_a_query_alone"),
    (Fault::IgnoresActions, "each_field_of_a_query_alone"),
    (Fault::IgnoresRun, "each_field_of_a_query_alone"),
    (Fault::IgnoresAfter, "each_field_of_a_query_alone"),
    (Fault::IncludesAfter, "each_field_of_a_query_alone"),
    (Fault::IgnoresFrom, "each_field_of_a_query_alone"),
    (Fault::ExcludesFrom, "each_field_of_a_query_alone"),
    (Fault::IgnoresUntil, "each_field_of_a_query_alone"),
    (Fault::IncludesUntil, "each_field_of_a_query_alone"),
    (Fault::IgnoresLimit, "each_field_of_a_query_alone"),
    (Fault::IgnoresOrder, "each_field_of_a_query_alone"),
    (Fault::LimitsBeforeOrder, "the_fields_of_a_query_together"),
    (Fault::LastSeqIsZero, "numbers_increase"),
    (Fault::CountsTwice, "records_are_counted_by_action"),
    (Fault::CountsAllFailures, "failures_in_a_row_are_counted"),
    (Fault::CountsFailuresAcrossCrashes, "failures_in_a_row_are_counted"),
    (Fault::ForgetsLatest, "the_latest_of_each_action_is_there"),
    (Fault::ForgetsGreatestStart, "the_greatest_start_of_each_action_is_there"),
    (Fault::ForgetsOpen, "runs_that_have_not_ended_are_there"),
    (Fault::AllAreOpen, "runs_that_have_not_ended_are_there"),
    (Fault::IgnoresKeep, "as_many_as_are_wanted_of_each_action_are_there"),
    (Fault::SwapsPasts, "pasts_are_in_the_order_in_which_they_were_asked_for"),
    (Fault::InventsPast, "a_task_without_records_has_no_past"),
    (Fault::PastBackwards, "runs_that_have_not_ended_are_there"),
    (Fault::Fails, "an_empty_batch_is_nothing"),
    (Fault::LastSeqIsOne, "an_empty_log_has_no_records"),
    (Fault::NumbersFromZero, "a_task_without_records_runs_if_none_is_expected"),
    (Fault::OnlyOpenEnds, "an_end_that_expects_the_latest_ends_too"),
    (Fault::LosesRepeated, "of_many_that_say_the_same_all_win"),
    (Fault::DropsARecord, "appends_to_different_tasks_all_win"),
    (Fault::CountsLimited, "as_many_are_counted_as_are_read"),
    (Fault::IgnoresRun, "as_many_are_counted_as_are_read"),
    (Fault::IncludesUntil, "as_many_are_counted_as_are_read"),
    (Fault::NeverTells, "what_is_there_is_told_at_once"),
    (Fault::TellsTheNext, "what_is_there_is_told_at_once"),
    (Fault::TellsTooEarly, "who_waits_hears_of_what_comes_and_not_before"),
    (Fault::TellsOwnAppends, "who_waits_hears_of_what_comes_and_not_before"),
    (Fault::TellsOne, "all_who_wait_hear"),
    (Fault::ShowsLate, "what_was_told_never_changes"),
    (Fault::DropsARecord, "who_follows_sees_each_record_once_and_in_order"),
    (Fault::IncludesAfter, "who_follows_may_go_on_later"),
    (Fault::PrunesAll, "nothing_is_removed_unless_it_is_asked_for"),
    (Fault::PrunesNothing, "records_before_an_instant_are_removed"),
    (Fault::PrunesTheInstant, "records_before_an_instant_are_removed"),
    (Fault::PrunesBeyondAll, "records_beyond_so_many_later_ones_are_removed"),
    (Fault::PrunesBoth, "of_two_reasons_to_remove_one_is_enough"),
    (Fault::PrunesNeeded, "what_is_needed_of_a_task_stays"),
    (Fault::PrunesOpen, "runs_that_have_not_ended_stay"),
    (Fault::CountsWhatIsLeft, "a_log_may_be_pruned_again_and_again"),
    (Fault::MiscountsPruned, "records_before_an_instant_are_removed"),
    (Fault::NumbersByCount, "a_pruned_log_goes_on"),
    (Fault::ForgetsWhatWasLatest, "what_was_removed_is_not_written_again"),
    (Fault::PrunesOthers, "records_of_other_tasks_than_are_named_stay"),
    (Fault::PrunesEnds, "a_copy_of_a_pruned_log_has_the_same_open_runs"),
    (Fault::CompactsAll, "compacting_changes_nothing"),
    (Fault::LosesCauses, "every_field_comes_back"),
    (Fault::ImportNumbersAnew, "a_copy_answers_as_the_original"),
    (Fault::ImportLosesDetails, "a_copy_answers_as_the_original"),
    (Fault::ImportBeginsAnew, "a_copy_may_be_made_in_parts"),
    (Fault::NumbersByCount, "appends_go_on_after_an_import"),
    (Fault::LosesRepeated, "what_was_imported_is_there"),
    (Fault::ImportTakesAll, "numbers_that_do_not_increase_are_refused_whole"),
    (Fault::ImportStopsHalfway, "numbers_that_do_not_increase_are_refused_whole"),
    (Fault::ImportTakesRepeated, "a_second_record_of_a_run_and_an_action_is_refused_whole"),
    (Fault::ImportLeavesOutRepeated, "a_second_record_of_a_run_and_an_action_is_refused_whole"),
    (Fault::ImportStopsHalfway, "a_second_record_of_a_run_and_an_action_is_refused_whole"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_fault_is_noticed_by_the_check_that_is_there_for_it() {
    let checks = conformance::checks();
    // All at once: those who wait in vain do so together.
    let mut running = JoinSet::new();
    for (fault, name) in FAULTS {
        let check = *checks.iter().find(|check| check.name() == *name).unwrap();
        running.spawn(async move {
            let noticed = check.run(Arc::new(Faulty::new(*fault))).await.is_err();
            (!noticed).then(|| format!("{name} does not notice {fault:?}"))
        });
    }
    let unnoticed: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert_eq!(unnoticed, Vec::<String>::new());
}

#[test]
fn each_check_is_there_for_some_fault() {
    let checks = conformance::checks();
    let mut names = checks.iter().map(conformance::Check::name);
    assert_eq!(names.find(|name| !FAULTS.iter().any(|(_, check)| check == name)), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_failed_is_named() {
    let failures = conformance::run(async || Faulty::new(Fault::Fails)).await.unwrap_err();
    let message = failures.to_string();
    assert!(message.contains("\n  numbers_increase: cannot write"), "{message}");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    IgnoresLatest,
    LatestOfAllTasks,
    IgnoresOpen,
    OpenWithoutBegin,
    LosesRepeated,
    WritesRepeated,
    WritesLost,
    StopsAtLost,
    AppendsBackwards,
    AnswersBackwards,
    ChecksThenActs,
    DropsTheThousandth,
    DropsARecord,
    OrdersByTime,
    OrdersOneInstantByRun,
    IgnoresCase,
    TrimsNames,
    CutsAtNul,
    LosesDetails,
    LosesOutput,
    LosesDue,
    KeepsMilliseconds,
    IgnoresTasks,
    IgnoresNoTasks,
    IgnoresActions,
    IgnoresRun,
    IgnoresAfter,
    IncludesAfter,
    IgnoresFrom,
    ExcludesFrom,
    IgnoresUntil,
    IncludesUntil,
    IgnoresLimit,
    IgnoresOrder,
    LimitsBeforeOrder,
    LastSeqIsZero,
    LastSeqIsOne,
    NumbersFromZero,
    OnlyOpenEnds,
    CountsTwice,
    CountsAllFailures,
    CountsFailuresAcrossCrashes,
    ForgetsLatest,
    ForgetsGreatestStart,
    ForgetsOpen,
    AllAreOpen,
    IgnoresKeep,
    SwapsPasts,
    InventsPast,
    PastBackwards,
    Fails,
    CountsLimited,
    NeverTells,
    TellsTheNext,
    TellsTooEarly,
    TellsOwnAppends,
    TellsOne,
    ShowsLate,
    PrunesAll,
    PrunesNothing,
    PrunesTheInstant,
    PrunesBeyondAll,
    PrunesBoth,
    PrunesNeeded,
    PrunesOpen,
    CountsWhatIsLeft,
    MiscountsPruned,
    NumbersByCount,
    ForgetsWhatWasLatest,
    PrunesOthers,
    PrunesEnds,
    CompactsAll,
    LosesCauses,
    ImportNumbersAnew,
    ImportLosesDetails,
    ImportBeginsAnew,
    ImportTakesAll,
    ImportStopsHalfway,
    ImportTakesRepeated,
    ImportLeavesOutRepeated,
}

/// A log with one fault.
#[derive(Debug)]
struct Faulty {
    log: NaiveLog,
    fault: Fault,
    /// The last number that an append wrote.
    appended: AtomicU64,
    /// Tells one who waits, and only one.
    bell: Notify,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        Self { log: NaiveLog::default(), fault, appended: AtomicU64::new(0), bell: Notify::new() }
    }

    async fn all(&self, task: &str) -> Vec<Recorded> {
        self.log.read(Query::task(task)).await.unwrap()
    }

    /// Writes a record whatever is expected.
    fn force(&self, append: &Append) -> Appended {
        let mut records = self.log.records.lock().unwrap();
        let seq = Seq(records.last().map_or(0, |last| last.seq.0) + 1);
        let recorded = Recorded { seq, record: append.record.clone() };
        records.push(recorded.clone());
        Appended::Won(recorded)
    }

    /// Writes a record under the number of records that are left.
    fn number_by_count(&self, append: &Append) -> Appended {
        let left = self.log.left();
        let of_task = left.iter().rfind(|one| one.record.task == append.record.task);
        let latest = of_task.map(|recorded| recorded.seq);
        if append.expect != Expect::Open && append.expect != Expect::Latest(latest) {
            return Appended::Lost;
        }
        let Appended::Won(mut recorded) = self.force(append) else { unreachable!() };
        recorded.seq = Seq(left.len() as u64 + 1);
        self.log.records.lock().unwrap().last_mut().unwrap().seq = recorded.seq;
        Appended::Won(recorded)
    }

    async fn is_there(&self, append: &Append) -> bool {
        let query = Query::all().actions([append.record.action]).run(append.record.run);
        !self.log.read(query).await.unwrap().is_empty()
    }

    async fn append_one(&self, mut append: Append) -> Result<Appended, LogError> {
        let record = &mut append.record;
        match self.fault {
            Fault::IgnoresCase => record.task = record.task.to_lowercase().into(),
            Fault::TrimsNames => record.task = record.task.trim().into(),
            Fault::CutsAtNul => {
                record.task = record.task.split('\0').next().unwrap_or_default().into();
            }
            Fault::LosesDetails => record.details = None,
            Fault::LosesOutput => {
                if let Some(details) = &mut record.details {
                    Arc::make_mut(details).output = None;
                }
            }
            Fault::LosesCauses => {
                if let Some(details) = &mut record.details {
                    let reason = &mut Arc::make_mut(details).reason;
                    *reason = reason.take().map(|reason| reason.with_causes(Vec::new()));
                }
            }
            Fault::LosesDue => record.due = None,
            Fault::KeepsMilliseconds => {
                record.at = Timestamp::from_micros(record.at.as_micros() / 1000 * 1000);
            }
            _ => {}
        }
        let is_latest = matches!(append.expect, Expect::Latest(_));
        match self.fault {
            Fault::IgnoresLatest if is_latest && !self.is_there(&append).await => {
                Ok(self.force(&append))
            }
            Fault::LatestOfAllTasks if is_latest && !self.is_there(&append).await => {
                let last = self.log.last_seq().await?;
                let last = (last != Seq(0)).then_some(last);
                if append.expect == Expect::Latest(last) {
                    return Ok(self.force(&append));
                }
                Ok(Appended::Lost)
            }
            Fault::IgnoresOpen if !is_latest && !self.is_there(&append).await => {
                Ok(self.force(&append))
            }
            Fault::OpenWithoutBegin if !is_latest => {
                let query = Query::all().run(append.record.run);
                if self.log.read(query).await?.is_empty() {
                    return Ok(self.force(&append));
                }
                self.log.append(vec![append]).await.map(|mut answers| answers.remove(0))
            }
            Fault::NumbersFromZero if !self.is_there(&append).await => {
                let Appended::Won(mut recorded) = self.force(&append) else { unreachable!() };
                recorded.seq.0 -= 1;
                self.log.records.lock().unwrap().last_mut().unwrap().seq.0 -= 1;
                Ok(Appended::Won(recorded))
            }
            Fault::OnlyOpenEnds if !is_latest && !self.is_there(&append).await => {
                let of_task = Query::task(append.record.task.clone());
                let of_run = of_task.actions([Action::Run]).run(append.record.run);
                let begun = !self.log.read(of_run).await?.is_empty();
                Ok(if begun { self.force(&append) } else { Appended::Lost })
            }
            Fault::NumbersByCount if !self.is_there(&append).await => {
                Ok(self.number_by_count(&append))
            }
            Fault::ForgetsWhatWasLatest if !self.is_there(&append).await => {
                // As if the oldest record that is left were the first that ever was.
                let left = self.log.left();
                let is_known =
                    left.iter().any(|one| Expect::Latest(Some(one.seq)) == append.expect);
                Ok(if is_known || append.expect == Expect::Open {
                    self.log.append(vec![append]).await?.remove(0)
                } else {
                    self.force(&append)
                })
            }
            Fault::LosesRepeated if self.is_there(&append).await => Ok(Appended::Lost),
            Fault::WritesRepeated if self.is_there(&append).await => Ok(self.force(&append)),
            Fault::ChecksThenActs if !self.is_there(&append).await => {
                let latest = self.all(&append.record.task).await.last().map(|last| last.seq);
                let of_run = Query::task(append.record.task.clone()).run(append.record.run);
                let of_run = self.log.read(of_run).await?;
                let as_expected = match append.expect {
                    Expect::Latest(seq) => latest == seq,
                    Expect::Open => of_run.len() == 1 && of_run[0].record.action == Action::Run,
                };
                // Long enough for all others to check as well.
                tokio::time::sleep(Duration::from_millis(2)).await;
                Ok(if as_expected { self.force(&append) } else { Appended::Lost })
            }
            _ => {
                let one = append.clone();
                let answer = self.log.append(vec![append]).await?.remove(0);
                if self.fault == Fault::WritesLost && answer == Appended::Lost {
                    self.force(&one);
                }
                Ok(answer)
            }
        }
    }

    fn unordered(&self, query: &Query) -> Vec<Recorded> {
        let mut records = self.log.left();
        let mut query = query.clone();
        match self.fault {
            Fault::IgnoresTasks => query.tasks = None,
            Fault::IgnoresNoTasks => query.tasks = query.tasks.filter(|tasks| !tasks.is_empty()),
            Fault::IgnoresActions => query.actions.clear(),
            Fault::IgnoresRun => query.run = None,
            Fault::IgnoresAfter => query.after = None,
            Fault::IncludesAfter => {
                query.after = query.after.map(|after| Seq(after.0.saturating_sub(1)));
            }
            Fault::IgnoresFrom => query.from = None,
            Fault::ExcludesFrom => {
                query.from = query.from.map(|at| Timestamp::from_micros(at.as_micros() + 1));
            }
            Fault::IgnoresUntil => query.until = None,
            Fault::IncludesUntil => {
                query.until = query.until.map(|at| Timestamp::from_micros(at.as_micros() + 1));
            }
            Fault::IgnoresCase => {
                let lower = |name: &Arc<str>| name.to_lowercase().into();
                query.tasks = query.tasks.map(|names| names.iter().map(lower).collect());
            }
            Fault::TrimsNames => {
                let trim = |name: &Arc<str>| name.trim().into();
                query.tasks = query.tasks.map(|names| names.iter().map(trim).collect());
            }
            Fault::CutsAtNul => {
                let cut = |name: &Arc<str>| name.split('\0').next().unwrap().into();
                query.tasks = query.tasks.map(|names| names.iter().map(cut).collect());
            }
            Fault::ShowsLate => {
                let last = records.last().map_or(0, |last| last.seq.0);
                records.retain(|recorded| recorded.seq.0 % 5 != 0 || recorded.seq.0 + 2 <= last);
            }
            _ => {}
        }
        records.into_iter().filter(|recorded| query.matches(recorded)).collect()
    }
}

fn check_order(mut last: Seq, records: &[Recorded]) -> Result<(), LogError> {
    for recorded in records {
        if recorded.seq <= last {
            return Err(LogError::new(LogErrorKind::Order, "numbers must increase"));
        }
        last = recorded.seq;
    }
    Ok(())
}

#[async_trait]
impl RunLog for Faulty {
    async fn append(&self, mut batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        match self.fault {
            Fault::Fails => return Err(LogError::new(LogErrorKind::Io, "cannot write")),
            Fault::AppendsBackwards => batch.reverse(),
            _ => {}
        }
        let mut answers: Vec<Appended> = Vec::new();
        for append in batch {
            if self.fault == Fault::StopsAtLost && answers.last() == Some(&Appended::Lost) {
                answers.push(Appended::Lost);
            } else {
                answers.push(self.append_one(append).await?);
            }
        }
        if matches!(self.fault, Fault::AnswersBackwards | Fault::AppendsBackwards) {
            answers.reverse();
        }
        let last = self.log.last_seq().await?;
        self.appended.store(last.0, Ordering::SeqCst);
        self.bell.notify_one();
        Ok(answers)
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        let mut records = self.unordered(&query);
        let limit = query.limit.unwrap_or(usize::MAX);
        match self.fault {
            Fault::DropsTheThousandth if records.len() > 1000 => drop(records.remove(999)),
            Fault::DropsARecord if records.len() > 8 => drop(records.remove(7)),
            Fault::OrdersByTime => records.sort_by_key(|recorded| recorded.record.at),
            Fault::OrdersOneInstantByRun => {
                records.sort_by_key(|recorded| (recorded.record.at, recorded.record.run));
            }
            Fault::LimitsBeforeOrder => records.truncate(limit),
            _ => {}
        }
        if query.order == Order::Newest && self.fault != Fault::IgnoresOrder {
            records.reverse();
        }
        if self.fault != Fault::IgnoresLimit {
            records.truncate(limit);
        }
        Ok(records)
    }

    async fn past(&self, mut of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        match self.fault {
            Fault::IgnoresKeep => of.iter_mut().for_each(|of| of.keep = Keep::default()),
            Fault::SwapsPasts => of.sort_by(|one, other| one.task.cmp(&other.task)),
            Fault::InventsPast => of.iter_mut().for_each(|of| {
                if &*of.task == "a" {
                    of.task = "b".into();
                }
            }),
            _ => {}
        }
        let mut pasts = self.log.past(of.clone()).await?;
        for (past, of) in pasts.iter_mut().zip(of) {
            let all = self.all(&of.task).await;
            let is_open = |recorded: &Recorded| {
                recorded.record.action == Action::Run
                    && all.iter().filter(|other| other.record.run == recorded.record.run).count()
                        == 1
            };
            let latest = |recorded: &Recorded| {
                let action = recorded.record.action;
                all.iter().rfind(|other| other.record.action == action) == Some(recorded)
            };
            let greatest = |recorded: &Recorded| {
                all.iter()
                    .filter(|other| other.record.action == recorded.record.action)
                    .all(|other| other.record.started <= recorded.record.started)
            };
            match self.fault {
                Fault::CountsTwice => past.counts.iter_mut().for_each(|count| *count *= 2),
                Fault::CountsAllFailures => past.failures = past.counts[Action::Fail as usize],
                Fault::CountsFailuresAcrossCrashes => {
                    past.failures = all
                        .iter()
                        .rev()
                        .map(|recorded| recorded.record.action)
                        .filter(|action| !matches!(action, Action::Run | Action::Crash))
                        .take_while(|action| *action == Action::Fail)
                        .count() as u64;
                }
                Fault::ForgetsLatest => past.records.retain(|one| !latest(one) || greatest(one)),
                Fault::ForgetsGreatestStart => {
                    past.records.retain(|one| !greatest(one) || latest(one));
                }
                Fault::ForgetsOpen => past.records.retain(|one| !is_open(one) || latest(one)),
                Fault::AllAreOpen => {
                    let begun = past.records.iter().filter(|one| !one.record.action.ends());
                    past.open = begun.map(|one| one.seq).collect();
                }
                Fault::PastBackwards => past.records.reverse(),
                _ => {}
            }
        }
        Ok(pasts)
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        match self.fault {
            Fault::LastSeqIsZero => Ok(Seq(0)),
            Fault::LastSeqIsOne => Ok(self.log.last_seq().await?.max(Seq(1))),
            _ => self.log.last_seq().await,
        }
    }

    async fn count(&self, mut query: Query) -> Result<u64, LogError> {
        if self.fault != Fault::CountsLimited {
            query.limit = None;
        }
        Ok(self.read(query).await?.len() as u64)
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        match self.fault {
            Fault::NeverTells => std::future::pending().await,
            Fault::TellsTheNext => self.log.changed(after).await.map(|_| Seq(after.0 + 1)),
            Fault::TellsTooEarly => Ok(self.log.last_seq().await?),
            Fault::TellsOwnAppends => loop {
                let last = Seq(self.appended.load(Ordering::SeqCst));
                if last > after {
                    return Ok(last);
                }
                tokio::task::yield_now().await;
            },
            Fault::TellsOne => {
                if self.log.last_seq().await? <= after {
                    self.bell.notified().await;
                }
                self.log.changed(after).await
            }
            _ => self.log.changed(after).await,
        }
    }

    async fn compact(&self) -> Result<(), LogError> {
        if self.fault == Fault::CompactsAll {
            self.log.prune(Prune::default().beyond(0)).await?;
        }
        Ok(())
    }

    async fn prune(&self, mut prune: Prune) -> Result<u64, LogError> {
        let later = |at: Timestamp| Timestamp::from_micros(at.as_micros() + 1);
        match self.fault {
            Fault::PrunesAll => prune = prune.beyond(0),
            Fault::PrunesNothing => return Ok(0),
            Fault::PrunesTheInstant => prune.before = prune.before.map(later),
            Fault::PrunesBeyondAll if prune.beyond.is_some() => {
                // So many of all tasks together.
                let left = self.log.left();
                let stay = usize::try_from(prune.beyond.unwrap()).unwrap();
                let first = left.iter().rev().nth(stay).map(|recorded| later(recorded.record.at));
                prune.beyond = None;
                prune.before = first;
            }
            Fault::PrunesBoth if prune.before.is_some() && prune.beyond.is_some() => {
                prune.before = None;
            }
            Fault::PrunesNeeded => prune.needed.clear(),
            Fault::PrunesOthers => prune.tasks = None,
            _ => {}
        }
        let removed = self.log.prune(prune.clone()).await?;
        match self.fault {
            Fault::MiscountsPruned => return Ok(removed + 1),
            Fault::PrunesOpen | Fault::PrunesEnds if removed > 0 => {
                let mut latest = BTreeMap::new();
                for recorded in self.log.left() {
                    latest.insert((recorded.record.task, recorded.record.action), recorded.seq);
                }
                let mut left = self.log.left();
                left.retain(|recorded| {
                    self.fault == Fault::PrunesOpen || recorded.record.action.ends()
                });
                let left = left.into_iter().map(|recorded| recorded.seq);
                let gone = left.filter(|seq| !latest.values().any(|latest| latest == seq));
                self.log.removed.lock().unwrap().extend(gone);
            }
            Fault::CountsWhatIsLeft => {
                let left = self.log.left();
                *self.log.records.lock().unwrap() = left;
            }
            _ => {}
        }
        Ok(removed)
    }

    async fn import(&self, mut records: Vec<Recorded>) -> Result<(), LogError> {
        match self.fault {
            Fault::ImportNumbersAnew => {
                let last = self.log.last_seq().await?.0;
                for (seq, recorded) in (last + 1..).zip(&mut records) {
                    recorded.seq = Seq(seq);
                }
            }
            Fault::ImportLosesDetails => {
                for recorded in &mut records {
                    recorded.record.details = None;
                }
            }
            Fault::ImportBeginsAnew => self.log.records.lock().unwrap().clear(),
            Fault::ImportTakesAll => {
                self.log.records.lock().unwrap().extend(records);
                return Ok(());
            }
            Fault::ImportTakesRepeated => {
                check_order(self.log.last_seq().await?, &records)?;
                self.log.records.lock().unwrap().extend(records);
                return Ok(());
            }
            Fault::ImportLeavesOutRepeated => {
                check_order(self.log.last_seq().await?, &records)?;
                for recorded in records {
                    let _ = self.log.import(vec![recorded]).await;
                }
                return Ok(());
            }
            Fault::ImportStopsHalfway => {
                for recorded in records {
                    self.log.import(vec![recorded]).await?;
                }
                return Ok(());
            }
            _ => {}
        }
        self.log.import(records).await
    }
}
