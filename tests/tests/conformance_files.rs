//! How files of vectors are read, and that what is skipped is written down.

use std::io::Write as _;
use std::path::Path;

use redengine_tests::conformance::{KINDS, Report};

fn run(name: &str, text: &[u8]) -> (Report, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let mut report = Report::default();
    let errors = report.run(&path).err().unwrap_or_default();
    let prefix = format!("{}/", folder.path().display());
    (report, errors.iter().map(|error| error.replace(&prefix, "")).collect())
}

const TWO: &[u8] = b"{\"id\":\"a\",\"input\":\"1 min\",\"us\":60000000}\n\n{\"id\":\"b\",\"input\":\"1 min\",\"us\":1}\n";

#[test]
fn a_file_is_read_plain_or_compressed_and_a_failure_says_what_was_expected() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(TWO).unwrap();
    let packed = packed.finish().unwrap();
    for (name, bytes) in [("hidden-timedelta_2.jsonl", TWO), ("timedelta.jsonl.gz", &packed)] {
        let (report, errors) = run(name, bytes);
        assert_eq!(errors, [""; 0]);
        assert_eq!((report.passed, report.failed, report.skipped), (1, 1, 0));
        assert_eq!(report.failures, ["b: `1 min`: expected 1, found 60000000"]);
    }
}

#[test]
fn a_failure_is_one_line() {
    let case = br#"{"id":"p","kind":"condition","input":"dayly &\n wekly","ast":{"cond":"true"}}"#;
    let (report, _) = run("parse.jsonl", case);
    assert_eq!(report.failures.len(), 1);
    assert!(!report.failures[0].contains('\n'), "{}", report.failures[0]);
}

#[test]
fn what_is_no_case_is_told_by_file_and_line_and_the_rest_is_run() {
    let (report, errors) =
        run("timedelta.jsonl", b"[1]\n{\"us\": no}\n{\"input\":\"1 s\",\"us\":1000000}");
    assert_eq!(
        errors,
        ["timedelta.jsonl:1: the line is no JSON object", "timedelta.jsonl:2:9: expected ident",]
    );
    assert_eq!(report.passed, 1);
    let (_, errors) = run("vectors.jsonl", b"");
    assert!(
        errors[0].starts_with("vectors.jsonl: the name tells no kind of vectors"),
        "{errors:?}"
    );
    let missing = Report::default().run(Path::new("/no/such/zones.jsonl")).unwrap_err();
    assert!(missing[0].starts_with("/no/such/zones.jsonl: "), "{missing:?}");
}

#[test]
fn each_reason_to_skip_is_written_down_with_its_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut report = Report::default();
    for (kind, _) in KINDS {
        report.run(&root.join(format!("data/vectors/{kind}.jsonl.gz"))).unwrap();
    }
    let document = std::fs::read_to_string(root.join("../docs/semantics.md")).unwrap();
    for (reason, count) in &report.reasons {
        let row = format!("| {count} | {reason} |");
        assert!(document.contains(&row), "`{row}` is not in docs/semantics.md");
    }
    let rows = document
        .lines()
        .filter(|line| report.reasons.keys().any(|r| line.contains(&format!(" | {r} |"))));
    assert_eq!(rows.count(), report.reasons.len());
}
