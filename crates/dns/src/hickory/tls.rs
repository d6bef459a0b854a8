//! Which certificates a name server may show.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::{SetupError, SetupErrorKind};

/// Certificate authorities: the platform's, one's own, or both.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    pub(super) platform: bool,
    pub(super) own: Vec<CertificateDer<'static>>,
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
    pub(super) fn add_pem(&mut self, pem: &[u8]) -> Result<(), SetupError> {
        let before = self.own.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| SetupError::new(SetupErrorKind::Roots, error))?;
            self.own.push(certificate);
        }
        if self.own.len() == before {
            return Err(SetupErrorKind::Roots.into());
        }
        Ok(())
    }

    pub(super) fn client_config(self) -> Result<ClientConfig, SetupError> {
        let tls = |error: rustls::Error| SetupError::new(SetupErrorKind::Tls, error);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(tls)?;
        if self.platform {
            let verifier = Verifier::new_with_extra_roots(self.own, provider).map_err(tls)?;
            return Ok(builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth());
        }
        let mut roots = RootCertStore::empty();
        for certificate in self.own {
            roots
                .add(certificate)
                .map_err(|error| SetupError::new(SetupErrorKind::Roots, error))?;
        }
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}
