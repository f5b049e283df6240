//! The command: starts nodes, has them disturbed, reads what is left, and has it checked.
//!
//! Always: the log and the effects are read when all nodes have ended, so nothing changes any more.

use std::path::Path;

use redengine_core::Timestamp;
use redengine_core::record::Recorded;
use redengine_core::runlog::Query;

use super::arguments::Arguments;
use super::checker::{self, Evidence, Findings, Wrong};
use super::database::Database;
use super::effects::Effects;
use super::faults::{self, Disturber, Faults};
use super::process::Launcher;
use super::tasks;

/// What a run of the command has found.
#[derive(Debug)]
pub struct Outcome {
    /// What was found.
    pub findings: Findings,
    /// All of it in a line.
    pub summary: String,
}

/// Runs nodes, disturbs them, and checks what became of it. Effects and messages go to the folder.
///
/// # Errors
///
/// If nodes cannot be started or disturbed, or what they wrote cannot be read.
pub fn run(arguments: &Arguments, program: &Path, folder: &Path) -> Result<Outcome, String> {
    let explain = |error: std::io::Error| error.to_string();
    let database = Database::open(arguments.url.as_deref(), folder)?;
    if !read(&database.url())?.is_empty() {
        return Err("the run log has records already; give one that is empty".to_owned());
    }
    let launcher = Launcher {
        program: program.to_owned(),
        folder: folder.to_owned(),
        url: database.url(),
        tasks: arguments.tasks,
        protocol: arguments.protocol,
    };
    let started = Disturber::start(launcher, &database, arguments.nodes, arguments.seed);
    let mut disturber = started.map_err(explain)?;
    disturber.disturb(arguments.time)?;
    let ill = disturber.calm()?;
    let closing = now();
    let wrong = disturber.end().map_err(explain)?;
    let records = read(&database.url())?;
    let faults = disturber.faults();
    let evidence = Evidence {
        tasks: tasks::tasks(arguments.tasks),
        records,
        effects: Effects::read(folder).map_err(explain)?,
        faults: faults.clone(),
        closing,
    };
    let mut findings = checker::check(&evidence);
    let by_itself = disturber.said().iter().cloned().map(|said| ("a node ended", said));
    let ill = ill.into_iter().map(|said| ("a node is not well in the end", said));
    let wrong = wrong.into_iter().map(|said| ("a node did not end in order", said));
    for (what, said) in by_itself.chain(ill).chain(wrong).chain(panics(folder).map_err(explain)?) {
        findings.add(Wrong::Disorder, what.to_owned(), vec![said]);
    }
    let summary = summary(arguments, &database, &findings, &faults);
    Ok(Outcome { findings, summary })
}

fn panics(folder: &Path) -> std::io::Result<Vec<(&'static str, String)>> {
    let mut panics = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let said = std::fs::read_to_string(&path)?;
            let panicked = said.lines().filter(|line| line.contains("panicked at"));
            panics.extend(panicked.map(|line| ("a node panicked", line.to_owned())));
        }
    }
    Ok(panics)
}

fn summary(
    arguments: &Arguments,
    database: &Database,
    findings: &Findings,
    faults: &Faults,
) -> String {
    let ends = findings.ends.iter().map(|(action, count)| format!("{count} {action}"));
    let kinds = faults::count(faults);
    let kinds = kinds.iter().map(|(fault, count)| format!("{count} {fault:?}").to_lowercase());
    let wrong = [Wrong::Duplicate, Wrong::Vanished, Wrong::Contradiction, Wrong::Disorder];
    let wrong = wrong.map(|wrong| format!("{wrong} {}", findings.count(wrong)));
    format!(
        "chaos: {} on {}, seed {}, {} nodes, {} tasks, {} s: {} runs ({}), {} slots skipped with a \
         reason, {} faults ({}), well {} % of the time: {}",
        arguments.protocol.as_str(),
        database.kind(),
        arguments.seed,
        arguments.nodes,
        arguments.tasks,
        arguments.time.as_secs(),
        findings.runs,
        ends.collect::<Vec<_>>().join(", "),
        findings.skipped,
        faults.len(),
        kinds.collect::<Vec<_>>().join(", "),
        findings.well,
        wrong.join(", "),
    )
}

/// Reads a whole log.
///
/// # Errors
///
/// If it cannot be opened or read.
pub fn read(url: &str) -> Result<Vec<Recorded>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let read = async {
        let log = redengine_log::connect(url).await?;
        log.read(Query::all()).await
    };
    let records = runtime.map_err(|error| error.to_string())?.block_on(read);
    records.map_err(|error| format!("{error:?}"))
}

/// Tells the time of the machine, which all processes share.
#[expect(clippy::disallowed_methods, reason = "real processes run in real time")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.unwrap_or_default().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
