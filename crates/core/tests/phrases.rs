//! Statements in words of a user's own, and the templates of such.

#![allow(clippy::needless_raw_string_hashes, reason = "this is how expect-test writes them")]

mod common;

use common::check;
use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;
use redengine_core::expr::{
    Expr, Literal, Part, Phrase, Statement, Template, parse, semantic_hash,
};

fn phrase(text: &str) -> Phrase {
    match parse(text) {
        Ok(Expr::Statement(Statement::Phrase(phrase), _)) => phrase,
        other => panic!("`{text}` is {other:?}"),
    }
}

#[test]
fn words_of_your_own_with_an_argument_are_a_statement() {
    let word = |word: &str| Part::Word(word.to_owned());
    let parts = [
        word("queue"),
        Part::Argument(Literal::Text("in it's".to_owned())),
        word("holds"),
        Part::Argument(Literal::Int(-5)),
        Part::Argument(Literal::Float(1.5)),
        Part::Argument(Literal::Bool(true)),
        word("überall"),
    ];
    let phrase = phrase("Queue  \"in it's\"\n HOLDS -5 1.5 TRUE überall");
    assert_eq!(phrase.parts(), parts);
    assert_eq!(phrase.to_string(), "queue \"in it's\" holds -5 1.5 true überall");
    assert_eq!(phrase.shape(), "queue {} holds {} {} {} überall");
}

#[test]
fn a_phrase_stands_wherever_a_statement_does() {
    let texts = [
        ("daily & ~file 'x.csv' exists", "daily & ~file 'x.csv' exists"),
        ("(file 'a' exists | File 'b' Exists)&true", "(file 'a' exists | file 'b' exists) & true"),
        ("file 'x' exists for 10 min", "file 'x' exists for 10 min"),
        (
            "newly file 'x' exists since file 'y' exists",
            "newly file 'x' exists since file 'y' exists",
        ),
        ("load between 2 and 4", "load between 2 and 4"),
        ("load below 5 | file_exists('x')", "load below 5 | file_exists('x')"),
        ("file 'x' is newer than task 'y' daily", "file 'x' is newer than task 'y' daily"),
    ];
    for (text, normal) in texts {
        let expr = parse(text).unwrap();
        assert_eq!(expr.to_string(), normal);
        assert_eq!(parse(normal).unwrap(), expr);
        assert_eq!(serde_json::to_value(&expr).unwrap(), normal);
    }
}

