//! Connections to the server, and where those that are idle wait.
//!
//! Always: a connection is as safe as the address asks for; one on which something went wrong is
//! dropped, never used again, and a transaction that was begun on it is taken back by the server then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
#[cfg(feature = "postgres-tls")]
use tokio_postgres::config::SslMode;
#[cfg(feature = "postgres-tls")]
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row, Socket, Statement};

use super::address::Address;
use super::error::Failure;
use super::text;
#[cfg(feature = "postgres-tls")]
use super::tls::Mode;

/// A connection, with what was prepared on it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Arc<Client>,
    statements: HashMap<String, Statement>,
    /// The names of the tasks that came up so far, by their numbers. They belong to the connection
    /// because a server that took over from another may have given a number to another name.
    names: HashMap<i64, Arc<str>>,
    /// How long to wait for an answer.
    deadline: Duration,
    /// Whether it has done something before: if not, another one would be no better.
    pub(super) is_proven: bool,
}

pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How much longer than the server we wait: what it says itself tells more.
const GRACE: Duration = Duration::from_secs(1);

/// Statements that differ in their text are prepared once each, up to so many.
const STATEMENTS: usize = 256;

impl Connection {
    /// Connects. Notifications are dropped.
    pub(super) async fn open(address: &Address) -> Result<Self, Failure> {
        let (connection, _) = Self::listening(address).await?;
        Ok(connection)
    }

    /// Connects, and gives the payloads of the notifications; they end with the connection.
    pub(super) async fn listening(
        address: &Address,
    ) -> Result<(Self, mpsc::UnboundedReceiver<String>), Failure> {
        let (client, notifications) = reach(address).await?;
        let this = Self {
            client: Arc::new(client),
            statements: HashMap::new(),
            names: HashMap::new(),
            deadline: address.statement_timeout + GRACE,
            is_proven: false,
        };
        this.run_all(&settings(address)).await?;
        Ok((this, notifications))
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for an answer of the server, for so long and no longer.
    pub(super) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        in_time(self.deadline, answer).await
    }

    /// Runs statements that have no parameters.
    pub(super) async fn run_all(&self, sql: &str) -> Result<(), Failure> {
        self.in_time(async { Ok(self.client.batch_execute(sql).await?) }).await
    }

