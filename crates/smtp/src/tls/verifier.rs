//! The checks of certificates, as rustls calls them.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use posthaste_transport::PeerAuthentication;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError as RustlsError, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;

use super::CertificateError;
use super::certificate::Certificate;
use super::requirement::{Presented, Trust};

/// The ordinary check: an authority that is trusted, the right name, not expired.
#[derive(Debug)]
pub(super) struct Ordinary {
    pub(super) own: Option<Arc<WebPkiServerVerifier>>,
    pub(super) platform: Option<Verifier>,
    pub(super) provider: Arc<CryptoProvider>,
}

/// What rustls hands to a check.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) rest: &'a [CertificateDer<'a>],
    pub(super) name: &'a ServerName<'a>,
    pub(super) ocsp: &'a [u8],
    pub(super) now: UnixTime,
}

impl Ordinary {
    pub(super) fn check(&self, peer: Peer<'_>) -> Result<PeerAuthentication, rustls::Error> {
        let ask = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(peer.leaf, peer.rest, peer.name, peer.ocsp, peer.now)
        };
        let unknown = rustls::Error::InvalidCertificate(RustlsError::UnknownIssuer);
        let mut error = unknown.clone();
        if let Some(own) = &self.own {
            match ask(&**own) {
                Ok(_) => return Ok(PeerAuthentication::OwnRoots),
                Err(own) => error = own,
            }
        }
        if let Some(platform) = &self.platform {
            match ask(platform) {
                Ok(_) => return Ok(PeerAuthentication::Pkix),
                // Who knows the issuer says best what is wrong.
                Err(platform) if error == unknown => error = platform,
                Err(_) => {}
            }
        }
        Err(match &error {
            rustls::Error::InvalidCertificate(RustlsError::UnknownIssuer | RustlsError::Other(_))
                if is_self_signed(peer) =>
            {
                other(CertificateError::SelfSigned)
            }
            _ => error,
        })
    }

    /// Says which authorities took a certificate that was taken: of a session that is resumed it is not checked again.
    pub(super) fn recall(&self, peer: Peer<'_>) -> PeerAuthentication {
        match (&self.own, &self.platform) {
            (Some(_), None) => PeerAuthentication::OwnRoots,
            (Some(own), Some(_)) => {
                match own.verify_server_cert(peer.leaf, peer.rest, peer.name, peer.ocsp, peer.now) {
                    Err(rustls::Error::InvalidCertificate(RustlsError::UnknownIssuer)) => PeerAuthentication::Pkix,
                    _ => PeerAuthentication::OwnRoots,
                }
            }
            (None, _) => PeerAuthentication::Pkix,
        }
    }
}

fn is_self_signed(peer: Peer<'_>) -> bool {
    peer.rest.is_empty() && Certificate::parse(peer.leaf).is_some_and(|leaf| leaf.is_self_issued())
}

/// Hands an error of ours through rustls.
fn other(error: CertificateError) -> rustls::Error {
    RustlsError::Other(OtherError(Arc::new(error))).into()
}

/// The check that a policy asks for, for one connection.
pub(super) struct Asked {
    pub(super) ordinary: Arc<Ordinary>,
    pub(super) trust: Trust,
    pub(super) host: String,
    pub(super) found: Arc<OnceLock<PeerAuthentication>>,
}

impl Asked {
    fn check(&self, peer: Peer<'_>) -> Result<PeerAuthentication, rustls::Error> {
        match &self.trust {
            Trust::Ordinary => self.ordinary.check(peer),
            Trust::Any => Ok(self.ordinary.check(peer).unwrap_or(PeerAuthentication::Unverified)),
            Trust::Check(check) => {
                let ordinary = || {
                    let checked = self.ordinary.check(peer);
                    checked.map_err(|error| CertificateError::from_rustls(&error))
                };
                let presented = Presented {
                    chain: std::iter::once(peer.leaf).chain(peer.rest).map(AsRef::as_ref).collect(),
                    host: &self.host,
                    now: UNIX_EPOCH + Duration::from_secs(peer.now.as_secs()),
                    ordinary: &ordinary,
                };
                check.check(&presented).map_err(other)
            }
        }
    }
}

impl ServerCertVerifier for Ordinary {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let peer = Peer {
            leaf,
            rest,
            name,
            ocsp,
            now,
        };
        self.check(peer).map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Asked {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = self.check(Peer {
            leaf,
            rest,
            name,
            ocsp,
            now,
        })?;
        // There is one handshake for each of these.
        let _ = self.found.set(found);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.ordinary.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.ordinary.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.ordinary.supported_verify_schemes()
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("trust", &self.trust)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
