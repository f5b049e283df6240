//! What the log tells: records of own runs, of others, and pasts that were read again.

use redengine_core::facts::{History, Live};
use redengine_core::record::{Action, Recorded};
use redengine_core::task::{Execution, Output};
use redengine_core::{TaskId, Timestamp};

use super::agenda::Key;
use super::runs::{Run, RunState};
use super::subject::State;
use super::{Engine, Replaces};
use crate::effect::Effect;
use crate::event::Remembered;

impl Engine {
    /// Takes what the log has recorded, and wakes who waits for it.
    pub(super) fn apply(&mut self, task: TaskId, recorded: &Recorded) {
        let action = recorded.record.action;
        let details = recorded.record.details.as_ref();
        if action == Action::Run
            && let Some(node) = details.and_then(|details| details.node.as_ref())
        {
            self.turns.ran(task, node);
        }
        if let Some(since) = self.reads.deeper.get_mut(&task) {
            since.push(recorded.clone());
        }
        if !self.facts.apply(task, recorded) {
            return;
        }
        if action == Action::Success {
            // Of a run of this process the value itself follows; here is what the record says.
            match details.and_then(|details| details.output.clone()) {
                Some(output) => self.returns.insert(task, Output::from_json(output)),
                None => self.returns.remove(&task),
            };
        }
        self.note_foreign(task);
        self.watch.on_record(task, action, &mut self.woken);
        self.wake_woken();
        if let Some(slot) = self.tasks.get(task.index()) {
            // A run of this session blocks the next one: there is nothing to look at until it is gone.
            let start = slot.start.filter(|_| slot.own == 0);
            let end = slot.end;
            for key in [start, end].into_iter().flatten() {
                self.make_ready(key);
            }
        }
    }

    /// Notes whether a task has a live run of another session.
    pub(super) fn note_foreign(&mut self, task: TaskId) {
        if self.foreign_runs(task).next().is_some() {
            self.foreign.insert(task);
        } else {
            self.foreign.remove(&task);
        }
    }

    /// Tells the live runs of a task that are of other sessions.
    ///
    /// What runs here is of this session also if it began under a name that it had before; what it
    /// claimed under that name and never began is of somebody who is gone.
    pub(super) fn foreign_runs(&self, task: TaskId) -> impl Iterator<Item = &Live> {
        let has_own = self.tasks.get(task.index()).is_some_and(|slot| slot.own > 0);
        self.facts.history(task).live().iter().filter(move |live| {
            let is_own = || has_own && self.runs.iter().any(|(_, run)| run.id == live.run);
            live.node.as_ref() != Some(&self.node) && !is_own()
        })
    }

    /// Reads the past of a task again, and then looks at it.
    pub(super) fn reread(&mut self, task: TaskId) {
        let keep = self.facts.kept(task);
        self.reads.next.insert(task, keep);
        let start = self.tasks.get(task.index()).and_then(|slot| slot.start);
        if let Some(start) = start {
            self.wait_for_read(start);
        }
    }

    /// Lets a condition that looks further back than what is known of some tasks wait for their pasts.
    pub(super) fn read_deeper(&mut self, tasks: &[TaskId], key: Key) {
        if tasks.is_empty() {
            return;
        }
        for task in tasks {
            self.reads.next.insert(*task, self.facts.kept(*task));
            self.reads.next_deeper.insert(*task);
        }
        self.wait_for_read(key);
    }

    /// Reads the pasts of all tasks again and takes them as they are: the log lacks records that it had.
    /// No condition is looked at before.
    pub(super) fn reread_all(&mut self, effects: &mut Vec<Effect>) {
        self.reads.replaces = Replaces::Next;
        let mut keys = Vec::new();
        for (task, slot) in (0..).map(TaskId::at).zip(&self.tasks) {
            self.reads.next.insert(task, self.facts.kept(task));
            // What comes meanwhile may have numbers that are known, and would not count.
            self.reads.next_deeper.insert(task);
            keys.extend([slot.start, slot.end].into_iter().flatten());
        }
        keys.extend(self.shut.as_ref().map(|(key, _)| *key));
        // They were to be looked at after a read that may have begun before.
        let waiting = std::mem::take(&mut self.reads.waiting);
        self.reads.next_waiting.extend(waiting);
        for key in keys {
            self.wait_for_read(key);
        }
        self.send_reads(effects);
    }

    pub(super) fn wait_for_read(&mut self, key: Key) {
        if self.subjects.get(key).state == State::Reading {
            // What is under way may have been asked for too early.
            self.reads.waiting.retain(|waiting| *waiting != key);
            self.reads.next_waiting.retain(|waiting| *waiting != key);
        }
        self.stop_waiting(key);
        self.take_out(key);
        self.subjects.get_mut(key).state = State::Reading;
        self.reads.next_waiting.push(key);
    }

