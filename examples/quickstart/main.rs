//! Watches this machine: samples it every second, aggregates, reports, and keeps its history.
//!
//! `cargo run --example quickstart` needs nothing installed. Runs are logged to `quickstart.db`, so
//! that it goes on from its history when it is started again. `-- --help` tells the options.

mod machine;
mod output;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use redengine::log::SqliteLog;
use redengine::prelude::*;
use redengine::time::duration;
use serde::{Deserialize, Serialize};

use machine::{Machine, Sample};

/// Watches this machine with a few scheduled tasks.
#[derive(Parser)]
struct Args {
    /// Keep the run log in this SQLite file
    #[arg(long, value_name = "FILE", default_value = "quickstart.db")]
    db: std::path::PathBuf,

    /// Stop after this long, for example `20s` or `2 min`; without it, on Ctrl-C
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    time: Option<Duration>,
}

/// Takes a sample of this machine: processor, memory, load.
#[task("secondly")]
fn take_sample(Param(machine): Param<Machine>) -> Result<Sample> {
    machine.sample()
}

/// What the samples since the last aggregate come to.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    samples: usize,
    cpu_percent: f32,
    memory_percent: f32,
    load: f64,
}

/// Averages the samples of the last seconds.
#[task("every 5 s & task 'take_sample' has succeeded")]
async fn aggregate(Param(machine): Param<Machine>) -> Result<Summary> {
    let series = machine.series();
    let samples = series.len();
    if samples == 0 {
        // Neither a success nor a failure: there is nothing to average.
        return Err(Inaction.into());
    }
    let mean = |value: fn(&Sample) -> f64| series.iter().map(value).sum::<f64>() / samples as f64;
    Ok(Summary {
        samples,
        cpu_percent: mean(|sample| sample.cpu_percent.into()) as f32,
        memory_percent: mean(|sample| sample.memory_percent.into()) as f32,
        load: mean(|sample| sample.load),
    })
}

/// Tells what came out, after each aggregate.
#[task("after task 'aggregate'")]
async fn report(summary: Return<Aggregate>) {
    let Summary { samples, cpu_percent, memory_percent, load } = *summary;
    output::say(&format!(
        "{samples} samples: cpu {cpu_percent:.0} %, memory {memory_percent:.0} %, load {load:.2}"
    ));
}

/// Fails now and then, as everything does that talks to others; it is tried again twice.
#[task("every 4 s | retry 2 after 1 s", priority = -1)]
async fn ask_upstream(run: RunInfo) -> Result {
    // No network is needed to fail: the last bits of the run's id are as good as a coin.
    tokio::time::sleep(Duration::from_millis(20)).await;
    match run.run().as_bytes()[15] % 3 {
        0 => Err("upstream refused the connection".into()),
        _ => Ok(()),
    }
}

/// There are so many samples that old ones should go.
#[condition(poll = "1 s")]
fn too_many_samples(most: usize) -> bool {
    machine::SAMPLES.load(std::sync::atomic::Ordering::Relaxed) > most
}

/// Drops the older half of the samples once there are too many.
#[task("too_many_samples(12)")]
async fn trim(Param(machine): Param<Machine>) {
    machine.drop_older_half();
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    output::init();
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result {
    let session = Session::builder()
        .log(SqliteLog::open(&args.db))
        .param("machine", Machine::new()?)
        .as_default() // it takes the tasks of this program
        .build()?;
    if let Some(time) = args.time {
        let session = session.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            session.shutdown();
        });
    }
    output::say(&format!("runs are logged to {}; Ctrl-C stops", args.db.display()));
    session.run().await?;
    output::summary(&session).await
}
