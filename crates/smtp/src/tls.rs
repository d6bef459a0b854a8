//! TLS as the client and the server set it up: rustls with aws-lc-rs, given explicitly.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;

use crate::config::ConfigError;

/// When the client uses TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// Never. Only for a server on this machine or behind another tunnel.
    None,
    /// STARTTLS when the server offers it, clear text otherwise. An attacker on the way can take the offer away, so
    /// this protects against listening only; credentials are still never sent in clear. A handshake that fails, as with a
    /// certificate that is not trusted, fails the send.
    Opportunistic,
    /// STARTTLS, or the send fails (RFC 3207).
    Required,
    /// TLS from the first octet, as on port 465 (RFC 8314 §3.3).
    Implicit,
}

/// Which certificate authorities the client trusts.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    pub(crate) platform: bool,
    pub(crate) own: Vec<CertificateDer<'static>>,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            platform: true,
            own: Vec::new(),
        }
    }
}

impl Roots {
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), ConfigError> {
        let before = self.own.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.own
                .push(certificate.map_err(|error| ConfigError::Certificate(error.to_string()))?);
        }
        if self.own.len() == before {
            return Err(ConfigError::Certificate("the PEM text holds no certificate".into()));
        }
        Ok(())
    }

    /// Makes the TLS settings of a client.
    pub(crate) fn client_config(&self) -> Result<Arc<rustls::ClientConfig>, ConfigError> {
        let tls = |error: rustls::Error| ConfigError::Tls(Box::new(error));
        let provider = provider();
        let builder =
            rustls::ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.map_err(tls)?;
        let config = if self.platform {
            let verifier = Verifier::new_with_extra_roots(self.own.iter().cloned(), provider).map_err(tls)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            for certificate in &self.own {
                roots.add(certificate.clone()).map_err(tls)?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        };
        Ok(Arc::new(config))
    }
}

/// Makes the TLS settings of a server from its certificate chain and key in PEM.
pub(crate) fn server_config(chain: &[u8], key: &[u8]) -> Result<Arc<rustls::ServerConfig>, ConfigError> {
    let pem = |error: rustls_pki_types::pem::Error| ConfigError::Certificate(error.to_string());
    let tls = |error: rustls::Error| ConfigError::Tls(Box::new(error));
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(pem)?;
    if chain.is_empty() {
        return Err(ConfigError::Certificate("the PEM text holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(pem)?;
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(tls)?;
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
