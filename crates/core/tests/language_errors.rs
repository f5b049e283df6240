//! What a person sees who wrote something wrong.

#![allow(clippy::needless_raw_string_hashes, reason = "this is how expect-test writes them")]

mod common;

use common::check;
use expect_test::expect;
use redengine_core::expr::build::{daily, every, failed};
use redengine_core::expr::{Expr, parse};

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
fn days_and_dates_say_what_they_may_be() {
    let texts = [
        "on businessdays",
        "on weekday",
        "on busines days",
        "on business day",
        "on holidays",
        "on Monday",
        "on calendar holidays",
        "on 2026-05-01 10:00",
        "betwen 2026-01-01 and 2026-02-01",
        "between 2026-01-01 or 2026-02-01",
        "between 2026-02-01 and 2026-01-01",
        "between 2026-01-01 and 2026-02-30",
        "between 2026-01-01 and 2026-13-01",
        "after 2026-1-1",
        "after 2026-01-01Tea",
        "between 2026-01-01T00:00:00Z and 2026-02-01",
        "before 2026",
        "between 10:00 and 12:00",
        "after 10:00",
        "before Friday",
        "daily on weekdays",
        "daily between 2026-01-01 and 2026-02-01",
        "weekly on business days",
    ];
    check(
        &texts,
        &expect![[r#"
            error: unknown word `businessdays`
              |  on businessdays
              |     ^^^^^^^^^^^^ did you mean `business days`?

            error: unknown word `weekday`
              |  on weekday
              |     ^^^^^^^ did you mean `weekdays`?

            error: unknown word `busines`
              |  on busines days
              |     ^^^^^^^ did you mean `business`?

            error: unknown word `day`
              |  on business day
              |              ^^^ did you mean `days`?

            error: expected `weekdays`, `weekends`, `business days`, `calendar ..` or a date, found `holidays`
              |  on holidays
              |     ^^^^^^^^ for a calendar of that name, write `on calendar 'holidays'`

            error: expected `weekdays`, `weekends`, `business days`, `calendar ..` or a date, found `Monday`
              |  on Monday
              |     ^^^^^^ write `time of week on ..`

            error: expected a calendar name in quotes, found `holidays`
              |  on calendar holidays
              |              ^^^^^^^^ write it in quotes: `'holidays'`

            error: `on` means a whole day
              |  on 2026-05-01 10:00
              |     ^^^^^^^^^^^^^^^^ for a part of it, write `between .. and ..`

            error: unknown word `betwen`
              |  betwen 2026-01-01 and 2026-02-01
              |  ^^^^^^ did you mean `between`?

            error: expected `and`, found `or`
              |  between 2026-01-01 or 2026-02-01
              |                     ^^

            error: the span ends before it begins
              |  between 2026-02-01 and 2026-01-01
              |          ^^^^^^^^^^^^^^^^^^^^^^^^^ the earlier one comes first

            error: `2026-02-30` is no date
              |  between 2026-01-01 and 2026-02-30
              |                         ^^^^^^^^^^ the last of that month is `2026-02-28`

            error: `2026-13-01` is no date
              |  between 2026-01-01 and 2026-13-01
              |                         ^^^^^^^^^^ months go from `01` to `12`, and come before the day

            error: `2026-1-1` is no date
              |  after 2026-1-1
              |        ^^^^^^^^ write `2026-01-01`

            error: expected a time of day like `07:00`, found `ea`
              |  after 2026-01-01Tea
              |                   ^^

            error: one end is in UTC, the other in the time of a zone
              |  between 2026-01-01T00:00:00Z and 2026-02-01
              |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ write `Z` after both, or after none

            error: expected a date like `2026-01-01`, found `2026`
              |  before 2026
              |         ^^^^

            error: expected a date like `2026-01-01`, found `10:00`
              |  between 10:00 and 12:00
              |          ^^^^^ write `time of day between ..`

            error: expected `task`, `tasks`, `any tasks` or a date, found `10:00`
              |  after 10:00
              |        ^^^^^ write `time of day after ..`

            error: expected a date like `2026-01-01`, found `Friday`
              |  before Friday
              |         ^^^^^^ write `time of week before ..`

            error: `weekdays` is no part of a cycle
              |  daily on weekdays
              |           ^^^^^^^^ write it as a statement of its own, like `& on weekdays`

            error: `2026-01-01` is no part of a cycle
              |  daily between 2026-01-01 and 2026-02-01
              |                ^^^^^^^^^^ write it as a statement of its own, like `& after 2026-01-01`

            error: `business` is no part of a cycle
              |  weekly on business days
              |            ^^^^^^^^ write it as a statement of its own, like `& on weekdays`"#]],
    );
}

#[test]
fn periods_in_parentheses_say_what_they_may_be() {
    let texts = [
        "once on weekdays",
        "once in on weekdays",
        "once in (daily)",
        "once in (~on weekdays)",
        "once in (on weekdays in UTC)",
        "once in (time of day after 07:00 & past 2 hours)",
        "once in (every 10 s)",
        "once in (time of day after 7 & on weekdys | cron 60 * * * *)",
        "once in (on weekdays",
        "once in (on weekdays) within 2 h",
        "time in on weekdays",
        "has failed in (past 2 hours)",
        "has failed on weekdays",
        "has failed betwen 2026-01-01 and 2026-02-01",
    ];
    check(
        &texts,
        &expect![[r#"
            error: unknown word `on`
              |  once on weekdays
              |       ^^ did you mean `in`?

            error: expected a period in parentheses, like `(on weekdays)`, found `on`
              |  once in on weekdays
              |          ^^

            error: expected a period like `time of day ..` or `on weekdays`, found `daily`
              |  once in (daily)
              |           ^^^^^ for a part of each day, write `time of day ..`

            error: expected a period like `time of day ..` or `on weekdays`, found `~`
              |  once in (~on weekdays)
              |           ^ a period cannot be negated

            error: a part of a period has no zone of its own
              |  once in (on weekdays in UTC)
              |                       ^^ the zone of all of it stands after the parentheses

            error: this span moves with now and is no period of the calendar
              |  once in (time of day after 07:00 & past 2 hours)
              |                                     ^^^^^^^^^^^^ it stands by itself, as in `has failed past 2 hours`

            error: this span moves with now and is no period of the calendar
              |  once in (every 10 s)
              |           ^^^^^^^^^^ it stands by itself, as in `has failed past 2 hours`

            error: `7` is no time of day
              |  once in (time of day after 7 & on weekdys | cron 60 * * * *)
              |                             ^ write `07:00`
            error: unknown word `weekdys`
              |  once in (time of day after 7 & on weekdys | cron 60 * * * *)
              |                                    ^^^^^^^ did you mean `weekdays`?
            error: `60` is no minute; allowed are 0 to 59
              |  once in (time of day after 7 & on weekdys | cron 60 * * * *)
              |                                                   ^^

            error: this `(` is never closed
              |  once in (on weekdays
              |          ^

            error: expected `&`, `|` or the end, found `within`
              |  once in (on weekdays) within 2 h
              |                        ^^^^^^

            error: expected a period in parentheses, like `(on weekdays)`, found `on`
              |  time in on weekdays
              |          ^^

            error: this span moves with now and is no period of the calendar
              |  has failed in (past 2 hours)
              |                 ^^^^^^^^^^^^ it stands by itself, as in `has failed past 2 hours`

            error: expected a date like `2026-01-01`, found `weekdays`
              |  has failed on weekdays
              |                ^^^^^^^^ for other days, write `in (on ..)`

            error: unknown word `betwen`
              |  has failed betwen 2026-01-01 and 2026-02-01
              |             ^^^^^^ did you mean `between`?"#]],
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
    for wrong in [
        "x ",
        "' ",
        "'",
        "(",
        ")",
        "& ",
        "~(",
        "a'b ",
        "1:",
        "after task ",
        "cron * ",
        "once in (",
        "on ",
        "2026-",
        "between 2026-01-01 and ",
        "has failed in (on weekdays & ",
    ] {
        let error = parse(&wrong.repeat(1_000_000 / wrong.len())).unwrap_err();
        assert!(error.problems.len() <= 32, "{wrong}");
        assert!(error.to_string().len() < 20_000, "{wrong}");
    }
}
