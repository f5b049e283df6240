//! The files of a log, beside each other in one folder.
//!
//! `runs.csv` is written to. `runs.1.csv`, `runs.2.csv` .. were before, and are only read. Of the
//! others, `.lock` stays, `.torn` keeps what a repair has cut off, and `.new` and `.pruned` are there
//! only while a file is made.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use redengine_core::runlog::LogError;

use super::error::refuse;

#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) main: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) lock: PathBuf,
    /// A file that is not whole yet.
    pub(super) new: PathBuf,
    /// A whole file that takes the place of all others.
    pub(super) pruned: PathBuf,
    pub(super) torn: PathBuf,
}

impl Paths {
    /// Looks whether there can be a log.
    pub(super) fn new(main: &Path, name: &str) -> Result<Self, LogError> {
        let folder = match main.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        match main.metadata() {
            Ok(file) if file.is_dir() => {
                let example = main.join("runs");
                let why = format!(
                    "it is a folder; name a {name} file in it, such as `{}`",
                    example.display()
                );
                return Err(refuse(main, &why));
            }
            Ok(file) if !file.is_file() => {
                return Err(refuse(main, "it is not a plain file; choose another"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if main.file_name().is_none() {
                    return Err(refuse(main, "it is not the name of a file"));
                }
                if !folder.is_dir() {
                    let why = format!("there is no folder `{}`; create it first", folder.display());
                    return Err(refuse(main, &why));
                }
            }
            Err(error) => return Err(refuse(main, "it cannot be looked at").because(error)),
        }
        let beside = |suffix: &str| {
            let mut path = main.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        Ok(Self {
            main: main.to_owned(),
            folder: folder.to_owned(),
            lock: beside(".lock"),
            new: beside(".new"),
            pruned: beside(".pruned"),
            torn: beside(".torn"),
        })
    }

    /// The name of the file that was rotated away as the `number`th.
    pub(super) fn rotated(&self, number: u64) -> PathBuf {
        let mut name = self.main.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{number}"));
        if let Some(extension) = self.main.extension() {
            name.push(".");
            name.push(extension);
        }
        self.main.with_file_name(name)
    }

    /// The numbers of the files that were rotated away, the oldest first.
    pub(super) fn all_rotated(&self) -> io::Result<Vec<u64>> {
        let prefix = [self.main.file_stem().unwrap_or_default().as_encoded_bytes(), b"."].concat();
        let extension = self.main.extension().map(|extension| {
            let mut suffix = OsString::from(".");
            suffix.push(extension);
            suffix
        });
        let suffix = extension.as_deref().unwrap_or_default().as_encoded_bytes();
        let mut numbers = Vec::new();
        for entry in self.folder.read_dir()? {
            let name = entry?.file_name();
            let name = name.as_encoded_bytes();
            let number = name.strip_prefix(&*prefix).and_then(|name| name.strip_suffix(suffix));
            let number = number.and_then(|number| str::from_utf8(number).ok()?.parse().ok());
            // Not `runs.01.csv`, which nobody rotated away.
            numbers.extend(number.filter(|number| {
                self.rotated(*number)
                    .file_name()
                    .is_some_and(|file| file.as_encoded_bytes() == name)
            }));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Waits until the names of the files are on the disk.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }
}
