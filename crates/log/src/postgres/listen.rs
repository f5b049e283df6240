//! Hearing of records as they come.
//!
//! Always: what is told can be read, and only grows unless the log has lost records that were told of:
//! a server has taken over that lacks them, or a backup was restored. Who waits is told that. The
//! server tells each append to a connection that is there for this alone; once a second, while anybody
//! waits, it is asked as well, because a connection that is broken may be silent, and so that a standby,
//! which tells nobody, is followed too. A broken one is replaced, later each time.

use std::sync::Arc;
use std::time::Duration;

use redengine_core::record::Seq;
use redengine_core::runlog::{LogError, LogErrorKind};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::connect::Connection;
use super::error::Failure;
use super::{read, row};
use crate::last::Last;

/// How long to believe in silence.
const POLL: Duration = Duration::from_secs(1);

/// How long to wait before the first and before any later attempt to connect again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What those who wait are told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    last: Last,
    /// How often the server could not be heard, and why the last time.
    failures: u64,
    failure: Option<LogError>,
}

/// Tells of the last number to those who wait, from wherever it is known.
pub(super) fn tell(told: &watch::Sender<Told>, last: Seq) {
    told.send_if_modified(|told| told.last.tell(last));
}

/// Takes what the server has as its last number, asked after `known` was told.
fn take(told: &watch::Sender<Told>, known: Seq, last: Seq) {
    told.send_if_modified(|told| told.last.take(known, last));
}

/// Waits until a number is greater than `after`, or until the server cannot be heard.
pub(super) async fn changed(
    mut told: watch::Receiver<Told>,
    after: Seq,
    address: &Address,
) -> Result<Seq, LogError> {
    let failures = told.borrow().failures;
    let is_news = |told: &Told| {
        told.last.number() > after || told.failures > failures || told.last.has_lost(after)
    };
    let Ok(news) = told.wait_for(|told| is_news(told)).await else {
        return Err(LogError::new(LogErrorKind::Unreachable, "the log is gone"));
    };
    let last = news.last.number();
    if news.last.has_lost(after) {
        let why = format!(
            "its last record is {last} now, and {after} was told before: it was restored from a backup, or \
             a server has taken over that lacks what came after"
        );
        return Err(Failure::Unfit(LogErrorKind::Replaced, why).explain("follow", address));
    }
    match &news.failure {
        Some(failure) if last <= after => Err(failure.clone()),
        _ => Ok(last),
    }
}

/// Listens for ever.
pub(super) async fn listen(address: Arc<Address>, told: watch::Sender<Told>) {
    let mut pause = PAUSES.0;
    loop {
        let failure = match Connection::listening(&address).await {
            Ok((connection, notifications)) => {
                hear(connection, notifications, &address, &told, &mut pause).await
            }
            Err(failure) => failure,
        };
        let error = failure.explain("follow", &address);
        tracing::debug!(%error, ?pause, "listening again");
        told.send_modify(|told| {
            told.failures += 1;
            told.failure = Some(error);
        });
        // Not all nodes at the same moment.
        sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Whether the server tells by itself; a standby does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    Yes,
    No,
}

/// Asks the server to tell.
async fn ask_to_tell(connection: &mut Connection, address: &Address) -> Result<Tells, Failure> {
    if connection.row("select pg_is_in_recovery()", &[]).await?.try_get(0)? {
        return Ok(Tells::No);
    }
    connection.run_all(&format!("listen {}", address.channel())).await?;
    Ok(Tells::Yes)
}

/// Hears until that fails.
async fn hear(
    mut connection: Connection,
    mut notifications: mpsc::UnboundedReceiver<String>,
    address: &Address,
    told: &watch::Sender<Told>,
    pause: &mut Duration,
) -> Failure {
    let mut tells = Tells::No;
    loop {
        if tells == Tells::No {
            // A standby may be promoted.
            tells = match ask_to_tell(&mut connection, address).await {
                Ok(tells) => tells,
                Err(failure) => return failure,
            };
        }
        // Before it is asked: what was told then is there, unless it was lost.
        let known = told.borrow().last.number();
        match read::last(&mut connection).await.and_then(row::seq) {
            Ok(last) if tells == Tells::Yes => take(told, known, last),
            // It lags behind what the other server has told, and has lost nothing.
            Ok(last) => tell(told, last),
            Err(failure) => return failure,
        }
        *pause = PAUSES.0;
        loop {
            match timeout(POLL, notifications.recv()).await {
                Ok(Some(_)) => {
                    // Anybody may notify, of whatever: all that it says is that the table may have
                    // something new. One look at it is enough for all that have come.
                    while notifications.try_recv().is_ok() {}
                    break;
                }
                Ok(None) => return Failure::Ended,
                Err(_) if told.receiver_count() > 0 => break,
                Err(_) => {}
            }
        }
    }
}
