//! Fuzzes the parser, durations, cron, points, the evaluator and files of settings: `fuzz [--secs N] [--seed N] [TARGET..]`.
//!
//! Prints the input of the first law that is broken, and how to see it again; exit status 1 then.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use redengine_tests::fuzz::{TARGETS, Target, corpus, mutate};

const USAGE: &str = "usage: fuzz [--secs N] [--seed N] [TARGET..]

Tries random inputs for N seconds (60 by default), spread over the targets:
parser, durations, cron, points, evaluator, settings.";

/// An input of so many bytes may take so long: far above what it takes, far below what is not linear.
const PATIENCE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut time = Duration::from_mins(1);
    let mut seed = fastrand::u64(..);
    let mut targets = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or(format!("`{argument}` needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("`{text}` is no number"))
        };
        match argument.as_str() {
            "--secs" => time = Duration::from_secs(number()?),
            "--seed" => seed = number()?,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            name => {
                let target = TARGETS.iter().find(|(known, _)| *known == name);
                targets.push(*target.ok_or(format!("unknown target `{name}`\n\n{USAGE}"))?);
            }
        }
    }
    if targets.is_empty() {
        targets = TARGETS.to_vec();
    }
    let corpus = corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/vectors"))?;
    let mut rng = fastrand::Rng::with_seed(seed);
    let share = time / u32::try_from(targets.len()).unwrap_or(u32::MAX);
    for (name, target) in targets {
        let started = now();
        let mut tried = 0_u64;
        while now() - started < share {
            let input = mutate(&corpus, &mut rng);
            let before = now();
            let outcome = std::panic::catch_unwind(|| target(&input, &mut rng.clone()));
            let broken = match outcome {
                Ok(Ok(())) if now() - before > PATIENCE && is_slow(target, &input, &rng) => {
                    Some("it took too long".to_owned())
                }
                Ok(Ok(())) => None,
                Ok(Err(law)) => Some(law),
                Err(_) => Some("it panicked".to_owned()),
            };
            rng.u64(..);
            tried += 1;
            if let Some(broken) = broken {
                return Err(format!("{name}: {broken}\n  input: {input:?}\n  seed: {seed}"));
            }
        }
        println!("{name}: {tried} inputs, no law broken (seed {seed})");
    }
    Ok(())
}

/// Tells whether an input takes long each time: once, the machine may have been busy.
fn is_slow(target: Target, input: &str, rng: &fastrand::Rng) -> bool {
    (0..5).all(|_| {
        let before = now();
        let _ = target(input, &mut rng.clone());
        now() - before > PATIENCE
    })
}

#[expect(clippy::disallowed_methods, reason = "a fuzzer runs for a while")]
fn now() -> Instant {
    Instant::now()
}
