//! What an address says of TLS, with the names and meanings of libpq.
//!
//! Always: what is wrong with it is told before anything is opened, all of it at once. Files are read
//! when the log is opened (`postgres/connector.rs`), not here.
//!
//! Nothing is taken from the environment or the home folder, as with all of an address; so where libpq
//! would look into `~/.postgresql`, only what the address names counts.

use std::path::PathBuf;
#[cfg(feature = "postgres-tls")]
use std::sync::OnceLock;

use redengine_core::error::nearest;
use tokio_postgres::config::{SslMode, SslNegotiation};
#[cfg(feature = "postgres-tls")]
use tokio_postgres_rustls::MakeRustlsConnect;

/// How safe a connection must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Never TLS.
    Disable,
    /// TLS if that works, else none: nobody who means harm is kept out.
    Prefer,
    /// TLS, with whoever answers, unless the address names whom to trust.
    Require,
    /// TLS, with a server whose certificate comes from whom the address trusts.
    VerifyCa,
    /// The same, and the certificate is for the host that the address names.
    VerifyFull,
}

impl Mode {
    const ALL: [Self; 5] =
        [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    fn read(text: &str) -> Result<Self, String> {
        if let Some(mode) = Self::ALL.into_iter().find(|mode| mode.as_str() == text) {
            return Ok(mode);
        }
        let known = Self::ALL.map(Self::as_str);
        let help = match nearest(text, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", known.join("`, `")),
        };
        Err(format!("unknown `sslmode` `{text}`; {help}"))
    }
}

/// Whose word counts on who a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Whom the system trusts.
    System,
    /// The certificates in a file.
    File(PathBuf),
}

/// Files that tell a server who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// How to connect to a server by TLS, or that it is not to be done.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    #[cfg_attr(not(feature = "postgres-tls"), expect(dead_code, reason = "nobody to trust"))]
    pub(super) roots: Option<Roots>,
    #[cfg_attr(not(feature = "postgres-tls"), expect(dead_code, reason = "nobody to show it to"))]
    pub(super) identity: Option<Identity>,
    /// What all connections of a log are made with, once it is known.
    #[cfg(feature = "postgres-tls")]
    pub(super) connector: OnceLock<MakeRustlsConnect>,
}

impl Tls {
    /// Never TLS.
    pub(super) const fn disabled() -> Self {
        Self::new(Mode::Disable, None, None)
    }

    const fn new(mode: Mode, roots: Option<Roots>, identity: Option<Identity>) -> Self {
        Self {
            mode,
            roots,
            identity,
            #[cfg(feature = "postgres-tls")]
            connector: OnceLock::new(),
        }
    }

    /// What the driver has to know; the certificates are our business.
    pub(super) const fn ssl_mode(&self) -> SslMode {
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }
}

/// Says how to get TLS, to who has connected without it.
pub(super) const fn how_to_ask() -> &'static str {
    if cfg!(feature = "postgres-tls") {
        "add `sslmode=verify-full` to the address"
    } else {
        "turn on the feature `postgres-tls` in `Cargo.toml`, and add `sslmode=verify-full` to the address"
    }
}

