//! Whether a certificate chain is what TLSA records ask for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_address::Domain;
use posthaste_transport::PeerAuthentication;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, Der, TrustAnchor, UnixTime};

use super::record::{TlsaRecord, Usage, that_count};
use crate::tls::certificate::Certificate;
use crate::tls::der::{Reader, SEQUENCE};
use crate::tls::{CertificateCheck, CertificateError, Presented};

/// Certificates of a chain that are looked at; the rest is nothing.
const MAX_CHAIN: usize = 16;

/// Checks the certificates of servers against TLSA records (RFC 7672 §3).
///
/// One record that matches is enough:
///
/// - usage 3 (DANE-EE): the server's certificate or key. Its names, its expiry and who issued it mean nothing;
/// - usage 2 (DANE-TA): an authority that the server sends in its chain, or that stands in the record itself. The rest of the
///   chain must hold, the authority must be one and not have expired, and the server's certificate must have one of the names.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use posthaste_smtp::{DaneError, DaneVerifier, TlsaRecord};
///
/// let verifier = DaneVerifier::new([TlsaRecord::new(3, 1, 1, [0xab; 32])]).expect("a record that can be used");
/// let error = verifier.verify(&[b"no certificate"], "mx1.example.net", SystemTime::now()).unwrap_err();
/// assert!(matches!(error, DaneError::Malformed));
/// ```
#[derive(Clone, Debug)]
pub struct DaneVerifier {
    records: Vec<TlsaRecord>,
    names: Vec<String>,
}

/// Why TLSA records keep a message from a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DaneError {
    /// The records could not be looked up.
    #[error("the TLSA records could not be looked up")]
    Lookup,
    /// The server's certificate cannot be read.
    #[error("the certificate cannot be read")]
    Malformed,
    /// No record matches the server's certificate or one of its authorities.
    #[error("no TLSA record matches the certificate or its authorities")]
    NoMatch,
    /// An authority matches, and did not issue the server's certificate, or something between them does not hold.
    #[error("an authority of a TLSA record did not issue the certificate")]
    Chain,
    /// An authority matches, and the certificate or the authority has expired or is not valid yet.
    #[error("an authority of a TLSA record matches, and the certificate or the authority is not valid now")]
    Expired,
    /// An authority matches, and the certificate is for another host.
    #[error("an authority of a TLSA record matches, and the certificate is not for {name}")]
    WrongName {
        /// The name of the server.
        name: String,
    },
}

impl DaneVerifier {
    /// Takes the records of a server; `None` if none can be used ([`TlsaRecord::is_usable`]).
    pub fn new(records: impl IntoIterator<Item = TlsaRecord>) -> Option<Self> {
        let records = that_count(records.into_iter().collect());
        (!records.is_empty()).then_some(Self {
            records,
            names: Vec::new(),
        })
    }

    /// Adds a name that a certificate of a DANE-TA authority may have besides that of the server (RFC 7672 §3.2.2).
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Returns the records that count: those that can be used, and of digests the strongest (RFC 7671 §9).
    pub fn records(&self) -> &[TlsaRecord] {
        &self.records
    }

