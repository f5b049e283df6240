//! Records of clocks that step ahead and back: what was at or after an instant is found, wherever it is.

#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other tests say more")]
#[path = "shared/records.rs"]
mod records;

use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, Record, Recorded, Seq};
use redengine_core::runlog::{Query, RunLog};
use redengine_log::connect;
use redengine_testserver::Server;

use self::records::{begin, end, latest};

const HOURS: [i64; 5] = [0, 1, 2, 7, 5000];

/// Appends by several handles, whose clocks show whatever.
async fn demand_that_all_is_found(address: &str) {
    let logs: Vec<Arc<dyn RunLog>> =
        vec![connect(address).await.unwrap(), connect(address).await.unwrap()];
    let mut all: Vec<Recorded> = Vec::new();
    let mut number = 1_u64;
    let mut random = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(number >> 33).unwrap() % below
    };
    for run in 0..150 {
        let log = &logs[random(2)];
        let last = all.last().map(|last| last.seq);
        let begun = begin("a", run, HOURS[random(5)] * 3600 + 5);
        let at = Timestamp::from_micros(HOURS[random(5)] * 3_600_000_000);
        let ended = end(&Record { at, ..begun.clone() }, Action::Success);
        let answers = log.append(vec![latest(begun, last), ended]).await.unwrap();
        for answer in answers {
            let redengine_core::runlog::Appended::Won(recorded) = answer else { panic!("lost") };
            all.push(recorded);
        }
        let from =
            Timestamp::from_micros(HOURS[random(5)] * 3_600_000_000 + i64::from(random(2) == 1));
        let after = Seq(random(all.len()) as u64);
        let limit = 1 + random(4);
        for query in [
            Query::all().from(from),
            Query::task("a").from(from).after(after),
            Query::task("a").from(from).actions([Action::Success]).limit(limit).newest_first(),
            Query::all().from(from).limit(limit).newest_first(),
            Query::all().from(from).limit(limit),
        ] {
            let mut wanted: Vec<&Recorded> = all.iter().filter(|one| query.matches(one)).collect();
            let log = &logs[random(2)];
            assert_eq!(log.count(query.clone()).await.unwrap(), wanted.len() as u64, "{query:?}");
            if query.order == redengine_core::runlog::Order::Newest {
                wanted.reverse();
            }
            wanted.truncate(query.limit.unwrap_or(usize::MAX));
            let found = log.read(query.clone()).await.unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{query:?}");
        }
    }
}

#[tokio::test]
async fn all_is_found_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs.db");
    demand_that_all_is_found(&format!("sqlite:{}?synchronous=normal", path.display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_found_on_a_server() {
    demand_that_all_is_found(&Server::shared().url_of_new_schema()).await;
}
