//! What changes the files.
//!
//! Always: what is in memory is in the files, and in the order of its numbers; what could not be
//! written is cut off again before anything else is written; a prune takes effect by one rename; and
//! what the disk may have lost is written anew from memory before anything else is.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use redengine_core::record::{Recorded, Seq};
use redengine_core::runlog::{LogError, LogErrorKind, Prune};

use super::error::explain;
use super::flush::{Flusher, Unsynced};
use super::format::{Format, Line};
use super::open::{self, Lock, Opened};
use super::paths::Paths;
use super::{Fsync, Options};
use crate::memory::MemoryLog;
use crate::memory::pending::Decided;
use crate::memory::restore::Marks;
use crate::queue::{Answers, Group, Write};

/// The one who writes.
pub(super) struct Writer<F> {
    paths: Paths,
    memory: MemoryLog,
    options: Options,
    flusher: Option<Flusher>,
    /// Held for as long as the log is open.
    lock: Option<Lock>,
    /// The same of each file that is part of it, under whatever name.
    held: Vec<Lock>,
    /// `None`: it must be made or opened first.
    file: Option<Arc<File>>,
    /// How long it is without what is torn.
    length: u64,
    end: End,
    buffer: Vec<u8>,
    format: PhantomData<F>,
}

/// What a failure has left behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// There may be a part of what could not be written after the end.
    Torn,
    /// The disk may lack some of what was written: the system does not try a second time to bring there
    /// what it could not.
    Unsynced,
    /// A new file with all that stays is to take the place of all.
    Renewed,
}

impl<F: Format> Writer<F> {
    /// Opens all files; tells also the log in memory that they make.
    pub(super) fn open(paths: Paths, options: Options) -> Result<(Self, MemoryLog), LogError> {
        let Opened { lock, held, memory, file, length } = open::open::<F>(&paths)?;
        if let Some(file) = file.as_ref().filter(|_| options.fsync != Fsync::Never) {
            // A process that was killed may have written what is not on the disk yet, and what is seen
            // here is decided by.
            let synced = file.sync_all().and_then(|()| paths.sync_folder());
            synced.map_err(|error| explain(error, "open", &paths.main))?;
        }
        let flusher = match options.fsync {
            Fsync::Every(after) => {
                let started = Flusher::start(after);
                Some(started.map_err(|error| explain(error, "open", &paths.main))?)
            }
            Fsync::EachBatch | Fsync::Never => None,
        };
        let mut writer = Self {
            paths,
            memory: memory.clone(),
            options,
            flusher,
            lock: Some(lock),
            held,
            file: file.map(Arc::new),
            length,
            end: End::Whole,
            buffer: Vec::new(),
            format: PhantomData,
        };
        // Who may not write should hear of it now.
        if writer.file.is_none() {
            writer.create()?;
        }
        Ok((writer, memory))
    }

    /// Writes what another log has recorded.
    pub(super) fn import(&mut self, records: Vec<Recorded>) -> Result<(), LogError> {
        self.memory.check(&records)?;
        self.write([&records])?;
        self.memory.add(records);
        Ok(())
    }

    /// Removes records; tells how many.
    pub(super) fn prune(&mut self, prune: &Prune) -> Result<u64, LogError> {
        let gone = self.memory.removable(prune);
        if gone.is_empty() {
            return Ok(0);
        }
        self.settle()?;
        self.write_anew(&gone)?;
        let removed = self.memory.remove(&gone);
        self.settle()?;
        Ok(removed)
    }

    /// Makes one file of all that stays, which is then to take the place of all.
    fn write_anew(&mut self, gone: &HashSet<Seq>) -> Result<(), LogError> {
        let Paths { new, pruned, .. } = &self.paths;
        let made = self.write_staying(gone).and_then(|()| fs::rename(new, pruned));
        if let Err(error) = made {
            // There may be none, and if it stays, it goes before the next one is made.
            let _ = fs::remove_file(new);
            return Err(explain(error, "write to", new));
        }
        self.end = End::Renewed;
        self.file = None;
        if let Some(flusher) = &self.flusher {
            flusher.forget();
        }
        Ok(())
    }

