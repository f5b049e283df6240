//! Points of cycles: `07:00`, `Mon 10:00`, `3rd`, `Feb 3rd`, `45:00` of an hour.
//!
//! What a point may be hangs on the cycle; a number alone is never a time of day. A time is
//! `H:MM[:SS[.f]]`, with `am` or `pm` for twelve hours, and `24:00` only where a window ends.

use super::{Kind, Parsed, Parser};
use crate::expr::Span;
use crate::period::{Place, Point, Unit, Weekday};

/// Which end of a window a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The window begins there.
    Start,
    /// The window ends there.
    End,
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Weekdays, short and long.
pub(in crate::expr) const WEEKDAYS: &[(&str, Weekday)] = &[
    ("Mon", Weekday::Mon),
    ("Tue", Weekday::Tue),
    ("Wed", Weekday::Wed),
    ("Thu", Weekday::Thu),
    ("Fri", Weekday::Fri),
    ("Sat", Weekday::Sat),
    ("Sun", Weekday::Sun),
    ("Monday", Weekday::Mon),
    ("Tuesday", Weekday::Tue),
    ("Wednesday", Weekday::Wed),
    ("Thursday", Weekday::Thu),
    ("Friday", Weekday::Fri),
    ("Saturday", Weekday::Sat),
    ("Sunday", Weekday::Sun),
];

/// Months, short and long.
pub(in crate::expr) const MONTHS: &[(&str, u8)] = &[
    ("Jan", 1),
    ("Feb", 2),
    ("Mar", 3),
    ("Apr", 4),
    ("May", 5),
    ("Jun", 6),
    ("Jul", 7),
    ("Aug", 8),
    ("Sep", 9),
    ("Oct", 10),
    ("Nov", 11),
    ("Dec", 12),
    ("January", 1),
    ("February", 2),
    ("March", 3),
    ("April", 4),
    ("June", 6),
    ("July", 7),
    ("August", 8),
    ("September", 9),
    ("October", 10),
    ("November", 11),
    ("December", 12),
];

impl<'a> Parser<'a> {
    pub(super) fn point(&mut self, unit: Unit, role: Role) -> Parsed<Point> {
        let whole = |time| Point { place: Place::Whole, time: Some(time) };
        self.no_days_of_a_calendar()?;
        match unit {
            Unit::Second => self.milliseconds().map(whole),
            Unit::Minute => self.seconds().map(whole),
            Unit::Hour => self.minutes().map(whole),
            Unit::Day => self.time_of_day(role).map(whole),
            Unit::Week => {
                let day = self.need_choice(WEEKDAYS, "a weekday like `Mon`")?;
                self.placed(Place::Weekday(day), role)
            }
            Unit::Month => {
                let place = self.day_of_month()?;
                self.placed(place, role)
            }
            Unit::Year => self.day_of_year(role),
        }
    }

    /// Checks that no date and no days of a calendar stand where a point of a cycle does.
    fn no_days_of_a_calendar(&mut self) -> Parsed<()> {
        if self.at_date() {
            let span = self.raw_date();
            let raw = crate::error::shortened(&self.text[span.start..span.end]);
            let help = "write it as a statement of its own, like `& after 2026-01-01`";
            return self.wrong(span, format!("`{raw}` is no part of a cycle"), Some(help));
        }
        if ["weekdays", "weekends", "business", "calendar"].iter().any(|word| self.is(word)) {
            let message = format!("`{}` is no part of a cycle", self.word());
            let help = "write it as a statement of its own, like `& on weekdays`";
            return self.wrong(self.token.span, message, Some(help));
        }
        Ok(())
    }

    /// Reads the time of day that may follow a place.
    fn placed(&mut self, place: Place, role: Role) -> Parsed<Point> {
        let time = match self.token.kind {
            Kind::Number => Some(self.time_of_day(role)?),
            _ => None,
        };
        Ok(Point { place, time })
    }

