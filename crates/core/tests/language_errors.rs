//! What a person sees who wrote something wrong.

#![allow(clippy::needless_raw_string_hashes, reason = "this is how expect-test writes them")]

use expect_test::{Expect, expect};
use redengine_core::expr::build::{daily, every, failed};
use redengine_core::expr::{Expr, parse};

fn check(texts: &[&str], expected: &Expect) {
    let errors: Vec<String> = texts
        .iter()
        .map(|text| parse(text).map_or_else(|e| e.to_string(), |e| e.to_string()))
        .collect();
    expected.assert_eq(&errors.join("\n\n"));
}

#[test]
fn a_misspelt_word_is_named_with_the_one_that_was_meant() {
    let texts = [
        "daily betwen 10:00 and 14:00",
        "monthy after 5th",
        "task 'x' has succeded today",
        "every 10 minuts",
        "weekly on Tues",
        "after task 'x' finishd",
        "schedular has 3 cycles",
    ];
    check(
        &texts,
        &expect![[r#"
        error: unknown word `betwen`
          |  daily betwen 10:00 and 14:00
          |        ^^^^^^ did you mean `between`?

        error: unknown word `monthy`
          |  monthy after 5th
          |  ^^^^^^ did you mean `monthly`?

        error: unknown word `succeded`
          |  task 'x' has succeded today
          |               ^^^^^^^^ did you mean `succeeded`?

        error: unknown unit `minuts`
          |  every 10 minuts
          |           ^^^^^^ did you mean `minute`?

        error: unknown word `Tues`
          |  weekly on Tues
          |            ^^^^ did you mean `Tue`?

        error: unknown word `finishd`
          |  after task 'x' finishd
          |                 ^^^^^^^ did you mean `finished`?

        error: unknown word `schedular`
          |  schedular has 3 cycles
          |  ^^^^^^^^^ did you mean `scheduler`?"#]],
    );
}

#[test]
fn what_is_expected_is_said_where_it_is_missing() {
    let texts = [
        "",
        "daily after",
        "every hour",
        "after task x",
        "daily hourly",
        "daily && hourly",
        "daily or hourly",
        "daily after task 'x'",
        "time of day",
        "task 'x'",
        "is running more 10 min",
    ];
    check(
        &texts,
        &expect![[r#"
        error: expected a statement, found the end
          |
          |  ^

        error: expected a time of day like `07:00`, found the end
          |  daily after
          |             ^

        error: expected a duration like `10 min`, found `hour`
          |  every hour
          |        ^^^^

        error: expected a task name in quotes, found `x`
          |  after task x
          |             ^ write it in quotes: `'x'`

        error: expected `&`, `|` or the end, found `hourly`
          |  daily hourly
          |        ^^^^^^ join statements with `&` or `|`

        error: expected a statement, found `&`
          |  daily && hourly
          |         ^ write one `&` for "and"

        error: expected `&`, `|` or the end, found `or`
          |  daily or hourly
          |        ^^ write `|`

        error: expected a time of day like `07:00`, found `task`
          |  daily after task 'x'
          |              ^^^^ to wait for a task too, write `& after task ..`

        error: expected a window like `after ..` or `between ..`, found the end
          |  time of day
          |             ^

        error: expected `has` or `is running`, found the end
          |  task 'x'
          |          ^

        error: expected `than`, found `10`
          |  is running more 10 min
          |                  ^^"#]],
    );
}

#[test]
fn points_and_durations_say_what_they_may_be() {
    let texts = [
        "daily after 7",
        "daily between 25:00 and 26:00",
        "daily after 24:00",
        "monthly on 2th",
        "yearly on Feb 30",
        "minutely before 5",
        "every 0 s",
        "every -1 hour",
        "every 2 weeks",
        "cron 60 * * * *",
        "cron * * * *",
        "daily in Europe/Atlantis",
    ];
    check(
        &texts,
        &expect![[r#"
            error: `7` is no time of day
              |  daily after 7
              |              ^ write `07:00`

            error: `25:00` is no time of day
              |  daily between 25:00 and 26:00
              |                ^^^^^ write `HH:MM`, like `07:00`

            error: `24:00` is only the end of a window
              |  daily after 24:00
              |              ^^^^^ write `00:00`

            error: `2th` is no day of the month
              |  monthly on 2th
              |             ^^^ write `2nd`

            error: `30` is no day of the month
              |  yearly on Feb 30
              |                ^^ they go from `1` to `29`

            error: `5` is no second of a minute
              |  minutely before 5
              |                  ^ they go from `00` to `59`

            error: `every` needs a duration above zero
              |  every 0 s
              |        ^^^

            error: a duration cannot be negative
              |  every -1 hour
              |        ^^^^^^^

            error: unknown unit `weeks`
              |  every 2 weeks
              |          ^^^^^ write `7 days`

            error: `60` is no minute; allowed are 0 to 59
              |  cron 60 * * * *
              |       ^^

            error: a cron expression has five fields (minute, hour, day of the month, month, day of the week), or six with seconds first; `* * * *` has 4
              |  cron * * * *
              |       ^^^^^^^

            error: unknown time zone `Europe/Atlantis`
              |  daily in Europe/Atlantis
              |           ^^^^^^^^^^^^^^^ did you mean `Europe/Athens`?"#]],
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let texts = [
        "(daly | weekly on Mondy) & ~(every 10 | hourly) & aftr task 'x'",
        "daily) & hurly",
        "((daily) & hourly",
    ];
    check(
        &texts,
        &expect![[r#"
        error: unknown word `daly`
          |  (daly | weekly on Mondy) & ~(every 10 | hourly) & aftr task 'x'
          |   ^^^^ did you mean `daily`?
        error: unknown word `Mondy`
          |  (daly | weekly on Mondy) & ~(every 10 | hourly) & aftr task 'x'
          |                    ^^^^^ did you mean `Monday`?
        error: expected a unit after `10`
          |  (daly | weekly on Mondy) & ~(every 10 | hourly) & aftr task 'x'
          |                                        ^ for example `s`, `min`, `hours` or `days`
        error: unknown word `aftr`
          |  (daly | weekly on Mondy) & ~(every 10 | hourly) & aftr task 'x'
          |                                                    ^^^^ did you mean `after`?

        error: unmatched `)`
          |  daily) & hurly
          |       ^
        error: unknown word `hurly`
          |  daily) & hurly
          |           ^^^^^ did you mean `hourly`?

        error: this `(` is never closed
          |  ((daily) & hourly
          |  ^"#]],
    );
}

#[test]
fn quotes_that_do_not_close_are_pointed_at() {
    let texts = [
        "after task 'x & daily",
        "after task 'it's'",
        "param 'x exists &\n  env 'prod'",
        "after task ''",
        "after task 'a', 'b'",
    ];
    check(
        &texts,
        &expect![[r#"
        error: this quote is never closed
          |  after task 'x & daily
          |             ^

        error: a quoted text touches what is next to it
          |  after task 'it's'
          |             ^^^^ put a blank outside the quotes, and double a quote inside them: `'it''s'`

        error: this quote is never closed
          |  param 'x exists &
          |        ^

        error: a task name cannot be empty
          |  after task ''
          |             ^^

        error: expected an outcome or the end, found `,`
          |  after task 'a', 'b'
          |                ^ for several tasks, write `after tasks`"#]],
    );
}

#[test]
fn carets_stand_right_whatever_the_line_holds() {
    let long = format!("{}dayly{}", "daily & ".repeat(30), " & daily".repeat(30));
    let texts = [
        "daily\n& hourly aftr 15:00\n& true",
        "\tdaily &\thurly",
        "after task '東京 🚀' & dayly",
        &long,
        &format!("every 10 {}", "x".repeat(300)),
    ];
    check(
        &texts,
        &expect![[r#"
            error: unknown word `aftr`
              |  & hourly aftr 15:00
              |           ^^^^ did you mean `after`?

            error: unknown word `hurly`
              |      daily &    hurly
              |                 ^^^^^ did you mean `hourly`?

            error: unknown word `dayly`
              |  after task '東京 🚀' & dayly
              |                         ^^^^^ did you mean `daily`?

            error: unknown word `dayly`
              |  ..daily & daily & daily & daily & dayly & daily & daily & daily & daily & daily & daily & daily & ..
              |                                    ^^^^^ did you mean `daily`?

            error: unknown unit `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..`; there are `ms`, `s`, `min`, `hours` and `days`
              |  every 10 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..
              |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn a_combining_mark_takes_no_column() {
    let error = parse("after task 'cafe\u{301}' & dayly").unwrap_err().to_string();
    assert_eq!(error.lines().last().and_then(|line| line.find('^')), Some(25));
}

#[test]
fn a_builder_keeps_its_error_for_later() {
    let condition = daily().after("25:00") & every("10 min") | failed().past("soon");
    let errors: Vec<String> = condition.errors().iter().map(ToString::to_string).collect();
    expect![[r#"
        error: `25:00` is no time of day
          |  daily after 25:00
          |              ^^^^^ write `HH:MM`, like `07:00`
        error: expected a duration like `10 min`, found `soon`
          |  has failed past soon
          |                  ^^^^"#]]
    .assert_eq(&errors.join("\n"));
    let escaped = Expr::from(daily().after("10:00 | true"));
    expect![[r#"
        error: expected one statement, found several
          |  daily after 10:00 | true
          |  ^^^^^^^^^^^^^^^^^^^^^^^^ join builders with `&` and `|` instead"#]]
    .assert_eq(&escaped.errors()[0].to_string());
}

#[test]
fn deep_and_long_texts_are_errors_or_answers_but_never_harm() {
    let deep = format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000));
    let error = parse(&deep).unwrap_err();
    assert_eq!(error.problems.len(), 1);
    assert_eq!(error.problems[0].message, "nested too deeply (more than 128 levels)");

    let fits = format!("{}true{}", "(".repeat(128), ")".repeat(128));
    assert_eq!(parse(&fits).unwrap(), Expr::Const(true));
    assert_eq!(parse(&format!("{}true", "~".repeat(1_000_000))).unwrap(), Expr::Const(true));

    let long = format!("daily{}", " & hourly after 15:00".repeat(50_000));
    assert!(parse(&long).is_ok());
    for wrong in ["x ", "' ", "'", "(", ")", "& ", "~(", "a'b ", "1:", "after task ", "cron * "] {
        let error = parse(&wrong.repeat(1_000_000 / wrong.len())).unwrap_err();
        assert!(error.problems.len() <= 32, "{wrong}");
        assert!(error.to_string().len() < 20_000, "{wrong}");
    }
}
