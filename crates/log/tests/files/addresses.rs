//! Opening by an address, and copying from one log to another.

use expect_test::{Expect, expect};
use redengine_core::runlog::{Prune, RunLog};
use redengine_log::{MemoryLog, connect, copy};

use super::{
    Action, Arc, Details, LogErrorKind, Record, Recorded, Seq, add, all, assert_says, begin,
    block_on, end, latest,
};

#[test]
fn each_address_opens_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    for (url, file) in [
        ("memory:".to_owned(), None),
        ("memory:?bound=10".to_owned(), None),
        (format!("sqlite:{path}/1.db"), Some("1.db")),
        (format!("sqlite://{path}/2.db?synchronous=normal&busy_timeout=50ms"), Some("2.db")),
        (format!("csv:{path}/a%3Fb%25.csv?fsync=1%20s"), Some("a?b%.csv")),
        (format!("csv:{path}/3.csv?fsync=never&rotate=1MB"), Some("3.csv")),
        (format!("jsonl:{path}/4.jsonl?fsync=batch&rotate=64MiB"), Some("4.jsonl")),
    ] {
        let log = block_on(connect(&url)).unwrap();
        add(&*log, vec![latest(begin("a", 1, 1), None)]);
        assert_eq!(all(&*log).len(), 1, "{url}");
        if let Some(file) = file {
            assert!(names_lossy(folder.path()).contains(&file.to_owned()), "{url}");
        }
    }
}

fn names_lossy(folder: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn check(url: &str, wanted: &Expect) {
    let error = block_on(connect(url)).unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Open, "{error:?}");
    wanted.assert_eq(&error.to_string());
}

