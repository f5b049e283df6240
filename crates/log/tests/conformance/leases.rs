//! Leases as one would explain them, and what may be wrong with them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use redengine_core::record::Action;
use redengine_core::runlog::{Append, Leases, LogError, LogErrorKind, Member};

use crate::faults::Fault;

#[derive(Clone, Debug)]
pub(crate) struct NaiveLeases {
    fault: Fault,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    /// The log's own time, which goes on by a millisecond whenever somebody asks.
    now: Duration,
    leases: BTreeMap<Arc<str>, Lease>,
}

#[derive(Debug)]
struct Lease {
    labels: Vec<Arc<str>>,
    until: Duration,
    is_over: bool,
}

impl Table {
    fn tick(&mut self) -> Duration {
        self.now += Duration::from_millis(1);
        self.now
    }
}

impl NaiveLeases {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, table: Arc::default() }
    }

    /// Tells whether some record of a batch may not be written.
    pub(crate) fn refuse(&self, batch: &[Append]) -> bool {
        let mut table = self.table.lock().unwrap();
        let now = table.tick();
        let is_over = |node: &str| {
            let lease = table.leases.get(node);
            lease.is_some_and(|lease| {
                lease.is_over || (lease.until <= now && self.fault != Fault::BeginsAfterTheLease)
            })
        };
        self.fault != Fault::BeginsWithoutLease
            && batch
                .iter()
                .filter(|one| one.record.action == Action::Run || self.fault == Fault::FencesEnds)
                .filter_map(|one| one.record.details.as_ref()?.node.as_deref())
                .any(is_over)
    }
}

pub(crate) fn fenced() -> LogError {
    LogError::new(LogErrorKind::Fenced, "the lease has ended")
}

#[async_trait]
impl Leases for NaiveLeases {
    async fn renew(
        &self,
        me: &Member,
        ttl: Duration,
        gone: &[Arc<str>],
    ) -> Result<Vec<Member>, LogError> {
        let mut table = self.table.lock().unwrap();
        let now = table.tick();
        let own = table.leases.get(&me.node);
        if own.is_some_and(|own| own.is_over) && self.fault != Fault::RenewsWhatIsOver {
            return Err(fenced());
        }
        let until = match own {
            Some(own) if self.fault == Fault::RenewsNothing => own.until,
            _ => now + ttl,
        };
        let labels = match self.fault {
            Fault::ForgetsLabels => Vec::new(),
            _ => me.labels.clone(),
        };
        table.leases.insert(me.node.clone(), Lease { labels, until, is_over: false });
        for (node, lease) in &mut table.leases {
            let has_run_out = lease.until <= now && self.fault != Fault::NeverEndsALease;
            let is_gone = gone.contains(node) && self.fault != Fault::IgnoresGone;
            lease.is_over |= has_run_out || is_gone;
        }
        if self.fault != Fault::IgnoresUnknownGone {
            for node in gone {
                let over = || Lease { labels: Vec::new(), until: now, is_over: true };
                table.leases.entry(node.clone()).or_insert_with(over);
            }
        }
        let there = table.leases.iter().filter(|(_, lease)| !lease.is_over);
        let member = |(node, lease): (&Arc<str>, &Lease)| Member {
            node: node.clone(),
            labels: lease.labels.clone(),
        };
        Ok(there.map(member).collect())
    }

    async fn release(&self, node: &Arc<str>) -> Result<(), LogError> {
        let mut table = self.table.lock().unwrap();
        match (self.fault, table.leases.get_mut(node)) {
            (Fault::KeepsWhatIsGivenBack, _) | (_, None) => {}
            (Fault::EndsWhatIsGivenBack, Some(lease)) => lease.is_over = true,
            (fault, Some(lease)) => {
                if !lease.is_over || fault == Fault::GivesBackWhatIsOver {
                    table.leases.remove(node);
                }
            }
        }
        Ok(())
    }
}
