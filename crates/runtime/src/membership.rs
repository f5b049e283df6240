//! Who runs things on a log: this session's name there, and which others are gone.
//!
//! On a log that many machines share each session has a lease, in the log's own time. It is renewed
//! three times in its length; a session that could not renew it stops starting runs before it ends,
//! by its own steady clock. One that is too late (its process stood still) learns that others took
//! over, and goes on under another name. On other logs, a session is gone when its process is.
//!
//! Nothing is decided here: the log refuses what a session without a lease wants to begin.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use redengine_core::Timestamp;
use redengine_core::facts::Live;
use redengine_core::runlog::{LogError, LogErrorKind, Member, RunLog};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::clock::steady;
use crate::crash::{self, Point};
use crate::node::{self, Node};

/// How often the processes of other sessions are looked for while runs of theirs are live.
const LOOK: Duration = Duration::from_secs(1);

/// A run whose record names no session is left alone for so long from its start. Sessions always name
/// themselves: it is of another program, or was written by hand, and nobody can tell whether that is there.
/// Not for ever, because it keeps its task from running.
const NAMELESS: Duration = Duration::from_hours(24);

/// What became of a lease.
#[derive(Debug)]
pub(crate) enum Renewed {
    /// Time to look which of the others are gone.
    Look,
    /// It is held; these are there.
    Held(Vec<Member>),
    /// It could not be renewed in time, and nobody knows whether it is held.
    Doubtful(LogError),
    /// It was ended: others have taken over. The session has another name from now on.
    Fenced(Arc<str>),
}

/// When the log was asked, and what it said.
type Renewal = (Instant, Result<Vec<Member>, LogError>);

/// A session among those that share its log.
pub(crate) struct Membership {
    log: Arc<dyn RunLog>,
    /// While it is there, others of this process know that it runs.
    node: Node,
    /// What the session is good for.
    labels: Vec<Arc<str>>,
    /// The same, as it was told last, or is being told.
    told: Vec<Arc<str>>,
    ttl: Duration,
    /// Those that are there; `None`: the log has no leases.
    members: Option<Vec<Member>>,
    /// Until when the lease is held for sure.
    trusted_until: Instant,
    is_doubtful: bool,
    next: Instant,
    renewing: Option<BoxFuture<'static, Renewal>>,
}

impl Membership {
    /// Takes a lease, if the log has them.
    pub(crate) async fn join(
        log: Arc<dyn RunLog>,
        labels: Vec<Arc<str>>,
        ttl: Duration,
    ) -> Result<Self, LogError> {
        let now = steady();
        let mut membership = Self {
            log,
            node: Node::new(),
            told: labels.clone(),
            labels,
            ttl,
            members: None,
            trusted_until: now + ttl,
            is_doubtful: false,
            next: now + LOOK,
            renewing: None,
        };
        membership.look_again().await?;
        Ok(membership)
    }

    /// Asks who is there now; sessions whose processes are gone are not waited for.
    pub(crate) async fn look_again(&mut self) -> Result<(), LogError> {
        if self.log.leases().is_some() {
            let (at, members) = self.renewal().await;
            self.held(at, members?);
        }
        Ok(())
    }

    /// Tells the session's name in records.
    pub(crate) fn name(&self) -> &Arc<str> {
        self.node.name()
    }

    /// Tells those that are there, if the log has leases.
    pub(crate) fn members(&self) -> Option<&[Member]> {
        self.members.as_deref()
    }

    /// Tells whether the session of a live run is gone.
    pub(crate) fn is_left(&self, live: &Live, now: Timestamp) -> bool {
        match (&live.node, &self.members) {
            (None, _) => live.started.after(NAMELESS) <= now,
            (Some(name), Some(members)) => !members.iter().any(|member| member.node == *name),
            (Some(name), None) => node::is_gone(name),
        }
    }

