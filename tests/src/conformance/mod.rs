//! Conformance vectors: inputs with expected answers, one JSON object a line.
//!
//! The kind of a file is told from its name (`periods`, `zones`, `parse` ..). The cases lie
//! compressed in `tests/data/vectors`; other files of the same schemas can be run through the
//! program `conformance`.

pub mod conditions;
pub mod cron;
pub mod cron_zones;
pub mod parse;
pub mod periods;
pub mod timedelta;
pub mod zones;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is the expected one.
    Passed,
    /// It is not: what was expected and what was found.
    Failed(String),
    /// The form is refused, or read, on purpose (`docs/semantics.md`).
    Skipped(String),
}

/// Checks one case.
pub type Check = fn(&Value) -> Outcome;

/// The kinds of files, by the start of their names; longer names first.
pub const KINDS: &[(&str, Check)] = &[
    ("conditions", conditions::check),
    ("cron-zones", cron_zones::check),
    ("cron", cron::check),
    ("parse", parse::check),
    ("periods", periods::check),
    ("timedelta", timedelta::check),
    ("zones", zones::check),
];

/// Counts of outcomes, and a line for each case that failed.
#[derive(Debug, Default)]
pub struct Report {
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were skipped.
    pub skipped: usize,
    /// One line for each failed case.
    pub failures: Vec<String>,
}

impl Report {
    /// Runs the cases of one file, compressed (`.gz`) or not.
    pub fn run(&mut self, path: &Path) -> Result<(), String> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| format!("`{}` is no file", path.display()))?;
        let (_, check) = KINDS
            .iter()
            .find(|(kind, _)| name.starts_with(kind))
            .ok_or_else(|| format!("`{name}`: the name tells no kind of vectors"))?;
        let file = std::fs::File::open(path).map_err(|e| format!("`{}`: {e}", path.display()))?;
        let reader: Box<dyn Read> = if path.extension().is_some_and(|it| it == "gz") {
            Box::new(flate2::read::GzDecoder::new(file))
        } else {
            Box::new(file)
        };
        for (number, line) in BufReader::new(reader).lines().enumerate() {
            let line = line.map_err(|e| format!("`{}`: {e}", path.display()))?;
            if line.trim().is_empty() {
                continue;
            }
            let case: Value = serde_json::from_str(&line)
                .map_err(|e| format!("`{}` line {}: {e}", path.display(), number + 1))?;
            self.count(&case, check(&case));
        }
        Ok(())
    }

    fn count(&mut self, case: &Value, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Failed(why) => {
                self.failed += 1;
                self.failures.push(format!("{}: {why}", case["id"].as_str().unwrap_or("?")));
            }
        }
    }
}
