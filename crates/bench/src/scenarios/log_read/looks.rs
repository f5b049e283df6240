//! Looks at `has failed today`, as a session with `force_status_from_logs` takes them.
//!
//! What the condition reads is read from the log each time, and nothing of it is kept.

use std::sync::Arc;

use redengine::cond::{Verdict, View, evaluate};
use redengine::facts::{Facts, History};
use redengine::runlog::{LogError, PastOf, RunLog};
use redengine::session::Definition;
use redengine::time::Zone;
use redengine::{Session, Task, Timestamp};

/// The condition of each task, compiled.
pub(super) struct Looks(Vec<Arc<Definition>>);

impl Looks {
    pub(super) fn new(tasks: &[Arc<str>]) -> Result<Self, String> {
        let session = Session::builder()
            .configure(|config| {
                config.timezone = Some(Zone::utc());
                config.force_status_from_logs = true;
            })
            .tasks(tasks.iter().map(|name| Task::new(&**name, "has failed today", || async {})))
            .build()
            .map_err(|error| error.to_string())?;
        let definitions = tasks.iter().map(|name| session.task(name));
        Ok(Self(definitions.collect::<Result<_, _>>().map_err(|error| error.to_string())?))
    }

    /// Reads what the condition of a task needs to know, and evaluates it.
    pub(super) async fn look(
        &self,
        log: &dyn RunLog,
        number: usize,
        now: Timestamp,
    ) -> Result<Verdict, LogError> {
        let definition = &self.0[number];
        let mut facts = Facts::default();
        for (_, keep) in definition.start.reads() {
            facts.keep(definition.id, *keep);
        }
        let keep = facts.kept(definition.id);
        for past in log.past(vec![PastOf { task: definition.name.clone(), keep }]).await? {
            facts.restore(definition.id, History::restored(&past, keep));
        }
        let view = View { facts: &facts, owner: Some(definition.id), now };
        Ok(evaluate(&definition.start, &view, &mut ()))
    }
}
