//! Records as rows of comma-separated values.
//!
//! As RFC 4180, but a line break in a text is written as `\n` (and `\` as `\\`), so that one line is
//! one record: a quote that is missing in one row cannot swallow the others.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write;
use std::str::FromStr;

use redengine_core::record::{Action, Details, Record, Recorded, Seq};

use super::format::{Bad, Format, Line, VERSION, check_version, instant, read_instant, seconds};
use crate::causes;
use crate::memory::restore::Marks;

/// The format of [`CsvLog`](crate::CsvLog).
#[derive(Clone, Copy, Debug, Default)]
pub struct Csv;

/// The columns in the order in which they are written.
const HEADER: &str = "seq,at,task,action,duration,reason,causes,run,started,due,node,attempt,output,\
                      params,trace,more,count,failures,ended,v";

/// Those without which a row is no record.
const NEEDED: [&str; 5] = ["seq", "at", "task", "action", "run"];

/// The names of a file's columns, in its order.
#[derive(Debug, Default)]
pub struct Columns(Vec<String>);

impl Format for Csv {
    const NAME: &'static str = "CSV";
    const HEADER: Option<&'static str> = Some(HEADER);
    const BEGINS: &'static [u8] = b"";
    type Columns = Columns;

    fn columns(header: &str) -> Result<Columns, String> {
        let cells = split(header.trim_start_matches('\u{feff}'))?;
        let names: Vec<String> = cells.into_iter().flatten().map(Cow::into_owned).collect();
        let is_missing = |needed: &&&str| !names.iter().any(|name| name == **needed);
        let missing: Vec<&str> = NEEDED.iter().filter(is_missing).copied().collect();
        if missing.is_empty() {
            Ok(Columns(names))
        } else {
            Err(format!("its first line has no column `{}`", missing.join("`, `")))
        }
    }

    fn encode(Line { recorded, marks, more }: &Line, to: &mut Vec<u8>) {
        let Recorded { seq, record } = recorded;
        let none = Details::default();
        let details = record.details.as_deref().unwrap_or(&none);
        let mut row = Row { to, is_first: true };
        row.plain(Some(seq));
        row.plain(Some(instant(record.at)));
        row.text(Some(&record.task));
        row.plain(Some(record.action));
        row.plain(seconds(recorded));
        row.text(causes::message(Some(details)));
        row.text(causes::encode(Some(details)).as_deref());
        row.plain(Some(record.run));
        row.plain(Some(instant(record.started)));
        row.plain(record.due.map(instant));
        row.text(details.node.as_deref());
        row.plain(details.attempt);
        row.text(details.output.as_deref());
        row.text(details.params.as_deref());
        row.text(details.trace.as_deref());
        row.plain((*more > 0).then_some(more));
        row.plain(marks.count);
        row.plain(marks.failures);
        row.plain(marks.ended);
        row.plain(Some(VERSION));
        to.push(b'\n');
    }

    fn is_whole(Columns(names): &Columns, text: &str) -> bool {
        // Of any other last cell a part may be missing.
        let last = text.rsplit(',').next();
        names.last().is_some_and(|name| name == "v") && last == Some(&*VERSION.to_string())
    }

    fn decode(Columns(names): &Columns, text: &str) -> Result<Line, Bad> {
        let cells = split(text)?;
        let cells = Cells { names, cells };
        check_version(cells.number("v")?.unwrap_or(1))?;
        if cells.cells.len() != names.len() {
            let (there, wanted) = (cells.cells.len(), names.len());
            return Err(format!("it has {there} cells, and the first line has {wanted}").into());
        }
        let at = read_instant("at", cells.needed("at")?)?;
        let moment = |name| cells.get(name).map(|text| read_instant(name, text)).transpose();
        let mut details = Details::default();
        details.node = cells.text("node").map(Into::into);
        details.reason = causes::decode(cells.text("reason"), cells.text("causes").as_deref())?;
        details.output = cells.text("output");
        details.attempt = cells.number("attempt")?;
        details.params = cells.text("params");
        details.trace = cells.text("trace").map(Into::into);
        let record = Record {
            task: unescape(cells.needed("task")?).into(),
            run: parse("run", cells.needed("run")?)?,
            action: parse("action", cells.needed("action")?)?,
            at,
            started: moment("started")?.unwrap_or(at),
            due: moment("due")?,
            details: details.shared(),
        };
        let marks = Marks {
            count: cells.number("count")?,
            failures: cells.number("failures")?,
            ended: cells.get("ended").map(|text| parse::<Action>("ended", text)).transpose()?,
        };
        let seq = Seq(parse("seq", cells.needed("seq")?)?);
        let more = cells.number("more")?.unwrap_or_default();
        Ok(Line { recorded: Recorded { seq, record }, marks, more })
    }
}

