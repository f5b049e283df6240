//! What works by TLS, and that it is TLS.

use std::sync::Arc;

use futures::StreamExt;
use redengine_core::record::{Action, Seq};
use redengine_core::runlog::{Appended, Query, RunLog};
use redengine_log::PostgresLog;

use super::records::{begin, end, latest};
use super::{SEALED, beside, file, trusted, url};

/// How many connections of a name there are, and how many of these by TLS.
async fn connections(name: &str) -> (i64, i64) {
    let watcher = beside(&SEALED.server.url().replace("redengine@", "watcher@")).await;
    let select = "select count(*), count(*) filter (where ssl)
        from pg_stat_activity join pg_stat_ssl using (pid) where application_name = $1";
    let row = watcher.query_one(select, &[&name]).await.unwrap();
    (row.get(0), row.get(1))
}

/// Connects, and tells the connections that are there then.
async fn connects(user: &str, name: &str, parameters: &str) -> (i64, i64) {
    let parameters = format!("application_name={name}&{parameters}");
    let log = PostgresLog::connect(&url(&SEALED.server, user, &parameters)).await.unwrap();
    log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    connections(name).await
}

#[tokio::test]
async fn all_connections_of_a_log_are_sealed() {
    let parameters = format!("sslmode=verify-full&{}", trusted());
    let url = url(&SEALED.server, "redengine", &parameters);
    let connect =
        async |name| PostgresLog::connect(&format!("{url}&application_name={name}")).await;
    let log: Arc<dyn RunLog> = Arc::new(connect("one").await.unwrap());
    let other = connect("other").await.unwrap();
    let mut followed = log.follow(Seq(0));
    let run = begin("a", 1, 0);
    let begun = log.append(vec![latest(run.clone(), None)]).await.unwrap();
    assert!(matches!(begun[0], Appended::Won(_)));
    let mut heard = vec![followed.next().await.unwrap().unwrap()];
    // Of what another one has written, it hears from the server alone.
    let ended = other.append(vec![end(&run, Action::Success)]).await.unwrap();
    assert!(matches!(ended[0], Appended::Won(_)));
    heard.push(followed.next().await.unwrap().unwrap());
    assert_eq!(log.read(Query::all()).await.unwrap(), heard);
    // The one that writes, the one that listens, and at least one that reads.
    let (all, sealed) = connections("one").await;
    assert!(all >= 3, "{all}");
    assert_eq!(all, sealed);
}

#[tokio::test]
async fn tls_is_used_where_it_works_if_nothing_is_said() {
    assert_eq!(connects("redengine", "silent", "").await, (1, 1));
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_by_tls_is_reached_without_it() {
    assert_eq!(connects("watcher", "watcher", "").await, (1, 0));
}

#[tokio::test]
async fn require_takes_the_certificate_of_anybody() {
    assert_eq!(connects("redengine", "anybody", "sslmode=require").await, (1, 1));
}

#[tokio::test]
async fn a_user_is_known_by_a_certificate() {
    let papers = SEALED.authority.user("known");
    let certificate = file("known.pem", &papers.certificate);
    let key = file("known.key", &papers.key);
    let parameters = format!(
        "sslmode=verify-full&{}&sslcert={}&sslkey={}",
        trusted(),
        certificate.display(),
        key.display()
    );
    assert_eq!(connects("known", "known", &parameters).await, (1, 1));
}

#[tokio::test]
async fn a_password_is_bound_to_the_certificate_of_the_server() {
    let parameters = format!("sslmode=verify-full&{}&channel_binding=require", trusted());
    assert_eq!(connects("bound:s3cret", "bound", &parameters).await, (1, 1));
}
