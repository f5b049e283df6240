//! Why a condition holds or does not: the tree of its parts, each with its evidence.
//!
//! An [`Explanation`] is made by the evaluation itself, with a [`Trace`] that keeps what it hears, so
//! it cannot say anything else than what the scheduler does.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::eval::{Evidence, Noted, Trace, View, evaluate};
use super::leaf_history::Has;
use super::leaf_task::After;
use super::verdict::{Topic, Truth, Verdict};
use super::{Condition, Leaf, Who, Within};
use crate::expr::{Expr, Quantifier};
use crate::facts::ProbeState;
use crate::record::{Action, ActionSet};
use crate::task::TaskId;
use crate::time::{Timestamp, Zone, duration};

/// Why a condition, or a part of it, holds or does not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The condition as text.
    pub text: String,
    /// Whether it holds.
    pub truth: Truth,
    /// Since when; `None`: it is not known to have been different.
    pub since: Option<Timestamp>,
    /// When time alone may change that; `None`: it does not.
    pub next: Option<Timestamp>,
    /// What else may change it, in words: "task `fetch` to succeed".
    pub waits_on: Vec<String>,
    /// For a statement, what it found: which records, which window.
    pub reason: String,
    /// The parts of `&`, `|`, `~`, `for`, `newly` and `since`.
    pub parts: Vec<Self>,
    zone: Zone,
}

/// Explains a condition. `name` tells the names of tasks; instants are told in `zone`.
pub fn explain(
    condition: &Condition,
    view: &View<'_>,
    zone: &Zone,
    name: &dyn Fn(TaskId) -> Option<Arc<str>>,
) -> Explanation {
    let mut texts = VecDeque::new();
    list(condition.expr(), &mut texts);
    let mut keeper = Keeper { texts, kept: Vec::new(), view, zone, name };
    let verdict = evaluate(condition, view, &mut keeper);
    // The root is noted last; the whole may sleep past wakes of its parts.
    let root = keeper.kept.pop();
    let whole = keeper.explanation(&verdict, String::new(), String::new());
    match root {
        Some(root) => Explanation { next: whole.next, waits_on: whole.waits_on, ..root },
        None => whole,
    }
}

/// Lists the texts of all nodes, children before their parents, as the evaluation notes them.
fn list(expr: &Expr, texts: &mut VecDeque<String>) {
    match expr {
        Expr::Not(child) | Expr::For(child, _) | Expr::Newly(child) => list(child, texts),
        Expr::Since(child, other) => {
            list(child, texts);
            list(other, texts);
        }
        Expr::All(children) | Expr::Any(children) => {
            for child in children {
                list(child, texts);
            }
        }
        Expr::Const(_) | Expr::Statement(..) | Expr::Invalid(_) => {}
    }
    texts.push_back(expr.to_string());
}

/// So many of the records that a statement has counted are named.
const SHOWN: usize = 4;

/// Keeps what the evaluation notes.
struct Keeper<'a> {
    texts: VecDeque<String>,
    kept: Vec<Explanation>,
    view: &'a View<'a>,
    zone: &'a Zone,
    name: &'a dyn Fn(TaskId) -> Option<Arc<str>>,
}

impl Trace for Keeper<'_> {
    fn note(&mut self, node: Noted<'_>, verdict: &Verdict) {
        let (reason, parts) = match node {
            Noted::Leaf(Evidence(None)) => (String::new(), 0),
            Noted::Leaf(Evidence(Some(leaf))) => (self.reason(leaf, verdict), 0),
            Noted::One => (String::new(), 1),
            Noted::Several(parts) => (String::new(), parts),
        };
        let text = self.texts.pop_front().unwrap_or_default();
        let mut explanation = self.explanation(verdict, text, reason);
        let parts = self.kept.len().saturating_sub(parts);
        explanation.parts = self.kept.split_off(parts);
        self.kept.push(explanation);
    }
}

