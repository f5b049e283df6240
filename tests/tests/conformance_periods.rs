//! Periods, zones and cron answer the conformance vectors.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use redengine_tests::conformance::Report;

fn all_pass(name: &str, at_least: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/vectors").join(name);
    let mut report = Report::default();
    report.run(&path).unwrap();
    let shown = report.failures.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert_eq!(report.failed, 0, "{shown}");
    // A check that skips everything would pass too.
    assert!(report.passed >= at_least, "only {} passed", report.passed);
}

#[test]
fn periods_answer_as_recorded() {
    all_pass("periods.jsonl.gz", 4_670);
}

#[test]
fn windows_around_odd_hours_are_right() {
    all_pass("zones.jsonl.gz", 4_640);
}

#[test]
fn cron_answers_as_recorded() {
    all_pass("cron.jsonl.gz", 1_770);
}

#[test]
fn cron_keeps_debians_rules_where_the_clock_is_set() {
    all_pass("cron-zones.jsonl.gz", 2_200);
}

/// Made by `tests/oracles/cronsim_vectors.py`, with expressions and instants at random.
#[test]
fn cron_answers_random_expressions_as_cronsim_does() {
    all_pass("cron-zones-random.jsonl.gz", 4_990);
}
