//! What goes wrong, and when: chosen by a seed, as far as the machine's timing lets it be repeated.
//!
//! Always: each fault is noted with its span, and all are mended in the end.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redengine_core::Timestamp;
use rustix::process::Signal;

use super::database::Database;
use super::node::LEASE;
use super::now;
use super::process::{Launcher, NodeProcess};
use super::spans::Span;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A node is killed, and started again later.
    Kill,
    /// A node stands still for longer than its lease.
    Pause,
    /// Connections are cut.
    Cut,
    /// Nobody can append for a while.
    Slow,
    /// The server is gone for a while.
    Stop,
}

impl Fault {
    /// Tells whether it is of the run log, not of a node.
    pub const fn is_of_log(self) -> bool {
        matches!(self, Self::Cut | Self::Slow | Self::Stop)
    }
}

/// What went wrong, and when.
pub type Faults = Vec<(Fault, Span)>;

/// A node, whatever has become of its process.
struct Node {
    process: NodeProcess,
    /// How often it was started.
    started: u32,
    state: State,
}

enum State {
    Up,
    Killed { since: Timestamp, until: Timestamp },
    Paused { since: Timestamp, until: Timestamp },
}

/// Runs the nodes, and disturbs them.
pub struct Disturber<'a> {
    launcher: Launcher,
    database: &'a Database,
    rng: fastrand::Rng,
    nodes: Vec<Node>,
    /// Since when and until when the server is gone.
    stopped: Option<Span>,
    slow: Vec<std::thread::JoinHandle<()>>,
    faults: Arc<Mutex<Faults>>,
    said: Vec<String>,
}

fn between(rng: &mut fastrand::Rng, from: u64, until: u64) -> Duration {
    Duration::from_millis(rng.u64(from..until))
}

impl<'a> Disturber<'a> {
    /// Starts the nodes.
    ///
    /// # Errors
    ///
    /// If a process cannot be started.
    pub fn start(
        launcher: Launcher,
        database: &'a Database,
        nodes: usize,
        seed: u64,
    ) -> io::Result<Self> {
        let nodes = (0..nodes)
            .map(|place| {
                let process = launcher.start(&format!("node-{place}-1"), &[])?;
                Ok(Node { process, started: 1, state: State::Up })
            })
            .collect::<io::Result<_>>()?;
        let rng = fastrand::Rng::with_seed(seed);
        let (faults, slow, said) = (Arc::default(), Vec::new(), Vec::new());
        Ok(Self { launcher, database, rng, nodes, stopped: None, slow, faults, said })
    }

    /// Disturbs them for a while.
    ///
    /// # Errors
    ///
    /// If a fault cannot be made.
    pub fn disturb(&mut self, time: Duration) -> Result<(), String> {
        let end = now().after(time);
        let mut next = now().after(Duration::from_secs(2));
        while now() < end {
            std::thread::sleep(Duration::from_millis(20));
            self.mend(now())?;
            if now() >= next {
                self.fault()?;
                next = now().after(between(&mut self.rng, 300, 1800));
            }
        }
        Ok(())
    }

    /// Mends all, and waits until all nodes are well. Tells those that are not.
    ///
    /// # Errors
    ///
    /// If something cannot be mended.
    pub fn calm(&mut self) -> Result<Vec<String>, String> {
        let long_from_now = now().after(Duration::from_secs(3600));
        self.mend(long_from_now)?;
        for slow in std::mem::take(&mut self.slow) {
            slow.join().map_err(|_| "the thread that slows the log panicked".to_owned())?;
        }
        // What was left behind is taken over once leases have ended and somebody has looked twice.
        std::thread::sleep(LEASE + Duration::from_secs(2));
        let until = now().after(Duration::from_secs(12));
        let mut ill = self.ill();
        while !ill.is_empty() && now() < until {
            std::thread::sleep(Duration::from_millis(50));
            ill = self.ill();
        }
        Ok(ill)
    }

    fn ill(&self) -> Vec<String> {
        let is_well = |node: &&Node| {
            let text = std::fs::read_to_string(node.process.effects()).unwrap_or_default();
            let last = text.lines().rfind(|line| line.starts_with("beat"));
            last.is_some_and(|line| line.ends_with("well"))
        };
        let ill = self.nodes.iter().filter(|node| !is_well(node));
        ill.map(|node| format!("process {}: {}", node.process.id(), tail(&node.process))).collect()
    }

