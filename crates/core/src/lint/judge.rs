//! What can never hold: a condition as a whole, and parts of it that are of no use therefore.
//!
//! Two things are told of each part: that it is never true, and that it is never false. `~` swaps
//! them, and what is in error or not known yet is neither; so both are certain whatever goes wrong.

use super::LintCode;
use super::contradiction::{Pair, contradiction};
use super::finding::Finding;
use super::first_start::{Assumed, Past, held_up};
use super::meet::{Meetings, Occurs};
use crate::expr::{Count, Expr, LookBack, Statement, Times};
use crate::period::Period;
use crate::time::Zone;

/// Members of an `&` are not compared with each other if there are more.
const MEMBERS: usize = 64;

/// Judges the conditions of one owner.
pub(super) struct Judge<'a> {
    pub(super) meetings: &'a Meetings,
    /// The session's zone.
    pub(super) zone: &'a Zone,
    /// The task that owns the condition; `shut_cond` has none.
    pub(super) owner: Option<&'a str>,
}

/// What is certain of a part.
#[derive(Default)]
pub(super) struct Judged {
    /// It is never true, and why.
    pub(super) never: Option<Vec<Finding>>,
    /// It is never false.
    always: bool,
    /// It is true only in this period.
    within: Option<(Period, Zone)>,
    /// Parts of it that are never true, though it may be.
    pub(super) inner: Vec<Finding>,
}

impl Judged {
    fn never(finding: Finding) -> Self {
        Self { never: Some(vec![finding]), ..Self::default() }
    }

    fn always() -> Self {
        Self { always: true, ..Self::default() }
    }
}

