//! The runs of this session: Claiming -> Live -> (Stopping ->) Ending -> gone.
//!
//! Always: a run is here from the append of its `run` record until that of its end is answered, so
//! each run that began gets one end.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::TaskId;
use redengine_core::Timestamp;
use redengine_core::param::Params;
use redengine_core::record::{Action, Reason, RunId};
use redengine_core::session::Definition;
use redengine_core::task::{Execution, Output};

use super::agenda::Key;

/// A run of this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    index: u32,
    /// Tells it from earlier runs in the same place, whose answers may still be under way.
    generation: u32,
}

impl RunKey {
    /// Tells a number that no other live run has.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// Who wants to hear how a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyTo(pub u64);

/// A request for a run.
#[derive(Debug)]
pub(super) struct Forced {
    pub params: Arc<Params>,
    pub reply: Option<ReplyTo>,
}

impl Forced {
    /// Tells the trace that it belongs to: that of its parameter `traceparent`, which is
    /// `version-trace-parent-flags` (W3C Trace Context).
    pub(super) fn trace(&self) -> Option<Arc<str>> {
        let trace = self.params.text("traceparent")?.split('-').nth(1)?;
        let is_trace = trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_trace.then(|| trace.into())
    }
}

#[derive(Debug)]
pub(super) struct Run {
    pub definition: Arc<Definition>,
    pub execution: Execution,
    pub id: RunId,
    /// When it began, as the log has it.
    pub started: Timestamp,
    /// When it began, by the clock as it is now set.
    pub since: Timestamp,
    pub due: Option<Timestamp>,
    /// After how long it is stopped, as was set when it began.
    pub timeout: Option<Duration>,
    pub forced: Option<Forced>,
    pub state: RunState,
    /// The subject of its timeout or grace.
    pub timer: Option<Key>,
}

#[derive(Debug)]
pub(super) enum RunState {
    /// Its `run` record is being appended.
    Claiming,
    /// It runs.
    Live,
    /// It was told to stop.
    Stopping { reason: String },
    /// The record of its end is being appended.
    Ending { action: Action, took: Duration, reason: Option<Reason>, output: Output },
}

impl Run {
    pub(super) fn task(&self) -> TaskId {
        self.definition.id
    }
}

/// The runs by key.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// Each with its generation. Boxed, so that a burst that needs more places moves no runs.
    places: Vec<(u32, Option<Box<Run>>)>,
    free: Vec<u32>,
    len: usize,
}

impl Runs {
    pub(super) fn insert(&mut self, run: Run) -> RunKey {
        self.len += 1;
        let run = Box::new(run);
        if let Some(index) = self.free.pop() {
            let (generation, place) = &mut self.places[index as usize];
            *place = Some(run);
            return RunKey { index, generation: *generation };
        }
        // OK because each run takes memory: it ends long before the numbers do.
        let index = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push((0, Some(run)));
        RunKey { index, generation: 0 }
    }

    pub(super) fn get_mut(&mut self, key: RunKey) -> Option<&mut Run> {
        let (generation, run) = self.places.get_mut(key.index())?;
        run.as_deref_mut().filter(|_| *generation == key.generation)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.places.iter_mut().filter_map(|(_, run)| run.as_deref_mut())
    }

    pub(super) fn remove(&mut self, key: RunKey) -> Option<Run> {
        self.get_mut(key)?;
        let (generation, run) = self.places.get_mut(key.index())?;
        *generation = generation.wrapping_add(1);
        self.free.push(key.index);
        self.len -= 1;
        run.take().map(|run| *run)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RunKey, &Run)> {
        self.places.iter().enumerate().filter_map(|(index, (generation, run))| {
            let key = RunKey { index: u32::try_from(index).ok()?, generation: *generation };
            Some((key, run.as_deref()?))
        })
    }
}
