//! From written to compiled: names become numbers, zones are filled in, all that is wrong is listed.

use std::fmt;
use std::sync::Arc;

use super::calendar::{Calendar, is_without_gaps};
use super::leaf_history::Has;
use super::leaf_task::After;
use super::leaf_time::USES_UP;
use super::{Condition, Leaf, Node, Who, Within};
use crate::error::{did_you_mean, shortened};
use crate::expr::{
    Custom, Expr, LookBack, ParseError, Phrase, Problem, Span, Statement, Times, parse,
};
use crate::facts::{Keep, ProbeId};
use crate::period::{Dates, Period};
use crate::record::{Action, ActionSet};
use crate::task::TaskId;
use crate::time::Zone;

/// What compiling asks of a session.
pub trait Names {
    /// Looks up a task by name.
    fn task(&self, name: &str) -> Option<TaskId>;
    /// Finds a task with a name like this one.
    fn similar_task(&self, name: &str) -> Option<String>;
    /// Looks up a custom condition; the error says what is wrong with the call.
    fn probe(&mut self, custom: &Custom) -> Result<ProbeId, String>;
    /// Looks up the dates of a calendar that the user gave the session.
    fn dates(&self, calendar: &str) -> Option<Dates>;
    /// Finds a calendar with a name like this one.
    fn similar_calendar(&self, name: &str) -> Option<String>;
    /// Finds the custom condition that a phrase means, or else a phrase like it that means one.
    ///
    /// Where there are none, this need not be written.
    fn phrase(&self, _phrase: &Phrase) -> Result<Custom, Option<String>> {
        Err(None)
    }
    /// Makes or finds the calendar of a period; without a zone, in the session's.
    fn calendar(&mut self, period: Period, zone: Option<&Zone>) -> Arc<Calendar>;
}

/// One thing that is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileError {
    /// A text that a builder function was given is no statement.
    Parse(Arc<ParseError>),
    /// A task that does not exist.
    UnknownTask {
        /// The name.
        name: String,
        /// The statement that names it.
        statement: String,
        /// A name like it that does.
        suggestion: Option<String>,
    },
    /// A calendar that the session was not given.
    UnknownCalendar {
        /// The name.
        name: String,
        /// The statement that names it.
        statement: String,
        /// A name like it that does exist.
        suggestion: Option<String>,
    },
    /// A span that moves with now stands where a period must lie still.
    Floating {
        /// The statement.
        statement: String,
    },
    /// A statement that no rule of the language reads, and no custom condition's phrase.
    UnknownPhrase {
        /// The statement.
        statement: String,
        /// A phrase like it that there is.
        suggestion: Option<String>,
        /// The whole condition.
        condition: String,
        /// Where in it the statement stands.
        span: Span,
    },
    /// A custom condition that does not exist or is called in the wrong way.
    Custom {
        /// The statement.
        statement: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => fmt::Display::fmt(error, f),
            Self::UnknownTask { name, statement, suggestion } => {
                write!(f, "unknown task `{name}` in `{statement}`")?;
                match suggestion {
                    Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
                    None => Ok(()),
                }
            }
            Self::UnknownCalendar { name, statement, suggestion } => {
                write!(f, "unknown calendar `{name}` in `{statement}`; ")?;
                match suggestion {
                    Some(suggestion) => write!(f, "did you mean `{suggestion}`?"),
                    None => f.write_str("give the session one with `.calendar(..)`"),
                }
            }
            Self::Floating { statement } => {
                write!(
                    f,
                    "`past ..` moves with now and is no period of the calendar, in `{statement}`"
                )
            }
            Self::UnknownPhrase { statement, suggestion, condition, span } => {
                let message = format!("unknown statement `{}`", shortened(statement));
                let help = suggestion.as_ref().map(did_you_mean);
                let problems = vec![Problem { span: *span, message, help }];
                fmt::Display::fmt(&ParseError { text: condition.clone(), problems }, f)
            }
            Self::Custom { statement, reason } => write!(f, "{reason} in `{statement}`"),
        }
    }
}

impl std::error::Error for CompileError {}

/// Compiles a written condition. `owner` is the name of its task, empty for a session's own.
///
/// # Errors
///
/// All that is wrong with it.
pub fn compile(
    expr: &Expr,
    owner: &str,
    names: &mut dyn Names,
) -> Result<Condition, Vec<CompileError>> {
    let mut compiler =
        Compiler { names, owner, whole: expr, errors: Vec::new(), reads: Vec::new(), least: 1 };
    let root = compiler.node(expr);
    if compiler.errors.is_empty() {
        Ok(Condition {
            root,
            expr: expr.clone(),
            text: expr.to_string().into(),
            reads: compiler.reads,
        })
    } else {
        Err(compiler.errors)
    }
}

