//! Opening a log: who holds it, what is in its files, and what a crash has torn.
//!
//! Always: no file is changed before all of them were read, but for a last line that gets its end; and
//! only what was never acknowledged is cut off, into a file beside it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read as _, Seek, SeekFrom, Write};
use std::path::Path;

use redengine_core::runlog::{LogError, LogErrorKind};

use super::error::{explain, refuse};
use super::format::{Bad, Format, Line, VERSION};
use super::paths::Paths;
use crate::memory::MemoryLog;
use crate::memory::restore::Restore;

/// What was found.
pub(super) struct Opened {
    pub(super) lock: Lock,
    /// Of each file.
    pub(super) held: Vec<Lock>,
    pub(super) memory: MemoryLog,
    /// The file that is written to; `None`: there is none yet, or one that newer lines do not fit.
    pub(super) file: Option<File>,
    /// How long it is.
    pub(super) length: u64,
}

/// Opens all files of a log.
pub(super) fn open<F: Format>(paths: &Paths) -> Result<Opened, LogError> {
    let lock = lock(paths)?;
    settle_pruned(paths)?;
    let mut restore = Restore::default();
    let mut held = Vec::new();
    let rotated = paths.all_rotated().map_err(|error| explain(error, "open", &paths.folder))?;
    for path in rotated.into_iter().map(|number| paths.rotated(number)) {
        let file = File::open(&path).map_err(|error| explain(error, "open", &path))?;
        held.extend(hold(&file, &path)?);
        let read = Reading::<F>::new(&path, &file).all(&mut restore)?;
        if let Some(torn) = read.torn {
            return Err(torn.refuse(&path));
        }
    }
    let mut opened = Opened { lock, held, memory: MemoryLog::new(), file: None, length: 0 };
    match OpenOptions::new().read(true).append(true).open(&paths.main) {
        Ok(mut file) => {
            opened.held.extend(hold(&file, &paths.main)?);
            let mut read = Reading::<F>::new(&paths.main, &file).all(&mut restore)?;
            if let Some(torn) = read.torn {
                cut(paths, &file, read.good, &torn)?;
            } else if read.lacks_line_break {
                file.write_all(b"\n").map_err(|error| explain(error, "repair", &paths.main))?;
                read.good += 1;
            }
            if read.has_our_header || read.good > 0 {
                opened.length = read.good;
                opened.file = Some(file);
            }
            if !read.has_our_header {
                // Another version's columns: what is written next goes to a file of our own.
                opened.length = u64::MAX;
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(explain(error, "open", &paths.main)),
    }
    opened.memory = restore.finish();
    Ok(opened)
}

/// Keeps other programs out for as long as it is there.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file would not do: a process that another thread starts just now has it open
        // too, until it is the program that it is to be.
        let _ = self.0.unlock();
    }
}

/// Makes sure that no other program has a file open as a log under another name: a link to it.
pub(super) fn hold(file: &File, path: &Path) -> Result<Option<Lock>, LogError> {
    // Elsewhere a lock keeps out who only reads as well, and anybody may look at a log.
    if !cfg!(unix) {
        return Ok(None);
    }
    let failed = |error| explain(error, "open", path);
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file.try_clone().map_err(failed)?))),
        Err(TryLockError::WouldBlock) => {
            let message = format!(
                "cannot open `{}`: another program has it open under another name, or this one has; \
                 end that program, choose another file, or take SQLite, which several programs may share",
                path.display()
            );
            Err(LogError::new(LogErrorKind::Locked, message))
        }
        // Not each file system locks each file; the one beside the log is locked anyway.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Makes sure that no other program has the log open.
fn lock(paths: &Paths) -> Result<Lock, LogError> {
    let failed = |error| explain(error, "open", &paths.lock);
    let mut options = OpenOptions::new();
    let mut lock = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&paths.lock)
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // For people: who cannot read it does without.
            let _ = lock.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "another program".to_owned(),
                process => format!("process {process}"),
            };
            let message = format!(
                "cannot open `{}`: {holder} has it open; end that program, choose another file, or \
                 take SQLite, which several programs may share",
                paths.main.display()
            );
            return Err(LogError::new(LogErrorKind::Locked, message));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let mut lock = Lock(lock);
    let written = lock.0.set_len(0).and_then(|()| writeln!(lock.0, "{}", std::process::id()));
    written.map_err(failed)?;
    Ok(lock)
}

