//! Each opportunity of a task is taken once, or skipped with a reason.
//!
//! Always: whether there was one is computed here from the records before, not by the engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Seq};

use super::checker::{Findings, NEEDED, Run, Wrong, clock, line};
use super::spans::Spans;
use super::tasks::{Opportunities, Planned};

/// What is checked of a task.
struct Task<'a> {
    name: &'a Arc<str>,
    runs: &'a [Run<'a>],
    /// When somebody was well and no run of it was live.
    free: Spans,
    closing: Timestamp,
}

/// Checks the opportunities of a task.
pub(super) fn check<'a>(
    planned: &'a Planned,
    of: &impl Fn(&Arc<str>) -> &'a [Run<'a>],
    well: &Spans,
    closing: Timestamp,
    findings: &mut Findings,
) {
    let runs = of(&planned.name);
    let live: Spans = runs.iter().map(|run| (run.begin.at, run.until())).collect();
    let task = Task { name: &planned.name, runs, free: well.without(&live), closing };
    if runs.is_empty() && !matches!(planned.opportunities, Opportunities::After(..)) {
        task.was_open(Timestamp::default(), closing, "it never ran", findings);
        return;
    }
    match &planned.opportunities {
        Opportunities::Every(interval) => task.every(*interval, None, findings),
        Opportunities::EveryOrRetry(interval, pause) => {
            task.every(*interval, Some(*pause), findings);
        }
        Opportunities::Slots(each, open) => task.slots(*each, *open, &|_| false, findings),
        Opportunities::Secondly => {
            let second = Duration::from_secs(1);
            let crashed =
                |run: &Run<'_>| run.end.is_some_and(|end| end.record.action == Action::Crash);
            task.slots(second, second, &crashed, findings);
        }
        Opportunities::After(upstream, actions) => task.after(of(upstream), actions, findings),
    }
}

impl Task<'_> {
    /// An opportunity was open from here until there, or until it was taken.
    fn was_open(&self, from: Timestamp, until: Timestamp, why: &str, findings: &mut Findings) {
        if self.free.longest(from, until) > NEEDED {
            let what = format!(
                "{} could have run between {} and {} ({why}), and did not",
                self.name,
                clock(from),
                clock(until)
            );
            let near = self.runs.iter().filter(|run| run.until() >= from).take(1);
            let before = self.runs.iter().rfind(|run| run.begin.at < from);
            let lines = before.into_iter().chain(near).flat_map(Run::lines).collect();
            findings.add(Wrong::Vanished, what, lines);
        }
    }

    /// Each run is due an interval after the last one was, or after its start if it was late.
    fn every(&self, interval: Duration, retry: Option<Duration>, findings: &mut Findings) {
        for (place, run) in self.runs.iter().enumerate() {
            let begin = run.begin;
            let on_time = begin.due.filter(|due| begin.at.since(*due) <= interval);
            let due = on_time.unwrap_or(begin.at).after(interval);
            let next = self.runs.get(place + 1);
            self.was_open(
                due,
                next.map_or(self.closing, |next| next.begin.at),
                "its interval was over",
                findings,
            );
            let Some(next) = next.map(|next| next.begin) else { continue };
            let failed = run.end.filter(|end| end.record.action == Action::Fail);
            let again = retry.zip(failed).map(|(pause, end)| end.record.at.after(pause));
            if next.at < due && again.is_none_or(|again| next.at < again) {
                let what = format!("{} was due at {} and ran before", self.name, clock(due));
                findings.add(Wrong::Duplicate, what, vec![run.lines()[0].clone(), line(next)]);
            } else if retry.is_none() && next.due != Some(due) {
                let what =
                    format!("{} was due at {}, and the log says otherwise", self.name, clock(due));
                findings.add(Wrong::Contradiction, what, vec![run.lines()[0].clone(), line(next)]);
            }
        }
    }

    /// Each slot has one run; another one only if the others `may_repeat`.
    fn slots(
        &self,
        each: Duration,
        open: Duration,
        may_repeat: &dyn Fn(&Run<'_>) -> bool,
        findings: &mut Findings,
    ) {
        let length = i64::try_from(each.as_micros()).unwrap_or(i64::MAX);
        let slot_of = |at: Timestamp| at.as_micros().div_euclid(length);
        let slot = |run: &Run<'_>| slot_of(run.begin.due.unwrap_or(run.begin.at));
        for pair in self.runs.windows(2) {
            if slot(&pair[0]) == slot(&pair[1]) && !may_repeat(&pair[0]) {
                let what = format!("{} ran twice at one time", self.name);
                findings.add(Wrong::Duplicate, what, pair.iter().flat_map(Run::lines).collect());
            }
        }
        let taken: BTreeSet<i64> = self.runs.iter().map(slot).collect();
        let Some(first) = taken.first() else { return };
        for number in (*first..slot_of(self.closing)).filter(|number| !taken.contains(number)) {
            findings.skipped += 1;
            let from = Timestamp::from_micros(number * length);
            self.was_open(from, from.after(open), "nothing ran at that time", findings);
        }
    }

    /// Each run has something new before it, and what is new has a run after it.
    fn after(&self, upstream: &[Run<'_>], actions: &[Action], findings: &mut Findings) {
        let ends = upstream.iter().filter_map(|run| run.end);
        let ends: Vec<_> = ends.filter(|end| actions.contains(&end.record.action)).collect();
        let mut last = Seq(0);
        for run in self.runs {
            if !ends.iter().any(|end| last < end.seq && end.seq < run.seq) {
                let what = format!("{} ran again with nothing new before it", self.name);
                findings.add(Wrong::Duplicate, what, run.lines());
            }
            last = run.seq;
        }
        for end in &ends {
            let next = self.runs.iter().find(|run| run.seq > end.seq);
            let until = next.map_or(self.closing, |next| next.begin.at);
            self.was_open(end.written, until, "what it comes after had ended", findings);
        }
    }
}
