//! What can go wrong between two who want to speak TLS, and how to say so.

use std::error::Error as _;
use std::io;

use redengine_core::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

use super::address::Address;
use super::error::causes;
use super::tls::{Mode, Roots};

/// Tells whether it is TLS that has failed, and not what is said in it.
pub(super) fn has_failed(error: &tokio_postgres::Error) -> bool {
    // The crate does not tell this kind apart in another way.
    error.to_string().starts_with("error performing TLS handshake") || reason(error).is_some()
}

/// Says what to do, if it is TLS that has failed.
pub(super) fn advise(error: &tokio_postgres::Error, address: &Address) -> Option<String> {
    match reason(error) {
        Some(Error::InvalidCertificate(why)) => Some(refused(why, address)),
        // That is the server's word on ours.
        Some(Error::AlertReceived(alert)) => Some(alerted(*alert, address)),
        Some(_) => Some(
            "the server and this program do not agree on TLS; look whether something else than \
             PostgreSQL answers there, or the server speaks only versions older than 1.2"
                .to_owned(),
        ),
        None if !has_failed(error) => None,
        None if causes(error).any(|cause| cause.to_string().contains("does not support TLS")) => {
            Some(format!(
                "the server does not speak TLS, which `sslmode={}` asks for; set `ssl = on` on the \
                 server, or write `sslmode=disable` if the network is safe",
                address.tls.mode.as_str()
            ))
        }
        None if causes(error).any(is_about_the_name) => Some(
            "TLS needs the name of the host, or its number; correct it in the address".to_owned(),
        ),
        // The connection was cut, which has nothing to do with TLS.
        None => None,
    }
}

fn is_about_the_name(cause: &(dyn std::error::Error + 'static)) -> bool {
    let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::InvalidInput) || cause.to_string().contains("no hostname provided")
}

/// Why a certificate of the server is not taken.
fn refused(why: &CertificateError, address: &Address) -> String {
    let trusted = match &address.tls.roots {
        Some(Roots::File(path)) => format!("`{}`", path.display()),
        Some(Roots::System) | None => "this system".to_owned(),
    };
    match why {
        CertificateError::UnknownIssuer => format!(
            "the certificate of the server is not from anybody whom {trusted} trusts; let \
             `sslrootcert` name a file with the certificate of who has signed it"
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            // "DnsName(\"db.example\")": who reads this knows what is meant by the quotes alone.
            let names: Vec<String> = presented.iter().map(|name| plain(name)).collect();
            let names = match &names[..] {
                [] => "no host, as it has no `subjectAltName`".to_owned(),
                names => names.join(", "),
            };
            format!(
                "the certificate of the server is for {names}, and not for `{}`; name the server in \
                 the address as its certificate does, or write `sslmode={}` to not compare them",
                expected.to_str(),
                Mode::VerifyCa.as_str()
            )
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the certificate of the server, or of who has signed it, has expired at {}; renew it \
             there",
            at(*not_after)
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the certificate of the server, or of who has signed it, is valid only from {}; look \
             whether the clock of this machine is right",
            at(*not_before)
        ),
        // The only error of webpki's own of this name; rustls has none for it.
        other if says(other, "CaUsedAsEndEntity") => {
            "the certificate of the server is one that signs others, not that of a server; make one \
             that it signs, and let `sslrootcert` name the file with the one that signs"
                .to_owned()
        }
        other if says(other, "UnsupportedCertVersion") => {
            "the certificate of the server is of an old version; make one of X.509 version 3".to_owned()
        }
        _ => "the certificate of the server is not one to be trusted".to_owned(),
    }
}

fn says(error: &CertificateError, name: &str) -> bool {
    matches!(error, CertificateError::Other(other)
        if other.source().is_some_and(|source| format!("{source:?}").contains(name)))
}

/// Why the server ends it.
fn alerted(alert: AlertDescription, address: &Address) -> String {
    use AlertDescription as Alert;

    let about_us = matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
    );
    match &address.tls.identity {
        Some(identity) if about_us => format!(
            "the server does not take the certificate `{}`, which `sslcert` names; let it be signed \
             by whom the server trusts (`ssl_ca_file`)",
            identity.certificate.display()
        ),
        None if about_us => {
            "the server wants a certificate; let `sslcert` and `sslkey` name the files of yours"
                .to_owned()
        }
        _ => "the server has ended the talk about TLS; its log says why".to_owned(),
    }
}

/// Writes a name of a certificate as people do.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    format!("`{}`", inner.unwrap_or(name).trim_matches('"'))
}

fn at(time: UnixTime) -> Timestamp {
    let micros = i64::try_from(time.as_secs()).ok().and_then(|secs| secs.checked_mul(1_000_000));
    Timestamp::from_micros(micros.unwrap_or(i64::MAX))
}

/// What rustls says, if it was rustls.
fn reason(error: &tokio_postgres::Error) -> Option<&Error> {
    causes(error).find_map(|cause| {
        // What an I/O error wraps is not its source.
        let inner = cause.downcast_ref::<io::Error>()?.get_ref()?;
        inner.downcast_ref::<Error>()
    })
}
