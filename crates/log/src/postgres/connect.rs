//! Connections to the server, and where those that are idle wait.
//!
//! Always: a connection on which something went wrong is dropped, never used again; a transaction
//! that was begun on it is taken back by the server then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, NoTls, Row, Statement};

use super::address::Address;
use super::error::Failure;
use super::text;

/// A connection, with what was prepared on it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
    /// The names of the tasks that came up so far, by their numbers. They belong to the connection
    /// because a server that took over from another may have given a number to another name.
    names: HashMap<i64, Arc<str>>,
    /// Whether it has done something before: if not, another one would be no better.
    pub(super) is_proven: bool,
}

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
        let connecting = address.config().connect(NoTls).await?;
        let (client, mut connection) = connecting;
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
        let this = Self {
            client,
            statements: HashMap::new(),
            names: HashMap::new(),
            is_proven: false,
        };
        this.client.batch_execute(&settings(address)).await?;
        Ok((this, notifications))
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Prepares a statement, once for each text.
    pub(super) async fn prepared(&mut self, sql: &str) -> Result<Statement, Failure> {
        self.prepared_typed(sql, &[]).await
    }

    /// Prepares a statement whose first parameters have these types.
    pub(super) async fn prepared_typed(
        &mut self,
        sql: &str,
        types: &[Type],
    ) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let statement = self.client.prepare_typed(sql, types).await?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Tells the name of a task that came up before.
    pub(super) fn name(&self, task: i64) -> Option<&Arc<str>> {
        self.names.get(&task)
    }

    pub(super) fn note_name(&mut self, task: i64, name: Arc<str>) {
        self.names.insert(task, name);
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

    pub(super) fn put(&self, connection: Connection) {
        self.lock().push(connection);
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
