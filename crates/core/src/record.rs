//! The records of the run log.
//!
//! A [`Record`] is what somebody wants to write; a [`Recorded`] is what a run log has written, with
//! its sequence number. Facts take only the second: nothing is believed before it is on disk.

mod reason;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::time::Timestamp;

pub use reason::Reason;

/// What happened to a run. A task's status is the action of its latest record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// It began.
    Run,
    /// It ended well.
    Success,
    /// It ended with an error or a panic.
    Fail,
    /// It was stopped.
    Terminate,
    /// It found nothing to do.
    Inaction,
    /// Its process ended before it did.
    Crash,
}

impl Action {
    /// All actions, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Run, Self::Success, Self::Fail, Self::Terminate, Self::Inaction, Self::Crash];

    /// Tells whether the record ends its run.
    pub const fn ends(self) -> bool {
        !matches!(self, Self::Run)
    }

    /// Tells the word for it in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Success => "success",
            Self::Fail => "fail",
            Self::Terminate => "terminate",
            Self::Inaction => "inaction",
            Self::Crash => "crash",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of actions.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ActionSet(u8);

impl ActionSet {
    /// The actions that end a run.
    pub const ENDS: Self = Self::of(&[
        Action::Success,
        Action::Fail,
        Action::Terminate,
        Action::Inaction,
        Action::Crash,
    ]);

    /// Makes a set.
    pub const fn of(actions: &[Action]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        // OK because the loop ends at the length; iterators are not const.
        while i < actions.len() {
            bits |= 1 << actions[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Tells whether an action is in it.
    pub const fn contains(self, action: Action) -> bool {
        self.0 & (1 << action as u8) != 0
    }

    /// Tells the actions in it.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.contains(*action))
    }
}

impl std::ops::BitOr for ActionSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A word that is no [`Action`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown action `{0}`; the actions are run, success, fail, terminate, inaction and crash")]
pub struct UnknownAction(pub String);

impl std::str::FromStr for Action {
    type Err = UnknownAction;

    fn from_str(word: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == word)
            .ok_or_else(|| UnknownAction(word.to_owned()))
    }
}

/// The name of one run: a UUID of version 7, so that runs sort by the time they began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(uuid::Uuid);

impl RunId {
    /// Makes the id of a run that begins at `at`; `random` tells it from others of that millisecond.
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_micros().div_euclid(1000)).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Tells the sixteen bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Makes an id from its sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        uuid::Uuid::parse_str(text).map(Self)
    }
}

/// The place of a record in its log. Later records have greater numbers; numbers may be skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One line of the run log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The task's name.
    pub task: Arc<str>,
    /// The run.
    pub run: RunId,
    /// What happened to it.
    pub action: Action,
    /// When it happened.
    pub at: Timestamp,
    /// When the run began; the same as `at` for [`Action::Run`].
    pub started: Timestamp,
    /// Since when the condition of the run held; `None`: it held from the first, or was forced.
    pub due: Option<Timestamp>,
    /// What else is known. Most records have nothing to add or share it, so this costs them one word.
    pub details: Option<Arc<Details>>,
}

impl Record {
    /// Tells how long the run took, by its own start.
    pub fn duration(&self) -> Duration {
        self.at.since(self.started)
    }
}

/// The rarer fields of a [`Record`].
///
/// ```
/// use redengine_core::record::Details;
///
/// let details = Details::default().with_reason("the disk is full").shared();
/// assert_eq!(details.unwrap().reason.as_ref().unwrap().message(), "the disk is full");
/// assert_eq!(Details::default().shared(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// Who runs it: [`Record`]s of [`Action::Run`] name the session's process.
    pub node: Option<Arc<str>>,
    /// Why it ended so: the error of a failure with its causes, the reason of a termination.
    pub reason: Option<Reason>,
    /// The value that it returned, as JSON.
    pub output: Option<String>,
    /// Which attempt it is: one more than the failures in a row before it; `None`: the first.
    pub attempt: Option<u64>,
    /// The parameters of a run that was asked for, as a JSON object.
    pub params: Option<String>,
    /// The trace that it belongs to: 32 hexadecimal digits, as in W3C Trace Context.
    pub trace: Option<Arc<str>>,
}

impl Details {
    /// Sets who runs it.
    pub fn with_node(mut self, node: impl Into<Arc<str>>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Sets why it ended so.
    pub fn with_reason(mut self, reason: impl Into<Reason>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the value that it returned, as JSON.
    pub fn with_output(mut self, output: impl Into<String>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Sets which attempt it is.
    pub fn with_attempt(mut self, attempt: u64) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// Sets the parameters of a run that was asked for, as a JSON object.
    pub fn with_params(mut self, params: impl Into<String>) -> Self {
        self.params = Some(params.into());
        self
    }

    /// Sets the trace that it belongs to.
    pub fn with_trace(mut self, trace: impl Into<Arc<str>>) -> Self {
        self.trace = Some(trace.into());
        self
    }

    /// Makes what a [`Record`] holds; `None` if there is nothing in it.
    pub fn shared(self) -> Option<Arc<Self>> {
        if self == Self::default() { None } else { Some(Arc::new(self)) }
    }
}

/// A record that a run log has written.
///
/// Only implementations of [`crate::runlog::RunLog`] make these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the log.
    pub seq: Seq,
    /// The record.
    pub record: Record,
}
