//! One number for all conditions that mean the same.
//!
//! Two conditions that differ only in order, in spelling or in members that are written twice
//! have the same hash. It is made from the printed normal form with a fixed function, so it is
//! the same in every process and can be stored.

use std::fmt::{self, Write};

use super::{Expr, Outcome, Quantifier, Statement};

/// Hashes what a condition means, whatever its order and spelling.
///
/// Different hashes do not prove that two conditions differ: `~(a | b)` is not compared with
/// `~a & ~b`.
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
    match expr {
        Expr::Not(inner) => match &**inner {
            Expr::Not(inner) => semantic_hash(inner),
            inner => mixed('~', [semantic_hash(inner)]),
        },
        Expr::All(_) => joined('&', members(expr, Kind::All)),
        Expr::Any(_) => joined('|', members(expr, Kind::Any)),
        Expr::Statement(Statement::After { tasks, which, outcome }, _) => {
            let kind = if *which == Quantifier::Any { '|' } else { '&' };
            joined(kind, tasks.iter().map(|task| after(task, *outcome)).collect())
        }
        Expr::Statement(Statement::Cron { text, within, zone }, _) => {
            let text = text.to_ascii_lowercase();
            let lower = Statement::Cron { text, within: *within, zone: zone.clone() };
            printed(&lower)
        }
        Expr::Const(_) | Expr::Statement(..) | Expr::Invalid(_) => printed(expr),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Any,
}

/// Hashes the members of an expression as those of an `&` or `|`, whatever is nested in it.
fn members(expr: &Expr, kind: Kind) -> Vec<u64> {
    match (expr, kind) {
        (Expr::All(inner), Kind::All) | (Expr::Any(inner), Kind::Any) => {
            inner.iter().flat_map(|member| members(member, kind)).collect()
        }
        (Expr::Statement(Statement::After { tasks, which, outcome }, _), _)
            if (*which == Quantifier::Any) == (kind == Kind::Any) || tasks.len() == 1 =>
        {
            tasks.iter().map(|task| after(task, *outcome)).collect()
        }
        _ => vec![semantic_hash(expr)],
    }
}

fn after(task: &str, outcome: Outcome) -> u64 {
    let tasks = vec![task.to_owned()];
    printed(&Statement::After { tasks, which: Quantifier::All, outcome })
}

/// Hashes members without order and doubles.
fn joined(kind: char, mut hashes: Vec<u64>) -> u64 {
    hashes.sort_unstable();
    hashes.dedup();
    match hashes.as_slice() {
        [] => printed(&(kind == '&')),
        [only] => *only,
        _ => mixed(kind, hashes),
    }
}

fn mixed(kind: char, hashes: impl IntoIterator<Item = u64>) -> u64 {
    let mut hash = Fnv::new();
    hash.byte(kind as u8);
    hashes.into_iter().for_each(|h| h.to_le_bytes().into_iter().for_each(|b| hash.byte(b)));
    hash.0
}

fn printed(what: &impl fmt::Display) -> u64 {
    let mut hash = Fnv::new();
    // OK because the hash takes every text, so that writing does not fail.
    let _ = write!(hash, "{what}");
    hash.0
}

/// FNV-1a: simple, and fixed for ever.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.byte(byte));
        Ok(())
    }
}
