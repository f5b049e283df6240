//! Options and conditions from a TOML file, over those that the program has.
//!
//! ```toml
//! timezone = "Europe/Helsinki"
//!
//! [tasks.fetch]
//! start_cond = "daily after 07:00"
//! timeout = "10 min"
//! ```
//!
//! Always: what is wrong is told with file, line and column, all at once; reading goes on after it.
//! Nothing here reads files: text comes in. Only tasks that the program has can be set, not made.

mod place;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::builder::BuildProblem;
use super::config::{Config, OPTIONS};
use super::value::{Read, Wrong, condition, execution, flag, priority, timeout, word};
use crate::cond::CompileError;
use crate::error::{did_you_mean, nearest};
use crate::expr::{Expr, Span};
use crate::task::{Execution, Task, Timeout};
use crate::time::ZoneError;
use crate::time::duration::DurationError;

pub use place::SettingError;
pub(super) use place::Source;

/// The settings of one file.
pub(super) struct Settings {
    source: Source,
    shut_cond: Option<Written>,
    tasks: Vec<TaskSettings>,
}

/// What a file says of a task.
#[derive(Default)]
struct TaskSettings {
    name: String,
    /// Where the name stands.
    at: Range<usize>,
    start: Option<Written>,
    end: Option<Written>,
    priority: Option<i32>,
    timeout: Option<Timeout>,
    execution: Option<Execution>,
    disabled: Option<bool>,
    on: Option<Arc<str>>,
}

/// A condition in a file.
struct Written {
    expr: Expr,
    text: String,
    at: Range<usize>,
}

/// What can be set of a task.
const TASK_SETTINGS: [&str; 7] =
    ["start_cond", "end_cond", "priority", "timeout", "execution", "disabled", "on"];

/// The table of tasks.
const TASKS: &str = "tasks";

impl Source {
    pub(super) fn new(name: Arc<str>, text: Arc<str>) -> Self {
        Self { name, text }
    }
}

impl Settings {
    /// Reads a file: takes over its options, and keeps what it says of tasks.
    pub(super) fn read(source: Source, config: &mut Config) -> (Self, Vec<BuildProblem>) {
        let text = source.text.clone();
        let (table, broken) = DeTable::parse_recoverable(&text);
        let mut reader = Reader { source: &source, errors: Vec::new() };
        for error in broken.into_iter().take(MAX_PROBLEMS) {
            // What is missing at the end has no place of its own.
            let at = error.span().unwrap_or(text.len()..text.len());
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            reader.errors.push(source.error(at, message, None));
        }
        let unread = unread(&text, &reader.errors);
        let broken = std::mem::take(&mut reader.errors);
        let (shut_cond, tasks) = reader.document(table.get_ref(), config);
        let told = reader.errors.into_iter().filter(|error| !unread.contains(&error.line));
        let errors = broken.into_iter().chain(told);
        let problems = errors.map(|error| BuildProblem::Setting { error }).collect();
        (Self { source, shut_cond, tasks }, problems)
    }

    /// Changes the tasks that it names; tells which there are not.
    pub(super) fn apply(&self, tasks: &mut [Task]) -> Vec<BuildProblem> {
        let mut problems = Vec::new();
        for settings in &self.tasks {
            let named = |task: &&mut Task| task.name() == Some(&settings.name);
            let mut found = false;
            for task in tasks.iter_mut().filter(named) {
                settings.apply(task);
                found = true;
            }
            if !found && problems.len() < MAX_PROBLEMS {
                let near = nearest(&settings.name, tasks.iter().filter_map(Task::name));
                let help = near.map(did_you_mean);
                let message = format!("unknown task `{}`", settings.name);
                let error = self.source.error(settings.at.clone(), message, help);
                problems.push(BuildProblem::Setting { error });
            }
        }
        problems
    }

    /// Points at the place of a problem, if it is with a condition of this file.
    fn locate(&self, problem: &BuildProblem) -> Option<BuildProblem> {
        let BuildProblem::Condition { task, error } = problem else { return None };
        let conditions = match task {
            None => [self.shut_cond.as_ref(), None],
            Some(name) => {
                let settings = self.tasks.iter().find(|settings| *settings.name == **name)?;
                [settings.start.as_ref(), settings.end.as_ref()]
            }
        };
        let (statement, message, help) = match error {
            CompileError::UnknownTask { name, statement, suggestion } => {
                (statement, format!("unknown task `{name}`"), suggestion.as_ref().map(did_you_mean))
            }
            CompileError::UnknownCalendar { name, statement, suggestion } => (
                statement,
                format!("unknown calendar `{name}`"),
                suggestion.as_ref().map(did_you_mean),
            ),
            CompileError::UnknownPhrase { statement, suggestion, .. } => (
                statement,
                format!("unknown statement `{statement}`"),
                suggestion.as_ref().map(did_you_mean),
            ),
            CompileError::Custom { statement, reason } => (statement, reason.clone(), None),
            CompileError::Floating { .. } | CompileError::Parse(_) => return None,
        };
        let error = conditions.into_iter().flatten().find_map(|written| {
            let span = place_of(&written.expr, statement)?;
            let mut part = span.start..span.end;
            if let CompileError::UnknownTask { name, .. }
            | CompileError::UnknownCalendar { name, .. } = error
            {
                let said = written.text.get(part.clone())?;
                if let Some(at) = said.find(name.as_str()) {
                    part = part.start + at..part.start + at + name.len();
                }
            }
            let at = self.source.part(&written.at, &written.text, &part);
            Some(self.source.error(at, message.clone(), help.clone()))
        });
        error.map(|error| BuildProblem::Setting { error })
    }
}

