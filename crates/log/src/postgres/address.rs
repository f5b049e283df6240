//! Where a log is: a server, a database and a schema in it.
//!
//! An address is shown without its password, and nothing else here is ever shown.

use std::fmt;
use std::time::Duration;

use redengine_core::runlog::{LogError, LogErrorKind};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::tls::{Parameters, Tls};
use crate::connect::decode;

/// The schema of a log for which none is named.
const SCHEMA: &str = "redengine";

/// PostgreSQL cuts longer names off without a word.
const LONGEST_NAME: usize = 63;

/// How long a server is waited for, unless the address says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a log is, and how long to wait for it.
#[derive(Clone)]
pub(super) struct Address {
    config: Config,
    schema: String,
    pub(super) tls: Tls,
    pub(super) connect_timeout: Duration,
    pub(super) statement_timeout: Duration,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?schema=name`.
    pub(super) fn parse(url: &str) -> Result<Self, LogError> {
        let refuse = |why: String| {
            LogError::new(
                LogErrorKind::Open,
                format!(
                    "cannot open the run log: {why}; write \
                     `postgres://user:password@host:port/database?schema={SCHEMA}`"
                ),
            )
        };
        let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !is_url {
            return Err(refuse("its address does not begin with `postgres://`".to_owned()));
        }
        let (server, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut schema = SCHEMA.to_owned();
        let mut tls = Parameters::default();
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let decoded = || {
                decode(value).ok_or_else(|| refuse(format!("its {name} `{value}` is not UTF-8")))
            };
            match (name, tls.place(name)) {
                (_, Some(place)) => *place = Some(decoded()?),
                ("schema", None) => schema = decoded()?,
                _ => others.push(parameter),
            }
        }
        let url = [server, &others.join("&")].join(if others.is_empty() { "" } else { "?" });
        // The error says what is wrong with it, and never shows the address.
        let config: Config = url
            .parse()
            .map_err(|error| refuse("its address is wrong".to_owned()).because(error))?;
        if config.get_hosts().is_empty() {
            return Err(refuse("its address names no host".to_owned()));
        }
        let mut address = Self {
            connect_timeout: config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT),
            config,
            schema: SCHEMA.to_owned(),
            tls: Tls::disabled(),
            statement_timeout: Duration::from_secs(10),
        }
        .with_schema(schema)?;
        let tls = tls.read(address.config.get_ssl_negotiation()).map_err(|why| {
            LogError::new(LogErrorKind::Open, format!("cannot open {address}: {why}"))
        })?;
        // Whom one speaks to through a socket of this machine, the system knows.
        if !address.is_on_this_machine() {
            address.tls = tls;
        }
        Ok(address)
    }

    /// Tells whether all of it goes through sockets in the file system.
    fn is_on_this_machine(&self) -> bool {
        let is_path = |host: &Host| !matches!(host, Host::Tcp(_));
        self.config.get_hosts().iter().all(is_path) && self.config.get_hostaddrs().is_empty()
    }

    pub(super) fn with_schema(mut self, schema: String) -> Result<Self, LogError> {
        let why = if schema.is_empty() {
            "it is empty"
        } else if schema.len() > LONGEST_NAME {
            "it is longer than 63 bytes"
        } else if schema.contains('\0') {
            "it holds a NUL"
        } else if schema.starts_with("pg_") || schema == "information_schema" {
            "it belongs to PostgreSQL itself"
        } else {
            self.schema = schema;
            return Ok(self);
        };
        Err(LogError::new(
            LogErrorKind::Open,
            format!("cannot open {self}: `{schema}` cannot be the name of its schema: {why}"),
        ))
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// The schema as SQL names it.
    pub(super) fn quoted_schema(&self) -> String {
        format!("\"{}\"", self.schema.replace('"', "\"\""))
    }

    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("postgres")
    }

    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }

    /// What to connect with.
    pub(super) fn config(&self) -> Config {
        let mut config = self.config.clone();
        config.connect_timeout(self.connect_timeout);
        config.ssl_mode(self.tls.ssl_mode());
        if config.get_application_name().is_none() {
            config.application_name("redengine");
        }
        config
    }

    /// A lock of the database that all who use this schema agree on, whatever their version.
    pub(super) fn lock(&self, lock: Lock) -> i64 {
        // FNV-1a: it must give the same number everywhere and for ever.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in lock.as_str().bytes().chain(self.schema.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash.cast_signed()
    }

    /// What begins a transaction that holds locks until it ends.
    pub(super) fn begin(&self, locks: &[Lock]) -> String {
        let take = |lock: &Lock| format!("; select pg_advisory_xact_lock({})", self.lock(*lock));
        let locks: String = locks.iter().map(take).collect();
        format!("begin isolation level read committed{locks}")
    }

    /// The channel on which appends are told of.
    pub(super) fn channel(&self) -> String {
        format!("redengine_{:016x}", self.lock(Lock::Append).cast_unsigned())
    }
}

