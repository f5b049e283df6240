//! What the program prints: a line as each run starts and ends, and a table at the end.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io::IsTerminal;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use redengine::prelude::*;
use redengine::record::Action;
use redengine::runlog::Query;
use redengine::time::duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{ChronoLocal, FormatTime};
use tracing_subscriber::registry::LookupSpan;

/// Prints what the scheduler tells; `RUST_LOG` chooses how much.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stdout().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).event_format(Lines).init();
}

/// Prints a line of the program's own.
pub fn say(line: &str) {
    tracing::info!(target: "quickstart", "{line}");
}

/// One line an event: the time, a sign, the task, what happened, how long it took, why.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        ChronoLocal::new("%H:%M:%S%.3f".to_owned()).format_time(&mut writer)?;
        let mut line = Line::default();
        event.record(&mut line);
        let (sign, colour) = match (event.metadata().level(), line.message.as_str()) {
            (&Level::ERROR, _) => ("✘", 31),
            (&Level::WARN, _) => ("!", 33),
            (_, "succeeded") => ("✔", 32),
            (_, "started") => ("▶", 34),
            _ => ("·", 0),
        };
        if writer.has_ansi_escapes() {
            write!(writer, " \x1b[{colour}m{sign}\x1b[0m ")?;
        } else {
            write!(writer, " {sign} ")?;
        }
        match line.task {
            Some(task) => write!(writer, "{task:<14} {}", line.message)?,
            None => writer.write_str(&line.message)?,
        }
        if let Some(took) = line.took {
            write!(writer, " in {took}")?;
        }
        if let Some(reason) = line.reason {
            write!(writer, ": {reason}")?;
        }
        writeln!(writer)
    }
}

/// The fields of an event that a person wants to see.
#[derive(Default)]
struct Line {
    message: String,
    task: Option<String>,
    took: Option<String>,
    reason: Option<String>,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "task" => self.task = Some(value.to_owned()),
            "reason" => self.reason = Some(value.to_owned()),
            "message" => self.message = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "took" => self.took = Some(format!("{value:.1?}")),
            "broken" | "error" => self.reason = Some(format!("{value:?}")),
            _ => {}
        }
    }
}

/// What the log tells of a task.
#[derive(Default)]
struct Tally {
    started: usize,
    ends: BTreeMap<Action, usize>,
    time: Duration,
}

/// Prints a table of all runs that the log knows, those of earlier times too.
pub async fn summary(session: &Session) -> Result {
    let mut tallies = BTreeMap::<String, Tally>::new();
    for recorded in session.history(Query::all()).await? {
        let record = recorded.record;
        let tally = tallies.entry(record.task.to_string()).or_default();
        if record.action.ends() {
            *tally.ends.entry(record.action).or_default() += 1;
            tally.time += record.duration();
        } else {
            tally.started += 1;
        }
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["task", "runs", "succeeded", "failed", "other", "on average"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (task, tally) in tallies {
        let ended = |action| tally.ends.get(&action).copied().unwrap_or(0);
        let all: usize = tally.ends.values().sum();
        let (succeeded, failed) = (ended(Action::Success), ended(Action::Fail));
        let mean = tally.time / u32::try_from(all.max(1)).unwrap_or(u32::MAX);
        table.add_row([
            task,
            tally.started.to_string(),
            succeeded.to_string(),
            failed.to_string(),
            (all - succeeded - failed).to_string(),
            duration::display(round(mean)).to_string(),
        ]);
    }
    println!("{table}");
    Ok(())
}

/// Cuts a duration to what a person reads.
fn round(duration: Duration) -> Duration {
    Duration::from_micros(u64::try_from(duration.as_micros() / 100 * 100).unwrap_or(u64::MAX))
}
