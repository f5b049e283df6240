//! A session of many tasks that runs beside the measurement.

use std::sync::Arc;
use std::time::Duration;

use redengine::runlog::RunLog;
use redengine::session::SessionBuilder;
use redengine::time::Zone;
use redengine::{Expr, RunSession, Session, Task};
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;

use crate::clock::{Stopwatch, Unix};
use crate::process;
use crate::starts;

/// When a task is due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// Once a day, about six hours from now, at one of 3600 instants within an hour.
    Today(usize),
    /// Once a day, at an instant.
    At(Unix),
    /// At each full second.
    EachSecond,
    /// Always.
    Always,
}

impl Due {
    /// Says it as a condition. Days are those of UTC.
    pub(crate) fn condition(self) -> String {
        match self {
            Self::Today(place) => {
                let hour = (Unix::now().second_of_day() / 3600 + 6) % 24;
                daily(hour * 3600 + place as u64 % 3600)
            }
            Self::At(at) => daily(at.second_of_day()),
            Self::EachSecond => "secondly".to_owned(),
            Self::Always => "true".to_owned(),
        }
    }
}

/// Once a day, when the day is so many seconds old.
fn daily(second: u64) -> String {
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if second > Unix::now().second_of_day() {
        format!("daily after {clock}")
    } else {
        // That window would be open until midnight, and it is meant for the day that follows.
        format!("daily at {clock} within 1 hour")
    }
}

/// A session that runs, and what it took to register its tasks.
#[derive(Debug)]
pub(crate) struct Running {
    pub wall: f64,
    pub cpu_before: f64,
    pub cpu: f64,
    /// The resident memory before there was a session.
    pub resident_before: u64,
    session: Session,
    run: JoinHandle<Result<(), String>>,
}

impl Running {
    /// Builds a session of tasks and starts it.
    pub(crate) fn start(tasks: usize, due: impl Fn(usize) -> Due) -> Result<Self, String> {
        Self::begin(Session::builder(), tasks, due)
    }

    /// Builds a session of tasks with a run log and starts it.
    pub(crate) fn start_on(
        log: Arc<dyn RunLog>,
        tasks: usize,
        due: impl Fn(usize) -> Due,
    ) -> Result<Self, String> {
        Self::begin(Session::builder().log(log), tasks, due)
    }

    fn begin(
        builder: SessionBuilder,
        tasks: usize,
        due: impl Fn(usize) -> Due,
    ) -> Result<Self, String> {
        let resident_before = process::resident();
        let (clock, cpu_before) = (Stopwatch::start(), process::cpu());
        let task = |number: usize| {
            let condition = Expr::from(due(number).condition());
            Task::new(format!("task {number}"), condition, move || async move {
                starts::note(number);
            })
        };
        let session = builder
            .configure(|config| config.timezone = Some(Zone::utc()))
            .tasks((0..tasks).map(task))
            .build()
            .map_err(|error| error.to_string())?;
        let run = session.clone().run();
        let run = tokio::spawn(async move { run.await.map_err(|error| error.to_string()) });
        let (wall, cpu) = (clock.seconds(), process::cpu() - cpu_before);
        Ok(Self { wall, cpu_before, cpu, resident_before, session, run })
    }

    /// Waits for a measurement, unless the session ends before it.
    pub(crate) async fn during<T>(
        &mut self,
        measured: impl Future<Output = T>,
    ) -> Result<T, String> {
        tokio::select! {
            measured = measured => Ok(measured),
            ended = &mut self.run => Err(match ended {
                Ok(Ok(())) => "the session has ended by itself".to_owned(),
                Ok(Err(error)) => error,
                Err(panic) => panic.to_string(),
            }),
        }
    }

    /// Ends the session, after the live runs.
    pub(crate) async fn end(self) -> Result<(), String> {
        self.session.shutdown();
        self.run.await.map_err(|panic| panic.to_string())?
    }
}

/// Waits until the work of registration is over: until half a second costs next to nothing.
pub(crate) async fn settle(longest: f64) -> f64 {
    let clock = Stopwatch::start();
    while clock.seconds() < longest {
        let before = process::cpu();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if process::cpu() - before < 0.01 {
            break;
        }
    }
    clock.seconds()
}

/// The figures of a run, by name.
#[derive(Debug, Default)]
pub(crate) struct Figures(Map<String, Value>);

impl Figures {
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Puts down an error in place of figures.
    pub(crate) fn fail(&mut self, error: &str) {
        self.0.insert("error".to_owned(), json!(error));
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl From<Figures> for Value {
    fn from(figures: Figures) -> Self {
        Self::Object(figures.0)
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Value::Object(self.0.clone()))
    }
}
