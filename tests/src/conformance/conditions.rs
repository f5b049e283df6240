//! Conditions over a log: whether they hold at an instant.
//!
//! Each case is evaluated as the scheduler evaluates it: the condition is compiled, the records are
//! folded into facts in the order of (time, place), and the verdict is compared. A condition may have
//! a text and a tree; both must come out as expected.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use redengine_core::cond::{Calendar, Condition, Names, Truth, View, compile, evaluate};
use redengine_core::expr::{
    Age, Count, Custom, Expr, Happening, LookBack, Outcome as TaskOutcome, Quantifier, Statement,
    parse,
};
use redengine_core::facts::{Facts, Keep, ProbeId};
use redengine_core::period::{Dates, Period};
use redengine_core::record::{Action, ActionSet, Record, Recorded, RunId, Seq};
use redengine_core::time::Zone;
use redengine_core::{TaskId, Timestamp};
use serde_json::Value;

use super::periods::{instant, period};
use super::{NOTE, Outcome};

/// Checks one case: its text, and its tree.
pub fn check(case: &Value) -> Outcome {
    let answer = |key: &str| case[key].as_bool().unwrap_or(false);
    let expected = match &case["recommended"] {
        Value::Bool(recommended) => vec![*recommended],
        Value::Object(fields) if fields.contains_key("error") => vec![],
        Value::Object(_) => return Outcome::Skipped(NOTE.to_owned()),
        // The reference's two modes, the log and what is in memory, nearly always agree.
        _ => vec![answer("expected"), answer("expected_cached")],
    };
    let mut written = Vec::new();
    if let Some(text) = case["cond"].as_str() {
        match parse(text) {
            Ok(_) if expected.is_empty() => {
                return Outcome::Failed(format!("`{text}`: expected an error"));
            }
            Ok(expr) => written.push(expr),
            Err(_) if expected.is_empty() => return Outcome::Passed,
            Err(error) => {
                return Outcome::Failed(format!("`{text}`: expected {expected:?}, found {error}"));
            }
        }
    }
    if case["ast"].is_object() {
        match tree(&case["ast"], case) {
            Ok(expr) => written.push(expr),
            Err(Refused(reason)) if written.is_empty() => return Outcome::Skipped(reason),
            // The text says all.
            Err(_) => {}
        }
    }
    if written.is_empty() {
        return Outcome::Failed("the case has neither `cond` nor `ast`".to_owned());
    }
    for expr in written {
        match holds(case, &expr) {
            Ok(found) if expected.contains(&found) => {}
            Ok(found) => {
                return Outcome::Failed(format!("`{expr}`: expected {expected:?}, found {found}"));
            }
            Err(error) => {
                return Outcome::Failed(format!("`{expr}`: expected {expected:?}, found {error}"));
            }
        }
    }
    Outcome::Passed
}

/// A form that the project refuses on purpose.
struct Refused(String);

type Written = Result<Expr, Refused>;

