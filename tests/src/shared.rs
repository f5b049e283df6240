//! A run log in memory that several sessions reach, each by a line of its own that can be disturbed.
//!
//! Always: what a disturbed line is asked does not get through, but for [`Fault::Unheard`] and
//! [`Fault::Unanswered`]. The server
//! keeps leases as one in a database does, in its own time, and refuses what a session whose
//! lease has ended wants to begin.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redengine_core::Timestamp;
use redengine_core::record::{Action, Recorded, Seq};
use redengine_core::runlog::{
    Append, Appended, Leases, LogError, LogErrorKind, Member, Past, PastOf, Prune, Query, RunLog,
};
use redengine_core::time::Clock;
use redengine_log::MemoryLog;
use redengine_runtime::VirtualClock;
use tokio::sync::watch;

use crate::world::at;

/// What happens on the way to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection is lost.
    Cut,
    /// No answer comes until it is over.
    Silence,
    /// The log can be read and takes nothing.
    Full,
    /// Only leases cannot be renewed.
    Unrenewed,
    /// Only leases can be taken and given back.
    Unread,
    /// Only records cannot be appended.
    Unappended,
    /// The connection is lost after the log has taken something and before it says so.
    Unheard,
    /// What is appended is taken, and answered only when nothing happens on the way any more, whatever
    /// happens until then.
    Unanswered,
    /// The log tells who follows it of a record before it answers who has written it.
    Late,
}

/// A clock that shows the same to several sessions: 07:00 on 2026-11-24 when it is first read.
#[derive(Clone, Debug)]
pub struct SameClock(Arc<VirtualClock>);

impl Clock for SameClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// The log itself.
#[derive(Clone, Debug)]
pub struct Server {
    log: Arc<watch::Sender<MemoryLog>>,
    leases: Option<Arc<Table>>,
}

#[derive(Debug)]
struct Table {
    clock: SameClock,
    rows: Mutex<BTreeMap<Arc<str>, Lease>>,
}

#[derive(Debug)]
struct Lease {
    labels: Vec<Arc<str>>,
    until: Timestamp,
    is_fenced: bool,
}

impl Server {
    /// Makes one that keeps leases.
    pub fn new() -> Self {
        let clock = SameClock(Arc::new(VirtualClock::starting(at("2026-11-24 07:00"))));
        let table = Table { clock, rows: Mutex::default() };
        Self { leases: Some(Arc::new(table)), ..Self::without_leases() }
    }

    /// Makes one that keeps none.
    pub fn without_leases() -> Self {
        Self { log: Arc::new(watch::Sender::new(MemoryLog::new())), leases: None }
    }

    /// Makes a line to it.
    pub fn line(&self) -> Line {
        Line {
            server: self.clone(),
            fault: Arc::new(watch::Sender::new(Fault::None)),
            asked: Arc::default(),
            refused: Arc::default(),
        }
    }

    /// Goes on with a copy of its first records: it is restored from a backup, or another server that
    /// lacks the others takes over. Nobody is told.
    ///
    /// # Panics
    ///
    /// If a test has panicked that holds it.
    pub async fn go_back_to(&self, last: Seq) {
        let log = self.log();
        let mut records = log.read(Query::all()).await.expect("memory can be read");
        records.retain(|recorded| recorded.seq <= last);
        let copy = MemoryLog::new();
        copy.import(records).await.expect("they are in order");
        self.log.send_replace(copy);
    }

    fn log(&self) -> MemoryLog {
        self.log.borrow().clone()
    }

    /// Tells its clock.
    ///
    /// # Panics
    ///
    /// If it keeps no leases and so no time.
    pub fn clock(&self) -> SameClock {
        self.leases.as_ref().expect("leases").clock.clone()
    }

