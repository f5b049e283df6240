//! What the sources promise about themselves.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// Lines of code (not comments) below a folder that have a word in them.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(!files.is_empty(), "{folder} has no sources");
    let mut found = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}: {line}", file.display()));
            }
        }
    }
    found
}

#[test]
fn the_engine_knows_no_runtime_and_no_clock() {
    let impure = ["tokio", "std::fs", "Instant", "SystemTime", "tracing", "async fn", ".await"];
    assert_eq!(lines_with("src/engine", &impure), Vec::<String>::new());
}

#[test]
fn core_knows_no_runtime() {
    assert_eq!(lines_with("../core/src", &["tokio"]), Vec::<String>::new());
}

#[test]
fn only_the_driver_selects() {
    let selects = lines_with("src", &["select!"]);
    assert!(selects.iter().all(|line| line.contains("driver.rs")), "{selects:#?}");
    assert!(!selects.is_empty());
}
