//! One cycle: look at what is due, by priority, and decide.

use std::cmp::Reverse;
use std::sync::Arc;

use redengine_core::cond::{Broken, Condition, Truth, Verdict, View, evaluate};
use redengine_core::record::{Action, Details, Record, RunId};
use redengine_core::runlog::{Append, Expect};
use redengine_core::task::{Body, Execution};
use redengine_core::{TaskId, Timestamp};

use super::Engine;
use super::agenda::Key;
use super::runs::{Forced, Run, RunState};
use super::subject::{State, Subject};
use crate::effect::{Effect, Report};
use crate::error::RunError;

/// So many subjects are looked at in one step: as many as the driver appends at a time, so that the
/// first runs of a burst start while the rest is being decided.
const PIECE: usize = 512;

impl Engine {
    /// Queues the conditions whose instant has come, and serves the timers.
    pub(super) fn pop_due(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while let Some(key) = self.agenda.pop(now) {
            match self.subjects.get(key).subject {
                Subject::Start(_) | Subject::End(_) | Subject::Shut => self.make_ready(key),
                Subject::Probe(probe) => self.due_probes.push(probe),
                Subject::Run(run) => self.run_timer(run, now, effects),
                Subject::Deadline => self.deadline(now, effects),
            }
        }
    }

    /// Looks at what is ready, unless the last cycle was too short a time ago.
    ///
    /// A long cycle is cut into pieces: what the first ones start runs while the next are decided.
    pub(super) fn cycle(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.rest.is_empty() {
            if self.ready.is_empty() || now < self.not_before() {
                return;
            }
            // The queues take turns, so that their memory is used again.
            let mut keys = std::mem::replace(&mut self.ready, std::mem::take(&mut self.rest));
            self.sort_by_priority(&mut keys);
            self.rest = keys;
        }
        for _ in 0..PIECE {
            let Some(key) = self.rest.pop() else { break };
            self.look(key, now, effects);
        }
        self.send_reads(effects);
        if !self.rest.is_empty() {
            return;
        }
        self.facts.cycles += 1;
        self.watch.on_cycle(&mut self.woken);
        self.wake_woken();
        self.last_cycle = now;
    }

    /// Tells the earliest instant of the next cycle.
    pub(super) fn not_before(&self) -> Timestamp {
        self.config.cycle_sleep.map_or(Timestamp::MIN, |pause| self.last_cycle.after(pause))
    }

    /// Greatest priority last, and the reverse of the order in which tasks were added: the next one
    /// is taken from the end.
    fn sort_by_priority(&self, keys: &mut [Key]) {
        keys.sort_by_cached_key(|key| {
            let subject = self.subjects.get(*key).subject;
            let priority = match subject {
                Subject::Start(task) | Subject::End(task) => self
                    .tasks
                    .get(task.index())
                    .and_then(|slot| slot.definition.as_ref()?.policy.priority)
                    .unwrap_or(self.config.task_priority),
                _ => i32::MAX,
            };
            (priority, Reverse(subject))
        });
    }

    fn look(&mut self, key: Key, now: Timestamp, effects: &mut Vec<Effect>) {
        let entry = self.subjects.get_mut(key);
        let fresh = entry.state == State::Fresh;
        entry.state = State::Waiting;
        match entry.subject {
            Subject::Start(task) => self.look_at_start(key, task, fresh, now, effects),
            Subject::End(task) => self.look_at_end(key, task, fresh, now, effects),
            Subject::Shut => self.look_at_shut(key, fresh, now, effects),
            Subject::Probe(_) | Subject::Run(_) | Subject::Deadline => {}
        }
    }