/// How many problems of a file are told: finding the place of one goes through the whole file.
const MAX_PROBLEMS: usize = 32;

/// Points at the places of problems with conditions of files; those of files come first, in order.
pub(super) fn locate(files: &[Settings], problems: &mut Vec<BuildProblem>) {
    let mut placed: Vec<BuildProblem> = Vec::new();
    problems.retain_mut(|problem| {
        if placed.len() == MAX_PROBLEMS {
            return true;
        }
        // What the last file says of a task is what was compiled.
        let Some(located) = files.iter().rev().find_map(|file| file.locate(problem)) else {
            return true;
        };
        // A statement that is written twice is wrong once.
        let fresh = !placed.contains(&located);
        if fresh {
            placed.push(located.clone());
            *problem = located;
        }
        fresh
    });
    problems.sort_by_key(|problem| match problem {
        BuildProblem::Setting { error } => {
            let file = files.iter().position(|file| file.source.name == error.file);
            (file.unwrap_or(files.len()), error.line, error.column)
        }
        _ => (files.len(), 0, 0),
    });
}

impl TaskSettings {
    fn apply(&self, task: &mut Task) {
        if let Some(start) = &self.start {
            task.start = start.expr.clone();
        }
        if let Some(end) = &self.end {
            task.end = Some(end.expr.clone());
        }
        let policy = &mut task.policy;
        policy.priority = self.priority.or(policy.priority);
        policy.timeout = self.timeout.or(policy.timeout);
        policy.execution = self.execution.or(policy.execution);
        policy.disabled = self.disabled.unwrap_or(policy.disabled);
        policy.on = self.on.clone().or(policy.on.take());
    }
}

/// Reads tables, and notes what is wrong.
struct Reader<'a> {
    source: &'a Source,
    errors: Vec<SettingError>,
}

type Key<'a> = &'a Spanned<std::borrow::Cow<'a, str>>;

impl Reader<'_> {
    fn note(&mut self, at: Range<usize>, message: String, help: Option<String>) {
        if self.errors.len() < MAX_PROBLEMS {
            self.errors.push(self.source.error(at, message, help));
        }
    }

    fn document(
        &mut self,
        table: &DeTable<'_>,
        config: &mut Config,
    ) -> (Option<Written>, Vec<TaskSettings>) {
        let (mut shut_cond, mut tasks) = (None, Vec::new());
        for (key, value) in table {
            let name = key.get_ref();
            if name == TASKS {
                match value.get_ref() {
                    DeValue::Table(table) => {
                        tasks.extend(table.iter().map(|(name, value)| self.task(name, value)));
                    }
                    _ => self.not_a_table(TASKS, value.span()),
                }
                continue;
            }
            let read = plain(name, value.get_ref()).and_then(|plain| config.set(name, &plain));
            match read {
                Ok(()) if name == "shut_cond" => {
                    shut_cond = config.shut_cond.clone().map(|expr| written(expr, value));
                }
                Ok(()) => {}
                Err(Wrong::Name { message, .. }) => {
                    let names = OPTIONS.iter().copied().chain([TASKS]);
                    self.unknown(key.span(), message, name, &names.collect::<Vec<_>>());
                }
                Err(wrong) => self.wrong(wrong, value),
            }
        }
        (shut_cond, tasks)
    }

    fn task(&mut self, name: Key<'_>, value: &Spanned<DeValue<'_>>) -> TaskSettings {
        let mut settings = TaskSettings {
            name: name.get_ref().clone().into_owned(),
            at: name.span(),
            ..TaskSettings::default()
        };
        let DeValue::Table(table) = value.get_ref() else {
            self.not_a_table(&format!("tasks.{}", settings.name), value.span());
            return settings;
        };
        for (key, value) in table {
            match settings.set(key.get_ref(), value) {
                Ok(()) => {}
                Err(Wrong::Name { message, .. }) => {
                    self.unknown(key.span(), message, key.get_ref(), &TASK_SETTINGS);
                }
                Err(wrong) => self.wrong(wrong, value),
            }
        }
        settings
    }

    fn not_a_table(&mut self, name: &str, at: Range<usize>) {
        let help = format!("write `[{name}]` and its settings below");
        self.note(at, format!("`{name}` must be a table"), Some(help));
    }

    fn unknown(&mut self, at: Range<usize>, message: String, name: &str, known: &[&str]) {
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => did_you_mean(near),
            None => format!("it can be {}", known.join(", ")),
        };
        self.note(at, message, Some(help));
    }

    /// Notes what is wrong with a value: each part of it at its place.
    fn wrong(&mut self, wrong: Wrong, value: &Spanned<DeValue<'_>>) {
        let at = value.span();
        let text = value.get_ref().as_str().unwrap_or_default();
        match wrong {
            Wrong::Name { message, help } => {
                self.note(at, message, Some(help));
            }
            Wrong::Value { message, help } => {
                self.note(at, message, help);
            }
            Wrong::Duration { error: DurationError { span, message, help }, .. } => {
                let at = self.source.part(&at, text, &span);
                self.note(at, message, help);
            }
            Wrong::Zone { error: ZoneError { name, suggestion }, .. } => {
                let help = suggestion.map(did_you_mean);
                let at = self.source.part(&at, text, &(0..text.len()));
                self.note(at, format!("unknown time zone `{name}`"), help);
            }
            Wrong::Condition { error, .. } => {
                for problem in error.problems {
                    let Span { start, end } = problem.span;
                    let at = self.source.part(&at, text, &(start..end));
                    self.note(at, problem.message, problem.help);
                }
            }
        }
    }
}

