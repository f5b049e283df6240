//! The grammar, one function a rule.
//!
//! A parser never stops at the first error: what is wrong with a statement is noted, the rest of
//! that statement is skipped, and reading goes on at the next operator. Always: each token is
//! read a bounded number of times, nesting is bounded by [`MAX_DEPTH`], and a rule that returns
//! [`Reported`] has noted at least one problem.

mod dates;
mod facts;
mod history;
mod period;
mod phrase;
mod point;
mod time;

use super::lex::{Kind, Lexer, Token, unquote};
use super::reference::{Rule, rule_of};
use super::{Expr, ParseError, Problem, Span};
use crate::error::{did_you_mean, nearest, shortened};

pub use period::parse_period;
pub(super) use phrase::parse_template;
pub(super) use point::{MONTHS, WEEKDAYS};

/// How deep parentheses may be nested; each level takes some stack.
const MAX_DEPTH: u32 = 128;

/// How many problems are noted before reading ends.
const MAX_PROBLEMS: usize = 32;

/// A longer word is not compared with the words of the language.
const MAX_COMPARED: usize = 32;

/// Reads a condition.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::parse;
///
/// let condition = parse("daily after 07:00 & ~(has failed past 1 hour)").unwrap();
/// assert_eq!(condition.to_string(), "daily after 07:00 & ~has failed past 1 hour");
/// ```
///
/// # Errors
///
/// When the text is no condition; the error tells all that is wrong with it.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser::new(text, 0);
    let expr = parser.whole(Parser::cond);
    parser.finish(expr)
}