    fn look_at_start(
        &mut self,
        key: Key,
        task: TaskId,
        fresh: bool,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let slot = &self.tasks[task.index()];
        let Some(definition) = slot.definition.clone() else { return };
        if self.phase.is_over() {
            return;
        }
        if slot.own > 0 {
            // A live run blocks the next one; its end makes this ready again.
            return;
        }
        if definition.policy.on.as_deref().is_some_and(|label| !self.has_label(label)) {
            return;
        }
        if !self.facts.history(task).live().is_empty() {
            // Another session runs it; the log will tell when it ends.
            self.turns.forget(key);
            return;
        }
        if !self.may_start() {
            self.subjects.get_mut(key).state = State::Parked;
            self.parked.push(key);
            return;
        }
        let slot = &mut self.tasks[task.index()];
        if let Some(forced) = slot.requests.as_mut().and_then(|requests| requests.pop_front()) {
            slot.requests.take_if(|requests| requests.is_empty());
            self.claim(task, None, Some(forced), now, effects);
            return;
        }
        if definition.policy.disabled {
            return;
        }
        let name = definition.name.clone();
        let Some(mut verdict) = self.evaluate(key, &definition.start, Some(task), fresh, now)
        else {
            return;
        };
        match &verdict.truth {
            Truth::True => {
                self.broken.remove(&key);
                if let Some(turn) = self.turn(key, &definition, verdict.wake.at, now) {
                    // The condition holds at least until then.
                    verdict.wake.at = Some(turn);
                    self.wait(key, verdict, now, effects);
                    return;
                }
                let due = verdict.since.filter(|since| *since <= now);
                self.claim(task, due, None, now, effects);
            }
            Truth::Broken(broken) => {
                let broken = broken.clone();
                self.turns.forget(key);
                self.wait(key, verdict, now, effects);
                self.report_broken(key, Some(name), broken, now, effects);
            }
            Truth::False | Truth::Pending => {
                self.turns.forget(key);
                self.wait_unbroken(key, verdict, now, effects);
            }
        }
    }

    fn look_at_end(
        &mut self,
        key: Key,
        task: TaskId,
        fresh: bool,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let slot = &self.tasks[task.index()];
        let Some(definition) = &slot.definition else { return };
        // A run ends by the condition of the task that it is a run of.
        let definition = self.replaced.get(&task).unwrap_or(definition);
        let Some(condition) = definition.end.clone() else { return };
        if slot.own == 0 {
            return;
        }
        let name = definition.name.clone();
        let Some(verdict) = self.evaluate(key, &condition, Some(task), fresh, now) else { return };
        match &verdict.truth {
            Truth::True => {
                self.broken.remove(&key);
                let why = format!("its end condition holds: {}", condition.text());
                self.stop_task(task, &why, now, effects);
            }
            // A broken check stops nothing.
            Truth::Broken(broken) => {
                let broken = broken.clone();
                self.wait(key, verdict, now, effects);
                self.report_broken(key, Some(name), broken, now, effects);
            }
            Truth::False | Truth::Pending => self.wait_unbroken(key, verdict, now, effects),
        }
    }

    fn look_at_shut(&mut self, key: Key, fresh: bool, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some((_, condition)) = &self.shut else { return };
        let condition = condition.clone();
        let Some(verdict) = self.evaluate(key, &condition, None, fresh, now) else { return };
        match &verdict.truth {
            Truth::True => {
                if !self.phase.is_over() {
                    self.shut_down(Ok(()), now, effects);
                }
            }
            Truth::Broken(broken) => {
                let broken = broken.clone();
                self.wait(key, verdict, now, effects);
                self.report_broken(key, None, broken, now, effects);
            }
            Truth::False | Truth::Pending => self.wait_unbroken(key, verdict, now, effects),
        }
    }

    /// Evaluates a condition, or has what it needs read from the log first.
    fn evaluate(
        &mut self,
        key: Key,
        condition: &Arc<Condition>,
        owner: Option<TaskId>,
        fresh: bool,
        now: Timestamp,
    ) -> Option<Verdict> {
        if self.config.force_status_from_logs && !fresh && !condition.reads().is_empty() {
            for (who, _) in condition.reads() {
                if let Some(task) = who.task(owner) {
                    self.reads.next.insert(task, self.facts.kept(task));
                }
            }
            self.wait_for_read(key);
            return None;
        }
        Some(evaluate(condition, &View { facts: &self.facts, owner, now }, &mut ()))
    }

