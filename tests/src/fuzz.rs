//! Fuzzing on stable Rust: inputs that nobody would write, made of those that somebody did.
//!
//! Each target takes a text and must neither panic nor break its law. Inputs are mutations of a corpus
//! (the conformance vectors and the reference), so that most of them are nearly right, which is where parsers err.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use fastrand::Rng;
use redengine_core::cond::{Calendar, Names, View, compile, evaluate};
use redengine_core::expr::reference::{FORMS, OPERATORS, PARTS};
use redengine_core::expr::{Custom, Times, parse};
use redengine_core::facts::{Facts, ProbeId};
use redengine_core::period::{Cron, Dates, Period};
use redengine_core::record::{Action, Record, Recorded, RunId, Seq};
use redengine_core::session::BuildProblem;
use redengine_core::time::{Zone, duration};
use redengine_core::{TaskId, Timestamp};
use serde_json::Value;

/// Checks one input; an error tells which law it breaks.
pub type Target = fn(&str, &mut Rng) -> Result<(), String>;

/// The targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("parser", parser),
    ("durations", durations),
    ("cron", cron),
    ("points", points),
    ("evaluator", evaluator),
    ("settings", settings),
];

/// Zones with clocks that are set in unusual ways.
const ZONES: &[&str] =
    &["UTC", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];

/// Reads the texts of the conformance vectors, and the examples of the reference.
///
/// # Errors
///
/// If a file cannot be read.
pub fn corpus(folder: &Path) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for (file, key) in
        [("parse", "input"), ("timedelta", "input"), ("cron", "cron"), ("conditions", "cond")]
    {
        let path = folder.join(format!("{file}.jsonl.gz"));
        let open = std::fs::File::open(&path);
        let file = open.map_err(|error| format!("`{}`: {error}", path.display()))?;
        for line in BufReader::new(flate2::read::GzDecoder::new(file)).lines() {
            let line = line.map_err(|error| format!("`{}`: {error}", path.display()))?;
            let case: Value = serde_json::from_str(&line).unwrap_or_default();
            texts.extend(case[key].as_str().map(str::to_owned));
        }
    }
    let entries = FORMS.iter().map(|form| &form.entry).chain(OPERATORS);
    let examples = entries.flat_map(|entry| entry.examples).map(|example| example.text);
    let parts = PARTS.iter().flat_map(|part| part.examples).map(|(text, _)| *text);
    texts.extend(examples.chain(parts).map(str::to_owned));
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

/// Makes an input of the corpus.
pub fn mutate(corpus: &[String], rng: &mut Rng) -> String {
    let pick = |rng: &mut Rng| rng.choice(corpus).cloned().unwrap_or_default();
    let mut text: Vec<char> = pick(rng).chars().collect();
    for _ in 0..rng.usize(0..6) {
        let at = rng.usize(0..=text.len());
        match rng.u8(0..8) {
            0 if at < text.len() => drop(text.remove(at)),
            1 => text.insert(at, rng.char(' '..='~')),
            2 => text.insert(at, rng.char('\0'..='\u{1f600}')),
            3 => text.extend(pick(rng).chars()),
            4 => {
                let joint = [
                    " & ",
                    " | ",
                    " & ~",
                    " (",
                    ") ",
                    " for ",
                    " since ",
                    "'",
                    "\n",
                    " in (",
                    "once in (",
                ];
                let joint = joint[rng.usize(0..joint.len())];
                let tail: Vec<char> = joint.chars().chain(pick(rng).chars()).collect();
                text.splice(at..at, tail);
            }
            5 if at < text.len() => {
                let end = rng.usize(at..text.len());
                let part: Vec<char> = text[at..=end].to_vec();
                text.splice(at..at, part);
            }
            6 if at < text.len() && text[at].is_ascii_digit() => text[at] = rng.char('0'..='9'),
            _ => {
                let number = [0, 1, 7, 23, 24, 31, 59, 60, 366, u64::MAX][rng.usize(0..10)];
                text.splice(at..at, number.to_string().chars());
            }
        }
    }
    text.into_iter().collect()
}

