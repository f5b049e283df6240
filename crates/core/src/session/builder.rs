//! Building a session: everything is collected, and all that is wrong is told at once.

use std::fmt;
use std::sync::{Arc, Mutex};

use futures::channel::mpsc;

use super::calendars::Calendars;
use super::config::Config;
use super::custom::{CustomCondition, NamedProbe};
use super::default::{self, DefaultLog};
use super::health::Health;
use super::registry::Registry;
use super::{Inner, Session, State};
use crate::cond::CompileError;
use crate::expr::ParseError;
use crate::param::Params;
use crate::period::IntoDate;
use crate::probe::Probe;
use crate::runlog::{LogError, RunLog};
use crate::task::Task;
use crate::time::{Clock, Zone};

/// The parts of a session.
#[derive(Default)]
pub struct SessionBuilder {
    config: Config,
    tasks: Vec<Task>,
    params: Params,
    customs: Vec<CustomCondition>,
    probes: Vec<NamedProbe>,
    calendars: Calendars,
    log: Option<Result<Arc<dyn RunLog>, LogError>>,
    clock: Option<Arc<dyn Clock>>,
    as_default: bool,
    #[cfg(feature = "toml")]
    settings: Vec<super::settings::Source>,
}

impl SessionBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sets the configuration.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Changes the configuration.
    ///
    /// ```
    /// use redengine_core::Session;
    ///
    /// let builder = Session::builder().configure(|config| config.use_instance_naming = true);
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Takes options, and settings of tasks, from the text of a TOML file, over those of the program.
    ///
    /// At the top stand the options of [`Config`]; `[tasks.NAME]` sets what is said there of the task
    /// that the program has under that name: `start_cond`, `end_cond`, `priority`, `timeout` (or
    /// `"never"`), `execution`, `disabled`. Of several files the later ones win.
    ///
    /// What is wrong in it is told when the session is built, with `file`, line and column; nothing
    /// here opens that file.
    ///
    /// ```
    /// use redengine_core::{Session, Task};
    /// # use redengine_log as _;
    ///
    /// let text = r#"
    /// [tasks.fetch]
    /// start_cond = "daily betwen 10:00 and 14:00"
    /// "#;
    /// let error = Session::builder()
    ///     .task(Task::new("fetch", "every 10 s", || async {}))
    ///     .settings("redengine.toml", text)
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(
    ///     error.problems()[0].to_string(),
    ///     "redengine.toml:3:21: unknown word `betwen`\n  \
    ///        |  start_cond = \"daily betwen 10:00 and 14:00\"\n  \
    ///        |                      ^^^^^^ did you mean `between`?",
    /// );
    /// ```
    #[cfg(feature = "toml")]
    #[cfg_attr(docsrs, doc(cfg(feature = "toml")))]
    pub fn settings(mut self, file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        self.settings.push(super::settings::Source::new(file.into(), text.into()));
        self
    }

    /// Adds a task: a [`Task`], or the unit type that `#[task]` made of a function.
    pub fn task(mut self, task: impl Into<Task>) -> Self {
        self.tasks.push(task.into());
        self
    }

    /// Adds tasks.
    pub fn tasks<T: Into<Task>>(mut self, tasks: impl IntoIterator<Item = T>) -> Self {
        self.tasks.extend(tasks.into_iter().map(Into::into));
        self
    }

    /// Adds a parameter.
    pub fn param<T: Send + Sync + 'static>(mut self, name: impl Into<Arc<str>>, value: T) -> Self {
        self.params.set(name, value);
        self
    }

    /// Adds a custom condition that texts may call by name, or name by its phrase. Those of
    /// `#[condition]` are known to all sessions already.
    pub fn condition(mut self, condition: CustomCondition) -> Self {
        self.customs.push(condition);
        self
    }

    /// Gives a probe a name, by which texts may call it: `market_is_open()`. For answers that come
    /// from outside, such as the probes that `redengine::watched` and [`Probe::pushed`] make.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use redengine_core::probe::Probe;
    /// use redengine_core::{Session, Task};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use redengine_log as _;
    /// let open = Arc::new(AtomicBool::new(false));
    /// let asked = open.clone();
    /// let session = Session::builder()
    ///     .probe("is_open", Probe::blocking(move || Ok(asked.load(Ordering::Relaxed))))
    ///     .task(Task::new("trade", "every 1 min & is_open()", || async {}))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn probe(mut self, name: impl Into<Arc<str>>, probe: Probe) -> Self {
        self.probes.push(NamedProbe::new(name.into(), probe));
        self
    }

    /// Names some dates, for `on calendar 'name'` and `on business days of 'name'`. The calendar
    /// `holidays` is the one that `on business days` leaves out.
    ///
    /// ```
    /// use redengine_core::{Session, Task};
    /// # use redengine_log as _;
    ///
    /// let session = Session::builder()
    ///     .calendar("holidays", ["2026-12-25", "2026-12-26", "2027-01-01"])
    ///     .task(Task::new("report", "daily after 07:00 & on business days", || async {}))
    ///     .task(Task::new("backup", "daily & on calendar 'holidays'", || async {}))
    ///     .build();
    /// assert!(session.is_ok());
    /// ```
    pub fn calendar<D: IntoDate>(
        mut self,
        name: impl Into<String>,
        dates: impl IntoIterator<Item = D>,
    ) -> Self {
        let dates = dates.into_iter().map(IntoDate::into_date).collect();
        self.calendars.add(name.into(), dates);
        self
    }

    /// Sets the run log; by default it is kept in memory.
    ///
    /// It may also be given what opening a log came to, as in `.log(SqliteLog::open("runs.db"))`: an
    /// error is told with all others then.
    pub fn log(mut self, log: impl IntoLog) -> Self {
        self.log = Some(log.into_log());
        self
    }

    /// Sets the clock; by default it is the system's.
    ///
    /// It must run as fast as Tokio's: where the two part, the clock was set, which is told, and timeouts
    /// and other elapsed time go by Tokio's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Makes it the default session: it takes the tasks that register themselves, and `session()`
    /// tells it from now on.
    pub fn as_default(mut self) -> Self {
        self.as_default = true;
        self
    }

    /// Builds the session.
    ///
    /// # Errors
    ///
    /// All that is wrong with it at once: wrong or unknown names, wrong statements, missing
    /// parameters.
    pub fn build(self) -> Result<Session, BuildError> {
        let as_default = self.as_default;
        let (session, problems) = self.assemble();
        if !problems.is_empty() {
            return Err(BuildError::new(problems));
        }
        if as_default {
            default::set(&session);
        }
        Ok(session)
    }

    /// Builds the session and keeps what is wrong with it until it runs.
    pub(super) fn build_anyway(self) -> Session {
        let (session, problems) = self.assemble();
        session.state().problems = problems;
        session
    }

    #[cfg_attr(not(feature = "toml"), expect(unused_mut, reason = "files change the parts"))]
    fn assemble(mut self) -> (Session, Vec<BuildProblem>) {
        let mut problems = Vec::new();
        #[cfg(feature = "toml")]
        let mut settings = Vec::new();
        #[cfg(feature = "toml")]
        for source in self.settings {
            let (read, wrong) = super::settings::Settings::read(source, &mut self.config);
            settings.push(read);
            problems.extend(wrong);
        }
        let zone = match &self.config.timezone {
            Some(zone) => zone.clone(),
            None => Zone::system(),
        };
        let mut registry = Registry::new(zone);
        for custom in default::registered_conditions().into_iter().chain(self.customs) {
            problems.extend(registry.add_custom(custom).err());
        }
        for probe in self.probes {
            problems.extend(registry.add_probe(probe).err());
        }
        for (name, dates) in self.calendars.known(&mut problems) {
            registry.add_calendar(name, dates);
        }
        // The options decide how tasks are named; `shut_cond` may name tasks.
        let shut_cond = self.config.shut_cond.clone();
        let config = Config { shut_cond: None, ..self.config };
        problems.extend(registry.configure(config.clone()).err().into_iter().flatten());
        let mut tasks = if self.as_default { default::registered() } else { Vec::new() };
        tasks.extend(self.tasks);
        #[cfg(feature = "toml")]
        problems.extend(settings.iter().flat_map(|settings| settings.apply(&mut tasks)));
        let added = registry.add_all(tasks, &self.params);
        let whole = added.is_ok();
        problems.extend(added.err().into_iter().flatten());
        let config = Config { shut_cond, ..config };
        let wrong = registry.configure(config).err().into_iter().flatten();
        // Where tasks are wrong, none is known, and that `shut_cond` names one is not what is wrong.
        problems.extend(wrong.filter(|problem| whole || !problem.names_a_task()));
        #[cfg(feature = "toml")]
        super::settings::locate(&settings, &mut problems);
        let log = match self.log.or_else(|| DefaultLog::make().map(Ok)) {
            Some(Ok(log)) => log,
            problem => {
                problems.push(match problem {
                    Some(Err(error)) => BuildProblem::Log { error: format!("{error:?}") },
                    _ => BuildProblem::NoLog,
                });
                Arc::new(default::NoLog)
            }
        };
        let (requests, inbox) = mpsc::unbounded();
        let state = State {
            registry,
            params: Arc::new(self.params),
            running: false,
            problems: Vec::new(),
            health: Health::default(),
        };
        let session = Session(Arc::new(Inner {
            state: Mutex::new(state),
            log,
            clock: self.clock,
            requests,
            inbox: Mutex::new(Some(inbox)),
        }));
        (session, problems)
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("config", &self.config)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// A run log, a shared handle to one, or what opening one came to.
pub trait IntoLog {
    /// Makes a shared handle.
    fn into_log(self) -> Result<Arc<dyn RunLog>, LogError>;
}

impl<L: RunLog> IntoLog for L {
    fn into_log(self) -> Result<Arc<dyn RunLog>, LogError> {
        Ok(Arc::new(self))
    }
}

impl IntoLog for Arc<dyn RunLog> {
    fn into_log(self) -> Result<Arc<dyn RunLog>, LogError> {
        Ok(self)
    }
}

impl<L: IntoLog> IntoLog for Result<L, LogError> {
    fn into_log(self) -> Result<Arc<dyn RunLog>, LogError> {
        self.and_then(IntoLog::into_log)
    }
}

/// Why a session cannot be built: everything that is wrong with it.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError {
    problems: Vec<BuildProblem>,
}

