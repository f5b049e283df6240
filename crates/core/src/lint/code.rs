//! The codes of lints: stable names, for configuration and for looking up.

use std::fmt;
use std::str::FromStr;

use crate::error::{did_you_mean, nearest};

/// The kind of a lint. `docs/lints.md` has an entry for each.
///
/// ```
/// use redengine_core::lint::LintCode;
///
/// assert_eq!("never-holds".parse(), Ok(LintCode::NeverHolds));
/// assert_eq!(
///     "never-hold".parse::<LintCode>().unwrap_err().to_string(),
///     "unknown lint `never-hold`; did you mean `never-holds`?",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LintCode {
    /// A condition, or a branch of it, that can never hold.
    NeverHolds,
    /// A window or a cron expression that no calendar has.
    ImpossibleDate,
    /// A task that cannot start for the first time by itself.
    NeverStarts,
    /// Tasks that wait for each other, so that none can be the first.
    AfterCycle,
    /// A start condition that no run uses up: the task restarts as soon as it has succeeded.
    NeverPauses,
    /// `every` beside a cycle, which holds only once in each window.
    OnceAndEvery,
    /// A day that some months lack.
    MissingDays,
    /// A window that is shorter than the task's usual run.
    WindowTooShort,
    /// Dates on which the clock is set, and a window is not what is written.
    ClockChange,
}

impl LintCode {
    /// All codes.
    pub const ALL: [Self; 9] = [
        Self::NeverHolds,
        Self::ImpossibleDate,
        Self::NeverStarts,
        Self::AfterCycle,
        Self::NeverPauses,
        Self::OnceAndEvery,
        Self::MissingDays,
        Self::WindowTooShort,
        Self::ClockChange,
    ];

    /// Tells its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverHolds => "never-holds",
            Self::ImpossibleDate => "impossible-date",
            Self::NeverStarts => "never-starts",
            Self::AfterCycle => "after-cycle",
            Self::NeverPauses => "never-pauses",
            Self::OnceAndEvery => "once-and-every",
            Self::MissingDays => "missing-days",
            Self::WindowTooShort => "window-too-short",
            Self::ClockChange => "clock-change",
        }
    }
}

impl fmt::Display for LintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no code of a lint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown lint `{code}`; {}", help(suggestion.as_deref()))]
pub struct UnknownLintCode {
    /// The word.
    pub code: String,
    /// The code that was likely meant.
    pub suggestion: Option<&'static str>,
}

fn help(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(near) => did_you_mean(near),
        None => format!("the lints are {}", LintCode::ALL.map(LintCode::as_str).join(", ")),
    }
}

impl FromStr for LintCode {
    type Err = UnknownLintCode;

    fn from_str(word: &str) -> Result<Self, UnknownLintCode> {
        Self::ALL.into_iter().find(|code| code.as_str() == word).ok_or_else(|| UnknownLintCode {
            code: word.to_owned(),
            suggestion: nearest(word, Self::ALL.map(Self::as_str)),
        })
    }
}