impl Judge<'_> {
    pub(super) fn judge(&self, expr: &Expr) -> Judged {
        match expr {
            Expr::Const(true) => Judged::always(),
            Expr::Const(false) => Judged::never(Finding::new(
                LintCode::NeverHolds,
                expr,
                "never holds",
                "leave it out; a task that is to run on request only can be disabled",
            )),
            Expr::Not(child) => self.not(child),
            Expr::All(children) => self.all(children),
            Expr::Any(children) => self.any(children),
            // These are true only while their first part is.
            Expr::For(child, _) | Expr::Newly(child) => {
                Judged { always: false, ..self.judge(child) }
            }
            Expr::Since(child, other) => {
                let mut judged = Judged { always: false, ..self.judge(child) };
                judged.inner.extend(self.judge(other).inner);
                judged
            }
            Expr::Statement(statement, _) => self.statement(statement),
            Expr::Invalid(_) => Judged::default(),
        }
    }

    fn not(&self, child: &Expr) -> Judged {
        let judged = self.judge(child);
        let mut inner = judged.inner;
        let mut always = false;
        if let Some(why) = judged.never {
            always = true;
            // `~false` and `~never` say what they mean.
            let plain = matches!(
                child,
                Expr::Const(_)
                    | Expr::Statement(
                        Statement::InPeriod { period: Times::Period(Period::Never), .. },
                        _
                    )
            );
            if !plain {
                inner.extend(why);
            }
        }
        let never = judged.always.then(|| {
            let text = Expr::Not(Box::new(child.clone()));
            let reason = format!("never holds: `{child}` always does");
            vec![Finding::new(LintCode::NeverHolds, &text, reason, "leave it out")]
        });
        Judged { never, always, within: None, inner }
    }

    fn all(&self, children: &[Expr]) -> Judged {
        let mut judged: Vec<Judged> = children.iter().map(|child| self.judge(child)).collect();
        let never = judged.iter_mut().find_map(|child| child.never.take());
        let never = never.or_else(|| {
            (children.len() <= MEMBERS).then(|| self.clash(children, &judged)).flatten()
        });
        let always = judged.iter().all(|child| child.always);
        let within = join(judged.iter().filter_map(|child| child.within.clone()));
        Judged { never, always, within, inner: inner(judged) }
    }

    fn any(&self, children: &[Expr]) -> Judged {
        let mut judged: Vec<Judged> = children.iter().map(|child| self.judge(child)).collect();
        let tautology = || {
            let opposite = |one: &Expr, other: &Expr| {
                matches!(one, Expr::Not(inner) if **inner == *other) && one.says_all()
            };
            children.len() <= MEMBERS
                && children.iter().any(|one| children.iter().any(|other| opposite(one, other)))
        };
        let always = judged.iter().any(|child| child.always) || tautology();
        let never = judged.iter().all(|child| child.never.is_some());
        let found: Vec<Finding> =
            judged.iter_mut().filter_map(|child| child.never.take()).flatten().collect();
        if never {
            return Judged { never: Some(found), always, within: None, inner: inner(judged) };
        }
        let within = either(judged.iter().map(|child| child.within.clone()));
        let mut inner = inner(judged);
        inner.extend(found);
        Judged { never: None, always, within, inner }
    }

    /// Finds members that are never true together.
    fn clash(&self, children: &[Expr], judged: &[Judged]) -> Option<Vec<Finding>> {
        let pairs = children.iter().enumerate();
        let mut pairs =
            pairs.flat_map(|(i, one)| children.iter().skip(i + 1).map(move |other| (one, other)));
        let found = pairs.find_map(|(one, other)| {
            let Pair { reason, fix } = contradiction(one, other, self.owner)?;
            let both = Expr::all([one.clone(), other.clone()]);
            Some(Finding::new(LintCode::NeverHolds, &both, format!("never holds: {reason}"), fix))
        });
        found.or_else(|| self.apart(children, judged)).map(|finding| vec![finding])
    }

    /// Finds windows that no instant is in all of.
    fn apart(&self, children: &[Expr], judged: &[Judged]) -> Option<Finding> {
        let windows: Vec<(&Expr, &Period, &Zone)> = children
            .iter()
            .zip(judged)
            .filter_map(|(child, judged)| {
                let (period, zone) = judged.within.as_ref()?;
                Some((child, period, zone))
            })
            .collect();
        let apart = |windows: &[(&Expr, &Period, &Zone)]| {
            let zone = windows.first()?.2;
            if windows.iter().any(|window| window.2 != zone) {
                return None;
            }
            let periods = windows.iter().map(|window| window.1.clone()).collect();
            let occurs = self.meetings.occurs(&Period::All(periods), zone);
            let text = Expr::all(windows.iter().map(|window| window.0.clone()));
            out_of_reach(occurs, &text, "no instant is in all of these periods")
        };
        // Two of them are easier to understand than all.
        for (i, one) in windows.iter().enumerate() {
            for other in &windows[i + 1..] {
                if let Some(finding) = apart(&[*one, *other]) {
                    return Some(finding);
                }
            }
        }
        (windows.len() > 2).then(|| apart(&windows)).flatten()
    }

    fn statement(&self, statement: &Statement) -> Judged {
        let zoned = |zone: &Option<Zone>| zone.clone().unwrap_or_else(|| self.zone.clone());
        match statement {
            Statement::InPeriod { period: Times::Period(Period::Always), .. } => Judged::always(),
            Statement::InPeriod { period, zone } | Statement::Once { period, zone, .. } => {
                // What a named calendar holds is not known here.
                let period = period.known(self.owner.unwrap_or_default());
                period
                    .map(|period| self.window(statement, &period, zoned(zone)))
                    .unwrap_or_default()
            }
            Statement::Cron { cron, within, zone } => {
                let period = Period::Cron(cron.spread(self.owner.unwrap_or_default()));
                let mut judged = self.window(statement, &period, zoned(zone));
                if within.is_some() {
                    // It may hold after the minute that matches.
                    judged.within = None;
                }
                judged
            }
            Statement::Has { count, within, .. } => self.has(statement, *count, within),
            Statement::Retry { count: Some(0), .. } => Judged::never(Finding::new(
                LintCode::NeverHolds,
                statement,
                "never holds: a task whose last run failed has failed once already",
                "allow one retry at least, or leave it out",
            )),
            _ => self.unowned(statement).unwrap_or_default(),
        }
    }

    fn window(&self, statement: &Statement, period: &Period, zone: Zone) -> Judged {
        let occurs = self.meetings.occurs(period, &zone);
        if occurs == Occurs::Perhaps {
            return Judged { within: Some((period.clone(), zone)), ..Judged::default() };
        }
        if occurs == Occurs::Never && matches!(period, Period::Cycle(_) | Period::Cron(_)) {
            return Judged::never(Finding::new(
                LintCode::ImpossibleDate,
                statement,
                "never holds: no calendar has such a date",
                "name a day that the month has; the last one is `last day` or, in cron, `L`",
            ));
        }
        let text = Expr::from(statement.clone());
        let reason = match period {
            Period::Never => "that is what it says",
            _ => "no instant is in all of its parts",
        };
        out_of_reach(occurs, &text, reason).map(Judged::never).unwrap_or_default()
    }

    fn has(&self, statement: &Statement, count: Count, within: &LookBack) -> Judged {
        let impossible = match count {
            Count::LessThan(0) => Some("nothing happens less than 0 times"),
            Count::MoreThan(u64::MAX) => Some("nothing happens so often"),
            Count::Between(from, to) if from > to => Some("no number is between these two"),
            _ => None,
        };
        if let Some(reason) = impossible {
            return Judged::never(Finding::new(
                LintCode::NeverHolds,
                statement,
                format!("never holds: {reason}"),
                "compare with a number that it can have",
            ));
        }
        if matches!(count, Count::AtLeast(0)) {
            return Judged::always();
        }
        if let LookBack::Window { period, zone } = within {
            let zone = zone.as_ref().unwrap_or(self.zone);
            let period = period.known(self.owner.unwrap_or_default());
            let never =
                period.is_some_and(|period| self.meetings.occurs(&period, zone) == Occurs::Never);
            if never && !count.holds(0) {
                return Judged::never(Finding::new(
                    LintCode::NeverHolds,
                    statement,
                    "never holds: the period that it counts in never occurs",
                    "name a period that occurs",
                ));
            }
        }
        self.unowned(statement).unwrap_or_default()
    }

    /// Judges what speaks of the own task where there is none.
    fn unowned(&self, statement: &Statement) -> Option<Judged> {
        if self.owner.is_some() {
            return None;
        }
        let nobody = |task: Option<&str>| if task.is_none() { Past::Empty } else { Past::Any };
        held_up(&Expr::from(statement.clone()), true, Assumed { owner: None, past: &nobody })?;
        Some(Judged::never(Finding::new(
            LintCode::NeverHolds,
            statement,
            "never holds: it speaks of the task that owns the condition, and `shut_cond` has none",
            "name a task: `task '..' has succeeded`",
        )))
    }
}

