//! The processes of the nodes: started, killed, stopped, told to end.
//!
//! Always: signals go to processes that were started here and have not been waited for.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::arguments::Protocol;
use super::node::NodeArguments;

/// What starts nodes.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program `chaos`.
    pub program: PathBuf,
    /// Where effects and messages go.
    pub folder: PathBuf,
    /// The address of the run log.
    pub url: String,
    /// How many tasks each node has.
    pub tasks: usize,
    /// How nodes append a start.
    pub protocol: Protocol,
}

impl Launcher {
    /// Starts a node under a name that was not used before, with these variables.
    ///
    /// # Errors
    ///
    /// If the process cannot be started.
    pub fn start(&self, name: &str, variables: &[(&str, &str)]) -> io::Result<NodeProcess> {
        let arguments = NodeArguments {
            url: self.url.clone(),
            tasks: self.tasks,
            protocol: self.protocol,
            effects: self.folder.join(format!("{name}.effects")),
        };
        let said = self.folder.join(format!("{name}.stderr"));
        let child = Command::new(&self.program)
            .arg("node")
            .args(arguments.words())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            .spawn()?;
        Ok(NodeProcess { child, said, effects: arguments.effects })
    }
}

/// The process of a node. It is killed when this is dropped.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    said: PathBuf,
    effects: PathBuf,
}

impl NodeProcess {
    /// Tells its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it notes what its runs do.
    pub fn effects(&self) -> &Path {
        &self.effects
    }

    /// Tells what it has said to people.
    ///
    /// # Errors
    ///
    /// If its file cannot be read.
    pub fn said(&self) -> io::Result<String> {
        std::fs::read_to_string(&self.said)
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Sends it a signal, if it has not ended.
    ///
    /// # Errors
    ///
    /// If it cannot be signalled.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)?;
        }
        Ok(())
    }

    /// Tells how it ended, if it has.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn ended(&mut self) -> io::Result<Option<std::process::ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it ends, but not longer than this; `None`: it goes on.
    ///
    /// # Errors
    ///
    /// If it cannot be waited for.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Option<std::process::ExitStatus>> {
        let until = super::now().after(patience);
        loop {
            let ended = self.ended()?;
            if ended.is_some() || super::now() > until {
                return Ok(ended);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.kill();
    }
}
