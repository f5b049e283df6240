//! What lines look like, and which are read.

use expect_test::{Expect, expect};
use redengine_core::runlog::RunLog;

use super::{
    Action, Appended, Details, FORMATS, LogErrorKind, Reason, Record, RunId, Seq, Timestamp, add,
    all, assert_says, begin, block_on, contents, end, fs, latest, names, open, try_open,
};

/// A day of a task that people may want to look at.
fn write(log: &dyn RunLog) {
    let id = |text: &str| text.parse::<RunId>().unwrap();
    let fetch = Record {
        run: id("0193a2c4-7e00-7000-8000-000000000001"),
        details: Details::default().with_node("host:4711").with_attempt(2).shared(),
        ..begin("fetch", 0, 0)
    };
    let mut failed = end(&fetch, Action::Fail);
    let reason = Reason::new("cannot fetch \"prices\"").because("C:\\new is full").because("why");
    failed.record.details = Details::default().with_reason(reason).shared();
    let load = Record {
        run: id("0193a2c4-7e00-7000-8000-000000000002"),
        due: Some(Timestamp::from_micros(1_795_503_500_250_000)),
        details: Details::default()
            .with_params("{\"limit\": 5}")
            .with_trace("4bf92f3577b34da6a3ce929d0e0e4736")
            .shared(),
        ..begin("load, daily", 0, 2)
    };
    let mut loaded = end(&load, Action::Success);
    loaded.record.details = Details::default().with_output("[1, \"ä\"]").shared();
    add(log, vec![latest(fetch, None)]);
    add(log, vec![failed, latest(load, None)]);
    add(log, vec![loaded]);
}

fn check(format: &str, wanted: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs").with_extension(format);
    let log = open(&file);
    write(&*log);
    wanted.assert_eq(&fs::read_to_string(&file).unwrap());
}

#[test]
fn a_line_that_is_there_twice_is_named() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        write(&*open(&file));
        let text = fs::read_to_string(&file).unwrap();
        let first = text.lines().find(|line| line.contains("fetch")).unwrap();
        let again = match format {
            "csv" => first.replacen('1', "5", 1),
            _ => first.replacen("\"seq\":1", "\"seq\":5", 1),
        };
        fs::write(&file, format!("{text}{again}\n")).unwrap();
        let error = try_open(&file, "").unwrap_err();
        let line = text.lines().count() + 1;
        assert_says(&error, LogErrorKind::Corrupt, &format!(":{line}` is no record: record 1 is"));
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{text}{again}\n"));
    }
}

