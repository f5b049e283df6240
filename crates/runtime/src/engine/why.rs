//! Why a task runs or does not, as the engine sees it.

use std::sync::Arc;

use redengine_core::cond::{View, explain};
use redengine_core::session::Why;
use redengine_core::time::Zone;
use redengine_core::{TaskId, Timestamp};

use super::Engine;

impl Engine {
    /// Tells why a task runs or does not. `name` tells the names of tasks; instants are told in
    /// `zone`.
    pub fn why(
        &self,
        task: TaskId,
        now: Timestamp,
        zone: &Zone,
        name: &dyn Fn(TaskId) -> Option<Arc<str>>,
    ) -> Option<Why> {
        let definition = self.tasks.get(task.index())?.definition.as_ref()?;
        let view = View { facts: &self.facts, owner: Some(task), now };
        let condition = explain(&definition.start, &view, zone, name);
        Some(Why::new(definition.name.clone(), now, self.blocked(task), condition))
    }

    /// Tells what keeps a task from starting, whatever its condition says.
    fn blocked(&self, task: TaskId) -> Option<String> {
        let slot = self.tasks.get(task.index())?;
        let definition = slot.definition.as_ref()?;
        if self.phase.is_over() {
            return Some("the session shuts down".to_owned());
        }
        if let Some(live) = self.facts.history(task).live().first() {
            let whose = if slot.own > 0 { "" } else { " in another session" };
            return Some(format!("run {} of it is live{whose}", live.run));
        }
        if slot.own > 0 {
            return Some("its next run waits for the run log".to_owned());
        }
        if let Some(label) = definition.policy.on.as_deref().filter(|label| !self.has_label(label))
        {
            return Some(format!("it runs on `{label}`, which this session's `node_labels` lack"));
        }
        if self.log_down.is_some() {
            return Some("the run log does not answer".to_owned());
        }
        if self.lease_lost {
            return Some("the session's lease on the run log may have ended".to_owned());
        }
        if self.held {
            return Some("the session is on hold".to_owned());
        }
        definition.policy.disabled.then(|| "it is disabled".to_owned())
    }
}
