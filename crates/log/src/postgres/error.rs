//! What can go wrong with a server, and how to say so.

use redengine_core::runlog::{LogError, LogErrorKind};
use tokio_postgres::error::SqlState;

use super::address::Address;
#[cfg(feature = "postgres-tls")]
use super::handshake;
use super::tls;

/// An error that does not know yet which log it is of.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server's, or that of the connection to it.
    Postgres(tokio_postgres::Error),
    /// There was no answer in time.
    Late,
    /// The connection has ended while nothing was asked.
    Ended,
    /// Something in the schema is not what only a run log would have written.
    Corrupt(String),
    /// The tables are of this version, and not of ours.
    Version(i32),
    /// It is not to be done, for a reason of this kind.
    Unfit(LogErrorKind, String),
    /// All is said.
    Told(LogError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl Failure {
    pub(super) fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Postgres(error) => error.code(),
            _ => None,
        }
    }

    /// Tells whether it is the connection that is broken, so that another one may work.
    pub(super) fn is_of_the_connection(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        match error.code() {
            Some(state) => {
                *state == SqlState::ADMIN_SHUTDOWN
                    || *state == SqlState::CRASH_SHUTDOWN
                    || *state == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            }
            None => error.is_closed() || io_kind(error).is_some(),
        }
    }

    /// Tells whether the same server may let one in without TLS, as libpq sees it.
    #[cfg(feature = "postgres-tls")]
    pub(super) fn may_do_without_tls(&self) -> bool {
        let Self::Postgres(error) = self else { return false };
        match error.code() {
            Some(state) => state.code().starts_with("28"),
            None => handshake::has_failed(error),
        }
    }

    /// Makes it an error about a log, with which one wanted to be `doing` something.
    pub(super) fn explain(self, doing: &str, address: &Address) -> LogError {
        let error = match self {
            Self::Late => {
                let message = format!(
                    "cannot {doing} {address}: the server has not answered within {:?}; look \
                     whether it and the network are up",
                    address.statement_timeout
                );
                return LogError::new(LogErrorKind::Unreachable, message);
            }
            Self::Ended => {
                let message =
                    format!("cannot {doing} {address}: the server has ended the connection");
                return LogError::new(LogErrorKind::Unreachable, message);
            }
            Self::Corrupt(what) => {
                let message = format!(
                    "cannot {doing} {address}: {what}; restore the schema from a copy, or name \
                     another one"
                );
                return LogError::new(LogErrorKind::Corrupt, message);
            }
            Self::Version(found) => {
                let message = format!(
                    "cannot {doing} {address}: its tables are of version {found}, and this program \
                     knows version {}; use the newer program everywhere",
                    super::schema::VERSION
                );
                return LogError::new(LogErrorKind::Version, message);
            }
            Self::Unfit(kind, why) => {
                return LogError::new(kind, format!("cannot {doing} {address}: {why}"));
            }
            Self::Told(error) => return error,
            Self::Postgres(error) => error,
        };
        let (kind, advice) = advise(&error, address);
        LogError::new(kind, format!("cannot {doing} {address}: {advice}")).because(error)
    }
}

