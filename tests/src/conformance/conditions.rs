//! Conditions over a log: whether they hold at an instant.
//!
//! Each case is evaluated as the scheduler evaluates it: the condition is compiled, the records are
//! folded into facts in the order of (time, place), and the verdict is compared. A condition that has
//! a text is read from it; the others are built of their tree.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use redengine_core::cond::{Calendar, Condition, Names, Truth, View, compile, evaluate};
use redengine_core::expr::{
    Age, Count, Custom, Expr, Happening, LookBack, Outcome as TaskOutcome, Quantifier, Statement,
    parse,
};
use redengine_core::facts::{Facts, Keep, ProbeId};
use redengine_core::period::{Cron, Dates, Period};
use redengine_core::record::{Action, ActionSet, Record, Recorded, RunId, Seq};
use redengine_core::time::Zone;
use redengine_core::{TaskId, Timestamp};
use serde_json::Value;

use super::Outcome;
use super::periods::{instant, period};

/// Checks one case.
pub fn check(case: &Value) -> Outcome {
    let answer = |key: &str| case[key].as_bool().unwrap_or(false);
    let expected = match case["recommended"].as_bool() {
        Some(recommended) => [recommended; 2],
        None => [answer("expected"), answer("expected_cached")],
    };
    let expr = match written(case) {
        Ok(expr) => expr,
        Err(Refused(reason)) => return Outcome::Skipped(reason),
    };
    match holds(case, &expr) {
        Ok(found) if expected.contains(&found) => Outcome::Passed,
        Ok(found) => Outcome::Failed(format!("`{expr}`: expected {expected:?}, found {found}")),
        Err(error) => Outcome::Failed(format!("`{expr}`: {error}")),
    }
}

/// A form that the project refuses on purpose.
struct Refused(String);

type Written = Result<Expr, Refused>;

fn written(case: &Value) -> Written {
    match case["cond"].as_str() {
        Some(text) => parse(text).map_err(|error| Refused(error.to_string())),
        None => tree(&case["ast"]),
    }
}