    /// `15.005`: milliseconds of a second, up to 1000.
    fn milliseconds(&mut self) -> Parsed<i64> {
        let word = self.number("milliseconds of a second, like `250`")?;
        let (whole, fraction) = split_fraction(word);
        match (digits(whole, 1..=4), decimals(fraction, 3)) {
            (Some(ms), Some(micros)) if ms * 1_000 + micros <= SECOND => {
                self.bump();
                Ok(ms * 1_000 + micros)
            }
            _ => self.no_point("no millisecond of a second", "they go from `0` to `1000`"),
        }
    }

    /// `30[.5]`: seconds of a minute.
    fn seconds(&mut self) -> Parsed<i64> {
        let word = self.number("seconds of a minute, like `30`")?;
        let (whole, fraction) = split_fraction(word);
        match (digits(whole, 2..=2), decimals(fraction, 6)) {
            (Some(seconds), Some(micros)) if seconds < 60 => {
                self.bump();
                Ok(seconds * SECOND + micros)
            }
            _ => self.no_point("no second of a minute", "they go from `00` to `59`"),
        }
    }

    /// `45:00[.5]`: minutes and seconds of an hour.
    fn minutes(&mut self) -> Parsed<i64> {
        let word = self.number("minutes and seconds of an hour, like `45:00`")?;
        let (whole, fraction) = split_fraction(word);
        let read = whole.split_once(':').and_then(|(minutes, seconds)| {
            let (minutes, seconds) = (digits(minutes, 2..=2)?, digits(seconds, 2..=2)?);
            // As a clock does, a leap second may be written: `59:60` is the end of the hour.
            let fits = minutes < 60 && (seconds < 60 || (seconds == 60 && fraction.is_none()));
            fits.then_some((minutes * 60 + seconds) * SECOND + decimals(fraction, 6)?)
        });
        match read {
            Some(time) => {
                self.bump();
                Ok(time)
            }
            None => self.no_point("no minute of an hour", "write `MM:SS`, like `45:00`"),
        }
    }

    /// `7:00[:30[.5]] [am | pm]`, `7am`, and `24:00` as an end.
    pub(super) fn time_of_day(&mut self, role: Role) -> Parsed<i64> {
        let span = self.token.span;
        let word = self.number("a time of day like `07:00`")?;
        let lower = |tail: &str| {
            word.len() > 2
                && word.is_char_boundary(word.len() - 2)
                && word[word.len() - 2..].eq_ignore_ascii_case(tail)
        };
        let mut half = if lower("am") {
            Some(0)
        } else if lower("pm") {
            Some(12)
        } else {
            None
        };
        let clock = if half.is_some() { &word[..word.len() - 2] } else { word };
        self.bump();
        if half.is_none() {
            half = self.choice(&[("am", 0), ("pm", 12)]);
            if half.is_some() {
                self.bump();
            }
        }
        match clock_time(clock, half) {
            Some(DAY) if role == Role::End => Ok(DAY),
            Some(time) if time < DAY => Ok(time),
            Some(_) => {
                let message = "`24:00` is only the end of a window".to_owned();
                self.wrong(span, message, Some("write `00:00`"))
            }
            None => {
                let span = Span { start: span.start, end: self.last_end };
                let message = format!("`{}` is no time of day", crate::error::shortened(word));
                let help = match digits(word, 1..=2) {
                    Some(hour) if hour < 24 => format!("write `{hour:02}:00`"),
                    _ => "write `HH:MM`, like `07:00`".to_owned(),
                };
                self.wrong(span, message, Some(&help))
            }
        }
    }

    /// `3rd`, `3`, `3.`, `last`, `last day`, `last Fri`
    fn day_of_month(&mut self) -> Parsed<Place> {
        if self.eat("last") {
            if self.eat("day") {
                return Ok(Place::LastDay);
            }
            if let Some(day) = self.choice(WEEKDAYS) {
                self.bump();
                return Ok(Place::LastWeekday(day));
            }
            if self.token.kind == Kind::Number && !self.word().contains(':') {
                return self.expected("`day` or a weekday");
            }
            self.no_typo_of(&["day", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])?;
            return Ok(Place::LastDay);
        }
        if self.token.kind == Kind::Word {
            return self.expected_word(&["last"], "a day of the month like `3rd` or `last`");
        }
        self.ordinal(31).map(Place::MonthDay)
    }