fn advise(error: &tokio_postgres::Error, address: &Address) -> (LogErrorKind, String) {
    use LogErrorKind as Kind;

    let (user, database) = (address.user(), address.database());
    let Some(state) = error.code() else {
        return advise_without_state(error, address);
    };
    let say = |kind, advice: &str| (kind, advice.to_owned());
    match *state {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            (Kind::Open, advise_stranger(error, user))
        }
        SqlState::INVALID_CATALOG_NAME => (
            Kind::Open,
            format!(
                "there is no database `{database}`; correct the address, or make it with `create \
                 database \"{database}\"`"
            ),
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => (
            Kind::ReadOnly,
            format!(
                "user `{user}` lacks a right; let the owner of the database run `create schema {} \
                 authorization \"{user}\"`, or make that user the owner of the schema",
                address.quoted_schema()
            ),
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => say(
            Kind::ReadOnly,
            "the server takes no writes: it is a standby, or its `default_transaction_read_only` is \
             on; name the primary, or name all servers and add `target_session_attrs=read-write` \
             to the address",
        ),
        SqlState::TOO_MANY_CONNECTIONS => say(
            Kind::Unreachable,
            "the server has no connection left; raise its `max_connections`, or end some",
        ),
        SqlState::DISK_FULL => say(Kind::Full, "the server's disk is full; make room on it"),
        SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE => (
            Kind::Unreachable,
            format!(
                "the server was not done within {:?}; look what holds it up in `pg_stat_activity`, \
                 or set a longer statement timeout",
                address.statement_timeout
            ),
        ),
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::CANNOT_CONNECT_NOW
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            say(Kind::Unreachable, "the server has ended the connection; try again")
        }
        SqlState::UNDEFINED_TABLE
        | SqlState::UNDEFINED_COLUMN
        | SqlState::UNDEFINED_OBJECT
        | SqlState::INVALID_SCHEMA_NAME
        | SqlState::DATATYPE_MISMATCH
        | SqlState::NOT_NULL_VIOLATION
        | SqlState::CHECK_VIOLATION
        | SqlState::FOREIGN_KEY_VIOLATION
        | SqlState::UNIQUE_VIOLATION => say(
            Kind::Corrupt,
            "its tables are not those of a run log; restore the schema from a copy, or name another \
             one",
        ),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            say(Kind::Corrupt, "the server's files are damaged; restore them from a copy")
        }
        _ if state.code().starts_with("08") => {
            say(Kind::Unreachable, "the connection is lost; look whether the server is up")
        }
        _ => say(Kind::Io, "the server reported an error"),
    }
}

/// What is to be said to somebody who is not let in.
fn advise_stranger(error: &tokio_postgres::Error, user: &str) -> String {
    // Why is in the text alone, which is English if the server speaks it.
    let says = |words| error.as_db_error().is_some_and(|error| error.message().contains(words));
    if says("no encryption") || says("SSL off") {
        let how = tls::how_to_ask();
        format!("the server does not let user `{user}` in without TLS; {how}")
    } else if says("client certificate") {
        format!(
            "the server does not let user `{user}` in without a certificate; let `sslcert` and \
             `sslkey` name the files of one"
        )
    } else if says("certificate authentication") {
        format!(
            "the certificate that `sslcert` names is not that of user `{user}`; correct the user in \
             the address, or name the certificate of that user"
        )
    } else {
        format!(
            "the server does not let user `{user}` in; correct the user and the password in the \
             address"
        )
    }
}

/// What is to be said of errors that are not the server's.
fn advise_without_state(
    error: &tokio_postgres::Error,
    address: &Address,
) -> (LogErrorKind, String) {
    use LogErrorKind as Kind;

    let say = |kind, advice: &str| (kind, advice.to_owned());
    // The crate does not tell these kinds apart in another way.
    let says = |words| causes(error).any(|cause| cause.to_string().contains(words));
    #[cfg(feature = "postgres-tls")]
    if let Some(advice) = handshake::advise(error, address) {
        return (Kind::Open, advice);
    }
    match io_kind(error) {
        Some(_) if says("does not allow writes") => say(
            Kind::ReadOnly,
            "no server of the address takes writes; bring the primary up, or promote a standby",
        ),
        Some(std::io::ErrorKind::TimedOut) => {
            let timeout = address.connect_timeout;
            let advice = format!("no answer within {timeout:?}; look whether the server is up");
            (Kind::Unreachable, advice)
        }
        Some(_) => say(
            Kind::Unreachable,
            "the server cannot be reached; look whether it is up, and whether host and port are \
             right",
        ),
        None if error.is_closed() => {
            say(Kind::Unreachable, "the server has closed the connection; try again")
        }
        None if says("password missing") => {
            say(Kind::Open, "the server wants a password; add it to the address")
        }
        None if says("channel binding") => say(
            Kind::Open,
            "the server does not bind the password to its certificate, which \
             `channel_binding=require` asks for; that needs TLS and a password kept as \
             `scram-sha-256`",
        ),
        // A column of another type than it was made with.
        None => say(
            Kind::Corrupt,
            "its tables are not those of a run log; restore the schema from a copy, or name another \
             one",
        ),
    }
}

/// What went wrong with the network, if it was that.
fn io_kind(error: &tokio_postgres::Error) -> Option<std::io::ErrorKind> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<std::io::Error>()?.kind()))
}

pub(super) fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |cause| cause.source())
}
