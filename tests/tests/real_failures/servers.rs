//! A log on a server: that crashes, becomes a standby, cuts connections; a newer version.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::runlog::{LogErrorKind, Query, RunLog};
use redengine_log::connect;
use redengine_tests::world::{actions, pass, run_while, still};
use redengine_testserver::Server;
use tokio_postgres::{Client, NoTls};

use super::{Scene, Told, Trouble, begin, ended, live_through};

/// Connects to a server beside the log.
async fn admin(server: &Server) -> Client {
    let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Something is done to a whole server, and undone.
struct Turned {
    server: Arc<Server>,
    off: fn(&Server) -> io::Result<()>,
    on: fn(&Server) -> io::Result<()>,
}

impl Turned {
    async fn turn(&self, turn: fn(&Server) -> io::Result<()>) {
        let server = self.server.clone();
        tokio::task::spawn_blocking(move || turn(&server).unwrap()).await.unwrap();
    }
}

#[async_trait]
impl Trouble for Turned {
    async fn begin(&mut self) {
        self.turn(self.off).await;
    }

    async fn end(&mut self) {
        self.turn(self.on).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_writes() {
    let server = Arc::new(Server::start().unwrap());
    let scene = async || {
        let log = connect(&server.url_of_new_schema()).await.unwrap();
        let (off, on) = (Server::stand_by, Server::promote);
        Scene { log, trouble: Turned { server: server.clone(), off, on } }
    };
    // To become a standby, it ends its connections.
    let kinds = &[LogErrorKind::Unreachable, LogErrorKind::ReadOnly];
    let told = Told { kinds, words: &["takes no writes"] };
    live_through(scene, told).await;
}

/// A newer version raises the version of the tables.
struct NewerTables {
    admin: Client,
    schema: String,
}

#[async_trait]
impl Trouble for NewerTables {
    async fn begin(&mut self) {
        let raise = format!("update {}.state set version = version + 1", self.schema);
        still(self.admin.batch_execute(&raise)).await.unwrap();
    }

    async fn end(&mut self) {
        let lower = format!("update {}.state set version = version - 1", self.schema);
        still(self.admin.batch_execute(&lower)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn tables_whose_version_a_newer_program_has_raised() {
    let scene = async || {
        let url = Server::shared().url_of_new_schema();
        let schema = url.split_once("schema=").unwrap().1.to_owned();
        let log = connect(&url).await.unwrap();
        let admin = admin(Server::shared()).await;
        Scene { log, trouble: NewerTables { admin, schema } }
    };
    let words = &["use the newer program everywhere"];
    live_through(scene, Told { kinds: &[LogErrorKind::Version], words }).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_crashes_and_comes_back() {
    let server = Arc::new(Server::start().unwrap());
    let scene = async || {
        let log = connect(&server.url_of_new_schema()).await.unwrap();
        let (off, on) = (Server::crash, Server::resume);
        Scene { log, trouble: Turned { server: server.clone(), off, on } }
    };
    let words = &["cannot be reached", "ended the connection", "closed the connection"];
    live_through(scene, Told { kinds: &[LogErrorKind::Unreachable], words }).await;
}

/// Makes a user of its own for a log on the server that all tests share: what happens to it happens to
/// nobody else.
async fn user_and_log(admin: &Client) -> (String, Arc<dyn RunLog>) {
    let url = Server::shared().url_of_new_schema();
    let schema = url.split_once("schema=").unwrap().1;
    let user = format!("user_of_{schema}");
    admin.batch_execute(&format!("create role {user} login superuser")).await.unwrap();
    let log = connect(&url.replacen("redengine@", &format!("{user}@"), 1)).await.unwrap();
    (user, log)
}

/// Ends all connections of a user.
async fn cut(admin: &Client, user: &str) {
    let cut =
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = $1";
    admin.query(cut, &[&user]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_cut_again_and_again() {
    let admin = admin(Server::shared()).await;
    let (user, log) = user_and_log(&admin).await;
    let session = begin(&log).build().unwrap();
    let story = async {
        pass("3 s").await;
        for _ in 0..30 {
            still(cut(&admin, &user)).await;
            pass("700 ms").await;
        }
        pass("30 s").await;
        assert!(session.health().is_well());
        session.shutdown();
    };
    run_while(&session, story).await.unwrap();
    let records = session.history(Query::all()).await.unwrap();
    assert!(ended(&records) >= 3 + 6);
    for name in ["long", "short", "next"] {
        let actions = actions(&session, name).await;
        assert!(actions.ends_with("run success"), "{name}: {actions}");
    }
}
