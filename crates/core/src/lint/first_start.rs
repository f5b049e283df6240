//! What cannot be the first to start: tasks that need a past of their own, or each other's.
//!
//! A start condition is asked for the first time without a past of its task, and never while a run of
//! it is live. What cannot hold then needs a request, or a log that knows earlier runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::finding::Finding;
use super::{Lint, LintCode, LintPlace};
use crate::cond::Who;
use crate::expr::{Expr, Quantifier, Statement};
use crate::session::Definition;
use crate::task::TaskId;

/// What is assumed of a task's past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing.
    Any,
    /// No run of it is live.
    NotLive,
    /// It has never run.
    Empty,
}

/// What is assumed of the pasts of all tasks, and whose condition is asked.
#[derive(Clone, Copy)]
pub(super) struct Assumed<'p> {
    pub(super) owner: Option<&'p str>,
    /// What is assumed of a task; `None` is the one that owns the condition.
    pub(super) past: &'p dyn Fn(Option<&str>) -> Past,
}

/// What keeps a condition from being true.
#[derive(Debug)]
pub(super) struct HeldUp<'a> {
    pub(super) by: &'a Expr,
    /// The other task whose past is missing; `None`: it is the own one, or none.
    pub(super) task: Option<&'a str>,
}

impl Assumed<'_> {
    fn is_own(self, task: &str) -> bool {
        self.owner == Some(task)
    }
}

/// Tells what keeps a condition from coming out so.
pub(super) fn held_up<'a>(
    expr: &'a Expr,
    wanted: bool,
    assumed: Assumed<'_>,
) -> Option<HeldUp<'a>> {
    let one = |child: &'a Expr| held_up(child, wanted, assumed);
    // One that waits for another task says more than one that waits for nothing.
    let says_less = |held: &HeldUp<'a>| (held.task.is_none(), matches!(held.by, Expr::Const(_)));
    match (expr, wanted) {
        (Expr::Const(value), _) => (*value != wanted).then_some(HeldUp { by: expr, task: None }),
        (Expr::Not(child), _) => held_up(child, !wanted, assumed),
        (Expr::All(children), true) | (Expr::Any(children), false) => {
            children.iter().filter_map(one).min_by_key(says_less)
        }
        (Expr::All(children), false) | (Expr::Any(children), true) => {
            let all: Option<Vec<HeldUp<'a>>> = children.iter().map(one).collect();
            all?.into_iter().min_by_key(says_less)
        }
        (Expr::For(child, _) | Expr::Newly(child) | Expr::Since(child, _), true) => one(child),
        (Expr::For(..) | Expr::Newly(_) | Expr::Since(..) | Expr::Invalid(_), _) => None,
        (Expr::Statement(statement, _), _) => {
            let held = is_held_up(statement, wanted, assumed);
            held.then(|| HeldUp { by: expr, task: other_of(statement, assumed) })
        }
    }
}

/// Tells whether a missing past keeps a statement from coming out so.
fn is_held_up(statement: &Statement, wanted: bool, assumed: Assumed<'_>) -> bool {
    let past = assumed.past;
    match statement {
        Statement::Has { task, count, .. } => {
            past(task.as_deref()) == Past::Empty && count.holds(0) != wanted
        }
        Statement::Running { task, .. } => wanted && past(task.as_deref()) != Past::Any,
        Statement::Retry { .. } => wanted && past(None) == Past::Empty,
        Statement::After { tasks, which, .. } => {
            let mut idle = tasks.iter().map(|name| past(Some(name)) == Past::Empty);
            wanted
                && match which {
                    Quantifier::All => idle.any(|idle| idle),
                    Quantifier::Any => idle.all(|idle| idle),
                }
        }
        _ => false,
    }
}

/// Tells another task without a past that a statement is about.
fn other_of<'a>(statement: &'a Statement, assumed: Assumed<'_>) -> Option<&'a str> {
    let names = match statement {
        Statement::Has { task, .. } | Statement::Running { task, .. } => task.as_slice(),
        Statement::After { tasks, .. } => tasks,
        _ => &[],
    };
    let idle = |name: &&str| (assumed.past)(Some(name)) != Past::Any;
    names.iter().map(String::as_str).find(|name| idle(name) && !assumed.is_own(name))
}

/// Tells why a start condition cannot hold the first time, or cannot at all, for reasons that lie in
/// the task's own past.
pub(super) fn never_starts(expr: &Expr, owner: &str) -> Option<Finding> {
    let own = |task: Option<&str>| task.is_none_or(|task| task == owner);
    let not_live = |task: Option<&str>| if own(task) { Past::NotLive } else { Past::Any };
    if let Some(HeldUp { by, .. }) =
        held_up(expr, true, Assumed { owner: Some(owner), past: &not_live })
    {
        return Some(Finding::new(
            LintCode::NeverStarts,
            by,
            "never starts the task: a live run of it blocks the next one, so this is asked only \
             while none is live",
            "to end long runs, use it as the end condition",
        ));
    }
    let empty = |task: Option<&str>| if own(task) { Past::Empty } else { Past::Any };
    let HeldUp { by, .. } = held_up(expr, true, Assumed { owner: Some(owner), past: &empty })?;
    Some(Finding::new(
        LintCode::NeverStarts,
        by,
        "keeps the task from starting a first time: it needs an earlier run of the same task",
        format!(
            "say also when the first run is to be, as in `daily | {by}`; if it is asked for with \
             `request_run`, allow this lint"
        ),
    ))
}

