//! The run log's place, and what can be done to it.
//!
//! Always: only connections of this command's nodes are cut, by their name, and only a server that was
//! started here is stopped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use redengine_testserver::Server;

/// Where the nodes keep their run log.
#[derive(Debug)]
pub enum Database {
    /// A file.
    Sqlite {
        /// Its address.
        url: String,
        /// Where it is.
        file: PathBuf,
    },
    /// A server.
    Postgres {
        /// Its address, without a name for the connections.
        url: String,
        /// The schema of the log.
        schema: String,
        /// What the connections of the nodes are called.
        name: String,
        /// The server, if it was started here.
        server: Option<Server>,
    },
}

impl Database {
    /// Finds the place of an address.
    ///
    /// # Errors
    ///
    /// If it is none, or no server can be started.
    pub fn open(url: Option<&str>, folder: &Path) -> Result<Self, String> {
        let own = || format!("sqlite:{}", folder.join("runs.db").display());
        let url = url.map_or_else(own, str::to_owned);
        if let Some(path) = url.strip_prefix("sqlite:") {
            let file = path.split('?').next().unwrap_or_default().into();
            return Ok(Self::Sqlite { url, file });
        }
        let (server, url) = if url == "postgres" {
            let server = Server::start().map_err(|error| error.to_string())?;
            let url = server.url_of_new_schema();
            (Some(server), url)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (None, url)
        } else {
            return Err(format!(
                "`{url}` is no log that several processes share; write `sqlite:runs.db`, \
                 `postgres://..` or `postgres`"
            ));
        };
        let options = url.split_once('?').map_or("", |(_, options)| options);
        let schema = options.split('&').find_map(|option| option.strip_prefix("schema="));
        let schema = schema.unwrap_or("redengine").to_owned();
        let name = format!("redengine-chaos-{}", std::process::id());
        Ok(Self::Postgres { url, schema, name, server })
    }

    /// Tells what it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// Tells the address for the nodes.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { url, .. } => url.clone(),
            Self::Postgres { url, name, .. } => {
                let sign = if url.contains('?') { '&' } else { '?' };
                format!("{url}{sign}application_name={name}")
            }
        }
    }

    /// Tells the server, if it was started here.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { server, .. } => server.as_ref(),
        }
    }

    /// Gives what holds the log's lock for a while, so that nobody can append meanwhile.
    pub fn slow(&self, time: Duration) -> Box<dyn FnOnce() -> Result<(), String> + Send> {
        match self {
            Self::Sqlite { file, .. } => {
                let file = file.clone();
                Box::new(move || hold_file(&file, time).map_err(|error| error.to_string()))
            }
            Self::Postgres { url, schema, .. } => {
                let lock = format!(
                    "begin; lock table \"{schema}\".record in exclusive mode; select pg_sleep({}); \
                     commit",
                    time.as_secs_f64()
                );
                let url = url.clone();
                Box::new(move || ask(&url, &lock))
            }
        }
    }

    /// Cuts about one in so many of the nodes' connections.
    ///
    /// # Errors
    ///
    /// If the server cannot be asked.
    pub fn cut(&self, one_in: u32) -> Result<(), String> {
        let Self::Postgres { url, name, .. } = self else { return Ok(()) };
        let cut = format!(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = '{name}' and pid <> pg_backend_pid() and random() * {one_in} < 1"
        );
        ask(url, &cut)
    }
}

fn hold_file(file: &Path, time: Duration) -> rusqlite::Result<()> {
    let connection = rusqlite::Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    connection.execute_batch("begin immediate")?;
    std::thread::sleep(time);
    connection.execute_batch("rollback")
}

fn ask(url: &str, statements: &str) -> Result<(), String> {
    let explain = |error: &dyn std::error::Error| error.to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| explain(&error))?.block_on(async {
        // The schema is the log's own option.
        let plain = url.split('?').next().unwrap_or_default();
        let connected = tokio_postgres::connect(plain, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| explain(&error))?;
        let driven = tokio::spawn(connection);
        let asked = client.batch_execute(statements).await.map_err(|error| explain(&error));
        drop(client);
        let _ = driven.await;
        asked
    })
}
