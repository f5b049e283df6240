//! Start conditions that no run uses up: while such a one holds, the task restarts at once.
//!
//! Of each part it is asked what a run of the own task that succeeds does to it at that instant: does
//! what is true stay true, and what is false stay false? Of what a run may change in its own way (a
//! custom condition, a parameter) neither is certain. What other tasks do is theirs, unless they in
//! turn look at this one; which tasks that hangs on is told too.

use super::LintCode;
use super::finding::Finding;
use crate::expr::{Count, Expr, Happening, Statement, Times};
use crate::period::Period;

/// A part that restarts its task at once.
#[derive(Clone, Debug)]
pub(super) struct Restarts {
    pub(super) finding: Finding,
    /// Only if none of these tasks looks at the own one.
    pub(super) unless: Vec<String>,
}

/// What a run of the own task that succeeds leaves as it is.
#[derive(Clone, Copy)]
struct Kept {
    truth: bool,
    falsehood: bool,
    /// Also since when it is so.
    whole: bool,
}

impl Kept {
    const ALL: Self = Self { truth: true, falsehood: true, whole: true };
    const NOTHING: Self = Self { truth: false, falsehood: false, whole: false };
    const TRUTH: Self = Self { truth: true, ..Self::NOTHING };
    const FALSEHOOD: Self = Self { falsehood: true, ..Self::NOTHING };

    fn and(self, other: Self) -> Self {
        Self {
            truth: self.truth && other.truth,
            falsehood: self.falsehood && other.falsehood,
            whole: self.whole && other.whole,
        }
    }

    /// Takes what is left where it matters since when a part is as it is.
    fn timed(self) -> Self {
        if self.whole { Self::ALL } else { Self::NOTHING }
    }
}

/// Finds the branches of a start condition that restart their task at once.
///
/// `never` tells of which branches it is known that they do not hold.
pub(super) fn restarts(expr: &Expr, owner: &str, never: &dyn Fn(&Expr) -> bool) -> Vec<Restarts> {
    let branches = match expr {
        Expr::Any(children) => children.as_slice(),
        other => std::slice::from_ref(other),
    };
    let restarting = |branch: &&Expr| kept(branch, owner).truth && !never(branch);
    branches.iter().filter(restarting).map(|branch| restart(branch, owner)).collect()
}

fn restart(branch: &Expr, owner: &str) -> Restarts {
    let mut unless = Vec::new();
    others(branch, owner, &mut unless);
    let fix = match branch {
        Expr::Statement(Statement::InPeriod { period: Times::Period(Period::Cycle(_)), .. }, _) => {
            format!(
                "add how often, as in `{branch} & every 10 min`, or say `daily ..` for once a day"
            )
        }
        Expr::Const(_)
        | Expr::Statement(Statement::InPeriod { period: Times::Period(Period::Always), .. }, _) => {
            "say how often instead, as in `every 10 min`".to_owned()
        }
        _ => "add how often, as in `.. & every 10 min`".to_owned(),
    };
    let fix = format!("{fix}; if it is to run without a pause, allow this lint");
    let reason = "restarts the task as soon as a run of it has succeeded, for as long as it holds: \
                  no run uses it up";
    Restarts { finding: Finding::new(LintCode::NeverPauses, branch, reason, fix), unless }
}

fn kept(expr: &Expr, owner: &str) -> Kept {
    match expr {
        Expr::Const(_) => Kept::ALL,
        Expr::Not(child) => {
            let Kept { truth, falsehood, whole } = kept(child, owner);
            Kept { truth: falsehood, falsehood: truth, whole }
        }
        Expr::All(children) | Expr::Any(children) => {
            children.iter().map(|child| kept(child, owner)).fold(Kept::ALL, Kept::and)
        }
        Expr::For(child, _) => kept(child, owner).timed(),
        Expr::Since(child, other) => kept(child, owner).and(kept(other, owner)).timed(),
        // A run makes it old.
        Expr::Newly(_) | Expr::Invalid(_) => Kept::NOTHING,
        Expr::Statement(statement, _) => statement_kept(statement, owner),
    }
}

fn statement_kept(statement: &Statement, owner: &str) -> Kept {
    let own = |task: &Option<String>| task.as_deref().is_none_or(|task| task == owner);
    match statement {
        Statement::InPeriod { .. }
        | Statement::SchedulerStarted(_)
        | Statement::SchedulerRunOver(_)
        | Statement::Env(_) => Kept::ALL,
        Statement::Cycles(Count::AtLeast(_) | Count::MoreThan(_)) => Kept::TRUTH,
        Statement::Has { task, event, count, .. } => match (own(task), event) {
            (true, Happening::Started | Happening::Succeeded | Happening::Finished) => {
                match count {
                    Count::AtLeast(_) | Count::MoreThan(_) => Kept::TRUTH,
                    Count::LessThan(_) | Count::AtMost(_) => Kept::FALSEHOOD,
                    Count::Exactly(_) | Count::Between(..) => Kept::NOTHING,
                }
            }
            _ => Kept::ALL,
        },
        Statement::Running { task, .. } if own(task) => Kept::FALSEHOOD,
        Statement::Running { .. } => Kept::ALL,
        // A window that is used up or not there does not come back, and a success is no failure.
        Statement::Once { .. } | Statement::Cron { .. } | Statement::Retry { .. } => {
            Kept::FALSEHOOD
        }
        // What a run may change itself, and what is not known here.
        _ => Kept::NOTHING,
    }
}

/// Lists the other tasks that a condition looks at.
fn others(expr: &Expr, owner: &str, found: &mut Vec<String>) {
    match expr {
        Expr::Not(child) | Expr::For(child, _) | Expr::Newly(child) => others(child, owner, found),
        Expr::Since(child, other) => {
            others(child, owner, found);
            others(other, owner, found);
        }
        Expr::All(children) | Expr::Any(children) => {
            for child in children {
                others(child, owner, found);
            }
        }
        Expr::Statement(Statement::Has { task, .. } | Statement::Running { task, .. }, _) => {
            found.extend(task.iter().filter(|task| *task != owner).cloned());
        }
        Expr::Const(_) | Expr::Invalid(_) | Expr::Statement(..) => {}
    }
}
