//! Certificates that SNS signs with.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256};
use bytes::Bytes;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use webpki::EndEntityCert;

use crate::webhook::VerifyError;

/// Most certificates that are kept: SNS has one a region, and a new one now and then.
const KEPT: usize = 64;
/// Longest certificate that is read, in octets.
const LONGEST: usize = 64 * 1024;
/// For how long a URL is left alone that gave no certificate.
const PAUSE: Duration = Duration::from_secs(30);

/// A certificate on its way.
pub type CertificateFuture<'a> = Pin<Box<dyn Future<Output = Result<Bytes, CertificateError>> + Send + 'a>>;

/// Fetches certificates: an HTTP client of the program's.
///
/// The URL is checked before. The client follows no redirect, reads no more than 64 KiB, and gives up after some seconds.
pub trait CertificateSource: fmt::Debug + Send + Sync + 'static {
    /// Fetches the certificate at a URL, in PEM.
    fn fetch<'a>(&'a self, url: &'a str) -> CertificateFuture<'a>;
}

/// Why there is no certificate.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The URL is not one of the service.
    #[error("the URL is not one of the service")]
    Url,
    /// It could not be fetched.
    #[error("it could not be fetched")]
    Fetch(#[source] Arc<dyn Error + Send + Sync>),
    /// It could not be fetched a moment ago, and is not tried again yet.
    #[error("it could not be fetched a moment ago")]
    Paused,
    /// It is not a certificate in PEM with an RSA key.
    #[error("it is not a certificate in PEM with an RSA key")]
    Form,
}

impl CertificateError {
    /// Says why a fetch failed.
    pub fn fetch(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Fetch(Arc::from(source.into()))
    }
}

impl PartialEq for CertificateError {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fetch(one), Self::Fetch(other)) => Arc::ptr_eq(one, other),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for CertificateError {}

/// The public key of a certificate, ready for both versions of signatures.
pub(super) struct Certificate {
    sha1: ParsedPublicKey,
    sha256: ParsedPublicKey,
}

impl Certificate {
    fn read(pem: &[u8]) -> Option<Self> {
        if pem.len() > LONGEST {
            return None;
        }
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        let certificate = EndEntityCert::try_from(&der).ok()?;
        let key = certificate.subject_public_key_info();
        Some(Self {
            sha1: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, &key).ok()?,
            sha256: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key).ok()?,
        })
    }

    pub(super) fn check(&self, version: u8, text: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        let key = if version == 1 { &self.sha1 } else { &self.sha256 };
        key.verify_sig(text, signature).map_err(|_| VerifyError::WrongSignature)
    }
}

/// Certificates that are known, by their URLs.
#[derive(Default)]
pub(super) struct Certificates(Mutex<Known>);

#[derive(Default)]
struct Known {
    certificates: VecDeque<(String, Arc<Certificate>)>,
    failures: VecDeque<(String, SystemTime)>,
}

impl Certificates {
    pub(super) fn get(&self, url: &str) -> Option<Arc<Certificate>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.certificates.iter().find(|(own, _)| own == url);
        found.map(|(_, certificate)| Arc::clone(certificate))
    }

    pub(super) fn add(&self, url: &str, pem: &[u8]) -> Result<(), CertificateError> {
        let certificate = Arc::new(Certificate::read(pem).ok_or(CertificateError::Form)?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.certificates.retain(|(own, _)| own != url);
        known.certificates.push_front((url.to_owned(), certificate));
        known.certificates.truncate(KEPT);
        Ok(())
    }

    /// Notes that a URL gave no certificate.
    pub(super) fn failed(&self, url: &str, now: SystemTime) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.failures.push_front((url.to_owned(), now));
        known.failures.truncate(KEPT);
    }

    /// Tells whether a URL may be asked, or failed a moment ago.
    pub(super) fn may_fetch(&self, url: &str, now: SystemTime) -> Result<(), CertificateError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = known.failures.iter().find(|(own, _)| own == url);
        match failed.and_then(|(_, at)| now.duration_since(*at).ok()) {
            Some(since) if since < PAUSE => Err(CertificateError::Paused),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "{} certificates", known.certificates.len())
    }
}
