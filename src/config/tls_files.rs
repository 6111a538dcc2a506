//! The certificate and the key of the receiver: `tls_cert` and `tls_key`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::InconsistentKeys;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::domain::without_os_numbers;

/// Mode bits with which others than the owner and the group may read a file.
const OTHERS: u32 = 0o004;

/// A file of `[receiver]` that cannot be used: the option, and one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// `tls_cert` or `tls_key`.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub what: String,
}

/// The files of a certificate chain and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain: our certificate first, then those of the authorities between, in PEM.
    pub cert: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
}

/// What tells a changed file from the one that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMark([Option<(u64, u64, Option<SystemTime>)>; 2]);

impl TlsFiles {
    /// Reads and checks both files.
    ///
    /// # Errors
    /// When one cannot be read, or they do not belong together.
    pub fn read(&self) -> Result<Arc<CertifiedKey>, TlsFault> {
        let chain = self.chain()?;
        let key = self.key()?;
        let provider = rustls::crypto::ring::default_provider();
        let shown = (self.cert.display(), self.key.display());
        CertifiedKey::from_der(chain, key, &provider).map(Arc::new).map_err(|fault| match fault {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsFault {
                key: "tls_key",
                what: format!("{} is not the key of the certificate in {}", shown.1, shown.0),
            },
            rustls::Error::InvalidCertificate(_) => {
                TlsFault { key: "tls_cert", what: format!("{} contains an invalid certificate", shown.0) }
            }
            _ => TlsFault {
                key: "tls_key",
                what: format!(
                    "{} contains a key of an unknown kind; use RSA, ECDSA P-256/P-384 or Ed25519",
                    shown.1
                ),
            },
        })
    }

    /// A warning if anybody on this machine may read the key.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let mode = fs::metadata(&self.key).ok()?.mode();
        (mode & OTHERS != 0).then(|| {
            let path = self.key.display();
            format!("receiver.tls_key: every user of this machine can read {path}; chmod o-r {path}")
        })
    }

    /// The present state of both files.
    #[must_use]
    pub fn mark(&self) -> FileMark {
        let mark = |path: &Path| {
            let found = fs::metadata(path).ok()?;
            Some((found.ino(), found.len(), found.modified().ok()))
        };
        FileMark([mark(&self.cert), mark(&self.key)])
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        let fault = |what: String| TlsFault { key: "tls_cert", what };
        let shown = self.cert.display();
        let bytes = read(&self.cert).map_err(fault)?;
        let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&bytes).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            Ok(_) if PrivateKeyDer::from_pem_slice(&bytes).is_ok() => Err(fault(format!(
                "{shown} contains a key and no certificate; are tls_cert and tls_key exchanged?"
            ))),
            _ => Err(fault(format!("{shown} contains no certificate in PEM (BEGIN CERTIFICATE)"))),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        let fault = |what: String| TlsFault { key: "tls_key", what };
        let shown = self.key.display();
        let bytes = read(&self.key).map_err(fault)?;
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
            let text = String::from_utf8_lossy(&bytes);
            if text.contains("ENCRYPTED") {
                return fault(format!(
                    "{shown} is encrypted with a passphrase; decrypt it: openssl pkey -in {shown} -out KEY"
                ));
            }
            if text.contains("BEGIN CERTIFICATE") {
                return fault(format!(
                    "{shown} contains a certificate and no key; are tls_cert and tls_key exchanged?"
                ));
            }
            fault(format!("{shown} contains no key in PEM (BEGIN PRIVATE KEY)"))
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|fault| {
        format!("{} cannot be read: {}", path.display(), without_os_numbers(&fault.to_string()))
    })
}
