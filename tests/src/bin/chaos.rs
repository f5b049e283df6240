//! Nodes as processes on one run log, disturbed; and the proof that no run was doubled and none lost.
//!
//! `chaos [--url ..] [--nodes N] [--tasks N] [--secs N] [--seed N] [--protocol redengine|naive]`.
//! Prints each violation with its evidence, and a line in the end; exit status 1 if there is any.

use std::process::ExitCode;

use redengine_tests::chaos::arguments::{Arguments, USAGE};
use redengine_tests::chaos::node::{self, NodeArguments};
use redengine_tests::chaos::{Outcome, run};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let done = match words.split_first() {
        Some((first, rest)) if first == "node" => {
            NodeArguments::read(rest).and_then(|arguments| node::run(&arguments)).map(|()| true)
        }
        _ => command(words),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Tells whether nothing was found.
fn command(words: Vec<String>) -> Result<bool, String> {
    let arguments = Arguments::read(words).map_err(|problems| format!("{problems}\n\n{USAGE}"))?;
    let explain = |error: std::io::Error| error.to_string();
    let program = std::env::current_exe().map_err(explain)?;
    let folder = tempfile::Builder::new().prefix("redengine-chaos-").tempdir().map_err(explain)?;
    let Outcome { findings, summary } = run(&arguments, &program, folder.path())?;
    for violation in &findings.violations {
        println!("{violation}");
    }
    if !findings.violations.is_empty() {
        println!("effects and messages: {}", folder.keep().display());
    }
    println!("{summary}");
    Ok(findings.violations.is_empty())
}
