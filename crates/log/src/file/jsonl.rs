//! Records as JSON lines.

use std::borrow::Cow;

use redengine_core::record::{Details, Reason, Record, Recorded, Seq};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::format::{Bad, Format, Line, VERSION, check_version, instant, read_instant, seconds};
use crate::memory::restore::Marks;

/// The format of [`JsonlLog`](crate::JsonlLog).
#[derive(Clone, Copy, Debug, Default)]
pub struct Jsonl;

/// The fields in the order in which they are written. Unknown ones are not looked at.
#[derive(Serialize, Deserialize)]
struct Fields<'a> {
    seq: u64,
    at: Cow<'a, str>,
    task: Cow<'a, str>,
    action: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none", skip_deserializing)]
    duration: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    causes: Cow<'a, [String]>,
    run: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt: Option<u64>,
    // Outside of `Option`, a `null` is a value.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    output: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output_text: Option<Cow<'a, str>>,
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    params: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    params_text: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    more: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failures: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Cow<'a, str>>,
    #[serde(default = "first_version")]
    v: u64,
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn first_version() -> u64 {
    1
}

/// Splits a text that should be JSON into what can be written as it is, and what cannot.
fn json(text: Option<&str>) -> (Option<&RawValue>, Option<Cow<'_, str>>) {
    let Some(text) = text else { return (None, None) };
    match serde_json::from_str::<&RawValue>(text) {
        // It must come back letter by letter, and in one line.
        Ok(value) if value.get() == text && !text.contains(['\n', '\r']) => (Some(value), None),
        _ => (None, Some(text.into())),
    }
}

impl Format for Jsonl {
    const NAME: &'static str = "JSON lines";
    const HEADER: Option<&'static str> = None;
    const BEGINS: &'static [u8] = b"{\"seq\":";
    type Columns = ();

    fn columns(_: &str) -> Result<(), String> {
        Ok(())
    }

    fn encode(line: &Line, to: &mut Vec<u8>) {
        let Line { recorded, marks, more } = line;
        let Recorded { seq, record } = recorded;
        let details = record.details.as_deref();
        let (output, output_text) = json(details.and_then(|details| details.output.as_deref()));
        let (params, params_text) = json(details.and_then(|details| details.params.as_deref()));
        let reason = details.and_then(|details| details.reason.as_ref());
        let text = |of: fn(&Details) -> Option<&str>| details.and_then(of).map(Cow::Borrowed);
        let fields = Fields {
            seq: seq.0,
            at: instant(record.at).into(),
            task: (*record.task).into(),
            action: record.action.as_str().into(),
            duration: seconds(recorded),
            reason: reason.map(|reason| reason.message().into()),
            causes: reason.map(Reason::causes).unwrap_or_default().into(),
            run: record.run.to_string().into(),
            started: (record.started != record.at).then(|| instant(record.started).into()),
            due: record.due.map(|due| instant(due).into()),
            node: text(|details| details.node.as_deref()),
            attempt: details.and_then(|details| details.attempt),
            output,
            output_text,
            params,
            params_text,
            trace: text(|details| details.trace.as_deref()),
            more: *more,
            count: marks.count,
            failures: marks.failures,
            ended: marks.ended.map(|action| action.as_str().into()),
            v: VERSION,
        };
        // OK because memory takes all that is written, and texts and numbers are always JSON.
        serde_json::to_writer(&mut *to, &fields).expect("a record is JSON");
        to.push(b'\n');
    }

    fn is_whole((): &(), text: &str) -> bool {
        // A part of an object is no JSON.
        text.trim_end().ends_with('}')
    }

    fn decode((): &(), text: &str) -> Result<Line, Bad> {
        #[derive(Deserialize)]
        struct Version {
            #[serde(default = "first_version")]
            v: u64,
        }
        let read = serde_json::from_str::<Fields<'_>>(text);
        // A newer version may have other fields altogether.
        if let Ok(Version { v }) = serde_json::from_str(text) {
            check_version(v)?;
        }
        let fields = read.map_err(|error| format!("{error}"))?;
        let at = read_instant("at", &fields.at)?;
        let instant = |field, text: Option<Cow<'_, str>>| {
            text.map(|text| read_instant(field, &text)).transpose()
        };
        let mut details = Details::default();
        details.node = fields.node.map(Into::into);
        let causes = fields.causes.into_owned();
        let reason = fields.reason.map(|message| Reason::new(message).with_causes(causes));
        details.reason = reason;
        let raw = |raw: &RawValue| raw.get().to_owned();
        details.output = fields.output.map(raw).or(fields.output_text.map(Cow::into_owned));
        details.attempt = fields.attempt;
        details.params = fields.params.map(raw).or(fields.params_text.map(Cow::into_owned));
        details.trace = fields.trace.map(Into::into);
        let record = Record {
            task: fields.task.into(),
            run: fields.run.parse().map_err(|error| format!("its `run`: {error}"))?,
            action: fields.action.parse().map_err(|error| format!("{error}"))?,
            at,
            started: instant("started", fields.started)?.unwrap_or(at),
            due: instant("due", fields.due)?,
            details: details.shared(),
        };
        let ended = fields.ended.map(|action| action.parse()).transpose();
        let marks = Marks {
            count: fields.count,
            failures: fields.failures,
            ended: ended.map_err(|error| format!("{error}"))?,
        };
        Ok(Line { recorded: Recorded { seq: Seq(fields.seq), record }, marks, more: fields.more })
    }
}