impl Keeper<'_> {
    fn explanation(&self, verdict: &Verdict, text: String, reason: String) -> Explanation {
        Explanation {
            text,
            truth: verdict.truth.clone(),
            since: verdict.since,
            next: verdict.wake.at,
            waits_on: verdict.wake.topics.iter().map(|topic| self.topic(*topic)).collect(),
            reason,
            parts: Vec::new(),
            zone: self.zone.clone(),
        }
    }

    fn topic(&self, topic: Topic) -> String {
        match topic {
            Topic::Task { task, actions } => {
                let words: Vec<&str> = actions.iter().map(Action::as_str).collect();
                format!("a record ({}) of task `{}`", words.join(", "), self.task(task))
            }
            Topic::Probe(_) => "another answer of the custom condition".to_owned(),
            Topic::Cycles => "the next cycle".to_owned(),
            Topic::Params => "a change of a parameter".to_owned(),
        }
    }

    fn task(&self, task: TaskId) -> Arc<str> {
        let removed = || self.view.facts.removed(task).cloned();
        (self.name)(task).or_else(removed).unwrap_or_else(|| "(unknown)".into())
    }

    fn at(&self, at: Timestamp) -> impl fmt::Display + use<> {
        Local(at, self.zone.clone())
    }

    /// Tells what a statement found.
    fn reason(&self, leaf: &Leaf, verdict: &Verdict) -> String {
        let now = self.view.now;
        // What waits for an instant was or will be due then.
        let due = || match if verdict.holds() { verdict.since } else { verdict.wake.at } {
            Some(due) => format!("; due at {}", self.at(due)),
            None => String::new(),
        };
        match leaf {
            Leaf::InPeriod(calendar) => {
                let around = calendar.around(now);
                match (around.current, around.next_start()) {
                    (Some(window), _) => {
                        format!("in it from {} to {}", self.at(window.start), self.at(window.end))
                    }
                    (None, Some(next)) => format!("it begins next at {}", self.at(next)),
                    (None, None) => "it never begins again".to_owned(),
                }
            }
            Leaf::Once { windows, .. } => {
                let around = windows.around(now);
                match (around.current, around.next_start()) {
                    (Some(window), _) => {
                        let ended = self.own_ends_since(window.start);
                        let (from, to) = (self.at(window.start), self.at(window.end));
                        let next = around.next_start().filter(|_| !verdict.holds());
                        let next = next.map(|at| format!("; the next begins at {}", self.at(at)));
                        format!(
                            "the window is from {from} to {to}; {ended}{}",
                            next.unwrap_or_default()
                        )
                    }
                    (None, Some(next)) => format!("the next window begins at {}", self.at(next)),
                    (None, None) => "there is no window any more".to_owned(),
                }
            }
            Leaf::Cron { matches, within } => {
                let around = matches.around(now);
                let last = around.begun().map(|last| {
                    let end = within.map_or(last.end, |within| last.start.after(within));
                    format!("the last match was from {} to {}; ", self.at(last.start), self.at(end))
                });
                let next = around.next_start().map_or_else(
                    || "there is none any more".to_owned(),
                    |next| format!("the next is at {}", self.at(next)),
                );
                format!("{}{next}; {}", last.unwrap_or_default(), self.own_last(&[Action::Run]))
            }
            Leaf::Every { basis, .. } => format!("{}{}", self.own_last(basis.actions()), due()),
            Leaf::Has(has) => self.has(has),
            Leaf::After(After { tasks, which, actions, .. }) => {
                let one = |who: &Who| {
                    let task = who.task(self.view.owner)?;
                    Some(format!("task `{}` {}", self.task(task), self.last(task, *actions)))
                };
                let all: Vec<String> = tasks.iter().filter_map(one).collect();
                let joint = if *which == Quantifier::Any { "; or " } else { "; " };
                format!("{}; this task {}", all.join(joint), self.own_last(&[Action::Run]))
            }
            Leaf::Running { who, .. } => self.running(*who),
            Leaf::Retry { .. } => {
                let failures = self
                    .view
                    .owner
                    .map_or(0, |owner| self.view.facts.history(owner).failures_in_a_row());
                let last = self.own_last(&[Action::Fail]);
                let status = self.own_status();
                format!("{failures} failures in a row; the status is {status}; {last}{}", due())
            }
            Leaf::Cycles(_) => format!("{} cycles have ended", self.view.facts.cycles),
            Leaf::RunOver(_) | Leaf::StartedWithin(_) => match self.view.facts.started {
                Some(started) => format!(
                    "the session has run since {} ({})",
                    self.at(started),
                    span(now.since(started))
                ),
                None => "the session has not started".to_owned(),
            },
            Leaf::Param { name, .. } => match self.view.facts.param(name) {
                None => format!("there is no parameter `{name}`"),
                Some(None) => format!("parameter `{name}` exists, and has no text to compare"),
                Some(Some(text)) => format!("parameter `{name}` is `{text}`"),
            },
            Leaf::Probe { id, .. } => match self.view.facts.probe(*id) {
                ProbeState::Unknown => "it has not answered yet".to_owned(),
                ProbeState::Known { value, since } => {
                    format!("it has said {value} since {}", self.at(*since))
                }
                ProbeState::Failed { reason, since } => {
                    format!("asking it has failed since {}: {reason}", self.at(*since))
                }
            },
        }
    }

    fn running(&self, who: Who) -> String {
        let Some(task) = who.task(self.view.owner) else { return "no task".to_owned() };
        let live = self.view.facts.history(task).live().iter().map(|run| {
            let live = span(self.view.now.since(run.started));
            format!("run {} has been live since {} ({live})", run.run, self.at(run.started))
        });
        let live: Vec<String> = live.collect();
        if live.is_empty() {
            let last = self.last(task, ActionSet::of(&[Action::Run]));
            return format!("no run is live; task `{}` {last}", self.task(task));
        }
        live.join("; ")
    }

    fn has(&self, has: &Has) -> String {
        let Some(task) = has.who.task(self.view.owner) else { return "no task".to_owned() };
        let history = self.view.facts.history(task);
        let last = format!("task `{}` {}", self.task(task), self.last(task, has.actions));
        let (from, until) = match &has.within {
            Within::Ever => {
                let n = history.count(has.actions);
                return format!("{n} such records in all; {last}");
            }
            Within::Past(past) => {
                (self.view.now.before(*past).after(Duration::from_micros(1)), None)
            }
            Within::Window(calendar) => match calendar.around(self.view.now).begun() {
                Some(window) => (window.start, Some(window.end)),
                None => return "the period has not begun yet".to_owned(),
            },
        };
        let counts =
            |at: Timestamp| from <= at && at <= self.view.now && until.is_none_or(|end| at < end);
        let (known, before) = history.latest(has.actions, has.reach);
        let found: Vec<_> = known.iter().filter(|mark| counts(mark.at)).collect();
        // No more are looked at than the comparison can tell apart.
        let bound = if before > 0 && found.len() == known.len() { "at least " } else { "" };
        let ends = until.map(|end| format!(" to {}", self.at(end))).unwrap_or_default();
        let which: Vec<String> =
            found.iter().rev().take(SHOWN).rev().map(|mark| mark.seq.to_string()).collect();
        let which = match which.len() {
            0 => String::new(),
            n if n < found.len() => format!(" (records .., {})", which.join(", ")),
            1 => format!(" (record {})", which[0]),
            _ => format!(" (records {})", which.join(", ")),
        };
        let (found, from) = (found.len(), self.at(from));
        let since = if until.is_some() { "from" } else { "since" };
        format!("{bound}{found} such records {since} {from}{ends}{which}; {last}")
    }

    /// "last succeeded at .. (record 12)".
    fn last(&self, task: TaskId, actions: ActionSet) -> String {
        let words: Vec<&str> = actions.iter().map(Action::as_str).collect();
        match self.view.facts.history(task).last_of(actions) {
            Some(mark) => {
                format!(
                    "has its last {} at {} (record {})",
                    words.join(" or "),
                    self.at(mark.at),
                    mark.seq
                )
            }
            None => format!("has no {} yet", words.join(" or ")),
        }
    }

    fn own_last(&self, actions: &[Action]) -> String {
        match self.view.owner {
            Some(owner) => self.last(owner, ActionSet::of(actions)),
            None => "no task".to_owned(),
        }
    }

    fn own_status(&self) -> &'static str {
        let status = self.view.owner.and_then(|owner| self.view.facts.history(owner).status());
        status.map_or("none", Action::as_str)
    }

    fn own_ends_since(&self, start: Timestamp) -> String {
        let Some(owner) = self.view.owner else { return "no task".to_owned() };
        let history = self.view.facts.history(owner);
        let mut ends: Vec<_> = ActionSet::ENDS
            .iter()
            .filter(|action| *action != Action::Crash)
            .filter_map(|action| Some((history.last(action)?, action)))
            .filter(|(mark, _)| mark.started >= start && mark.at <= self.view.now)
            .collect();
        ends.sort_by_key(|(mark, _)| mark.seq);
        match ends.last() {
            Some((mark, action)) => format!(
                "the run that began in it at {} ended at {} as {action} (record {})",
                self.at(mark.started),
                self.at(mark.at),
                mark.seq
            ),
            None => "no run that began in it has ended".to_owned(),
        }
    }
}