    fn wait_unbroken(
        &mut self,
        key: Key,
        verdict: Verdict,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.broken.remove(&key);
        self.wait(key, verdict, now, effects);
    }

    fn wait(&mut self, key: Key, verdict: Verdict, now: Timestamp, effects: &mut Vec<Effect>) {
        // An instant that has come already would be looked at in this very step for ever.
        debug_assert!(
            verdict.wake.at.is_none_or(|at| at > now),
            "a wake that is not in the future"
        );
        let at = verdict.wake.at.map(|at| at.max(Timestamp::from_micros(now.as_micros() + 1)));
        self.agenda.set(key, at);
        let subject = self.subjects.get(key).subject;
        let generation = self.subjects.get(key).generation;
        for topic in verdict.wake.topics {
            // A task is looked at after each of its own records anyway.
            let own = match (topic, subject) {
                (
                    redengine_core::cond::Topic::Task { task, .. },
                    Subject::Start(owner) | Subject::End(owner),
                ) => task == owner,
                _ => false,
            };
            if own {
                continue;
            }
            let subjects = &self.subjects;
            let ask = self.watch.wait(key, generation, topic, |key| subjects.get(key).generation);
            if let Some(probe) = ask {
                // Its last answer is kept as long as somebody waited in this step.
                if *self.facts.probe(probe) == redengine_core::facts::ProbeState::Unknown {
                    self.ask(probe, effects);
                }
            }
        }
    }

    fn report_broken(
        &mut self,
        key: Key,
        task: Option<Arc<str>>,
        broken: Arc<Broken>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if self.broken.get(&key) == Some(&broken) {
            return;
        }
        self.broken.insert(key, broken.clone());
        effects.push(Effect::Report(Report::Broken { task: task.clone(), broken: broken.clone() }));
        if !self.config.silence_cond_check && !self.phase.is_over() {
            self.shut_down(Err(RunError::Condition { task, broken }), now, effects);
        }
    }

    /// Asks the log for the right to run a task, based on all that is known of it.
    fn claim(
        &mut self,
        task: TaskId,
        due: Option<Timestamp>,
        forced: Option<Forced>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let slot = &mut self.tasks[task.index()];
        let Some(definition) = slot.definition.clone() else { return };
        slot.own += 1;
        let execution = match (&definition.body, definition.policy.execution) {
            (Body::Future(_), own) => own.unwrap_or(self.config.task_execution),
            _ => Execution::Thread,
        };
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let record = Record {
            task: definition.name.clone(),
            run: RunId::new(now, random),
            action: Action::Run,
            at: now,
            started: now,
            due,
            details: self.details(task, forced.as_ref()),
        };
        let expect = Expect::Latest(self.facts.history(task).latest_seq());
        let key = self.runs.insert(Run {
            definition,
            execution,
            id: record.run,
            started: now,
            since: now,
            due,
            timeout: None,
            forced,
            state: RunState::Claiming,
            timer: None,
        });
        effects.push(Effect::Append(key, Append { record, expect }));
    }

    /// Tells what the `run` record of a task has to add.
    fn details(&self, task: TaskId, forced: Option<&Forced>) -> Option<Arc<Details>> {
        let failures = self.facts.history(task).failures_in_a_row();
        let params = forced.and_then(|forced| forced.params.to_json());
        if failures == 0 && params.is_none() {
            return self.begin.clone();
        }
        let mut details = Details::default().with_node(self.node.clone());
        details.attempt = (failures > 0).then_some(failures + 1);
        details.params = params;
        details.trace = forced.and_then(Forced::trace);
        details.shared()
    }
}