struct Compiler<'a> {
    names: &'a mut dyn Names,
    /// The name of the task that owns the condition; each `~` of its cron is picked by it.
    owner: &'a str,
    /// The condition that is compiled; errors show where in it they are.
    whole: &'a Expr,
    errors: Vec<CompileError>,
    reads: Vec<(Who, Keep)>,
    /// How many of the latest records a statement looks at, at least.
    least: u64,
}

/// How many records a statement looks at where it matters since when it holds, or where those that
/// it counts may be followed by others.
const UNBROKEN: u64 = 256;

/// What stands for a statement that is in error, in a condition that is never made.
const NOTHING: Leaf = Leaf::Cycles(crate::expr::Count::LessThan(0));

impl Compiler<'_> {
    fn node(&mut self, expr: &Expr) -> Node {
        match expr {
            Expr::Const(value) => Node::Const(*value),
            Expr::Not(child) => Node::Not(Box::new(self.node(child))),
            Expr::All(children) => {
                Node::All(children.iter().map(|child| self.node(child)).collect())
            }
            Expr::Any(children) => {
                Node::Any(children.iter().map(|child| self.node(child)).collect())
            }
            Expr::For(child, held) => Node::For(Box::new(self.timed(child)), *held),
            Expr::Newly(child) => {
                self.read(Who::Owner, ActionSet::default(), 1);
                Node::Newly(Box::new(self.timed(child)))
            }
            Expr::Since(child, other) => {
                Node::Since(Box::new([self.timed(child), self.timed(other)]))
            }
            Expr::Statement(statement, _) => Node::Leaf(self.leaf(statement)),
            Expr::Invalid(error) => {
                self.errors.push(CompileError::Parse(error.clone()));
                Node::Const(false)
            }
        }
    }

    /// Compiles what is asked since when it holds.
    fn timed(&mut self, expr: &Expr) -> Node {
        let before = std::mem::replace(&mut self.least, UNBROKEN);
        let node = self.node(expr);
        self.least = before;
        node
    }

    fn leaf(&mut self, statement: &Statement) -> Leaf {
        match statement {
            Statement::InPeriod { period, zone } => {
                Leaf::InPeriod(self.calendar(period, zone.as_ref(), statement))
            }
            Statement::Once { period, zone, retries } => {
                let reach = self.reach(u64::from(*retries).saturating_add(1));
                self.read(Who::Owner, USES_UP, reach);
                let windows = self.calendar(period, zone.as_ref(), statement);
                Leaf::Once { windows, retries: *retries, reach }
            }
            Statement::Every { interval, basis } => {
                self.read(Who::Owner, ActionSet::default(), 1);
                Leaf::Every { interval: *interval, basis: *basis }
            }
            Statement::Has { task, event, count, within } => {
                let who = self.who(task.as_deref(), statement);
                let actions = ActionSet::of(event.actions());
                let needs = match within {
                    // Between two windows, records come that are in neither.
                    LookBack::Window { period: Times::Period(period), .. }
                        if is_without_gaps(period) =>
                    {
                        1
                    }
                    LookBack::Window { .. } => UNBROKEN,
                    LookBack::Ever | LookBack::Past(_) => 1,
                };
                let reach = self.reach(count.looks_at().max(needs));
                self.read(who, actions, reach);
                let within = match within {
                    LookBack::Ever => Within::Ever,
                    LookBack::Past(span) => Within::Past(*span),
                    LookBack::Window { period, zone } => {
                        Within::Window(self.calendar(period, zone.as_ref(), statement))
                    }
                };
                Leaf::Has(Has { who, actions, count: *count, within, reach })
            }
            Statement::After { tasks, which, outcome } => {
                let actions = ActionSet::of(outcome.actions());
                let tasks: Vec<Who> =
                    tasks.iter().map(|name| self.who(Some(name), statement)).collect();
                // The one before the latest tells whether the latest is the first of its kind.
                let reach = self.reach(2);
                for who in &tasks {
                    self.read(*who, actions, reach);
                }
                self.read(Who::Owner, ActionSet::of(&[Action::Run]), reach);
                Leaf::After(After { tasks: tasks.into(), which: *which, actions, reach })
            }
            Statement::Running { task, age } => {
                let who = self.who(task.as_deref(), statement);
                let reach = self.reach(1);
                self.read(who, ActionSet::ENDS, reach);
                Leaf::Running { who, age: *age, reach }
            }
            Statement::Cron { cron, within, zone } => {
                self.read(Who::Owner, ActionSet::default(), 1);
                let period = Period::Cron(cron.spread(self.owner));
                Leaf::Cron { matches: self.names.calendar(period, zone.as_ref()), within: *within }
            }
            Statement::Retry { count, after } => {
                self.read(Who::Owner, ActionSet::of(&[Action::Fail]), 1);
                Leaf::Retry { limit: *count, after: *after }
            }
            Statement::Cycles(count) => Leaf::Cycles(*count),
            Statement::SchedulerStarted(span) => Leaf::StartedWithin(*span),
            Statement::SchedulerRunOver(span) => Leaf::RunOver(*span),
            Statement::ParamExists(name) => Leaf::Param { name: name.as_str().into(), value: None },
            Statement::ParamIs { name, value } => {
                Leaf::Param { name: name.as_str().into(), value: Some(value.as_str().into()) }
            }
            Statement::Env(value) => {
                Leaf::Param { name: "env".into(), value: Some(value.as_str().into()) }
            }
            Statement::Custom(custom) => self.probe(custom, statement),
            Statement::Phrase(phrase) => match self.names.phrase(phrase) {
                Ok(custom) => self.probe(&custom, statement),
                Err(suggestion) => {
                    self.errors.push(unknown_phrase(phrase, suggestion, self.whole));
                    NOTHING
                }
            },
        }
    }

    fn calendar(
        &mut self,
        times: &Times,
        zone: Option<&Zone>,
        statement: &Statement,
    ) -> Arc<Calendar> {
        for name in times.calendars() {
            if self.names.dates(name).is_none() {
                self.errors.push(CompileError::UnknownCalendar {
                    name: name.to_owned(),
                    statement: statement.to_string(),
                    suggestion: self.names.similar_calendar(name),
                });
            }
        }
        if times.floats() {
            self.errors.push(CompileError::Floating { statement: statement.to_string() });
        }
        let period = times.resolve(self.owner, &|name| self.names.dates(name));
        self.names.calendar(period.unwrap_or(Period::Never), zone)
    }

    /// Compiles a custom condition; `statement` is how it is written.
    fn probe(&mut self, custom: &Custom, statement: &Statement) -> Leaf {
        let statement = statement.to_string();
        match self.names.probe(custom) {
            Ok(id) => Leaf::Probe { id, text: statement.into() },
            Err(reason) => {
                self.errors.push(CompileError::Custom { statement, reason });
                NOTHING
            }
        }
    }

    fn who(&mut self, name: Option<&str>, statement: &Statement) -> Who {
        let Some(name) = name else { return Who::Owner };
        if let Some(task) = self.names.task(name) {
            return Who::Task(task);
        }
        self.errors.push(CompileError::UnknownTask {
            name: name.to_owned(),
            statement: statement.to_string(),
            suggestion: self.names.similar_task(name),
        });
        Who::Owner
    }

    /// Tells how many of the latest records a statement looks at that needs so many.
    fn reach(&self, needs: u64) -> u64 {
        needs.max(self.least)
    }

    fn read(&mut self, who: Who, actions: ActionSet, count: u64) {
        let keep = Keep::of(actions, count);
        match self.reads.iter_mut().find(|(known, _)| *known == who) {
            Some((_, known)) => *known = known.max(keep),
            None => self.reads.push((who, keep)),
        }
    }
}

