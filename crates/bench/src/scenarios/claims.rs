//! Four nodes that claim runs on one server, in bursts.
//!
//! A claim is the `run` record that a node must win before it starts a run. The runs end between the
//! bursts, and that is not counted. Once each node claims its own tasks, and once all want the same.

use std::sync::Arc;

use redengine::Timestamp;
use redengine::record::{Action, Details, Record, RunId, Seq};
use redengine::runlog::{Append, Appended, Expect, LogError, RunLog};
use redengine_log::PostgresLog;
use tokio::task::JoinSet;

use super::Size;
use super::log::{float, server};
use crate::clock::Stopwatch;
use crate::harness::Figures;

const NODES: usize = 4;

/// A node claims so many runs at once.
const BURST: usize = 512;

/// What the nodes want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Apart,
    TheSame,
}

pub(super) async fn run(size: Size) -> Result<Figures, String> {
    let mut figures = Figures::default();
    for (want, name) in [(Want::Apart, "apart"), (Want::TheSame, "the_same")] {
        let (claims, seconds) = measure(want, size.seconds / 2.0).await?;
        figures.put(&format!("{name}_per_s"), (float(claims) / seconds).round());
        figures.put(&format!("{name}_claims"), claims);
    }
    Ok(figures)
}

/// Tells how many runs were claimed, and in how many seconds.
async fn measure(want: Want, seconds: f64) -> Result<(usize, f64), String> {
    let explain = |error: LogError| error.to_string();
    let url = server()?.url_of_new_schema();
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Arc::new(PostgresLog::connect(&url).await.map_err(explain)?));
    }
    let tasks = if want == Want::Apart { NODES * BURST } else { BURST };
    let mut tasks = Tasks::new(tasks);
    let (mut claims, mut took) = (0, 0.0);
    for round in 0_u64.. {
        let batches: Vec<Vec<Append>> = (0..NODES)
            .map(|node| {
                let first = if want == Want::Apart { node * BURST } else { 0 };
                tasks.begin(node, round, first)
            })
            .collect();
        let mut bursts = JoinSet::new();
        let clock = Stopwatch::start();
        for (log, batch) in nodes.iter().zip(batches) {
            let log = Arc::clone(log);
            bursts.spawn(async move { log.append(batch).await });
        }
        let answers = bursts.join_all().await;
        took += clock.seconds();
        let mut won = Vec::new();
        for answers in answers {
            won.extend(answers.map_err(explain)?.into_iter().filter_map(|answer| match answer {
                Appended::Won(recorded) => Some(recorded.record),
                Appended::Lost => None,
            }));
        }
        claims += won.len();
        let ends = nodes[0].append(won.into_iter().map(end).collect()).await.map_err(explain)?;
        tasks.note(&ends);
        if took >= seconds {
            break;
        }
    }
    Ok((claims, took))
}

/// The tasks, and the number of the last record of each.
struct Tasks {
    names: Vec<Arc<str>>,
    latest: Vec<Option<Seq>>,
}

impl Tasks {
    fn new(count: usize) -> Self {
        let names = (0..count).map(|number| format!("task {number}").into()).collect();
        Self { names, latest: vec![None; count] }
    }

    /// What a node wants to begin in a round.
    fn begin(&self, node: usize, round: u64, first: usize) -> Vec<Append> {
        let details = Details::default().with_node(format!("node {node}")).shared();
        let begin = |place: usize| {
            let at =
                Timestamp::from_micros(1_790_000_000_000_000 + round.cast_signed() * 1_000_000);
            let mut random = [0; 10];
            let which = (round * BURST as u64 + place as u64) * NODES as u64 + node as u64;
            random[..8].copy_from_slice(&which.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
            let record = Record {
                task: Arc::clone(&self.names[place]),
                run: RunId::new(at, random),
                action: Action::Run,
                at,
                started: at,
                due: Some(at),
                details: details.clone(),
            };
            Append { record, expect: Expect::Latest(self.latest[place]) }
        };
        (first..first + BURST).map(begin).collect()
    }

    /// Takes the numbers of the last records.
    fn note(&mut self, ends: &[Appended]) {
        for end in ends {
            if let Appended::Won(recorded) = end {
                let name = recorded.record.task.strip_prefix("task ");
                // OK because these are the names that were made above.
                let place: usize = name.and_then(|number| number.parse().ok()).unwrap_or(0);
                self.latest[place] = Some(recorded.seq);
            }
        }
    }
}

fn end(begun: Record) -> Append {
    let record = Record { action: Action::Success, due: None, ..begun };
    Append { record, expect: Expect::Open }
}