    /// `Feb`, `Feb 3rd`, `Feb 3rd 10:00`
    fn day_of_year(&mut self, role: Role) -> Parsed<Point> {
        let month = self.need_choice(MONTHS, "a month like `Jan`")?;
        if self.token.kind != Kind::Number {
            return Ok(Point { place: Place::Month(month), time: None });
        }
        if self.word().contains(':') {
            return self.expected_with("a day of the month", Some("write it before the time"));
        }
        let days = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let day = self.ordinal(days)?;
        self.placed(Place::YearDay(month, day), role)
    }

    /// `3`, `3.` or `3rd`, up to a last day.
    fn ordinal(&mut self, last: u8) -> Parsed<u8> {
        let word = self.number("a day of the month like `3rd`")?;
        let len = word.bytes().take_while(u8::is_ascii_digit).count();
        let (number, suffix) = word.split_at(len);
        let day = digits(number, 1..=2).and_then(|day| u8::try_from(day).ok());
        let right = match day {
            Some(1 | 21 | 31) => "st",
            Some(2 | 22) => "nd",
            Some(3 | 23) => "rd",
            _ => "th",
        };
        match day {
            Some(day) if (1..=last).contains(&day) => {
                if suffix.is_empty() || suffix == "." || suffix.eq_ignore_ascii_case(right) {
                    self.bump();
                    return Ok(day);
                }
                self.no_point("no day of the month", &format!("write `{day}{right}`"))
            }
            _ => self.no_point("no day of the month", &format!("they go from `1` to `{last}`")),
        }
    }

    /// The text of the number at hand.
    fn number(&mut self, what: &str) -> Parsed<&'a str> {
        match self.token.kind {
            Kind::Number => Ok(&self.text[self.token.span.start..self.token.span.end]),
            Kind::Word if self.is("task") || self.is("tasks") => {
                self.expected_with(what, Some("to wait for a task too, write `& after task ..`"))
            }
            _ => self.expected(what),
        }
    }

    fn no_point<T>(&mut self, what: &str, help: &str) -> Parsed<T> {
        let message = format!("`{}` is {what}", crate::error::shortened(self.word()));
        self.wrong(self.token.span, message, Some(help))
    }
}

/// Reads `H[H]:M[M][:S[S][.f]]`, or only hours if `half` (0 for am, 12 for pm) is told.
fn clock_time(clock: &str, half: Option<i64>) -> Option<i64> {
    let (clock, fraction) = split_fraction(clock);
    let mut fields = clock.split(':');
    let mut hour = digits(fields.next()?, 1..=2)?;
    let minute = fields.next();
    let second = fields.next();
    if fields.next().is_some()
        || (minute.is_none() && half.is_none())
        || (second.is_none() && fraction.is_some())
    {
        return None;
    }
    let field = |text: Option<&str>| text.map_or(Some(0), |text| digits(text, 1..=2));
    let (minute, second) = (field(minute)?, field(second)?);
    let micros = decimals(fraction, 6)?;
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + half;
    }
    let time = ((hour * 60 + minute) * 60 + second) * SECOND + micros;
    (hour <= 24 && minute < 60 && second < 60 && time <= DAY).then_some(time)
}

fn split_fraction(text: &str) -> (&str, Option<&str>) {
    text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)))
}

/// Reads as many digits as allowed, and nothing else.
fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let fits = count.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Reads decimals as an integer of `places` digits.
fn decimals(fraction: Option<&str>, places: usize) -> Option<i64> {
    let Some(fraction) = fraction else { return Some(0) };
    let mut value = digits(fraction, 1..=places)?;
    for _ in fraction.len()..places {
        value *= 10;
    }
    Some(value)
}
