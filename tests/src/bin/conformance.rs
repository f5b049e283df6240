//! Runs files of conformance vectors: `conformance [--skipped] FILE..`.
//!
//! Prints a line for each case that fails, and last `N passed, N failed, N skipped`. The exit status
//! is 1 if a case failed, 2 if a file could not be read whole.

use std::path::Path;
use std::process::ExitCode;

use redengine_tests::conformance::Report;

const USAGE: &str = "usage: conformance [--skipped] FILE..

Runs the cases of the files, `.jsonl` or `.jsonl.gz`, and prints a line for each that fails.
The kind of the cases is told from the file's name, which has one of these in it:
conditions, cron, cron-zones, parse, periods, timedelta, zones.

  --skipped  print for which reasons cases were skipped, too";

fn main() -> ExitCode {
    let (options, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if options.iter().any(|option| option == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = options.iter().find(|option| *option != "--skipped") {
        eprintln!("error: unknown option `{unknown}`\n\n{USAGE}");
        return ExitCode::from(2);
    }
    if files.is_empty() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    let mut whole = true;
    for file in &files {
        for error in report.run(Path::new(file)).err().into_iter().flatten() {
            eprintln!("error: {error}");
            whole = false;
        }
    }
    for line in &report.failures {
        println!("{line}");
    }
    if !options.is_empty() {
        for (reason, count) in &report.reasons {
            println!("skipped {count}: {reason}");
        }
    }
    println!("{} passed, {} failed, {} skipped", report.passed, report.failed, report.skipped);
    match (whole, report.failed) {
        (false, _) => ExitCode::from(2),
        (true, 0) => ExitCode::SUCCESS,
        (true, _) => ExitCode::FAILURE,
    }
}
