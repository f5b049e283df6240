//! Statements in words of a user's own, and the templates of such.
//!
//! Which phrases there are is not known here, so what is one is told from a slip by two things: it
//! begins with a word that is none of the language and not nearly one that begins a statement, and
//! it has an argument. A template is refused if texts written by it would not be read as phrases.

use super::{Kind, MONTHS, Parsed, Parser, Reported, Token, WEEKDAYS};
use crate::error::{did_you_mean, shortened};
use crate::expr::phrase::{Part, Phrase, TemplatePart};
use crate::expr::reference::{self, rule_of};
use crate::expr::{Expr, Literal, ParseError, Span, Statement};

/// How many words and arguments a phrase may have.
const MAX_PARTS: usize = 32;

/// Words of time and order, though no statement begins with one: whoever begins with them, or with a
/// weekday or a month, forgot what stands before, or means what the language says otherwise.
const RESERVED: &[&str] = &[
    // What stands within statements and between them.
    "and", "at", "before", "between", "first", "for", "in", "last", "newly", "not", "on", "or",
    "past", "since", "starting", "this", "today", "within",
    // What people write in their place.
    "each", "if", "midnight", "next", "noon", "now", "once", "tomorrow", "unless", "until", "when",
    // Units of time.
    "day", "days", "h", "hour", "hours", "min", "minute", "minutes", "month", "months", "s",
    "second", "seconds", "week", "weeks", "year", "years",
];

/// Words that end a phrase: they join it with what follows.
const ENDS: &[&str] = &["for", "since"];

/// Words that end a phrase unless an argument follows: `load between 2 and 4`.
const JOINS: &[&str] = &["and", "or"];

const WORDS_AND_ARGUMENTS: &str =
    "a phrase has words, and arguments in braces: `file {path} exists`";

/// Reads a template: each part, and with each argument the number of its parameter.
pub(in crate::expr) fn parse_template(
    text: &str,
    params: &[&str],
) -> Result<Vec<TemplatePart>, ParseError> {
    let mut parser = Parser::new(text, 0);
    let template = parser.template(params);
    parser.finish(template)
}

