//! When somebody could have begun a run: what the nodes' beats, the faults and the log's silence tell.
//!
//! Always: what excuses a session from starting something is not its own word alone. That it is down
//! counts while something goes wrong and shortly after, and is a violation at other times.

use std::time::Duration;

use redengine_core::Timestamp;

use super::checker::Evidence;
use super::faults::Fault;
use super::spans::{Span, Spans};

/// Who does not beat for so long does not live, or is not let to.
const BREATH: Duration = Duration::from_millis(200);

/// So long without a record of anybody, while something goes wrong, is no answer of the log.
const SILENCE: Duration = Duration::from_millis(250);

/// So long after a fault of the log nodes may need to notice that it is over, and those that are not well
/// for longer say so. Who has lost the connection that tells of others' records asks once a second.
const fn recovery(fault: Fault) -> Duration {
    Duration::from_millis(if matches!(fault, Fault::Cut | Fault::Stop) { 1300 } else { 300 })
}

/// When something goes wrong that others may suffer from, and shortly after. A process that is killed
/// holds nothing: that is no excuse for anybody else.
fn causes(evidence: &Evidence) -> Spans {
    let of_others = evidence.faults.iter().filter(|(fault, _)| *fault != Fault::Kill);
    let span = |(_, (since, until)): &(Fault, Span)| {
        // Pauses between tries double, so who finds the log again may do so twice as late.
        let after = (until.since(*since) * 2).max(Duration::from_secs(3));
        (*since, until.after(after))
    };
    of_others.map(span).collect()
}

/// Tells when a process lived and its session was well.
fn alive(beats: &[(Timestamp, bool)]) -> impl Iterator<Item = Span> {
    let pairs = beats.windows(2).filter(|pair| pair[0].1 && pair[1].1);
    pairs.filter(|pair| pair[1].0.since(pair[0].0) <= BREATH).map(|pair| (pair[0].0, pair[1].0))
}

/// Tells whether a process was well at an instant and for half a second before: then it has its lease,
/// and nobody may take it for gone.
pub(super) fn was_well(evidence: &Evidence, process: u32, at: Timestamp) -> bool {
    let before = at.before(Duration::from_millis(500));
    let beats = evidence.effects.beats.get(&process).map_or(&[][..], Vec::as_slice);
    alive(beats).collect::<Spans>().longest(before, at) == at.since(before)
}

/// Tells when there was a node that was well, and the log answered.
pub(super) fn well(evidence: &Evidence, written: &[Timestamp]) -> Spans {
    let alive: Spans = evidence.effects.beats.values().flat_map(|beats| alive(beats)).collect();
    let of_log = evidence.faults.iter().filter(|(fault, _)| fault.is_of_log());
    let outages: Spans =
        of_log.map(|(fault, (from, until))| (*from, until.after(recovery(*fault)))).collect();
    let gaps = written.windows(2).filter(|pair| pair[1].since(pair[0]) >= SILENCE);
    let silent: Spans = gaps.map(|pair| (pair[0], pair[1])).collect();
    alive.without(&outages).without(&silent.and(&causes(evidence)))
}

/// Tells when a node was down though nothing went wrong: once for each process.
pub(super) fn down_without_cause(evidence: &Evidence) -> Vec<(u32, Timestamp)> {
    let causes = causes(evidence);
    let first = |(process, beats): (&u32, &Vec<(Timestamp, bool)>)| {
        let running = beats.iter().skip_while(|(_, is_well)| !is_well);
        let before = running.take_while(|(at, _)| *at < evidence.closing);
        let mut down = before.filter(|(at, is_well)| !is_well && !causes.contains(*at));
        down.next().map(|(at, _)| (*process, *at))
    };
    evidence.effects.beats.iter().filter_map(first).collect()
}
