//! What a session takes from a file, and what it is told when the file is wrong.

use std::time::Duration;

use expect_test::{Expect, expect};
use redengine_core::session::{OnConflict, OnLogFailure, SessionBuilder};
use redengine_core::task::{Execution, Timeout};
use redengine_core::time::Zone;
use redengine_core::{Session, Task};
use redengine_tests::world::{session, task};

fn program() -> SessionBuilder {
    session("2026-11-24 07:00")
        .configure(|config| config.task_priority = 3)
        .task(task("fetch", "every 10 s").priority(1).disabled())
        .task(task("load prices", "after task 'fetch'").timeout(Duration::from_mins(5)))
}

fn built(text: &str) -> Session {
    program().settings("redengine.toml", text).build().unwrap()
}

fn wrong(text: &str, expected: Expect) {
    let error = program().settings("redengine.toml", text).build().unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn options_of_a_file_are_set_over_those_of_the_program() {
    let config = built(
        r#"
        task_pre_exist = "rename"
        task_priority = 7
        cycle_sleep = 0.5
        timeout = "1h 30 min"
        shut_cond = "task 'fetch' has failed at least 3 times today"
        timezone = "Europe/Helsinki"
        silence_cond_check = false
        on_log_failure = "stop"
        retention = "30 days"
        retention_records = 1000
        node_labels = ["gpu", "big"]
        lease = "1 min"
        "#,
    )
    .config();
    assert_eq!(config.on_log_failure, OnLogFailure::Stop);
    assert_eq!(config.retention, Some(Duration::from_hours(720)));
    assert_eq!(config.retention_records, Some(1000));
    let labels: Vec<&str> = config.node_labels.iter().map(|label| &**label).collect();
    assert_eq!(labels, ["gpu", "big"]);
    assert_eq!(config.lease, Duration::from_mins(1));
    assert_eq!(config.task_pre_exist, OnConflict::Rename);
    assert_eq!(config.task_priority, 7);
    assert_eq!(config.cycle_sleep, Some(Duration::from_millis(500)));
    assert_eq!(config.timeout, Some(Duration::from_mins(90)));
    assert_eq!(config.timezone, Some(Zone::named("Europe/Helsinki").unwrap()));
    assert!(!config.silence_cond_check);
    let shut = config.shut_cond.unwrap().to_string();
    assert_eq!(shut, "task 'fetch' has failed at least 3 times today");
}

#[test]
fn what_the_file_does_not_say_stays_as_in_the_program() {
    assert_eq!(built("timeout = '5 s'").config().task_priority, 3);
    let session = built("[tasks.fetch]\npriority = 2");
    let fetch = &session.tasks()[0];
    assert_eq!(fetch.start.text().as_ref(), "every 10 s");
    assert_eq!(fetch.policy.priority, Some(2));
    assert!(fetch.policy.disabled);
}

#[test]
fn a_task_is_set_by_its_name() {
    let session = built(
        r#"
        [tasks.fetch]
        start_cond = "daily after 07:00"
        end_cond = "task 'load prices' is running"
        disabled = false
        execution = "thread"

        [tasks."load prices"]
        timeout = "never"
        on = "gpu"
        "#,
    );
    let tasks = session.tasks();
    assert_eq!(tasks[0].start.text().as_ref(), "daily after 07:00");
    let end = tasks[0].end.as_ref().unwrap().text().to_string();
    assert_eq!(end, "task 'load prices' is running");
    assert!(!tasks[0].policy.disabled);
    assert_eq!(tasks[0].policy.execution, Some(Execution::Thread));
    assert_eq!(tasks[1].policy.timeout, Some(Timeout::Never));
    assert_eq!(tasks[1].policy.on.as_deref(), Some("gpu"));
}

#[test]
fn of_several_files_the_later_wins() {
    let session = program()
        .settings("first.toml", "task_priority = 1\n[tasks.fetch]\nstart_cond = 'hourly'")
        .settings("second.toml", "[tasks.fetch]\nstart_cond = 'daily'")
        .build()
        .unwrap();
    assert_eq!(session.config().task_priority, 1);
    assert_eq!(session.tasks()[0].start.text().as_ref(), "daily");
}

#[test]
fn a_condition_of_the_file_takes_the_place_of_one_that_is_wrong() {
    let broken = Task::new("broken", "evry 10 s", || async {});
    let text = "[tasks.broken]\nstart_cond = 'every 10 s'";
    assert!(program().task(broken.clone()).build().is_err());
    assert!(program().task(broken).settings("redengine.toml", text).build().is_ok());
}

#[test]
fn all_that_is_wrong_in_a_file_is_told_at_once_with_its_place() {
    wrong(
        r#"# The night shift.
timout = "10 min"
cycle_sleep = "10 mim"
task_priority = "high"
task_pre_exist = "replce"
timezone = "Europe/Helsinky"
shut_cond = "task 'ftech' has failed"
silence_cond_check = 07:30:00

[tasks.ftech]
start_cond = "daily"

[tasks.fetch]
start_cond = "daily betwen 10:00 and 14:00 & wekly"
end_cond = 'after task "load price"'
prority = 3
timeout = 0
disabled = "yes"

[tasks."load prices"]
start_cond = 7
execution = "proces"
"#,
        expect![[r#"
            15 things are wrong with the session:
            - redengine.toml:2:1: unknown option `timout`
                |  timout = "10 min"
                |  ^^^^^^ did you mean `timeout`?
            - redengine.toml:3:19: unknown unit `mim`
                |  cycle_sleep = "10 mim"
                |                    ^^^ did you mean `min`?
            - redengine.toml:4:17: option `task_priority` must be a whole number, but it is "high"
                |  task_priority = "high"
                |                  ^^^^^^
            - redengine.toml:5:18: unknown `task_pre_exist` `replce`
                |  task_pre_exist = "replce"
                |                   ^^^^^^^^ did you mean `replace`?
            - redengine.toml:6:13: unknown time zone `Europe/Helsinky`
                |  timezone = "Europe/Helsinky"
                |              ^^^^^^^^^^^^^^^ did you mean `Europe/Helsinki`?
            - redengine.toml:8:22: option `silence_cond_check` cannot be a date or a time
                |  silence_cond_check = 07:30:00
                |                       ^^^^^^^^ put it in quotes
            - redengine.toml:10:8: unknown task `ftech`
                |  [tasks.ftech]
                |         ^^^^^ did you mean `fetch`?
            - redengine.toml:14:21: unknown word `betwen`
                |  start_cond = "daily betwen 10:00 and 14:00 & wekly"
                |                      ^^^^^^ did you mean `between`?
            - redengine.toml:14:46: unknown word `wekly`
                |  start_cond = "daily betwen 10:00 and 14:00 & wekly"
                |                                               ^^^^^ did you mean `weekly`?
            - redengine.toml:15:25: unknown task `load price`
                |  end_cond = 'after task "load price"'
                |                          ^^^^^^^^^^ did you mean `load prices`?
            - redengine.toml:16:1: unknown setting `prority` of a task
                |  prority = 3
                |  ^^^^^^^ did you mean `priority`?
            - redengine.toml:17:11: option `timeout` must be more than nothing, but it is 0
                |  timeout = 0
                |            ^
            - redengine.toml:18:12: option `disabled` must be true or false, but it is "yes"
                |  disabled = "yes"
                |             ^^^^^
            - redengine.toml:21:14: option `start_cond` must be a text, but it is 7
                |  start_cond = 7
                |               ^
            - redengine.toml:22:13: option `execution` must be `async` or `thread`, but it is "proces"
                |  execution = "proces"
                |              ^^^^^^^^"#]],
    );
}

#[test]
fn carets_stand_right_after_escapes_and_in_texts_of_several_lines() {
    wrong(
        "[tasks.fetch]\nstart_cond = \"task \\\"load prices\\\" has failled\"\n\
         end_cond = \"\"\"\ndaily &\n  (wekly | hourly)\n\"\"\"\n",
        expect![[r#"
            2 things are wrong with the session:
            - redengine.toml:2:40: unknown word `failled`
                |  start_cond = "task \"load prices\" has failled"
                |                                         ^^^^^^^ did you mean `failed`?
            - redengine.toml:5:4: unknown word `wekly`
                |    (wekly | hourly)
                |     ^^^^^ did you mean `weekly`?"#]],
    );
}

#[test]
fn what_is_no_toml_is_told_with_the_rest() {
    wrong(
        "timeout = 10 min\ntask_priority = 1.5\n[tasks.fetch\ndisabled = true\n",
        expect![[r#"
            3 things are wrong with the session:
            - redengine.toml:1:11: string values must be quoted, expected literal string
                |  timeout = 10 min
                |            ^^^^^^
            - redengine.toml:2:17: option `task_priority` must be a whole number, but it is 1.5
                |  task_priority = 1.5
                |                  ^^^
            - redengine.toml:3:13: unclosed table, expected `]`
                |  [tasks.fetch
                |              ^"#]],
    );
    wrong(
        "task_priority = 1\ntask_priority = 2\n",
        expect![[r#"
        the session is wrong: redengine.toml:2:1: duplicate key
          |  task_priority = 2
          |  ^^^^^^^^^^^^^"#]],
    );
    wrong(
        "tasks = 3\n",
        expect![[r#"
        the session is wrong: redengine.toml:1:9: `tasks` must be a table
          |  tasks = 3
          |          ^ write `[tasks]` and its settings below"#]],
    );
    wrong(
        "[tasks]\nfetch = 'daily'\n",
        expect![[r#"
        the session is wrong: redengine.toml:2:9: `tasks.fetch` must be a table
          |  fetch = 'daily'
          |          ^^^^^^^ write `[tasks.fetch]` and its settings below"#]],
    );
    wrong(
        "[timeout]\nof = 3\n",
        expect![[r#"
        the session is wrong: redengine.toml:1:1: option `timeout` must be a duration: a text like '10 s', or a number of seconds, but it is {"of":3}
          |  [timeout]
          |  ^^^^^^^^^"#]],
    );
}

#[test]
fn what_is_wrong_in_the_program_is_told_beside() {
    let error = program()
        .task(task("other", "after task 'fetchh'"))
        .settings("a.toml", "[tasks.fetch]\nstart_cond = \"~ after task 'lod prices' & missing()\"")
        .build()
        .unwrap_err();
    expect![[r#"
        3 things are wrong with the session:
        - a.toml:2:29: unknown task `lod prices`
            |  start_cond = "~ after task 'lod prices' & missing()"
            |                              ^^^^^^^^^^ did you mean `load prices`?
        - a.toml:2:43: unknown condition `missing`
            |  start_cond = "~ after task 'lod prices' & missing()"
            |                                            ^^^^^^^^^
        - task `other`: unknown task `fetchh` in `after task 'fetchh'`; did you mean `fetch`?"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn no_file_makes_it_panic() {
    let text = "timeout = \"\u{e4}\\u00e4 10 mim\"\r\n[tasks.fetch]\r\nstart_cond = '''\r\nd\u{e4}ly'''\r\n";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = program().settings("redengine.toml", &text[..end]).build();
    }
}
