//! Tasks that come, change and go while the session runs.

use std::sync::Arc;

use redengine_core::TaskId;
use redengine_core::cond::{Condition, Who};
use redengine_core::facts::Keep;
use redengine_core::session::Definition;

use super::runs::Forced;
use super::subject::Subject;
use super::{Engine, Slot, reads};
use crate::effect::{Effect, Report};

impl Engine {
    pub(super) fn define(&mut self, definition: Arc<Definition>) {
        let task = definition.id;
        if self.tasks.len() <= task.index() {
            self.tasks.resize_with(task.index() + 1, Slot::default);
        }
        for (read, keep) in reads(&definition) {
            self.facts.keep(read, keep);
        }
        let slot = &mut self.tasks[task.index()];
        let has_end = definition.end.is_some();
        slot.definition = Some(definition);
        let start = *slot.start.get_or_insert_with(|| self.subjects.add(Subject::Start(task)));
        if has_end && slot.end.is_none() {
            slot.end = Some(self.subjects.add(Subject::End(task)));
        }
        let end = slot.end;
        self.make_ready(start);
        if let Some(end) = end {
            self.make_ready(end);
        }
    }

    pub(super) fn redefine(&mut self, definition: Arc<Definition>, effects: &mut Vec<Effect>) {
        let task = definition.id;
        let deeper: Vec<TaskId> = reads(&definition)
            .filter(|(read, keep)| self.looks_deeper(*read, *keep))
            .map(|(read, _)| read)
            .collect();
        let new = self.tasks.get(task.index()).is_none_or(|slot| slot.definition.is_none());
        self.facts.add(task);
        self.keep_for_live_runs(task);
        self.define(definition);
        // What is known of some tasks may not go back far enough.
        if let Some(slot) = self.tasks.get(task.index()) {
            for key in [slot.start, slot.end].into_iter().flatten() {
                self.read_deeper(&deeper, key);
            }
        }
        if new {
            // Its past may be in the log.
            self.reread(task);
            self.watch.on_history(task, &mut self.woken);
            self.wake_woken();
        }
        self.send_reads(effects);
    }

    /// Keeps what a task is for its live runs, which end as they would.
    fn keep_for_live_runs(&mut self, task: TaskId) {
        if let Some(slot) = self.tasks.get(task.index())
            && let (Some(definition), 1..) = (&slot.definition, slot.own)
        {
            self.replaced.entry(task).or_insert_with(|| definition.clone());
        }
    }

    pub(super) fn remove(&mut self, task: TaskId, effects: &mut Vec<Effect>) {
        self.keep_for_live_runs(task);
        let Some(slot) = self.tasks.get_mut(task.index()) else { return };
        let Some(definition) = slot.definition.take() else { return };
        let requests = slot.requests.take().into_iter().flat_map(|requests| *requests);
        effects.extend(requests.filter_map(|forced| forced.reply).map(Effect::Forget));
        for key in [slot.start, slot.end].into_iter().flatten() {
            self.make_ready(key);
        }
        self.facts.remove(task, definition.name.clone());
        self.watch.on_history(task, &mut self.woken);
        self.wake_woken();
    }

    pub(super) fn request(&mut self, task: TaskId, forced: Forced, effects: &mut Vec<Effect>) {
        let definition = self.tasks.get(task.index()).and_then(|slot| slot.definition.clone());
        let Some(definition) = definition else {
            // It was removed after it was asked for.
            effects.extend(forced.reply.map(Effect::Forget));
            return;
        };
        // What was configured last counts: until the others know of it, the request waits.
        let has_label = |label: &Arc<str>| self.config.node_labels.contains(label);
        if let Some(label) = definition.policy.on.clone().filter(|label| !has_label(label)) {
            // No other session hears of it.
            effects.extend(forced.reply.map(Effect::Forget));
            let task = definition.name.clone();
            effects.push(Effect::Report(Report::Misplaced { task, label }));
            return;
        }
        // OK because its definition was found there.
        let slot = &mut self.tasks[task.index()];
        slot.requests.get_or_insert_default().push_back(forced);
        if let Some(start) = slot.start {
            self.make_ready(start);
        }
    }

    pub(super) fn set_shut_cond(&mut self, condition: Option<Arc<Condition>>) {
        self.shut = match (self.shut.take(), condition) {
            (Some((key, _)), Some(condition)) => Some((key, condition)),
            (None, Some(condition)) => Some((self.subjects.add(Subject::Shut), condition)),
            (known, None) => {
                if let Some((key, _)) = known {
                    self.stop_waiting(key);
                    self.take_out(key);
                    self.subjects.release(key);
                    self.broken.remove(&key);
                }
                None
            }
        };
        if let Some((key, condition)) = &self.shut {
            let (key, condition) = (*key, condition.clone());
            let mut deeper = Vec::new();
            for (who, keep) in condition.reads() {
                if let Who::Task(task) = who {
                    deeper.extend(self.looks_deeper(*task, *keep).then_some(*task));
                    self.facts.keep(*task, *keep);
                }
            }
            self.make_ready(key);
            self.read_deeper(&deeper, key);
        }
    }

    /// Tells whether a condition that looks at so much of a task's past looks further back than all
    /// others.
    fn looks_deeper(&self, task: TaskId, keep: Keep) -> bool {
        self.facts.kept(task).max(keep) != self.facts.kept(task)
    }
}
