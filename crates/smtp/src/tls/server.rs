//! TLS as the server sets it up.

use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};

use super::certificate::Certificate;
use super::pem::{certificates, certified_key};
use super::provider;
use crate::config::ConfigError;

/// Which certificates clients may show.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientAuthorities {
    /// The authorities that they come from, in PEM; without any, clients are not asked.
    pub(crate) pem: Option<Vec<u8>>,
    pub(crate) require: bool,
}

impl ClientAuthorities {
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, ConfigError> {
        let Some(pem) = &self.pem else {
            return match self.require {
                true => Err(ConfigError::Missing("the authorities of client certificates")),
                false => Ok(Arc::new(NoClientAuth)),
            };
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots
                .add(certificate)
                .map_err(|error| ConfigError::Tls(Box::new(error)))?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
        let builder = match self.require {
            true => builder,
            false => builder.allow_unauthenticated(),
        };
        builder.build().map_err(|error| ConfigError::Tls(Box::new(error)))
    }
}

/// Makes the TLS settings of a server from its certificate chain and key in PEM.
pub(crate) fn server_config(
    chain: &[u8],
    key: &[u8],
    clients: &ClientAuthorities,
) -> Result<ServerConfig, ConfigError> {
    let provider = provider();
    let key = certified_key(chain, key, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Tls(Box::new(error)))?
        .with_client_cert_verifier(clients.verifier()?)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    // A client that says it speaks another protocol was sent here by somebody else.
    config.alpn_protocols = vec![b"smtp".to_vec()];
    Ok(config)
}

/// Returns the common name of a certificate in DER.
pub(crate) fn common_name(der: &[u8]) -> Option<String> {
    let name = Certificate::parse(der)?.common_name()?;
    String::from_utf8(name.to_vec()).ok()
}
