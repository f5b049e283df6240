//! What is wrong with a session is told all at once, and before anything runs.

use std::fmt::Write as _;

use expect_test::expect;
use redengine_core::expr::Literal;
use redengine_core::expr::build::{daily, every};
use redengine_core::param::{FromRun, Need, Param, Params, Return};
use redengine_core::probe::Probe;
use redengine_core::session::{ArgError, BuildError, BuildProblem, CustomCondition};
use redengine_core::task::{Body, Output, TaskType};
use redengine_core::{Session, Task};
use redengine_log::SqliteLog;
use redengine_tests::world::{actions, pass, run_for, run_while, session, starts, task};

fn exists(args: &[Literal]) -> Result<Probe, ArgError> {
    let _path: String = ArgError::read(args, 0, "path")?;
    let _least: u32 = ArgError::read(args, 1, "least")?;
    Ok(Probe::blocking(|| Ok(true)))
}

fn file_exists() -> CustomCondition {
    CustomCondition::new("file_exists", &["path", "least"], exists)
}

/// A value of a task that is in no session here.
struct Prices;

impl TaskType for Prices {
    type Output = u32;
    const NAME: &'static str = "fetch prices";

    fn task() -> Task {
        Task::new(Self::NAME, "false", || async { Ok::<_, String>(5_u32) })
    }
}

fn wanting(name: &str) -> Task {
    Task::new(name, "false", |_: Return<Prices>| async {})
}

async fn load() {}