    /// Asks for the next reads, unless others are under way.
    pub(super) fn send_reads(&mut self, effects: &mut Vec<Effect>) {
        if self.reads.in_flight || self.reads.next_waiting.is_empty() && self.reads.next.is_empty()
        {
            return;
        }
        self.reads.in_flight = true;
        if self.reads.replaces == Replaces::Next {
            self.reads.replaces = Replaces::InFlight;
        }
        self.reads.waiting = std::mem::take(&mut self.reads.next_waiting);
        self.reads.deeper = self.reads.next_deeper.drain().map(|task| (task, Vec::new())).collect();
        effects.push(Effect::Read(self.reads.next.drain().collect()));
    }

    pub(super) fn read(
        &mut self,
        pasts: Vec<Remembered>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.reads.in_flight = false;
        if self.reads.replaces == Replaces::InFlight {
            self.reads.replaces = Replaces::None;
            self.replace_pasts(pasts, now, effects);
        } else {
            self.restore_pasts(pasts, now, effects);
        }
        // Of tasks that were removed meanwhile.
        self.reads.deeper.clear();
        for key in std::mem::take(&mut self.reads.waiting) {
            if self.subjects.get(key).state == State::Reading {
                self.subjects.get_mut(key).state = State::Fresh;
                self.ready.push(key);
            }
        }
        self.send_reads(effects);
    }

    fn restore_pasts(&mut self, pasts: Vec<Remembered>, now: Timestamp, effects: &mut Vec<Effect>) {
        for (task, history, output) in pasts {
            let before = self.facts.history(task).latest_seq();
            let after = history.latest_seq();
            // What was read before the last records came knows nothing of the runs they ended.
            if after >= before {
                let why = "it was claimed while the log failed, and never started";
                self.disown_runs(task, &history, why, now, effects);
            }
            // A value of this process is worth more than the same one from the log, which may be no
            // more than a part of it.
            if let Some(output) = output.filter(|_| after > before) {
                self.returns.insert(task, output);
            }
            let since = self.reads.deeper.remove(&task).unwrap_or_default();
            self.facts.restore(task, self.facts.caught_up(task, history, &since));
            if before != after {
                self.note_foreign(task);
                self.watch.on_history(task, &mut self.woken);
                self.wake_woken();
            }
        }
    }

    /// Takes the pasts of a log that lacks what was known of it.
    fn replace_pasts(&mut self, pasts: Vec<Remembered>, now: Timestamp, effects: &mut Vec<Effect>) {
        for (task, history, mut output) in pasts {
            let since = self.reads.deeper.remove(&task).unwrap_or_default();
            let history = self.facts.caught_up(task, history, &since);
            let success = |recorded: &&Recorded| recorded.record.action == Action::Success;
            if let Some(latest) = since.iter().rev().find(success) {
                let details = latest.record.details.as_ref();
                output = details.and_then(|told| told.output.clone()).map(Output::from_json);
            }
            let why = "the log lacks the record of its end, which it had";
            self.disown_runs(task, &history, why, now, effects);
            let success = |history: &History| history.last(Action::Success);
            if success(self.facts.history(task)) != success(&history) {
                match output {
                    Some(output) => self.returns.insert(task, output),
                    None => self.returns.remove(&task),
                };
            }
            self.facts.replace(task, history);
            self.note_foreign(task);
            self.watch.on_history(task, &mut self.woken);
            self.wake_woken();
        }
    }

    /// Ends runs that the log has of this session and that it does not run: it claimed them without
    /// hearing that it won, so never started them; or how they ended was lost.
    pub(super) fn disown_runs(
        &mut self,
        task: TaskId,
        history: &History,
        why: &str,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(definition) =
            self.tasks.get(task.index()).and_then(|slot| slot.definition.clone())
        else {
            return;
        };
        for live in history.live() {
            // To look through all runs is for the few pasts that have a live one of this session.
            let is_own = live.node.as_ref() == Some(&self.node);
            if is_own && !self.runs.iter().any(|(_, run)| run.id == live.run) {
                let reason = why.into();
                self.tasks[task.index()].own += 1;
                let key = self.runs.insert(Run {
                    definition: definition.clone(),
                    execution: Execution::Async,
                    id: live.run,
                    started: live.started,
                    since: live.started,
                    due: None,
                    timeout: None,
                    forced: None,
                    state: RunState::Live,
                    timer: None,
                });
                self.append_end(key, Action::Crash, Some(reason), Output::default(), now, effects);
            }
        }
    }
}
