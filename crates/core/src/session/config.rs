//! The options of a session, their defaults, and how they are read from text.
//!
//! Always: an option that is not known is an error with a suggestion, never ignored.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::value::{
    Read, Wrong, condition, count, execution, flag, or_none, priority, time, timeout, word, zone,
};
use crate::error::{did_you_mean, nearest};
use crate::expr::Expr;
use crate::lint::LintCode;
use crate::task::Execution;
use crate::time::Zone;

/// The options of a session.
///
/// ```
/// use redengine_core::Config;
///
/// let config: Config = serde_json::from_str(r#"{ "cycle_sleep": "100 ms" }"#).unwrap();
/// assert_eq!(config.cycle_sleep, Some(std::time::Duration::from_millis(100)));
///
/// let error = serde_json::from_str::<Config>(r#"{ "cycle_slep": 1 }"#).unwrap_err();
/// assert!(error.to_string().contains("unknown option `cycle_slep`; did you mean `cycle_sleep`?"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "the names and kinds of options are fixed")]
pub struct Config {
    /// What happens when a task is added under a name that exists.
    pub task_pre_exist: OnConflict,
    /// Whether a task without a name gets an instance id as its name (`task-1`, `task-2` .. in the
    /// order in which they are added) instead of the function's name.
    pub use_instance_naming: bool,
    /// What happens when a run fails outside its body (an argument, a spawn). It is always recorded
    /// as `run` and `fail`; true: the scheduler goes on, false: it shuts down in order, and running
    /// the session returns that error.
    pub silence_task_prerun: bool,
    /// What happens when a condition is in error. It never starts or stops anything; true: the
    /// scheduler goes on, false: it shuts down in order, and running the session returns the error.
    pub silence_cond_check: bool,
    /// Whether statements about tasks read the run log each time instead of the facts in memory, which
    /// follow it. What is launched is the same.
    pub force_status_from_logs: bool,
    /// The least time from one cycle to the next; `None`: a cycle begins as soon as something can
    /// have changed.
    pub cycle_sleep: Option<Duration>,
    /// Where async tasks run that do not say.
    pub task_execution: Execution,
    /// The priority of tasks that do not say.
    pub task_priority: i32,
    /// After how long runs are stopped whose task does not say.
    pub timeout: Option<Duration>,
    /// The session ends in order when this holds.
    pub shut_cond: Option<Expr>,
    /// How long live runs may go on when the session ends.
    pub shutdown_deadline: Duration,
    /// How long a run that was told to stop has for it.
    pub termination_grace: Duration,
    /// The zone of conditions that name none; `None`: the system's. Set it when the session is
    /// built: later changes have no effect.
    pub timezone: Option<Zone>,
    /// The time from one answer of a probe to the next question.
    pub probe_interval: Duration,
    /// What happens when the run log does not answer.
    pub on_log_failure: OnLogFailure,
    /// How old records may become before they are removed from the log; `None`: they stay. What
    /// conditions and return values need stays in any case.
    pub retention: Option<Duration>,
    /// How many records of each task stay in the log; `None`: all. What conditions and return values
    /// need stays in any case.
    pub retention_records: Option<u64>,
    /// What this session is good for: a task that says `on = "gpu"` runs only where there is `gpu`.
    /// Set it when the session is built: later changes have no effect.
    pub node_labels: Vec<Arc<str>>,
    /// On a log that many machines share: after how long without a sign of life a session counts as
    /// gone, so that others take over.
    pub lease: Duration,
    /// The lints that are not told, as `["missing-days"]`: see [`Session::lints`](crate::Session::lints).
    pub allowed_lints: Vec<LintCode>,
}

/// What happens when the run log does not answer. Nothing starts then in any case, live runs go on,
/// and their ends are written when it answers again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnLogFailure {
    /// The session waits until it answers again.
    #[default]
    Hold,
    /// The session shuts down in order, and running it returns the error.
    Stop,
}

/// What happens when a task is added under a name that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnConflict {
    /// It is an error.
    #[default]
    Raise,
    /// The new task takes the name and the history; live runs of the old one end as they would.
    Replace,
    /// The new task is left out.
    Ignore,
    /// The new task gets the first free one of `name - 1`, `name - 2` ..
    Rename,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            task_pre_exist: OnConflict::Raise,
            use_instance_naming: false,
            silence_task_prerun: true,
            silence_cond_check: true,
            force_status_from_logs: false,
            cycle_sleep: None,
            task_execution: Execution::Async,
            task_priority: 0,
            timeout: None,
            shut_cond: None,
            shutdown_deadline: Duration::from_secs(30),
            termination_grace: Duration::from_secs(5),
            timezone: None,
            probe_interval: Duration::from_millis(100),
            on_log_failure: OnLogFailure::Hold,
            retention: None,
            retention_records: None,
            node_labels: Vec::new(),
            lease: Duration::from_secs(15),
            allowed_lints: Vec::new(),
        }
    }
}

/// Options that cannot be read: all that is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// Tells all that is wrong.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// A shorter lease would end while a busy machine is late with renewing it.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// The names of the options.
pub(super) const OPTIONS: [&str; 20] = [
    "task_pre_exist",
    "use_instance_naming",
    "silence_task_prerun",
    "silence_cond_check",
    "force_status_from_logs",
    "cycle_sleep",
    "task_execution",
    "task_priority",
    "timeout",
    "shut_cond",
    "shutdown_deadline",
    "termination_grace",
    "timezone",
    "probe_interval",
    "on_log_failure",
    "retention",
    "retention_records",
    "node_labels",
    "lease",
    "allowed_lints",
];

