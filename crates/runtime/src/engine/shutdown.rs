//! The end of a session: no new runs, wait, tell the live ones to stop, and never for ever.

use redengine_core::Timestamp;

use super::Engine;
use super::agenda::Key;
use super::runs::{RunKey, RunState};
use super::subject::Subject;
use crate::effect::{Effect, Report};
use crate::error::RunError;
use std::time::Duration;

/// How long the log has to take the last records when runs were told to stop.
const LAST_RECORDS: Duration = Duration::from_secs(5);

/// How far a session is from its end.
#[derive(Debug)]
pub(super) enum Phase {
    /// It runs.
    Running,
    /// Live runs may end.
    Draining { result: Result<(), RunError>, deadline: Key },
    /// Live runs were told to stop.
    Stopping { result: Result<(), RunError>, deadline: Key },
    /// It is over.
    Over,
}

impl Phase {
    pub(super) fn is_over(&self) -> bool {
        !matches!(self, Self::Running)
    }

    /// Tells the subject of its deadline.
    pub(super) fn deadline(&self) -> Option<Key> {
        match self {
            Self::Draining { deadline, .. } | Self::Stopping { deadline, .. } => Some(*deadline),
            Self::Running | Self::Over => None,
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self, Self::Stopping { .. })
    }
}

impl Engine {
    /// Ends the session in order; a second time, now.
    pub(super) fn shut_down(
        &mut self,
        result: Result<(), RunError>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if self.phase.is_over() {
            // Errors that come while it ends do not make it end faster.
            if result.is_ok() {
                self.stop_all(now, effects);
            }
            return;
        }
        let deadline = self.subjects.add(Subject::Deadline);
        self.agenda.set(deadline, Some(now.after(self.config.shutdown_deadline)));
        self.phase = Phase::Draining { result, deadline };
        effects.push(Effect::Report(Report::ShuttingDown { live: self.runs.len() }));
    }

    pub(super) fn shut_down_now(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.phase.is_over() {
            self.shut_down(Ok(()), now, effects);
        }
        self.stop_all(now, effects);
    }

    fn stop_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Draining { result, deadline } => Phase::Stopping { result, deadline },
            other => {
                self.phase = other;
                return;
            }
        };
        if let Phase::Stopping { deadline, .. } = &self.phase {
            let patience = self.config.termination_grace + LAST_RECORDS;
            self.agenda.set(*deadline, Some(now.after(patience)));
        }
        let keys: Vec<RunKey> = self.runs.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.stop(key, "the session shuts down", now, effects);
            self.end_patience(key, now);
        }
    }

    /// Gives a run that was told to stop earlier, and blocks its thread still, one last grace.
    fn end_patience(&mut self, key: RunKey, now: Timestamp) {
        let Some(run) = self.runs.get_mut(key) else { return };
        if let (RunState::Stopping { .. }, Some(timer)) = (&run.state, run.timer) {
            self.agenda.set(timer, Some(now.after(self.config.termination_grace)));
        }
    }

    /// The deadline of the shutdown has passed.
    pub(super) fn deadline(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Draining { .. } => self.stop_all(now, effects),
            Phase::Stopping { .. } => self.finish(effects),
            Phase::Running | Phase::Over => {}
        }
    }

    /// Tells what the log has not taken: these runs will count as crashed.
    fn tell_unwritten(&self, effects: &mut Vec<Effect>) -> Result<(), RunError> {
        let mut ends = Vec::new();
        for (_, run) in self.runs.iter() {
            if let RunState::Ending { action, .. } = run.state {
                let task = run.definition.name.clone();
                ends.push((task.clone(), action));
                effects.push(Effect::Report(Report::Unwritten { task, run: run.id, action }));
            }
        }
        if ends.is_empty() {
            return Ok(());
        }
        Err(RunError::Unwritten { ends, error: self.log_down.clone() })
    }

    pub(super) fn finish_if_over(&mut self, effects: &mut Vec<Effect>) {
        if self.phase.is_over() && self.runs.len() == 0 {
            self.finish(effects);
        }
    }

    fn finish(&mut self, effects: &mut Vec<Effect>) {
        if let Phase::Draining { result, .. } | Phase::Stopping { result, .. } =
            std::mem::replace(&mut self.phase, Phase::Over)
        {
            for slot in &mut self.tasks {
                let dropped = slot.requests.take().map_or(0, |requests| requests.len());
                if let (Some(definition), 1..) = (&slot.definition, dropped) {
                    let task = definition.name.clone();
                    effects.push(Effect::Report(Report::Unserved { task, requests: dropped }));
                }
            }
            let unwritten = self.tell_unwritten(effects);
            effects.push(Effect::Finish(result.and(unwritten)));
        }
    }
}
