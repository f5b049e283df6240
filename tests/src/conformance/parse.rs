//! Texts of conditions and periods: the tree that `redengine_core::expr` reads.
//!
//! A tree of ours is written in the form of the vectors and compared with the recorded one, both
//! with `&` and `|` flat, lists of one undone and double negations removed. `every D` is written
//! as the reference reads it, `has not started in the past D`.
//!
//! Two kinds of cases are not decided by their recorded answer. Where this language says more
//! than the reference's, a text that the reference refuses may be read; `extension` tells by
//! which rule. Where the reference reads over what makes no sense, the text is refused;
//! `refused` tells by which rule. Both lists are in `docs/semantics.md`.

use std::time::Duration;

use redengine_core::expr::{
    Age, Count, Expr, Happening, LookBack, Outcome as TaskOutcome, Quantifier, Statement, Times,
    parse, parse_period,
};
use redengine_core::period::{Cycle, Period, Place, Point, Unit, Window};
use serde_json::{Map, Value, json};

use super::Outcome;

/// Checks one text.
pub fn check(case: &Value) -> Outcome {
    let Some(input) = case["input"].as_str() else {
        return Outcome::Failed("the case has no `input`".to_owned());
    };
    let kind = case["kind"].as_str().unwrap_or_default();
    let found = match kind {
        "condition" => parse(input).map(|expr| condition(&expr)),
        "time" => parse_period(input).map(|times| written_period(&times)),
        other => return Outcome::Failed(format!("unknown kind `{other}`")),
    };
    let expected = match &case["recommended"] {
        Value::Object(fields) if fields.contains_key("error") => None,
        Value::Object(fields) if fields.contains_key("ast") => Some(&fields["ast"]),
        Value::Object(_) => return Outcome::Skipped("the case has only a note".to_owned()),
        _ => case.get("ast"),
    };
    match (expected, found) {
        (None, Err(_)) => Outcome::Passed,
        (None, Ok(tree)) => match extension(kind, input) {
            Some(rule) => Outcome::Skipped(format!("read on purpose: {rule}")),
            None => Outcome::Failed(format!("`{input}`: expected an error, found {tree}")),
        },
        (Some(_), Err(_)) if refused(input).is_some() => {
            Outcome::Skipped(format!("refused on purpose: {}", refused(input).unwrap_or_default()))
        }
        (Some(_), Err(error)) => Outcome::Failed(format!("`{input}`: {error}")),
        (Some(tree), Ok(found)) => {
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
            let names = ["minute", "hour", "day_of_month", "month", "day_of_week"];
            let mut period = Map::from_iter([("type".to_owned(), json!("Cron"))]);
            for (name, field) in names.iter().zip(cron.to_string().split(' ')) {
                period.insert((*name).to_owned(), json!(field));
            }
            json!({ "cond": "TaskRunnable", "task": null, "period": period })
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
    let list = |kind, members: &[Times]| {
        let periods: Vec<Value> = members.iter().map(written_period).collect();
        json!({ "type": kind, "periods": periods })
    };
    match times {
        Times::Period(period) => period_of(period),
        Times::Past(duration) => past(*duration),
        Times::All(members) => list("All", members),
        Times::Any(members) => list("Any", members),
        other => json!(other.to_string()),
    }
}

fn period_of(period: &Period) -> Value {
    match period {
        Period::Always => json!({ "type": "always" }),
        Period::Never => json!({ "type": "never" }),
        Period::Cycle(cycle) => cycle_of(cycle),
        other => json!(format!("{other:?}")),
    }
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

/// Tells the rule by which this language reads what the reference's does not.
fn extension(kind: &str, input: &str) -> Option<&'static str> {
    statements(input).iter().find_map(|statement| {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let any = |known: &[&str]| words.iter().any(|word| known.contains(word));
        let capital = |word: &&str| {
            let letters = word.chars().all(char::is_alphabetic);
            letters && word.contains(char::is_uppercase) && !is_name(word)
        };
        if words.iter().any(capital) {
            Some("words of the language are read in any case")
        } else if statement.trim() != words.join(" ") {
            Some("white space is free")
        } else if statement.contains('!') {
            Some("`!` is another `~`")
        } else if any(&["run", "at", "yearly", "year", "retry", "crashed", "within", "with"]) {
            Some("statements and windows that the reference does not have")
        } else if statement.starts_with("time of") && any(&["on"]) {
            Some("`time of` takes all windows")
        } else if statement.contains("is running") && !statement.contains("task") {
            Some("`is running` without a task means the task itself")
        } else if statement.contains('@') || any(&["times", "least", "most", "exactly"]) {
            Some("statements and windows that the reference does not have")
        } else {
            None
        }
    })
}

/// Tells the rule by which this language refuses what the reference reads.
fn refused(input: &str) -> Option<&'static str> {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let beside = |at: usize, mark: char| {
        let (before, after) = (input[..at].chars().next_back(), input[at + 1..].chars().next());
        match mark {
            '\'' => {
                (letter(before) || before == Some('\'')) && (letter(after) || after == Some('\''))
            }
            _ => before == Some(' ') && letter(after),
        }
    };
    if input.match_indices('\'').any(|(at, _)| beside(at, '\'')) {
        return Some("a quote in a name is doubled (S-QUOTE)");
    }
    if input.match_indices(',').any(|(at, _)| beside(at, ',')) {
        return Some("no text is read over (S-REGEX-SEARCH)");
    }
    let ends = |statement: &String| statement.matches(" and ").count() > 1;
    statements(input).iter().any(ends).then_some("a window has two ends (S-DATEUTIL)")
}

/// Cuts a text into its statements, with `'` in place of what is quoted.
fn statements(input: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut quoted = false;
    for c in input.chars() {
        if c == '\'' {
            quoted = !quoted;
        }
        match c {
            '&' | '|' | '~' | '(' | ')' if !quoted => statements.push(String::new()),
            c if !quoted => statements.iter_mut().next_back().into_iter().for_each(|s| s.push(c)),
            _ => {}
        }
    }
    statements
}

/// Tells whether a word is a name that is written with a capital.
fn is_name(word: &str) -> bool {
    const NAMES: &[&str] = &[
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun",
        "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let lower = word.to_lowercase();
    matches!(word, "AM" | "PM") || NAMES.iter().any(|name| lower.starts_with(name))
}
