//! One address for each run log: `sqlite:runs.db`, `postgres://..`, `csv:runs.csv`, `jsonl:..`, `memory:`.
//!
//! Always: what is wrong with an address is told before anything is opened, all of it at once; and a
//! password is never shown.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use redengine_core::error::nearest;
use redengine_core::runlog::{LogError, LogErrorKind, RunLog};

use crate::memory::MemoryLog;

/// Opens the run log of an address.
///
/// | address | log | options |
/// |---|---|---|
/// | `memory:` | [`MemoryLog`] | `bound=1000` ([`MemoryLog::bounded`]) |
/// | `sqlite:runs.db` | [`SqliteLog`](crate::SqliteLog) | `synchronous=full` or `normal`, `busy_timeout=5s` |
/// | `csv:runs.csv` | [`CsvLog`](crate::CsvLog) | `fsync=batch`, `never` or a duration such as `1s`; `rotate=64MiB` |
/// | `jsonl:runs.jsonl` | [`JsonlLog`](crate::JsonlLog) | the same |
/// | `postgres://user:password@host/database` | [`PostgresLog`](crate::PostgresLog) | `schema=redengine`, `sslmode=verify-full`, and those of PostgreSQL |
///
/// Options come after a `?`, with `&` between them: `sqlite:runs.db?synchronous=normal&busy_timeout=1s`.
/// A path is relative (`csv:logs/runs.csv`) or absolute (`csv:/var/lib/runs.csv`); `//` before it means
/// nothing. In it, `%3F` is a question mark and `%25` a percent sign. Each scheme but `memory` needs the
/// crate's feature of that name.
///
/// # Errors
///
/// [`LogErrorKind::Open`] if the address is wrong; it is quoted, with a mark under what is wrong. All
/// errors of opening the log.
///
/// # Cancel safety
///
/// A dropped future may still open the log, and closes it then.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), redengine_core::runlog::LogError> {
/// let log = redengine_log::connect("memory:").await?;
/// assert_eq!(log.last_seq().await?.0, 0);
///
/// let error = redengine_log::connect("memry:").await.unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "cannot open the run log `memry:`: unknown scheme `memry`; did you mean `memory`?
///   memry:
///   ^^^^^"
/// );
/// # Ok(())
/// # }
/// ```
pub async fn connect(url: &str) -> Result<Arc<dyn RunLog>, LogError> {
    let mut address = Address::read(url)?;
    match address.scheme {
        "memory" => {
            let bound = address.option("bound", |text| {
                text.parse::<usize>().map_err(|_| "write a number such as `1000`".to_owned())
            });
            address.no_path();
            address.finish()?;
            Ok(Arc::new(bound.map_or_else(MemoryLog::new, MemoryLog::bounded)))
        }
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let mut builder = crate::SqliteLog::builder(address.path());
            let synchronous = address.option("synchronous", |text| match text {
                "full" => Ok(crate::Synchronous::Full),
                "normal" => Ok(crate::Synchronous::Normal),
                _ => Err("write `full` or `normal`".to_owned()),
            });
            if let Some(synchronous) = synchronous {
                builder = builder.synchronous(synchronous);
            }
            if let Some(timeout) = address.option("busy_timeout", duration) {
                builder = builder.busy_timeout(timeout);
            }
            address.finish()?;
            blocking(move || Ok(Arc::new(builder.open()?) as _)).await
        }
        #[cfg(feature = "csv")]
        "csv" => file::<crate::file::csv::Csv>(address).await,
        #[cfg(feature = "jsonl")]
        "jsonl" => file::<crate::file::jsonl::Jsonl>(address).await,
        // It has its own options, and hides the password.
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(Arc::new(crate::PostgresLog::connect(url).await?)),
        _ => Err(address.unknown_scheme()),
    }
}

