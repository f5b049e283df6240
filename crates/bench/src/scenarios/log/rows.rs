//! The records: runs of many tasks that begin and end in turn.

use std::sync::Arc;

use redengine::Timestamp;
use redengine::record::{Action, Details, Record, Recorded, RunId, Seq};
use redengine::runlog::{Append, Expect};

use super::recorded;

/// Makes the same records each time.
pub(crate) struct Rows {
    tasks: Vec<Arc<str>>,
    /// The last number of each task.
    latest: Vec<Option<Seq>>,
    /// The begun runs of a round, which all begin before the first of them ends.
    begun: Vec<Record>,
    node: Option<Arc<Details>>,
    next: u64,
    last: u64,
}

impl Rows {
    pub(crate) fn new(tasks: usize) -> Self {
        Self {
            tasks: (0..tasks).map(|number| format!("task {number}").into()).collect(),
            latest: vec![None; tasks],
            begun: Vec::new(),
            node: Details::default().with_node("host:4711").shared(),
            next: 0,
            last: 0,
        }
    }

    pub(crate) fn tasks(&self) -> &[Arc<str>] {
        &self.tasks
    }

    /// The next ones: so many that begin, and after them their ends. None expects another of them.
    pub(crate) fn next(&mut self, together: usize) -> Vec<Append> {
        let ends: Vec<Append> =
            self.begun.drain(..).map(|begun| end(begun, self.node.clone())).collect();
        if !ends.is_empty() {
            return ends;
        }
        let mut appends = Vec::with_capacity(together);
        for _ in 0..together {
            let task = usize::try_from(self.next).unwrap_or(0) % self.tasks.len();
            // A thousand runs a second since 2026.
            let at = Timestamp::from_micros(1_790_000_000_000_000 + self.next.cast_signed() * 1000);
            let mut random = [7; 10];
            random[..8]
                .copy_from_slice(&self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
            let record = Record {
                task: Arc::clone(&self.tasks[task]),
                run: RunId::new(at, random),
                action: Action::Run,
                at,
                started: at,
                due: Some(at),
                details: self.node.clone(),
            };
            self.begun.push(record.clone());
            appends.push(Append { record, expect: Expect::Latest(self.latest[task]) });
            self.next += 1;
        }
        appends
    }

    /// Numbers records as a log would.
    pub(crate) fn number(&self, appends: Vec<Append>) -> Vec<Recorded> {
        (self.last + 1..).zip(appends).map(|(seq, append)| recorded(seq, append.record)).collect()
    }

    /// Takes the numbers that records got.
    pub(crate) fn note(&mut self, records: &[Recorded]) {
        for Recorded { seq, record } in records {
            let number = record.task.strip_prefix("task ").and_then(|number| number.parse().ok());
            // OK because these are the names that were made above.
            let latest: &mut Option<Seq> = &mut self.latest[number.unwrap_or(0usize)];
            *latest = (*latest).max(Some(*seq));
            self.last = self.last.max(seq.0);
        }
    }
}

/// Every seventh run fails.
fn end(begun: Record, node: Option<Arc<Details>>) -> Append {
    let at = Timestamp::from_micros(begun.at.as_micros() + 1_500_000);
    let action = if begun.run.as_bytes()[15] % 7 == 3 { Action::Fail } else { Action::Success };
    let record = Record { action, at, due: None, details: node, ..begun };
    Append { record, expect: Expect::Open }
}