/// One thing that is wrong with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildProblem {
    /// A condition is wrong; without a task, it is the session's `shut_cond`.
    Condition {
        /// The task.
        task: Option<Arc<str>>,
        /// What is wrong with it.
        error: CompileError,
    },
    /// Two tasks have one name, and `task_pre_exist` is `raise`.
    NameTaken {
        /// The name.
        name: Arc<str>,
    },
    /// A name is empty or has control characters.
    BadName {
        /// The name.
        name: String,
    },
    /// A closure has no name, and was given none.
    NoName,
    /// An argument of a task cannot be had.
    Argument {
        /// The task.
        task: Arc<str>,
        /// What is missing.
        reason: String,
    },
    /// A calendar has no name or that of another, or one of its dates is none.
    Calendar {
        /// The calendar.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two custom conditions have one name.
    ConditionTaken {
        /// The name.
        name: Arc<str>,
        /// Both, with the places in the source where they were made.
        conditions: [String; 2],
    },
    /// No text can call a probe by its name.
    ProbeName {
        /// The name.
        name: Arc<str>,
        /// Where it was given in the source.
        place: String,
    },
    /// The phrase of a custom condition is wrong.
    Phrase {
        /// The condition, with the place in the source where it was made.
        condition: String,
        /// What is wrong with its phrase.
        error: Arc<ParseError>,
    },
    /// Two phrases can read the same text.
    PhraseTaken {
        /// The phrases.
        phrases: [String; 2],
        /// Their conditions, with the places in the source where they were made.
        conditions: [String; 2],
    },
    /// The run log cannot be opened.
    Log {
        /// Why.
        error: String,
    },
    /// There is no run log.
    NoLog,
    /// A file of settings is wrong.
    #[cfg(feature = "toml")]
    #[cfg_attr(docsrs, doc(cfg(feature = "toml")))]
    Setting {
        /// What is wrong with it, and where.
        error: super::SettingError,
    },
}