/// Finds tasks that wait for each other's first run.
///
/// `starters` are the tasks that could start a first time if all others had run.
pub(super) fn cycles(starters: &[&Arc<Definition>]) -> Vec<Lint> {
    let reads = |task: &&Arc<Definition>| {
        task.start.reads().iter().any(|(who, _)| matches!(who, Who::Task(_)))
    };
    if !starters.iter().any(reads) {
        return Vec::new();
    }
    let by_name: HashMap<&str, &Arc<Definition>> =
        starters.iter().map(|task| (&*task.name, *task)).collect();
    let by_id: HashMap<TaskId, &str> = starters.iter().map(|task| (task.id, &*task.name)).collect();
    // All but those that wait for nobody: they are taken to be unable until one shows otherwise.
    let mut waiting: HashSet<&str> = HashSet::new();
    let mut waited_for: HashMap<&str, Vec<&str>> = HashMap::new();
    for task in starters {
        for (who, _) in task.start.reads() {
            let Who::Task(other) = who else { continue };
            if let Some(other) = by_id.get(other) {
                waiting.insert(&task.name);
                waited_for.entry(other).or_default().push(&task.name);
            }
        }
    }
    let mut to_try: Vec<&str> = waiting.iter().copied().collect();
    while let Some(name) = to_try.pop() {
        if waiting.contains(name) && waits_for(by_name.get(name), &waiting).is_none() {
            waiting.remove(name);
            to_try.extend(waited_for.get(name).into_iter().flatten());
        }
    }
    follow(starters, &by_name, &waiting)
}

/// Tells for what a task that cannot start waits: the statement and the task.
fn waits_for<'a>(
    task: Option<&&'a Arc<Definition>>,
    waiting: &HashSet<&str>,
) -> Option<(&'a Expr, &'a str)> {
    let owner = &*task?.name;
    let past = |task: Option<&str>| {
        if waiting.contains(task.unwrap_or(owner)) { Past::Empty } else { Past::Any }
    };
    let assumed = Assumed { owner: Some(owner), past: &past };
    let HeldUp { by, task: other } = held_up(task?.start.expr(), true, assumed)?;
    Some((by, other?))
}

/// Follows each task that waits to the one that it waits for, until one comes again.
fn follow(
    starters: &[&Arc<Definition>],
    by_name: &HashMap<&str, &Arc<Definition>>,
    waiting: &HashSet<&str>,
) -> Vec<Lint> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut lints = Vec::new();
    for first in starters.iter().filter(|task| waiting.contains(&*task.name)) {
        let mut path: Vec<(&Arc<Definition>, &Expr)> = Vec::new();
        let mut task = *first;
        while seen.insert(&task.name) {
            let Some((by, other)) = waits_for(Some(&task), waiting) else { break };
            path.push((task, by));
            let Some(next) = by_name.get(other) else { break };
            task = next;
        }
        // If it led to where an earlier one has been, that one has been told.
        let Some(start) = path.iter().position(|(known, _)| known.name == task.name) else {
            continue;
        };
        // OK because the position is one of the path, so there is one after it.
        let cycle = &path[start..];
        let (first, by) = cycle[0];
        let names: Vec<String> = cycle.iter().map(|(task, _)| format!("`{}`", task.name)).collect();
        let chain = format!("{} -> `{}`", names.join(" -> "), first.name);
        let besides = match besides(cycle, by_name, waiting).as_slice() {
            [] => String::new(),
            others => {
                format!("; nor can {}, which the circle would start after", others.join(", "))
            }
        };
        let finding = Finding::new(
            LintCode::AfterCycle,
            by,
            format!("waits in a circle, so none of these tasks can be the first: {chain}{besides}"),
            "say of one of them when it starts otherwise, as in `daily | after task '..'`",
        );
        lints.push(finding.of(Some(&first.name), LintPlace::Start));
    }
    lints
}

/// Lists the tasks that would start the circle, if they in turn did not wait for it: an `|` in it may
/// name them. Without them, it would not be certain that the circle cannot begin.
fn besides(
    cycle: &[(&Arc<Definition>, &Expr)],
    by_name: &HashMap<&str, &Arc<Definition>>,
    waiting: &HashSet<&str>,
) -> Vec<String> {
    let own: HashSet<&str> = cycle.iter().map(|(task, _)| &*task.name).collect();
    if cycle.iter().all(|(task, _)| waits_for(Some(task), &own).is_some()) {
        return Vec::new();
    }
    let names: HashMap<TaskId, &str> =
        waiting.iter().filter_map(|name| Some((by_name.get(name)?.id, *name))).collect();
    let mut seen = own.clone();
    let mut to_follow: Vec<&str> = own.iter().copied().collect();
    while let Some(task) = to_follow.pop().and_then(|name| by_name.get(name)) {
        for (who, _) in task.start.reads() {
            let Who::Task(other) = who else { continue };
            to_follow.extend(names.get(other).filter(|name| seen.insert(name)));
        }
    }
    let mut others: Vec<&str> = seen.difference(&own).copied().collect();
    others.sort_unstable();
    others.into_iter().map(|name| format!("`{name}`")).collect()
}
