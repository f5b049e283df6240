//! Hearing of records as they come.
//!
//! Always: what is told only grows, and can be read. The server tells each append to a connection
//! that is there for this alone; once a second, while anybody waits, it is asked as well, because a
//! connection that is broken may be silent. A broken one is replaced, later each time.

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

/// How long to believe in silence.
const POLL: Duration = Duration::from_secs(1);

/// How long to wait before the first and before any later attempt to connect again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What those who wait are told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    last: Seq,
    /// How often the server could not be heard, and why the last time.
    failures: u64,
    failure: Option<LogError>,
}

/// Tells of the last number to those who wait, from wherever it is known.
pub(super) fn tell(told: &watch::Sender<Told>, last: Seq) {
    told.send_if_modified(|told| {
        let is_news = last > told.last;
        told.last = told.last.max(last);
        is_news
    });
}

/// Waits until a number is greater than `after`, or until the server cannot be heard.
pub(super) async fn changed(mut told: watch::Receiver<Told>, after: Seq) -> Result<Seq, LogError> {
    let failures = told.borrow().failures;
    let news = told.wait_for(|told| told.last > after || told.failures > failures).await;
    let Ok(news) = news else {
        return Err(LogError::new(LogErrorKind::Unreachable, "the log is gone"));
    };
    match &news.failure {
        Some(failure) if news.last <= after => Err(failure.clone()),
        _ => Ok(news.last),
    }
}

/// Listens for ever.
pub(super) async fn listen(address: Arc<Address>, told: watch::Sender<Told>) {
    let mut pause = PAUSES.0;
    loop {
        let failure = match start(&address).await {
            Ok((connection, notifications)) => {
                pause = PAUSES.0;
                hear(connection, notifications, &told).await
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

async fn start(
    address: &Address,
) -> Result<(Connection, mpsc::UnboundedReceiver<String>), Failure> {
    let (connection, notifications) = Connection::listening(address).await?;
    connection.run_all(&format!("listen {}", address.channel())).await?;
    Ok((connection, notifications))
}

/// Hears until that fails.
async fn hear(
    mut connection: Connection,
    mut notifications: mpsc::UnboundedReceiver<String>,
    told: &watch::Sender<Told>,
) -> Failure {
    loop {
        match read::last(&mut connection).await.and_then(row::seq) {
            Ok(last) => tell(told, last),
            Err(failure) => return failure,
        }
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
