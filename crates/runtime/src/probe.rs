//! Asks custom conditions, or hears those whose answers are pushed. They are user code: they may be
//! slow, fail or panic, and delay nothing.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, Stream, StreamExt, stream};
use redengine_core::facts::ProbeId;
use redengine_core::probe::{Ask, Probe, ProbeError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::event::Event;
use crate::exec::describe;

/// Asks a probe; its answers come as events. Questions are dropped with the set.
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
        Ask::Pushed(answers) => {
            let answers = answers.clone();
            asked.spawn(async move {
                let said = async {
                    let mut answers = std::pin::pin!(answers());
                    let mut any = false;
                    while let Some(said) = answers.next().await {
                        any = true;
                        answer(Ok(said));
                    }
                    any
                };
                match AssertUnwindSafe(said).catch_unwind().await {
                    Ok(true) => {}
                    Ok(false) => answer(Ok(Err("it ended before its first answer".into()))),
                    Err(payload) => answer(Err(payload)),
                }
            });
        }
        // `Ask` is open to further ways; a probe that this version cannot ask is in error.
        _ => answer(Ok(Err("this version cannot ask such a probe".into()))),
    }
}

/// Makes a condition of a value that is set from outside: it holds while the value is true.
///
/// Nothing is polled. A change that is undone before anybody has looked is not seen. When the last
/// sender is gone, the last value stays.
///
/// ```
/// use redengine_core::{Session, Task};
/// use redengine_runtime::watched;
/// use tokio::sync::watch;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use redengine_log as _;
/// let (open, is_open) = watch::channel(false);
/// let session = Session::builder()
///     .probe("market_is_open", watched(is_open))
///     .task(Task::new("trade", "every 1 min & market_is_open()", || async {}))
///     .build()?;
/// open.send(true)?;
/// # Ok(())
/// # }
/// ```
pub fn watched(values: watch::Receiver<bool>) -> Probe {
    Probe::pushed(move || changes(values.clone()))
}

/// The value as it is, and each one after that.
fn changes(
    mut values: watch::Receiver<bool>,
) -> impl Stream<Item = Result<bool, ProbeError>> + Send {
    values.mark_changed();
    stream::unfold(values, async |mut values| {
        values.changed().await.ok()?;
        let value = *values.borrow_and_update();
        Some((Ok(value), values))
    })
}
