//! Days and dates: `on weekdays`, `on calendar 'holidays'`, `between 2026-01-01 and 2026-02-01`.
//!
//! A date is read from the raw text, for `-` is no part of a token. With `Z` it is an instant, the
//! same in every zone; without, it is civil time of the zone that the statement is in.

use super::point::Role;
use super::{Kind, MONTHS, Parsed, Parser, WEEKDAYS};
use crate::expr::{Expr, Span, Statement, Times};
use crate::period::{BusinessDays, CivilSpan, Interval, Moment, Period, parse_date};
use crate::time::Timestamp;

/// The options that may follow days and dates.
const AFTER_DAYS: &[&str] = &["in"];

/// What the day after `on` may be.
const DAYS: &[&str] = &["weekdays", "weekends", "business days", "business", "calendar"];

/// An end of a span.
#[derive(Clone, Copy)]
enum Edge {
    Civil(Moment),
    Instant(Timestamp),
}

impl Parser<'_> {
    /// `"on" ( "weekdays" | "weekends" | "business days" [ "of" name ] | "calendar" name | date )
    /// [ "in" zone ]`
    pub(super) fn on(&mut self) -> Parsed<Expr> {
        let period = self.on_days()?;
        self.in_period(period)
    }

    /// `( "between" edge "and" edge | "before" edge | "after" edge ) [ "in" zone ]`
    pub(super) fn dated(&mut self) -> Parsed<Expr> {
        let period = self.span_of_dates()?;
        self.in_period(Times::Period(period))
    }

    /// Now is in a period; `[ "in" zone ]` may follow.
    pub(super) fn in_period(&mut self, period: Times) -> Parsed<Expr> {
        let zone = self.options(AFTER_DAYS)?.zone;
        Ok(Statement::InPeriod { period, zone }.into())
    }

    pub(super) fn on_days(&mut self) -> Parsed<Times> {
        self.bump();
        if self.at_date() {
            return self.on_date().map(|span| Times::Period(Period::Span(span)));
        }
        let days = |days| Times::Period(Period::BusinessDays(days));
        if self.eat("weekdays") {
            Ok(days(BusinessDays::weekdays()))
        } else if self.eat("weekends") {
            Ok(days(BusinessDays::weekends()))
        } else if self.eat("business") {
            self.need("days")?;
            if self.eat("of") {
                return Ok(Times::BusinessDays(Some(self.name("a calendar name")?)));
            }
            self.no_typo_of(&["of"])?;
            Ok(Times::BusinessDays(None))
        } else if self.eat("calendar") {
            Ok(Times::Calendar(self.name("a calendar name")?))
        } else {
            self.no_day()
        }
    }

    fn no_day<T>(&mut self) -> Parsed<T> {
        let what = "`weekdays`, `weekends`, `business days`, `calendar ..` or a date";
        if let Some(help) = self.part_of_a_cycle("on") {
            return self.expected_with(what, Some(&help));
        }
        if self.token.kind == Kind::Word && self.nearest_of(DAYS).is_none() {
            let name = crate::error::shortened(self.word());
            let help = format!("for a calendar of that name, write `on calendar '{name}'`");
            return self.expected_with(what, Some(&help));
        }
        self.expected_word(DAYS, what)
    }

    fn on_date(&mut self) -> Parsed<CivilSpan> {
        let span = self.raw_date();
        let Edge::Civil(Moment { date, time: None }) = self.edge(Role::Start)? else {
            let span = Span { start: span.start, end: self.last_end };
            let help = "for a part of it, write `between .. and ..`";
            return self.wrong(span, "`on` means a whole day".to_owned(), Some(help));
        };
        Ok(CivilSpan::on(date))
    }

    /// `"between" edge "and" edge | "before" edge | "after" edge`
    pub(super) fn span_of_dates(&mut self) -> Parsed<Period> {
        if self.eat("after") {
            return Ok(match self.edge(Role::Start)? {
                Edge::Civil(from) => Period::Span(CivilSpan::after(from)),
                Edge::Instant(start) => Period::Fixed(Interval { start, end: Timestamp::MAX }),
            });
        }
        if self.is("before") {
            self.bump_to_date("before")?;
            return Ok(match self.edge(Role::End)? {
                Edge::Civil(to) => Period::Span(CivilSpan::before(to)),
                Edge::Instant(end) => Period::Fixed(Interval { start: Timestamp::MIN, end }),
            });
        }
        self.bump_to_date("between")?;
        let start = self.token.span.start;
        let from = self.edge(Role::Start)?;
        self.need("and")?;
        let to = self.edge(Role::End)?;
        let span = Span { start, end: self.last_end };
        let period = match (from, to) {
            (Edge::Civil(from), Edge::Civil(to)) => CivilSpan::between(from, to).map(Period::Span),
            (Edge::Instant(start), Edge::Instant(end)) => {
                (start < end).then_some(Period::Fixed(Interval { start, end }))
            }
            _ => {
                let message = "one end is in UTC, the other in the time of a zone".to_owned();
                return self.wrong(span, message, Some("write `Z` after both, or after none"));
            }
        };
        match period {
            Some(period) => Ok(period),
            None => {
                let message = "the span ends before it begins".to_owned();
                self.wrong(span, message, Some("the earlier one comes first"))
            }
        }
    }

    /// Takes the word before a date, and checks that a date comes.
    fn bump_to_date(&mut self, word: &str) -> Parsed<()> {
        self.bump();
        match self.part_of_a_cycle(word) {
            Some(help) if !self.at_date() => {
                self.expected_with("a date like `2026-01-01`", Some(&help))
            }
            _ => Ok(()),
        }
    }

    /// Tells how a point of a cycle is said, if one is at hand.
    pub(super) fn part_of_a_cycle(&self, word: &str) -> Option<String> {
        let number = self.token.kind == Kind::Number;
        let unit = if number && self.word().contains(':') {
            "day"
        } else if self.choice(WEEKDAYS).is_some() {
            "week"
        } else if self.choice(MONTHS).is_some() {
            "year"
        } else if number && self.word().ends_with(|c: char| c.is_ascii_alphabetic()) {
            if self.word().ends_with('m') { "day" } else { "month" }
        } else {
            return None;
        };
        Some(format!("write `time of {unit} {word} ..`"))
    }

    /// Tells whether a date is at hand: digits, then `-` and a digit.
    pub(super) fn at_date(&self) -> bool {
        self.token.kind == Kind::Number && begins_with_date(&self.text[self.token.span.start..])
    }

    /// Tells whether a date comes after the word at hand.
    pub(super) fn date_follows(&self) -> bool {
        begins_with_date(self.text[self.token.span.end..].trim_start())
    }

    /// The raw text of the date at hand.
    pub(super) fn raw_date(&self) -> Span {
        let start = self.token.span.start;
        let rest = &self.text[start..];
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
        Span { start, end: start + rest.find(|c| !part(c)).unwrap_or(rest.len()) }
    }

    /// `date [ ( "T" | white space ) time of day ] | instant "Z"`
    fn edge(&mut self, role: Role) -> Parsed<Edge> {
        if !self.at_date() {
            return self.expected("a date like `2026-01-01`");
        }
        let span = self.raw_date();
        let raw = &self.text[span.start..span.end];
        if raw.ends_with(['Z', 'z']) {
            let Ok(at) = raw.parse() else {
                let message = format!("`{}` is no instant", crate::error::shortened(raw));
                return self.wrong(span, message, Some("write it like `2026-01-01T10:00:00Z`"));
            };
            self.go_to(span.end);
            return Ok(Edge::Instant(at));
        }
        let date_end = raw.find(['T', 't']).map_or(span.end, |len| span.start + len);
        let date = match parse_date(&self.text[span.start..date_end]) {
            Ok(date) => date,
            Err(error) => {
                let message = format!("`{}` is no date", error.text);
                let span = Span { end: date_end, ..span };
                return self.wrong(span, message, Some(&error.help));
            }
        };
        self.go_to(if date_end < span.end { date_end + 1 } else { date_end });
        let time = match self.token.kind {
            Kind::Number => Some(self.time_of_day(role)?),
            _ if date_end < span.end => return self.expected("a time of day like `07:00`"),
            _ => None,
        };
        Ok(Edge::Civil(Moment { date, time }))
    }
}

fn begins_with_date(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = text.bytes().skip(digits);
    digits > 0 && rest.next() == Some(b'-') && rest.next().is_some_and(|b| b.is_ascii_digit())
}