impl TaskSettings {
    fn set(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Read<()> {
        let plain = plain(key, value.get_ref())?;
        match key {
            "start_cond" => self.start = Some(written(condition(key, &plain)?, value)),
            "end_cond" => self.end = Some(written(condition(key, &plain)?, value)),
            "priority" => self.priority = Some(priority(key, &plain)?),
            "timeout" if plain == "never" => self.timeout = Some(Timeout::Never),
            "timeout" => self.timeout = Some(Timeout::After(timeout(key, &plain)?)),
            "execution" => self.execution = Some(execution(key, &plain)?),
            "disabled" => self.disabled = Some(flag(key, &plain)?),
            "on" => self.on = Some(word(key, &plain)?.into()),
            _ => {
                let message = format!("unknown setting `{key}` of a task");
                return Err(Wrong::Name { message, help: String::new() });
            }
        }
        Ok(())
    }
}

/// Tells the lines that say nothing sure because what is no TOML is in them or heads their table.
fn unread(text: &str, broken: &[SettingError]) -> HashSet<usize> {
    let mut unread: HashSet<usize> = broken.iter().map(|error| error.line).collect();
    let mut headless = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with('[') {
            headless = unread.contains(&number);
        } else if headless {
            unread.insert(number);
        }
    }
    unread
}

fn written(expr: Expr, value: &Spanned<DeValue<'_>>) -> Written {
    let text = value.get_ref().as_str().unwrap_or_default().to_owned();
    Written { expr, text, at: value.span() }
}

/// Makes a value of TOML one of options.
fn plain(key: &str, value: &DeValue<'_>) -> Read<Value> {
    let all = |values: &[Value]| Value::Array(values.to_vec());
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Integer(number) => {
            let read = i64::from_str_radix(number.as_str(), number.radix());
            read.map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        DeValue::Float(number) => {
            let read = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            read.map_or_else(|| Value::String(number.to_string()), Value::Number)
        }
        DeValue::Datetime(_) => {
            let message = format!("option `{key}` cannot be a date or a time");
            return Err(Wrong::Value { message, help: Some("put it in quotes".to_owned()) });
        }
        DeValue::Array(values) => {
            let values: Read<Vec<Value>> =
                values.iter().map(|value| plain(key, value.get_ref())).collect();
            all(&values?)
        }
        DeValue::Table(table) => {
            let pair = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let name: &std::borrow::Cow<'_, str> = name.get_ref();
                Ok((name.to_string(), plain(key, value.get_ref())?))
            };
            Value::Object(table.iter().map(pair).collect::<Read<_>>()?)
        }
    })
}

/// Finds where a statement stands in the text that it was written in.
fn place_of(expr: &Expr, statement: &str) -> Option<Span> {
    match expr {
        Expr::Statement(found, span) if found.to_string() == statement => *span,
        Expr::Not(inner) | Expr::For(inner, _) | Expr::Newly(inner) => place_of(inner, statement),
        Expr::Since(one, other) => place_of(one, statement).or_else(|| place_of(other, statement)),
        Expr::All(members) | Expr::Any(members) => {
            members.iter().find_map(|member| place_of(member, statement))
        }
        _ => None,
    }
}