fn parser(text: &str, _rng: &mut Rng) -> Result<(), String> {
    match parse(text) {
        Ok(expr) => {
            let printed = expr.to_string();
            match parse(&printed) {
                Ok(again) if again == expr.normal() => Ok(()),
                Ok(again) => Err(format!("printed as `{printed}`, read again as `{again}`")),
                Err(error) => Err(format!("printed as `{printed}`, which is refused: {error}")),
            }
        }
        Err(error) if error.problems.is_empty() => Err("refused without a reason".to_owned()),
        Err(error) => {
            let inside = |at: usize| at <= text.len() && text.is_char_boundary(at);
            let spans = error.problems.iter().all(|p| inside(p.span.start) && inside(p.span.end));
            if error.to_string().is_empty() || !spans {
                return Err(format!("an error that points outside of the text: {error:?}"));
            }
            Ok(())
        }
    }
}

fn durations(text: &str, _rng: &mut Rng) -> Result<(), String> {
    let Ok(span) = duration::parse(text) else { return Ok(()) };
    let printed = duration::display(span).to_string();
    match duration::parse(&printed) {
        Ok(again) if again == span => Ok(()),
        other => Err(format!("printed as `{printed}`, read again as {other:?}")),
    }
}

fn cron(text: &str, rng: &mut Rng) -> Result<(), String> {
    let Ok(cron) = Cron::parse(text) else { return Ok(()) };
    let printed = cron.to_string();
    if Cron::parse(&printed).as_ref() != Ok(&cron) {
        return Err(format!("printed as `{printed}`, which is another one"));
    }
    seeks(&Period::Cron(cron), rng)
}

fn points(text: &str, rng: &mut Rng) -> Result<(), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let part = words.iter().skip(rng.usize(0..=words.len().min(3))).take(3);
    let point = part.copied().collect::<Vec<_>>().join(" ");
    let cycle = ["secondly", "minutely", "hourly", "daily", "weekly", "monthly", "yearly"];
    let window = ["before", "after", "starting", "on"];
    let (cycle, window) = (cycle[rng.usize(0..7)], window[rng.usize(0..4)]);
    let text = format!("{cycle} {window} {point}");
    let Ok(redengine_core::Expr::Statement(statement, _)) = parse(&text) else { return Ok(()) };
    match statement {
        redengine_core::expr::Statement::Once { period: Times::Period(period), .. } => {
            seeks(&period, rng)
        }
        _ => Ok(()),
    }
}

/// The laws of intervals at a random instant.
fn seeks(period: &Period, rng: &mut Rng) -> Result<(), String> {
    let zone = zone(rng);
    let at = instant(rng);
    let next = period.seek(at, &zone);
    let last = period.seek_back(at, &zone);
    if let Some(next) = next
        && (next.end <= at || next.start >= next.end)
    {
        return Err(format!("{period:?} after {at} in {zone}: {next:?}"));
    }
    if let Some(last) = last
        && (last.start > at || last.start >= last.end)
    {
        return Err(format!("{period:?} before {at} in {zone}: {last:?}"));
    }
    match (next, last) {
        (Some(next), Some(last)) if next.start <= at && last != next => {
            Err(format!("{period:?} at {at} in {zone}: {next:?} and {last:?}"))
        }
        _ => Ok(()),
    }
}

fn evaluator(text: &str, rng: &mut Rng) -> Result<(), String> {
    let Ok(expr) = parse(text) else { return Ok(()) };
    let mut world = World { zone: zone(rng), tasks: HashMap::new() };
    let Ok(condition) = compile(&expr, "owner", &mut world) else { return Ok(()) };
    let owner = TaskId::at(0);
    let mut facts = Facts::default();
    let start = instant(rng);
    facts.started = Some(start);
    for (who, keep) in condition.reads() {
        if let Some(task) = who.task(Some(owner)) {
            facts.keep(task, *keep);
        }
    }
    let mut at = start;
    let mut open: Vec<(usize, RunId, Timestamp)> = Vec::new();
    for seq in 1..rng.u64(1..40) {
        at = Timestamp::from_micros(at.as_micros() + rng.i64(0..7_200_000_000));
        let (task, run, started, action) = if open.is_empty() || rng.bool() {
            let run = RunId::new(at, std::array::from_fn(|_| rng.u8(..)));
            let task = rng.usize(0..3);
            open.push((task, run, at));
            (task, run, at, Action::Run)
        } else {
            let (task, run, started) = open.swap_remove(rng.usize(0..open.len()));
            (task, run, started, Action::ALL[rng.usize(1..6)])
        };
        let due = rng.bool().then_some(started);
        let record = Record { task: "t".into(), run, action, at, started, due, details: None };
        facts.apply(TaskId::at(task), &Recorded { seq: Seq(seq), record });
    }
    // Sometimes the clock was set back.
    let now = Timestamp::from_micros(at.as_micros() + rng.i64(-3_600_000_000..86_400_000_000));
    let verdict = evaluate(&condition, &View { facts: &facts, owner: Some(owner), now }, &mut ());
    if verdict.wake.at.is_some_and(|wake| wake <= now) {
        return Err(format!("`{expr}` at {now} wakes in the past: {verdict:?}"));
    }
    if verdict.since.is_some_and(|since| since > now) {
        return Err(format!("`{expr}` at {now} holds since the future: {verdict:?}"));
    }
    // Until the wake nothing changes, as long as nothing is recorded.
    let until = verdict.wake.at.map_or(now.as_micros() + 86_400_000_000, Timestamp::as_micros);
    for _ in 0..4 {
        let now = Timestamp::from_micros(rng.i64(now.as_micros()..until));
        let view = View { facts: &facts, owner: Some(owner), now };
        let later = evaluate(&condition, &view, &mut ());
        if later.truth != verdict.truth {
            return Err(format!("`{expr}` changes at {now}, before its wake: {verdict:?}"));
        }
    }
    Ok(())
}