/// The schemes, each with the feature that it needs.
const SCHEMES: [(&str, &str); 6] = [
    ("memory", ""),
    ("sqlite", "sqlite"),
    ("csv", "csv"),
    ("jsonl", "jsonl"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
];

#[cfg(any(feature = "csv", feature = "jsonl"))]
async fn file<F: crate::file::format::Format>(
    mut address: Address<'_>,
) -> Result<Arc<dyn RunLog>, LogError> {
    use crate::{FileLog, Fsync};

    let mut builder = FileLog::<F>::builder(address.path());
    let fsync = address.option("fsync", |text| match text {
        "batch" => Ok(Fsync::EachBatch),
        "never" => Ok(Fsync::Never),
        text => duration(text).map(Fsync::Every).map_err(|_| {
            "write `batch`, `never`, or how long to wait at most, such as `1s`".to_owned()
        }),
    });
    if let Some(fsync) = fsync {
        builder = builder.fsync(fsync);
    }
    if let Some(bytes) = address.option("rotate", bytes) {
        builder = builder.rotate_at(bytes);
    }
    address.finish()?;
    blocking(move || Ok(Arc::new(builder.open()?) as _)).await
}

/// Opens files off the reactor.
#[cfg(any(feature = "csv", feature = "jsonl", feature = "sqlite"))]
async fn blocking(
    open: impl FnOnce() -> Result<Arc<dyn RunLog>, LogError> + Send + 'static,
) -> Result<Arc<dyn RunLog>, LogError> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(open).await.unwrap_or_else(|error| {
            let message = "cannot open the run log: the runtime is shutting down";
            Err(LogError::new(LogErrorKind::Io, message).because(error))
        }),
        // Without Tokio there is no reactor to hold up.
        Err(_) => open(),
    }
}

#[cfg(any(feature = "csv", feature = "jsonl", feature = "sqlite"))]
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let parsed = redengine_core::time::duration::parse(text);
    parsed.map_err(|error| format!("{error}; write a duration such as `5s`"))
}

/// Reads a number of bytes: `1000000`, `64MiB`, `64 MB`.
#[cfg(any(feature = "csv", feature = "jsonl"))]
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match &*unit.trim().to_ascii_lowercase() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        _ => None,
    };
    let number = number.parse::<u64>().ok();
    let bytes = number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    bytes.ok_or_else(|| "write a number of bytes such as `64MiB`".to_owned())
}

/// An address that is being read.
struct Address<'a> {
    url: &'a str,
    scheme: &'a str,
    /// What is between the scheme and the options.
    path: Range<usize>,
    options: Vec<Setting<'a>>,
    /// The options that this log has.
    known: Vec<&'static str>,
    problems: Vec<(Range<usize>, String)>,
}

/// One of the options, and where it is.
struct Setting<'a> {
    name: &'a str,
    value: &'a str,
    at: usize,
}

