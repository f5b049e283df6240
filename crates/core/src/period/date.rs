//! Dates as text: `2026-12-25`, and what is wrong with a text that is none.

use chrono::{Datelike, NaiveDate};

/// What tells a date: a [`NaiveDate`], or a text like `"2026-12-25"`.
pub trait IntoDate {
    /// Gives the date.
    ///
    /// # Errors
    ///
    /// When a text is none.
    fn into_date(self) -> Result<NaiveDate, DateError>;
}

impl IntoDate for NaiveDate {
    fn into_date(self) -> Result<NaiveDate, DateError> {
        Ok(self)
    }
}

impl IntoDate for &str {
    fn into_date(self) -> Result<NaiveDate, DateError> {
        parse_date(self)
    }
}

impl IntoDate for String {
    fn into_date(self) -> Result<NaiveDate, DateError> {
        parse_date(&self)
    }
}

/// A text that is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no date; {help}")]
pub struct DateError {
    /// The text, shortened.
    pub text: String,
    /// What to write: "write it like `2026-12-31`".
    pub help: String,
}

/// Reads a date: year, month and day with `-` between, all digits written.
///
/// ```
/// use redengine_core::period::parse_date;
///
/// assert_eq!(parse_date("2026-12-25").unwrap().to_string(), "2026-12-25");
///
/// let error = parse_date("2026-02-30").unwrap_err();
/// assert_eq!(error.to_string(), "`2026-02-30` is no date; the last of that month is `2026-02-28`");
/// ```
///
/// # Errors
///
/// When the text is no date; the error tells what to write instead.
pub fn parse_date(text: &str) -> Result<NaiveDate, DateError> {
    let wrong =
        |help: String| Err(DateError { text: crate::error::shortened(text).into_owned(), help });
    let Some((year, month, day)) = fields(text) else {
        return wrong("write it like `2026-12-31`".to_owned());
    };
    let spelt = format!("{year:04}-{month:02}-{day:02}");
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) if spelt == text => Ok(date),
        Some(_) => wrong(format!("write `{spelt}`")),
        None if !(1..=12).contains(&month) => {
            wrong("months go from `01` to `12`, and come before the day".to_owned())
        }
        None if day == 0 => wrong("days begin with `01`".to_owned()),
        None => match last_of_month(year, month) {
            Some(last) => wrong(format!("the last of that month is `{last}`")),
            None => wrong("write it like `2026-12-31`".to_owned()),
        },
    }
}

/// Splits a text into three numbers of at most four, two and two digits.
fn fields(text: &str) -> Option<(i32, u32, u32)> {
    let mut fields = text.split('-');
    let mut field = |most: usize| {
        let field = fields.next()?;
        let digits = !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
        if digits && field.len() <= most { field.parse::<u32>().ok() } else { None }
    };
    let (year, month, day) = (field(4)?, field(2)?, field(2)?);
    if fields.next().is_some() { None } else { Some((i32::try_from(year).ok()?, month, day)) }
}

fn last_of_month(year: i32, month: u32) -> Option<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    (28..=31).rev().find_map(|day| first.with_day(day))
}