    /// Tells whether the lease is held for sure, if the log has leases.
    pub(crate) fn is_held(&self) -> bool {
        // A process that stood still hears of its lease's end only later.
        !self.is_doubtful && (self.members.is_none() || steady() < self.trusted_until)
    }

    /// Tells the others at once what the session is good for from now on.
    pub(crate) fn set_labels(&mut self, labels: &[Arc<str>]) {
        if self.labels != labels {
            self.labels = labels.to_vec();
            self.next = steady();
        }
    }

    /// Renews the lease at once: the log has said that it is not held.
    pub(crate) fn hurry(&mut self) {
        self.next = steady();
    }

    /// Waits for the next news.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again: a renewal stays under way.
    pub(crate) async fn next(&mut self) -> Renewed {
        loop {
            if self.renewing.is_none() {
                sleep_until(self.next).await;
                if self.members.is_none() {
                    self.next = steady() + LOOK;
                    return Renewed::Look;
                }
                self.renewing = Some(self.renewal());
            }
            let Some(renewing) = &mut self.renewing else { continue };
            let answer = if self.is_doubtful {
                Ok(renewing.await)
            } else {
                timeout_at(self.trusted_until, renewing).await
            };
            let Ok((at, result)) = answer else {
                // The answer may still come; until then nobody knows.
                self.is_doubtful = true;
                return Renewed::Doubtful(unanswered());
            };
            self.renewing = None;
            match result {
                Ok(members) => {
                    self.held(at, members.clone());
                    if self.labels != self.told {
                        // They changed while the old ones were being told.
                        self.next = steady();
                    }
                    return Renewed::Held(members);
                }
                Err(error) if error.kind() == LogErrorKind::Fenced => {
                    self.node = Node::new();
                    self.next = steady();
                    self.is_doubtful = true;
                    return Renewed::Fenced(self.node.name().clone());
                }
                Err(error) => {
                    // Sessions that lost the same log must not all come back at the same moment.
                    let pause = self.ttl.div_f64(10.0).mul_f64(fastrand::f64() + 0.5);
                    self.next = steady() + pause;
                    if !self.is_doubtful && self.next >= self.trusted_until {
                        self.is_doubtful = true;
                        return Renewed::Doubtful(error);
                    }
                }
            }
        }
    }

    /// Gives the lease back, as far as that can be done soon.
    pub(crate) async fn leave(self) {
        if let Some(leases) = self.log.leases() {
            // If it cannot be given back, it ends by itself.
            crash::pass(Point::BeforeLeaseRelease);
            let _ = timeout(self.ttl / 3, leases.release(self.node.name())).await;
            crash::pass(Point::AfterLeaseRelease);
        }
    }

    fn held(&mut self, at: Instant, members: Vec<Member>) {
        self.members = Some(members);
        self.is_doubtful = false;
        // The log counts from later than this, so this ends earlier.
        self.trusted_until = at + self.ttl.mul_f64(0.9);
        self.next = at + self.ttl / 3;
    }

    fn renewal(&mut self) -> BoxFuture<'static, Renewal> {
        let log = self.log.clone();
        self.told.clone_from(&self.labels);
        let me = Member { node: self.node.name().clone(), labels: self.labels.clone() };
        let others = self.members.iter().flatten().map(|member| &member.node);
        let gone: Vec<Arc<str>> =
            others.filter(|name| node::is_surely_gone(name)).cloned().collect();
        let ttl = self.ttl;
        Box::pin(async move {
            let at = steady();
            let Some(leases) = log.leases() else { return (at, Ok(Vec::new())) };
            crash::pass(Point::BeforeLeaseRenewal);
            let renewed = timeout(ttl / 3, leases.renew(&me, ttl, &gone)).await;
            crash::pass(Point::AfterLeaseRenewal);
            (at, renewed.unwrap_or_else(|_| Err(unanswered())))
        })
    }
}

fn unanswered() -> LogError {
    let message = "the run log does not answer when the lease is to be renewed";
    LogError::new(LogErrorKind::Unreachable, message)
}
