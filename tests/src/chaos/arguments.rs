//! What the command is told.
//!
//! Always: all that is wrong is told at once.

use std::time::Duration;

/// How to call it.
pub const USAGE: &str = "usage: chaos [--url ADDRESS] [--nodes N] [--tasks N] [--secs N] [--seed N]
             [--protocol redengine|naive]

Runs nodes as processes on one run log, disturbs them and the log, and proves from the log and from
what the runs did that none ran twice and none was lost.

  --url       sqlite:runs.db, postgres://user@host/database?schema=name, or `postgres`: a server of its
              own, which is stopped and started too; default: an SQLite file in a temporary folder
  --nodes     processes (4)
  --tasks     tasks that each of them has (40)
  --secs      for how long (30)
  --seed      which faults (random)
  --protocol  naive: look, then append whatever the log has become since; must be found out";

/// How a node appends a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Compare and append, with leases.
    RedEngine,
    /// Look, then append.
    Naive,
}

impl Protocol {
    /// Tells its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RedEngine => "redengine",
            Self::Naive => "naive",
        }
    }

    /// Reads its name.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn read(text: &str) -> Result<Self, String> {
        let named = [Self::RedEngine, Self::Naive].into_iter().find(|one| one.as_str() == text);
        named.ok_or_else(|| format!("`{text}` is no protocol; there are `redengine` and `naive`"))
    }
}

/// What the command is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The address of the run log; `None`: an SQLite file in a temporary folder.
    pub url: Option<String>,
    /// How many processes.
    pub nodes: usize,
    /// How many tasks each of them has.
    pub tasks: usize,
    /// For how long.
    pub time: Duration,
    /// Which faults.
    pub seed: u64,
    /// How a node appends a start.
    pub protocol: Protocol,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// All that is wrong with them, one a line.
    pub fn read(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            url: None,
            nodes: 4,
            tasks: 40,
            time: Duration::from_secs(30),
            seed: fastrand::u64(..1_000_000),
            protocol: Protocol::RedEngine,
        };
        let mut problems = Vec::new();
        let mut words = words.into_iter();
        while let Some(name) = words.next() {
            if !["--url", "--nodes", "--tasks", "--secs", "--seed", "--protocol"].contains(&&*name)
            {
                problems.push(format!("unknown argument `{name}`"));
                continue;
            }
            let Some(value) = words.next() else {
                problems.push(format!("`{name}` needs a value"));
                break;
            };
            if let Err(why) = arguments.set(&name, value) {
                problems.push(format!("{name}: {why}"));
            }
        }
        if problems.is_empty() { Ok(arguments) } else { Err(problems.join("\n")) }
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        let count = || match number()? {
            0 => Err("at least 1 is needed".to_owned()),
            count => usize::try_from(count).map_err(|_| format!("`{value}` is too many")),
        };
        match name {
            "--nodes" => self.nodes = count()?,
            "--tasks" => self.tasks = count()?,
            "--secs" => self.time = Duration::from_secs(number()?),
            "--seed" => self.seed = number()?,
            "--protocol" => self.protocol = Protocol::read(&value)?,
            _ => self.url = Some(value),
        }
        Ok(())
    }
}
