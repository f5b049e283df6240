//! The lints of a session: each condition once, each task that has it.

use std::cell::OnceCell;
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
        let linter = Linter::new(now, &zone, &tasks);
        let mut places: Vec<usize> = (0..tasks.len()).collect();
        places.retain(|place| !tasks[*place].policy.disabled);
        // Tasks that share a condition come together, so that none is kept for later.
        places.sort_by_key(|place| key(&tasks[*place]));
        let mut lints = Vec::new();
        let mut starters = Vec::new();
        let mut known = None;
        for place in places {
            let task = &tasks[place];
            let start = match known.take() {
                Some((of, start)) if of == key(task) => start,
                _ => linter.start(task),
            };
            let mut add = |lint: Lint| lints.push((place, lint));
            let of_start = |it: &Finding| it.of(Some(&task.name), LintPlace::Start);
            start.findings.iter().map(of_start).for_each(&mut add);
            // A pause between cycles is one between runs too.
            let restarts = start.restarts.iter().filter(|_| !cycle_sleep);
            let certain = restarts.filter(|it| !linter.may_look_at(&it.unless, task.id));
            certain.map(|it| of_start(&it.finding)).for_each(&mut add);
            if let Some(usual) = usual.get(&task.name) {
                too_short(&start.windows, usual).map(|it| of_start(&it)).for_each(&mut add);
            }
            if let Some(end) = &task.end {
                let found = linter.other(end, Some(&task.name));
                let of_end = |it: &Finding| it.of(Some(&task.name), LintPlace::End);
                found.iter().map(of_end).for_each(&mut add);
            }
            if start.starts {
                starters.push(place);
            }
            known = Some((key(task), start));
        }
        lints.sort_by_key(|(place, _)| *place);
        starters.sort_unstable();
        let mut lints: Vec<Lint> = lints.into_iter().map(|(_, lint)| lint).collect();
        let starters: Vec<&Arc<Definition>> = starters.iter().map(|place| &tasks[*place]).collect();
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

/// Looks at conditions. What it takes does not grow with the tasks, unless it must know who looks at whom.
struct Linter<'a> {
    zone: &'a Zone,
    meetings: Meetings,
    tasks: &'a [Arc<Definition>],
    index: OnceCell<Index<'a>>,
}

/// The tasks by id and by name.
struct Index<'a> {
    by_id: HashMap<TaskId, &'a Arc<Definition>>,
    by_name: HashMap<&'a str, TaskId>,
}

impl<'a> Linter<'a> {
    fn new(now: Timestamp, zone: &'a Zone, tasks: &'a [Arc<Definition>]) -> Self {
        Self { zone, meetings: Meetings::new(now), tasks, index: OnceCell::new() }
    }

    fn index(&self) -> &Index<'a> {
        self.index.get_or_init(|| Index {
            by_id: self.tasks.iter().map(|task| (task.id, task)).collect(),
            by_name: self.tasks.iter().map(|task| (&*task.name, task.id)).collect(),
        })
    }

    fn start(&self, task: &Definition) -> Start {
        self.look_at_start(task.start.expr(), &task.name)
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
        if tasks.is_empty() {
            return false;
        }
        let Index { by_id, by_name } = self.index();
        let id = |name: &String| by_name.get(name.as_str()).copied();
        let mut to_follow: Vec<TaskId> = tasks.iter().filter_map(id).collect();
        let mut seen: HashSet<TaskId> = to_follow.iter().copied().collect();
        while let Some(task) = to_follow.pop() {
            let Some(task) = by_id.get(&task) else { continue };
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

/// Tells by what equal conditions of tasks are known: their place in memory, where the session's tasks keep
/// them, and the owner if the condition names it.
fn key(task: &Definition) -> (*const Condition, Option<TaskId>) {
    let named = task.start.reads().iter().any(|(who, _)| *who == Who::Task(task.id));
    (Arc::as_ptr(&task.start), named.then_some(task.id))
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
