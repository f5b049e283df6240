//! A run log that keeps nothing, so that sessions can be built.

use std::sync::Arc;

use async_trait::async_trait;
use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, LogError, LogErrorKind, Past, PastOf, Query, RunLog,
};
use redengine_core::session::DefaultLog;

#[derive(Debug)]
struct Nothing;

redengine_core::macros::inventory::submit! { DefaultLog(|| Arc::new(Nothing)) }

fn none<T>() -> Result<T, LogError> {
    Err(LogError::new(LogErrorKind::Open, "nothing is kept"))
}

#[async_trait]
impl RunLog for Nothing {
    async fn append(&self, _batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        none()
    }

    async fn read(&self, _query: Query) -> Result<Vec<Recorded>, LogError> {
        none()
    }

    async fn past(&self, _of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        none()
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        none()
    }
}