/// Finishes what a prune has begun: if there is a whole file that takes the place of all, it does so.
pub(super) fn settle_pruned(paths: &Paths) -> Result<(), LogError> {
    let Paths { pruned, new, main, .. } = paths;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| explain(error, "write to", &path)
    };
    if new.exists() {
        fs::remove_file(new).map_err(failed(new))?;
    }
    if !pruned.exists() {
        return Ok(());
    }
    // The name must be there before the others go.
    paths.sync_folder().map_err(failed(main))?;
    for number in paths.all_rotated().map_err(failed(main))? {
        let path = paths.rotated(number);
        fs::remove_file(&path).map_err(failed(&path))?;
    }
    fs::rename(pruned, main).and_then(|()| paths.sync_folder()).map_err(failed(main))
}

/// Cuts off what is torn, and keeps it beside the file.
fn cut(paths: &Paths, file: &File, good: u64, torn: &Torn) -> Result<(), LogError> {
    let keep = || {
        let mut from = file;
        from.seek(SeekFrom::Start(good))?;
        let mut to = OpenOptions::new().create(true).append(true).open(&paths.torn)?;
        let bytes = std::io::copy(&mut from, &mut to)?;
        to.write_all(b"\n")?;
        to.sync_all()?;
        paths.sync_folder()?;
        file.set_len(good)?;
        file.sync_all()?;
        Ok(bytes)
    };
    let bytes = keep().map_err(|error| explain(error, "repair", &paths.main))?;
    tracing::warn!(
        file = %paths.main.display(),
        line = torn.line,
        bytes,
        kept = %paths.torn.display(),
        why = torn.why,
        "the end of the run log was torn, and was cut off"
    );
    Ok(())
}

/// The end of a file that is not whole.
struct Torn {
    line: u64,
    why: String,
}

impl Torn {
    fn refuse(&self, path: &Path) -> LogError {
        not_a_record(path, self.line, &self.why, "")
    }
}

fn not_a_record(path: &Path, line: u64, why: &str, text: &str) -> LogError {
    let quoted: String = text.chars().take(120).collect();
    let dots = if quoted.len() < text.len() { " .." } else { "" };
    let quote = if text.is_empty() { String::new() } else { format!("\n  {quoted}{dots}\n") };
    let message = format!(
        "cannot open the run log: `{}:{line}` is no record: {why}; {quote}correct the line, or \
         restore the file from a copy",
        path.display()
    );
    LogError::new(LogErrorKind::Corrupt, message)
}

/// What was read of a file.
struct Found {
    /// Where the last whole batch ends.
    good: u64,
    torn: Option<Torn>,
    /// Whether the last line is whole but for its end, as some editors leave it.
    lacks_line_break: bool,
    has_our_header: bool,
}

/// A file that is being read.
struct Reading<'a, F: Format> {
    path: &'a Path,
    reader: BufReader<&'a File>,
    columns: F::Columns,
    line: u64,
    /// Where the next line begins.
    place: u64,
    good: u64,
    /// The lines of a batch that is not whole yet, and their numbers.
    batch: Vec<(u64, Line)>,
}

impl<'a, F: Format> Reading<'a, F> {
    fn new(path: &'a Path, file: &'a File) -> Self {
        let reader = BufReader::with_capacity(1 << 16, file);
        let columns = F::Columns::default();
        Self { path, reader, columns, line: 0, place: 0, good: 0, batch: Vec::new() }
    }

