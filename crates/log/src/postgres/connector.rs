//! Making what all TLS connections of a log are made with: whom to trust, and who we are.
//!
//! Always: a server proves that it has the key of its certificate, also where the certificate is not
//! checked, so that a password is bound to that certificate (`channel_binding`). What was read from files
//! stays as it was when the log was opened.
//!
//! Certificates of version 1, and those that name their host only as `CN`, are not spoken for by rustls:
//! they are refused where libpq would take them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use redengine_core::runlog::LogErrorKind;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Failure;
use super::tls::{Identity, Mode, Roots, Tls};

impl Tls {
    /// Gives what connections are made with; reads the files if nobody has before.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, Failure> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector.clone());
        }
        let made = connector(self).map_err(|why| Failure::Unfit(LogErrorKind::Open, why))?;
        Ok(self.connector.get_or_init(|| made).clone())
    }
}

fn connector(tls: &Tls) -> Result<MakeRustlsConnect, String> {
    // Named, because what a process has by default is the business of the program that we are in.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Verifier { check: check(tls)?, algorithms: provider.signature_verification_algorithms };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &tls.identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (certificates, key) = read_identity(identity)?;
            config.with_client_auth_cert(certificates, key).map_err(|error| {
                format!(
                    "`{}` and `{}`, which `sslcert` and `sslkey` name, do not go together: {error}",
                    identity.certificate.display(),
                    identity.key.display()
                )
            })?
        }
    };
    // As libpq does; `sslnegotiation=direct` needs it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

/// What of a certificate is checked.
#[derive(Debug)]
enum Check {
    Nothing,
    Chain(RootCertStore),
    ChainAndHost(RootCertStore),
}

fn check(tls: &Tls) -> Result<Check, String> {
    let roots = match (&tls.roots, tls.mode) {
        (None, Mode::Disable | Mode::Prefer | Mode::Require) => return Ok(Check::Nothing),
        (None | Some(Roots::System), _) => system_roots()?,
        (Some(Roots::File(path)), _) => roots_of(path)?,
    };
    // Whoever names whom to trust wants that looked at, as for libpq.
    Ok(match tls.mode {
        Mode::VerifyFull => Check::ChainAndHost(roots),
        _ => Check::Chain(roots),
    })
}

/// Reads whom the system trusts, and with it what an administrator has added. A list that is compiled
/// in (`webpki-roots`) would miss that, and be as old as the program.
fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (known, _) = roots.add_parsable_certificates(found.certs);
    if known > 0 {
        return Ok(roots);
    }
    let why: Vec<String> = found.errors.iter().map(|error| format!(" ({error})")).collect();
    Err(format!(
        "this system trusts no certificate at all{}; install its package `ca-certificates`, or add \
         `sslrootcert=` and the path of a file with those that you trust",
        why.concat()
    ))
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, "sslrootcert")? {
        roots
            .add(certificate)
            .map_err(|error| unfit(path, "sslrootcert", "certificates", error))?;
    }
    Ok(roots)
}

type WhoWeAre = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read_identity(Identity { certificate, key }: &Identity) -> Result<WhoWeAre, String> {
    let chain = certificates(certificate, "sslcert")?;
    keeps_secret(key)?;
    let private =
        PrivateKeyDer::from_pem_slice(&read(key, "sslkey")?).map_err(|error| match error {
            // It says nothing that helps about a key that is encrypted.
            pem::Error::NoItemsFound => format!(
                "`{}`, which `sslkey` names, holds no private key in the form of PEM that is not \
             encrypted; write it so with `openssl pkey`",
                key.display()
            ),
            error => unfit(key, "sslkey", "a private key", error),
        })?;
    Ok((chain, private))
}

fn certificates(path: &Path, option: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read(path, option)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => {
            Err(unfit(path, option, "certificates", pem::Error::NoItemsFound))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(unfit(path, option, "certificates", error)),
    }
}

fn unfit(path: &Path, option: &str, what: &str, error: impl std::fmt::Display) -> String {
    format!(
        "`{}`, which `{option}` names, does not hold {what} in the form of PEM: {error}",
        path.display()
    )
}

fn read(path: &Path, option: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| {
        format!(
            "cannot read `{}`, which `{option}` names: {error}; correct the path, or the rights of \
             the file",
            path.display()
        )
    })
}

/// A key that others can read is none, and libpq refuses it as well: that of root may be of a group.
#[cfg(unix)]
fn keeps_secret(key: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;

    // What cannot be looked at cannot be read either, and that is told there.
    let Ok(metadata) = fs::metadata(key) else { return Ok(()) };
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(format!(
        "others than its owner can read `{0}`, which `sslkey` names; run `chmod 600 {0}`",
        key.display()
    ))
}

#[cfg(not(unix))]
fn keeps_secret(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Looks at the certificates of servers, as closely as one has asked for.
#[derive(Debug)]
struct Verifier {
    check: Check,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (Check::Chain(roots) | Check::ChainAndHost(roots)) = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            roots,
            intermediates,
            now,
            algorithms,
        )?;
        if matches!(self.check, Check::ChainAndHost(_)) {
            verify_server_name(&certificate, host)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
