//! What runs did, told by themselves: a file of each process, one line and one write for each thing.
//!
//! Always: nothing here comes from the run log or goes there, so the checker has two witnesses.
//!
//! ```text
//! begin often-0 0192.. 4711 1790000000000000     a body began, in this process, at this instant
//! end often-0 0192.. 4711 1790000000020000 success
//! beat 4711 1790000000025000 well                the process lives, and its session may start runs
//! ```

use std::collections::HashMap;
use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use redengine_core::Timestamp;
use redengine_core::record::{Action, RunId};

use super::now;

/// The file of this process.
#[derive(Debug)]
pub struct EffectsFile(File);

impl EffectsFile {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().append(true).create(true).open(path)?))
    }

    /// Notes that a body begins.
    pub fn begin(&self, task: &str, run: RunId) {
        self.note(&format_args!("begin {task} {run} {} {}", process(), now().as_micros()));
    }

    /// Notes how it ends.
    pub fn end(&self, task: &str, run: RunId, action: Action) {
        self.note(&format_args!("end {task} {run} {} {} {action}", process(), now().as_micros()));
    }

    /// Notes that this process lives, and whether its session may start runs.
    pub fn beat(&self, is_well: bool) {
        let state = if is_well { "well" } else { "down" };
        self.note(&format_args!("beat {} {} {state}", process(), now().as_micros()));
    }

    fn note(&self, line: &dyn Display) {
        // One write each, so that a line is there or not when the process is killed.
        let line = format!("{line}\n");
        (&self.0).write_all(line.as_bytes()).expect("room for effects");
    }
}

fn process() -> u32 {
    std::process::id()
}

/// The begin or the end of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The task.
    pub task: Arc<str>,
    /// The run.
    pub run: RunId,
    /// In which process.
    pub process: u32,
    /// When.
    pub at: Timestamp,
}

/// What all processes did.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The bodies that began.
    pub begins: Vec<Effect>,
    /// Those that ended, and how.
    pub ends: Vec<(Effect, Action)>,
    /// When each process lived, and whether its session might start runs then.
    pub beats: HashMap<u32, Vec<(Timestamp, bool)>>,
}

impl Effects {
    /// Reads the files of a folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or holds something else.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut effects = Self::default();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "effects") {
                effects.add(&std::fs::read_to_string(&path)?).map_err(|line| {
                    io::Error::other(format!("{}: `{line}` is no effect", path.display()))
                })?;
            }
        }
        Ok(effects)
    }

    /// Adds the lines of a file; gives back the first that is none.
    ///
    /// # Errors
    ///
    /// A line that is none.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        text.split_inclusive('\n').try_for_each(|line| self.line(line).ok_or(line.to_owned()))
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.strip_suffix('\n')?.split(' ').collect();
        let at = |word: &str| Some(Timestamp::from_micros(word.parse().ok()?));
        let effect = |task: &str, run: &str, process: &str, instant: &str| {
            Some(Effect {
                task: task.into(),
                run: run.parse().ok()?,
                process: process.parse().ok()?,
                at: at(instant)?,
            })
        };
        match words.as_slice() {
            ["begin", task, run, process, instant] => {
                self.begins.push(effect(task, run, process, instant)?);
            }
            ["end", task, run, process, instant, action] => {
                self.ends.push((effect(task, run, process, instant)?, action.parse().ok()?));
            }
            ["beat", process, instant, state] => {
                let beats = self.beats.entry(process.parse().ok()?).or_default();
                beats.push((at(instant)?, *state == "well"));
            }
            _ => return None,
        }
        Some(())
    }
}