impl BuildError {
    pub(super) fn new(problems: Vec<BuildProblem>) -> Self {
        Self { problems }
    }

    /// Tells all that is wrong.
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl BuildProblem {
    /// Tells whether it is about a name in a condition that no task has.
    fn names_a_task(&self) -> bool {
        matches!(self, Self::Condition { error: CompileError::UnknownTask { .. }, .. })
    }
}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition { task: Some(task), error } => {
                write!(f, "task `{task}`: {error}")
            }
            Self::Condition { task: None, error } => write!(f, "`shut_cond`: {error}"),
            Self::NameTaken { name } => write!(
                f,
                "there are two tasks `{name}`; name one of them otherwise, or set `task_pre_exist` \
                 to `replace`, `ignore` or `rename`"
            ),
            Self::BadName { name } => {
                write!(f, "`{}` is no name for a task", name.escape_debug())
            }
            Self::NoName => f.write_str(
                "a task of a closure has no name; give it one with `.named(..)`, or set \
                 `use_instance_naming`",
            ),
            Self::Argument { task, reason } => write!(f, "task `{task}`: {reason}"),
            Self::Calendar { name, reason } => {
                write!(f, "calendar `{}`: {reason}", name.escape_debug())
            }
            Self::ConditionTaken { conditions: [first, second], .. } => {
                write!(
                    f,
                    "two conditions have one name: {first} and {second}; give one of them another"
                )
            }
            Self::ProbeName { name, place } => write!(
                f,
                "no text can call a probe `{name}` ({place}); a name is a word such as \
                 `is_open`, of letters, digits and `_`"
            ),
            Self::Phrase { condition, error } => {
                write!(f, "the phrase of the condition {condition}: {error}")
            }
            Self::PhraseTaken { phrases, conditions } => write!(
                f,
                "`{}` of {} and `{}` of {} read the same texts; put one of them in other words",
                phrases[0], conditions[0], phrases[1], conditions[1]
            ),
            Self::Log { error } => write!(f, "the run log: {error}"),
            Self::NoLog => f.write_str("there is no run log; give the session one with `.log(..)`"),
            #[cfg(feature = "toml")]
            Self::Setting { error } => error.fmt(f),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => write!(f, "the session is wrong: {problem}"),
            problems => {
                write!(f, "{} things are wrong with the session:", problems.len())?;
                problems.iter().try_for_each(|problem| {
                    write!(f, "\n- {}", problem.to_string().replace('\n', "\n  "))
                })
            }
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}