// ---- all at once

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = session("2026-11-24 07:00")
        .configure(|config| config.shut_cond = Some("nobody_knows()".parse().unwrap()))
        .condition(file_exists())
        .param("limit", 5_u32)
        .task(task("fetch", "evry 10 s & daily"))
        .task(task("load", "after task 'fetsh'"))
        .task(task("load", "daily"))
        .task(task("both", "daily between 25:00 and 26:00").end("has startd"))
        .task(task("custom", "file_exist('x.csv', 5)"))
        .task(task("fewer", "file_exists('x.csv')"))
        .task(task("typed", "file_exists('x.csv', -5) | ~file_exists(5, 5)"))
        .task(task("", "daily"))
        .task(task("two\nlines", "daily"))
        .task(Task::unnamed("daily", || async {}))
        .task(Task::new("params", "daily", |_: Param<u64>| async {}))
        .task(wanting("wants"))
        .log(SqliteLog::open(file.join("runs.db")))
        .build()
        .unwrap_err();
    let text = error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    expect![[r#"
        16 things are wrong with the session:
        - there are two tasks `load`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`
        - `` is no name for a task
        - `two\nlines` is no name for a task
        - a task of a closure has no name; give it one with `.named(..)`, or set `use_instance_naming`
        - task `fetch`: error: unknown word `evry`
            |  evry 10 s & daily
            |  ^^^^ did you mean `every`?
        - task `load`: unknown task `fetsh` in `after task 'fetsh'`; did you mean `fetch`?
        - task `both`: error: `25:00` is no time of day
            |  daily between 25:00 and 26:00
            |                ^^^^^ write `HH:MM`, like `07:00`
        - task `both`: error: unknown word `startd`
            |  has startd
            |      ^^^^^^ did you mean `started`?
        - task `custom`: unknown condition `file_exist`; did you mean `file_exists`? in `file_exist('x.csv', 5)`
        - task `fewer`: `file_exists` takes 2 arguments (path, least), but there are 1 in `file_exists('x.csv')`
        - task `typed`: argument 2 (`least`) must be a whole number (u32), but it is the number -5 in `file_exists('x.csv', -5)`
        - task `typed`: argument 1 (`path`) must be a text in quotes, but it is the number 5 in `file_exists(5, 5)`
        - task `params`: no parameter is a `u64`
        - task `wants`: no task `fetch prices` whose value it wants
        - `shut_cond`: unknown condition `nobody_knows` in `nobody_knows()`
        - the run log: cannot open `FOLDER/file/runs.db`: it cannot be looked at
            because: Not a directory (os error 20)"#]].assert_eq(&text);
}

#[test]
fn one_thing_that_is_wrong_needs_no_list() {
    let error = session("2026-11-24 07:00").task(task("t", "evry 10 s")).build().unwrap_err();
    expect![[r#"
        the session is wrong: task `t`: error: unknown word `evry`
          |  evry 10 s
          |  ^^^^ did you mean `every`?"#]]
    .assert_eq(&error.to_string());
    assert_eq!(format!("{error:?}"), error.to_string(), "what `main` prints can be read");
    assert!(
        matches!(&error.problems()[0], BuildProblem::Condition { task: Some(task), .. } if &**task == "t")
    );
}

// ---- conditions

#[test]
fn a_wrong_statement_is_shown_where_it_is_wrong() {
    let mut told = String::new();
    for text in [
        "",
        "   ",
        "daily &",
        "daily & & hourly",
        "(daily",
        "daily)",
        "daily and hourly",
        "every 10 parsecs",
        "every -5 min",
        "every 0 s",
        "after task",
        "after task fetch",
        "after task 'fetch",
        "after task 'fetch' exploded",
        "daily between 10:00",
        "weekly on Funday",
        "monthly on 32nd",
        "cron 61 * * * *",
        "task 't' has failed at least times today",
        "daily after 10:00 tz 'Europe/Helsinky'",
        "täglich um 10:00",
        "daily & 🦀",
    ] {
        let built = session("2026-11-24 07:00").task(task("t", text)).build();
        let error = built.map_or_else(|error| error.to_string(), |_| "no error".to_owned());
        writeln!(told, "{error}").unwrap();
    }
    expect![[r#"
        the session is wrong: task `t`: error: expected a statement, found the end
          |
          |  ^
        the session is wrong: task `t`: error: expected a statement, found the end
          |
          |     ^
        the session is wrong: task `t`: error: expected a statement, found the end
          |  daily &
          |         ^
        the session is wrong: task `t`: error: expected a statement, found `&`
          |  daily & & hourly
          |          ^
        the session is wrong: task `t`: error: this `(` is never closed
          |  (daily
          |  ^
        the session is wrong: task `t`: error: unmatched `)`
          |  daily)
          |       ^
        the session is wrong: task `t`: error: expected `&`, `|` or the end, found `and`
          |  daily and hourly
          |        ^^^ write `&`
        the session is wrong: task `t`: error: unknown unit `parsecs`; there are `ms`, `s`, `min`, `hours` and `days`
          |  every 10 parsecs
          |           ^^^^^^^
        the session is wrong: task `t`: error: a duration cannot be negative
          |  every -5 min
          |        ^^^^^^
        the session is wrong: task `t`: error: `every` needs a duration above zero
          |  every 0 s
          |        ^^^
        the session is wrong: task `t`: error: expected a task name in quotes, found the end
          |  after task
          |            ^
        the session is wrong: task `t`: error: expected a task name in quotes, found `fetch`
          |  after task fetch
          |             ^^^^^ write it in quotes: `'fetch'`
        the session is wrong: task `t`: error: this quote is never closed
          |  after task 'fetch
          |             ^
        the session is wrong: task `t`: error: expected `&`, `|` or the end, found `exploded`
          |  after task 'fetch' exploded
          |                     ^^^^^^^^
        the session is wrong: task `t`: error: expected `and`, found the end
          |  daily between 10:00
          |                     ^
        the session is wrong: task `t`: error: unknown word `Funday`
          |  weekly on Funday
          |            ^^^^^^ did you mean `Sunday`?
        the session is wrong: task `t`: error: `32nd` is no day of the month
          |  monthly on 32nd
          |             ^^^^ they go from `1` to `31`
        the session is wrong: task `t`: error: `61` is no minute; allowed are 0 to 59
          |  cron 61 * * * *
          |       ^^
        the session is wrong: task `t`: error: expected a number, found `times`
          |  task 't' has failed at least times today
          |                               ^^^^^
        the session is wrong: task `t`: error: expected `&`, `|` or the end, found `tz`
          |  daily after 10:00 tz 'Europe/Helsinky'
          |                    ^^
        the session is wrong: task `t`: error: expected a statement, found `täglich`
          |  täglich um 10:00
          |  ^^^^^^^
        the session is wrong: task `t`: error: expected a statement, found `🦀`
          |  daily & 🦀
          |          ^^
    "#]].assert_eq(&told);
}

#[test]
fn a_wrong_text_in_a_function_is_told_as_that_of_a_text() {
    let condition = daily().after("25:00") & every("10 parsecs");
    let error = session("2026-11-24 07:00").task(task("t", condition)).build().unwrap_err();
    expect![[r#"
        2 things are wrong with the session:
        - task `t`: error: `25:00` is no time of day
            |  daily after 25:00
            |              ^^^^^ write `HH:MM`, like `07:00`
        - task `t`: error: unknown unit `parsecs`; there are `ms`, `s`, `min`, `hours` and `days`
            |  every 10 parsecs
            |           ^^^^^^^"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn a_name_of_no_task_comes_with_the_one_that_was_meant() {
    let error = session("2026-11-24 07:00")
        .task(task("fetch prices", "daily"))
        .task(task("a", "after task 'fetch price'"))
        .task(task("b", "after task 'zzz' & task 'Fetch prices' is running"))
        .task(task("c", "after tasks 'fetch prices', 'fetch_prices', 'd'"))
        .build()
        .unwrap_err();
    expect![[r#"
        5 things are wrong with the session:
        - task `a`: unknown task `fetch price` in `after task 'fetch price'`; did you mean `fetch prices`?
        - task `b`: unknown task `zzz` in `after task 'zzz'`
        - task `b`: unknown task `Fetch prices` in `task 'Fetch prices' is running`; did you mean `fetch prices`?
        - task `c`: unknown task `fetch_prices` in `after tasks 'fetch prices', 'fetch_prices', 'd'`; did you mean `fetch prices`?
        - task `c`: unknown task `d` in `after tasks 'fetch prices', 'fetch_prices', 'd'`; did you mean `a`?"#]].assert_eq(&error.to_string());
}

#[test]
fn tasks_may_name_each_other_and_themselves() {
    session("2026-11-24 07:00")
        .task(task("a", "after task 'b'"))
        .task(task("b", "after task 'a' | ~task 'b' has started"))
        .build()
        .unwrap();
}

#[test]
fn custom_conditions_are_checked_with_their_arguments() {
    let mut told = String::new();
    for call in [
        "file_exist('x.csv', 5)",
        "zzz()",
        "file_exists()",
        "file_exists('x.csv', 5, 5)",
        "file_exists(x.csv, 5)",
        "file_exists('x.csv', 'five')",
        "file_exists('x.csv', 5.5)",
        "file_exists('x.csv', -1)",
        "file_exists('x.csv', 5000000000)",
        "file_exists(true, 5)",
    ] {
        let built =
            session("2026-11-24 07:00").condition(file_exists()).task(task("t", call)).build();
        let error = built.map_or_else(|error| error.to_string(), |_| "no error".to_owned());
        writeln!(told, "{error}").unwrap();
    }
    expect![[r#"
        the session is wrong: task `t`: unknown condition `file_exist`; did you mean `file_exists`? in `file_exist('x.csv', 5)`
        the session is wrong: task `t`: unknown condition `zzz` in `zzz()`
        the session is wrong: task `t`: `file_exists` takes 2 arguments (path, least), but there are 0 in `file_exists()`
        the session is wrong: task `t`: `file_exists` takes 2 arguments (path, least), but there are 3 in `file_exists('x.csv', 5, 5)`
        the session is wrong: task `t`: error: expected a text, a number, `true` or `false` in quotes, found `x`
          |  file_exists(x.csv, 5)
          |              ^ write it in quotes: `'x'`
        error: unmatched `)`
          |  file_exists(x.csv, 5)
          |                      ^
        the session is wrong: task `t`: argument 2 (`least`) must be a whole number (u32), but it is the text 'five' in `file_exists('x.csv', 'five')`
        the session is wrong: task `t`: argument 2 (`least`) must be a whole number (u32), but it is the number 5.5 in `file_exists('x.csv', 5.5)`
        the session is wrong: task `t`: argument 2 (`least`) must be a whole number (u32), but it is the number -1 in `file_exists('x.csv', -1)`
        the session is wrong: task `t`: argument 2 (`least`) must be a whole number (u32), but it is the number 5000000000 in `file_exists('x.csv', 5000000000)`
        the session is wrong: task `t`: argument 1 (`path`) must be a text in quotes, but it is true in `file_exists(true, 5)`
    "#]].assert_eq(&told);
}

/// A condition with words of its own.
fn file_phrase() -> CustomCondition {
    file_exists().phrase("file {path} has {least} lines")
}

#[test]
fn phrases_are_checked_with_their_arguments() {
    let mut told = String::new();
    for phrase in [
        "file 'x.csv' had 5 lines",
        "daily & ~(File 'y' exists | hourly) & task 't' has failed",
        "file 5 has 'x.csv' lines",
        "file 'x.csv' has -1 lines",
        "file 'x.csv' has lines",
        "lines 'x.csv'",
        "daily & fiel 'x.csv' has 5 lines & fyle 'x.csv' has 5 lines",
    ] {
        let built =
            session("2026-11-24 07:00").condition(file_phrase()).task(task("t", phrase)).build();
        let error = built.map_or_else(|error| error.to_string(), |_| "no error".to_owned());
        writeln!(told, "{error}").unwrap();
    }
    expect![[r#"
        the session is wrong: task `t`: error: unknown statement `file 'x.csv' had 5 lines`
          |  file 'x.csv' had 5 lines
          |  ^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `file {path} has {least} lines`?
        the session is wrong: task `t`: error: unknown statement `file 'y' exists`
          |  daily & ~(file 'y' exists | hourly) & task 't' has failed
          |            ^^^^^^^^^^^^^^^ did you mean `file {path} has {least} lines`?
        the session is wrong: task `t`: argument 1 (`path`) must be a text in quotes, but it is the number 5 in `file 5 has 'x.csv' lines`
        the session is wrong: task `t`: argument 2 (`least`) must be a whole number (u32), but it is the number -1 in `file 'x.csv' has -1 lines`
        the session is wrong: task `t`: error: unknown statement `file 'x.csv' has lines`
          |  file 'x.csv' has lines
          |  ^^^^^^^^^^^^^^^^^^^^^^ did you mean `file {path} has {least} lines`?
        the session is wrong: task `t`: error: unknown statement `lines 'x.csv'`
          |  lines 'x.csv'
          |  ^^^^^^^^^^^^^
        2 things are wrong with the session:
        - task `t`: error: unknown statement `fiel 'x.csv' has 5 lines`
            |  daily & fiel 'x.csv' has 5 lines & fyle 'x.csv' has 5 lines
            |          ^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `file {path} has {least} lines`?
        - task `t`: error: unknown statement `fyle 'x.csv' has 5 lines`
            |  daily & fiel 'x.csv' has 5 lines & fyle 'x.csv' has 5 lines
            |                                     ^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `file {path} has {least} lines`?
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_phrase_that_is_too_long_to_compare_is_told_all_the_same() {
    let long = format!("file '{}' {}", "x".repeat(1_000_000), "y".repeat(1_000_000));
    let built = session("2026-11-24 07:00").condition(file_phrase()).task(task("t", long)).build();
    let error = built.unwrap_err().to_string();
    assert!(error.contains("did you mean `file {path} has {least} lines`?"), "{error}");
    assert!(error.len() < 1_000, "{error}");
}

#[test]
fn a_phrase_beside_a_builders_error_is_told_too() {
    let condition = daily().after("25:00") & "file 'x' exists";
    let error = session("2026-11-24 07:00").task(task("t", condition)).build().unwrap_err();
    assert_eq!(error.problems().len(), 2);
    assert!(error.to_string().contains("unknown statement `file 'x' exists`"), "{error}");
}

#[test]
fn two_conditions_that_texts_cannot_tell_apart_are_both_named() {
    let other = CustomCondition::new("has_lines", &["name", "count"], exists);
    let error = session("2026-11-24 07:00")
        .condition(file_phrase())
        .condition(file_exists())
        .condition(other.phrase("FILE {name} has {count} lines"))
        .condition(CustomCondition::new("third", &["path"], exists).phrase("daily {pth}"))
        .build()
        .unwrap_err();
    let told: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    // The lines of this file are not the point.
    let told: Vec<String> = told
        .join("\n")
        .split("build_errors.rs:")
        .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
        .collect();
    expect![[r#"
        two conditions have one name: `file_exists` (tests/tests/build_errors.rs:_) and `file_exists` (tests/tests/build_errors.rs:_); give one of them another
        `file {path} has {least} lines` of `file_exists` (tests/tests/build_errors.rs:_) and `FILE {name} has {count} lines` of `has_lines` (tests/tests/build_errors.rs:_) read the same texts; put one of them in other words
        the phrase of the condition `third` (tests/tests/build_errors.rs:_): error: `daily` begins a statement of the language
          |  daily {pth}
          |  ^^^^^ begin the phrase with another word
        error: unknown argument `pth`
          |  daily {pth}
          |         ^^^ did you mean `path`?"#]]
    .assert_eq(&told.join("build_errors.rs:_"));
}

#[test]
fn a_wrong_shut_cond_is_told_also_beside_other_errors() {
    let build = |shut_cond: &str, condition: &str| {
        let shut_cond = shut_cond.to_owned();
        session("2026-11-24 07:00")
            .configure(|config| config.shut_cond = Some(shut_cond.as_str().into()))
            .task(task("fetch", condition))
            .build()
            .map_or_else(|error| error.to_string(), |_| "no error".to_owned())
    };
    let mut told = String::new();
    for (shut_cond, condition) in [
        ("after task 'fetch'", "daily"),
        ("after task 'fetsh'", "daily"),
        ("evry 10 s", "daily"),
        ("evry 10 s", "dayly"),
        ("zzz()", "dayly"),
        // `fetch` is there, only wrong.
        ("after task 'fetch'", "dayly"),
    ] {
        writeln!(told, "{}", build(shut_cond, condition)).unwrap();
    }
    expect![[r#"
        no error
        the session is wrong: `shut_cond`: unknown task `fetsh` in `after task 'fetsh'`; did you mean `fetch`?
        the session is wrong: `shut_cond`: error: unknown word `evry`
          |  evry 10 s
          |  ^^^^ did you mean `every`?
        2 things are wrong with the session:
        - task `fetch`: error: unknown word `dayly`
            |  dayly
            |  ^^^^^ did you mean `daily`?
        - `shut_cond`: error: unknown word `evry`
            |  evry 10 s
            |  ^^^^ did you mean `every`?
        2 things are wrong with the session:
        - task `fetch`: error: unknown word `dayly`
            |  dayly
            |  ^^^^^ did you mean `daily`?
        - `shut_cond`: unknown condition `zzz` in `zzz()`
        the session is wrong: task `fetch`: error: unknown word `dayly`
          |  dayly
          |  ^^^^^ did you mean `daily`?
    "#]].assert_eq(&told);
}

// ---- names

#[test]
fn a_name_must_be_one() {
    let mut told = String::new();
    for name in ["", "  ", "\t", "a\nb", "nul\0", "\u{7f}"] {
        let error = session("2026-11-24 07:00").task(task(name, "daily")).build().unwrap_err();
        writeln!(told, "{error}").unwrap();
    }
    expect![[r#"
        the session is wrong: `` is no name for a task
        the session is wrong: `  ` is no name for a task
        the session is wrong: `\t` is no name for a task
        the session is wrong: `a\nb` is no name for a task
        the session is wrong: `nul\0` is no name for a task
        the session is wrong: `\u{7f}` is no name for a task
    "#]]
    .assert_eq(&told);
    for name in ["ä", "it's", "a & b", "a\"b", "🦀", "-", " padded "] {
        let session = session("2026-11-24 07:00").task(task(name, "daily")).build().unwrap();
        assert!(session.task(name).is_ok(), "{name}");
    }
}

// ---- arguments

#[test]
fn what_arguments_need_is_looked_for_when_the_session_is_built() {
    let mut told = String::new();
    for needing in [
        Task::new("none", "daily", |_: Param<u64>| async {}),
        Task::new("two", "daily", |_: Param<u32>| async {}),
        Task::new("several", "daily", |_: Param<u64>, _: Param<String>| async {}),
        Task::blocking("blocking", "daily", |_: Param<u64>| {}),
        wanting("value"),
    ] {
        let error = session("2026-11-24 07:00")
            .param("limit", 5_u32)
            .param("size", 6_u32)
            .task(task("fetch price", "daily"))
            .task(needing)
            .build()
            .unwrap_err();
        writeln!(told, "{error}").unwrap();
    }
    expect![[r#"
        the session is wrong: task `none`: no parameter is a `u64`
        the session is wrong: task `two`: 2 parameters are a `u32`; take it in a `#[task]` by name
        2 things are wrong with the session:
        - task `several`: no parameter is a `u64`
        - task `several`: no parameter is a `alloc::string::String`
        the session is wrong: task `blocking`: no parameter is a `u64`
        the session is wrong: task `value`: no task `fetch prices` whose value it wants; did you mean `fetch price`?
    "#]].assert_eq(&told);
    session("2026-11-24 07:00")
        .task(Task::new("t", "daily", |_: Option<Param<u64>>, _: Option<Return<Prices>>| async {}))
        .task(Prices)
        .build()
        .unwrap();
}

