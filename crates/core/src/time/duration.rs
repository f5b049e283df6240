//! Durations as text: "2 hours 30 min".
//!
//! A duration is a sum of numbers with units (`1 day, 2 hours 30 min`, `1h30m`, `1.5 days`), with
//! `H:MM:SS` as its last or only part. Decimals are exact: they are read as integers and rounded
//! once to whole microseconds, half to even. Units are elapsed time, so there are no months, and
//! a day is 24 hours. Units are written small: `1 M` must not be read as a minute.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

const MS: i128 = 1_000;
const SECOND: i128 = 1_000_000;
const MINUTE: i128 = 60 * SECOND;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

/// The longest duration that can be written; longer than any clock's range.
pub const LONGEST: Duration = Duration::from_hours(999_999_999 * 24);

/// The units and their microseconds, the usual spelling of each first.
const UNITS: &[(&str, i128)] = &[
    ("s", SECOND),
    ("min", MINUTE),
    ("hour", HOUR),
    ("hours", HOUR),
    ("day", DAY),
    ("days", DAY),
    ("sec", SECOND),
    ("secs", SECOND),
    ("second", SECOND),
    ("seconds", SECOND),
    ("m", MINUTE),
    ("mins", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("d", DAY),
    ("ms", MS),
    ("millisecond", MS),
];

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DurationError {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// What is wrong: "unknown unit `hrz`".
    pub message: String,
    /// What to write instead: "did you mean `hrs`?".
    pub help: Option<String>,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use redengine_core::time::duration::parse;
///
/// assert_eq!(parse("1 day, 2 hours 30 min").unwrap(), Duration::from_secs(95_400));
/// assert_eq!(parse("1h30m").unwrap(), parse("1:30:00").unwrap());
/// assert_eq!(parse("1 hor").unwrap_err().to_string(), "unknown unit `hor`; did you mean `hour`?");
/// ```
///
/// # Errors
///
/// When the text is no duration, a negative one, or one longer than [`LONGEST`].
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    positive(parse_signed(text)?, 0..text.len())
}

/// Reads a duration that may have a sign, as microseconds: `-1.5 s`.
///
/// Nothing in a condition can be negative; see [`parse`].
///
/// # Errors
///
/// When the text is no duration, or one longer than [`LONGEST`].
pub fn parse_signed(text: &str) -> Result<i128, DurationError> {
    let (micros, end) = prefix(text, 0)?;
    let rest = &text[end..];
    if rest.trim_start().is_empty() {
        return Ok(micros);
    }
    let start = text.len() - rest.trim_start().len();
    error(start..text.len(), format!("expected a number or the end, found `{}`", &text[start..]))
}

/// Writes a duration so that it reads back: `1 day 2 hours 30 min`.
///
/// Finer digits than microseconds are cut off.
///
/// ```
/// use std::time::Duration;
/// use redengine_core::time::duration::display;
///
/// assert_eq!(display(Duration::from_secs(95_400)).to_string(), "1 day 2 hours 30 min");
/// assert_eq!(display(Duration::from_millis(1_500)).to_string(), "1.5 s");
/// ```
pub fn display(duration: Duration) -> impl fmt::Display {
    Written(duration)
}

struct Written(Duration);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.as_secs(), self.0.subsec_micros());
        let mut gap = "";
        let parts = [
            (seconds / 86_400, "day", "days"),
            (seconds / 3_600 % 24, "hour", "hours"),
            (seconds / 60 % 60, "min", "min"),
        ];
        for (n, one, many) in parts {
            if n > 0 {
                write!(f, "{gap}{n} {}", if n == 1 { one } else { many })?;
                gap = " ";
            }
        }
        let whole = seconds % 60;
        if whole > 0 && micros > 0 {
            write!(f, "{gap}{whole}.{} s", Fraction(micros, 6))
        } else if whole > 0 {
            write!(f, "{gap}{whole} s")
        } else if micros > 0 {
            write!(f, "{gap}{}", micros / 1_000)?;
            if !micros.is_multiple_of(1_000) {
                write!(f, ".{}", Fraction(micros % 1_000, 3))?;
            }
            f.write_str(" ms")
        } else if gap.is_empty() {
            f.write_str("0 s")
        } else {
            Ok(())
        }
    }
}

/// The digits after a decimal point, without the zeros at the end.
pub(crate) struct Fraction(pub(crate) u32, pub(crate) usize);

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(mut digits, mut places) = *self;
        while places > 1 && digits.is_multiple_of(10) {
            digits /= 10;
            places -= 1;
        }
        write!(f, "{digits:0places$}")
    }
}

