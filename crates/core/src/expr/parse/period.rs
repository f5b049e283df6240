//! Periods by themselves: what stands in `time in (..)`, `once in (..)` and `has .. in (..)`.

use super::time::CYCLES;
use super::{Kind, Parsed, Parser};
use crate::expr::{Expr, ParseError, Span, Statement, Times};
use crate::period::Period;

/// The options that may follow `once in (..)`.
const AFTER_ONCE: &[&str] = &["with", "in"];

/// The options that may follow a window in the parentheses.
const AFTER_PART: &[&str] = &["within"];

/// The words that begin a period.
const PERIODS: &[&str] =
    &["time", "on", "between", "before", "after", "cron", "past", "every", "always", "never"];

/// Reads a period: `time of ..`, `on weekdays`, `between 2026-01-01 and 2026-02-01`, `past D`,
/// `every D`, `always`, `never`, and their `&` and `|`. Within statements, it may be `cron ..` too.
///
/// `always` adds nothing to an `&` and is all there is in an `|`.
///
/// # Examples
///
/// ```
/// use redengine_core::expr::parse_period;
///
/// let night = parse_period("time of day between 22:00 and 06:00 & always").unwrap();
/// assert_eq!(night, parse_period("time of day between 22:00 and 06:00").unwrap());
/// ```
///
/// # Errors
///
/// When the text is no period; the error tells all that is wrong with it.
pub fn parse_period(text: &str) -> Result<Times, ParseError> {
    let mut parser = Parser::new(text, 0);
    let times = parser.whole(Parser::times_any);
    if let Some(span) = parser.matches.take() {
        let message = "a cron expression by itself is no period".to_owned();
        let help = "it stands in a statement, as in `once in (cron 0 7 * * * & on weekdays)`";
        parser.problem(span, message, Some(help));
    }
    parser.finish(times)
}

impl Parser<'_> {
    /// `"once" "in" "(" times ")" { "with" int "retries" | "in" zone }`
    pub(super) fn once(&mut self) -> Parsed<Expr> {
        self.bump();
        self.need("in")?;
        let period = self.times_in_parentheses()?;
        let options = self.options(AFTER_ONCE)?;
        let retries = options.retries.unwrap_or(0);
        Ok(Statement::Once { period, zone: options.zone, retries }.into())
    }

    /// `"in" "(" times ")" [ "in" zone ]`, after `time`.
    pub(super) fn time_in(&mut self) -> Parsed<Expr> {
        self.bump();
        let period = self.times_in_parentheses()?;
        self.in_period(period)
    }

    /// `"(" times ")"`, none of which floats with now.
    pub(super) fn times_in_parentheses(&mut self) -> Parsed<Times> {
        if self.token.kind != Kind::Open {
            return self.expected("a period in parentheses, like `(on weekdays)`");
        }
        self.floating = None;
        let times = self.group(Self::times_any)?;
        match self.floating.take() {
            None => Ok(times),
            Some(span) => {
                let message = "this span moves with now and is no period of the calendar";
                let help = "it stands by itself, as in `has failed past 2 hours`";
                self.wrong(span, message.to_owned(), Some(help))
            }
        }
    }

    fn times_any(&mut self) -> Parsed<Times> {
        let first = self.times_all();
        self.joined(Kind::Or, first, Self::times_all, Times::any)
    }

    fn times_all(&mut self) -> Parsed<Times> {
        let first = self.times_operand();
        self.joined(Kind::And, first, Self::times_operand, Times::all)
    }

    fn times_operand(&mut self) -> Parsed<Times> {
        let operand = if self.token.kind == Kind::Open {
            self.group(Self::times_any)
        } else {
            self.one_times()
        };
        if operand.is_err() {
            self.skip_operand();
        } else {
            self.operand_end()?;
        }
        operand
    }

    fn one_times(&mut self) -> Parsed<Times> {
        let start = self.token.span.start;
        let times = if self.is("time") {
            Times::Period(Period::Cycle(self.time_of_cycle(AFTER_PART)?.0))
        } else if self.is("on") {
            self.on_days()?
        } else if ["between", "before", "after"].iter().any(|word| self.is(word)) {
            Times::Period(self.span_of_dates()?)
        } else if self.is("cron") {
            let cron = self.cron_expression()?;
            self.matches = Some(Span { start, end: self.last_end });
            Times::Period(Period::Cron(cron))
        } else if self.eat("past") || self.eat("every") {
            let past = Times::Past(self.duration()?);
            self.floating = Some(Span { start, end: self.last_end });
            past
        } else if self.eat("always") {
            Times::Period(Period::Always)
        } else if self.eat("never") {
            Times::Period(Period::Never)
        } else {
            return self.no_times();
        };
        if self.is("in") {
            let message = "a part of a period has no zone of its own".to_owned();
            let help = "the zone of all of it stands after the parentheses";
            return self.wrong(self.token.span, message, Some(help));
        }
        Ok(times)
    }

    fn no_times<T>(&mut self) -> Parsed<T> {
        let what = "a period like `time of day ..` or `on weekdays`";
        match self.token.kind {
            Kind::Not => self.expected_with(what, Some("a period cannot be negated")),
            Kind::Word if self.choice(CYCLES).is_some() => {
                self.expected_with(what, Some("for a part of each day, write `time of day ..`"))
            }
            _ => self.expected_word(PERIODS, what),
        }
    }
}
