//! The language in one table: the parser reads statements by it, and the reference is made of it.
//!
//! Always: a first word has one rule, whichever form it stands in; each example parses, and is what
//! its Rust twin builds (`tests/reference.rs`). What is not in the table, the parser does not read.

mod markdown;
mod parts;
mod statements;

pub use markdown::markdown;
pub use parts::{OPERATORS, PARTS};
pub use statements::FORMS;

use std::sync::LazyLock;

/// A statement form.
#[derive(Debug)]
pub struct Form {
    /// What it is about.
    pub group: Group,
    /// The words that may begin it; none: any name does.
    pub begins: &'static [&'static str],
    /// The rule of the grammar that reads it.
    pub(super) rule: Rule,
    /// What there is to know about it.
    pub entry: Entry,
}

/// What there is to know about a statement or an operator.
#[derive(Debug)]
pub struct Entry {
    /// How it is written: `[..]` may be left out, `A|B` is either, capitals are explained.
    pub syntax: &'static str,
    /// When it holds.
    pub true_when: &'static str,
    /// When, or on what, that may change.
    pub wakes: &'static str,
    /// How far back it looks into the log.
    pub looks_back: &'static str,
    /// Some of it.
    pub examples: &'static [Example],
}

/// A condition as text, and what builds it in Rust.
#[derive(Debug)]
pub struct Example {
    /// The text.
    pub text: &'static str,
    /// The expression.
    pub rust: &'static str,
}

/// A part that statements have in common: points, durations, zones.
#[derive(Debug)]
pub struct Part {
    /// The name that it has in the syntax of statements, like `WINDOW`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Statements with it, and what it means there.
    pub examples: &'static [(&'static str, &'static str)],
}

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// How often the task runs.
    Repeats,
    /// The calendar and the clock.
    Time,
    /// Other tasks, and the past of this one.
    Tasks,
    /// The scheduler, parameters, the environment.
    Facts,
    /// Constants and conditions of one's own.
    Others,
}

impl Group {
    /// All groups, in reading order.
    pub const ALL: [Self; 5] = [Self::Repeats, Self::Time, Self::Tasks, Self::Facts, Self::Others];

    /// Tells what its statements are about, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Repeats => "How often",
            Self::Time => "When",
            Self::Tasks => "What tasks did and do",
            Self::Facts => "The scheduler, parameters, the environment",
            Self::Others => "Constants, and conditions of your own",
        }
    }
}

/// A rule of the grammar that reads a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Cycle,
    Once,
    Every,
    Cron,
    Time,
    On,
    Dates,
    After,
    OwnHistory,
    TaskHistory,
    OwnRunning,
    WhileRunning,
    Retry,
    Scheduler,
    Param,
    Env,
    Constant,
    Always,
    Never,
    Call,
}

/// The first words of statements, each with the rule that reads on.
static RULES: LazyLock<Vec<(&'static str, Rule)>> = LazyLock::new(|| {
    let mut rules: Vec<(&'static str, Rule)> = Vec::new();
    for form in FORMS {
        for word in form.begins {
            if !rules.iter().any(|(known, _)| known == word) {
                rules.push((word, form.rule));
            }
        }
    }
    rules
});

/// Finds the rule of a statement by its first word.
pub(super) fn rule_of(word: &str) -> Option<Rule> {
    RULES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, rule)| *rule)
}

/// Lists the words that begin a statement.
pub(super) fn first_words() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(word, _)| *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_word_has_one_rule_in_all_forms() {
        for form in FORMS {
            for word in form.begins {
                assert_eq!(rule_of(word), Some(form.rule), "`{word}` of `{}`", form.entry.syntax);
            }
        }
    }
}
