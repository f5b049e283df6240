//! Named points at which a test ends the process, between any two steps of a run.
//!
//! `REDENGINE_CRASH=after-run-append:2` kills the process, as `kill -9` does, when it comes to that point
//! for the second time. Only with the feature `crash-points`: without it, points are nothing at all.

/// A point between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The start is decided.
    BeforeRunAppend,
    /// The `run` record is in the log.
    AfterRunAppend,
    /// The session knows that it has won.
    BeforeStart,
    /// The body is about to begin.
    BeforeBody,
    /// The body has ended.
    AfterBody,
    /// The record of its end is about to be written.
    BeforeEndAppend,
    /// The record of its end is in the log.
    AfterEndAppend,
    /// The session knows that the end is in the log.
    AfterFinish,
    /// The run of a session that is gone is about to be ended.
    BeforeCrashAppend,
    /// Its `crash` record is in the log.
    AfterCrashAppend,
    /// The lease is about to be renewed.
    BeforeLeaseRenewal,
    /// The lease is renewed.
    AfterLeaseRenewal,
    /// All runs have ended, and the lease is about to be given back.
    BeforeLeaseRelease,
    /// The lease is given back.
    AfterLeaseRelease,
}

/// Passes a point.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub(crate) fn pass(_: Point) {}

/// Passes some points.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub(crate) fn pass_all(_: impl Iterator<Item = Point>) {}

#[cfg(feature = "crash-points")]
pub use armed::{Leaves, POINTS, Scene};
#[cfg(feature = "crash-points")]
pub(crate) use armed::{pass, pass_all};

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Point;

    /// What a process must have to come to a point.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Scene {
        /// A task that is due.
        Run,
        /// A run of a session that is gone.
        Heir,
        /// A log that keeps leases.
        Lease,
        /// The same, and to be told to end.
        Farewell,
    }

    /// What the log has of the run that was under way.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Leaves {
        /// Nothing: it will be decided anew.
        Nothing,
        /// A run that has not ended, whose body never began.
        OpenUnbegun,
        /// A run that has not ended, whose body has.
        OpenOver,
        /// A run that has ended.
        Ended,
        /// It has to do with no run.
        Unrelated,
    }

    impl Leaves {
        /// Tells it in words.
        pub const fn as_str(self) -> &'static str {
            match self {
                Self::Nothing => "nothing: it is decided anew",
                Self::OpenUnbegun => "an open run, whose body never began: `crash`",
                Self::OpenOver => "an open run, whose body has ended: `crash`",
                Self::Ended => "a run with its end",
                Self::Unrelated => "what it has of other runs",
            }
        }
    }

    /// All points: the name, where it is, what it takes to come to it and what the log has then.
    pub const POINTS: [(Point, &str, &str, Scene, Leaves); 14] = [
        (
            Point::BeforeRunAppend,
            "before-run-append",
            "the start is decided, and nothing is written",
            Scene::Run,
            Leaves::Nothing,
        ),
        (
            Point::AfterRunAppend,
            "after-run-append",
            "the `run` record is in the log, and the session has not heard of it",
            Scene::Run,
            Leaves::OpenUnbegun,
        ),
        (
            Point::BeforeStart,
            "before-start",
            "the session knows that it has won, and has started nothing",
            Scene::Run,
            Leaves::OpenUnbegun,
        ),
        (
            Point::BeforeBody,
            "before-body",
            "the run has its place on the runtime, and the body has not been polled",
            Scene::Run,
            Leaves::OpenUnbegun,
        ),
        (
            Point::AfterBody,
            "after-body",
            "the body has ended, and the session has not heard of it",
            Scene::Run,
            Leaves::OpenOver,
        ),
        (
            Point::BeforeEndAppend,
            "before-end-append",
            "the session knows how it ended, and has not written it",
            Scene::Run,
            Leaves::OpenOver,
        ),
        (
            Point::AfterEndAppend,
            "after-end-append",
            "the end is in the log, and the session has not heard of it",
            Scene::Run,
            Leaves::Ended,
        ),
        (
            Point::AfterFinish,
            "after-finish",
            "the session has let go of the run",
            Scene::Run,
            Leaves::Ended,
        ),
        (
            Point::BeforeCrashAppend,
            "before-crash-append",
            "the run of a session that is gone was found, and its `crash` is not written",
            Scene::Heir,
            Leaves::OpenUnbegun,
        ),
        (
            Point::AfterCrashAppend,
            "after-crash-append",
            "the `crash` of such a run is in the log, and the session has not heard of it",
            Scene::Heir,
            Leaves::Ended,
        ),
        (
            Point::BeforeLeaseRenewal,
            "before-lease-renewal",
            "the lease is about to be renewed",
            Scene::Lease,
            Leaves::Unrelated,
        ),
        (
            Point::AfterLeaseRenewal,
            "after-lease-renewal",
            "the lease is renewed, and the session has not heard of it",
            Scene::Lease,
            Leaves::Unrelated,
        ),
        (
            Point::BeforeLeaseRelease,
            "before-lease-release",
            "all runs have ended in order, and the lease is held",
            Scene::Farewell,
            Leaves::Unrelated,
        ),
        (
            Point::AfterLeaseRelease,
            "after-lease-release",
            "the lease is given back, and the process has not ended",
            Scene::Farewell,
            Leaves::Unrelated,
        ),
    ];

    /// The point that the process ends at, and how often it is yet to be passed.
    static ARMED: LazyLock<Option<(Point, AtomicU32)>> = LazyLock::new(|| {
        let text = std::env::var("REDENGINE_CRASH").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        let point = POINTS.iter().find(|(_, known, ..)| *known == name).map(|(point, ..)| *point);
        match (point, times.parse()) {
            (Some(point), Ok(times @ 1..)) => Some((point, AtomicU32::new(times))),
            _ => {
                tracing::error!(target: "redengine", "`REDENGINE_CRASH={text}` names no crash point");
                None
            }
        }
    });

    /// Passes a point, or ends there.
    pub(crate) fn pass(point: Point) {
        if let Some((armed, times)) = &*ARMED
            && *armed == point
            && times.fetch_sub(1, Ordering::SeqCst) == 1
        {
            #[cfg(unix)]
            {
                use rustix::process::{Signal, getpid, kill_process};

                // OK because a process may always kill itself.
                let _ = kill_process(getpid(), Signal::KILL);
            }
            std::process::abort();
        }
    }

    /// Passes some points.
    pub(crate) fn pass_all(points: impl Iterator<Item = Point>) {
        points.for_each(pass);
    }
}
