//! Proves from the log and from the effects that no run was doubled and none was lost.
//!
//! Always: each rule is checked on its own, and each violation comes with its evidence. The rules:
//!
//! - Each run has one `run` record, and after it one end. No run of a task begins while another is live.
//! - A body begins at most once for a run, after its record was won, in the process that won it. What it
//!   says of its end is what the log says. Only a crash may know less, and it is none while the process is
//!   well.
//! - Each opportunity is taken once; or it is skipped because the last run was live, no node was well
//!   or the log did not answer.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Reason, Record, Recorded, RunId, Seq};

use super::effects::{Effect, Effects};
use super::faults::Faults;
use super::opportunities;
use super::tasks::Planned;
use super::witness;

/// All that is known.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The tasks that all nodes had.
    pub tasks: Vec<Planned>,
    /// The log, in order.
    pub records: Vec<Recorded>,
    /// What the runs did.
    pub effects: Effects,
    /// What went wrong.
    pub faults: Faults,
    /// When the nodes were told to end.
    pub closing: Timestamp,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An opportunity was taken twice.
    Duplicate,
    /// A run has no end, or an opportunity no run.
    Vanished,
    /// The log says other things than the effects.
    Contradiction,
    /// A node did not do as it was told, or not what it should without a reason.
    Disorder,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "duplicate",
            Self::Vanished => "vanished",
            Self::Contradiction => "contradiction",
            Self::Disorder => "disorder",
        })
    }
}

/// A rule that is broken, and where one sees it.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What is wrong.
    pub wrong: Wrong,
    /// In words.
    pub what: String,
    /// Records and effects.
    pub evidence: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.wrong, self.what)?;
        self.evidence.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What is wrong.
    pub violations: Vec<Violation>,
    /// How many runs began.
    pub runs: usize,
    /// How they ended.
    pub ends: BTreeMap<Action, usize>,
    /// How many slots were skipped with a reason.
    pub skipped: usize,
    /// In how many of a hundred parts of the time somebody could have begun a run.
    pub well: u32,
}

impl Findings {
    /// Counts what is wrong in that way.
    pub fn count(&self, wrong: Wrong) -> usize {
        self.violations.iter().filter(|violation| violation.wrong == wrong).count()
    }

    pub(super) fn add(&mut self, wrong: Wrong, what: String, evidence: Vec<String>) {
        self.violations.push(Violation { wrong, what, evidence });
    }
}

/// A run, as the log has it.
#[derive(Clone, Debug)]
pub(super) struct Run<'a> {
    pub(super) seq: Seq,
    pub(super) begin: &'a Record,
    pub(super) end: Option<End<'a>>,
}

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) seq: Seq,
    pub(super) record: &'a Record,
    /// When it was in the log at the earliest.
    pub(super) written: Timestamp,
}

impl Run<'_> {
    /// Until when others saw it live.
    pub(super) fn until(&self) -> Timestamp {
        self.end.map_or(Timestamp::MAX, |end| end.written)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        [Some(self.begin), self.end.map(|end| end.record)].into_iter().flatten().map(line).collect()
    }
}

/// Shows a record.
pub(super) fn line(record: &Record) -> String {
    let details = record.details.as_ref();
    let node = details.and_then(|details| details.node.as_deref()).unwrap_or_default();
    let reason = details.and_then(|details| details.reason.as_ref());
    let reason = reason.map(ToString::to_string).unwrap_or_default();
    let due = record.due.map_or(String::new(), |due| format!("due {}", clock(due)));
    let Record { task, run, action, at, .. } = record;
    format!("log    {} {task} {action} {run} {due} {node} {reason}", clock(*at))
}

pub(super) fn clock(at: Timestamp) -> String {
    at.to_utc().format("%H:%M:%S%.6f").to_string()
}

fn told(word: &str, effect: &Effect) -> String {
    let Effect { task, run, process, at } = effect;
    format!("effect {} {task} {word} {run} in process {process}", clock(*at))
}

/// Checks all rules.
pub fn check(evidence: &Evidence) -> Findings {
    let mut findings = Findings::default();
    // Who appends was decided before it is written, and what was written before is older than that.
    let written: Vec<Timestamp> = evidence
        .records
        .iter()
        .scan(Timestamp::MIN, |latest, recorded| {
            *latest = (*latest).max(recorded.record.at);
            Some(*latest)
        })
        .collect();
    let runs = runs(evidence, &written, &mut findings);
    effects(evidence, &runs, &mut findings);
    let well = witness::well(evidence, &written);
    findings.well =
        evidence.records.first().map_or(0, |first| well.share(first.record.at, evidence.closing));
    for planned in &evidence.tasks {
        let of = |task: &Arc<str>| runs.get(task).map_or(&[][..], Vec::as_slice);
        opportunities::check(planned, &of, &well, evidence.closing, &mut findings);
    }
    for (process, at) in witness::down_without_cause(evidence) {
        let what = format!("process {process} was down at {} without a cause", clock(at));
        findings.add(Wrong::Disorder, what, Vec::new());
    }
    findings
}

type Runs<'a> = HashMap<Arc<str>, Vec<Run<'a>>>;

