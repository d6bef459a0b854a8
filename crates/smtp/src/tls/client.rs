//! TLS as the client sets it up.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use posthaste_transport::{PeerAuthentication, TlsInfo, TlsVersion};
use rustls::client::{ClientConnection, ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;

use super::pem::{ClientCertificate, Pem, certificates};
use super::requirement::Trust;
use super::verifier::{Asked, Ordinary, Peer};
use super::{CertificateError, provider};
use crate::config::ConfigError;
use crate::error::SmtpError;

/// Which certificate authorities the client trusts.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    pub(crate) platform: bool,
    pub(crate) own: Vec<CertificateDer<'static>>,
    pub(crate) files: Vec<Pem>,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            platform: true,
            own: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl Roots {
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), ConfigError> {
        self.own.extend(certificates(pem)?);
        Ok(())
    }

    fn verifier(&self) -> Result<Ordinary, ConfigError> {
        let provider = provider();
        let mut store = RootCertStore::empty();
        for certificate in &self.own {
            store.add(certificate.clone()).map_err(tls)?;
        }
        for file in &self.files {
            for certificate in certificates(&file.read("roots")?)? {
                store.add(certificate).map_err(tls)?;
            }
        }
        let own = match store.is_empty() {
            true => None,
            false => {
                let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
                Some(builder.build().map_err(|error| ConfigError::Tls(Box::new(error)))?)
            }
        };
        let platform = match self.platform {
            true => Some(Verifier::new(Arc::clone(&provider)).map_err(tls)?),
            false => None,
        };
        Ok(Ordinary {
            own,
            platform,
            provider,
        })
    }
}

fn tls(error: rustls::Error) -> ConfigError {
    ConfigError::Tls(Box::new(error))
}

/// The settings of the client's TLS.
#[derive(Clone, Debug)]
pub(crate) struct TlsSettings {
    pub(crate) roots: Roots,
    pub(crate) minimum: TlsVersion,
    pub(crate) certificate: ClientCertificate,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            roots: Roots::default(),
            minimum: TlsVersion::Tls12,
            certificate: ClientCertificate::default(),
        }
    }
}

/// What handshakes with one server need.
#[derive(Clone, Debug)]
pub(crate) struct TlsClient {
    /// What all sessions share that the ordinary check protects: they can resume each other.
    shared: Arc<ClientConfig>,
    ordinary: Arc<Ordinary>,
    certificate: Option<Arc<CertifiedKey>>,
    name: ServerName<'static>,
    host: String,
}

/// One handshake.
pub(crate) struct Handshake {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
    ordinary: Arc<Ordinary>,
    /// What the check found, if it is one for this handshake only.
    found: Option<Arc<OnceLock<PeerAuthentication>>>,
    shown: Arc<AtomicBool>,
    host: String,
}

impl TlsClient {
    /// Puts together what is needed for handshakes with `host`.
    pub(crate) fn new(settings: &TlsSettings, host: &str) -> Result<Self, ConfigError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConfigError::Invalid {
            setting: "host",
            reason: "TLS needs a DNS name or an IP address",
        })?;
        let ordinary = Arc::new(settings.roots.verifier()?);
        let versions: &[_] = match settings.minimum {
            TlsVersion::Tls13 => &[&rustls::version::TLS13],
            _ => rustls::DEFAULT_VERSIONS,
        };
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions);
        let shared = builder
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Ordinary>::clone(&ordinary))
            .with_no_client_auth();
        Ok(Self {
            shared: Arc::new(shared),
            certificate: settings.certificate.load(&ordinary.provider)?,
            ordinary,
            name,
            host: host.to_owned(),
        })
    }

    /// The same for a host of another name; `None` if it cannot be one.
    pub(crate) fn named(&self, host: &str) -> Option<Self> {
        Some(Self {
            shared: Arc::clone(&self.shared),
            ordinary: Arc::clone(&self.ordinary),
            certificate: self.certificate.clone(),
            name: ServerName::try_from(host.to_owned()).ok()?,
            host: host.to_owned(),
        })
    }

    /// Begins a handshake in which `trust` judges the server's certificate.
    pub(crate) fn handshake(&self, trust: &Trust) -> Handshake {
        let mut handshake = Handshake {
            config: Arc::clone(&self.shared),
            name: self.name.clone(),
            ordinary: Arc::clone(&self.ordinary),
            found: None,
            shown: Arc::default(),
            host: self.host.clone(),
        };
        if matches!(trust, Trust::Ordinary) && self.certificate.is_none() {
            return handshake;
        }
        // A session whose certificate was judged by other rules must not be resumed, and what happens in this one is to be seen.
        let mut own = (*self.shared).clone();
        own.resumption = Resumption::disabled();
        let found = Arc::new(OnceLock::new());
        own.dangerous().set_certificate_verifier(Arc::new(Asked {
            ordinary: Arc::clone(&self.ordinary),
            trust: trust.clone(),
            host: self.host.clone(),
            found: Arc::clone(&found),
        }));
        if let Some(key) = &self.certificate {
            own.client_auth_cert_resolver = Arc::new(Presenter {
                key: Arc::clone(key),
                shown: Arc::clone(&handshake.shown),
            });
        }
        handshake.found = Some(found);
        handshake.config = Arc::new(own);
        handshake
    }
}

impl Handshake {
    /// Says what was negotiated.
    pub(crate) fn info(&self, session: &ClientConnection) -> TlsInfo {
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => TlsVersion::Tls13,
            _ => TlsVersion::Tls12,
        };
        let suite = session.negotiated_cipher_suite().map(|suite| suite.suite());
        let suite = suite.and_then(|suite| suite.as_str()).unwrap_or("unknown");
        let authentication = match &self.found {
            Some(found) => found.get().copied().unwrap_or(PeerAuthentication::Unverified),
            None => self.recall(session),
        };
        TlsInfo::new(version, suite, authentication, self.host.as_str())
            .with_client_certificate(self.shown.load(Ordering::Acquire))
    }

    fn recall(&self, session: &ClientConnection) -> PeerAuthentication {
        match session.peer_certificates().and_then(<[_]>::split_first) {
            Some((leaf, rest)) => self.ordinary.recall(Peer {
                leaf,
                rest,
                name: &self.name,
                ocsp: &[],
                now: UnixTime::now(),
            }),
            None => PeerAuthentication::Unverified,
        }
    }
}

/// Shows a certificate to a server that asks for one, and notes that it did.
#[derive(Debug)]
struct Presenter {
    key: Arc<CertifiedKey>,
    shown: Arc<AtomicBool>,
}

impl ResolvesClientCert for Presenter {
    fn resolve(&self, _authorities: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = self.key.key.choose_scheme(schemes).is_some();
        self.shown.store(fits, Ordering::Release);
        fits.then(|| Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Whether it is TLS that says so, and not the connection below.
pub(crate) fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

/// Says why a handshake failed.
pub(crate) fn failure(error: io::Error) -> SmtpError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(error)) => {
            SmtpError::Certificate(CertificateError::from_judgement(error))
        }
        _ => SmtpError::Tls(error),
    }
}
