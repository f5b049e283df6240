//! The options of a session, their defaults, and how they are read from text.
//!
//! Always: an option that is not known is an error with a suggestion, never ignored.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::error::nearest;
use crate::expr::Expr;
use crate::task::Execution;
use crate::time::{Zone, duration};

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
    /// Whether statements about tasks read the run log each time, and so see what other programs
    /// write, instead of the facts in memory.
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
const OPTIONS: [&str; 19] = [
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
        let problems: Vec<String> = options.into_iter().filter_map(set).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems)) }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let wrong =
            |expected: &str| format!("option `{key}` must be {expected}, but it is {value}");
        let word = || value.as_str().ok_or_else(|| wrong("a text"));
        let flag = || value.as_bool().ok_or_else(|| wrong("true or false"));
        let time = || match value {
            Value::String(text) => {
                duration::parse(text).map_err(|error| format!("option `{key}`: {error}"))
            }
            Value::Number(seconds) => seconds
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| wrong("a number of seconds that is not negative")),
            _ => Err(wrong("a duration: a text like '10 s', or a number of seconds")),
        };
        let or_none = |read: &dyn Fn() -> Result<Duration, String>| match value {
            Value::Null => Ok(None),
            _ => read().map(Some),
        };
        match key {
            "task_pre_exist" => self.task_pre_exist = word()?.parse()?,
            "use_instance_naming" => self.use_instance_naming = flag()?,
            "silence_task_prerun" => self.silence_task_prerun = flag()?,
            "silence_cond_check" => self.silence_cond_check = flag()?,
            "force_status_from_logs" => self.force_status_from_logs = flag()?,
            "cycle_sleep" => self.cycle_sleep = or_none(&time)?,
            "task_execution" => {
                self.task_execution = serde_json::from_value(value.clone())
                    .map_err(|_| wrong("`async` or `thread`"))?;
            }
            "task_priority" => {
                let priority = value.as_i64().and_then(|priority| i32::try_from(priority).ok());
                self.task_priority = priority.ok_or_else(|| wrong("a whole number"))?;
            }
            "timeout" => {
                self.timeout = match or_none(&time)? {
                    Some(Duration::ZERO) => {
                        return Err(wrong("more than nothing, or null for none"));
                    }
                    timeout => timeout,
                };
            }
            "shut_cond" => {
                self.shut_cond = match value {
                    Value::Null => None,
                    _ => Some(word()?.parse().map_err(|error| format!("option `{key}`: {error}"))?),
                };
            }
            "shutdown_deadline" => self.shutdown_deadline = time()?,
            "termination_grace" => self.termination_grace = time()?,
            "timezone" => {
                self.timezone = match value {
                    Value::Null => None,
                    _ => Some(
                        Zone::named(word()?).map_err(|error| format!("option `{key}`: {error}"))?,
                    ),
                };
            }
            "probe_interval" => self.probe_interval = time()?,
            "on_log_failure" => {
                self.on_log_failure = match word()? {
                    "hold" => OnLogFailure::Hold,
                    "stop" => OnLogFailure::Stop,
                    _ => return Err(wrong("`hold` or `stop`")),
                };
            }
            "retention" => {
                self.retention = match or_none(&time)? {
                    Some(Duration::ZERO) => {
                        return Err(wrong("more than nothing, or null for ever"));
                    }
                    retention => retention,
                };
            }
            "retention_records" => {
                self.retention_records = match value {
                    Value::Null => None,
                    _ => Some(value.as_u64().ok_or_else(|| wrong("a whole number, or null"))?),
                };
            }
            "node_labels" => {
                let label = |label: &Value| label.as_str().map(Arc::from);
                let labels =
                    value.as_array().map(|labels| labels.iter().map(label).collect::<Option<_>>());
                self.node_labels = labels.flatten().ok_or_else(|| wrong("a list of texts"))?;
            }
            "lease" => {
                let lease = time()?;
                if lease < SHORTEST_LEASE {
                    return Err(wrong("a second or more: it is renewed three times in that time"));
                }
                self.lease = lease;
            }
            _ => {
                let help = nearest(key, OPTIONS).map(|near| format!("; did you mean `{near}`?"));
                let help =
                    help.unwrap_or_else(|| format!("; the options are {}", OPTIONS.join(", ")));
                return Err(format!("unknown option `{key}`{help}"));
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for OnConflict {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "raise" => Ok(Self::Raise),
            "replace" => Ok(Self::Replace),
            "ignore" => Ok(Self::Ignore),
            "rename" => Ok(Self::Rename),
            _ => {
                let near = nearest(word, ["raise", "replace", "ignore", "rename"]);
                let help = near.map(|near| format!("; did you mean `{near}`?"));
                let help =
                    help.unwrap_or_else(|| "; it is raise, replace, ignore or rename".into());
                Err(format!("unknown `task_pre_exist` `{word}`{help}"))
            }
        }
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