impl Config {
    /// Sets options by name.
    ///
    /// # Errors
    ///
    /// All options that are not known or have no such value; the others are set all the same.
    pub fn set_all<'a>(
        &mut self,
        options: impl IntoIterator<Item = (&'a str, &'a Value)>,
    ) -> Result<(), ConfigError> {
        let set = |(key, value)| self.set(key, value).err();
        let wrong = options.into_iter().filter_map(set);
        let problems: Vec<String> = wrong.map(|wrong| wrong.to_string()).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems)) }
    }

    pub(super) fn set(&mut self, key: &str, value: &Value) -> Read<()> {
        match key {
            "task_pre_exist" => self.task_pre_exist = conflict(word(key, value)?)?,
            "use_instance_naming" => self.use_instance_naming = flag(key, value)?,
            "silence_task_prerun" => self.silence_task_prerun = flag(key, value)?,
            "silence_cond_check" => self.silence_cond_check = flag(key, value)?,
            "force_status_from_logs" => self.force_status_from_logs = flag(key, value)?,
            "cycle_sleep" => self.cycle_sleep = or_none(value, || time(key, value))?,
            "task_execution" => self.task_execution = execution(key, value)?,
            "task_priority" => self.task_priority = priority(key, value)?,
            "timeout" if value == "never" => self.timeout = None,
            "timeout" => self.timeout = or_none(value, || timeout(key, value))?,
            "shut_cond" => self.shut_cond = or_none(value, || condition(key, value))?,
            "shutdown_deadline" => self.shutdown_deadline = time(key, value)?,
            "termination_grace" => self.termination_grace = time(key, value)?,
            "timezone" => self.timezone = or_none(value, || zone(key, value))?,
            "probe_interval" => self.probe_interval = time(key, value)?,
            "on_log_failure" => self.on_log_failure = on_log_failure(word(key, value)?)?,
            "retention" => self.retention = or_none(value, || timeout(key, value))?,
            "retention_records" => {
                self.retention_records = or_none(value, || count(key, value))?;
            }
            "node_labels" => self.node_labels = labels(key, value)?,
            "lease" => self.lease = lease(key, value)?,
            "allowed_lints" => self.allowed_lints = lint_codes(key, value)?,
            _ => {
                let help = match nearest(key, OPTIONS) {
                    Some(near) => did_you_mean(near),
                    None => format!("the options are {}", OPTIONS.join(", ")),
                };
                return Err(Wrong::Name { message: format!("unknown option `{key}`"), help });
            }
        }
        Ok(())
    }
}

/// What `task_pre_exist` may be.
const CONFLICTS: [(&str, OnConflict); 4] = [
    ("raise", OnConflict::Raise),
    ("replace", OnConflict::Replace),
    ("ignore", OnConflict::Ignore),
    ("rename", OnConflict::Rename),
];

fn conflict(word: &str) -> Read<OnConflict> {
    let known = CONFLICTS.iter().find(|(name, _)| *name == word);
    known.map(|(_, conflict)| *conflict).ok_or_else(|| {
        let help = match nearest(word, CONFLICTS.map(|(name, _)| name)) {
            Some(near) => did_you_mean(near),
            None => "it is raise, replace, ignore or rename".to_owned(),
        };
        Wrong::Value { message: format!("unknown `task_pre_exist` `{word}`"), help: Some(help) }
    })
}

/// What `on_log_failure` may be.
const ON_LOG_FAILURE: [(&str, OnLogFailure); 2] =
    [("hold", OnLogFailure::Hold), ("stop", OnLogFailure::Stop)];

fn on_log_failure(word: &str) -> Read<OnLogFailure> {
    let known = ON_LOG_FAILURE.iter().find(|(name, _)| *name == word);
    known.map(|(_, choice)| *choice).ok_or_else(|| {
        let help = match nearest(word, ON_LOG_FAILURE.map(|(name, _)| name)) {
            Some(near) => did_you_mean(near),
            None => "it is hold or stop".to_owned(),
        };
        Wrong::Value { message: format!("unknown `on_log_failure` `{word}`"), help: Some(help) }
    })
}

fn labels(key: &str, value: &Value) -> Read<Vec<Arc<str>>> {
    let labels = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Option<Vec<Arc<str>>> =
        labels.iter().map(|label| label.as_str().map(Arc::from)).collect();
    texts.filter(|_| value.is_array()).ok_or_else(|| Wrong::expected(key, "a list of texts", value))
}

fn lease(key: &str, value: &Value) -> Read<Duration> {
    let lease = time(key, value)?;
    if lease < SHORTEST_LEASE {
        let expected = "a second or more, as it is renewed three times in that time";
        return Err(Wrong::expected(key, expected, value));
    }
    Ok(lease)
}

/// Reads a list of lints; all that are wrong are told.
fn lint_codes(key: &str, value: &Value) -> Read<Vec<LintCode>> {
    let wrong = || Wrong::expected(key, "a list of lints", value);
    let words = value.as_array().ok_or_else(wrong)?;
    let mut codes = Vec::with_capacity(words.len());
    let mut problems = Vec::new();
    for word in words {
        match word.as_str().ok_or_else(wrong)?.parse() {
            Ok(code) => codes.push(code),
            Err(error) => problems.push(format!("option `{key}`: {error}")),
        }
    }
    if problems.is_empty() {
        Ok(codes)
    } else {
        Err(Wrong::Value { message: problems.join("\n"), help: None })
    }
}

impl std::str::FromStr for OnConflict {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        conflict(word).map_err(|wrong| wrong.to_string())
    }
}

impl<'de> serde::Deserialize<'de> for Config {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let options = BTreeMap::<String, Value>::deserialize(from)?;
        let mut config = Self::default();
        config
            .set_all(options.iter().map(|(key, value)| (key.as_str(), value)))
            .map_err(serde::de::Error::custom)?;
        Ok(config)
    }
}
