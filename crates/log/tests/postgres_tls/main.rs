//! The PostgreSQL log on a real server that speaks TLS: that what is said is sealed, with whom, and
//! what is said when it cannot be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod papers;
#[path = "../shared/records.rs"]
mod records;
mod refused;
mod sealed;

use std::path::Path;
use std::sync::LazyLock;

use papers::{Authority, file};
use redengine_testserver::{Papers, Server};
use tokio_postgres::{Client, NoTls};

/// A server with a certificate for `localhost`.
struct Sealed {
    server: Server,
    authority: Authority,
}

/// Who is let in how, besides the one who looks on.
const LETS_IN: &str = "
hostnossl all watcher all trust
hostssl all bound all scram-sha-256
hostssl all known all cert
hostssl all redengine all trust
";

/// The server that most of these tests share.
static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let authority = Authority::new("Red Engine's tests");
    let server = Server::start().unwrap();
    let setup = "set password_encryption = 'scram-sha-256';
        create role watcher superuser login;
        create role bound superuser login password 's3cret';
        create role known superuser login;";
    run(&server.url(), setup);
    speak(&server, &authority.server("localhost"), &authority, LETS_IN);
    Sealed { server, authority }
});

fn speak(server: &Server, shown: &papers::Signed, clients: &Authority, lets_in: &str) {
    let clients = &clients.certificate();
    let papers = Papers { certificate: &shown.certificate, key: &shown.key, clients };
    server.speak_tls(papers, lets_in).unwrap();
}

/// Runs statements from wherever one is, also where a runtime is busy with the test.
fn run(url: &str, sql: &str) {
    let work = async { beside(url).await.batch_execute(sql).await.unwrap() };
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| scope.spawn(|| runtime().block_on(work)).join().unwrap());
}

/// Connects without TLS.
async fn beside(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// An address of a new schema on a server, for `user`, by the name of the host.
fn url(server: &Server, user: &str, parameters: &str) -> String {
    let url = server.url_of_new_schema();
    let (_, schema) = url.split_once('?').unwrap();
    let port = server.port();
    format!("postgres://{user}@localhost:{port}/postgres?{schema}&{parameters}")
}

/// Says whom to trust.
fn trusting(path: &Path) -> String {
    format!("sslrootcert={}", path.display())
}

fn trusted() -> String {
    trusting(&file("trusted.pem", &SEALED.authority.certificate()))
}