/// Reads the longest duration at a place in a text; tells its microseconds and where it ends.
pub(crate) fn prefix(text: &str, at: usize) -> Result<(i128, usize), DurationError> {
    let bytes = text.as_bytes();
    let mut at = skip_space(text, at);
    let negative = bytes.get(at) == Some(&b'-');
    if negative || bytes.get(at) == Some(&b'+') {
        at = skip_space(text, at + 1);
    }
    let first = at;
    let mut total: i128 = 0;
    loop {
        let digits = skip_digits(bytes, at);
        if digits == at {
            let found = found(text, at);
            let message = format!("expected a duration like `10 min`, found {}", found.1);
            return error(found.0, message);
        }
        if bytes.get(digits) == Some(&b':') {
            let (micros, end) = clock(text, at, digits)?;
            total = add(total, micros, first..end)?;
            at = end;
            // `H:MM:SS` is the last part: after it, a number would belong to something else.
            break;
        }
        let (micros, end) = part(text, at, digits)?;
        total = add(total, micros, first..end)?;
        at = end;
        let mut next = skip_space(text, at);
        if bytes.get(next) == Some(&b',') {
            next = skip_space(text, next + 1);
        }
        if !bytes.get(next).is_some_and(u8::is_ascii_digit) {
            break;
        }
        at = next;
    }
    Ok((if negative { -total } else { total }, at))
}

/// Turns microseconds into a duration, unless they are negative.
pub(crate) fn positive(micros: i128, span: Range<usize>) -> Result<Duration, DurationError> {
    let seconds = u64::try_from(micros / SECOND);
    let nanos = u32::try_from(micros % SECOND * 1_000);
    match (seconds, nanos) {
        (Ok(seconds), Ok(nanos)) => Ok(Duration::new(seconds, nanos)),
        _ => error(span, "a duration cannot be negative".to_owned()),
    }
}

fn add(total: i128, micros: i128, span: Range<usize>) -> Result<i128, DurationError> {
    let sum = total + micros;
    if sum > 999_999_999 * DAY {
        return error(span, "the duration is too long".to_owned());
    }
    Ok(sum)
}

