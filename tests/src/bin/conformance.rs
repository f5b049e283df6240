//! Runs files of conformance vectors: `conformance FILE..`.
//!
//! Prints a line for each case that fails, and last `N passed, N failed, N skipped`.

use std::path::Path;
use std::process::ExitCode;

use redengine_tests::conformance::Report;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() || files.iter().any(|file| file == "--help") {
        eprintln!(
            "usage: conformance FILE..\n\nThe kind of the cases is told from the file's name."
        );
        return ExitCode::from(2);
    }
    let mut report = Report::default();
    for file in &files {
        if let Err(error) = report.run(Path::new(file)) {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    }
    for line in &report.failures {
        println!("{line}");
    }
    println!("{} passed, {} failed, {} skipped", report.passed, report.failed, report.skipped);
    if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
