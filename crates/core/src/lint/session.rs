//! The lints of a session: each condition once, each task that has it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::finding::Finding;
use super::first_start::{cycles, never_starts};
use super::judge::Judge;
use super::meet::Meetings;
use super::once_and_every::once_and_every;
use super::pauses::{Restarts, restarts};
use super::too_short::{Longest, too_short, windows};
use super::{Lint, LintCode, LintPlace, UsualDurations, clock_change, missing_days};
use crate::cond::{Condition, Who};
use crate::expr::{Expr, Statement};
use crate::session::{Definition, Session};
use crate::task::TaskId;
use crate::time::{Timestamp, Zone};

/// So many tasks are followed to see whether one looks at another; beyond that it may.
const FOLLOWED: usize = 256;

impl Session {
    /// Tells what is allowed and almost surely not meant, as of an instant.
    ///
    /// A running session tells these as warnings when it begins to run. Those of the codes in
    /// [`Config::allowed_lints`](crate::Config::allowed_lints) are left out, and so are disabled tasks.
    ///
    /// ```
    /// use redengine_core::{Session, Task};
    ///
    /// # use redengine_log as _;
    /// let session = Session::builder()
    ///     .task(Task::new("backup", "monthly on 31st", || async {}))
    ///     .build()
    ///     .unwrap();
    /// let lints = session.lints("2026-11-24T07:00:00Z".parse().unwrap());
    /// assert_eq!(lints[0].code.as_str(), "missing-days");
    /// ```
    pub fn lints(&self, now: Timestamp) -> Vec<Lint> {
        self.lints_knowing(now, &UsualDurations::default())
    }

    /// Tells the lints, also those that hang on how long runs usually take.
    pub fn lints_knowing(&self, now: Timestamp, usual: &UsualDurations) -> Vec<Lint> {
        let config = self.config();
        let zone = self.zone();
        let tasks = self.tasks();
        let cycle_sleep = config.cycle_sleep.is_some();
        let mut linter = Linter::new(now, &zone, &tasks);
        let mut lints = Vec::new();
        for task in tasks.iter().filter(|task| !task.policy.disabled) {
            let start = linter.start(task);
            lints.extend(start.findings.iter().map(|it| it.of(Some(&task.name), LintPlace::Start)));
            // A pause between cycles is one between runs too.
            let restarts = start.restarts.iter().filter(|_| !cycle_sleep);
            let certain = restarts.filter(|it| !linter.may_look_at(&it.unless, task.id));
            lints.extend(certain.map(|it| it.finding.of(Some(&task.name), LintPlace::Start)));
            if let Some(usual) = usual.get(&task.name) {
                let short = too_short(&start.windows, usual);
                lints.extend(short.map(|it| it.of(Some(&task.name), LintPlace::Start)));
            }
            if let Some(end) = &task.end {
                let found = linter.other(end, Some(&task.name));
                lints.extend(found.iter().map(|it| it.of(Some(&task.name), LintPlace::End)));
            }
        }
        let starters: Vec<&Arc<Definition>> = tasks
            .iter()
            .filter(|task| !task.policy.disabled && linter.start(task).starts)
            .collect();
        lints.extend(cycles(&starters));
        if let Some(shut) = self.shut_cond() {
            let found = linter.other(&shut, None);
            lints.extend(found.iter().map(|it| it.of(None, LintPlace::Shut)));
        }
        lints.retain(|lint| !config.allowed_lints.contains(&lint.code));
        lints
    }
}

/// What is found of a start condition.
#[derive(Default)]
struct Start {
    findings: Vec<Finding>,
    restarts: Vec<Restarts>,
    windows: Vec<Longest>,
    /// Whether it can start the task a first time, if others have run.
    starts: bool,
}

/// Looks at conditions; equal ones are looked at once.
struct Linter<'a> {
    zone: &'a Zone,
    meetings: Meetings,
    by_id: HashMap<TaskId, &'a Arc<Definition>>,
    by_name: HashMap<&'a str, TaskId>,
    /// By the place of the condition in memory, and by the owner if the condition names it.
    known: HashMap<(*const Condition, Option<TaskId>), Arc<Start>>,
}

