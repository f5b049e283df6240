//! A lint before it is known whose it is: conditions are shared by tasks, and so is what is found.

use std::sync::Arc;

use super::{Lint, LintCode, LintPlace};

/// What is the matter with a part of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) code: LintCode,
    pub(super) statement: String,
    pub(super) reason: String,
    pub(super) fix: String,
}

impl Finding {
    pub(super) fn new(
        code: LintCode,
        statement: &dyn ToString,
        reason: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let statement = statement.to_string();
        Self { code, statement, reason: reason.into(), fix: fix.into() }
    }

    /// Tells whose it is.
    pub(super) fn of(&self, task: Option<&Arc<str>>, place: LintPlace) -> Lint {
        Lint {
            code: self.code,
            task: task.cloned(),
            place,
            statement: self.statement.clone(),
            reason: self.reason.clone(),
            fix: self.fix.clone(),
        }
    }
}