fn span(duration: Duration) -> String {
    let whole = if duration < Duration::from_mins(1) {
        duration
    } else {
        Duration::from_secs(duration.as_secs())
    };
    duration::display(whole).to_string()
}

/// An instant as people in a zone read it.
struct Local(Timestamp, Zone);

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.1.to_local(self.0).format("%Y-%m-%d %H:%M:%S%.f"))
    }
}

impl Explanation {
    /// Tells whether the condition holds.
    pub fn holds(&self) -> bool {
        self.truth == Truth::True
    }

    /// Tells the statements that keep it as it is: of a condition that does not hold, what blocks it.
    pub fn blockers(&self) -> Vec<&Self> {
        let same = self.parts.iter().filter(|part| part.truth == self.truth);
        let decisive: Vec<&Self> = same.collect();
        if self.parts.len() == 1 {
            return self.parts[0].blockers();
        }
        if decisive.is_empty() {
            return vec![self];
        }
        decisive.into_iter().flat_map(Self::blockers).collect()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        for _ in 0..indent {
            f.write_str("  ")?;
        }
        let sign = match &self.truth {
            Truth::True => '✔',
            Truth::False => '✘',
            Truth::Pending => '?',
            Truth::Broken(_) => '!',
        };
        write!(f, "{sign} {}", self.text)?;
        let at = |at: Timestamp| Local(at, self.zone.clone());
        if let Some(since) = self.since {
            write!(f, ", since {}", at(since))?;
        }
        if let Truth::Broken(broken) = &self.truth {
            write!(f, ", in error: {}", broken.reason)?;
        }
        if self.truth == Truth::Pending && self.reason.is_empty() {
            f.write_str(", not known yet")?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        if indent == 0 {
            let mut waits = String::new();
            if let Some(next) = self.next {
                write!(waits, "at {}", at(next))?;
            }
            for topic in &self.waits_on {
                let or = if waits.is_empty() { "on " } else { ", or on " };
                write!(waits, "{or}{topic}")?;
            }
            if !waits.is_empty() {
                write!(f, "\n  may change {waits}")?;
            }
        }
        for part in &self.parts {
            f.write_char('\n')?;
            part.write(f, indent + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}
