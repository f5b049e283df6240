//! Asks custom conditions. They are user code: they may be slow, fail or panic, and delay nothing.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use redengine_core::facts::ProbeId;
use redengine_core::probe::{Ask, Probe, ProbeError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::event::Event;
use crate::exec::describe;

/// Asks a probe; its answer comes as an event. Questions are dropped with the set.
pub(crate) fn ask(
    id: ProbeId,
    probe: &Probe,
    asked: &mut JoinSet<()>,
    events: &UnboundedSender<Event>,
) {
    let events = events.clone();
    let answer = move |answer: Result<Result<bool, ProbeError>, Box<dyn Any + Send>>| {
        let answer = match answer {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.to_string().into()),
            Err(payload) => Err::<bool, Arc<str>>(describe(&*payload).into()),
        };
        // Nobody listens when the session was dropped; then nobody wants to know.
        let _ = events.send(Event::Probed(id, answer));
    };
    match probe.ask() {
        Ask::Blocking(ask) => {
            let ask = ask.clone();
            asked.spawn_blocking(move || {
                answer(std::panic::catch_unwind(AssertUnwindSafe(|| ask())));
            });
        }
        Ask::Async(ask) => {
            let ask = ask.clone();
            asked.spawn(async move {
                let question = async { ask().await };
                answer(AssertUnwindSafe(question).catch_unwind().await);
            });
        }
        // `Ask` is open to further ways; a probe that this version cannot ask is in error.
        _ => answer(Ok(Err("this version cannot ask such a probe".into()))),
    }
}