impl Parser<'_> {
    /// `word { word | literal }`, with a literal in it.
    pub(super) fn phrase(&mut self) -> Parsed<Expr> {
        if self.is_reserved() || self.nearest_first_word().is_some() {
            return self.unknown_statement();
        }
        let start = (self.lexer.clone(), self.token, self.last_end);
        let mut parts = Vec::new();
        let mut arguments = 0;
        while let Some(part) = self.phrase_part()? {
            arguments += usize::from(matches!(part, Part::Argument(_)));
            parts.push(part);
            if parts.len() > MAX_PARTS {
                break;
            }
        }
        if arguments == 0 {
            (self.lexer, self.token, self.last_end) = start;
            return self.unknown_statement();
        }
        if parts.len() > MAX_PARTS {
            let span = Span { start: start.1.span.start, end: self.last_end };
            let message = format!("a phrase has at most {MAX_PARTS} words and arguments");
            return self.wrong(span, message, Some("join statements with `&` or `|`"));
        }
        if self.token.kind == Kind::Number {
            let help = format!("write it in quotes: `'{}'`", shortened(self.word()));
            return self.expected_with("a word, a number or a text in quotes", Some(&help));
        }
        Ok(Statement::Phrase(Phrase::new(parts)).into())
    }

    /// Reads a word or an argument, unless the phrase ends here.
    fn phrase_part(&mut self) -> Parsed<Option<Part>> {
        let part = match self.token.kind {
            Kind::Word if self.is("true") || self.is("false") => Part::Argument(self.literal()?),
            Kind::Word if self.is_one_of(ENDS) => return Ok(None),
            Kind::Word if self.is_one_of(JOINS) && !self.argument_follows() => return Ok(None),
            Kind::Word => {
                let word = self.word().to_ascii_lowercase();
                self.bump();
                Part::Word(word)
            }
            Kind::Text | Kind::Unclosed | Kind::Glued => Part::Argument(self.literal()?),
            Kind::Number | Kind::Other => {
                let Some((end, number)) = self.number_of(self.token) else { return Ok(None) };
                self.go_to(end);
                Part::Argument(number)
            }
            _ => return Ok(None),
        };
        Ok(Some(part))
    }

    fn argument_follows(&self) -> bool {
        let next = self.lexer.clone().next();
        match next.kind {
            Kind::Text | Kind::Unclosed | Kind::Glued | Kind::Number => true,
            Kind::Other => self.number_of(next).is_some(),
            Kind::Word => {
                let word = &self.text[next.span.start..next.span.end];
                ["true", "false"].iter().any(|value| word.eq_ignore_ascii_case(value))
            }
            _ => false,
        }
    }

    /// Reads the number that begins with a token, and where it ends; `07:00` and `3rd` are none.
    fn number_of(&self, token: Token) -> Option<(usize, Literal)> {
        let Span { start, end } = token.span;
        if token.kind != Kind::Number && &self.text[start..end] != "-" {
            return None;
        }
        let (until, number) = self.number_at(start);
        number.filter(|_| until >= end).map(|number| (until, number))
    }

    /// Reads the number at a place of the text; tells where it ends, whether it is one or not.
    pub(super) fn number_at(&self, start: usize) -> (usize, Option<Literal>) {
        let rest = &self.text[start..];
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let raw = &rest[..rest.find(|c| !part(c)).unwrap_or(rest.len())];
        let number = match (raw.parse::<i64>(), raw.parse::<f64>()) {
            (Ok(int), _) => Some(Literal::Int(int)),
            (_, Ok(float)) if float.is_finite() => Some(Literal::Float(float)),
            _ => None,
        };
        (start + raw.len(), number)
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Tells whether the word at hand is one of time and order.
    fn is_reserved(&self) -> bool {
        let weekday = self.choice(WEEKDAYS).is_some();
        weekday || self.choice(MONTHS).is_some() || self.is_one_of(RESERVED)
    }

    /// Finds the word that begins a statement and is likely meant by the word at hand.
    fn nearest_first_word(&self) -> Option<&'static str> {
        self.nearest_of(&first_words())
    }

    fn unknown_statement<T>(&mut self) -> Parsed<T> {
        if self.is("newly") {
            return self.expected_with("a statement", Some("put what follows in parentheses"));
        }
        if self.is("not") {
            return self.expected_with("a statement", Some("write `~`"));
        }
        self.expected_word(&first_words(), "a statement")
    }

    /// `word { word | "{" parameter "}" }`, with each parameter once.
    fn template(&mut self, params: &[&str]) -> Parsed<Vec<TemplatePart>> {
        let whole = Span { start: 0, end: self.text.len() };
        if params.is_empty() {
            let help = "without one, texts call the condition by its name";
            let message =
                "a phrase needs an argument, by which it is told from a misspelt statement";
            return self.wrong(whole, message.to_owned(), Some(help));
        }
        let mut open: Vec<&str> = params.to_vec();
        let mut parts = Vec::new();
        if self.token.kind == Kind::Word {
            self.check_first_word();
            parts.push(self.template_word());
        } else if self.token.kind == Kind::End || self.word() == "{" {
            let _ = self.expected_with::<()>("a word", Some(WORDS_AND_ARGUMENTS));
        }
        while self.token.kind != Kind::End && parts.len() <= MAX_PARTS {
            if self.word() == "{" {
                match self.template_argument(params, &mut open) {
                    Ok(number) => parts.push(TemplatePart::Argument(number)),
                    Err(Reported) => self.skip_argument(),
                }
            } else {
                let _ = self.check_word();
                parts.push(self.template_word());
            }
        }
        if parts.len() > MAX_PARTS {
            let message = format!("a phrase has at most {MAX_PARTS} words and arguments");
            return self.wrong(whole, message, None);
        }
        // What is misspelt is not missing as well.
        let missing = if self.problems.is_empty() { open } else { Vec::new() };
        for missing in missing {
            let help = format!("write `{{{missing}}}` where it stands in texts");
            self.problem(whole, format!("the argument `{missing}` is missing"), Some(&help));
        }
        Ok(parts)
    }

    fn template_word(&mut self) -> TemplatePart {
        let word = self.word().to_ascii_lowercase();
        self.bump();
        TemplatePart::Word(word)
    }

    /// Checks that no text which begins with the word at hand is read as something else.
    fn check_first_word(&mut self) {
        let (span, word) = (self.token.span, self.word());
        let message = if rule_of(word).is_some() {
            format!("`{word}` begins a statement of the language")
        } else if self.is_reserved() {
            format!("`{word}` is a word of time and order")
        } else if let Some(near) = self.nearest_first_word() {
            format!("in texts, `{word}` is taken for a slip of `{near}`")
        } else {
            return;
        };
        self.problem(span, message, Some("begin the phrase with another word"));
    }

    /// Checks that the token at hand is a word that may stand within a phrase.
    fn check_word(&mut self) -> Parsed<()> {
        let (span, word) = (self.token.span, self.word());
        match self.token.kind {
            Kind::Word if self.is("true") || self.is("false") => {
                let message = format!("`{word}` is a value, and no word of a phrase");
                self.wrong(span, message, Some(WORDS_AND_ARGUMENTS))
            }
            Kind::Word if self.is_one_of(ENDS) => {
                let message = format!("`{word}` ends a phrase: it joins it with what follows");
                self.wrong(span, message, Some("choose another word"))
            }
            Kind::Word if self.is_one_of(JOINS) && !self.opens_next() => {
                let message = format!("`{word}` ends a phrase, unless an argument follows");
                self.wrong(span, message, Some("choose another word"))
            }
            Kind::Word => Ok(()),
            Kind::Unclosed | Kind::Glued => self.bad_quote(),
            _ => {
                let message = format!("`{}` cannot be in a phrase", shortened(word));
                self.wrong(span, message, Some(WORDS_AND_ARGUMENTS))
            }
        }
    }

    fn opens_next(&self) -> bool {
        let next = self.lexer.clone().next();
        self.text[next.span.start..].starts_with('{')
    }

    /// `"{" parameter "}"`
    fn template_argument<'p>(
        &mut self,
        params: &[&'p str],
        open: &mut Vec<&'p str>,
    ) -> Parsed<usize> {
        self.bump();
        let (span, name) = (self.token.span, self.word());
        if self.token.kind != Kind::Word {
            return self.expected_with("the name of an argument", Some(WORDS_AND_ARGUMENTS));
        }
        let Some(number) = params.iter().position(|param| *param == name) else {
            let help = self
                .nearest_of(params)
                .map_or_else(|| format!("there are `{}`", params.join("`, `")), did_you_mean);
            return self.wrong(
                span,
                format!("unknown argument `{}`", shortened(name)),
                Some(&help),
            );
        };
        if !open.contains(&name) {
            return self.wrong(span, format!("the argument `{name}` is given twice"), None);
        }
        open.retain(|param| *param != name);
        self.bump();
        if self.word() != "}" {
            return self.expected_with("`}`", Some(WORDS_AND_ARGUMENTS));
        }
        self.bump();
        Ok(number)
    }

    /// Skips to the end of an argument of a template that went wrong.
    fn skip_argument(&mut self) {
        while self.token.kind != Kind::End && self.word() != "}" {
            self.bump();
        }
        self.bump();
    }
}

/// The words that begin a statement.
fn first_words() -> Vec<&'static str> {
    reference::first_words().chain(["newly"]).collect()
}
