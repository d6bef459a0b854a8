//! Certificates and keys in PEM, from memory or from files.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::config::ConfigError;

/// A PEM text, or where it is. It may hold a key: `Debug` shows a file's name only.
#[derive(Clone)]
pub(crate) enum Pem {
    Text(Zeroizing<Vec<u8>>),
    File(PathBuf),
}

impl Pem {
    pub(crate) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// Reads the file, if it is one. `setting` is what an error names.
    pub(super) fn read(&self, setting: &'static str) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => match std::fs::read(path) {
                Ok(text) => Ok(Zeroizing::new(text)),
                Err(source) => Err(ConfigError::File {
                    setting,
                    path: path.clone(),
                    source,
                }),
            },
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("[redacted]"),
            Self::File(path) => write!(f, "{path:?}"),
        }
    }
}

/// Reads the certificates of a PEM text: one at least.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| unreadable(&error))?;
    match certificates.is_empty() {
        true => Err(ConfigError::Certificate("the PEM text holds no certificate".into())),
        false => Ok(certificates),
    }
}

/// Reads a chain and the key of its first certificate.
pub(super) fn certified_key(chain: &[u8], key: &[u8], provider: &CryptoProvider) -> Result<CertifiedKey, ConfigError> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unreadable(&error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => ConfigError::KeyMismatch,
        error => ConfigError::Tls(Box::new(error)),
    })
}

/// Says what is wrong with a PEM text, and nothing of what stands in it.
fn unreadable(error: &pem::Error) -> ConfigError {
    ConfigError::Certificate(match error {
        pem::Error::NoItemsFound => "the PEM text holds nothing of the kind".into(),
        pem::Error::MissingSectionEnd { .. } => "a section of the PEM text has no end".into(),
        pem::Error::IllegalSectionStart { .. } => "a section of the PEM text begins wrong".into(),
        pem::Error::Base64Decode(_) => "a section of the PEM text is no base64".into(),
        _ => "the PEM text cannot be read".into(),
    })
}

/// What the client shows to servers that ask for a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientCertificate {
    pub(crate) chain: Option<Pem>,
    /// Without it, it stands in the same text as the chain.
    pub(crate) key: Option<Pem>,
}

impl ClientCertificate {
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<Option<Arc<CertifiedKey>>, ConfigError> {
        let Some(chain) = &self.chain else {
            return match self.key {
                Some(_) => Err(ConfigError::Missing("client_certificate")),
                None => Ok(None),
            };
        };
        let chain = chain.read("client_certificate")?;
        let key = match &self.key {
            Some(key) => key.read("client_key")?,
            None => chain.clone(),
        };
        certified_key(&chain, &key, provider).map(|key| Some(Arc::new(key)))
    }
}