    /// Writes all that stays to a new file.
    fn write_staying(&self, gone: &HashSet<Seq>) -> io::Result<()> {
        const PAGE: usize = 4096;
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&self.paths.new)?);
        file.write_all(header::<F>().as_bytes())?;
        let mut line = Vec::new();
        let mut after = Seq(0);
        while let (Some(last), staying) = self.memory.staying(after, PAGE, gone) {
            after = last;
            for (recorded, marks) in staying {
                line.clear();
                F::encode(&Line { recorded, marks, more: 0 }, &mut line);
                file.write_all(&line)?;
            }
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    /// Writes batches, each of which is there whole or not at all.
    fn write<'a>(
        &mut self,
        batches: impl IntoIterator<Item = &'a Vec<Recorded>>,
    ) -> Result<(), LogError> {
        // What fails again before all is written anew has been told already.
        if self.end != End::Unsynced
            && let Some(failure) = self.flusher.as_ref().and_then(Flusher::failure)
        {
            self.end = End::Unsynced;
            return Err(self.lacks(failure));
        }
        self.settle()?;
        if self.length >= self.options.rotate_at {
            self.rotate()?;
        }
        self.buffer.clear();
        // An import may have been large.
        self.buffer.shrink_to(1 << 20);
        let mut first = None;
        for batch in batches {
            first = first.or_else(|| batch.first().map(|recorded| recorded.seq));
            for (more, recorded) in (0..batch.len() as u64).rev().zip(batch) {
                let line = Line { recorded: recorded.clone(), marks: Marks::default(), more };
                F::encode(&line, &mut self.buffer);
            }
        }
        let file = self.file()?;
        let mut written = (&*file).write_all(&self.buffer);
        if self.options.fsync == Fsync::EachBatch {
            written = written.and_then(|()| file.sync_data());
        }
        if let Err(error) = written {
            self.end = End::Torn;
            // If it cannot be cut off now, it is before anything else is written.
            if let Err(error) = self.settle() {
                tracing::warn!(%error, "what could not be written is not cut off yet");
            }
            return Err(explain(error, "write to", &self.paths.main));
        }
        self.length += self.buffer.len() as u64;
        if let (Some(flusher), Some(first)) = (&self.flusher, first) {
            flusher.note(&file, first);
        }
        Ok(())
    }

    /// Says what the disk may lack.
    fn lacks(&self, Unsynced { since, error }: Unsynced) -> LogError {
        let failed = explain(error, "write to", &self.paths.main);
        let message = format!(
            "the records of `{}` from number {since} on may not be on the disk; the next append writes \
             all of them anew",
            self.paths.main.display()
        );
        LogError::new(failed.kind(), message).because(failed)
    }

    /// Notes that the disk was waited for in vain.
    fn note_unsynced(&mut self) {
        // Where each batch waited for it, all that counts was there before.
        if self.options.fsync != Fsync::EachBatch {
            self.end = End::Unsynced;
        }
    }

    /// Puts in order what a failure has left behind.
    fn settle(&mut self) -> Result<(), LogError> {
        let main = &self.paths.main;
        if self.lock.is_none() {
            let message = format!("cannot write to `{}`: the log was closed", main.display());
            return Err(LogError::new(LogErrorKind::Io, message));
        }
        if let (End::Torn, Some(file)) = (self.end, &self.file) {
            file.set_len(self.length).map_err(|error| explain(error, "write to", main))?;
            if let Err(error) = file.sync_all() {
                let error = explain(error, "write to", main);
                self.note_unsynced();
                return Err(error);
            }
        }
        if self.end == End::Unsynced {
            self.write_anew(&HashSet::new())?;
        }
        if self.end == End::Renewed {
            open::settle_pruned(&self.paths)?;
            self.held.clear();
        }
        self.end = End::Whole;
        self.file().map(drop)
    }

    /// The file that is written to.
    fn file(&mut self) -> Result<Arc<File>, LogError> {
        match &self.file {
            Some(file) => Ok(Arc::clone(file)),
            None => self.create(),
        }
    }

    /// Opens the file, or makes it if there is none.
    fn create(&mut self) -> Result<Arc<File>, LogError> {
        let Paths { main, new, .. } = &self.paths;
        let open = |path: &Path| OpenOptions::new().append(true).open(path);
        // A file with half a header would be none of ours.
        let make = || {
            let mut file = File::create(new)?;
            file.write_all(header::<F>().as_bytes())?;
            file.sync_all()?;
            fs::rename(new, main)?;
            self.paths.sync_folder()
        };
        let there = || match main.metadata() {
            Ok(file) if file.len() > 0 => Ok(()),
            Ok(_) => make(),
            // Only what is surely not there may be made: another would take its place.
            Err(error) if error.kind() == ErrorKind::NotFound => make(),
            Err(error) => Err(error),
        };
        let opened = there().and_then(|()| {
            let file = open(main)?;
            let length = file.metadata()?.len();
            Ok((Arc::new(file), length))
        });
        let (file, length) = opened.map_err(|error| explain(error, "write to", main))?;
        self.held.extend(open::hold(&file, main)?);
        self.length = length;
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Puts the file aside and begins another.
    fn rotate(&mut self) -> Result<(), LogError> {
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.sync_all()) {
            self.note_unsynced();
            return Err(explain(error, "rotate", &self.paths.main));
        }
        let rotate = || {
            let number = self.paths.all_rotated()?.last().map_or(1, |last| last + 1);
            fs::rename(&self.paths.main, self.paths.rotated(number))
        };
        rotate().map_err(|error| explain(error, "rotate", &self.paths.main))?;
        self.file = None;
        self.create().map(drop)
    }
}

impl<F: Format> Write for Writer<F> {
    type Failure = LogError;

    fn append(&mut self, group: Group) -> Result<(Answers, Seq), LogError> {
        let Decided { answers, batches } = self.memory.decide(group);
        if batches.iter().any(|batch| !batch.is_empty()) {
            self.write(&batches)?;
        }
        let last = self.memory.add(batches.into_iter().flatten());
        Ok((answers, last))
    }

    fn close(&mut self) -> Result<(), LogError> {
        if self.flusher.take().and_then(Flusher::end).is_some() {
            self.end = End::Unsynced;
        }
        let settled = if self.end == End::Unsynced { self.settle() } else { Ok(()) };
        self.held.clear();
        self.lock = None;
        settled
    }

    fn explain(failure: LogError, _: &str, _: &Path) -> LogError {
        failure
    }
}

fn header<F: Format>() -> String {
    F::HEADER.map_or_else(String::new, |header| format!("{header}\n"))
}
