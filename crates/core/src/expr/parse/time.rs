//! Statements of time: cycles and their windows, `time of ..`, `every ..`, `cron ..`.

use std::time::Duration;

use super::{Kind, Parsed, Parser};
use crate::error::did_you_mean;
use crate::expr::{Basis, Expr, Span, Statement, Times};
use crate::period::{Cron, Cycle, Period, Unit, Window};
use crate::time::{Zone, duration};

use super::point::Role;

/// The words for cycles.
pub(super) const CYCLES: &[(&str, Unit)] = &[
    ("secondly", Unit::Second),
    ("minutely", Unit::Minute),
    ("hourly", Unit::Hour),
    ("daily", Unit::Day),
    ("weekly", Unit::Week),
    ("monthly", Unit::Month),
    ("yearly", Unit::Year),
];

/// The cycles that `time of` goes with.
const UNITS: &[(&str, Unit)] = &[
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("year", Unit::Year),
];

/// From what `every .. based on ..` counts.
const BASES: &[(&str, Basis)] = &[
    ("finish", Basis::Finish),
    ("success", Basis::Success),
    ("fail", Basis::Fail),
    ("due", Basis::Due),
];

/// The words that begin a window.
const WINDOWS: &[&str] = &["before", "after", "between", "starting", "on", "at"];

/// The options that may follow the window of a cycle.
const AFTER_CYCLE: &[&str] = &["within", "with", "in"];

/// The options that may follow any other window.
pub(super) const AFTER_WINDOW: &[&str] = &["within", "in"];

/// What was said of a window besides its points.
#[derive(Default)]
pub(super) struct Options {
    pub(super) within: Option<Duration>,
    pub(super) retries: Option<u32>,
    pub(super) zone: Option<Zone>,
}