    /// Checks a chain in DER, the certificate of the server `host` first, at the time `now`, and says which usage it was.
    ///
    /// # Errors
    ///
    /// [`DaneError`] when no record matches, or one does and the chain does not hold.
    pub fn verify(
        &self,
        chain: &[impl AsRef<[u8]>],
        host: &str,
        now: SystemTime,
    ) -> Result<PeerAuthentication, DaneError> {
        let chain: Vec<&[u8]> = chain.iter().take(MAX_CHAIN).map(AsRef::as_ref).collect();
        let (&leaf, rest) = chain.split_first().ok_or(DaneError::Malformed)?;
        let server = Certificate::parse(leaf).ok_or(DaneError::Malformed)?;
        let of = |usage| {
            self.records
                .iter()
                .filter(move |record| record.meaning() == Some(usage))
        };
        if of(Usage::EndEntity).any(|record| record.matches(leaf, &server)) {
            return Ok(PeerAuthentication::DaneEe);
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let mut anchors = RootCertStore::empty();
        let mut expired = false;
        let mut trust = |der: &[u8], certificate: &Certificate<'_>| {
            if !certificate.may_issue() || der == leaf {
                return;
            }
            if certificate.is_valid_at(seconds) {
                // What is no authority after all is not added.
                let _ = anchors.add(CertificateDer::from(der.to_vec()));
            } else {
                expired = true;
            }
        };
        for record in of(Usage::TrustAnchor) {
            for &der in rest {
                if let Some(certificate) = Certificate::parse(der)
                    && record.matches(der, &certificate)
                {
                    trust(der, &certificate);
                }
            }
            // One that stands in the record itself need not be sent (RFC 7671 §5.2.2).
            if let (0, 0, Some(certificate)) = (
                record.selector(),
                record.matching_type(),
                Certificate::parse(record.data()),
            ) {
                trust(record.data(), &certificate);
            }
        }
        for record in of(Usage::TrustAnchor).filter(|record| (record.selector(), record.matching_type()) == (1, 0)) {
            // A key has no name: it is that of whatever authority it signed for (RFC 7671 §5.2.3).
            let signed = chain.iter().filter_map(|der| Certificate::parse(der));
            anchors
                .roots
                .extend(signed.filter_map(|certificate| bare(record.data(), certificate.issuer)));
        }
        if anchors.is_empty() {
            return Err(if expired {
                DaneError::Expired
            } else {
                DaneError::NoMatch
            });
        }
        check_chain(leaf, rest, &anchors, now)?;
        if self.is_named(&server, host) {
            Ok(PeerAuthentication::DaneTa)
        } else {
            Err(DaneError::WrongName { name: host.to_owned() })
        }
    }

    fn is_named(&self, server: &Certificate<'_>, host: &str) -> bool {
        let names = std::iter::once(host).chain(self.names.iter().map(String::as_str));
        names.into_iter().any(|name| {
            // Certificates have A-labels.
            let ascii = (!name.is_ascii()).then(|| name.parse::<Domain>().ok()).flatten();
            server.is_for(ascii.as_ref().map_or(name, Domain::as_str))
        })
    }
}

/// An authority of which only the key is known.
fn bare(public_key: &[u8], name: &[u8]) -> Option<TrustAnchor<'static>> {
    let key = Reader::new(public_key).expect(SEQUENCE)?.content;
    Some(TrustAnchor {
        subject: Der::from(name.to_vec()),
        subject_public_key_info: Der::from(key.to_vec()),
        name_constraints: None,
    })
}

fn check_chain(leaf: &[u8], rest: &[&[u8]], anchors: &RootCertStore, now: Duration) -> Result<(), DaneError> {
    let leaf = CertificateDer::from(leaf);
    let between: Vec<_> = rest.iter().map(|der| CertificateDer::from(*der)).collect();
    let parsed = ParsedCertificate::try_from(&leaf).map_err(|_| DaneError::Malformed)?;
    let algorithms = default_provider().signature_verification_algorithms.all;
    let now = UnixTime::since_unix_epoch(now);
    verify_server_cert_signed_by_trust_anchor(&parsed, anchors, &between, now, algorithms).map_err(|error| {
        match CertificateError::from_rustls(&error) {
            CertificateError::Expired | CertificateError::NotYetValid => DaneError::Expired,
            _ => DaneError::Chain,
        }
    })
}

impl CertificateCheck for DaneVerifier {
    fn check(&self, presented: &Presented<'_>) -> Result<PeerAuthentication, CertificateError> {
        let checked = self.verify(presented.chain(), presented.host(), presented.now());
        checked.map_err(CertificateError::Dane)
    }
}
