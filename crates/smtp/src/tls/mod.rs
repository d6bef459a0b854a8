//! TLS as the client and the server set it up: rustls with aws-lc-rs, given explicitly.

mod certificate;
mod client;
mod dane;
mod der;
mod mta_sts;
mod pem;
mod refusal;
mod requirement;
mod server;
mod verifier;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(crate) use client::{Handshake, TlsClient, TlsSettings, failure, is_tls};
pub use dane::{Dane, DaneError, DaneVerifier, TlsaAnswer, TlsaRecord};
pub use mta_sts::{MtaSts, MtaStsError};
pub(crate) use pem::Pem;
pub use refusal::CertificateError;
pub(crate) use requirement::Trust;
pub use requirement::{CertificateCheck, Presented, TlsPolicy, TlsPolicyFuture, TlsRequirement};
pub(crate) use server::{ClientAuthorities, common_name, server_config};

/// When the client uses TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// Never. Only for a server on this machine or behind another tunnel.
    None,
    /// STARTTLS when the server offers it, clear text otherwise. An attacker on the way can take the offer away, so
    /// this protects against listening only; credentials are still never sent in clear. A handshake that fails, as with a
    /// certificate that is not trusted, fails the send; [`TlsRequirement::opportunistic`] takes any certificate.
    Opportunistic,
    /// STARTTLS, or the send fails (RFC 3207).
    Required,
    /// TLS from the first octet, as on port 465 (RFC 8314 §3.3).
    Implicit,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
