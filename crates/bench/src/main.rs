//! What waiting and starting cost, to be measured beside other schedulers.
//!
//! `redengine-bench SCENARIO --tasks N --secs S` prints one line of JSON. What goes wrong is such a
//! line too, `{"error": ".."}`, with exit status 3. See `docs/benchmarks.md`.

mod clock;
mod harness;
mod measure;
mod process;
mod scenarios;
mod starts;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::harness::Figures;
use crate::scenarios::{LogName, Scenario, Size};

/// Measures what waiting and starting cost, and prints one line of JSON.
///
/// What users get by default is measured: facts and records in memory, and Tokio's own threads.
#[derive(Debug, Parser)]
#[command(name = "redengine-bench", version)]
struct Args {
    scenario: Scenario,
    /// How many tasks there are.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    tasks: usize,
    /// For how many seconds to measure; in a burst, how long to wait for tasks that do not start.
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    secs: f64,
    /// In `lateness`: how many tasks are due at each second.
    #[arg(long, value_name = "K", default_value_t = 100)]
    probes: usize,
    /// In a burst: how many seconds before it the program begins to register tasks; 0: it guesses.
    #[arg(long, value_name = "L", default_value_t = 0.0)]
    lead: f64,
    /// In `log-read`: how many records there are.
    #[arg(long, value_name = "R", default_value_t = 1_000_000)]
    records: usize,
    /// In `log` and `log-read`: measure only this run log.
    #[arg(long, value_name = "NAME")]
    log: Option<LogName>,
    /// What is different from the default: `current-thread` runs all on one thread.
    #[arg(long, value_name = "V", default_value = "")]
    variant: String,
}

fn main() -> ExitCode {
    let mut figures = Figures::default();
    figures.put("peer", "redengine");
    figures.put("version", concat!("redengine ", env!("CARGO_PKG_VERSION")));
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(figures, &brief(&error)),
    };
    figures.put("scenario", format!("{:?}", args.scenario).to_lowercase());
    figures.put("variant", args.variant.as_str());
    figures.put("tasks", args.tasks);
    figures.put("secs", args.secs);
    match measure(&args) {
        Ok(measured) => {
            figures.extend(measured);
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(figures, &error),
    }
}

fn measure(args: &Args) -> Result<Figures, String> {
    let Args { scenario, tasks, secs: seconds, probes, lead, records, log, ref variant } = *args;
    for (name, value) in [("--secs", seconds), ("--lead", lead)] {
        if !(0.0..=86_400.0).contains(&value) {
            return Err(format!("`{name} {value}` is not between 0 and a day"));
        }
    }
    let mut builder = match variant.as_str() {
        "" => tokio::runtime::Builder::new_multi_thread(),
        "current-thread" => tokio::runtime::Builder::new_current_thread(),
        other => return Err(format!("unknown variant `{other}`; there is `current-thread`")),
    };
    let runtime = builder.enable_all().build().map_err(|error| error.to_string())?;
    let measured =
        runtime.block_on(scenario.run(Size { tasks, seconds, probes, lead, records, log }));
    // Only the steady state is measured; nobody waits for the tasks that still run.
    runtime.shutdown_background();
    measured
}

fn fail(mut figures: Figures, error: &str) -> ExitCode {
    figures.fail(error);
    println!("{figures}");
    ExitCode::from(3)
}

/// Tells what is wrong with the arguments, without the lines about how to get help.
fn brief(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return "which scenario? `--help` lists them".to_owned();
    }
    let text = error.to_string();
    let text = text.split("\n\nFor more").next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ").trim_start_matches("error: ").to_owned()
}
