//! The language reads what the vectors say.

use std::path::Path;

use redengine_tests::conformance::{Outcome, Report, parse, timedelta};
use serde_json::json;

fn run(file: &str) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/vectors").join(file);
    let mut report = Report::default();
    assert_eq!(report.run(&path), Ok(()));
    report
}

#[test]
fn durations_are_read_as_recorded() {
    let report = run("timedelta.jsonl.gz");
    assert_eq!(report.failures, [""; 0]);
    assert_eq!((report.passed, report.skipped), (253, 0));
}

#[test]
fn conditions_and_periods_are_read_as_recorded() {
    let report = run("parse.jsonl.gz");
    assert_eq!(report.failures, [""; 0]);
    assert_eq!((report.passed, report.skipped), (1266, 63));
}

/// The checks can fail.
#[test]
fn a_wrong_answer_is_found() {
    let failed = |outcome| matches!(outcome, Outcome::Failed(_));
    let durations = [
        json!({ "input": "1 min", "us": 60_000_001 }),
        json!({ "input": "1 min", "error": "ValueError" }),
        json!({ "input": "1 mn", "us": 60_000_000 }),
        json!({}),
    ];
    assert!(durations.iter().all(|case| failed(timedelta::check(case))));
    let conditions = [
        json!({ "kind": "condition", "input": "true", "ast": { "cond": "false" } }),
        json!({ "kind": "condition", "input": "true", "expected": "error" }),
        json!({ "kind": "condition", "input": "dayly", "ast": { "cond": "true" } }),
        json!({ "kind": "time", "input": "always", "ast": { "type": "never" } }),
        json!({ "kind": "neither", "input": "true" }),
    ];
    assert!(conditions.iter().all(|case| failed(parse::check(case))));
}
