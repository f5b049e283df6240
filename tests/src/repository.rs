//! All run logs, each new and empty, by their addresses.

use std::sync::Arc;

use redengine_core::runlog::RunLog;
use redengine_log::connect;
use redengine_testserver::Server;
use tempfile::TempDir;

/// Where records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repository {
    /// In memory.
    Memory,
    /// In CSV files.
    Csv,
    /// In JSON lines.
    Jsonl,
    /// In an SQLite file.
    Sqlite,
    /// On a PostgreSQL server, which the tests of this program share.
    Postgres,
}

/// A new log.
#[derive(Debug)]
pub struct Opened {
    /// What a session is given.
    pub log: Arc<dyn RunLog>,
    /// What another program writes to: where several may open a log, it has opened it by itself.
    pub theirs: Arc<dyn RunLog>,
    _folder: TempDir,
}

impl Repository {
    /// Makes a new log.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub async fn open(self) -> Opened {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runs").display().to_string();
        let address = match self {
            Self::Memory => "memory:".to_owned(),
            Self::Csv => format!("csv:{path}.csv"),
            Self::Jsonl => format!("jsonl:{path}.jsonl"),
            Self::Sqlite => format!("sqlite:{path}.db"),
            Self::Postgres => Server::shared().url_of_new_schema(),
        };
        let open = async || connect(&address).await.expect("a log");
        let log = open().await;
        let theirs = match self {
            Self::Memory | Self::Csv | Self::Jsonl => log.clone(),
            Self::Sqlite | Self::Postgres => open().await,
        };
        Opened { log, theirs, _folder: folder }
    }
}
