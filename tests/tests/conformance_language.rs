//! The language reads what the vectors say.

use std::path::Path;

use redengine_tests::conformance::Report;

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
