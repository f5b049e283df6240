//! What a line of a file holds, whatever it looks like.
//!
//! Always: one line is one record, and no record has a line break in it, so that a torn end is seen
//! and anybody can search a file by lines.

use std::fmt;

use redengine_core::record::Recorded;
use redengine_core::time::Timestamp;

use crate::memory::restore::Marks;

/// The format of the files that are written. A version that only adds fields does not raise it.
pub(crate) const VERSION: u64 = 1;

/// A line of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub(crate) recorded: Recorded,
    pub(crate) marks: Marks,
    /// How many lines of its batch come after it: a batch is there whole or not at all.
    pub(crate) more: u64,
}

/// Why a line cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Bad {
    /// It is no record.
    Line(String),
    /// A newer version wrote it, which says that this one would not understand it.
    Version(u64),
}

impl From<String> for Bad {
    fn from(why: String) -> Self {
        Self::Line(why)
    }
}

/// How lines are written and read.
pub trait Format: Copy + Default + fmt::Debug + Send + Sync + 'static {
    /// What people call it.
    const NAME: &'static str;
    /// The first line of each file.
    const HEADER: Option<&'static str>;
    /// How each line begins that we write.
    const BEGINS: &'static [u8];
    /// Which field is where; told by the header.
    type Columns: Default + Send;

    /// Reads a header.
    fn columns(header: &str) -> Result<Self::Columns, String>;

    /// Writes a line, with its end.
    fn encode(line: &Line, to: &mut Vec<u8>);

    /// Tells whether a line without its end lacks nothing else, if it can be read.
    fn is_whole(columns: &Self::Columns, text: &str) -> bool;

    /// Reads a line without its end.
    fn decode(columns: &Self::Columns, text: &str) -> Result<Line, Bad>;
}

/// Writes an instant as people read it; one of before or after the years that have a name is a number.
pub(crate) fn instant(at: Timestamp) -> String {
    let text = at.to_string();
    if Timestamp::from(at.to_utc()) == at { text } else { at.as_micros().to_string() }
}

/// Reads an instant.
pub(crate) fn read_instant(field: &str, text: &str) -> Result<Timestamp, String> {
    let number = || text.parse().map(Timestamp::from_micros);
    text.parse().or_else(|error| number().map_err(|_| error)).map_err(|error| {
        format!("its `{field}` is `{text}`: {error}; write it as `2026-11-24T07:00:00Z`")
    })
}

/// How many seconds a run took, for people: it is not read.
pub(crate) fn seconds(recorded: &Recorded) -> Option<f64> {
    recorded.record.action.ends().then(|| recorded.record.duration().as_secs_f64())
}

pub(crate) fn check_version(version: u64) -> Result<(), Bad> {
    if version > VERSION { Err(Bad::Version(version)) } else { Ok(()) }
}
