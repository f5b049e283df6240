//! Certificates that tests make for themselves: of who signs, of servers, of users.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tempfile::TempDir;

/// Somebody who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in the form of PEM.
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    pub(crate) fn certificate(&self) -> String {
        self.0.pem()
    }

    /// Its own certificate, used as if it was that of a server.
    pub(crate) fn as_server(&self) -> Signed {
        Signed { certificate: self.0.pem(), key: self.0.key().serialize_pem() }
    }

    fn sign(&self, parameters: &CertificateParams) -> Signed {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// A certificate for a server of this name.
    pub(crate) fn server(&self, host: &str) -> Signed {
        self.sign(&CertificateParams::new([host.to_owned()]).unwrap())
    }

    /// A certificate for a server of this name that nobody is to take any more.
    pub(crate) fn expired_server(&self, host: &str) -> Signed {
        let mut parameters = CertificateParams::new([host.to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2024, 1, 1);
        parameters.not_after = date_time_ymd(2025, 1, 1);
        self.sign(&parameters)
    }

    /// A certificate for a user of a database.
    pub(crate) fn user(&self, name: &str) -> Signed {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        self.sign(&parameters)
    }
}

/// Writes a file that only we can read; it goes with the system's temporary files at the latest.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let path = FOLDER.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}
