//! Texts of conditions and periods: the tree that `redengine_core::expr` reads.
//!
//! A tree of ours is written in the form of the vectors and compared with the recorded one, both
//! with `&` and `|` flat, lists of one undone and double negations removed. `every D` is written
//! as the reference reads it, `has not started in the past D`.
//!
//! Two kinds of cases are not decided by their recorded answer. Where this language says more
//! than the reference's, a text that the reference refuses may be read; where the reference reads
//! over what makes no sense, the text is refused: `extensions` tells by which rule.

use std::time::Duration;

use redengine_core::expr::{
    Age, Count, Expr, Happening, LookBack, Outcome as TaskOutcome, Quantifier, Statement, Times,
    parse, parse_period,
};
use redengine_core::period::{Cron, Cycle, Period, Place, Point, Unit, Window};
use serde_json::{Map, Value, json};

use super::cron::CRON_FIELDS;
use super::extensions::{of_spelling, of_times, of_tree, refused};
use super::{NOTE, Outcome};

/// Checks one text.
pub fn check(case: &Value) -> Outcome {
    let Some(input) = case["input"].as_str() else {
        return Outcome::Failed("the case has no `input`".to_owned());
    };
    // The tree, and by which rule the reference does not have its form.
    let found = match case["kind"].as_str() {
        Some("condition") => parse(input).map(|expr| (condition(&expr), of_tree(&expr))),
        Some("time") => parse_period(input).map(|times| (written_period(&times), of_times(&times))),
        other => return Outcome::Failed(format!("`{input}`: unknown kind {other:?}")),
    };
    let expected = match &case["recommended"] {
        Value::Object(fields) if fields.contains_key("error") => None,
        Value::Object(fields) if fields.contains_key("ast") => Some(&fields["ast"]),
        Value::Object(_) => return Outcome::Skipped(NOTE.to_owned()),
        _ => case.get("ast").filter(|ast| !ast.is_null()),
    };
    match (expected, found) {
        (None, Err(_)) => Outcome::Passed,
        (None, Ok((tree, beyond))) => match beyond.or_else(|| of_spelling(input)) {
            Some(rule) => Outcome::Skipped(format!("read on purpose: {rule}")),
            None => Outcome::Failed(format!("`{input}`: expected an error, found {tree}")),
        },
        (Some(tree), Err(error)) => match refused(input) {
            Some(rule) => Outcome::Skipped(format!("refused on purpose: {rule}")),
            None => Outcome::Failed(format!("`{input}`: expected {tree}, found {error}")),
        },
        (Some(tree), Ok((found, _))) => {
            let (tree, found) = (normal(tree), normal(&found));
            if tree == found {
                Outcome::Passed
            } else {
                Outcome::Failed(format!("`{input}`: expected {tree}, found {found}"))
            }
        }
    }
}

/// Writes a condition as the vectors do.
fn condition(expr: &Expr) -> Value {
    match expr {
        Expr::Const(value) => json!({ "cond": value.to_string() }),
        Expr::Not(inner) => json!({ "cond": "Not", "arg": condition(inner) }),
        Expr::All(members) => list("All", members.iter().map(condition)),
        Expr::Any(members) => list("Any", members.iter().map(condition)),
        Expr::Statement(statement, _) => leaf(statement),
        other => json!({ "cond": format!("{other}") }),
    }
}

fn list(kind: &str, members: impl Iterator<Item = Value>) -> Value {
    json!({ "cond": kind, "args": members.collect::<Vec<_>>() })
}

fn leaf(statement: &Statement) -> Value {
    match statement {
        Statement::InPeriod { period, zone: None } => {
            json!({ "cond": "IsPeriod", "period": written_period(period) })
        }
        Statement::Once { period: Times::Period(Period::Cycle(cycle)), zone: None, retries } => {
            json!({
                "cond": "TaskExecutable", "task": null, "period": cycle_of(cycle), "retries": retries,
            })
        }
        Statement::Every { interval, .. } => json!({
            "cond": "TaskStarted", "task": null, "period": past(*interval), "cmp": { "eq": 0 },
        }),
        Statement::Cron { cron, within: None, zone: None } => {
            json!({ "cond": "TaskRunnable", "task": null, "period": cron_of(cron) })
        }
        Statement::Has { task, event, count, within } => {
            let kind = match event {
                Happening::Started => "TaskStarted",
                Happening::Succeeded => "TaskSucceeded",
                Happening::Failed => "TaskFailed",
                Happening::Finished => "TaskFinished",
                Happening::Terminated => "TaskTerminated",
                Happening::Inacted => "TaskInacted",
                _ => "TaskCrashed",
            };
            let period = match within {
                LookBack::Past(duration) => past(*duration),
                LookBack::Window { period, zone: None } => written_period(period),
                _ => Value::Null,
            };
            json!({ "cond": kind, "task": task, "period": period, "cmp": comparison(*count) })
        }
        Statement::Running { task, age: Age::Any } => {
            json!({ "cond": "TaskRunning", "task": task, "period": null, "cmp": {} })
        }
        Statement::After { tasks, which, outcome } => {
            let kind = match outcome {
                TaskOutcome::Succeeded => "DependSuccess",
                TaskOutcome::Failed => "DependFailure",
                TaskOutcome::Finished => "DependFinish",
                _ => "DependTerminate",
            };
            let one = |task| json!({ "cond": kind, "task": null, "depend_task": task });
            let which = if *which == Quantifier::Any { "Any" } else { "All" };
            list(which, tasks.iter().map(one))
        }
        Statement::Retry { count, after: None } => {
            let n = count.map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX));
            json!({ "cond": "Retry", "n": n })
        }
        Statement::Cycles(count) => json!({ "cond": "SchedulerCycles", "cmp": comparison(*count) }),
        Statement::SchedulerStarted(duration) => {
            json!({ "cond": "SchedulerStarted", "period": past(*duration) })
        }
        Statement::SchedulerRunOver(duration) => {
            let started = json!({ "cond": "SchedulerStarted", "period": past(*duration) });
            json!({ "cond": "Not", "arg": started })
        }
        Statement::ParamExists(name) => {
            json!({ "cond": "ParamExists", "keys": [name], "values": {} })
        }
        Statement::ParamIs { name, value } => {
            json!({ "cond": "ParamExists", "keys": [], "values": { name: value } })
        }
        Statement::Env(name) => json!({ "cond": "IsEnv", "env": name }),
        other => json!({ "cond": other.to_string() }),
    }
}

