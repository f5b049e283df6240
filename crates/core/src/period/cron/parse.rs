//! Reading cron fields, and what can be wrong with them.
//!
//! Everything is checked here: a [`super::Cron`] that exists can be evaluated. One error is
//! reported, the first, with the bytes it is about. What `man 5 crontab` accepts is accepted, and
//! so are ranges that wrap, as Rocketry has them; full names (`Monday`) are not.

use std::fmt::Write as _;
use std::ops::Range;

use super::error::{CronError, CronProblem};
use super::field::{DATE, Field, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, low, pick};
use super::{Days, Fields, Weekdays};

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A part of the text, and where it is.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn split(self, at: char) -> Option<(Self, Self)> {
        let (left, right) = self.text.split_once(at)?;
        let start = self.start + left.len() + at.len_utf8();
        Some((Self { text: left, ..self }, Self { text: right, start }))
    }

    /// Takes a suffix off, in any case.
    fn strip_end(self, suffix: char) -> Option<Self> {
        let text = self.text.strip_suffix(|c: char| c.eq_ignore_ascii_case(&suffix))?;
        Some(Self { text, ..self })
    }

    fn is(self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    fn error(self, kind: CronProblem, message: String) -> CronError {
        CronError { span: self.span(), kind, message }
    }

    /// Splits at white space.
    fn words(self) -> Vec<Part<'a>> {
        let mut words = Vec::new();
        let mut rest = self;
        while let Some(skipped) = rest.text.find(|c: char| !c.is_whitespace()) {
            let text = rest.text.get(skipped..).unwrap_or_default();
            let start = rest.start + skipped;
            let length = text.find(char::is_whitespace).unwrap_or(text.len());
            let (word, after) = text.split_at_checked(length).unwrap_or((text, ""));
            words.push(Part { text: word, start });
            rest = Part { text: after, start: start + length };
        }
        words
    }
}

/// Reads an expression; also returns it in one spelling.
pub(super) fn parse(text: &str, seed: &str) -> Result<(Fields, Box<str>), CronError> {
    let whole = Part { text, start: 0 };
    let words = whole.words();
    if let [nickname] = words.as_slice()
        && nickname.text.starts_with('@')
    {
        return parse(nickname_of(*nickname)?, seed);
    }
    let (second, rest) = match words.as_slice() {
        rest @ [_, _, _, _, _] => (None, rest),
        [second, rest @ ..] if rest.len() == 5 => (Some(*second), rest),
        other => {
            let found = other.len();
            let message = format!(
                "a cron expression has five fields (minute, hour, day of the month, month, day of \
                 the week), or six with seconds first; `{text}` has {found}",
            );
            return Err(whole.error(CronProblem::Fields, message));
        }
    };
    let [minute, hour, date, month, weekday] = *rest else {
        return Err(whole.error(CronProblem::Fields, "a field is missing".to_owned()));
    };
    let mut reader =
        Reader { seed, days: Days::default(), weekdays: Weekdays::default(), text: String::new() };
    let seconds = match second {
        Some(second) => reader.field(&SECOND, second)?,
        None => 1,
    };
    let minutes = reader.field(&MINUTE, minute)?;
    let hours = low(reader.field(&HOUR, hour)?);
    let dates = low(reader.field(&DATE, date)?);
    let months = u16::try_from(reader.field(&MONTH, month)?).unwrap_or(0);
    let weekdays = u8::try_from(reader.field(&WEEKDAY, weekday)?).unwrap_or(0);
    let fields = Fields {
        seconds,
        minutes,
        hours,
        months,
        days: Days { set: dates, star: is_star(date), ..reader.days },
        weekdays: Weekdays { set: weekdays, star: is_star(weekday), ..reader.weekdays },
        fine: second.is_some(),
        elapsed: is_star(minute) || is_star(hour),
        possible: true,
    };
    Ok((fields, reader.text.into()))
}

/// Tells whether a field counts as one that is not restricted: by its first letter, as in cron.
fn is_star(field: Part<'_>) -> bool {
    field.text.starts_with(['*', '?'])
}