    /// Runs a statement; tells how many rows it changed.
    pub(super) async fn run(
        &mut self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<u64, Failure> {
        let statement = self.prepared(sql).await?;
        self.in_time(async { Ok(self.client.execute(&statement, parameters).await?) }).await
    }

    /// Reads rows.
    pub(super) async fn rows(
        &mut self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(sql).await?;
        self.in_time(async { Ok(self.client.query(&statement, parameters).await?) }).await
    }

    /// Reads the one row that there is.
    pub(super) async fn row(
        &mut self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Row, Failure> {
        let statement = self.prepared(sql).await?;
        self.in_time(async { Ok(self.client.query_one(&statement, parameters).await?) }).await
    }

    /// For what goes on while something else is prepared.
    pub(super) fn shared_client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Prepares a statement, once for each text.
    pub(super) async fn prepared(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let statement = self.in_time(async { Ok(self.client.prepare(sql).await?) }).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Tells the name of a task that came up before.
    pub(super) fn name(&self, task: i64) -> Option<&Arc<str>> {
        self.names.get(&task)
    }

    /// Notes the names that are in rows of `id, name`.
    pub(super) fn note_names(&mut self, rows: &[Row]) -> Result<(), Failure> {
        for row in rows {
            let name = text::decode(row.try_get(1)?).into();
            self.names.insert(row.try_get(0)?, name);
        }
        Ok(())
    }
}

/// A client, and the payloads of the notifications that come while it is there.
type Reached = (Client, mpsc::UnboundedReceiver<String>);

/// Connects as the address says.
#[cfg(not(feature = "postgres-tls"))]
async fn reach(address: &Address) -> Result<Reached, Failure> {
    // An address that asks for TLS was refused; who would only like to have it does without.
    dial(address, &address.config(), NoTls).await
}

/// Connects as the address says.
#[cfg(feature = "postgres-tls")]
async fn reach(address: &Address) -> Result<Reached, Failure> {
    let mut config = address.config();
    if address.tls.mode == Mode::Disable {
        return dial(address, &config, NoTls).await;
    }
    let failure = match dial(address, &config, address.tls.connector()?).await {
        Err(failure) if address.tls.mode == Mode::Prefer => failure,
        reached => return reached,
    };
    // Of several hosts only the last one's error is told, so any of them may be one for this.
    if !failure.may_do_without_tls() && config.get_hosts().len() == 1 {
        return Err(failure);
    }
    config.ssl_mode(SslMode::Disable);
    match dial(address, &config, NoTls).await {
        // Who is let in with TLS only has said before what is the matter.
        Err(without) if without.state() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            Err(failure)
        }
        reached => reached,
    }
}

/// Connects, and looks after the connection until it ends.
async fn dial<T>(address: &Address, config: &Config, tls: T) -> Result<Reached, Failure>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    // The time for each host is in the configuration; this is for a server that says nothing.
    let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1);
    let connecting = async { Ok(config.connect(tls).await?) };
    let (client, mut connection) =
        in_time(address.connect_timeout * hosts + GRACE, connecting).await?;
    let (sender, notifications) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) =
            futures::future::poll_fn(|context| connection.poll_message(context)).await
        {
            match message {
                Ok(AsyncMessage::Notification(told)) => {
                    // Most connections have nobody who wants to know.
                    let _ = sender.send(told.payload().to_owned());
                }
                Ok(_) => {}
                // Whoever waits for an answer gets an error as well.
                Err(error) => {
                    tracing::debug!(%error, "a connection has ended");
                    break;
                }
            }
        }
    });
    Ok((client, notifications))
}

async fn in_time<T>(
    deadline: Duration,
    answer: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(deadline, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::Late),
    }
}

/// What a session of ours relies on, whatever the server's or the user's defaults are.
fn settings(address: &Address) -> String {
    let timeout = address.statement_timeout.as_millis();
    // Whoever holds the lock and does nothing stops all others: a stopped process does that.
    let idle = timeout.min(2000);
    format!(
        "set standard_conforming_strings to on;
         set client_min_messages to warning;
         set search_path to {schema};
         set statement_timeout to {timeout};
         set lock_timeout to 0;
         set idle_in_transaction_session_timeout to {idle};
         set jit to off;
         -- The statements are written for their indexes. What else the planner can think of is
         -- right for few rows, and wrong for the many that it has not heard of yet.
         set enable_seqscan to off;
         set enable_bitmapscan to off;
         select set_config('synchronous_commit', 'on', false)
         where current_setting('synchronous_commit') = 'off'",
        schema = address.quoted_schema(),
    )
}

/// The connections that read: some, so that a long read does not hold up the short ones.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

/// So many calls read at the same time.
const READERS: usize = 4;

impl Pool {
    pub(super) fn new() -> Self {
        Self { idle: Mutex::default(), places: Semaphore::new(READERS) }
    }

    /// Does something with a connection, and with another one if the one that was there is broken.
    pub(super) async fn with<T>(
        &self,
        address: &Address,
        work: impl AsyncFn(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // OK because it is never closed; without a place, one connection more is no harm.
        let _place = self.places.acquire().await.ok();
        loop {
            let mut connection = match self.take() {
                Some(connection) => connection,
                None => Connection::open(address).await?,
            };
            match work(&mut connection).await {
                Ok(done) => {
                    connection.is_proven = true;
                    self.lock().push(connection);
                    return Ok(done);
                }
                Err(failure) if connection.is_proven && failure.is_of_the_connection() => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        idle.retain(|connection| !connection.is_closed());
        idle.pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // Whoever panicked under this lock left a list that is whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
