//! What is said when a log cannot be opened, and how versions meet.

use std::time::Duration;

use redengine_core::record::{Action, Details, Reason, Seq};
use redengine_core::runlog::{Appended, Leases, LogError, LogErrorKind, Query, RunLog};
use redengine_log::PostgresLog;
use redengine_testserver::Server;

use super::{assert_says, begin, begin_on, beside, connect, end, latest, member};

async fn refused(url: &str) -> LogError {
    PostgresLog::connect(url).await.unwrap_err()
}

#[tokio::test]
async fn what_is_wrong_with_the_address_is_said() {
    let server = Server::shared();
    let port = server.port();
    let admin = beside(&server.url()).await;
    admin.batch_execute("create role nobody_much login").await.unwrap();
    admin.batch_execute("create schema theirs; create table theirs.orders (id int)").await.unwrap();
    let error = refused(&format!("postgres://redengine@127.0.0.1:{port}/nowhere")).await;
    assert_says(&error, LogErrorKind::Open, "create database \"nowhere\"");
    let error = refused(&format!("postgres://stranger@127.0.0.1:{port}/postgres")).await;
    assert_says(&error, LogErrorKind::Open, "does not let user `stranger` in");
    let error = refused(&format!("postgres://nobody_much@127.0.0.1:{port}/postgres")).await;
    assert_says(&error, LogErrorKind::Open, "create schema \"redengine\" authorization");
    let error = refused(&format!("{}?schema=theirs", server.url())).await;
    assert_says(&error, LogErrorKind::Open, "there is a `orders` in schema `theirs`");
    let error = refused(&format!("{}?sslmode=require", server.url())).await;
    assert_says(&error, LogErrorKind::Open, "TLS");
    admin
        .batch_execute("create database old template template0 encoding 'SQL_ASCII'")
        .await
        .unwrap();
    let error = refused(&format!("postgres://redengine@127.0.0.1:{port}/old")).await;
    assert_says(&error, LogErrorKind::Open, "encoded as SQL_ASCII");
    let nobody = "postgres://redengine:s3cret@127.0.0.1:1/postgres";
    let error = refused(nobody).await;
    assert_says(&error, LogErrorKind::Unreachable, "127.0.0.1:1/postgres");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_and_left_alone() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    let first = log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    assert!(matches!(first[0], Appended::Won(_)));
    let server = beside(&url).await;
    server.batch_execute("update state set version = 99").await.unwrap();
    let error = refused(&url).await;
    assert_says(&error, LogErrorKind::Version, "its tables are of version 99");
    // Who was there before writes no more.
    let error = log.append(vec![latest(begin("a", 2, 0), Some(Seq(1)))]).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Version);
    let left = "select version, (select count(*) from record) from state";
    let left = server.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get::<_, i32>(0), left.get::<_, i64>(1)), (99, 1));
}

#[tokio::test]
async fn tables_of_an_older_version_are_upgraded() {
    let url = Server::shared().url_of_new_schema();
    let log = connect(&url).await;
    log.append(vec![latest(begin("a", 1, 0), None)]).await.unwrap();
    let server = beside(&url).await;
    // The first version knew no leases.
    server.batch_execute("drop table lease; update state set version = 1").await.unwrap();
    server.batch_execute("drop view history; alter table record drop column causes").await.unwrap();
    let log = connect(&url).await;
    assert_eq!(log.renew(&member("a"), Duration::from_mins(1), &[]).await.unwrap().len(), 1);
    let second = latest(begin_on("a", "a", 2), Some(Seq(1)));
    assert!(matches!(log.append(vec![second]).await.unwrap()[0], Appended::Won(_)));
    assert_eq!(log.count(Query::all()).await.unwrap(), 2);
}

#[tokio::test]
async fn tables_that_were_made_before_causes_were_kept_get_a_column_for_them() {
    let url = Server::shared().url_of_new_schema();
    drop(connect(&url).await);
    let server = beside(&url).await;
    server.batch_execute("drop view history; alter table record drop column causes").await.unwrap();
    let log = connect(&url).await;
    let begun = begin("a", 1, 0);
    let reason = Reason::new("no prices").because("no answer").because("the cable is cut");
    let mut failed = end(&begun, Action::Fail);
    failed.record.details = Details::default().with_reason(reason).shared();
    log.append(vec![latest(begun, None), failed.clone()]).await.unwrap();
    assert_eq!(log.read(Query::all()).await.unwrap()[1].record, failed.record);
    let shown = "select causes from history where reason = 'no prices'";
    let shown: String = server.query_one(shown, &[]).await.unwrap().get(0);
    assert_eq!(shown, r#"["no answer","the cable is cut"]"#);
    // A node that does not know the column may have been there all the time.
    let version = server.query_one("select version from state", &[]).await.unwrap();
    assert_eq!(version.get::<_, i32>(0), 2);
}