fn nickname_of(word: Part<'_>) -> Result<&'static str, CronError> {
    if let Some((_, expression)) = NICKNAMES.iter().find(|(name, _)| word.is(name)) {
        return Ok(expression);
    }
    let hint = match crate::error::nearest(word.text, NICKNAMES.iter().map(|(name, _)| *name)) {
        Some(name) => crate::error::did_you_mean(name),
        None => "allowed are @yearly, @monthly, @weekly, @daily and @hourly".to_owned(),
    };
    let message = format!("`{}` is no nickname of a cron expression; {hint}", word.text);
    Err(word.error(CronProblem::Nickname, message))
}

/// Reads the fields one after the other.
struct Reader<'a> {
    seed: &'a str,
    days: Days,
    weekdays: Weekdays,
    /// What was read, in one spelling.
    text: String,
}

impl Reader<'_> {
    /// Reads a field; what no set of values can express goes to `days` and `weekdays`.
    fn field(&mut self, field: &Field, part: Part<'_>) -> Result<u64, CronError> {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let mut set = 0;
        let mut rest = Some(part);
        while let Some(list) = rest {
            let (item, after) = match list.split(',') {
                Some((item, after)) => (item, Some(after)),
                None => (list, None),
            };
            if item.text.is_empty() {
                let message = format!("a {} is missing in `{}`", field.name, part.text);
                return Err(part.error(CronProblem::Missing, message));
            }
            set |= self.item(field, item)?;
            if after.is_some() {
                self.text.push(',');
            }
            rest = after;
        }
        Ok(set)
    }

    fn item(&mut self, field: &Field, item: Part<'_>) -> Result<u64, CronError> {
        let (body, step) = match item.split('/') {
            Some((body, step)) => (body, Some(read_step(step)?)),
            None => (item, None),
        };
        let (first, last) = if body.text == "*" || (body.text == "?" && field.is_day()) {
            self.text.push('*');
            (field.low, field.high)
        } else if let Some((from, to)) = body.split('~') {
            return self.picked(field, from, to, step);
        } else if let Some(special) = self.special(field, body)? {
            self.text.push_str(&special);
            if step.is_some() {
                let message = format!("`{}` can have no step", body.text);
                return Err(item.error(CronProblem::Step, message));
            }
            return Ok(0);
        } else if let Some((from, to)) = body.split('-') {
            let first = read_value(field, from)?;
            let last = read_value(field, to)?;
            let _ = write!(self.text, "{}-{}", spelled(from), spelled(to));
            (first, last)
        } else {
            let value = read_value(field, body)?;
            self.text.push_str(&spelled(body));
            if let Some(step) = step {
                // `7/5` is from 7 on, as cronie reads it; so `7/1` is more than `7`.
                let _ = write!(self.text, "/{step}");
                return Ok(field.range(value, field.highest(), step));
            }
            (value, value)
        };
        let step = step.unwrap_or(1);
        if step > 1 {
            let _ = write!(self.text, "/{step}");
        }
        Ok(field.range(first, last, step))
    }

    /// Picks a value from a range, by the seed.
    fn picked(
        &mut self,
        field: &Field,
        from: Part<'_>,
        to: Part<'_>,
        step: Option<u8>,
    ) -> Result<u64, CronError> {
        let or = |part: Part<'_>, value: u8| match part.text {
            "" => Ok(value),
            _ => read_value(field, part),
        };
        let (first, last) = (or(from, field.low)?, or(to, field.pick)?);
        if first > last {
            let message =
                format!("`{}~{}` is empty; the lower value comes first", from.text, to.text);
            let whole = Part { text: "", start: from.start };
            let span = from.start..to.span().end;
            return Err(CronError { span, ..whole.error(CronProblem::Value, message) });
        }
        let _ = write!(self.text, "{}~{}", spelled(from), spelled(to));
        if let Some(step) = step {
            let _ = write!(self.text, "/{step}");
        }
        let width = (last - first + 1).min(step.unwrap_or(u8::MAX));
        let picked = first + pick(self.seed, field.name, width);
        Ok(match step {
            Some(step) => field.range(picked, last, step),
            None => field.range(picked, picked, 1),
        })
    }

    /// Reads what depends on the month: `L`, `L-3`, `LW`, `15W`, `5L`, `FRI#2`.
    fn special(&mut self, field: &Field, part: Part<'_>) -> Result<Option<String>, CronError> {
        if field.name == DATE.name {
            if part.is("L") {
                self.days.from_last |= 1;
            } else if part.is("LW") {
                self.days.last_workday = true;
            } else if let Some(day) = part.strip_end('W') {
                self.days.nearest |= 1 << read_value(field, day)?;
            } else if let Some((last, back)) = part.split('-').filter(|(last, _)| last.is("L")) {
                let back = number(back).filter(|back| *back <= 30).ok_or_else(|| {
                    let message =
                        format!("`{}` is no number of days; allowed are 0 to 30", back.text);
                    back.error(CronProblem::Value, message)
                })?;
                self.days.from_last |= 1 << back;
                return Ok(Some(if back == 0 {
                    "L".to_owned()
                } else {
                    format!("{}-{back}", spelled(last))
                }));
            } else {
                return Ok(None);
            }
            return Ok(Some(spelled(part)));
        }
        if field.name != WEEKDAY.name {
            return Ok(None);
        }
        if let Some((day, week)) = part.split('#') {
            let day = read_value(field, day)? % 7;
            let nth = number(week)
                .and_then(|week| self.weekdays.nth.get_mut(usize::from(week).checked_sub(1)?))
                .ok_or_else(|| {
                    let message = format!(
                        "`{}` is no number of a week in a month; allowed are 1 to 5",
                        week.text,
                    );
                    week.error(CronProblem::Value, message)
                })?;
            *nth |= 1 << day;
            return Ok(Some(spelled(part)));
        }
        let Some(day) = part.strip_end('L').filter(|day| !day.text.is_empty()) else {
            return Ok(None);
        };
        self.weekdays.last |= 1 << (read_value(field, day)? % 7);
        Ok(Some(spelled(part)))
    }
}