/// Builds a condition of its tree.
fn tree(ast: &Value) -> Written {
    let members = || -> Result<Vec<Expr>, Refused> {
        ast["args"].as_array().into_iter().flatten().map(tree).collect()
    };
    let task = || ast["task"].as_str().map(str::to_owned);
    let statement = match ast["cond"].as_str().unwrap_or_default() {
        "true" => return Ok(Expr::Const(true)),
        "false" => return Ok(Expr::Const(false)),
        "Not" => return Ok(Expr::Not(Box::new(tree(&ast["arg"])?))),
        "All" => return Ok(Expr::All(members()?)),
        "Any" => return Ok(Expr::Any(members()?)),
        "IsPeriod" => Statement::InPeriod { period: fixed(&ast["period"])?.into(), zone: None },
        "TaskExecutable" => {
            let retries = ast["retries"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            Statement::Once { period: fixed(&ast["period"])?.into(), zone: None, retries }
        }
        "TaskRunnable" => return runnable(&ast["period"]),
        "TaskRunning" => return running(ast),
        "DependSuccess" => after(ast, TaskOutcome::Succeeded),
        "DependFailure" => after(ast, TaskOutcome::Failed),
        "DependFinish" => after(ast, TaskOutcome::Finished),
        "Retry" => Statement::Retry { count: ast["n"].as_u64(), after: None },
        "SchedulerCycles" => return Ok(counted(&ast["cmp"], Count::AtLeast(1), Statement::Cycles)),
        "SchedulerStarted" => {
            let period = &ast["period"];
            let far = period["past_us"].as_u64().or_else(|| period["far_us"].as_u64());
            let within = far.map(|far| Statement::SchedulerStarted(Duration::from_micros(far)));
            let over = Statement::SchedulerRunOver(near(period));
            let both = within.into_iter().chain([over]).map(Expr::from);
            return Ok(Expr::All(both.collect()));
        }
        "IsEnv" => Statement::Env(ast["env"].as_str().unwrap_or_default().to_owned()),
        "ParamExists" => {
            let keys = ast["keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let exist = keys.map(|key| Statement::ParamExists(key.to_owned()));
            let values = ast["values"].as_object().into_iter().flatten();
            let are = values.map(|(name, value)| Statement::ParamIs {
                name: name.clone(),
                value: value.as_str().unwrap_or_default().to_owned(),
            });
            return Ok(Expr::All(exist.chain(are).map(Expr::from).collect()));
        }
        name => {
            let event = match name {
                "TaskStarted" => Happening::Started,
                "TaskSucceeded" => Happening::Succeeded,
                "TaskFailed" => Happening::Failed,
                "TaskFinished" => Happening::Finished,
                "TaskTerminated" => Happening::Terminated,
                "TaskInacted" => Happening::Inacted,
                _ => return Err(Refused(format!("unknown condition `{name}`"))),
            };
            let within = look_back(&ast["period"])?;
            let has = |count| Statement::Has { task: task(), event, count, within: within.clone() };
            return Ok(counted(&ast["cmp"], Count::AtLeast(1), has));
        }
    };
    Ok(statement.into())
}

fn after(ast: &Value, outcome: TaskOutcome) -> Statement {
    let tasks = vec![ast["depend_task"].as_str().unwrap_or_default().to_owned()];
    Statement::After { tasks, which: Quantifier::All, outcome }
}

/// `TaskRunnable`: in the period, and not started in it.
fn runnable(ast: &Value) -> Written {
    if ast["type"] == "Cron" {
        let names = ["minute", "hour", "day_of_month", "month", "day_of_week"];
        let fields: Vec<&str> = names.iter().filter_map(|name| ast[*name].as_str()).collect();
        let cron = Cron::parse(&fields.join(" ")).map_err(|e| Refused(e.to_string()))?;
        return Ok(Statement::Cron { cron, within: None, zone: None }.into());
    }
    let within = look_back(ast)?;
    let event = Happening::Started;
    let started = Statement::Has { task: None, event, count: Count::AtLeast(1), within };
    let not = Expr::Not(Box::new(started.into()));
    if ast["type"] == "TimeDelta" {
        return Ok(not);
    }
    let in_period = Statement::InPeriod { period: fixed(ast)?.into(), zone: None };
    Ok(Expr::All(vec![in_period.into(), not]))
}

fn running(ast: &Value) -> Written {
    let task = ast["task"].as_str().map(str::to_owned);
    let period = &ast["period"];
    let age = match period["type"].as_str() {
        None => Age::Any,
        Some("TimeDelta") => Age::LessThan(micros(&period["past_us"])),
        Some(_) => match (near(period), period["far_us"].as_u64()) {
            (Duration::ZERO, Some(far)) => Age::LessThan(Duration::from_micros(far)),
            (near, None) => Age::MoreThan(near),
            (near, Some(far)) => Age::Between(near, Duration::from_micros(far)),
        },
    };
    if ast["cmp"].as_object().is_some_and(|cmp| !cmp.is_empty()) {
        return Err(Refused("how many runs are live is not asked: one task, one run".to_owned()));
    }
    Ok(Statement::Running { task, age }.into())
}

fn near(period: &Value) -> Duration {
    micros(&period["near_us"])
}

fn micros(value: &Value) -> Duration {
    Duration::from_micros(value.as_u64().unwrap_or(0))
}

/// Joins comparisons: `{"gt": 1, "lt": 4}` is both.
fn counted(cmp: &Value, none: Count, of: impl Fn(Count) -> Statement) -> Expr {
    let cmp = cmp.as_object().cloned().unwrap_or_default();
    if cmp.is_empty() {
        return of(none).into();
    }
    let one = |(name, value): (String, Value)| {
        let n = value.as_u64().unwrap_or(0);
        match name.as_str() {
            "eq" => of(Count::Exactly(n)).into(),
            "lt" => of(Count::LessThan(n)).into(),
            "gt" => of(Count::MoreThan(n)).into(),
            "le" => of(Count::AtMost(n)).into(),
            "ge" => of(Count::AtLeast(n)).into(),
            _ => Expr::Not(Box::new(of(Count::Exactly(n)).into())),
        }
    };
    Expr::All(cmp.into_iter().map(one).collect())
}

fn look_back(ast: &Value) -> Result<LookBack, Refused> {
    match ast["type"].as_str() {
        None => Ok(LookBack::Ever),
        Some("TimeDelta") => Ok(LookBack::Past(micros(&ast["past_us"]))),
        Some(_) => Ok(LookBack::Window { period: fixed(ast)?.into(), zone: None }),
    }
}

/// A period that does not move with now.
fn fixed(ast: &Value) -> Result<Period, Refused> {
    period(ast).map_err(Refused)
}

fn holds(case: &Value, expr: &Expr) -> Result<bool, String> {
    let owner = case["task"].as_str().unwrap_or_default();
    let mut world = World::default();
    let owner_id = world.id(owner);
    for record in case["logs"].as_array().into_iter().flatten() {
        world.id(record["task"].as_str().unwrap_or_default());
    }
    for name in ["a", "b", "x", "t", "the task", "the other task"] {
        world.id(name);
    }
    let condition = compile(expr, owner, &mut world).map_err(|errors| format!("{errors:?}"))?;
    let facts = facts(case, &condition, owner_id, &mut world)?;
    let now = case["now"].as_str().and_then(instant).ok_or("no `now`")?;
    let verdict =
        evaluate(&condition, &View { facts: &facts, owner: Some(owner_id), now }, &mut ());
    Ok(verdict.truth == Truth::True)
}

fn facts(
    case: &Value,
    condition: &Condition,
    owner: TaskId,
    world: &mut World,
) -> Result<Facts, String> {
    let mut facts = Facts::default();
    for (who, keep) in condition.reads() {
        if let Some(task) = who.task(Some(owner)) {
            facts.keep(task, *keep);
        }
    }
    // Records of the future are there when the clock was set back; keep what is before them.
    for task in world.ids.values() {
        facts.keep(*task, Keep::of(ActionSet::of(&Action::ALL), 64));
    }
    let session = &case["session"];
    facts.cycles = session["cycles"].as_u64().unwrap_or(0);
    facts.started = session["scheduler_started"].as_str().and_then(instant);
    for (name, value) in session["params"].as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        facts.set_param(name.as_str().into(), Some(text.into()));
    }
    if let Some(env) = session["env"].as_str() {
        facts.set_param("env".into(), Some(env.into()));
    }
    let mut records: Vec<(Timestamp, &Value)> = Vec::new();
    for record in case["logs"].as_array().into_iter().flatten() {
        let at = record["created"].as_str().and_then(instant).ok_or("a record without a time")?;
        records.push((at, record));
    }
    records.sort_by_key(|(at, _)| *at);
    // Runs are paired by their id, else in order: the first that began is the first that ends.
    let mut open: HashMap<_, VecDeque<(RunId, Timestamp)>> = HashMap::new();
    for (number, (at, record)) in (1_u64..).zip(records) {
        let name = record["task"].as_str().unwrap_or_default();
        let action: Action =
            record["action"].as_str().unwrap_or_default().parse().map_err(|e| format!("{e}"))?;
        let key = (name.to_owned(), record["run_id"].as_str().map(str::to_owned));
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let fresh = (RunId::new(at, random), at);
        let (run, started) = match action {
            Action::Run => {
                open.entry(key).or_default().push_back(fresh);
                fresh
            }
            _ => open.get_mut(&key).and_then(VecDeque::pop_front).unwrap_or(fresh),
        };
        let task = world.id(name);
        let record =
            Record { task: name.into(), run, action, at, started, due: None, details: None };
        facts.apply(task, &Recorded { seq: Seq(number), record });
    }
    Ok(facts)
}

/// The tasks of a case.
#[derive(Default)]
struct World {
    ids: HashMap<String, TaskId>,
}

impl World {
    fn id(&mut self, name: &str) -> TaskId {
        let next = TaskId::at(self.ids.len());
        *self.ids.entry(name.to_owned()).or_insert(next)
    }
}

impl Names for World {
    fn task(&self, name: &str) -> Option<TaskId> {
        self.ids.get(name).copied()
    }

    fn similar_task(&self, _name: &str) -> Option<String> {
        None
    }

    fn probe(&mut self, custom: &Custom) -> Result<ProbeId, String> {
        Err(format!("unknown condition `{}`", custom.name))
    }

    fn dates(&self, _calendar: &str) -> Option<Dates> {
        None
    }

    fn similar_calendar(&self, _name: &str) -> Option<String> {
        None
    }

    fn calendar(&mut self, period: Period, zone: Option<&Zone>) -> Arc<Calendar> {
        Arc::new(Calendar::new(period, zone.cloned().unwrap_or_else(Zone::utc)))
    }
}
