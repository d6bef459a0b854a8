//! Why a resolver could not be set up.

use std::{error::Error, fmt};

/// Says why a resolver could not be set up.
#[derive(Debug)]
pub struct SetupError {
    kind: SetupErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Sorts what can be wrong with a resolver's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SetupErrorKind {
    /// The system's DNS configuration cannot be read.
    #[error("the system's DNS configuration cannot be read")]
    System,
    /// The PEM text is damaged, or holds no certificate.
    #[error("not a PEM text of certificates")]
    Roots,
    /// The text is not one of DNSKEY records.
    #[error("not a text of DNSKEY records")]
    TrustAnchor,
    /// TLS cannot be set up: for want of the platform's certificates, perhaps.
    #[error("TLS cannot be set up")]
    Tls,
    /// Something else.
    #[error("the resolver cannot be set up")]
    Other,
}

impl SetupError {
    pub(super) fn new(kind: SetupErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// Tells what was wrong.
    pub fn kind(&self) -> SetupErrorKind {
        self.kind
    }
}

impl From<SetupErrorKind> for SetupError {
    fn from(kind: SetupErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