/// What was wrong is in [`Parser::problems`].
#[derive(Debug)]
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// The text, the token at hand, and what was wrong so far.
struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    token: Token,
    /// Where the token before the one at hand ends.
    last_end: usize,
    depth: u32,
    /// The last span that moves with now, if one was read since somebody cared.
    floating: Option<Span>,
    /// The last cron expression that was read as a period.
    matches: Option<Span>,
    /// Whether reading was given up: what follows from that is no problem of its own.
    stopped: bool,
    problems: Vec<Problem>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        let mut lexer = Lexer::new(text, at);
        let token = lexer.next();
        let problems = Vec::new();
        Self {
            text,
            lexer,
            token,
            last_end: at,
            depth: 0,
            floating: None,
            matches: None,
            stopped: false,
            problems,
        }
    }

    fn finish<T>(mut self, value: Parsed<T>) -> Result<T, ParseError> {
        match value {
            Ok(value) if self.problems.is_empty() => Ok(value),
            _ => {
                self.problems.sort_by_key(|problem| problem.span.start);
                Err(ParseError { text: self.text.to_owned(), problems: self.problems })
            }
        }
    }

    /// Reads a rule up to the end of the text, with parentheses that close nothing between.
    fn whole<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let value = rule(self);
        while self.token.kind == Kind::Close {
            self.problem(self.token.span, "unmatched `)`".to_owned(), None);
            self.bump();
            if matches!(self.token.kind, Kind::And | Kind::Or) {
                self.bump();
                let _ = rule(self);
            } else {
                let _ = self.operand_end();
            }
        }
        value
    }

    /// `cond = conj { "|" conj }`
    fn cond(&mut self) -> Parsed<Expr> {
        let first = self.conj();
        self.joined(Kind::Or, first, Self::conj, Expr::any)
    }

    /// `conj = since { "&" since }`
    fn conj(&mut self) -> Parsed<Expr> {
        let first = self.since();
        self.joined(Kind::And, first, Self::since, Expr::all)
    }

    /// `since = unary [ "since" unary ]`
    fn since(&mut self) -> Parsed<Expr> {
        let first = self.unary();
        if !self.eat("since") {
            return first;
        }
        let other = self.unary();
        if self.is("since") {
            let help = "put what belongs together in parentheses";
            let _ = self.expected_with::<()>("`&`, `|` or the end", Some(help));
            self.skip_operand();
            return Err(Reported);
        }
        Ok(Expr::Since(Box::new(first?), Box::new(other?)))
    }

    /// Reads `{ operator rule }` after the first member.
    fn joined<T>(
        &mut self,
        operator: Kind,
        first: Parsed<T>,
        rule: impl Fn(&mut Self) -> Parsed<T>,
        join: impl Fn(Vec<T>) -> T,
    ) -> Parsed<T> {
        if self.token.kind != operator {
            return first;
        }
        let mut members = Vec::new();
        let mut whole = first.map(|member| members.push(member)).is_ok();
        while self.token.kind == operator {
            self.bump();
            whole &= rule(self).map(|member| members.push(member)).is_ok();
        }
        if whole { Ok(join(members)) } else { Err(Reported) }
    }

    /// `unary = { "~" | "!" } [ "newly" { "~" | "!" } ] ( "(" cond ")" | statement ) [ "for" dur ]`
    ///
    /// `for` holds tighter than `newly` and less than `~`. Neither is said twice without
    /// parentheses, so that the depth of the tree follows that of the parentheses.
    ///
    /// An operand ends here: this is where an operator that follows one would be read.
    fn unary(&mut self) -> Parsed<Expr> {
        let mut negated = self.negations();
        let newly = self.eat("newly");
        let not_newly = newly && std::mem::take(&mut negated);
        negated |= self.negations();
        let operand = self.operand();
        let held = match &operand {
            Ok(_) if self.eat("for") => self.nonzero("`for`").map(Some),
            _ => Ok(None),
        };
        if operand.is_err() || held.is_err() {
            self.skip_operand();
        } else if !self.is("since") {
            self.operand_end()?;
        }
        let (operand, held) = (operand?, held?);
        let operand = if negated { !operand } else { operand };
        let operand = match held {
            Some(held) => Expr::For(Box::new(operand), held),
            None => operand,
        };
        let operand = if newly { Expr::Newly(Box::new(operand)) } else { operand };
        Ok(if not_newly { !operand } else { operand })
    }

    /// Reads `{ "~" | "!" }`; tells whether they negate.
    fn negations(&mut self) -> bool {
        let mut negated = false;
        while self.token.kind == Kind::Not {
            self.bump();
            negated = !negated;
        }
        negated
    }

    /// `"(" cond ")" | statement`
    fn operand(&mut self) -> Parsed<Expr> {
        if self.token.kind == Kind::Open { self.group(Self::cond) } else { self.statement() }
    }

    /// `"(" cond ")"`
    fn group<T>(&mut self, rule: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let open = self.token.span;
        if self.depth == MAX_DEPTH {
            let message = format!("nested too deeply (more than {MAX_DEPTH} levels)");
            self.problem(open, message, None);
            return self.stop();
        }
        self.bump();
        self.depth += 1;
        let inner = rule(self);
        self.depth -= 1;
        if self.token.kind == Kind::Close {
            self.bump();
            return inner;
        }
        // An operand ends at an operator, at `)` or at the end, so this is the end.
        self.problem(open, "this `(` is never closed".to_owned(), None);
        Err(Reported)
    }

    fn statement(&mut self) -> Parsed<Expr> {
        if self.token.kind != Kind::Word {
            return self.no_statement();
        }
        let (start, word) = (self.token.span.start, self.word());
        let leaf = self.rule(rule_of(word).unwrap_or(Rule::Call))?;
        let span = Span { start, end: self.last_end };
        Ok(match leaf {
            Expr::Statement(statement, _) => Expr::Statement(statement, Some(span)),
            other => other,
        })
    }

    fn rule(&mut self, rule: Rule) -> Parsed<Expr> {
        match rule {
            Rule::Cycle => self.cycle(),
            Rule::Time => self.time(),
            Rule::Once => self.once(),
            Rule::On => self.on(),
            Rule::Dates => self.dated(),
            Rule::Every => self.every(),
            Rule::Cron => self.cron(),
            Rule::After => self.after(),
            Rule::OwnHistory => self.own_history(),
            Rule::TaskHistory => self.task_history(),
            Rule::OwnRunning => self.own_running(),
            Rule::WhileRunning => self.while_running(),
            Rule::Retry => self.retry(),
            Rule::Scheduler => self.scheduler(),
            Rule::Param => self.param(),
            Rule::Env => self.env(),
            Rule::Constant => Ok(self.constant()),
            Rule::Always => self.always(),
            Rule::Never => Ok(self.never()),
            Rule::Call => self.custom(),
        }
    }

    fn no_statement<T>(&mut self) -> Parsed<T> {
        let help = match self.token.kind {
            Kind::And if self.text[..self.token.span.start].ends_with('&') => {
                Some("write one `&` for \"and\"")
            }
            Kind::Or if self.text[..self.token.span.start].ends_with('|') => {
                Some("write one `|` for \"or\"")
            }
            _ => None,
        };
        self.expected_with("a statement", help)
    }

    /// Checks that an operand ends where it does.
    fn operand_end(&mut self) -> Parsed<()> {
        if matches!(self.token.kind, Kind::And | Kind::Or | Kind::Close | Kind::End) {
            return Ok(());
        }
        let help = match self.token.kind {
            Kind::Word if self.is("and") => Some("write `&`"),
            Kind::Word if self.is("or") => Some("write `|`"),
            Kind::Word if self.is("for") => Some("put what has held in parentheses"),
            Kind::Word if self.nearest_of(&["since"]).is_some() => Some("did you mean `since`?"),
            Kind::Word if rule_of(self.word()).is_some() => Some("join statements with `&` or `|`"),
            Kind::Open | Kind::Not => Some("join statements with `&` or `|`"),
            _ => None,
        };
        let reported = self.expected_with("`&`, `|` or the end", help);
        self.skip_operand();
        reported
    }

    /// Skips to the operator, the `)` or the end that ends an operand.
    fn skip_operand(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.token.kind {
                Kind::End => return,
                Kind::And | Kind::Or | Kind::Close if depth == 0 => return,
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    // What the rules are made of.

    fn bump(&mut self) {
        self.last_end = self.token.span.end;
        self.token = self.lexer.next();
    }

    /// Goes on at a place that raw text was read up to.
    fn go_to(&mut self, at: usize) {
        self.last_end = at;
        self.lexer = Lexer::new(self.text, at);
        self.token = self.lexer.next();
    }

    /// Ends reading.
    fn stop<T>(&mut self) -> Parsed<T> {
        self.stopped = true;
        self.go_to(self.text.len());
        Err(Reported)
    }

    /// The text of the token at hand.
    fn word(&self) -> &'a str {
        &self.text[self.token.span.start..self.token.span.end]
    }

    /// Tells whether the token at hand is a word of the language.
    fn is(&self, word: &str) -> bool {
        self.token.kind == Kind::Word && self.word().eq_ignore_ascii_case(word)
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        if found {
            self.bump();
        }
        found
    }

    fn need(&mut self, word: &str) -> Parsed<()> {
        if self.eat(word) { Ok(()) } else { self.expected_word(&[word], &format!("`{word}`")) }
    }

    /// Finds the value of the word at hand.
    fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let found = choices.iter().find(|(word, _)| self.is(word));
        found.map(|(_, value)| *value)
    }

    /// Reads one of some words.
    fn need_choice<T: Copy>(&mut self, choices: &[(&str, T)], what: &str) -> Parsed<T> {
        if let Some(value) = self.choice(choices) {
            self.bump();
            return Ok(value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.expected_word(&words, what)
    }

    /// Reads a quoted name that is not blank.
    fn name(&mut self, what: &str) -> Parsed<String> {
        let span = self.token.span;
        let name = self.quoted(what)?;
        if name.trim().is_empty() {
            return self.wrong(span, format!("{what} cannot be empty"), None);
        }
        Ok(name)
    }

    /// Reads a quoted text.
    fn quoted(&mut self, what: &str) -> Parsed<String> {
        match self.token.kind {
            Kind::Text => {
                let text = unquote(self.word()).into_owned();
                self.bump();
                Ok(text)
            }
            Kind::Unclosed | Kind::Glued => self.bad_quote(),
            Kind::Word => {
                let help = format!("write it in quotes: `'{}'`", shortened(self.word()));
                self.expected_with(&format!("{what} in quotes"), Some(&help))
            }
            _ => self.expected(&format!("{what} in quotes")),
        }
    }

    fn bad_quote<T>(&mut self) -> Parsed<T> {
        let span = self.token.span;
        if self.token.kind == Kind::Unclosed || self.word().contains('\n') {
            let span = Span { start: span.start, end: span.start + 1 };
            return self.wrong(span, "this quote is never closed".to_owned(), None);
        }
        let help = "put a blank outside the quotes, and double a quote inside them: `'it''s'`";
        self.wrong(span, "a quoted text touches what is next to it".to_owned(), Some(help))
    }

    /// Reads a whole number.
    fn int(&mut self, what: &str) -> Parsed<u64> {
        let word = self.word();
        let digits = self.token.kind == Kind::Number && word.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return self.expected(what);
        }
        match word.parse() {
            Ok(number) => {
                self.bump();
                Ok(number)
            }
            Err(_) => self.wrong(self.token.span, "the number is too large".to_owned(), None),
        }
    }

    fn problem(&mut self, span: Span, message: String, help: Option<&str>) {
        if self.stopped {
            return;
        }
        self.problems.push(Problem { span, message, help: help.map(str::to_owned) });
        if self.problems.len() == MAX_PROBLEMS {
            let _ = self.stop::<()>();
        }
    }

    /// Notes what is wrong with a place.
    fn wrong<T>(&mut self, span: Span, message: String, help: Option<&str>) -> Parsed<T> {
        self.problem(span, message, help);
        Err(Reported)
    }

    fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        self.expected_with(what, None)
    }

    /// Notes that something else should stand here.
    fn expected_with<T>(&mut self, what: &str, help: Option<&str>) -> Parsed<T> {
        if matches!(self.token.kind, Kind::Unclosed | Kind::Glued) {
            return self.bad_quote();
        }
        let found = match self.token.kind {
            Kind::End => "the end".to_owned(),
            _ => format!("`{}`", shortened(self.word())),
        };
        self.wrong(self.token.span, format!("expected {what}, found {found}"), help)
    }

    /// Notes that one of some words should stand here, and which of them is the nearest.
    fn expected_word<T>(&mut self, words: &[&str], what: &str) -> Parsed<T> {
        let word = self.word();
        match self.nearest_of(words) {
            Some(near) => {
                let message = format!("unknown word `{word}`");
                self.wrong(self.token.span, message, Some(&did_you_mean(near)))
            }
            None => self.expected(what),
        }
    }

    /// Notes a word that is nearly one of those that may follow, where something may follow.
    fn no_typo_of(&mut self, words: &[&str]) -> Parsed<()> {
        let typo = self.token.kind == Kind::Word
            && rule_of(self.word()).is_none()
            && !["and", "or", "for", "since"].iter().any(|word| self.is(word))
            && self.nearest_of(words).is_some();
        if typo { self.expected_word(words, "") } else { Ok(()) }
    }

    /// Finds the word that is likely meant by the word at hand.
    fn nearest_of<'w>(&self, words: &[&'w str]) -> Option<&'w str> {
        let word = self.word();
        let comparable = self.token.kind == Kind::Word && word.len() <= MAX_COMPARED;
        if comparable { nearest(word, words.iter().copied()) } else { None }
    }
}
