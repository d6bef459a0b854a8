//! Why a certificate is not good enough.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::dane::DaneError;

/// Most names of a certificate that an error shows.
const MAX_NAMES: usize = 8;

/// Why a server's certificate is not good enough.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// It has expired, or an authority of its chain has.
    #[error("the certificate has expired")]
    Expired,
    /// It is not valid yet, or an authority of its chain is not.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// It comes from an authority that is not trusted, or a certificate between them was not sent.
    #[error("the certificate comes from an authority that is not trusted, or its chain is not complete")]
    UnknownIssuer,
    /// It was issued by itself, and is not trusted.
    #[error("the certificate is self-signed and not trusted")]
    SelfSigned,
    /// It is for another host. A name that is only the subject's common name does not count.
    #[error("the certificate is not for {expected}, but for {}", Names(presented))]
    WrongName {
        /// The host that it should be for.
        expected: String,
        /// The names that it has.
        presented: Vec<String>,
    },
    /// It is not for servers.
    #[error("the certificate is not for servers")]
    WrongPurpose,
    /// It was revoked.
    #[error("the certificate was revoked")]
    Revoked,
    /// A signature in its chain does not hold, or is of a kind that is not trusted.
    #[error("a signature of the certificate's chain does not hold")]
    BadSignature,
    /// It cannot be read.
    #[error("the certificate cannot be read")]
    Malformed,
    /// The TLSA records do not allow it.
    #[error("the certificate is not what the TLSA records ask for")]
    Dane(#[source] DaneError),
    /// A check of the caller's own refused it.
    #[error("the certificate was refused")]
    Refused(#[source] Arc<dyn Error + Send + Sync>),
    /// Something else is wrong with it.
    #[error("the certificate does not hold")]
    Other(#[source] Arc<dyn Error + Send + Sync>),
}

impl CertificateError {
    /// Refuses a certificate for a reason of the caller's own.
    pub fn refused(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Refused(reason.into().into())
    }

    /// Reads what rustls says.
    pub(super) fn from_rustls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::from_judgement(error),
            error => Self::Other(Arc::new(error.clone())),
        }
    }

    /// Reads what rustls says of a certificate.
    pub(super) fn from_judgement(error: &rustls::CertificateError) -> Self {
        use rustls::CertificateError as Theirs;
        match error {
            Theirs::Expired | Theirs::ExpiredContext { .. } => Self::Expired,
            Theirs::NotValidYet | Theirs::NotValidYetContext { .. } => Self::NotYetValid,
            Theirs::UnknownIssuer => Self::UnknownIssuer,
            Theirs::Revoked => Self::Revoked,
            Theirs::InvalidPurpose | Theirs::InvalidPurposeContext { .. } => Self::WrongPurpose,
            Theirs::BadEncoding => Self::Malformed,
            Theirs::BadSignature
            | Theirs::UnsupportedSignatureAlgorithmContext { .. }
            | Theirs::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::BadSignature,
            Theirs::NotValidForNameContext { expected, presented } => Self::WrongName {
                expected: expected.to_str().into_owned(),
                presented: presented.iter().map(|name| plain(name)).collect(),
            },
            // What one of our own checks said.
            Theirs::Other(other) => match other.0.downcast_ref::<Self>() {
                Some(own) => own.clone(),
                None => Self::Other(Arc::clone(&other.0)),
            },
            other => Self::Other(Arc::new(rustls::Error::from(other.clone()))),
        }
    }
}

/// Takes a name out of `DnsName("mx.example.net")`, as webpki writes it.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

/// Names of a certificate. They are the peer's.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no name at all");
        }
        for (number, name) in self.0.iter().take(MAX_NAMES).enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{}", name.escape_debug())?;
        }
        f.write_str(if self.0.len() > MAX_NAMES { ", ..." } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_with_care() {
        let error = |presented: Vec<String>| {
            let expected = "mx.example.net".to_owned();
            CertificateError::WrongName { expected, presented }.to_string()
        };
        let text = "the certificate is not for mx.example.net, but for ";
        assert_eq!(error(Vec::new()), format!("{text}no name at all"));
        assert_eq!(
            error(vec![plain("DnsName(\"a.example\")"), "b\r\n\x1b".into()]),
            format!("{text}a.example, b\\r\\n\\u{{1b}}")
        );
        assert_eq!(
            error(vec!["x".into(); 20]),
            format!("{text}{}, ...", ["x"; 8].join(", "))
        );
    }
}
