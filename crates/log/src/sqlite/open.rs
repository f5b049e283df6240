//! Opening a file, and saying why it cannot be opened.
//!
//! A file is first looked at through a connection that cannot write, and through SQLite: to open
//! and close it as a plain file would drop the locks of all other connections of this process
//! (POSIX locks belong to the process).

use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use redengine_core::runlog::{LogError, LogErrorKind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::Synchronous;
use super::error::Failure;
use super::schema::{self, Format, VERSION};

/// Opens the connection that writes and the one that reads.
pub(super) fn open(
    path: &Path,
    synchronous: Synchronous,
    busy_timeout: Duration,
) -> Result<(Connection, Connection), LogError> {
    let explain = |failure: Failure| failure.explain("open", path);
    let is_new = is_new(path)?;
    if !is_new {
        let format = look(path, busy_timeout)?;
        accept(format, path)?;
    }

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut writer =
        connect(path, flags, busy_timeout).map_err(|error| cannot_open(path, error))?;
    if writer.is_readonly("main").map_err(|error| explain(error.into()))? {
        return Err(read_only(path));
    }
    // Until it is known for sure whose it is, closing it must not write to it.
    keep_as_it_is(&writer, true).map_err(|error| explain(error.into()))?;
    if schema::format(&writer).map_err(|error| cannot_open(path, error))? == Format::Empty {
        schema::create(&mut writer).map_err(|error| cannot_open(path, error))?;
    }
    let format = schema::format(&writer).map_err(|error| explain(error.into()))?;
    accept(format, path)?;
    if schema::is_older(&writer).map_err(|error| explain(error.into()))? {
        schema::upgrade(&mut writer).map_err(|error| explain(error.into()))?;
    }
    schema::check(&writer).map_err(explain)?;
    keep_as_it_is(&writer, false).map_err(|error| explain(error.into()))?;

    write_ahead(&writer, busy_timeout).map_err(|error| cannot_open(path, error))?;
    settle(&writer, synchronous).map_err(|error| explain(error.into()))?;
    let reader = reader(path, busy_timeout).map_err(|error| cannot_open(path, error))?;
    Ok((writer, reader))
}

/// Opens one more connection that reads a run log which is open.
pub(super) fn reader(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = connect(path, flags, busy_timeout)?;
    settle(&reader, Synchronous::Normal)?;
    reader.pragma_update(None, "query_only", true)?;
    Ok(reader)
}

fn settle(connection: &Connection, synchronous: Synchronous) -> rusqlite::Result<()> {
    let synchronous = match synchronous {
        Synchronous::Full => "full",
        Synchronous::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // In pages, 8 MiB: appends come back to the same pages, which are then copied once.
    connection.pragma_update(None, "wal_autocheckpoint", 2000)?;
    // A write-ahead log that grew once, under a long read, is cut back to 64 MiB.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // Else a statement is compiled again whenever its parameters change, to look at them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Tells whether there is no file yet where one can be.
fn is_new(path: &Path) -> Result<bool, LogError> {
    let shown = path.display();
    let refuse = |message: String| Err(LogError::new(LogErrorKind::Open, message));
    // To SQLite, these two are not files.
    if path.as_os_str() == ":memory:" || path.as_os_str().is_empty() {
        return refuse(format!(
            "cannot open `{shown}`: it is not the name of a file; take `MemoryLog` to keep records \
             in memory"
        ));
    }
    match path.metadata() {
        Ok(file) if file.is_dir() => refuse(format!(
            "cannot open `{shown}`: it is a folder; name a file in it, such as `{}`",
            path.join("runs.db").display()
        )),
        Ok(file) if !file.is_file() => {
            refuse(format!("cannot open `{shown}`: it is not a plain file; choose another"))
        }
        // SQLite takes such a file for an empty one, and would write over it.
        Ok(file) if (1..512).contains(&file.len()) => Err(not_a_database(path)),
        Ok(file) => Ok(file.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            if folder.is_dir() {
                return Ok(true);
            }
            refuse(format!(
                "cannot open `{shown}`: there is no folder `{}`; create it first",
                folder.display()
            ))
        }
        Err(error) => {
            let message = format!("cannot open `{shown}`: it cannot be looked at");
            Err(LogError::new(LogErrorKind::Open, message).because(error))
        }
    }
}

/// Looks what a file is, without a way to write to it.
fn look(path: &Path, busy_timeout: Duration) -> Result<Format, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looked =
        connect(path, flags, busy_timeout).and_then(|connection| schema::format(&connection));
    match looked {
        Err(error) if is_unfinished(&error) && has_our_mark(path) => {
            // The process that made it was killed while it did. Opening it to write mends that.
            Ok(Format::RunLog { version: VERSION })
        }
        looked => looked.map_err(|error| cannot_open(path, error)),
    }
}

fn accept(format: Format, path: &Path) -> Result<(), LogError> {
    let path = path.display();
    match format {
        Format::Empty | Format::RunLog { version: 1..=VERSION } => Ok(()),
        Format::RunLog { version } if version > VERSION => Err(LogError::new(
            LogErrorKind::Version,
            format!(
                "cannot open `{path}`: a newer version made it (its format is {version}, the \
                 latest known here is {VERSION}); update this program, or choose another file"
            ),
        )),
        Format::RunLog { version } => Err(LogError::new(
            LogErrorKind::Version,
            format!(
                "cannot open `{path}`: its format {version} was never in use; restore the file \
                 from a copy, or move it away"
            ),
        )),
        Format::Foreign => Err(LogError::new(
            LogErrorKind::Open,
            format!(
                "cannot open `{path}`: it is an SQLite database, but not a run log; choose another \
                 file or move it away"
            ),
        )),
    }
}

fn connect(path: &Path, flags: OpenFlags, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    Ok(connection)
}

fn keep_as_it_is(connection: &Connection, on: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on).map(drop)
}

/// Switches the file to write-ahead logging; it stays so.
fn write_ahead(connection: &Connection, busy_timeout: Duration) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut left = busy_timeout;
    loop {
        let switched =
            connection.query_row("pragma journal_mode = wal", (), |row| row.get::<_, String>(0));
        match switched {
            // SQLite does not wait here when two switch at once: each would wait for the other.
            Err(error) if is_busy(&error) && !left.is_zero() => {
                thread::sleep(PAUSE);
                left = left.saturating_sub(PAUSE);
            }
            switched => return switched.map(drop),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Tells whether there is a transaction to be rolled back, which takes the right to write.
fn is_unfinished(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| {
        error.extended_code == ffi::SQLITE_READONLY_ROLLBACK
            || error.code == ErrorCode::CannotOpen
            || error.code == ErrorCode::DatabaseCorrupt
    })
}

/// Reads the mark in the header, past SQLite.
///
/// Only for files of which SQLite could read nothing: see the note on locks above.
fn has_our_mark(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    let mut header = [0; 72];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok()
        && Path::new(&journal).exists()
        && header[68..] == schema::APPLICATION_ID.to_be_bytes()
}

/// Explains why SQLite cannot open a file.
fn cannot_open(path: &Path, error: rusqlite::Error) -> LogError {
    let shown = path.display();
    let extended = error.sqlite_error().map(|error| error.extended_code);
    if extended == Some(ffi::SQLITE_READONLY_ROLLBACK) {
        let message = format!(
            "cannot open `{shown}`: another program left a transaction in it unfinished; let that \
             program take it back, or choose another file"
        );
        return LogError::new(LogErrorKind::Open, message).because(error);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_a_database(path).because(error),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            match std::fs::File::open(path).map_err(|error| error.kind()) {
                Err(io::ErrorKind::PermissionDenied) => LogError::new(
                    LogErrorKind::Open,
                    format!(
                        "cannot open `{shown}`: it may not be read; give this user the right to \
                         read and write it"
                    ),
                )
                .because(error),
                _ => read_only(path).because(error),
            }
        }
        _ => Failure::from(error).explain("open", path),
    }
}

fn not_a_database(path: &Path) -> LogError {
    let message = format!(
        "cannot open `{}`: it is not an SQLite database; choose another file or move it away",
        path.display()
    );
    LogError::new(LogErrorKind::Open, message)
}

fn read_only(path: &Path) -> LogError {
    LogError::new(
        LogErrorKind::ReadOnly,
        format!(
            "cannot open `{}`: it may not be written to; give this user the right to write to the \
             file and its folder (SQLite keeps two more files beside it)",
            path.display()
        ),
    )
}
