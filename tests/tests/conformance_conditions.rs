//! Conditions over a log come out as the vectors say.

use std::path::Path;

use redengine_tests::conformance::Report;

#[test]
fn conditions_hold_as_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/vectors/conditions.jsonl.gz");
    let mut report = Report::default();
    assert_eq!(report.run(&path), Ok(()));
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(report.passed > 3400, "{report:?}");
}