fn read_step(part: Part<'_>) -> Result<u8, CronError> {
    number(part).filter(|step| *step > 0).ok_or_else(|| {
        let message = format!("`{}` is no step; allowed are whole numbers from 1", part.text);
        part.error(CronProblem::Step, message)
    })
}

/// Reads a number or a name; Sunday may be 7.
fn read_value(field: &Field, part: Part<'_>) -> Result<u8, CronError> {
    let weekday = field.name == WEEKDAY.name;
    let allowed = field.low..=field.highest();
    if let Some(value) = number(part).filter(|value| allowed.contains(value)) {
        return Ok(value);
    }
    if let Some((value, _)) = (field.low..).zip(field.names).find(|(_, name)| part.is(name)) {
        return Ok(value);
    }
    if part.text.is_empty() {
        return Err(part.error(CronProblem::Missing, format!("a {} is missing", field.name)));
    }
    let likely =
        |name: &&&str| part.text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let hint = match field.names.iter().find(likely) {
        Some(name) => crate::error::did_you_mean(name),
        None if part.is("H") => "for a value that is picked once, write `~`".to_owned(),
        None => match (field.names.first(), field.names.last()) {
            (Some(first), Some(last)) if weekday => {
                format!("allowed are 0 to 7 (0 and 7 are Sunday) and {first} to {last}")
            }
            (Some(first), Some(last)) => {
                format!("allowed are {} to {} and {first} to {last}", field.low, field.high)
            }
            _ => format!("allowed are {} to {}", field.low, field.high),
        },
    };
    let message = format!("`{}` is no {}; {hint}", part.text, field.name);
    Err(part.error(CronProblem::Value, message))
}

/// Reads a number of digits alone: no sign, no point.
fn number(part: Part<'_>) -> Option<u8> {
    let digits = !part.text.is_empty() && part.text.bytes().all(|byte| byte.is_ascii_digit());
    part.text.parse().ok().filter(|_| digits)
}

/// Spells a value as we write it: no leading zeros, names in capitals.
fn spelled(part: Part<'_>) -> String {
    number(part).map_or_else(|| part.text.to_ascii_uppercase(), |value| value.to_string())
}