/// Tells where in a condition, as it prints, a phrase stands.
fn unknown_phrase(phrase: &Phrase, suggestion: Option<String>, whole: &Expr) -> CompileError {
    let statement = phrase.to_string();
    let condition = whole.to_string();
    let printed = parse(&condition);
    match printed.ok().and_then(|printed| place(&printed, phrase)) {
        Some(span) => CompileError::UnknownPhrase { statement, suggestion, condition, span },
        // Beside what is no condition, places are not known.
        None => {
            let (condition, span) = (statement.clone(), Span { start: 0, end: statement.len() });
            CompileError::UnknownPhrase { statement, suggestion, condition, span }
        }
    }
}

/// Finds the first place of a phrase in a condition that was parsed.
fn place(expr: &Expr, phrase: &Phrase) -> Option<Span> {
    match expr {
        Expr::Statement(Statement::Phrase(other), span) if other == phrase => *span,
        Expr::Not(child) | Expr::For(child, _) | Expr::Newly(child) => place(child, phrase),
        Expr::Since(child, other) => place(child, phrase).or_else(|| place(other, phrase)),
        Expr::All(children) | Expr::Any(children) => {
            children.iter().find_map(|child| place(child, phrase))
        }
        Expr::Const(_) | Expr::Statement(..) | Expr::Invalid(_) => None,
    }
}
