//! A log with one fault, and stores of such logs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redengine_core::Timestamp;
use redengine_core::facts::Keep;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Expect, Leases, LogError, LogErrorKind, Order, Past, PastOf, Prune, Query,
    RunLog,
};
use tokio::sync::Notify;

use crate::common::NaiveLog;
use crate::faults::Fault;
use crate::leases::{NaiveLeases, fenced};

/// A log with one fault.
#[derive(Debug)]
pub(crate) struct Faulty {
    log: NaiveLog,
    fault: Fault,
    /// The last number that an append wrote.
    appended: AtomicU64,
    /// Tells one who waits, and only one.
    bell: Notify,
    leases: NaiveLeases,
    /// What this log has written itself, and nobody else who shares its records.
    own: NaiveLog,
}

/// What several logs share, and what is there while none is open.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    fault: Fault,
    log: NaiveLog,
    leases: NaiveLeases,
}

impl FaultyStore {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, log: NaiveLog::default(), leases: NaiveLeases::new(fault) }
    }

    pub(crate) fn open(&self) -> Faulty {
        let mut log = Faulty::new(self.fault);
        if self.fault != Fault::LosesAllWhenClosed {
            log.log = self.log.clone();
        }
        if self.fault != Fault::LosesLeasesWhenClosed {
            log.leases = self.leases.clone();
        }
        let left = self.log.left();
        let mut records = self.log.records.lock().unwrap();
        match self.fault {
            Fault::LosesTheLastWhenClosed => drop(records.pop()),
            Fault::LosesDetailsWhenClosed => {
                records.iter_mut().for_each(|recorded| recorded.record.details = None);
            }
            Fault::CountsWhatIsLeftWhenOpened => *records = left,
            _ => {}
        }
        log
    }
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            log: NaiveLog::default(),
            fault,
            appended: AtomicU64::new(0),
            bell: Notify::new(),
            leases: NaiveLeases::new(fault),
            own: NaiveLog::default(),
        }
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
            Fault::KnowsItsOwnRuns | Fault::DecidesByItsOwn | Fault::NumbersByItself => {
                self.append_as_if_alone(append).await
            }
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

    /// Appends without regard to others who share the records.
    async fn append_as_if_alone(&self, append: Append) -> Result<Appended, LogError> {
        let is_there = self.is_there(&append).await;
        match self.fault {
            Fault::KnowsItsOwnRuns => {
                let query = Query::all().actions([append.record.action]).run(append.record.run);
                let is_own = !self.own.read(query).await?.is_empty();
                if is_there && !is_own {
                    return Ok(Appended::Lost);
                }
                let answer = self.log.append(vec![append]).await?.remove(0);
                if let (Appended::Won(recorded), false) = (&answer, is_own) {
                    self.own.records.lock().unwrap().push(recorded.clone());
                }
                Ok(answer)
            }
            Fault::DecidesByItsOwn => {
                let decided = self.own.append(vec![append.clone()]).await?.remove(0);
                let is_new = matches!(decided, Appended::Won(_)) && !is_there;
                Ok(if is_new { self.force(&append) } else { decided })
            }
            _ if is_there => self.log.append(vec![append]).await.map(|mut one| one.remove(0)),
            _ => {
                let Appended::Won(mut recorded) = self.force(&append) else { unreachable!() };
                let mut records = self.log.records.lock().unwrap();
                let mut own = self.own.records.lock().unwrap();
                recorded.seq = Seq(own.len() as u64 + 1);
                own.push(recorded.clone());
                *records.last_mut().unwrap() = recorded.clone();
                Ok(Appended::Won(recorded))
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
            Fault::BeginsHalfWithoutLease if self.leases.refuse(&batch) => {
                batch.retain(|one| !self.leases.refuse(std::slice::from_ref(one)));
                self.log.append(batch).await?;
                return Err(fenced());
            }
            _ if self.leases.refuse(&batch) => return Err(fenced()),
            Fault::Nothing | Fault::CountsParts => return self.log.append(batch).await,
            _ => {}
        }
        let mut answers: Vec<Appended> = Vec::new();
        for append in batch {
            if self.fault == Fault::StopsAtLost && answers.last() == Some(&Appended::Lost) {
                answers.push(Appended::Lost);
            } else {
                answers.push(self.append_one(append).await?);
            }
            if self.fault == Fault::ShowsParts {
                tokio::task::yield_now().await;
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

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        match self.fault {
            Fault::ForgetsUnfinished => {
                let mut unfinished = self.log.unfinished().await?;
                unfinished.pop();
                Ok(unfinished)
            }
            Fault::AllAreUnfinished => {
                let begun = self.log.read(Query::all().actions([Action::Run])).await?;
                let names: BTreeMap<Arc<str>, ()> =
                    begun.into_iter().map(|begun| (begun.record.task, ())).collect();
                Ok(names.into_keys().collect())
            }
            _ => self.log.unfinished().await,
        }
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
        let count = self.read(query).await?.len() as u64;
        // As if some of it was not counted yet.
        Ok(if self.fault == Fault::CountsParts && count > 0 { count - 1 } else { count })
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(&self.leases)
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
            Fault::ImportShowsParts => {
                for recorded in records {
                    self.log.import(vec![recorded]).await?;
                    tokio::task::yield_now().await;
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