impl Parser<'_> {
    /// `[ "run" ] cycle [ window ] { option }`
    pub(super) fn cycle(&mut self) -> Parsed<Expr> {
        self.eat("run");
        let unit = self.need_choice(CYCLES, "a cycle like `daily`")?;
        let (cycle, options) = self.window_of(unit, AFTER_CYCLE)?;
        let period = Times::Period(Period::Cycle(cycle));
        Ok(Statement::Once { period, zone: options.zone, retries: options.retries.unwrap_or(0) }
            .into())
    }

    /// `"time" ( "of" unit window { option } | "in" "(" times ")" [ "in" zone ] )`
    pub(super) fn time(&mut self) -> Parsed<Expr> {
        let start = self.token.span.start;
        self.bump();
        if self.is("in") {
            return self.time_in();
        }
        let (cycle, options) = self.of_cycle(start, AFTER_WINDOW)?;
        let period = Times::Period(Period::Cycle(cycle));
        Ok(Statement::InPeriod { period, zone: options.zone }.into())
    }

    /// `"time" "of" unit window { option }`
    pub(super) fn time_of_cycle(&mut self, allowed: &[&str]) -> Parsed<(Cycle, Options)> {
        let start = self.token.span.start;
        self.bump();
        self.of_cycle(start, allowed)
    }

    fn of_cycle(&mut self, start: usize, allowed: &[&str]) -> Parsed<(Cycle, Options)> {
        self.need("of")?;
        let unit = self.need_choice(UNITS, "`minute`, `hour`, `day`, `week`, `month` or `year`")?;
        let (cycle, options) = self.window_of(unit, allowed)?;
        if cycle.within.is_none() {
            match cycle.window {
                Window::Full => return self.expected("a window like `after ..` or `between ..`"),
                Window::Starting(_) => {
                    let span = Span { start, end: self.last_end };
                    let message = "`starting` with nothing that ends is always true".to_owned();
                    let help = "write `after ..`, or add `within ..`";
                    return self.wrong(span, message, Some(help));
                }
                _ => {}
            }
        }
        Ok((cycle, options))
    }

    /// `[ window ] { option }`
    pub(super) fn window_of(&mut self, unit: Unit, allowed: &[&str]) -> Parsed<(Cycle, Options)> {
        let window = self.window(unit)?;
        let options = self.options(allowed)?;
        if matches!(window, Window::Full) {
            self.no_typo_of(WINDOWS)?;
        }
        Ok((Cycle { unit, window, within: options.within }, options))
    }

    /// `( "before" | "after" | "starting" | "on" | "at" ) point | "between" point "and" point`
    fn window(&mut self, unit: Unit) -> Parsed<Window> {
        Ok(if self.eat("after") {
            Window::After(self.point(unit, Role::Start)?)
        } else if self.eat("before") {
            self.before(unit)?
        } else if self.eat("between") {
            let start = self.point(unit, Role::Start)?;
            self.need("and")?;
            Window::Between(start, self.point(unit, Role::End)?)
        } else if self.eat("starting") {
            Window::Starting(self.point(unit, Role::Start)?)
        } else if self.eat("on") || self.eat("at") {
            Window::On(self.point(unit, Role::Start)?)
        } else {
            Window::Full
        })
    }

    fn before(&mut self, unit: Unit) -> Parsed<Window> {
        let start = self.token.span.start;
        let point = self.point(unit, Role::End)?;
        if unit == Unit::Day && point.time == Some(0) {
            let span = Span { start, end: self.last_end };
            let message = "nothing of a day is before its start".to_owned();
            return self.wrong(span, message, Some("for the whole day, write `24:00`"));
        }
        Ok(Window::Before(point))
    }

    /// `{ "within" dur | "with" int "retries" | "in" zone }`, in any order, each once.
    pub(super) fn options(&mut self, allowed: &[&str]) -> Parsed<Options> {
        let mut options = Options::default();
        loop {
            let free = |word| allowed.contains(&word);
            if options.within.is_none() && free("within") && self.eat("within") {
                options.within = Some(self.nonzero("`within`")?);
            } else if options.zone.is_none() && free("in") && self.eat("in") {
                options.zone = Some(self.zone()?);
            } else if options.retries.is_none() && free("with") && self.eat("with") {
                options.retries = Some(self.retries()?);
            } else {
                self.no_typo_of(allowed)?;
                return Ok(options);
            }
        }
    }

    /// `"with" int ( "retry" | "retries" )`
    fn retries(&mut self) -> Parsed<u32> {
        let number = self.token.span;
        let count = self.int("a number of retries")?;
        let Ok(count) = u32::try_from(count) else {
            return self.wrong(number, "the number is too large".to_owned(), None);
        };
        if self.eat("retries") || self.eat("retry") {
            return Ok(count);
        }
        self.expected_word(&["retries"], "`retries`")
    }

    /// An IANA name, in quotes or not.
    fn zone(&mut self) -> Parsed<Zone> {
        let start = self.token.span.start;
        let (name, span) = if self.token.kind == Kind::Text {
            let span = self.token.span;
            (self.quoted("a time zone")?, span)
        } else {
            let rest = &self.text[start..];
            let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-');
            let len = rest.find(|c| !part(c)).unwrap_or(rest.len());
            if len == 0 {
                return self.expected("a time zone like `Europe/Helsinki`");
            }
            self.go_to(start + len);
            (rest[..len].to_owned(), Span { start, end: start + len })
        };
        match Zone::named(&name) {
            Ok(zone) => Ok(zone),
            Err(error) => {
                let message = format!("unknown time zone `{}`", crate::error::shortened(&name));
                let help = error.suggestion.as_deref().map(did_you_mean);
                self.wrong(span, message, help.as_deref())
            }
        }
    }

    /// Reads a duration.
    pub(super) fn duration(&mut self) -> Parsed<Duration> {
        let start = self.token.span.start;
        let read = duration::prefix(self.text, start)
            .and_then(|(micros, end)| Ok((duration::positive(micros, start..end)?, end)));
        match read {
            Ok((duration, end)) => {
                self.go_to(end);
                Ok(duration)
            }
            Err(error) => {
                let span = Span { start: error.span.start, end: error.span.end };
                self.wrong(span, error.message, error.help.as_deref())
            }
        }
    }

    pub(super) fn nonzero(&mut self, what: &str) -> Parsed<Duration> {
        let start = self.token.span.start;
        let duration = self.duration()?;
        if duration.is_zero() {
            let span = Span { start, end: self.last_end };
            return self.wrong(span, format!("{what} needs a duration above zero"), None);
        }
        Ok(duration)
    }

    /// `"every" dur [ "based" "on" word ]`
    pub(super) fn every(&mut self) -> Parsed<Expr> {
        self.bump();
        let interval = self.nonzero("`every`")?;
        let mut basis = Basis::Due;
        if self.eat("based") {
            self.need("on")?;
            basis = self.need_choice(BASES, "`finish`, `success` or `fail`")?;
        } else {
            self.no_typo_of(&["based"])?;
        }
        Ok(Statement::Every { interval, basis }.into())
    }

    /// `"cron" ( string | nickname | five or six fields ) { "within" dur | "in" zone }`
    pub(super) fn cron(&mut self) -> Parsed<Expr> {
        let cron = self.cron_expression()?;
        let Options { within, zone, .. } = self.options(AFTER_WINDOW)?;
        Ok(Statement::Cron { cron, within, zone }.into())
    }

    /// `"cron" ( string | nickname | five or six fields )`
    pub(super) fn cron_expression(&mut self) -> Parsed<Cron> {
        self.bump();
        let span = self.token.span;
        let (text, at) = if self.token.kind == Kind::Text {
            let text = self.quoted("a cron expression")?;
            (text.split_whitespace().collect::<Vec<_>>().join(" "), span)
        } else {
            self.cron_fields()
        };
        Cron::parse(&text).or_else(|error| {
            // White space was folded, so the part is looked for where it was written.
            let part = text.get(error.span.clone()).filter(|part| !part.is_empty());
            let inner = part.and_then(|part| {
                let start = at.start + self.text[at.start..at.end].find(part)?;
                Some(Span { start, end: start + part.len() })
            });
            self.wrong(inner.unwrap_or(at), error.to_string(), None)
        })
    }

    /// Takes what looks like fields, up to an operator or a word that goes on.
    fn cron_fields(&mut self) -> (String, Span) {
        let start = self.token.span.start;
        let mut fields = Vec::new();
        let mut end = start;
        loop {
            let rest = self.text[end..].trim_start();
            let from = self.text.len() - rest.len();
            let stop = |c: char| {
                c.is_whitespace() || matches!(c, '&' | '|' | '~' | '!' | '(' | ')' | '\'' | '"')
            };
            let field = &rest[..rest.find(stop).unwrap_or(rest.len())];
            let goes_on = ["within", "in", "for", "since"]
                .iter()
                .any(|word| field.eq_ignore_ascii_case(word));
            if field.is_empty() || goes_on || fields.len() > 6 {
                break;
            }
            fields.push(field);
            end = from + field.len();
        }
        self.go_to(end);
        (fields.join(" "), Span { start, end })
    }
}
