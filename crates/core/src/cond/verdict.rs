//! The answer of an evaluation, and how `&`, `|` and `~` combine answers.
//!
//! Waking by witness: a false `&` stays false while any one child does, so it waits only for the
//! laziest of its false children; a true `|` likewise. `every 10 s & time of day between 10:00 and
//! 11:00` at noon sleeps for 22 hours. A witness that has to be asked is a poor one: with it, the
//! others are waited for too, since one of them may relieve it.
//!
//! Always: while no instant of the wake has come and none of its topics has moved, evaluating again
//! gives the same truth. When the instant comes and nothing at all has moved, it gives another one,
//! but where a probe has to be asked from then on or need not be any more, or further ahead than is
//! looked (`cond::eval`).

use std::sync::Arc;

use smallvec::SmallVec;

use crate::facts::ProbeId;
use crate::record::ActionSet;
use crate::task::TaskId;
use crate::time::Timestamp;

/// The answer of an evaluation.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether the condition holds.
    pub truth: Truth,
    /// Since when that is so; `None`: it is not known to have been different.
    pub since: Option<Timestamp>,
    /// When or on what it may change.
    pub wake: Wake,
}

/// Whether a condition holds. `&` and `|` are Kleene's: `false & broken` is false, `true | broken`
/// is true, and what depends on a broken part is broken and starts nothing (so `~broken` does not).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody knows yet: a probe has not answered.
    Pending,
    /// Nobody can know: a part of it is in error.
    Broken(Arc<Broken>),
}

/// Why a condition cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{statement}`: {reason}")]
pub struct Broken {
    /// The statement.
    pub statement: Arc<str>,
    /// What is wrong with it.
    pub reason: Arc<str>,
}

/// When or on what a verdict may change.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    /// At this instant; `None`: time alone does not change it.
    pub at: Option<Timestamp>,
    /// When one of these moves.
    pub topics: Topics,
}

/// What a verdict waits on.
pub type Topics = SmallVec<[Topic; 2]>;

/// Something that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A task gets a record of one of these actions.
    Task {
        /// The task.
        task: TaskId,
        /// The actions.
        actions: ActionSet,
    },
    /// A probe changes its answer.
    Probe(ProbeId),
    /// A cycle ends.
    Cycles,
    /// A parameter changes.
    Params,
}

/// What a decided `&` or `|` waits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// One child that decides it: enough to know whether it holds.
    Witness,
    /// Each child: needed to know since when.
    Each,
}

impl Wake {
    /// Nothing ever changes it.
    pub fn never() -> Self {
        Self::default()
    }

    /// Time changes it.
    pub fn at(at: Option<Timestamp>) -> Self {
        Self { at, topics: Topics::new() }
    }

    /// Something that moves changes it.
    pub fn on(topic: Topic) -> Self {
        Self { at: None, topics: smallvec::smallvec![topic] }
    }

    /// Time or something that moves changes it.
    pub fn and_on(mut self, topic: Topic) -> Self {
        self.topics.push(topic);
        self
    }

    /// Either wakes.
    pub(super) fn either(mut self, other: Self) -> Self {
        self.at = match (self.at, other.at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for topic in other.topics {
            if !self.topics.contains(&topic) {
                self.topics.push(topic);
            }
        }
        self
    }

    /// Tells how lazy it is; of several witnesses the greatest is waited for. One that needs a probe
    /// comes last whatever its instant, for probes are asked while they are waited for.
    fn laziness(&self) -> (bool, Timestamp) {
        (!self.asks(), self.at.unwrap_or(Timestamp::MAX))
    }

    /// Tells whether waiting for it costs something.
    fn asks(&self) -> bool {
        self.topics.iter().any(|topic| topic.asks())
    }

    /// Tells whether waiting for both costs the same.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        let asked = |wake: &Self, by: &Self| {
            wake.topics.iter().all(|topic| !topic.asks() || by.topics.contains(topic))
        };
        asked(self, other) && asked(other, self)
    }
}

impl Topic {
    fn asks(self) -> bool {
        matches!(self, Self::Probe(_) | Self::Cycles)
    }
}

impl Verdict {
    /// Makes a verdict of a leaf.
    pub fn new(holds: bool, since: Option<Timestamp>, wake: Wake) -> Self {
        Self { truth: if holds { Truth::True } else { Truth::False }, since, wake }
    }

    /// Makes the verdict of a leaf that is in error.
    pub fn broken(statement: Arc<str>, reason: Arc<str>, wake: Wake) -> Self {
        let truth = Truth::Broken(Arc::new(Broken { statement, reason }));
        Self { truth, since: None, wake }
    }

    /// Tells whether the condition holds.
    pub fn holds(&self) -> bool {
        self.truth == Truth::True
    }

    /// `~`
    pub(super) fn not(mut self) -> Self {
        self.truth = match self.truth {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            unknown => unknown,
        };
        self
    }

    /// `&`
    pub(super) fn all_of(children: impl IntoIterator<Item = Self>, watch: Watch) -> Self {
        Self::combine(children, watch, &Truth::False, &Truth::True)
    }

    /// `|`
    pub(super) fn any_of(children: impl IntoIterator<Item = Self>, watch: Watch) -> Self {
        Self::combine(children, watch, &Truth::True, &Truth::False)
    }

    /// Combines verdicts where one child that is `decisive` decides, and otherwise all are
    /// `neutral` or one is unknown.
    fn combine(
        children: impl IntoIterator<Item = Self>,
        watch: Watch,
        decisive: &Truth,
        neutral: &Truth,
    ) -> Self {
        // Decided since the first of the deciding children was; undecided since the last child
        // turned neutral. An unknown start is as good as for ever.
        let mut witness: Option<Self> = None;
        let mut others: Option<Self> = None;
        for child in children {
            if child.truth == *decisive {
                witness = Some(match witness {
                    None => child,
                    Some(known) => {
                        let since = known.since.min(child.since);
                        match watch {
                            Watch::Each => {
                                Self { since, wake: known.wake.either(child.wake), ..known }
                            }
                            Watch::Witness if child.wake.laziness() > known.wake.laziness() => {
                                Self { since, ..child }
                            }
                            Watch::Witness => Self { since, ..known },
                        }
                    }
                });
            } else {
                others = Some(match others {
                    None => child,
                    Some(known) => Self {
                        truth: known.truth.neutral_or(child.truth, neutral),
                        since: known.since.max(child.since),
                        wake: known.wake.either(child.wake),
                    },
                });
            }
        }
        let decided = match (witness, others) {
            (Some(witness), Some(others)) if watch == Watch::Each || witness.wake.asks() => {
                Some(Self { wake: witness.wake.either(others.wake), ..witness })
            }
            (witness, others) => witness.or(others),
        };
        decided.unwrap_or_else(|| Self { truth: neutral.clone(), since: None, wake: Wake::never() })
    }
}

impl Truth {
    /// Combines two children none of which decides: broken before pending before neutral.
    fn neutral_or(self, other: Self, neutral: &Self) -> Self {
        match (self, other) {
            (Self::Broken(b), _) | (_, Self::Broken(b)) => Self::Broken(b),
            (Self::Pending, _) | (_, Self::Pending) => Self::Pending,
            _ => neutral.clone(),
        }
    }
}