#[test]
fn what_is_no_phrase_stays_an_error() {
    let texts = [
        "file exists",
        "fetch the news",
        "dayly 'x'",
        "aftr task 'x'",
        "between 10 and 12",
        "today 'x'",
        "next 2 hours",
        "Monday 10",
        "when task 'x' fails",
        "not file 'x' exists",
        "'x' exists",
        "opens 07:00",
    ];
    check(
        &texts,
        &expect![[r#"
            error: expected a statement, found `file`
              |  file exists
              |  ^^^^

            error: expected a statement, found `fetch`
              |  fetch the news
              |  ^^^^^

            error: unknown word `dayly`
              |  dayly 'x'
              |  ^^^^^ did you mean `daily`?

            error: unknown word `aftr`
              |  aftr task 'x'
              |  ^^^^ did you mean `after`?

            error: expected a date like `2026-01-01`, found `10`
              |  between 10 and 12
              |          ^^

            error: expected a statement, found `today`
              |  today 'x'
              |  ^^^^^

            error: expected a statement, found `next`
              |  next 2 hours
              |  ^^^^

            error: expected a statement, found `Monday`
              |  Monday 10
              |  ^^^^^^

            error: expected a statement, found `when`
              |  when task 'x' fails
              |  ^^^^

            error: expected a statement, found `not`
              |  not file 'x' exists
              |  ^^^ write `~`

            error: expected a statement, found `'x'`
              |  'x' exists
              |  ^^^

            error: expected a statement, found `opens`
              |  opens 07:00
              |  ^^^^^"#]],
    );
}

#[test]
fn a_phrase_that_goes_wrong_says_where() {
    let texts = [
        "file 'x.csv exists",
        "file 'it's' exists",
        "file 'x' exists and daily",
        "file 'x' exists or ~daily",
        "file 'x', 'y' exist",
        "file 'x' exists (daily)",
        "'x' & file 'x' is from 07:00",
        "file 'x' is from the 3rd",
        "file 'x' exists for",
    ];
    check(
        &texts,
        &expect![[r#"
            error: this quote is never closed
              |  file 'x.csv exists
              |       ^

            error: a quoted text touches what is next to it
              |  file 'it's' exists
              |       ^^^^ put a blank outside the quotes, and double a quote inside them: `'it''s'`

            error: expected `&`, `|` or the end, found `and`
              |  file 'x' exists and daily
              |                  ^^^ write `&`

            error: expected `&`, `|` or the end, found `or`
              |  file 'x' exists or ~daily
              |                  ^^ write `|`

            error: expected `&`, `|` or the end, found `,`
              |  file 'x', 'y' exist
              |          ^

            error: expected `&`, `|` or the end, found `(`
              |  file 'x' exists (daily)
              |                  ^ join statements with `&` or `|`

            error: expected a statement, found `'x'`
              |  'x' & file 'x' is from 07:00
              |  ^^^
            error: expected a word, a number or a text in quotes, found `07:00`
              |  'x' & file 'x' is from 07:00
              |                         ^^^^^ write it in quotes: `'07:00'`

            error: expected a word, a number or a text in quotes, found `3rd`
              |  file 'x' is from the 3rd
              |                       ^^^ write it in quotes: `'3rd'`

            error: expected a duration like `10 min`, found the end
              |  file 'x' exists for
              |                     ^"#]],
    );
}

#[test]
fn spelling_does_not_change_the_hash_of_a_phrase() {
    let hash = |text: &str| semantic_hash(&parse(text).unwrap());
    assert_eq!(hash("File \"x\"  EXISTS & daily"), hash("daily & file 'x' exists"));
    assert_ne!(hash("file 'x' exists"), hash("file 'y' exists"));
    // Which call it is, only a session knows.
    assert_ne!(hash("file 'x' exists"), hash("file_exists('x')"));
}

#[test]
fn long_texts_of_words_are_read_in_one_go() {
    let words = "words ".repeat(200_000);
    assert_eq!(parse(&words).unwrap_err().problems.len(), 1);
    let error = parse(&format!("{words} 'x'")).unwrap_err();
    assert!(error.problems[0].message.starts_with("expected a statement"), "{error}");
    let error = parse(&format!("word 'x' {words}")).unwrap_err();
    assert_eq!(error.problems[0].message, "a phrase has at most 32 words and arguments");
    assert!(error.to_string().len() < 1_000);
    for many in ["word 'x", "word 5 and ' ", "word - ", "and 'x' ", "word 1-1 "] {
        let error = parse(&many.repeat(1_000_000 / many.len())).unwrap_err();
        assert!(error.to_string().len() < 20_000, "{many}");
    }
    let phrases = parse(&format!("word 'x'{}", " & word 'x'".repeat(10_000))).unwrap();
    assert_eq!(parse(&phrases.to_string()).unwrap(), phrases);
    let whole = format!("word{}", " 'x'".repeat(31));
    assert_eq!(phrase(&whole).parts().len(), 32);
}

// ---- templates

#[test]
fn a_template_reads_the_phrases_of_its_shape() {
    let template = Template::read("File {path} is OLDER than {days} days", &["days", "path"]);
    let template = template.unwrap();
    assert_eq!(template.text(), "File {path} is OLDER than {days} days");
    assert_eq!(template.shape(), phrase("file 'x' is older than 3 days").shape());
    assert!(Template::read("load between {low} and {high}", &["low", "high"]).is_ok());
}

fn check_templates(templates: &[&str], params: &[&str], expected: &Expect) {
    let error = |template: &&str| {
        Template::read(template, params).map_or_else(|e| e.to_string(), |read| format!("{read:?}"))
    };
    let errors: Vec<String> = templates.iter().map(error).collect();
    expected.assert_eq(&errors.join("\n\n"));
}

#[test]
fn a_template_that_no_text_could_follow_is_an_error() {
    let templates = [
        "",
        "daily {path}",
        "Today {path}",
        "gas {path}",
        "Friday {path}",
        "file {path} 'x' & 5",
        "file {path} for true or since",
        "file {path} and more",
        "fi-le {path's}",
    ];
    check_templates(
        &templates,
        &["path"],
        &expect![[r#"
        error: expected a word, found the end
          |
          |  ^ a phrase has words, and arguments in braces: `file {path} exists`

        error: `daily` begins a statement of the language
          |  daily {path}
          |  ^^^^^ begin the phrase with another word

        error: `Today` is a word of time and order
          |  Today {path}
          |  ^^^^^ begin the phrase with another word

        error: in texts, `gas` is taken for a slip of `has`
          |  gas {path}
          |  ^^^ begin the phrase with another word

        error: `Friday` is a word of time and order
          |  Friday {path}
          |  ^^^^^^ begin the phrase with another word

        error: `'x'` cannot be in a phrase
          |  file {path} 'x' & 5
          |              ^^^ a phrase has words, and arguments in braces: `file {path} exists`
        error: `&` cannot be in a phrase
          |  file {path} 'x' & 5
          |                  ^ a phrase has words, and arguments in braces: `file {path} exists`
        error: `5` cannot be in a phrase
          |  file {path} 'x' & 5
          |                    ^ a phrase has words, and arguments in braces: `file {path} exists`

        error: `for` ends a phrase: it joins it with what follows
          |  file {path} for true or since
          |              ^^^ choose another word
        error: `true` is a value, and no word of a phrase
          |  file {path} for true or since
          |                  ^^^^ a phrase has words, and arguments in braces: `file {path} exists`
        error: `or` ends a phrase, unless an argument follows
          |  file {path} for true or since
          |                       ^^ choose another word
        error: `since` ends a phrase: it joins it with what follows
          |  file {path} for true or since
          |                          ^^^^^ choose another word

        error: `and` ends a phrase, unless an argument follows
          |  file {path} and more
          |              ^^^ choose another word

        error: `-` cannot be in a phrase
          |  fi-le {path's}
          |    ^ a phrase has words, and arguments in braces: `file {path} exists`
        error: this quote is never closed
          |  fi-le {path's}
          |             ^"#]],
    );
    let long = format!("file {{path}}{}", " more".repeat(40));
    check_templates(
        &[&long],
        &["path"],
        &expect![[r#"
        error: a phrase has at most 32 words and arguments
          |  file {path} more more more more more more more more more more more more more more more more more..
          |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}

#[test]
fn a_template_has_each_argument_once() {
    let templates = [
        "{path} exists {least}",
        "file exists",
        "file {pth} exists {least}",
        "file {mode} exists",
        "file {path} {least} and {path}",
        "file {least} {path",
        "file {} exists",
    ];
    check_templates(
        &templates,
        &["path", "least"],
        &expect![[r#"
        error: expected a word, found `{`
          |  {path} exists {least}
          |  ^ a phrase has words, and arguments in braces: `file {path} exists`

        error: the argument `path` is missing
          |  file exists
          |  ^^^^^^^^^^^ write `{path}` where it stands in texts
        error: the argument `least` is missing
          |  file exists
          |  ^^^^^^^^^^^ write `{least}` where it stands in texts

        error: unknown argument `pth`
          |  file {pth} exists {least}
          |        ^^^ did you mean `path`?

        error: unknown argument `mode`
          |  file {mode} exists
          |        ^^^^ there are `path`, `least`

        error: the argument `path` is given twice
          |  file {path} {least} and {path}
          |                           ^^^^

        error: expected `}`, found the end
          |  file {least} {path
          |                    ^ a phrase has words, and arguments in braces: `file {path} exists`

        error: expected the name of an argument, found `}`
          |  file {} exists
          |        ^ a phrase has words, and arguments in braces: `file {path} exists`"#]],
    );
    check_templates(
        &["it is open"],
        &[],
        &expect![[r#"
        error: a phrase needs an argument, by which it is told from a misspelt statement
          |  it is open
          |  ^^^^^^^^^^ without one, texts call the condition by its name"#]],
    );
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Zü_]{1,6}",
        2 => prop::sample::select(
            vec!["and", "or", "daily", "Task", "is", "for", "since", "true", "not", "newly", "é"],
        )
        .prop_map(str::to_owned),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        "[a-z '\"&(]{0,4}".prop_map(Literal::Text),
        any::<i64>().prop_map(Literal::Int),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Literal::Float),
        any::<bool>().prop_map(Literal::Bool),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![3 => word().prop_map(Part::Word), 1 => literal().prop_map(Part::Argument)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A template is right if and only if what is written by it is a phrase, of its shape.
    #[test]
    fn what_is_written_by_a_template_is_read_by_it(parts in vec(part(), 1..7)) {
        let names: Vec<String> = (0..parts.len()).map(|n| format!("a{n}")).collect();
        let (mut template, mut text, mut params) = (Vec::new(), Vec::new(), Vec::new());
        for (part, name) in parts.iter().zip(&names) {
            match part {
                Part::Word(word) => {
                    template.push(word.clone());
                    text.push(word.clone());
                }
                Part::Argument(literal) => {
                    template.push(format!("{{{name}}}"));
                    text.push(literal.to_string());
                    params.push(name.as_str());
                }
            }
        }
        let template = Template::read(&template.join(" "), &params);
        let written = text.join(" ");
        let expr = parse(&written);
        if let Ok(template) = template {
            prop_assert_eq!(template.shape(), phrase(&written).shape());
        } else if let Ok(Expr::Statement(Statement::Phrase(read), _)) = &expr {
            // `true` may be an argument, though no template has it as a word; `and` depends on it.
            let odd = |part: &Part| matches!(part, Part::Word(word)
                if ["true", "and", "or"].iter().any(|odd| word.eq_ignore_ascii_case(odd)));
            prop_assert!(parts.iter().any(odd), "{}", read);
        }
        if let Ok(expr) = expr {
            prop_assert_eq!(parse(&expr.to_string()).unwrap(), expr);
        }
    }
}