/// Tells that a period does not occur, if so.
fn out_of_reach(occurs: Occurs, text: &Expr, reason: &str) -> Option<Finding> {
    let (reason, fix) = match occurs {
        Occurs::Perhaps => return None,
        Occurs::Never => {
            (format!("never holds: {reason}"), "join them with `|`, or let the windows overlap")
        }
        Occurs::NoMore => (
            "never holds again: the last time that it could is over".to_owned(),
            "name a time that is to come, or remove the task",
        ),
    };
    let plain = matches!(
        text,
        Expr::Statement(Statement::InPeriod { period: Times::Period(Period::Never), .. }, _)
    );
    let fix = if plain {
        "leave it out; a task that is to run on request only can be disabled"
    } else {
        fix
    };
    Some(Finding::new(LintCode::NeverHolds, text, reason, fix))
}

fn inner(judged: Vec<Judged>) -> Vec<Finding> {
    judged.into_iter().flat_map(|child| child.inner).collect()
}

/// Joins the periods that something must be in all of; those of other zones are left out.
fn join(periods: impl Iterator<Item = (Period, Zone)>) -> Option<(Period, Zone)> {
    periods.reduce(|(known, zone), (other, its_zone)| {
        if zone == its_zone { (Period::All(vec![known, other]), zone) } else { (known, zone) }
    })
}

/// Joins the periods that something is in one of.
fn either(mut periods: impl Iterator<Item = Option<(Period, Zone)>>) -> Option<(Period, Zone)> {
    let (first, zone) = periods.next()??;
    let mut members = vec![first];
    for other in periods {
        let (period, its_zone) = other?;
        if its_zone != zone {
            return None;
        }
        members.push(period);
    }
    Some((Period::Any(members), zone))
}