impl<'a> Address<'a> {
    fn read(url: &'a str) -> Result<Self, LogError> {
        let Some((scheme, rest)) = url.split_once(':') else { return Err(no_scheme(url)) };
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        let from = scheme.len() + 1;
        let mut at = from + path.len() + 1;
        let mut settings = Vec::new();
        for option in options.split('&') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if !option.is_empty() {
                settings.push(Setting { name, value, at });
            }
            at += option.len() + 1;
        }
        let path = from..from + path.len();
        let (known, problems) = (Vec::new(), Vec::new());
        Ok(Self { url, scheme, path, options: settings, known, problems })
    }

    /// Reads an option; of several of one name, the last.
    fn option<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(name);
        let mut last = None;
        for Setting { value, at, .. } in self.options.iter().filter(|option| option.name == name) {
            match decode(value).ok_or_else(|| "it is not UTF-8".to_owned()).and_then(|v| read(&v)) {
                Ok(value) => last = Some(value),
                Err(why) => {
                    let from = at + name.len() + 1;
                    let until = (from + value.len()).min(self.url.len());
                    let why = format!("`{value}` cannot be `{name}`: {why}");
                    self.problems.push((from.min(until)..until, why));
                }
            }
        }
        last
    }

    /// Reads the path of a file.
    #[cfg(any(feature = "csv", feature = "jsonl", feature = "sqlite"))]
    fn path(&mut self) -> std::path::PathBuf {
        let text = &self.url[self.path.clone()];
        let path = decode(text.strip_prefix("//").unwrap_or(text)).unwrap_or_default();
        if path.is_empty() {
            let example = format!("it names no file; write `{}:runs.db`", self.scheme);
            let example = match self.scheme {
                "sqlite" => example,
                scheme => format!("it names no file; write `{scheme}:runs.{scheme}`"),
            };
            self.problems.push((self.path.clone(), example));
        }
        path.into()
    }

    fn no_path(&mut self) {
        if !self.url[self.path.clone()].trim_start_matches('/').is_empty() {
            let why = "a log in memory has no file; write `memory:`, or `sqlite:` to keep records";
            self.problems.push((self.path.clone(), why.to_owned()));
        }
    }

    /// Fails if something is wrong.
    fn finish(mut self) -> Result<(), LogError> {
        for Setting { name, at, .. } in &self.options {
            if self.known.contains(name) {
                continue;
            }
            let help = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`", self.known.join("`, `")),
            };
            self.problems.push((*at..at + name.len(), format!("unknown option `{name}`; {help}")));
        }
        self.problems.sort_by_key(|(place, _)| place.start);
        if self.problems.is_empty() { Ok(()) } else { Err(wrong(self.url, &self.problems)) }
    }

    /// Says that there is no such log, or that it is not compiled in.
    fn unknown_scheme(&self) -> LogError {
        let scheme = self.scheme;
        let why = match SCHEMES.iter().find(|(known, _)| *known == scheme) {
            Some((_, feature)) => format!(
                "`{scheme}` needs the feature `{feature}`, which is off; add it to `redengine` in \
                 `Cargo.toml`"
            ),
            None => {
                let help = match nearest(scheme, SCHEMES.map(|(known, _)| known)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        let known = SCHEMES.map(|(known, _)| known);
                        format!("there are `{}`", known.join("`, `"))
                    }
                };
                format!("unknown scheme `{scheme}`; {help}")
            }
        };
        wrong(&without_password(self.url), &[(0..scheme.len(), why)])
    }
}

fn no_scheme(url: &str) -> LogError {
    if url.is_empty() {
        let message =
            "cannot open the run log: its address is empty; write one such as `sqlite:runs.db`";
        return LogError::new(LogErrorKind::Open, message);
    }
    let extension = url.rsplit_once('.').map(|(_, extension)| extension);
    let scheme = match extension {
        Some("csv") => "csv",
        Some("jsonl") => "jsonl",
        _ => "sqlite",
    };
    let why = format!("it does not say what it is; did you mean `{scheme}:{url}`?");
    wrong(url, &[(0..url.len(), why)])
}

/// Quotes an address, with a mark under each thing that is wrong.
fn wrong(url: &str, problems: &[(Range<usize>, String)]) -> LogError {
    let why: Vec<&str> = problems.iter().map(|(_, why)| &**why).collect();
    let marks = Marks { url, problems };
    let message =
        format!("cannot open the run log `{url}`: {}\n  {url}\n  {marks}", why.join("; "));
    LogError::new(LogErrorKind::Open, message)
}

struct Marks<'a> {
    url: &'a str,
    problems: &'a [(Range<usize>, String)],
}

impl fmt::Display for Marks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut column = 0;
        for (Range { start, end }, _) in self.problems {
            let width = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
            let start = width(self.url.get(..*start)).max(column);
            let end = width(self.url.get(..*end)).max(start + 1);
            write!(f, "{:gap$}{:^>marks$}", "", "", gap = start - column, marks = end - start)?;
            column = end;
        }
        Ok(())
    }
}

/// Takes out what may be a password: `user:password@`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':') else { return url.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = match user.trim_start_matches('/').split_once(':') {
        Some((name, _)) => format!("//{name}:***"),
        None => user.to_owned(),
    };
    format!("{scheme}:{user}@{host}")
}

/// Undoes `%20` and its like; `None` if it is not UTF-8 then.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let escaped = match (first, others) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let byte = digit(high).zip(digit(low)).map(|(high, low)| high * 16 + low);
                byte.and_then(|byte| u8::try_from(byte).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &others[2..] } else { others };
    }
    String::from_utf8(bytes).ok()
}
