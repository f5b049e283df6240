//! Records as the tests of each repository append them, and what errors must say.

use redengine_core::Timestamp;
use redengine_core::record::{Action, Record, RunId, Seq};
use redengine_core::runlog::{Append, Expect, LogError, LogErrorKind};

pub(crate) fn begin(task: &str, run: u128, second: i64) -> Record {
    let at = Timestamp::from_micros(second * 1_000_000);
    Record {
        task: task.into(),
        run: RunId::from_bytes(run.to_be_bytes()),
        action: Action::Run,
        at,
        started: at,
        due: None,
        details: None,
    }
}

pub(crate) fn latest(record: Record, seq: Option<Seq>) -> Append {
    Append { record, expect: Expect::Latest(seq) }
}

pub(crate) fn end(record: &Record, action: Action) -> Append {
    Append { record: Record { action, ..record.clone() }, expect: Expect::Open }
}

#[track_caller]
pub(crate) fn assert_says(error: &LogError, kind: LogErrorKind, words: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(words), "{error:?}");
}
