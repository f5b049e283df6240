//! Conformance vectors: inputs with expected answers, one JSON object a line.
//!
//! The kind of a file is told from its name (`periods`, `zones`, `parse` ..). The cases lie
//! compressed in `tests/data/vectors`; other files of the same schemas can be run through the
//! program `conformance`. What is expected comes from the case alone, never from its id.

pub mod conditions;
pub mod cron;
pub mod cron_zones;
pub mod extensions;
pub mod parse;
pub mod periods;
pub mod timedelta;
pub mod zones;

use std::collections::BTreeMap;
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
    /// The form is refused, or read, on purpose (`docs/semantics.md`), or the case has no answer.
    Skipped(String),
}

/// Checks one case.
pub type Check = fn(&Value) -> Outcome;

/// The kinds of files.
pub const KINDS: [(&str, Check); 7] = [
    ("conditions", conditions::check),
    ("cron-zones", cron_zones::check),
    ("cron", cron::check),
    ("parse", parse::check),
    ("periods", periods::check),
    ("timedelta", timedelta::check),
    ("zones", zones::check),
];

/// Why a disputed case without an answer is skipped.
const NOTE: &str = "disputed, and only noted: the rule is in `docs/semantics.md`";

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
    /// How many were skipped for which reason.
    pub reasons: BTreeMap<String, usize>,
}

impl Report {
    /// Runs the cases of one file, compressed (`.gz`) or not.
    ///
    /// # Errors
    ///
    /// If its name tells no kind, or it cannot be read: all lines that hold no case, by file and line.
    /// The others are counted all the same.
    pub fn run(&mut self, path: &Path) -> Result<(), Vec<String>> {
        let at = path.display();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| vec![format!("{at}: this is no file")])?;
        let (kind, check) = kind_of(&name).ok_or_else(|| {
            let kinds = KINDS.map(|(kind, _)| kind).join(", ");
            vec![format!("{at}: the name tells no kind of vectors; one of {kinds} must be in it")]
        })?;
        let unreadable = |error| vec![format!("{at}: {error}")];
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let reader: Box<dyn Read> = if path.extension().is_some_and(|it| it == "gz") {
            Box::new(flate2::read::MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut broken = Vec::new();
        for (number, line) in (1..).zip(BufReader::new(reader).lines()) {
            let line = match line {
                Ok(line) => line,
                Err(error) => {
                    broken.push(format!("{at}:{number}: {error}"));
                    break;
                }
            };
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Value>(&line) {
                Ok(case) if case.is_object() => {
                    let place = || format!("{kind} {at}:{number}");
                    let id = case["id"].as_str().map_or_else(place, str::to_owned);
                    self.count(&id, check(&case));
                }
                Ok(_) => broken.push(format!("{at}:{number}: the line is no JSON object")),
                // The place is that of the file, not of the line.
                Err(error) => {
                    let column = error.column();
                    let text = error.to_string();
                    let why = text.split(" at line ").next().unwrap_or_default();
                    broken.push(format!("{at}:{number}:{column}: {why}"));
                }
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    fn count(&mut self, id: &str, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Skipped(why) => {
                self.skipped += 1;
                *self.reasons.entry(why).or_default() += 1;
            }
            Outcome::Failed(why) => {
                self.failed += 1;
                // Errors of texts have several lines; a failure has one.
                let lines: Vec<&str> = why.lines().map(str::trim).collect();
                self.failures.push(format!("{id}: {}", lines.join(" ")));
            }
        }
    }
}

/// Finds the kind that a file's name tells: `hidden-cron-zones_2.jsonl` has `cron-zones`.
///
/// The longest counts, so that `cron-zones` is neither `cron` nor `zones`.
fn kind_of(name: &str) -> Option<(&'static str, Check)> {
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
    };
    let name = letters(name);
    let told = KINDS.into_iter().filter(|(kind, _)| name.contains(&letters(kind)));
    told.max_by_key(|(kind, _)| kind.len())
}

#[cfg(test)]
mod tests {
    use super::kind_of;

    #[test]
    fn the_kind_is_told_from_the_name() {
        let kind = |name| kind_of(name).map(|(kind, _)| kind);
        assert_eq!(kind("hidden-cron-zones.jsonl"), Some("cron-zones"));
        assert_eq!(kind("zones_2.jsonl.gz"), Some("zones"));
        assert_eq!(kind("cron_zones3.jsonl"), Some("cron-zones"));
        assert_eq!(kind("more.CRON.jsonl"), Some("cron"));
        assert_eq!(kind("vectors.jsonl"), None);
    }
}
