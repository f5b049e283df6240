//! The life of a run, from the answer to its claim to the record of its end.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::param::RunInfo;
use redengine_core::record::{Action, Details, Reason, Record};
use redengine_core::runlog::{Append, Appended, Expect};
use redengine_core::session::{Config, Definition, Ended};
use redengine_core::task::{Body, Execution, Output, Timeout};
use redengine_core::time::duration::display;
use redengine_core::{TaskId, Timestamp};

use super::Engine;
use super::runs::{Forced, RunKey, RunState};
use super::subject::Subject;
use crate::effect::{Effect, Report, Ticket};
use crate::error::RunError;
use crate::event::BodyEnd;

impl Engine {
    pub(super) fn appended(
        &mut self,
        key: RunKey,
        appended: Appended,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let task = run.task();
        match (&run.state, appended) {
            (RunState::Claiming, Appended::Won(recorded)) => {
                let node = recorded.record.details.as_ref().and_then(|told| told.node.as_ref());
                let is_of_another = node.is_some_and(|node| *node != self.node);
                run.state = RunState::Live;
                self.apply(task, &recorded);
                if self.lease_lost || is_of_another {
                    // The answer came too late: others may have taken over already.
                    let why = "its session's lease may have ended before it began".into();
                    let output = Output::default();
                    self.append_end(key, Action::Crash, Some(why), output, now, effects);
                    return;
                }
                // The record may have been followed before; but only what has begun can be stopped.
                if let Some(end) = self.tasks.get(task.index()).and_then(|slot| slot.end) {
                    self.make_ready(end);
                }
                self.start(key, now, effects);
            }
            (RunState::Claiming, Appended::Lost) => {
                self.drop_claim(key);
                self.reread(task);
                self.send_reads(effects);
            }
            (RunState::Ending { .. }, Appended::Won(recorded)) => {
                self.apply(task, &recorded);
                self.gone(key, effects);
            }
            (RunState::Ending { .. }, Appended::Lost) => {
                // Somebody else has ended it: this session was taken for dead. What the log has counts.
                let reason = Some("others had taken over when it ended".into());
                let output = Output::default();
                let (action, took) = (Action::Crash, now.since(run.since));
                run.state = RunState::Ending { action, took, reason, output };
                self.gone(key, effects);
                self.reread(task);
                self.send_reads(effects);
            }
            (RunState::Live | RunState::Stopping { .. }, _) => {}
        }
    }

    /// Forgets a run that did not begin; a request for it is served later.
    pub(super) fn drop_claim(&mut self, key: RunKey) -> Option<TaskId> {
        let run = self.runs.remove(key)?;
        let task = run.task();
        let slot = &mut self.tasks[task.index()];
        slot.own -= 1;
        if slot.own == 0 {
            self.replaced.remove(&task);
        }
        if let Some(forced) = run.forced {
            slot.requests.get_or_insert_default().push_front(forced);
        }
        Some(task)
    }

