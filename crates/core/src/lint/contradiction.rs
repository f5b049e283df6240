//! Pairs of statements that are never true together: opposites, numbers, values.

use crate::expr::{Count, Expr, Happening, LookBack, Statement};

/// Why two members of an `&` are never true together.
pub(super) struct Pair {
    pub(super) reason: String,
    pub(super) fix: &'static str,
}

/// Tells why two conditions are never true together, if that is certain.
pub(super) fn contradiction(one: &Expr, other: &Expr, owner: Option<&str>) -> Option<Pair> {
    if is_opposite(one, other) || is_opposite(other, one) {
        let reason = "each is the opposite of the other".to_owned();
        return Some(Pair { reason, fix: "leave one of them out" });
    }
    numbers(one, other, owner).or_else(|| values(one, other))
}

fn is_opposite(one: &Expr, other: &Expr) -> bool {
    // Closures of one name may ask different things.
    matches!(one, Expr::Not(inner) if **inner == *other) && one.says_all()
}

/// `has failed at least 3 times today & has failed less than 2 times today`
fn numbers(one: &Expr, other: &Expr, owner: Option<&str>) -> Option<Pair> {
    let (one, other) = (Counted::of(one, owner)?, Counted::of(other, owner)?);
    let same = one.task == other.task && one.event == other.event && one.within == other.within;
    let apart = one.to < other.from || other.to < one.from;
    (same && apart).then(|| Pair {
        reason: "no number passes both comparisons".to_owned(),
        fix: "let the numbers overlap, or join them with `|`",
    })
}

/// A number of records, and the bounds that it must be within.
struct Counted<'a> {
    task: Option<&'a str>,
    event: Happening,
    within: &'a LookBack,
    from: u64,
    to: u64,
}

impl<'a> Counted<'a> {
    fn of(expr: &'a Expr, owner: Option<&'a str>) -> Option<Self> {
        let (expr, negated) = match expr {
            Expr::Not(inner) => (&**inner, true),
            other => (other, false),
        };
        let Expr::Statement(Statement::Has { task, event, count, within }, _) = expr else {
            return None;
        };
        let (from, to) = bounds(*count)?;
        let (from, to) = match (negated, from, to) {
            (false, from, to) => (from, to),
            (true, 0, to) => (to.checked_add(1)?, u64::MAX),
            (true, from, u64::MAX) => (0, from - 1),
            // The rest of the numbers is on both sides.
            (true, ..) => return None,
        };
        Some(Self { task: task.as_deref().or(owner), event: *event, within, from, to })
    }
}

fn bounds(count: Count) -> Option<(u64, u64)> {
    Some(match count {
        Count::AtLeast(n) => (n, u64::MAX),
        Count::MoreThan(n) => (n.checked_add(1)?, u64::MAX),
        Count::LessThan(n) => (0, n.checked_sub(1)?),
        Count::AtMost(n) => (0, n),
        Count::Exactly(n) => (n, n),
        Count::Between(from, to) => (from, to),
    })
}

/// `env 'prod' & env 'test'`
fn values(one: &Expr, other: &Expr) -> Option<Pair> {
    let ((name, one), (other_name, other)) = (value(one)?, value(other)?);
    (name == other_name && one != other).then(|| Pair {
        reason: format!("`{name}` has one value at a time"),
        fix: "join them with `|`",
    })
}

fn value(expr: &Expr) -> Option<(&str, &str)> {
    match expr {
        Expr::Statement(Statement::ParamIs { name, value }, _) => Some((name, value)),
        Expr::Statement(Statement::Env(value), _) => Some(("env", value)),
        _ => None,
    }
}