    /// Reads all lines.
    fn all(mut self, restore: &mut Restore) -> Result<Found, LogError> {
        let mut has_our_header = true;
        let mut torn = None;
        let mut bytes = Vec::new();
        if let Some(header) = F::HEADER {
            self.next(&mut bytes)?;
            has_our_header = self.header(header, &bytes)?;
        }
        let mut lacks_line_break = false;
        while self.next(&mut bytes)? {
            lacks_line_break = !bytes.ends_with(b"\n");
            match self.decode(&bytes) {
                Ok(None) => {}
                Ok(Some(line)) => self.take(line, restore)?,
                Err(Bad::Line(_)) if !bytes.ends_with(b"\n") => {
                    self.accept_torn(&bytes)?;
                    torn = Some("its line does not end".to_owned());
                }
                // Pages that did not reach the disk are empty; in what we write there is no NUL.
                Err(Bad::Line(why)) if bytes.contains(&0) && self.is_at_end()? => torn = Some(why),
                Err(Bad::Line(why)) => {
                    let text = String::from_utf8_lossy(&bytes);
                    return Err(not_a_record(self.path, self.line, &why, text.trim_end()));
                }
                Err(Bad::Version(version)) => {
                    let message = format!(
                        "cannot open the run log: a newer version wrote `{}:{}` (its format is \
                         {version}, the latest known here is {VERSION}); update this program",
                        self.path.display(),
                        self.line
                    );
                    return Err(LogError::new(LogErrorKind::Version, message));
                }
            }
        }
        if torn.is_none() && !self.batch.is_empty() {
            torn = Some("its batch is not whole".to_owned());
        }
        let torn = torn.map(|why| Torn { line: self.line, why });
        let lacks_line_break = lacks_line_break && torn.is_none();
        Ok(Found { good: self.good, torn, lacks_line_break, has_our_header })
    }

    /// Makes sure that the torn end of a file in which nothing else is may have been a record.
    fn accept_torn(&self, bytes: &[u8]) -> Result<(), LogError> {
        let (first, begins) = (self.place == bytes.len() as u64, F::BEGINS);
        if first && !bytes.starts_with(begins) && !begins.starts_with(bytes) {
            return Err(refuse(self.path, "it is not a run log of ours; choose another file"));
        }
        Ok(())
    }

    fn next(&mut self, bytes: &mut Vec<u8>) -> Result<bool, LogError> {
        bytes.clear();
        let read = self.reader.read_until(b'\n', bytes);
        let read = read.map_err(|error| explain(error, "read", self.path))?;
        self.line += u64::from(read > 0);
        self.place += read as u64;
        Ok(read > 0)
    }

    fn is_at_end(&mut self) -> Result<bool, LogError> {
        let left = self.reader.fill_buf().map_err(|error| explain(error, "read", self.path))?;
        Ok(left.is_empty())
    }

    /// Reads the header; tells whether it is the one that we write.
    fn header(&mut self, ours: &str, bytes: &[u8]) -> Result<bool, LogError> {
        if bytes.is_empty() {
            return Ok(false);
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        self.columns = F::columns(text).map_err(|why| {
            let why = format!("it is not a run log of ours: {why}; choose another file");
            refuse(self.path, &why)
        })?;
        self.good = self.place;
        Ok(text == ours && bytes.ends_with(b"\n"))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Option<Line>, Bad> {
        let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let whole = match text.strip_suffix('\n') {
            Some(whole) => whole,
            None if F::is_whole(&self.columns, text) => text,
            None => return Err("its line does not end".to_owned().into()),
        };
        let whole = whole.strip_suffix('\r').unwrap_or(whole);
        if whole.is_empty() { Ok(None) } else { F::decode(&self.columns, whole).map(Some) }
    }

    /// Takes a line; a batch goes into the log when it is whole.
    fn take(&mut self, line: Line, restore: &mut Restore) -> Result<(), LogError> {
        let path = self.path;
        let corrupt = |line, why: String| Err(not_a_record(path, line, &why, ""));
        let (seq, more) = (line.recorded.seq, line.more);
        let before = self.batch.last().map(|(_, before)| before);
        let last = before.map_or(restore.last(), |before| before.recorded.seq);
        if seq <= last {
            let why = format!("its number {seq} comes after {last}, and numbers increase");
            return corrupt(self.line, why);
        }
        if let Some(wanted) = before.map(|before| before.more - 1).filter(|wanted| *wanted != more)
        {
            let why = format!(
                "{more} lines of its batch are to come, and by the line before it should be {wanted}"
            );
            return corrupt(self.line, why);
        }
        self.batch.push((self.line, line));
        if more == 0 {
            for (line, Line { recorded, marks, .. }) in self.batch.drain(..) {
                let (run, action) = (recorded.record.run, recorded.record.action);
                if let Err(there) = restore.add(recorded, marks) {
                    let why = format!("record {there} is the `{action}` of run {run} already");
                    return corrupt(line, why);
                }
            }
            self.good = self.place;
        }
        Ok(())
    }
}