/// The parameters of an address that are about TLS, as they are written.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    mode: Option<String>,
    roots: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Parameters {
    /// Gives the place of the parameter of a name, if it is about TLS.
    pub(super) fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "sslmode" => Some(&mut self.mode),
            "sslrootcert" => Some(&mut self.roots),
            "sslcert" => Some(&mut self.certificate),
            "sslkey" => Some(&mut self.key),
            _ => None,
        }
    }

    /// Finds out what they mean together, or all that is wrong with them.
    pub(super) fn read(self, negotiation: SslNegotiation) -> Result<Tls, String> {
        let mut problems = Vec::new();
        // An empty one is one that is not there, as for libpq.
        let file = |text: Option<String>| text.filter(|text| !text.is_empty()).map(PathBuf::from);
        let roots = file(self.roots).map(|path| {
            if path.as_os_str() == "system" { Roots::System } else { Roots::File(path) }
        });
        let mode = match self.mode.as_deref().map(Mode::read) {
            Some(Ok(mode)) => Some(mode),
            Some(Err(problem)) => {
                problems.push(problem);
                None
            }
            // Anybody can have a certificate that the system trusts: it is the name that counts.
            None if roots == Some(Roots::System) => Some(Mode::VerifyFull),
            None => Some(Mode::Prefer),
        };
        match (mode, &roots) {
            (Some(mode), Some(Roots::System)) if mode != Mode::VerifyFull => {
                problems.push(format!(
                    "`sslmode={}` is too weak for `sslrootcert=system`, as anybody can have a \
                     certificate that the system trusts; write `sslmode=verify-full`",
                    mode.as_str()
                ));
            }
            (Some(Mode::VerifyCa), None) => problems.push(
                "`sslmode=verify-ca` does not say whose certificates to trust; add \
                 `sslrootcert=` and the path of a file with them, or write `sslmode=verify-full`"
                    .to_owned(),
            ),
            _ => {}
        }
        let (certificate, key) = (file(self.certificate), file(self.key));
        let alone = |is: &str, lacks: &str| {
            format!("`{is}` is of no use without `{lacks}`; add the path of that file as well")
        };
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
            (Some(_), None) => {
                problems.push(alone("sslcert", "sslkey"));
                None
            }
            (None, Some(_)) => {
                problems.push(alone("sslkey", "sslcert"));
                None
            }
            (None, None) => None,
        };
        if let Some(mode) = mode {
            if negotiation == SslNegotiation::Direct && mode < Mode::Require {
                problems.push(format!(
                    "`sslmode={}` is too weak for `sslnegotiation=direct`; write \
                     `sslmode=verify-full`",
                    mode.as_str()
                ));
            }
            let asks = mode >= Mode::Require || roots.is_some() || identity.is_some();
            if !cfg!(feature = "postgres-tls") && mode != Mode::Disable && asks {
                problems.push(
                    "TLS needs the feature `postgres-tls`, which is off; add it to `redengine` in \
                     `Cargo.toml`"
                        .to_owned(),
                );
            }
        }
        match mode {
            Some(mode) if problems.is_empty() => Ok(Tls::new(mode, roots, identity)),
            _ => Err(problems.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::postgres::address::Address;

    #[track_caller]
    fn refuses(parameters: &str, says: &Expect) {
        let error = Address::parse(&format!("postgres://u:s3cret@h/d?{parameters}")).unwrap_err();
        says.assert_eq(&error.to_string());
    }

    fn of(parameters: &str) -> Tls {
        Address::parse(&format!("postgres://h/d?{parameters}")).unwrap().tls
    }

    #[test]
    fn tls_is_preferred_if_nothing_is_said() {
        assert_eq!(of("").mode, Mode::Prefer);
        assert_eq!(of("sslmode=disable&sslrootcert=").mode, Mode::Disable);
        assert_eq!(of("sslmode=disable&sslmode=prefer").mode, Mode::Prefer);
    }

    #[test]
    fn a_socket_of_this_machine_needs_no_tls() {
        let address = Address::parse("postgres://%2Ftmp/d?sslmode=prefer").unwrap();
        assert_eq!(address.tls.mode, Mode::Disable);
    }

    #[cfg(feature = "postgres-tls")]
    #[test]
    fn whom_to_trust_is_the_system_or_a_file() {
        assert_eq!(of("sslrootcert=system").mode, Mode::VerifyFull);
        assert_eq!(of("sslmode=verify-full").roots, None);
        let full = of("sslmode=verify-ca&sslrootcert=a%26b.pem&sslcert=c&sslkey=k");
        assert_eq!(full.mode, Mode::VerifyCa);
        assert_eq!(full.roots, Some(Roots::File("a&b.pem".into())));
        assert_eq!(full.identity, Some(Identity { certificate: "c".into(), key: "k".into() }));
    }

    #[test]
    fn what_is_wrong_with_an_address_is_told_at_once() {
        refuses(
            "sslmode=verify_full&sslcert=me.pem",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: unknown `sslmode` `verify_full`; did you mean `verify-full`?; `sslcert` is of no use without `sslkey`; add the path of that file as well"
            ],
        );
        refuses(
            "sslmode=on",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: unknown `sslmode` `on`; there are `disable`, `prefer`, `require`, `verify-ca`, `verify-full`"
            ],
        );
    }

    #[cfg(feature = "postgres-tls")]
    #[test]
    fn what_would_not_be_safe_is_refused() {
        refuses(
            "sslmode=require&sslrootcert=system&sslkey=k",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: `sslmode=require` is too weak for `sslrootcert=system`, as anybody can have a certificate that the system trusts; write `sslmode=verify-full`; `sslkey` is of no use without `sslcert`; add the path of that file as well"
            ],
        );
        refuses(
            "sslmode=verify-ca",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: `sslmode=verify-ca` does not say whose certificates to trust; add `sslrootcert=` and the path of a file with them, or write `sslmode=verify-full`"
            ],
        );
        refuses(
            "sslnegotiation=direct",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: `sslmode=prefer` is too weak for `sslnegotiation=direct`; write `sslmode=verify-full`"
            ],
        );
    }

    #[cfg(not(feature = "postgres-tls"))]
    #[test]
    fn an_address_that_asks_for_tls_needs_the_feature() {
        refuses(
            "sslmode=require",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: TLS needs the feature `postgres-tls`, which is off; add it to `redengine` in `Cargo.toml`"
            ],
        );
        refuses(
            "sslrootcert=ca.pem",
            &expect![
                "cannot open `postgres://h:5432/d?schema=redengine`: TLS needs the feature `postgres-tls`, which is off; add it to `redengine` in `Cargo.toml`"
            ],
        );
    }
}