/// Builds a condition of its tree.
fn tree(ast: &Value, case: &Value) -> Written {
    let members = || -> Result<Vec<Expr>, Refused> {
        let args = ast["args"].as_array();
        args.into_iter().flatten().map(|arg| tree(arg, case)).collect()
    };
    let task = || ast["task"].as_str().map(str::to_owned);
    let statement = match ast["cond"].as_str().unwrap_or_default() {
        "true" => return Ok(Expr::Const(true)),
        "false" => return Ok(Expr::Const(false)),
        "Not" => return Ok(Expr::Not(Box::new(tree(&ast["arg"], case)?))),
        "All" => return Ok(Expr::All(members()?)),
        "Any" => return Ok(Expr::Any(members()?)),
        "IsPeriod" => Statement::InPeriod { period: fixed(&ast["period"])?.into(), zone: None },
        "TaskExecutable" => {
            let retries = match ast["retries"].as_i64() {
                Some(-1) => u32::MAX,
                retries => retries.and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            };
            if ast["period"]["type"] == "TimeDelta" {
                return Ok(unused(look_back(&ast["period"])?, retries));
            }
            Statement::Once { period: fixed(&ast["period"])?.into(), zone: None, retries }
        }
        "TaskRunnable" => return runnable(&ast["period"]),
        "TaskRunning" => return running(ast, case),
        "DependSuccess" => after(ast, TaskOutcome::Succeeded),
        "DependFailure" => after(ast, TaskOutcome::Failed),
        "DependFinish" => after(ast, TaskOutcome::Finished),
        "Retry" => Statement::Retry { count: ast["n"].as_u64(), after: None },
        "SchedulerCycles" => return Ok(counted(&ast["cmp"], Count::AtLeast(1), Statement::Cycles)),
        "SchedulerStarted" => {
            let period = &ast["period"];
            if !matches!(period["type"].as_str(), Some("TimeDelta" | "TimeSpanDelta")) {
                return Err(Refused("the scheduler's start is asked by its age alone".to_owned()));
            }
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
                value: text_of(value),
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

/// The text of a parameter's value.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `TaskExecutable` of the past span: no run ended in it, and at most `retries` failed.
fn unused(within: LookBack, retries: u32) -> Expr {
    let not = |event, count| {
        let statement = Statement::Has { task: None, event, count, within: within.clone() };
        Expr::Not(Box::new(statement.into()))
    };
    let ends = [Happening::Succeeded, Happening::Inacted, Happening::Terminated];
    let ended = ends.map(|event| not(event, Count::AtLeast(1)));
    let failed = not(Happening::Failed, Count::MoreThan(u64::from(retries)));
    Expr::All(ended.into_iter().chain([failed]).collect())
}

/// `TaskRunnable`: in the period, and not started in it.
fn runnable(ast: &Value) -> Written {
    if ast["type"] == "Cron"
        && let Period::Cron(cron) = fixed(ast)?
    {
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

fn running(ast: &Value, case: &Value) -> Written {
    let task = ast["task"].as_str().map(str::to_owned);
    let period = &ast["period"];
    let age = match period["type"].as_str() {
        None => Age::Any,
        Some("TimeDelta") => Age::LessThan(micros(&period["past_us"])),
        Some("TimeSpanDelta") => match (near(period), period["far_us"].as_u64()) {
            (Duration::ZERO, Some(far)) => Age::LessThan(Duration::from_micros(far)),
            (near, None) => Age::MoreThan(near),
            (near, Some(far)) => Age::Between(near, Duration::from_micros(far)),
        },
        Some(other) => return Err(Refused(format!("runs are asked by age, not by `{other}`"))),
    };
    let is_running = |_| Statement::Running { task: task.clone(), age };
    let cmp = ast["cmp"].as_object().filter(|cmp| !cmp.is_empty());
    let Some(cmp) = cmp else { return Ok(is_running(()).into()) };
    // How many runs are live is not asked, as a task has one run at a time. Of one, a comparison
    // says that it is there, that it is not, or nothing.
    if live_at_once(ast["task"].as_str().or(case["task"].as_str()), case) > 1 {
        return Err(Refused("live runs are not counted: a task has one at a time".to_owned()));
    }
    let passes = |runs: i64| {
        cmp.iter().all(|(name, value)| {
            let n = value.as_i64().unwrap_or(0);
            match name.as_str() {
                "eq" => runs == n,
                "ne" => runs != n,
                "lt" => runs < n,
                "gt" => runs > n,
                "le" => runs <= n,
                _ => runs >= n,
            }
        })
    };
    Ok(match (passes(0), passes(1)) {
        (false, true) => is_running(()).into(),
        (true, false) => Expr::Not(Box::new(is_running(()).into())),
        (always, _) => Expr::Const(always),
    })
}

/// How many runs of a task the log has going at once, at most.
fn live_at_once(task: Option<&str>, case: &Value) -> usize {
    let records = case["logs"].as_array().into_iter().flatten();
    let steps = records.filter(|record| record["task"].as_str() == task);
    let (mut live, mut most) = (0_usize, 0);
    for record in steps {
        live = if record["action"] == "run" { live + 1 } else { live.saturating_sub(1) };
        most = most.max(live);
    }
    most
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
    let condition = compile(expr, owner, &mut world).map_err(|errors| format!("{errors:?}"))?;
    let facts = facts(case, &condition, owner_id, &world)?;
    let now = case["now"].as_str().and_then(instant).ok_or("no `now`")?;
    let verdict =
        evaluate(&condition, &View { facts: &facts, owner: Some(owner_id), now }, &mut ());
    Ok(verdict.truth == Truth::True)
}

fn facts(
    case: &Value,
    condition: &Condition,
    owner: TaskId,
    world: &World,
) -> Result<Facts, String> {
    let mut facts = Facts::default();
    for (who, keep) in condition.reads() {
        if let Some(task) = who.task(Some(owner)) {
            facts.keep(task, *keep);
        }
    }
    // Records of the future are there when the clock was set back; keep what is before them.
    for task in world.ids.borrow().values() {
        facts.keep(*task, Keep::of(ActionSet::of(&Action::ALL), 64));
    }
    let session = &case["session"];
    facts.cycles = session["cycles"].as_u64().unwrap_or(0);
    facts.started = session["scheduler_started"].as_str().and_then(instant);
    for (name, value) in session["params"].as_object().into_iter().flatten() {
        facts.set_param(name.as_str().into(), Some(text_of(value).into()));
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

/// The tasks of a case: all that its records and its condition name.
#[derive(Default)]
struct World {
    ids: RefCell<HashMap<String, TaskId>>,
}

impl World {
    fn id(&self, name: &str) -> TaskId {
        let mut ids = self.ids.borrow_mut();
        let next = TaskId::at(ids.len());
        *ids.entry(name.to_owned()).or_insert(next)
    }
}

impl Names for World {
    fn task(&self, name: &str) -> Option<TaskId> {
        Some(self.id(name))
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