#[test]
fn a_wrong_address_is_quoted_with_a_mark_under_what_is_wrong() {
    check(
        "sqlit:runs.db",
        &expect![[r#"
        cannot open the run log `sqlit:runs.db`: unknown scheme `sqlit`; did you mean `sqlite`?
          sqlit:runs.db
          ^^^^^"#]],
    );
    check(
        "mysql://root:s3cret@db/app",
        &expect![[r#"
        cannot open the run log `mysql://root:***@db/app`: unknown scheme `mysql`; there are `memory`, `sqlite`, `csv`, `jsonl`, `postgres`, `postgresql`
          mysql://root:***@db/app
          ^^^^^"#]],
    );
    check(
        "postgre://app:s3:cr@t@db/app",
        &expect![[r#"
        cannot open the run log `postgre://app:***@db/app`: unknown scheme `postgre`; did you mean `postgres`?
          postgre://app:***@db/app
          ^^^^^^^"#]],
    );
    check(
        "runs.csv",
        &expect![[r#"
        cannot open the run log `runs.csv`: it does not say what it is; did you mean `csv:runs.csv`?
          runs.csv
          ^^^^^^^^"#]],
    );
    check(
        "",
        &expect![
            "cannot open the run log: its address is empty; write one such as `sqlite:runs.db`"
        ],
    );
    check(
        "sqlite:",
        &expect![[r#"
        cannot open the run log `sqlite:`: it names no file; write `sqlite:runs.db`
          sqlite:
                 ^"#]],
    );
    check(
        "jsonl:?rotate=1",
        &expect![[r#"
        cannot open the run log `jsonl:?rotate=1`: it names no file; write `jsonl:runs.jsonl`
          jsonl:?rotate=1
                ^"#]],
    );
    check(
        "memory:runs.db",
        &expect![[r#"
        cannot open the run log `memory:runs.db`: a log in memory has no file; write `memory:`, or `sqlite:` to keep records
          memory:runs.db
                 ^^^^^^^"#]],
    );
    check(
        "sqlite:runs.db?synchronus=normal&busy_timeout=soon",
        &expect![[r#"
        cannot open the run log `sqlite:runs.db?synchronus=normal&busy_timeout=soon`: unknown option `synchronus`; did you mean `synchronous`?; `soon` cannot be `busy_timeout`: expected a duration like `10 min`, found `soon`; write a duration such as `5s`
          sqlite:runs.db?synchronus=normal&busy_timeout=soon
                         ^^^^^^^^^^                     ^^^^"#]],
    );
    check(
        "csv:ä.csv?fsync=sometimes&rotate=big&x",
        &expect![[r#"
        cannot open the run log `csv:ä.csv?fsync=sometimes&rotate=big&x`: `sometimes` cannot be `fsync`: write `batch`, `never`, or how long to wait at most, such as `1s`; `big` cannot be `rotate`: write a number of bytes such as `64MiB`; unknown option `x`; there are `fsync`, `rotate`
          csv:ä.csv?fsync=sometimes&rotate=big&x
                          ^^^^^^^^^        ^^^ ^"#]],
    );
}

#[cfg(not(feature = "postgres"))]
#[test]
fn a_log_that_is_not_compiled_in_is_named_with_its_feature() {
    check(
        "postgres://app:s3cret@db/app",
        &expect![[r#"
        cannot open the run log `postgres://app:***@db/app`: `postgres` needs the feature `postgres`, which is off; add it to `redengine` in `Cargo.toml`
          postgres://app:***@db/app
          ^^^^^^^^"#]],
    );
}

/// Records with all that a record can have.
fn write(log: &dyn RunLog) -> Vec<Recorded> {
    let mut last = None;
    for number in 1..=50_u32 {
        let record = Record {
            due: (number % 3 == 0).then(|| begin("", 0, -5).at),
            details: Details::default()
                .with_node("n: 1")
                .with_attempt(number.into())
                .with_params("{\"a\": [1, 2]}")
                .with_trace("4bf92f3577b34da6a3ce929d0e0e4736")
                .shared(),
            ..begin("a, \"b\"", number.into(), number.into())
        };
        let mut ended = end(&record, Action::ALL[1 + number as usize % 5]);
        ended.record.details = Details::default()
            .with_reason("one\r\ntwo \\n \"three\"\0")
            .with_output(["null", "{\"x\": 1}", "no JSON", " 1", ""][number as usize % 5])
            .shared();
        last = add(log, vec![latest(record, last), ended]).last().map(|recorded| recorded.seq);
    }
    all(log)
}

#[test]
fn records_are_the_same_from_log_to_log_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let first = MemoryLog::new();
    let records = write(&first);
    let mut from: Arc<dyn RunLog> = Arc::new(first);
    for url in [
        format!("csv:{path}/1.csv?rotate=2kB"),
        format!("jsonl:{path}/2.jsonl?rotate=2kB"),
        format!("sqlite:{path}/3.db"),
        format!("jsonl:{path}/4.jsonl"),
        format!("csv:{path}/5.csv"),
        "memory:".to_owned(),
    ] {
        let to = block_on(connect(&url)).unwrap();
        assert_eq!(block_on(copy(&*from, &*to)).unwrap(), 100, "{url}");
        drop((from, to));
        if url == "memory:" {
            break;
        }
        // What is read is what is in the files.
        from = block_on(connect(&url)).unwrap();
        assert_eq!(all(&*from), records, "{url}");
    }
}

#[test]
fn a_copy_goes_on_where_it_was_and_takes_what_is_new() {
    let from = MemoryLog::new();
    let records = write(&from);
    let to = MemoryLog::new();
    block_on(to.import(records[..33].to_vec())).unwrap();
    assert_eq!(block_on(copy(&from, &to)).unwrap(), 67);
    assert_eq!(all(&to), records);
    assert_eq!(block_on(copy(&from, &to)).unwrap(), 0);
    let added = add(&from, vec![latest(begin("new", 1000, 1), None)]);
    assert_eq!(block_on(copy(&from, &to)).unwrap(), 1);
    assert_eq!(all(&to), [records, added].concat());
}

#[test]
fn a_copy_goes_on_after_what_it_has_was_removed_from_the_original() {
    // With a task whose latest records stay, and without one.
    for others in [true, false] {
        let (from, to) = (MemoryLog::new(), MemoryLog::new());
        if others {
            add(&from, vec![latest(begin("seldom", 1000, 0), None)]);
        }
        let mut last = None;
        let mut run = |number: u32| {
            let record = begin("often", number.into(), number.into());
            let end = end(&record, Action::Success);
            last = add(&from, vec![latest(record, last), end]).last().map(|last| last.seq);
        };
        (1..10).for_each(&mut run);
        block_on(copy(&from, &to)).unwrap();
        let copied = all(&to);
        (10..20).for_each(&mut run);
        block_on(from.prune(Prune::default().beyond(4))).unwrap();
        assert_eq!(block_on(copy(&from, &to)).unwrap(), 4);
        let news = all(&from).split_off(usize::from(others));
        assert_eq!(all(&to), [copied, news].concat());
        assert_eq!(block_on(copy(&from, &to)).unwrap(), 0);
        // And after the copy was pruned as well.
        block_on(to.prune(Prune::default().beyond(0))).unwrap();
        (20..30).for_each(&mut run);
        block_on(from.prune(Prune::default().beyond(2))).unwrap();
        assert_eq!(block_on(copy(&from, &to)).unwrap(), 2);
    }
}

#[test]
fn a_pruned_log_is_not_copied_over_another_that_has_the_same_tasks() {
    let from = MemoryLog::new();
    let mut last = None;
    for number in 0..20_u32 {
        let record = begin("often", number.into(), number.into());
        let end = end(&record, Action::Success);
        last = add(&from, vec![latest(record, last), end]).last().map(|last| last.seq);
    }
    let others = |first: u64| {
        let other = |seq: u64| {
            let record = end(&begin("often", u128::from(seq) + 1000, 0), Action::Success).record;
            Recorded { seq: Seq(seq), record }
        };
        let to = MemoryLog::new();
        block_on(to.import((first..first + 19).map(other).collect())).unwrap();
        to
    };
    block_on(from.prune(Prune::default().beyond(4))).unwrap();
    // It may have lost 18 that succeeded, and there are 19.
    for (first, words) in [(20, "record 38 is `success` of run "), (1, "19, is not here")] {
        let to = others(first);
        let before = all(&to);
        let error = block_on(copy(&from, &to)).unwrap_err();
        assert_says(&error, LogErrorKind::Order, words);
        assert_eq!(all(&to), before);
    }
}

#[test]
fn many_records_are_copied_in_pages() {
    let from = MemoryLog::new();
    let record = |number: u32| begin("a", number.into(), number.into());
    let records: Vec<Recorded> = (1..=9000)
        .map(|seq| Recorded { seq: Seq(2 * u64::from(seq)), record: record(seq) })
        .collect();
    block_on(from.import(records.clone())).unwrap();
    let to = MemoryLog::new();
    assert_eq!(block_on(copy(&from, &to)).unwrap(), 9000);
    assert_eq!(all(&to), records);
    // The oldest that they have in common is enough to know the one by the other.
    let pruned = MemoryLog::new();
    block_on(pruned.import(vec![records[0].clone()])).unwrap();
    let news: Vec<Recorded> = (9001..=9003)
        .map(|seq| Recorded { seq: Seq(2 * u64::from(seq)), record: record(seq) })
        .collect();
    block_on(pruned.import(news.clone())).unwrap();
    assert_eq!(block_on(copy(&pruned, &to)).unwrap(), 3);
    assert_eq!(all(&to), [records, news].concat());
}

#[test]
fn a_log_that_holds_other_records_is_not_written_to() {
    let from = MemoryLog::new();
    let records = write(&from);
    for (seq, words) in
        [(5, "record 5 is `run` of run "), (1000, "its last record, 1000, is not here")]
    {
        let to = MemoryLog::new();
        let other = vec![Recorded { seq: Seq(seq), record: begin("other", 7, 7) }];
        block_on(to.import(other.clone())).unwrap();
        let error = block_on(copy(&from, &to)).unwrap_err();
        assert_says(&error, LogErrorKind::Order, "that one holds other records");
        assert_says(&error, LogErrorKind::Order, words);
        assert_eq!(all(&to), other);
    }
    // Nor is a copy that has gone on by itself.
    let to = MemoryLog::new();
    block_on(copy(&from, &to)).unwrap();
    add(&to, vec![latest(begin("other", 7000, 7), None)]);
    let error = block_on(copy(&from, &to)).unwrap_err();
    assert_says(&error, LogErrorKind::Order, "its last record, 101, is not here");
    assert_eq!(all(&from), records);
}
