//! Conditions, compiled: what evaluation works on.
//!
//! [`compile`] turns a written [`Expr`] into a [`Condition`], in which tasks are
//! numbers and nothing can be wrong any more; [`evaluate`] tells whether it holds, since when, and
//! when or on what that may change. There is no second piece of code that knows any of the three.

mod calendar;
mod compile;
mod eval;
mod explain;
mod leaf_history;
mod leaf_task;
mod leaf_time;
mod temporal;
mod verdict;

pub use calendar::Calendar;
pub use compile::{CompileError, Names, compile};
pub use eval::{Evidence, Noted, Trace, View, evaluate};
pub use explain::{Explanation, explain};
pub use verdict::{Broken, Topic, Topics, Truth, Verdict, Wake};

use std::sync::Arc;
use std::time::Duration;

use leaf_history::Has;
use leaf_task::After;

use crate::expr::{Age, Basis, Count, Expr};
use crate::facts::{Keep, ProbeId};
use crate::task::TaskId;

/// A condition that can be evaluated.
#[derive(Debug)]
pub struct Condition {
    pub(crate) root: Node,
    /// What it was compiled of, in the same order: for those who want to see it.
    expr: Expr,
    text: Arc<str>,
    reads: Vec<(Who, Keep)>,
}

impl Condition {
    /// Tells it as text, in normal form.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Tells the written condition.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Tells of which tasks it reads the history, and how much of it.
    pub fn reads(&self) -> &[(Who, Keep)] {
        &self.reads
    }
}

/// The task that a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The one that owns the condition.
    Owner,
    /// Another one.
    Task(TaskId),
}

impl Who {
    /// Tells the task, given the owner; a session's own condition has none.
    pub fn task(self, owner: Option<TaskId>) -> Option<TaskId> {
        match self {
            Self::Owner => owner,
            Self::Task(task) => Some(task),
        }
    }
}

/// A node of the compiled tree.
#[derive(Debug)]
pub(crate) enum Node {
    Const(bool),
    Not(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    For(Box<Node>, Duration),
    Newly(Box<Node>),
    /// The one that holds, and the one since whose change.
    Since(Box<[Node; 2]>),
    /// Names the statement for errors of evaluation; they are rare, so the text is made then.
    Leaf(Leaf),
}

#[derive(Debug)]
pub(crate) enum Leaf {
    InPeriod(Arc<Calendar>),
    /// `reach` is how many of the latest records it looks at, here and below.
    Once {
        windows: Arc<Calendar>,
        retries: u32,
        reach: u64,
    },
    Cron {
        matches: Arc<Calendar>,
        within: Option<Duration>,
    },
    Every {
        interval: Duration,
        basis: Basis,
    },
    Has(Has),
    After(After),
    Running {
        who: Who,
        age: Age,
        reach: u64,
    },
    Retry {
        limit: Option<u64>,
        after: Option<Duration>,
    },
    Cycles(Count),
    RunOver(Duration),
    StartedWithin(Duration),
    Param {
        name: Arc<str>,
        value: Option<Arc<str>>,
    },
    Probe {
        id: ProbeId,
        text: Arc<str>,
    },
}

impl Node {
    /// Tells the statement, if it is the only one and nothing but `~` is about it.
    fn only_leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Leaf(leaf) => Some(leaf),
            Self::Not(child) => child.only_leaf(),
            _ => None,
        }
    }
}

/// When something must have happened.
#[derive(Debug)]
pub(crate) enum Within {
    Ever,
    Past(Duration),
    Window(Arc<Calendar>),
}
