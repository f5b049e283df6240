//! A node: a process with a session that has the tasks, and notes what its runs do.
//!
//! Always: it ends with the process that started it, and goes on whatever becomes of the run log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redengine_core::param::RunInfo;
use redengine_core::record::Action;
use redengine_core::runlog::RunLog;
use redengine_core::{Session, Task};
use redengine_runtime::RunSession;

use super::arguments::Protocol;
use super::effects::EffectsFile;
use super::naive::Naive;
use super::tasks::{self, Ends, Planned};

/// How long a session counts as there without a sign of life.
pub const LEASE: Duration = Duration::from_secs(2);

/// How often a node notes that it lives.
const BEAT: Duration = Duration::from_millis(25);

/// What a node is told.
#[derive(Clone, Debug)]
pub struct NodeArguments {
    /// The address of the run log.
    pub url: String,
    /// How many tasks it has.
    pub tasks: usize,
    /// How it appends a start.
    pub protocol: Protocol,
    /// Where it notes what its runs do.
    pub effects: PathBuf,
}

impl NodeArguments {
    /// Writes them down for [`NodeArguments::read`].
    pub fn words(&self) -> [String; 4] {
        [
            self.url.clone(),
            self.tasks.to_string(),
            self.protocol.as_str().to_owned(),
            self.effects.display().to_string(),
        ]
    }

    /// Reads what [`NodeArguments::words`] has written.
    ///
    /// # Errors
    ///
    /// If they are others.
    pub fn read(words: &[String]) -> Result<Self, String> {
        let [url, tasks, protocol, effects] = words else {
            return Err("usage: chaos node ADDRESS TASKS PROTOCOL EFFECTS".to_owned());
        };
        Ok(Self {
            url: url.clone(),
            tasks: tasks.parse().map_err(|_| format!("`{tasks}` is no number"))?,
            protocol: Protocol::read(protocol)?,
            effects: PathBuf::from(effects),
        })
    }
}

/// Runs a node until it is told to end.
///
/// # Errors
///
/// If it cannot note what it does, or its tasks are wrong.
pub fn run(arguments: &NodeArguments) -> Result<(), String> {
    let explain = |error: &dyn std::fmt::Display| error.to_string();
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| explain(&error))?;
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| explain(&error))?;
    let effects = open(&arguments.effects)?;
    runtime.block_on(async {
        loop {
            // A log that fails while a session starts is an error; a service would be started again.
            match session(arguments, &effects).await {
                Ok(()) => return Ok(()),
                Err(error) => eprintln!("{} start again: {error}", super::now().to_utc()),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

fn open(path: &Path) -> Result<Arc<EffectsFile>, String> {
    let opened = EffectsFile::open(path);
    opened.map(Arc::new).map_err(|error| format!("{}: {error}", path.display()))
}

async fn session(arguments: &NodeArguments, effects: &Arc<EffectsFile>) -> Result<(), String> {
    let mut log =
        redengine_log::connect(&arguments.url).await.map_err(|error| format!("{error:?}"))?;
    if arguments.protocol == Protocol::Naive {
        log = Arc::new(Naive(log)) as Arc<dyn RunLog>;
    }
    let session = Session::builder()
        .log(log)
        .configure(|config| config.lease = LEASE)
        .tasks(tasks::tasks(arguments.tasks).into_iter().map(|planned| task(planned, effects)))
        .build()
        .map_err(|error| error.to_string())?;
    let beats = beat(session.clone(), effects.clone());
    let ended = session.run().await.map_err(|error| format!("{error:?}"));
    drop(beats);
    ended
}

/// Notes that the process lives until what it gives back is dropped, beside Tokio: a runtime that is
/// stuck is no excuse.
fn beat(session: Session, effects: Arc<EffectsFile>) -> std::sync::mpsc::Sender<()> {
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        while is_over.recv_timeout(BEAT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            effects.beat(session.health().is_well());
        }
    });
    over
}

fn task(planned: Planned, effects: &Arc<EffectsFile>) -> Task {
    let effects = effects.clone();
    let (takes, ends) = (planned.takes, planned.ends);
    let body = move |info: RunInfo| {
        let effects = effects.clone();
        async move {
            effects.begin(info.task(), info.run());
            tokio::time::sleep(takes).await;
            let fails = ends == Ends::Mixed && info.run().as_bytes()[15].is_multiple_of(2);
            effects.end(
                info.task(),
                info.run(),
                if fails { Action::Fail } else { Action::Success },
            );
            if fails { Err(std::io::Error::other("it fails now and then")) } else { Ok(()) }
        }
    };
    Task::new(planned.name.to_string(), &*planned.condition, body)
}