#[test]
fn an_argument_that_is_wanted_by_name_is_looked_for_by_it() {
    let wanting = |name: &str, parameter: &'static str| {
        let body = Body::blocking(|_| Ok(Ok(Output::default())));
        let needs: Vec<Need> = Param::<u64>::need(parameter).into_iter().collect();
        Task::of_body("daily", body, needs).named(name)
    };
    let error = session("2026-11-24 07:00")
        .param("limit", 5_u32)
        .param("size", 6_u64)
        .param("depth", 7_u64)
        .task(wanting("right", "size"))
        .task(wanting("other type", "limit"))
        .task(wanting("nearly", "siz"))
        .task(wanting("nothing", "zzz"))
        .build()
        .unwrap_err();
    expect![[r#"
        3 things are wrong with the session:
        - task `other type`: parameter `limit` is a `u32`, but the task takes a `u64`
        - task `nearly`: no parameter `siz` (a `u64`); did you mean `size`?
        - task `nothing`: no parameter `zzz` (a `u64`)"#]]
    .assert_eq(&error.to_string());
}

// ---- the log

#[test]
fn a_log_that_cannot_be_opened_is_told_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").join("runs.db");
    let error = Session::builder()
        .log(SqliteLog::open(&missing))
        .task(task("t", "dayly"))
        .build()
        .unwrap_err();
    assert_eq!(error.problems().len(), 2);
    let text = error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    expect![[r#"
        2 things are wrong with the session:
        - task `t`: error: unknown word `dayly`
            |  dayly
            |  ^^^^^ did you mean `daily`?
        - the run log: cannot open `FOLDER/missing/runs.db`: there is no folder `FOLDER/missing`; create it first"#]].assert_eq(&text);

    let text_file = folder.path().join("notes.txt");
    std::fs::write(&text_file, "these are notes, and no database at all").unwrap();
    let error =
        Session::builder().log(SqliteLog::open(&text_file)).task(task("t", "daily")).build();
    let text = error.unwrap_err().to_string();
    expect!["the session is wrong: the run log: cannot open `FOLDER/notes.txt`: it is not an SQLite database; choose another file or move it away"].assert_eq(&text.replace(&folder.path().display().to_string(), "FOLDER"));
    let notes = std::fs::read_to_string(&text_file).unwrap();
    assert_eq!(notes, "these are notes, and no database at all");
}

// ---- adding to a session

fn names(session: &Session) -> String {
    let names: Vec<_> = session.tasks().iter().map(|task| task.name.to_string()).collect();
    names.join(", ")
}

#[test]
fn a_task_that_cannot_be_added_leaves_the_session_as_it_was() {
    let session = session("2026-11-24 07:00").task(task("fetch", "daily")).build().unwrap();
    let mut told = String::new();
    for wrong in [
        task("fetch", "hourly"),
        task("load", "evry 10 s"),
        task("load", "after task 'fetsh'"),
        task("load", "daily").end("zzz()"),
        task("", "daily"),
        Task::unnamed("daily", || async {}),
        Task::new("load", "daily", |_: Param<u64>| async {}),
        wanting("load"),
        Task::unnamed("evry 10 s", load),
    ] {
        let error: BuildError = session.add_task(wrong).unwrap_err();
        writeln!(told, "{error}").unwrap();
        assert_eq!(names(&session), "fetch");
        assert!(session.task("load").is_err());
        assert!(session.request_run("load", Params::new()).is_err());
    }
    expect![[r#"
        the session is wrong: there are two tasks `fetch`; name one of them otherwise, or set `task_pre_exist` to `replace`, `ignore` or `rename`
        the session is wrong: task `load`: error: unknown word `evry`
          |  evry 10 s
          |  ^^^^ did you mean `every`?
        the session is wrong: task `load`: unknown task `fetsh` in `after task 'fetsh'`; did you mean `fetch`?
        the session is wrong: task `load`: unknown condition `zzz` in `zzz()`
        the session is wrong: `` is no name for a task
        the session is wrong: a task of a closure has no name; give it one with `.named(..)`, or set `use_instance_naming`
        the session is wrong: task `load`: no parameter is a `u64`
        the session is wrong: task `load`: no task `fetch prices` whose value it wants
        the session is wrong: task `load`: error: unknown word `evry`
          |  evry 10 s
          |  ^^^^ did you mean `every`?
    "#]].assert_eq(&told);
    // The name is free, and nobody is told that it was meant.
    let error = session.add_task(task("other", "after task 'loat'")).unwrap_err();
    assert!(!error.to_string().contains("`load`"), "{error}");
    session.add_task(task("load", "after task 'fetch'")).unwrap();
    assert_eq!(names(&session), "fetch, load");
}

#[tokio::test(start_paused = true)]
async fn a_name_of_a_task_that_was_refused_stays_unknown() {
    let session = session("2026-11-24 07:00").task(task("a", "false")).build().unwrap();
    // Its start is right, and names the task that is being added.
    session.add_task(task("b", "after task 'b'").end("evry 10 s")).unwrap_err();
    session.add_task(task("c", "daily")).unwrap();
    let error = session.add_task(task("d", "after task 'b'")).unwrap_err();
    expect![
        "the session is wrong: task `d`: unknown task `b` in `after task 'b'`; did you mean `a`?"
    ]
    .assert_eq(&error.to_string());
    session.add_task(task("b", "false")).unwrap();
    session.add_task(task("d", "after task 'b'")).unwrap();
    run_for(&session, "1 min").await.unwrap();
    assert_eq!(starts(&session, "c").await, "24 07:00:00");
    assert_eq!(starts(&session, "d").await, "", "it waits for `b`, not for `c`");
}

#[test]
fn a_name_of_a_task_that_was_removed_is_unknown_to_new_tasks() {
    let session = session("2026-11-24 07:00")
        .task(Prices)
        .task(task("a", "false"))
        .task(task("b", "after task 'a'"))
        .task(wanting("w"))
        .build()
        .unwrap();
    session.remove_task("a").unwrap();
    session.remove_task("fetch prices").unwrap();
    let error = session.remove_task("fetch prices").unwrap_err();
    assert_eq!(error.to_string(), "unknown task `fetch prices`");
    for condition in ["after task 'a'", "after task 'a' & daily"] {
        let error = session.add_task(task("c", condition)).unwrap_err();
        assert!(error.to_string().contains("unknown task `a`"), "{error}");
        assert!(!error.to_string().contains("mean `a`"), "{error}");
    }
    let error = session.add_task(wanting("v")).unwrap_err();
    assert!(error.to_string().contains("no task `fetch prices`"), "{error}");
    session.add_task(task("a", "false")).unwrap();
    session.add_task(task("c", "after task 'a'")).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_refused_while_the_session_runs_harms_nobody() {
    let session = session("2026-11-24 07:00").task(task("a", "every 1 min")).build().unwrap();
    let story = async {
        pass("30 s").await;
        session.add_task(task("a", "every 1 s")).unwrap_err();
        session.add_task(task("b", "after task 'c'")).unwrap_err();
        pass("1 min").await;
        session.add_task(task("b", "after task 'a'")).unwrap();
        pass("1 min").await;
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    assert_eq!(starts(&session, "a").await, "24 07:00:00, 24 07:01:00, 24 07:02:00");
    assert_eq!(actions(&session, "b").await, "run success run success");
}

// ---- calendars

#[test]
fn what_is_wrong_with_calendars_is_told_with_the_rest() {
    let error = session("2026-11-24 07:00")
        .calendar("holidays", ["2026-12-25", "2026-13-01", "25.12.2026", "2026-02-30"])
        .calendar(" ", ["2026-12-25"])
        .calendar("sales", ["2026-11-27"])
        .calendar("sales", ["2026-11-28"])
        .task(task("a", "daily & on calendar 'holiday'"))
        .task(task("b", "once in (on business days of 'bank' & time of day after 07:00)"))
        .task(task("c", "has failed in (on calendar 'sale')"))
        .task(task("d", "on business days"))
        .build()
        .unwrap_err();
    expect![[r#"
        8 things are wrong with the session:
        - calendar `holidays`: `2026-13-01` is no date; months go from `01` to `12`, and come before the day
        - calendar `holidays`: `25.12.2026` is no date; write it like `2026-12-31`
        - calendar `holidays`: `2026-02-30` is no date; the last of that month is `2026-02-28`
        - calendar ` `: that is no name; take a word like `holidays`
        - calendar `sales`: there are two of that name; give all dates at once, or name one otherwise
        - task `a`: unknown calendar `holiday` in `on calendar 'holiday'`; did you mean `holidays`?
        - task `b`: unknown calendar `bank` in `once in (on business days of 'bank' & time of day after 07:00)`; give the session one with `.calendar(..)`
        - task `c`: unknown calendar `sale` in `has failed in (on calendar 'sale')`; did you mean `sales`?"#]].assert_eq(&error.to_string());
}
