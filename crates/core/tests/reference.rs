//! The reference says what the parser reads and what the builders build.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use expect_test::expect_file;
use redengine_core::expr::Basis::Finish;
use redengine_core::expr::build::*;
use redengine_core::expr::reference::{Example, FORMS, OPERATORS, PARTS, markdown};
use redengine_core::expr::{Custom, Expr, Literal, parse};

/// What `#[condition]` makes of a function.
fn file_exists(path: &str, lines: i64, now: bool) -> Custom {
    let args = vec![Literal::Text(path.to_owned()), Literal::Int(lines), Literal::Bool(now)];
    Custom { name: "file_exists".into(), args, probe: None }
}

macro_rules! twins {
    ($($built:expr;)+) => {
        vec![$((stringify!($built), Expr::from($built))),+]
    };
}

/// What the Rust side of each example builds.
fn twins() -> Vec<(&'static str, Expr)> {
    twins![
        daily();
        daily().after("07:00");
        weekly().between("Mon", "Fri");
        monthly().on("last Fri");
        hourly().starting("15:00");
        minutely().before("45");
        secondly().after("250");
        yearly().on("Feb 3rd");
        daily().at("07:00").within("10 min").retries(2).in_zone("Europe/Helsinki");
        once_in(time_of_day().after("07:00") & on_business_days());
        once_in(on_calendar("sales")).retries(1).in_zone("UTC");
        every("10 s");
        every("10 min").based_on(Finish);
        cron("*/5 * * * *").within("2 min");
        cron("0 7 * * MON-FRI").in_zone("Europe/Helsinki");
        retry_forever();
        retry(3);
        retry(3).after("10 s");
        time_of_day().between("22:00", "06:00");
        time_of_week().on("Mon");
        time_of_month().before("5th");
        time_of_year().between("Nov", "Feb");
        time_of_hour().after("45:00");
        time_of_minute().after("30");
        time_in(time_of_day().after("09:00") & on_weekdays()).in_zone("Europe/Berlin");
        on_weekdays();
        on_weekends();
        on_business_days();
        on_business_days().of("bank holidays");
        on_calendar("holidays");
        on_date("2026-05-01");
        between_dates("2026-01-01", "2026-02-01");
        before_date("2026-02-01 10:00");
        after_date("2026-01-01").in_zone("Asia/Tokyo");
        after_success("fetch");
        after_fail("fetch");
        after_finish("fetch");
        after_termination("fetch");
        after_all(["a", "b"]);
        after_any(["a", "b"]).failed();
        succeeded().today();
        failed().past("1 hour");
        failed().at_least(3).this_week().after("Wed");
        finished().during(between_dates("2026-01-01", "2026-02-01"));
        started().during(time_of_day().after("07:00") & on_weekdays());
        terminated().this_hour();
        inacted().this_month();
        crashed();
        succeeded().task("fetch").today();
        running().task("fetch").more_than("10 min");
        running();
        running().less_than("1 min");
        running().between("1 min", "2 min");
        running().task("fetch");
        scheduler_cycles().more_than(3);
        scheduler_has_run_over("1 hour");
        scheduler_started_within("10 min");
        param("x").exists();
        param("x").is("v");
        env("prod");
        always_true();
        always_false();
        always();
        always_false();
        never();
        file_exists("orders.csv", 1, true);
        parse("file 'orders.csv' exists").unwrap();
        daily() | after_success("fetch");
        every("10 s") & time_of_day().after("07:00");
        since(failed().past("1 hour"), param("x").exists());
        newly(param("x").exists());
        held_for(running().task("fetch"), "10 min");
        !failed().past("1 min");
    ]
}

fn examples() -> impl Iterator<Item = &'static Example> {
    let entries = FORMS.iter().map(|form| &form.entry).chain(OPERATORS);
    entries.flat_map(|entry| entry.examples)
}

fn without_blanks(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn each_example_is_what_its_rust_twin_builds() {
    let twins = twins();
    for Example { text, rust } in examples() {
        let code = without_blanks(rust);
        let twin = twins.iter().find(|(built, _)| without_blanks(built) == code);
        let (_, built) = twin.unwrap_or_else(|| panic!("no twin in this test: {rust}"));
        assert_eq!(parse(text).as_ref(), Ok(built), "{text}");
    }
    assert_eq!(twins.len(), examples().count(), "all twins are of examples");
}

#[test]
fn each_example_is_printed_as_a_text_that_parses_back() {
    let parts = PARTS.iter().flat_map(|part| part.examples).map(|(text, _)| *text);
    for text in examples().map(|example| example.text).chain(parts) {
        let expr = parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parse(&expr.to_string()), Ok(expr), "{text}");
    }
}

#[test]
fn each_form_begins_with_its_words_and_each_word_has_an_example() {
    let first = |text: &str| text.split([' ', '(']).next().unwrap_or_default().to_owned();
    for form in FORMS {
        let found: Vec<String> = form.entry.examples.iter().map(|it| first(it.text)).collect();
        if form.begins.is_empty() {
            continue;
        }
        for word in &found {
            assert!(form.begins.contains(&word.as_str()), "`{word}` in `{}`", form.entry.syntax);
        }
        // `run daily` is printed as `daily`.
        for word in form.begins.iter().filter(|word| **word != "run") {
            let shown = found.iter().any(|it| it == word);
            assert!(shown, "no example with `{word}` of `{}`", form.entry.syntax);
        }
    }
}

#[test]
fn each_capital_word_of_a_syntax_is_explained_or_speaks_for_itself() {
    let plain = ["N", "'TASK'", "'CALENDAR'", "'VALUE'", "NAME", "ARGUMENT", "WORDS"];
    for entry in FORMS.iter().map(|form| &form.entry).chain(OPERATORS) {
        let words = entry.syntax.split([' ', '[', ']', '(', ')', '|', ',']);
        for word in words.filter(|word| word.contains(|c: char| c.is_ascii_uppercase())) {
            let known = plain.contains(&word) || PARTS.iter().any(|part| part.name == word);
            assert!(known, "`{word}` in `{}`", entry.syntax);
        }
    }
}

#[test]
fn the_pages_are_made_of_the_table() {
    let page = markdown();
    for file in ["docs/statements.md", "crates/redengine/src/guide/statements.md"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        expect_file![root.join(file)].assert_eq(&page);
    }
}