/// Reads the runs of each task; each has one begin and one end, and none begins while another is live.
fn runs<'a>(evidence: &'a Evidence, written: &[Timestamp], findings: &mut Findings) -> Runs<'a> {
    let mut runs: Runs<'a> = HashMap::new();
    let mut places: HashMap<RunId, usize> = HashMap::new();
    for (Recorded { seq, record }, written) in evidence.records.iter().zip(written) {
        let of_task = runs.entry(record.task.clone()).or_default();
        let known = places.get(&record.run).and_then(|place| of_task.get_mut(*place));
        match (record.action, known) {
            (Action::Run, Some(run)) => {
                let what = format!("a run of {} has begun twice", record.task);
                findings.add(Wrong::Duplicate, what, vec![line(run.begin), line(record)]);
            }
            (Action::Run, None) => {
                if let Some(live) = of_task.iter().find(|run| run.end.is_none()) {
                    let what = format!("two runs of {} at a time", record.task);
                    findings.add(Wrong::Duplicate, what, vec![line(live.begin), line(record)]);
                }
                findings.runs += 1;
                places.insert(record.run, of_task.len());
                of_task.push(Run { seq: *seq, begin: record, end: None });
            }
            (_, None) => {
                let what = format!("a run of {} ended and never began", record.task);
                findings.add(Wrong::Contradiction, what, vec![line(record)]);
            }
            (_, Some(run)) if run.end.is_some() => {
                let what = format!("a run of {} has two ends", record.task);
                let mut lines = run.lines();
                lines.push(line(record));
                findings.add(Wrong::Duplicate, what, lines);
            }
            (action, Some(run)) => {
                run.end = Some(End { seq: *seq, record, written: *written });
                *findings.ends.entry(action).or_default() += 1;
            }
        }
    }
    for run in runs.values().flatten().filter(|run| run.end.is_none()) {
        let what = format!("a run of {} has no end", run.begin.task);
        findings.add(Wrong::Vanished, what, run.lines());
    }
    runs
}

/// What the runs did is what the log says.
fn effects(evidence: &Evidence, runs: &Runs<'_>, findings: &mut Findings) {
    let by_id: HashMap<RunId, &Run<'_>> =
        runs.values().flatten().map(|run| (run.begin.run, run)).collect();
    let mut begins: HashMap<RunId, &Effect> = HashMap::new();
    for begin in &evidence.effects.begins {
        let task = &begin.task;
        if let Some(first) = begins.insert(begin.run, begin) {
            let lines = vec![told("begins", first), told("begins", begin)];
            findings.add(Wrong::Duplicate, format!("a body of {task} began twice"), lines);
        }
        let Some(run) = by_id.get(&begin.run) else {
            let what = format!("a body of {task} began, and its run was never won");
            findings.add(Wrong::Duplicate, what, vec![told("begins", begin)]);
            continue;
        };
        if begin.at < run.begin.at || process_of(run.begin) != Some(begin.process) {
            let what = format!("a body of {task} began before it was won, or where it was not");
            let lines = vec![line(run.begin), told("begins", begin)];
            findings.add(Wrong::Contradiction, what, lines);
        }
    }
    let ends: HashMap<RunId, &(Effect, Action)> =
        evidence.effects.ends.iter().map(|end| (end.0.run, end)).collect();
    for run in runs.values().flatten() {
        let Some(End { record: end, .. }) = run.end else { continue };
        let (begun, ended) = (begins.get(&run.begin.run), ends.get(&run.begin.run));
        let reason = end.details.as_ref().and_then(|details| details.reason.as_ref());
        let never_started = reason.map(Reason::message)
            == Some("it was claimed while the log failed, and never started");
        let agrees = match end.action {
            Action::Success | Action::Fail => {
                begun.is_some() && ended.is_some_and(|(_, action)| *action == end.action)
            }
            Action::Crash if never_started => begun.is_none(),
            Action::Crash => process_of(run.begin)
                .is_none_or(|process| !witness::was_well(evidence, process, end.at)),
            // It was told to stop: wherever it was.
            Action::Terminate => true,
            Action::Inaction | Action::Run => false,
        };
        if !agrees {
            let mut lines = run.lines();
            lines.extend(begun.map(|begin| told("begins", begin)));
            lines.extend(ended.map(|(end, action)| told(action.as_str(), end)));
            let what = format!("the log and a run of {} do not say the same", end.task);
            findings.add(Wrong::Contradiction, what, lines);
        }
    }
    for pair in runs.values().flat_map(|runs| runs.windows(2)) {
        let [first, second] = pair else { continue };
        // Who was taken for dead may still have been at it.
        let is_over = first
            .end
            .is_some_and(|end| matches!(end.record.action, Action::Success | Action::Fail));
        if let (Some((end, _)), Some(begin)) =
            (ends.get(&first.begin.run), begins.get(&second.begin.run))
            && is_over
            && begin.at < end.at
        {
            let what = format!("a body of {} began before the last one had ended", end.task);
            let lines = vec![told("ends", end), told("begins", begin)];
            findings.add(Wrong::Duplicate, what, lines);
        }
    }
}

/// The process in a session's name, `host/process/start/number`.
fn process_of(begin: &Record) -> Option<u32> {
    let node = begin.details.as_ref()?.node.as_deref()?;
    node.rsplit('/').nth(2)?.parse().ok()
}

/// How long somebody must have been able to begin a run before it counts as lost: the turns of all
/// other nodes, and the time of a busy machine.
pub(super) const NEEDED: Duration = Duration::from_millis(750);
