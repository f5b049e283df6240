//! One number for all conditions that mean the same.
//!
//! Two conditions that differ only in order, in spelling, in members that are written twice or
//! in members that change nothing have the same hash. It is made from the printed normal form with a fixed function, so it is
//! the same in every process and can be stored.

use std::fmt::{self, Write};

use super::{Expr, LookBack, Outcome, Quantifier, Statement};

/// Hashes what a condition means, whatever its order and spelling.
///
/// Different hashes do not prove that two conditions differ: `~(a | b)` is not compared with
/// `~a & ~b`, and the phrase of a custom condition is not known to be its call: that is known to a
/// session only.
///
/// ```
/// use redengine_core::expr::{parse, semantic_hash};
///
/// let a = parse("every 90 min & after tasks 'x', 'y'").unwrap();
/// let b = parse("after task 'y' & EVERY 1h30m & after task 'x' succeeded").unwrap();
/// assert_eq!(semantic_hash(&a), semantic_hash(&b));
/// assert_ne!(semantic_hash(&a), semantic_hash(&parse("every 90 min").unwrap()));
/// ```
pub fn semantic_hash(expr: &Expr) -> u64 {
    signed(expr).whole()
}

/// The hash of a condition without its negation, so that two negations are none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Signed {
    negated: bool,
    hash: u64,
}

impl Signed {
    fn whole(self) -> u64 {
        if self.negated { mixed('~', [self.hash]) } else { self.hash }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Any,
}

fn signed(expr: &Expr) -> Signed {
    match expr {
        Expr::Not(inner) => {
            let inner = signed(inner);
            Signed { negated: !inner.negated, ..inner }
        }
        Expr::All(_) => joined(Kind::All, members(expr, Kind::All)),
        Expr::Any(_) => joined(Kind::Any, members(expr, Kind::Any)),
        Expr::Statement(Statement::After { tasks, which, outcome }, _) => {
            let kind = if *which == Quantifier::Any { Kind::Any } else { Kind::All };
            joined(kind, tasks.iter().map(|task| after(task, *outcome)).collect())
        }
        Expr::For(inner, duration) => {
            // OK because durations of the language are below that.
            let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            unsigned(mixed('f', [signed(inner).whole(), micros]))
        }
        Expr::Newly(inner) => unsigned(mixed('n', [signed(inner).whole()])),
        Expr::Since(inner, other) => {
            unsigned(mixed('s', [signed(inner).whole(), signed(other).whole()]))
        }
        Expr::Statement(statement, _) => printed(&ordered(statement)),
        Expr::Const(_) | Expr::Invalid(_) => printed(expr),
    }
}

/// Brings the members of a statement's period in one order.
fn ordered(statement: &Statement) -> Statement {
    let mut statement = statement.clone();
    match &mut statement {
        Statement::InPeriod { period, .. }
        | Statement::Once { period, .. }
        | Statement::Has { within: LookBack::Window { period, .. }, .. } => {
            *period = period.ordered();
        }
        _ => {}
    }
    statement
}

/// Hashes the members of an expression as those of an `&` or `|`, whatever is nested in it.
fn members(expr: &Expr, kind: Kind) -> Vec<Signed> {
    match (expr.peeled(), kind) {
        (Expr::All(inner), Kind::All) | (Expr::Any(inner), Kind::Any) => {
            inner.iter().flat_map(|member| members(member, kind)).collect()
        }
        (Expr::Statement(Statement::After { tasks, which, outcome }, _), _)
            if (*which == Quantifier::Any) == (kind == Kind::Any) =>
        {
            tasks.iter().map(|task| after(task, *outcome)).collect()
        }
        (other, _) => vec![signed(other)],
    }
}

fn after(task: &str, outcome: Outcome) -> Signed {
    let tasks = vec![task.to_owned()];
    printed(&Statement::After { tasks, which: Quantifier::All, outcome })
}

/// Hashes members without order, doubles, and what changes nothing (`& true`, `| false`).
fn joined(kind: Kind, mut members: Vec<Signed>) -> Signed {
    let neutral = printed(&(kind == Kind::All));
    members.retain(|member| *member != neutral);
    members.sort_unstable();
    members.dedup();
    match members.as_slice() {
        [] => neutral,
        [only] => *only,
        _ => {
            let kind = if kind == Kind::All { '&' } else { '|' };
            unsigned(mixed(kind, members.into_iter().map(Signed::whole)))
        }
    }
}

fn unsigned(hash: u64) -> Signed {
    Signed { negated: false, hash }
}

fn mixed(kind: char, hashes: impl IntoIterator<Item = u64>) -> u64 {
    let mut hash = Fnv::new();
    hash.text(kind.encode_utf8(&mut [0; 4]).as_bytes());
    for member in hashes {
        hash.text(&member.to_le_bytes());
    }
    hash.0
}

fn printed(what: &impl fmt::Display) -> Signed {
    let mut hash = Fnv::new();
    // OK because the hash takes every text, so that writing does not fail.
    let _ = write!(hash, "{what}");
    unsigned(hash.0)
}

/// FNV-1a: simple, and fixed for ever.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn text(&mut self, text: &[u8]) {
        for byte in text {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text.as_bytes());
        Ok(())
    }
}