/// A row that is being written.
struct Row<'a> {
    to: &'a mut Vec<u8>,
    is_first: bool,
}

impl Row<'_> {
    fn next(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.to.push(b',');
        }
    }

    /// Writes what has nothing in it that needs quotes.
    fn plain(&mut self, value: Option<impl Display>) {
        self.next();
        if let Some(value) = value {
            // OK because memory takes all that is written.
            write!(self.to, "{value}").expect("memory takes all");
        }
    }

    /// Writes a text; one that is empty has quotes, one that is not there has none.
    fn text(&mut self, text: Option<&str>) {
        self.next();
        let Some(text) = text else { return };
        let escaped = escape(text);
        let is_plain = !escaped.is_empty()
            && escaped.trim() == escaped
            && !escaped.contains([',', '"', ';', '\t']);
        if is_plain {
            self.to.extend_from_slice(escaped.as_bytes());
        } else {
            self.to.push(b'"');
            self.to.extend_from_slice(escaped.replace('"', "\"\"").as_bytes());
            self.to.push(b'"');
        }
    }
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', '\n', '\r', '\0']) {
        return Cow::Borrowed(text);
    }
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    Cow::Owned(escaped.replace('\0', "\\0"))
}

/// Undoes [`escape`]; a `\` before anything else is itself, so that people may write one.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = match letters.peek() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('0') => '\0',
            _ => '\\',
        };
        if letter == '\\' {
            if matches!(letters.peek(), Some('n' | 'r' | '0' | '\\')) {
                letters.next();
            }
            plain.push(escaped);
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// The cells of a row, `None` where there is nothing.
fn split(row: &str) -> Result<Vec<Option<Cow<'_, str>>>, String> {
    let mut cells = Vec::with_capacity(20);
    let mut rest = row;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (cell, after) = unquote(quoted).ok_or("a quote is not closed")?;
                (Some(cell), after)
            }
            None => {
                let (cell, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                ((!cell.is_empty()).then_some(Cow::Borrowed(cell)), after)
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None if after.is_empty() => return Ok(cells),
            None => return Err(format!("cell {} goes on after its quotes", cells.len())),
        }
    }
}

/// Takes a cell up to its closing quote; two quotes are one.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut from = 0;
    loop {
        let quote = from + text[from..].find('"')?;
        let after = &text[quote + 1..];
        if !after.starts_with('"') {
            let cell = &text[..quote];
            let is_plain = from == 0;
            let cell = if is_plain { cell.into() } else { cell.replace("\"\"", "\"").into() };
            return Some((cell, after));
        }
        from = quote + 2;
    }
}

struct Cells<'a> {
    names: &'a [String],
    cells: Vec<Option<Cow<'a, str>>>,
}

impl Cells<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let place = self.names.iter().position(|other| other == name)?;
        self.cells.get(place)?.as_deref()
    }

    fn needed(&self, name: &str) -> Result<&str, String> {
        self.get(name).ok_or_else(|| format!("it has no `{name}`"))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(unescape)
    }

    fn number(&self, name: &str) -> Result<Option<u64>, String> {
        self.get(name).map(|text| parse(name, text)).transpose()
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("its `{name}` is `{text}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        let parts = ["", "a", "\\", "n", "\n", "\r", "\0", "\"", ",", " "];
        for one in parts {
            for two in parts {
                for three in parts {
                    let text = [one, two, three].concat();
                    let mut row = Vec::new();
                    let mut cells = Row { to: &mut row, is_first: true };
                    cells.text(Some(&text));
                    cells.text(None);
                    let row = String::from_utf8(row).unwrap();
                    assert!(!row.contains(['\n', '\r', '\0']));
                    let cells = split(&row).unwrap();
                    assert_eq!(cells.len(), 2, "{row}");
                    assert_eq!(cells[0].as_deref().map(unescape), Some(text));
                    assert_eq!(cells[1], None);
                }
            }
        }
    }
}
