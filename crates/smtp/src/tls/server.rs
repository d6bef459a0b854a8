//! TLS as the server sets it up.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::sign::SingleCertAndKey;

use super::pem::certified_key;
use super::provider;
use crate::config::ConfigError;

/// Makes the TLS settings of a server from its certificate chain and key in PEM.
pub(crate) fn server_config(chain: &[u8], key: &[u8]) -> Result<ServerConfig, ConfigError> {
    let tls = |error: rustls::Error| ConfigError::Tls(Box::new(error));
    let provider = provider();
    let key = certified_key(chain, key, &provider)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    // A client that says it speaks another protocol was sent here by somebody else.
    config.alpn_protocols = vec![b"smtp".to_vec()];
    Ok(config)
}