/// Reads `1.5 hours`; `digits` is where its whole digits end.
fn part(text: &str, at: usize, digits: usize) -> Result<(i128, usize), DurationError> {
    let bytes = text.as_bytes();
    let mut number = digits;
    if bytes.get(digits) == Some(&b'.') {
        number = skip_digits(bytes, digits + 1);
        if number == digits + 1 {
            return error(at..number, format!("expected digits after `{}`", &text[at..number]));
        }
    }
    let unit_at = skip_space(text, number);
    let unit_end = unit_at
        + text[unit_at..].find(|c: char| !c.is_alphabetic()).unwrap_or(text[unit_at..].len());
    let unit = &text[unit_at..unit_end];
    let Some(&(_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(unknown_unit(text, at..number, unit_at..unit_end));
    };
    let micros = scaled(&text[at..digits], text.get(digits + 1..number).unwrap_or(""), scale);
    match micros {
        Some(micros) => Ok((micros, unit_end)),
        None => error(at..unit_end, "the duration is too long".to_owned()),
    }
}

/// Multiplies a decimal number exactly, rounding half to even.
fn scaled(whole: &str, fraction: &str, scale: i128) -> Option<i128> {
    let whole = if whole.len() < 19 { whole.parse::<i128>().ok()? } else { return None };
    if fraction.is_empty() {
        return Some(whole * scale);
    }
    // Digits after the eighteenth can only break a tie, which a last digit 1 does as well.
    let (kept, cut) = fraction.split_at(fraction.len().min(18));
    let sticky = cut.bytes().any(|digit| digit != b'0');
    let digits = kept.parse::<i128>().ok()? * 10 + i128::from(sticky);
    let unit = 10_i128.pow(u32::try_from(kept.len()).ok()? + 1);
    let (micros, rest) = (digits * scale / unit, digits * scale % unit);
    let up = rest * 2 > unit || (rest * 2 == unit && micros % 2 == 1);
    Some(whole * scale + micros + i128::from(up))
}

/// Reads `H:MM:SS[.f]`; `colon` is its first colon.
fn clock(text: &str, at: usize, colon: usize) -> Result<(i128, usize), DurationError> {
    let bytes = text.as_bytes();
    let minutes_end = skip_digits(bytes, colon + 1);
    let mut end = minutes_end;
    if bytes.get(minutes_end) == Some(&b':') {
        end = skip_digits(bytes, minutes_end + 1);
    }
    let shape = minutes_end - colon == 3 && end.saturating_sub(minutes_end) == 3;
    if !shape {
        let span = at..end.max(colon + 1);
        return Err(DurationError {
            message: format!("`{}` is no duration", &text[span.clone()]),
            span,
            help: Some("write `H:MM:SS`, or units: `10 min 20 s`".to_owned()),
        });
    }
    let seconds_end = end;
    if bytes.get(end) == Some(&b'.') {
        end = skip_digits(bytes, end + 1);
        if end == seconds_end + 1 {
            return error(at..end, format!("expected digits after `{}`", &text[at..end]));
        }
    }
    let field = |range: Range<usize>| text[range].parse::<i128>().unwrap_or(i128::MAX);
    let (minutes, seconds) = (field(colon + 1..minutes_end), field(minutes_end + 1..seconds_end));
    if minutes > 59 || seconds > 59 {
        return error(at..end, "minutes and seconds go from 00 to 59".to_owned());
    }
    let fraction = text.get(seconds_end + 1..end).unwrap_or("");
    scaled(&text[at..colon], "", HOUR)
        .zip(scaled(&text[minutes_end + 1..seconds_end], fraction, SECOND))
        .map(|(hours, seconds)| (hours + minutes * MINUTE + seconds, end))
        .map_or_else(|| error(at..end, "the duration is too long".to_owned()), Ok)
}

fn unknown_unit(text: &str, number: Range<usize>, unit: Range<usize>) -> DurationError {
    let word = &text[unit.clone()];
    if word.is_empty() {
        let number = &text[number];
        return DurationError {
            span: unit.start..unit.start,
            message: format!("expected a unit after `{number}`"),
            help: Some("for example `s`, `min`, `hours` or `days`".to_owned()),
        };
    }
    let help = match word.to_ascii_lowercase().as_str() {
        "w" | "week" | "weeks" => Some("write `7 days`".to_owned()),
        "month" | "months" | "year" | "years" => Some("its length varies; write days".to_owned()),
        "us" | "µs" | "microsecond" | "microseconds" => Some("write `0.001 ms`".to_owned()),
        _ if word.len() > 24 => None,
        _ => crate::error::nearest(word, UNITS.iter().map(|(name, _)| *name))
            .map(crate::error::did_you_mean),
    };
    let mut message = format!("unknown unit `{}`", crate::error::shortened(word));
    if help.is_none() {
        message.push_str("; there are `ms`, `s`, `min`, `hours` and `days`");
    }
    DurationError { span: unit, message, help }
}

/// Names what stands at a place: the word, or the character.
fn found(text: &str, at: usize) -> (Range<usize>, String) {
    let rest = &text[at..];
    let word = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let len = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
    let name = match &rest[..len] {
        "" => "the end".to_owned(),
        word => format!("`{}`", crate::error::shortened(word)),
    };
    (at..at + len, name)
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    at + rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())
}

fn skip_digits(bytes: &[u8], at: usize) -> usize {
    at + bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count()
}

fn error<T>(span: Range<usize>, message: String) -> Result<T, DurationError> {
    Err(DurationError { span, message, help: None })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_exact_and_round_half_to_even() {
        let cases = [
            ("0.0000005 s", 0),
            ("0.0000015 s", 2),
            ("0.00000050000000000000000001 s", 1),
            ("999999999 days", 86_399_999_913_600_000_000),
            ("0.29 h", 1_044_000_000),
            ("10:20:30.1234567", 37_230_123_457),
            ("-1.5 s", -1_500_000),
        ];
        for (text, micros) in cases {
            assert_eq!(parse_signed(text), Ok(micros), "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what_instead() {
        let cases = [
            ("1 daay", "unknown unit `daay`; did you mean `day`?"),
            ("1 week", "unknown unit `week`; write `7 days`"),
            ("10", "expected a unit after `10`; for example `s`, `min`, `hours` or `days`"),
            ("10:20", "`10:20` is no duration; write `H:MM:SS`, or units: `10 min 20 s`"),
            ("soon", "expected a duration like `10 min`, found `soon`"),
            ("", "expected a duration like `10 min`, found the end"),
            ("-1 s", "a duration cannot be negative"),
            ("1 min;2 s", "expected a number or the end, found `;2 s`"),
            ("1000000000 days", "the duration is too long"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(micros in 0..=u64::MAX / 5) {
            for micros in [micros, micros % 3_600_000_000, micros % 2_000_000, micros % 1_000] {
                let duration = Duration::from_micros(micros);
                prop_assert_eq!(parse(&display(duration).to_string()), Ok(duration));
            }
        }

        #[test]
        fn no_text_panics(text in "[-+0-9:., a-zµ日]{0,24}") {
            let _ = parse(&text);
        }
    }
}