impl<'a> Linter<'a> {
    fn new(now: Timestamp, zone: &'a Zone, tasks: &'a [Arc<Definition>]) -> Self {
        Self {
            zone,
            meetings: Meetings::new(now),
            by_id: tasks.iter().map(|task| (task.id, task)).collect(),
            by_name: tasks.iter().map(|task| (&*task.name, task.id)).collect(),
            known: HashMap::new(),
        }
    }

    fn start(&mut self, task: &Definition) -> Arc<Start> {
        // OK as a key because the session's tasks keep their conditions alive meanwhile.
        let named = task.start.reads().iter().any(|(who, _)| *who == Who::Task(task.id));
        let key = (Arc::as_ptr(&task.start), named.then_some(task.id));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let start = Arc::new(self.look_at_start(task.start.expr(), &task.name));
        self.known.insert(key, start.clone());
        start
    }

    fn look_at_start(&self, expr: &Expr, owner: &str) -> Start {
        let judge = Judge { meetings: &self.meetings, zone: self.zone, owner: Some(owner) };
        let judged = judge.judge(expr);
        if let Some(never) = judged.never {
            let findings = without_repeats(never.into_iter().chain(judged.inner));
            return Start { findings, ..Start::default() };
        }
        let mut findings = judged.inner;
        if let Some(finding) = never_starts(expr, owner) {
            findings.push(finding);
            return Start { findings: without_repeats(findings), ..Start::default() };
        }
        let never = |branch: &Expr| {
            judge.judge(branch).never.is_some() || never_starts(branch, owner).is_some()
        };
        let restarts = restarts(expr, owner, &never);
        let now = self.meetings.now();
        once_and_every(expr, now, self.zone, &mut findings);
        self.statements(expr, owner, &mut findings);
        let mut found = Vec::new();
        windows(expr, now, self.zone, &mut found);
        Start { findings: without_repeats(findings), restarts, windows: found, starts: true }
    }

    /// Looks at a condition that starts no task.
    fn other(&self, condition: &Condition, owner: Option<&str>) -> Vec<Finding> {
        let judge = Judge { meetings: &self.meetings, zone: self.zone, owner };
        let judged = judge.judge(condition.expr());
        let never = judged.never.into_iter().flatten();
        let mut findings: Vec<Finding> = never.chain(judged.inner).collect();
        self.statements(condition.expr(), owner.unwrap_or_default(), &mut findings);
        without_repeats(findings)
    }

    /// Looks at each statement that is not under a `~`.
    fn statements(&self, expr: &Expr, owner: &str, found: &mut Vec<Finding>) {
        match expr {
            Expr::All(children) | Expr::Any(children) => {
                for child in children {
                    self.statements(child, owner, found);
                }
            }
            Expr::For(child, _) | Expr::Newly(child) | Expr::Since(child, _) => {
                self.statements(child, owner, found);
            }
            Expr::Statement(statement, _) => self.statement(statement, owner, found),
            Expr::Not(_) | Expr::Const(_) | Expr::Invalid(_) => {}
        }
    }

    fn statement(&self, statement: &Statement, owner: &str, found: &mut Vec<Finding>) {
        // Of what never occurs enough has been said.
        if found.iter().any(|it| it.code == LintCode::ImpossibleDate) {
            return;
        }
        let now = self.meetings.now();
        found.extend(missing_days::missing_days(statement, now, self.zone));
        found.extend(clock_change::clock_change(statement, owner, now, self.zone));
    }

    /// Tells whether some tasks, or those that they look at, look at a task.
    fn may_look_at(&self, tasks: &[String], wanted: TaskId) -> bool {
        let id = |name: &String| self.by_name.get(name.as_str()).copied();
        let mut to_follow: Vec<TaskId> = tasks.iter().filter_map(id).collect();
        let mut seen: HashSet<TaskId> = to_follow.iter().copied().collect();
        while let Some(task) = to_follow.pop() {
            let Some(task) = self.by_id.get(&task) else { continue };
            let conditions = std::iter::once(&task.start).chain(&task.end);
            for (who, _) in conditions.flat_map(|condition| condition.reads()) {
                let Who::Task(other) = who else { continue };
                if *other == wanted || seen.len() > FOLLOWED {
                    return true;
                }
                if seen.insert(*other) {
                    to_follow.push(*other);
                }
            }
        }
        false
    }
}

fn without_repeats(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut once: Vec<Finding> = Vec::new();
    for finding in findings {
        if !once.contains(&finding) {
            once.push(finding);
        }
    }
    once
}