    /// Ends the lease of a session as another one does that takes it for gone.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub fn end_lease(&self, node: &str) {
        let mut rows = self.leases.as_ref().expect("leases").rows.lock().expect("no panic");
        rows.get_mut(node).expect("a lease").is_fenced = true;
    }

    /// Tells whether a session has a lease that nobody has ended.
    ///
    /// # Panics
    ///
    /// If it keeps no leases.
    pub fn has_lease(&self, node: &str) -> bool {
        let rows = self.leases.as_ref().expect("leases").rows.lock().expect("no panic");
        rows.get(node).is_some_and(|row| !row.is_fenced)
    }

    /// Tells how many sessions have a lease that nobody has ended.
    ///
    /// # Panics
    ///
    /// If it keeps no leases.
    pub fn lease_count(&self) -> usize {
        let rows = self.leases.as_ref().expect("leases").rows.lock().expect("no panic");
        rows.values().filter(|row| !row.is_fenced).count()
    }

    /// Tells what a session with a lease is good for, as it has told.
    ///
    /// # Panics
    ///
    /// If it has none.
    pub fn labels(&self, node: &str) -> Vec<Arc<str>> {
        let rows = self.leases.as_ref().expect("leases").rows.lock().expect("no panic");
        rows.get(node).expect("a lease").labels.clone()
    }

    fn is_fenced(&self, append: &Append) -> bool {
        let Some(table) = &self.leases else { return false };
        let details = append.record.details.as_ref();
        let Some(node) = details.and_then(|details| details.node.as_ref()) else { return false };
        let rows = table.rows.lock().expect("no panic");
        append.record.action == Action::Run && rows.get(node).is_some_and(|row| row.is_fenced)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

/// A session's line to the log.
#[derive(Clone, Debug)]
pub struct Line {
    server: Server,
    fault: Arc<watch::Sender<Fault>>,
    asked: Arc<Mutex<Vec<Timestamp>>>,
    refused: Arc<AtomicUsize>,
}

impl Line {
    /// Tells the clock of the log.
    ///
    /// # Panics
    ///
    /// As [`Server::clock`].
    pub fn clock(&self) -> SameClock {
        self.server.clock()
    }

    /// Disturbs the line, or mends it.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Takes the instants at which something was asked in vain.
    ///
    /// # Panics
    ///
    /// If the log keeps no leases and so no time.
    pub fn asked_in_vain(&self) -> Vec<Timestamp> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }

    /// Tells how many starts were refused because there was no room.
    pub fn refused_starts(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    async fn read_through(&self) -> Result<MemoryLog, LogError> {
        // OK because the line keeps the sender.
        let fault = *self
            .fault
            .subscribe()
            .wait_for(|fault| *fault != Fault::Silence)
            .await
            .expect("a sender");
        if fault == Fault::Unread {
            return Err(lost());
        }
        if fault == Fault::Cut {
            if let Some(table) = &self.server.leases {
                self.asked.lock().expect("no panic").push(table.clock.now());
            }
            return Err(lost());
        }
        Ok(self.server.log())
    }

    async fn lease_through(&self) -> Result<(), LogError> {
        if *self.fault.borrow() != Fault::Unread {
            self.write_through().await?;
        }
        Ok(())
    }

    async fn write_through(&self) -> Result<MemoryLog, LogError> {
        if *self.fault.borrow() == Fault::Full {
            return Err(LogError::new(LogErrorKind::Full, "the disk is full"));
        }
        self.read_through().await
    }
}

fn lost() -> LogError {
    LogError::new(LogErrorKind::Unreachable, "the connection is lost")
}

#[async_trait]
impl RunLog for Line {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Appended>, LogError> {
        if *self.fault.borrow() == Fault::Full {
            let starts = batch.iter().filter(|append| append.record.action == Action::Run);
            self.refused.fetch_add(starts.count(), Ordering::Relaxed);
        }
        if *self.fault.borrow() == Fault::Unappended {
            return Err(lost());
        }
        let log = self.write_through().await?;
        if batch.iter().any(|append| self.server.is_fenced(append)) {
            return Err(LogError::new(LogErrorKind::Fenced, "the lease has ended"));
        }
        let answers = log.append(batch).await;
        if *self.fault.borrow() == Fault::Unanswered {
            // OK because the line keeps the sender.
            let whole = |fault: &Fault| *fault == Fault::None;
            self.fault.subscribe().wait_for(whole).await.expect("a sender");
        }
        if *self.fault.borrow() == Fault::Late {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if *self.fault.borrow() == Fault::Unheard { Err(lost()) } else { answers }
    }

    async fn read(&self, query: Query) -> Result<Vec<Recorded>, LogError> {
        self.read_through().await?.read(query).await
    }

    async fn past(&self, of: Vec<PastOf>) -> Result<Vec<Past>, LogError> {
        self.read_through().await?.past(of).await
    }

    async fn unfinished(&self) -> Result<Vec<Arc<str>>, LogError> {
        self.read_through().await?.unfinished().await
    }

    async fn last_seq(&self) -> Result<Seq, LogError> {
        self.read_through().await?.last_seq().await
    }

    async fn count(&self, query: Query) -> Result<u64, LogError> {
        self.read_through().await?.count(query).await
    }

    async fn changed(&self, after: Seq) -> Result<Seq, LogError> {
        let mut fault = self.fault.subscribe();
        let mut log = self.server.log.subscribe();
        loop {
            let now = self.read_through().await?;
            log.mark_unchanged();
            let last = tokio::select! {
                _ = fault.wait_for(|fault| *fault == Fault::Cut) => return Err(lost()),
                _ = log.changed() => continue,
                last = now.changed(after) => last,
            };
            self.read_through().await?;
            return last;
        }
    }

    async fn prune(&self, prune: Prune) -> Result<u64, LogError> {
        self.write_through().await?.prune(prune).await
    }

    async fn import(&self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.write_through().await?.import(records).await
    }

    async fn compact(&self) -> Result<(), LogError> {
        self.write_through().await?.compact().await
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.server.leases.as_ref().map(|_| self as &dyn Leases)
    }
}

#[async_trait]
impl Leases for Line {
    async fn renew(
        &self,
        me: &Member,
        ttl: Duration,
        gone: &[Arc<str>],
    ) -> Result<Vec<Member>, LogError> {
        self.lease_through().await?;
        if *self.fault.borrow() == Fault::Unrenewed {
            return Err(lost());
        }
        let table = self.server.leases.as_ref().expect("leases");
        let now = table.clock.now();
        let mut rows = table.rows.lock().expect("no panic");
        if rows.get(&me.node).is_some_and(|row| row.is_fenced) {
            return Err(LogError::new(LogErrorKind::Fenced, "the lease has ended"));
        }
        let lease = Lease { labels: me.labels.clone(), until: now.after(ttl), is_fenced: false };
        rows.insert(me.node.clone(), lease);
        for (node, row) in rows.iter_mut() {
            row.is_fenced |= row.until <= now || gone.contains(node);
        }
        let there = rows.iter().filter(|(_, row)| !row.is_fenced);
        Ok(there
            .map(|(node, row)| Member { node: node.clone(), labels: row.labels.clone() })
            .collect())
    }

    async fn release(&self, node: &Arc<str>) -> Result<(), LogError> {
        self.lease_through().await?;
        let table = self.server.leases.as_ref().expect("leases");
        table.rows.lock().expect("no panic").remove(node);
        Ok(())
    }
}