/// A text as a file of settings, and as the condition and the duration in one.
fn settings(text: &str, rng: &mut Rng) -> Result<(), String> {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    let file = match rng.u8(0..3) {
        0 => text.to_owned(),
        1 => format!("timeout = \"{quoted}\"\n[tasks.a]\nstart_cond = \"{quoted}\"\n"),
        _ => format!("[tasks.a]\nend_cond = '''\n{text}'''\npriority = {text}\n"),
    };
    let task = redengine_core::Task::new("a", "true", || async {});
    let builder = redengine_core::Session::builder().log(redengine_log::MemoryLog::new());
    let Err(error) = builder.task(task).settings("f", file.as_str()).build() else { return Ok(()) };
    for problem in error.problems() {
        let BuildProblem::Setting { error } = problem else { continue };
        let line = file.split('\n').nth(error.line - 1).unwrap_or_default();
        if error.column > line.chars().count() + 1 {
            return Err(format!("an error that points outside of its line: {error}"));
        }
    }
    Ok(())
}

/// Makes a text of at least so many bytes of one of the corpus, as one that is whole or repeats a slip.
pub fn enlarge(corpus: &[String], size: usize, rng: &mut Rng) -> String {
    let part = rng.choice(corpus).cloned().unwrap_or_default();
    let joint = [" & ", " | ", "", ", ", " (", "\n", "'", " & ~("][rng.usize(0..8)];
    let part = format!("{part}{joint}");
    part.repeat(size / part.len().max(1) + 1)
}

fn zone(rng: &mut Rng) -> Zone {
    Zone::named(ZONES[rng.usize(0..ZONES.len())]).unwrap_or_else(|_| Zone::utc())
}

/// An instant from 1970 to 2100, often near the turn of an hour.
fn instant(rng: &mut Rng) -> Timestamp {
    let at = rng.i64(0..4_102_444_800) * 1_000_000;
    match rng.u8(0..3) {
        0 => Timestamp::from_micros(at - at % 3_600_000_000),
        1 => Timestamp::from_micros(at - at % 3_600_000_000 - 1),
        _ => Timestamp::from_micros(at + rng.i64(0..1_000_000)),
    }
}

/// Takes any name for one of three tasks.
struct World {
    zone: Zone,
    tasks: HashMap<String, TaskId>,
}

impl Names for World {
    fn task(&self, name: &str) -> Option<TaskId> {
        Some(*self.tasks.get(name).unwrap_or(&TaskId::at(1 + name.len() % 2)))
    }

    fn similar_task(&self, _name: &str) -> Option<String> {
        None
    }

    fn probe(&mut self, _custom: &Custom) -> Result<ProbeId, String> {
        Ok(ProbeId(0))
    }

    fn dates(&self, calendar: &str) -> Option<Dates> {
        let date = |day| NaiveDate::from_yo_opt(2026, day);
        Some((1..365).step_by(1 + calendar.len()).filter_map(date).collect())
    }

    fn similar_calendar(&self, _name: &str) -> Option<String> {
        None
    }

    fn calendar(&mut self, period: Period, zone: Option<&Zone>) -> Arc<Calendar> {
        Arc::new(Calendar::new(period, zone.unwrap_or(&self.zone).clone()))
    }
}