#[test]
fn rows_are_for_spreadsheets() {
    check(
        "csv",
        &expect![[r#"
            seq,at,task,action,duration,reason,causes,run,started,due,node,attempt,output,params,trace,more,count,failures,ended,v
            1,2026-11-24T07:00:00Z,fetch,run,,,,0193a2c4-7e00-7000-8000-000000000001,2026-11-24T07:00:00Z,,host:4711,2,,,,,,,,1
            2,2026-11-24T07:00:01.500Z,fetch,fail,1.5,"cannot fetch ""prices""","[""C:\\\\new is full"",""why""]",0193a2c4-7e00-7000-8000-000000000001,2026-11-24T07:00:00Z,,,,,,,1,,,,1
            3,2026-11-24T07:00:02Z,"load, daily",run,,,,0193a2c4-7e00-7000-8000-000000000002,2026-11-24T07:00:02Z,2026-11-24T06:58:20.250Z,,,,"{""limit"": 5}",4bf92f3577b34da6a3ce929d0e0e4736,,,,,1
            4,2026-11-24T07:00:03.500Z,"load, daily",success,1.5,,,0193a2c4-7e00-7000-8000-000000000002,2026-11-24T07:00:02Z,2026-11-24T06:58:20.250Z,,,"[1, ""ä""]",,,,,,,1
        "#]],
    );
}

#[test]
fn json_lines_are_for_tools() {
    check(
        "jsonl",
        &expect![[r#"
            {"seq":1,"at":"2026-11-24T07:00:00Z","task":"fetch","action":"run","run":"0193a2c4-7e00-7000-8000-000000000001","node":"host:4711","attempt":2,"v":1}
            {"seq":2,"at":"2026-11-24T07:00:01.500Z","task":"fetch","action":"fail","duration":1.5,"reason":"cannot fetch \"prices\"","causes":["C:\\new is full","why"],"run":"0193a2c4-7e00-7000-8000-000000000001","started":"2026-11-24T07:00:00Z","more":1,"v":1}
            {"seq":3,"at":"2026-11-24T07:00:02Z","task":"load, daily","action":"run","run":"0193a2c4-7e00-7000-8000-000000000002","due":"2026-11-24T06:58:20.250Z","params":{"limit": 5},"trace":"4bf92f3577b34da6a3ce929d0e0e4736","v":1}
            {"seq":4,"at":"2026-11-24T07:00:03.500Z","task":"load, daily","action":"success","duration":1.5,"run":"0193a2c4-7e00-7000-8000-000000000002","started":"2026-11-24T07:00:02Z","due":"2026-11-24T06:58:20.250Z","output":[1, "ä"],"v":1}
        "#]],
    );
}

#[test]
fn a_bad_line_in_the_middle_is_quoted_with_its_place_and_nothing_is_changed() {
    for (format, bad, why) in [
        ("jsonl", "{\"seq\":2,", "EOF while parsing"),
        ("jsonl", "{\"seq\":2}", "missing field `at`"),
        ("jsonl", "nonsense", "expected ident"),
        (
            "jsonl",
            r#"{"seq":1,"at":"2026-11-24T07:00:00Z","task":"a","action":"run","run":"0193a2c4-7e00-7000-8000-000000000001"}"#,
            "its number 1 comes after 1, and numbers increase",
        ),
        (
            "jsonl",
            r#"{"seq":2,"at":"today","task":"a","action":"run","run":"0193a2c4-7e00-7000-8000-000000000001"}"#,
            "its `at` is `today`",
        ),
        (
            "jsonl",
            r#"{"seq":2,"at":"2026-11-24T07:00:00Z","task":"a","action":"walk","run":"0193a2c4-7e00-7000-8000-000000000001"}"#,
            "unknown action `walk`; the actions are",
        ),
        ("csv", "2,2026-11-24T07:00:00Z,a", "it has 3 cells, and the first line has 20"),
        ("csv", "2,\"a", "a quote is not closed"),
        ("csv", "2,\"a\"b", "cell 2 goes on after its quotes"),
        (
            "csv",
            "two,2026-11-24T07:00:00Z,a,run,,,,0193a2c4-7e00-7000-8000-000000000001,,,,,,,,,,,,1",
            "its `seq` is `two`: invalid digit",
        ),
        ("csv", ",2026-11-24T07:00:00Z,a,run,,,,0193a2c4,,,,,,,,,,,,1", "its `run` is `0193a2c4`"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        write(&*open(&file));
        let text = fs::read_to_string(&file).unwrap();
        let header = usize::from(format == "csv");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.insert(header + 1, bad);
        let text = lines.join("\n") + "\n";
        fs::write(&file, &text).unwrap();
        let error = try_open(&file, "").unwrap_err();
        let place = format!("`{}:{}` is no record: ", file.display(), header + 2);
        assert_says(&error, LogErrorKind::Corrupt, &place);
        assert_says(&error, LogErrorKind::Corrupt, why);
        if !why.contains("increase") {
            assert_says(&error, LogErrorKind::Corrupt, &format!("\n  {bad}\n"));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn a_batch_with_a_line_too_few_in_the_middle_is_named() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        let batch = (1..=3).map(|run| latest(begin(&format!("task {run}"), run, 1), None));
        add(&*open(&file), batch.collect());
        let text = fs::read_to_string(&file).unwrap();
        let gone = if format == "csv" { 2 } else { 1 };
        let lines = text.lines().enumerate().filter(|(place, _)| *place != gone);
        let left: Vec<&str> = lines.map(|(_, line)| line).collect();
        fs::write(&file, left.join("\n") + "\n").unwrap();
        let error = try_open(&file, "").unwrap_err();
        let words = "0 lines of its batch are to come, and by the line before it should be 1";
        assert_says(&error, LogErrorKind::Corrupt, words);
    }
}

#[test]
fn older_and_newer_files_are_read() {
    let run = "0193a2c4-7e00-7000-8000-000000000001";
    for (format, text) in [
        (
            "jsonl",
            format!(
                "{{\"run\":\"{run}\",\"mood\":[1],\"seq\":7,\"task\":\"a\",\"action\":\"run\",\
                 \"at\":\"2026-11-24T08:00:00+01:00\"}}\r\n\n"
            ),
        ),
        (
            "csv",
            format!(
                "\u{feff}task,mood,at,seq,run,action\r\na,?,2026-11-24T07:00:00Z,7,{run},run\n"
            ),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        fs::write(&file, &text).unwrap();
        let log = open(&file);
        let records = all(&*log);
        assert_eq!(records.len(), 1, "{format}");
        assert_eq!(records[0].seq, Seq(7));
        assert_eq!(records[0].record.started.to_string(), "2026-11-24T07:00:00Z");
        assert_eq!(records[0].record.run.to_string(), run);
        assert_eq!(records[0].record.details, None);
        // What is written does not lose a field for want of a column.
        let mut ended = end(&records[0].record, Action::Fail);
        ended.record.details = Details::default().with_reason("why").shared();
        let added = add(&*log, vec![ended]);
        assert_eq!(added[0].seq, Seq(8));
        drop(log);
        let log = open(&file);
        assert_eq!(all(&*log), [records, added].concat());
        let rotated = folder.path().join("runs.1.csv");
        assert_eq!(rotated.exists(), format == "csv", "{:?}", names(folder.path()));
    }
}

#[test]
fn a_line_that_only_a_newer_version_understands_is_refused_and_left() {
    for (format, text) in [
        ("jsonl", "{\"v\":2,\"what\":\"is this\"}\n".to_owned()),
        ("csv", "seq,at,task,action,run,v\n1,later,x,y,z,2\n".to_owned()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        fs::write(&file, &text).unwrap();
        let error = try_open(&file, "").unwrap_err();
        assert_says(&error, LogErrorKind::Version, "a newer version wrote");
        assert_says(&error, LogErrorKind::Version, "its format is 2, the latest known here is 1");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn a_last_line_that_somebody_has_broken_is_refused_and_left() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runs").with_extension(format);
        write(&*open(&file));
        let text = fs::read_to_string(&file).unwrap().replace("success", "sucess");
        fs::write(&file, &text).unwrap();
        let error = try_open(&file, "").unwrap_err();
        assert_says(&error, LogErrorKind::Corrupt, "unknown action `sucess`");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn what_is_no_run_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.csv");
    fs::write(&file, "date,price\n2026-11-24,5\n").unwrap();
    let error = try_open(&file, "").unwrap_err();
    let words = "its first line has no column `seq`, `at`, `task`, `action`, `run`; choose another";
    assert_says(&error, LogErrorKind::Open, words);
    assert_eq!(contents(folder.path())["prices.csv"], "date,price\n2026-11-24,5\n");
    let file = folder.path().join("prices.jsonl");
    fs::write(&file, "{\"price\":5}\n{\"price\":6}\n").unwrap();
    assert_says(&try_open(&file, "").unwrap_err(), LogErrorKind::Corrupt, "missing field `seq`");
    // Not even one of a single line that does not end, as a record that was torn.
    let file = folder.path().join("settings.jsonl");
    fs::write(&file, "{\"price\":5}").unwrap();
    assert_says(&try_open(&file, "").unwrap_err(), LogErrorKind::Open, "not a run log of ours");
    assert_eq!(contents(folder.path())["settings.jsonl"], "{\"price\":5}");
    for (path, words) in [("missing/runs.csv", "create it first"), ("folder.csv", "it is a folder")]
    {
        fs::create_dir_all(folder.path().join("folder.csv")).unwrap();
        let error = try_open(&folder.path().join(path), "").unwrap_err();
        assert_says(&error, LogErrorKind::Open, words);
    }
    // An empty file is taken for a log that is to be.
    let empty = folder.path().join("empty.csv");
    fs::write(&empty, "").unwrap();
    let answers = block_on(open(&empty).append(vec![latest(begin("a", 1, 1), None)])).unwrap();
    assert!(matches!(answers[0], Appended::Won(_)));
    assert_eq!(all(&*open(&empty)).len(), 1);
}
