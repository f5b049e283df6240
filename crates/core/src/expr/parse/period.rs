//! Periods by themselves: what stands in a condition as `time of ..`, joined with `&` and `|`.

use super::{Kind, Parsed, Parser};
use crate::expr::{ParseError, Span, Times};
use crate::period::Period;

/// Reads a period: `time of ..`, `past D`, `every D`, `always`, `never`, and their `&` and `|`.
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
    parser.finish(times)
}

impl Parser<'_> {
    fn times_any(&mut self) -> Parsed<Times> {
        let first = self.times_all();
        self.joined(Kind::Or, first, Self::times_all, any)
    }

    fn times_all(&mut self) -> Parsed<Times> {
        let first = self.times_operand();
        self.joined(Kind::And, first, Self::times_operand, all)
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
        if self.is("time") {
            let start = self.token.span.start;
            let (cycle, options) = self.time_of_cycle()?;
            if options.zone.is_some() {
                let span = Span { start, end: self.last_end };
                return self.wrong(span, "a period by itself has no zone".to_owned(), None);
            }
            return Ok(Times::Period(Period::Cycle(cycle)));
        }
        if self.eat("past") || self.eat("every") {
            return self.duration().map(Times::Past);
        }
        if self.eat("always") {
            return Ok(Times::Period(Period::Always));
        }
        if self.eat("never") {
            return Ok(Times::Period(Period::Never));
        }
        let words = ["time", "past", "every", "always", "never"];
        self.expected_word(&words, "a period like `time of day ..` or `past ..`")
    }
}

fn all(members: Vec<Times>) -> Times {
    let mut flat = Vec::new();
    for member in members {
        match member {
            Times::All(inner) => flat.extend(inner),
            Times::Period(Period::Always) => {}
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 => Times::Period(Period::Always),
        1 => flat.swap_remove(0),
        _ => Times::All(flat),
    }
}

fn any(members: Vec<Times>) -> Times {
    let mut flat = Vec::new();
    for member in members {
        match member {
            Times::Any(inner) => flat.extend(inner),
            Times::Period(Period::Always) => return Times::Period(Period::Always),
            other => flat.push(other),
        }
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Times::Any(flat) }
}