    /// Tells the nodes to end in order, and waits for them. Tells those that did not.
    ///
    /// # Errors
    ///
    /// If they cannot be told.
    pub fn end(&mut self) -> io::Result<Vec<String>> {
        for node in &mut self.nodes {
            node.process.signal(Signal::TERM)?;
        }
        let mut wrong = Vec::new();
        for node in &mut self.nodes {
            let ended = node.process.wait(Duration::from_secs(20))?;
            if ended.is_none_or(|status| !status.success()) {
                let said = tail(&node.process);
                wrong.push(format!("process {} ended with {ended:?}: {said}", node.process.id()));
            }
        }
        Ok(wrong)
    }

    /// Tells what went wrong, and when.
    pub fn faults(&self) -> Faults {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells of processes that ended by themselves.
    pub fn said(&self) -> &[String] {
        &self.said
    }

    fn note(&self, fault: Fault, span: Span) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push((fault, span));
    }

    /// Makes the next fault.
    fn fault(&mut self) -> Result<(), String> {
        let explain = |error: io::Error| error.to_string();
        let place = self.rng.usize(..self.nodes.len());
        let choice = self.rng.u8(..10);
        let is_up = matches!(self.nodes[place].state, State::Up);
        match (choice, self.database) {
            (0..3, _) if is_up => {
                let since = now();
                let until = since.after(between(&mut self.rng, 0, 1500));
                let node = &mut self.nodes[place];
                node.process.kill().map_err(explain)?;
                node.state = State::Killed { since, until };
            }
            (3..5, _) if is_up => {
                let since = now();
                let longer = between(&mut self.rng, 300, 1500);
                let node = &mut self.nodes[place];
                node.process.signal(Signal::STOP).map_err(explain)?;
                node.state = State::Paused { since, until: since.after(LEASE + longer) };
            }
            (5..7, Database::Postgres { .. }) if self.stopped.is_none() => {
                let one_in = self.rng.u32(1..4);
                let since = now();
                self.database.cut(one_in)?;
                self.note(Fault::Cut, (since, now()));
            }
            (7, Database::Postgres { server: Some(server), .. }) if self.stopped.is_none() => {
                let since = now();
                server.crash().map_err(explain)?;
                self.stopped = Some((since, now().after(between(&mut self.rng, 100, 2000))));
            }
            (8.., _) if self.stopped.is_none() => {
                let slow = self.database.slow(between(&mut self.rng, 200, 1200));
                let faults = self.faults.clone();
                self.slow.push(std::thread::spawn(move || {
                    let since = now();
                    // A server that is stopped meanwhile is not slow any longer.
                    let _ = slow();
                    let mut faults = faults.lock().unwrap_or_else(PoisonError::into_inner);
                    faults.push((Fault::Slow, (since, now())));
                }));
            }
            _ => {}
        }
        Ok(())
    }

    /// Mends what has lasted long enough.
    fn mend(&mut self, at: Timestamp) -> Result<(), String> {
        let explain = |error: io::Error| error.to_string();
        if let Some((since, until)) = self.stopped
            && until <= at
        {
            self.stopped = None;
            if let Some(server) = self.database.server() {
                server.resume().map_err(explain)?;
            }
            self.note(Fault::Stop, (since, now()));
        }
        for place in 0..self.nodes.len() {
            let node = &mut self.nodes[place];
            match node.state {
                State::Up => {
                    if let Some(status) = node.process.ended().map_err(explain)? {
                        let said = tail(&node.process);
                        self.said.push(format!(
                            "process {} ended by itself: {status}; {said}",
                            node.process.id()
                        ));
                        node.state = State::Killed { since: now(), until: now() };
                    }
                }
                State::Killed { since, until } if until <= at => {
                    node.started += 1;
                    let name = format!("node-{place}-{}", node.started);
                    node.process = self.launcher.start(&name, &[]).map_err(explain)?;
                    node.state = State::Up;
                    self.note(Fault::Kill, (since, now()));
                }
                State::Paused { since, until } if until <= at => {
                    node.process.signal(Signal::CONT).map_err(explain)?;
                    node.state = State::Up;
                    self.note(Fault::Pause, (since, now()));
                }
                State::Killed { .. } | State::Paused { .. } => {}
            }
        }
        Ok(())
    }
}

/// The last lines that a process has said.
fn tail(process: &NodeProcess) -> String {
    let said = process.said().unwrap_or_default();
    let lines: Vec<&str> = said.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
}

/// Counts faults by kind.
pub fn count(faults: &[(Fault, Span)]) -> BTreeMap<Fault, usize> {
    let mut counts = BTreeMap::new();
    for (fault, _) in faults {
        *counts.entry(*fault).or_default() += 1;
    }
    counts
}