/// Writes a comparison as the vectors do: at least one is none at all.
fn comparison(count: Count) -> Value {
    match count {
        Count::AtLeast(1) => json!({}),
        Count::AtLeast(n) => json!({ "ge": n }),
        Count::MoreThan(n) => json!({ "gt": n }),
        Count::LessThan(n) => json!({ "lt": n }),
        Count::AtMost(n) => json!({ "le": n }),
        Count::Exactly(n) => json!({ "eq": n }),
        Count::Between(low, high) => json!({ "ge": low, "le": high }),
        other => json!(other.to_string()),
    }
}

fn written_period(times: &Times) -> Value {
    match times {
        Times::Period(period) => period_of(period),
        Times::Past(duration) => past(*duration),
        Times::All(members) => set("All", members.iter().map(written_period)),
        Times::Any(members) => set("Any", members.iter().map(written_period)),
        other => json!(other.to_string()),
    }
}

fn period_of(period: &Period) -> Value {
    match period {
        Period::Always => json!({ "type": "always" }),
        Period::Never => json!({ "type": "never" }),
        Period::Cycle(cycle) => cycle_of(cycle),
        Period::Cron(cron) => cron_of(cron),
        Period::All(members) => set("All", members.iter().map(period_of)),
        Period::Any(members) => set("Any", members.iter().map(period_of)),
        other => json!(format!("{other:?}")),
    }
}

fn set(kind: &str, members: impl Iterator<Item = Value>) -> Value {
    json!({ "type": kind, "periods": members.collect::<Vec<_>>() })
}

fn cron_of(cron: &Cron) -> Value {
    let mut period = Map::from_iter([("type".to_owned(), json!("Cron"))]);
    for (name, field) in CRON_FIELDS.iter().zip(cron.to_string().split(' ')) {
        period.insert((*name).to_owned(), json!(field));
    }
    Value::Object(period)
}

fn past(duration: Duration) -> Value {
    json!({ "type": "TimeDelta", "past_us": micros(duration), "future_us": 0 })
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Writes a cycle as offsets from its start, the month of 31 days and the year of 366.
fn cycle_of(cycle: &Cycle) -> Value {
    let (kind, length, part) = match cycle.unit {
        Unit::Second => ("TimeOfSecond", SECOND, 1_000),
        Unit::Minute => ("TimeOfMinute", 60 * SECOND, SECOND),
        Unit::Hour => ("TimeOfHour", 3_600 * SECOND, 60 * SECOND),
        Unit::Day => ("TimeOfDay", DAY, 3_600 * SECOND),
        Unit::Week => ("TimeOfWeek", 7 * DAY, DAY),
        Unit::Month => ("TimeOfMonth", 31 * DAY, DAY),
        Unit::Year => ("TimeOfYear", 366 * DAY, DAY),
    };
    let end = |point: Point| match point.time {
        Some(_) => offset(point),
        None => offset(point) + part,
    };
    let (start, end) = match cycle.window {
        Window::Full => (0, length),
        Window::Starting(point) => (offset(point), offset(point)),
        // The end of a part that reaches over the end of the cycle is in the next one.
        Window::On(point) => (offset(point), (offset(point) + part) % length),
        Window::After(point) => (offset(point), length),
        Window::Before(point) => (0, end(point)),
        Window::Between(from, to) => (offset(from), end(to)),
    };
    json!({ "type": kind, "start_us": start, "end_us": end })
}

fn offset(point: Point) -> i64 {
    let days = match point.place {
        Place::Weekday(day) => day as i64,
        Place::MonthDay(day) => i64::from(day) - 1,
        _ => 0,
    };
    days * DAY + point.time.unwrap_or(0)
}

/// Makes the form in which trees are compared.
fn normal(tree: &Value) -> Value {
    match tree {
        Value::Object(fields) if fields.contains_key("arg") => {
            let inner = normal(&fields["arg"]);
            match inner["cond"].as_str() {
                Some("Not") => inner["arg"].clone(),
                _ => json!({ "cond": "Not", "arg": inner }),
            }
        }
        Value::Object(fields) if fields.contains_key("args") => {
            let mut flat = Vec::new();
            for member in fields["args"].as_array().into_iter().flatten() {
                let member = normal(member);
                match member["args"].as_array() {
                    Some(inner) if member["cond"] == fields["cond"] => flat.extend(inner.clone()),
                    _ => flat.push(member),
                }
            }
            match flat.as_slice() {
                [only] => only.clone(),
                _ => json!({ "cond": fields["cond"], "args": flat }),
            }
        }
        Value::Object(fields) if fields.contains_key("periods") => {
            let members = fields["periods"].as_array().into_iter().flatten();
            let mut members: Vec<Value> = members.map(normal).collect();
            // A period of periods is a set.
            members.sort_by_key(Value::to_string);
            json!({ "type": fields["type"], "periods": members })
        }
        other => other.clone(),
    }
}