/// What only one may do at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock {
    /// Writing records.
    Append,
    /// Writing down a ledger.
    Copy,
    /// Renewing leases.
    Leases,
    /// Making and upgrading the tables.
    Schema,
}

impl Lock {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "redengine append ",
            Self::Copy => "redengine copy ",
            Self::Leases => "redengine leases ",
            Self::Schema => "redengine schema ",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`postgres://")?;
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(host) if host.contains(':') => write!(f, "[{host}]")?,
                Host::Tcp(host) => f.write_str(host)?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            let ports = self.config.get_ports();
            // One port is that of all hosts.
            if let Some(port) = ports.get(place).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}?schema={}`", self.database(), self.schema)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let address = Address::parse("postgresql://jobs:s3cret@db.example:6432/app").unwrap();
        assert_eq!(address.to_string(), "`postgres://db.example:6432/app?schema=redengine`");
        assert_eq!(format!("{address:?}"), address.to_string());
        let wrong = Address::parse("postgres://jobs:s3cret@db.example:port/app").unwrap_err();
        assert!(!format!("{wrong:?}").contains("s3cret"), "{wrong:?}");
    }

    #[test]
    fn an_address_says_how_long_to_wait_for_its_server() {
        let of = |url| Address::parse(url).map(|address| address.connect_timeout.as_secs());
        assert_eq!(of("postgres://h/d?connect_timeout=3").unwrap(), 3);
        assert_eq!(of("postgres://h/d").unwrap(), 5);
    }

    #[test]
    fn a_schema_is_taken_out_of_the_address() {
        let of = |url| Address::parse(url).map(|address| address.schema().to_owned());
        assert_eq!(of("postgres://h/d?schema=jobs&connect_timeout=3").unwrap(), "jobs");
        assert_eq!(of("postgres://h/d?application_name=x&schema=a%20b%22").unwrap(), "a b\"");
        assert_eq!(of("postgres://h/d").unwrap(), "redengine");
        let long = format!("postgres://h/d?schema={}", "x".repeat(64));
        for wrong in ["postgres://h/d?schema=", "postgres://h/d?schema=pg_catalog", &long] {
            assert_eq!(of(wrong).unwrap_err().kind(), LogErrorKind::Open, "{wrong}");
        }
        for wrong in ["h/d", "mysql://h/d", "postgres:///d", "postgres://h/d?no_such=1"] {
            assert_eq!(of(wrong).unwrap_err().kind(), LogErrorKind::Open, "{wrong}");
        }
    }

    #[test]
    fn locks_are_the_same_in_all_versions() {
        let address = Address::parse("postgres://h/d").unwrap();
        assert_eq!(address.channel(), "redengine_eb9638dcc9255a7f");
        let jobs = address.clone().with_schema("jobs".to_owned()).unwrap();
        assert_ne!(jobs.lock(Lock::Append), address.lock(Lock::Append));
        assert_ne!(address.lock(Lock::Copy), address.lock(Lock::Append));
    }
}