    pub(super) fn start(&mut self, key: RunKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let definition = run.definition.clone();
        if let Some(timeout) = timeout_of(&definition, &self.config) {
            let timer = self.subjects.add(Subject::Run(key));
            run.timer = Some(timer);
            run.timeout = Some(timeout);
            self.agenda.set(timer, Some(run.since.after(timeout)));
        }
        let task = definition.name.clone();
        let attempt = self.facts.history(definition.id).failures_in_a_row() + 1;
        let info = RunInfo::new(task, run.id, run.started, run.due, run.forced.is_some())
            .with_attempt(attempt)
            .with_trace(run.forced.as_ref().and_then(Forced::trace));
        let params = run.forced.as_ref().map(|forced| forced.params.clone());
        let execution = run.execution;
        let value =
            |(name, task): &(&'static str, TaskId)| Some((*name, self.returns.get(task)?.clone()));
        let returns = definition.wants.iter().filter_map(value).collect();
        effects.push(Effect::Start(Ticket { key, definition, execution, info, params, returns }));
        if self.phase.is_stopping() {
            self.stop(key, "the session shuts down", now, effects);
        }
    }

    pub(super) fn ended(
        &mut self,
        key: RunKey,
        end: BodyEnd,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let why = match &mut run.state {
            RunState::Live => None,
            RunState::Stopping { reason } => Some(std::mem::take(reason)),
            // The end of a run that nobody waits for any longer.
            RunState::Claiming | RunState::Ending { .. } => return,
        };
        let mut failed = None;
        let (action, reason, output) = match (end, why) {
            (BodyEnd::Succeeded(output), _) => (Action::Success, None, output),
            (BodyEnd::Inaction, _) => (Action::Inaction, None, Output::default()),
            (BodyEnd::Failed(error), Some(why)) => (
                Action::Terminate,
                Some(
                    Reason::new(format!("{why}; it ended with: {}", error.message()))
                        .with_causes(error.causes().to_vec()),
                ),
                Output::default(),
            ),
            (BodyEnd::Failed(error), None) => (Action::Fail, Some(error), Output::default()),
            (BodyEnd::SetupFailed(error), _) => {
                let task = run.definition.name.clone();
                failed = Some(RunError::Prerun { task, reason: error.to_string() });
                (Action::Fail, Some(Reason::of(&error)), Output::default())
            }
            (BodyEnd::Aborted, why) => {
                let why = why.unwrap_or_else(|| "it was aborted".to_owned());
                (Action::Terminate, Some(why.into()), Output::default())
            }
        };
        self.append_end(key, action, reason, output, now, effects);
        if let Some(error) = failed.filter(|_| !self.config.silence_task_prerun) {
            self.shut_down(Err(error), now, effects);
        }
    }

    pub(super) fn append_end(
        &mut self,
        key: RunKey,
        action: Action,
        reason: Option<Reason>,
        output: Output,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let mut details = Details::default();
        details.reason.clone_from(&reason);
        details.output = output.json().map(str::to_owned);
        let record = Record {
            task: run.definition.name.clone(),
            run: run.id,
            action,
            // A clock that was set back must not make a run end before it began.
            at: now.max(run.started),
            started: run.started,
            due: run.due,
            details: details.shared(),
        };
        run.state = RunState::Ending { action, took: now.since(run.since), reason, output };
        if let Some(timer) = run.timer.take() {
            self.agenda.set(timer, None);
            self.subjects.release(timer);
        }
        effects.push(Effect::Append(key, Append { record, expect: Expect::Open }));
    }

    /// Lets go of a run whose end is in the log.
    pub(super) fn gone(&mut self, key: RunKey, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.remove(key) else { return };
        let task = run.task();
        let slot = &mut self.tasks[task.index()];
        slot.own -= 1;
        if slot.own == 0 {
            let start = slot.start;
            self.replaced.remove(&task);
            // The record of the end may have been followed before this session was told that it won,
            // and may be known for long: it is only now that nothing blocks the next run.
            if let Some(start) = start {
                self.make_ready(start);
            }
        }
        let RunState::Ending { action, took, reason, output } = run.state else { return };
        if action == Action::Success && !output.is_empty() {
            self.returns.insert(task, output);
        }
        if let Some(reply) = run.forced.and_then(|forced| forced.reply) {
            effects
                .push(Effect::Reply(reply, Ended { run: run.id, action, reason: reason.clone() }));
        }
        effects.push(Effect::Report(Report::Ended {
            task: run.definition.name.clone(),
            run: run.id,
            action,
            took,
            reason,
        }));
    }

    /// Goes on under another name: for the others, the session of the old one is gone, and so are
    /// its runs.
    pub(super) fn rename(&mut self, node: Arc<str>, now: Timestamp, effects: &mut Vec<Effect>) {
        self.begin = Details::default().with_node(node.clone()).shared();
        self.node = node;
        let keys: Vec<RunKey> = self.runs.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.stop(key, "its session's lease ended, and others have taken over", now, effects);
        }
        let tasks = self.tasks.iter().filter_map(|slot| slot.definition.as_ref());
        let tasks: Vec<TaskId> = tasks.map(|task| task.id).collect();
        for task in tasks {
            self.note_foreign(task);
        }
    }

    pub(super) fn stop_task(
        &mut self,
        task: TaskId,
        why: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let keys: Vec<RunKey> =
            self.runs.iter().filter(|(_, run)| run.task() == task).map(|(key, _)| key).collect();
        for key in keys {
            self.stop(key, why, now, effects);
        }
    }

    /// Tells a run to stop; after the grace it is aborted.
    pub(super) fn stop(
        &mut self,
        key: RunKey,
        why: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(run) = self.runs.get_mut(key) else { return };
        if !matches!(run.state, RunState::Live) {
            return;
        }
        run.state = RunState::Stopping { reason: why.to_owned() };
        let timer = *run.timer.get_or_insert_with(|| self.subjects.add(Subject::Run(key)));
        self.agenda.set(timer, Some(now.after(self.config.termination_grace)));
        let (task, run) = (run.definition.name.clone(), run.id);
        effects.push(Effect::Stop(key));
        effects.push(Effect::Report(Report::Stopping { task, run, reason: why.to_owned() }));
    }

    /// The timeout or the grace of a run is over.
    pub(super) fn run_timer(&mut self, key: RunKey, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let blocks =
            run.execution == Execution::Thread || matches!(run.definition.body, Body::Blocking(_));
        match &run.state {
            RunState::Live => {
                let timeout = run.timeout.unwrap_or_default();
                let why = format!("its timeout passed after {}", display(timeout));
                self.stop(key, &why, now, effects);
            }
            RunState::Stopping { .. } if !blocks => effects.push(Effect::Abort(key)),
            RunState::Stopping { reason } if self.phase.is_stopping() => {
                let reason = format!("{reason}; its thread did not end and was left behind");
                effects.push(Effect::Abandon(key));
                self.append_end(
                    key,
                    Action::Terminate,
                    Some(reason.into()),
                    Output::default(),
                    now,
                    effects,
                );
            }
            RunState::Stopping { .. } => {
                let (task, run) = (run.definition.name.clone(), run.id);
                effects.push(Effect::Report(Report::StillRunning { task, run }));
            }
            RunState::Claiming | RunState::Ending { .. } => {}
        }
    }
}

/// Tells after how long a run of a task is stopped.
fn timeout_of(definition: &Definition, config: &Config) -> Option<Duration> {
    match definition.policy.timeout {
        Some(Timeout::Never) => None,
        Some(Timeout::After(timeout)) => Some(timeout),
        None => config.timeout,
    }
}
