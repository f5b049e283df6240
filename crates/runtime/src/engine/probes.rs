//! When a custom condition is asked: while somebody waits on it, one question at a time.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::Timestamp;
use redengine_core::facts::ProbeId;
use redengine_core::probe::Pace;

use super::Engine;
use super::agenda::Key;
use crate::effect::Effect;

impl Engine {
    /// Asks a probe, unless it is being asked: a slow one is waited for, not asked again.
    pub(super) fn ask(&mut self, probe: ProbeId, effects: &mut Vec<Effect>) {
        if let Some(slot) = self.probes.get_mut(probe.0 as usize)
            && !std::mem::replace(&mut slot.asked, true)
        {
            effects.push(Effect::Ask(probe));
        }
    }

    /// Asks the probes whose pause is over, if after this step's looks somebody still waits.
    pub(super) fn ask_due_probes(&mut self, effects: &mut Vec<Effect>) {
        for probe in std::mem::take(&mut self.due_probes) {
            if self.watch.on_probe(probe).next().is_some() {
                self.ask(probe, effects);
            }
        }
    }

    pub(super) fn probed(
        &mut self,
        probe: ProbeId,
        answer: Result<bool, Arc<str>>,
        now: Timestamp,
    ) {
        let waiting: Vec<Key> = self.watch.on_probe(probe).collect();
        if let Some(slot) = self.probes.get_mut(probe.0 as usize)
            && let Pace::Polled(interval) = slot.pace
        {
            slot.asked = false;
            if waiting.is_empty() {
                return;
            }
            let interval = interval.unwrap_or(self.config.probe_interval);
            // A probe is never asked without a pause, or it would keep a core busy.
            let next = now.after(interval.max(Duration::from_millis(1)));
            self.agenda.set(slot.key, Some(next));
        }
        if self.facts.answer(probe, answer, now) {
            for key in waiting {
                self.make_ready(key);
            }
        }
    }

    /// Forgets the answers of probes that nobody waits on: they get stale. Those that are pushed do
    /// not.
    pub(super) fn forget_idle_probes(&mut self) {
        for probe in std::mem::take(&mut self.idle_probes) {
            if self.watch.on_probe(probe).next().is_none()
                && let Some(slot) = self.probes.get(probe.0 as usize)
                && slot.pace != Pace::Pushed
            {
                self.facts.forget(probe);
                self.agenda.set(slot.key, None);
            }
        }
    }
}
