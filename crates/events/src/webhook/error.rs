//! What can be wrong with a request.

use std::time::Duration;

use super::sns::CertificateError;

/// Why a request is not taken for one of the provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The body is longer than is taken.
    #[error("the body has {size} octets; {limit} are the most")]
    TooLarge {
        /// Octets of the body.
        size: usize,
        /// Octets that are taken.
        limit: usize,
    },
    /// The method is not one that the provider uses.
    #[error("the method is not one that the provider uses")]
    Method,
    /// Nothing is configured that could be checked: the provider signs nothing, and no [`Access`](super::Access) is asked for.
    #[error("the provider signs nothing, and no access is asked for")]
    Unprotected,
    /// No user name, password or token came with it.
    #[error("it came without the credentials that are asked for")]
    MissingCredentials,
    /// The user name, password or token is wrong.
    #[error("its credentials are wrong")]
    WrongCredentials,
    /// A header field is missing.
    #[error("the header field `{name}` is missing")]
    MissingHeader {
        /// Its name.
        name: &'static str,
    },
    /// A header field stands there more than once, so that nobody can tell which one was meant.
    #[error("the header field `{name}` stands there more than once")]
    RepeatedHeader {
        /// Its name.
        name: &'static str,
    },
    /// A field of the body is missing, or is not text.
    #[error("the field `{name}` of the body is missing or is not text")]
    MissingField {
        /// Its name.
        name: &'static str,
    },
    /// A value is not written as it should be.
    #[error("`{place}` is not {expected}")]
    Encoding {
        /// The header field or the field of the body.
        place: &'static str,
        /// What it should be: `base64`.
        expected: &'static str,
    },
    /// The body has not the form in which its signature could be found.
    #[error("the body is not {expected}")]
    Body {
        /// What it should be: `a JSON object`.
        expected: &'static str,
    },
    /// The header says something else than the body.
    #[error("the header field `{name}` says something else than the body")]
    Contradiction {
        /// Name of the header field.
        name: &'static str,
    },
    /// The version of the signature is not known.
    #[error("the version of the signature is not known, or not taken")]
    Version,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    WrongSignature,
    /// It was signed longer ago than is taken.
    #[error("it was signed {} s ago", age.as_secs())]
    TooOld {
        /// How long ago.
        age: Duration,
    },
    /// It was signed in the future, by more than clocks may differ.
    #[error("it was signed {} s in the future", by.as_secs())]
    InFuture {
        /// How far in the future.
        by: Duration,
    },
    /// A token that may be used once came with another body than before.
    #[error("its token was used before, for another body")]
    Replayed,
    /// The signature does not cover the body, and nothing remembers tokens: [`Receiver::replay_guard`](super::Receiver::replay_guard).
    #[error("its signature does not cover the body, and nothing remembers tokens")]
    NoReplayGuard,
    /// The topic is not one of those that are taken.
    #[error("its topic is not one of those that are taken")]
    Topic,
    /// The URL of the certificate is not one of the provider's.
    #[error("the URL of its certificate is not one of the provider's")]
    CertificateUrl,
    /// The URL that confirms the subscription is not one of the provider's.
    #[error("the URL that confirms the subscription is not one of the provider's")]
    SubscribeUrl,
    /// The certificate is not known yet: fetch it, or let [`Receiver::receive`](super::Receiver::receive) do it.
    #[error("its certificate is not known yet")]
    CertificateNeeded {
        /// Where it is; the URL is checked.
        url: String,
    },
    /// The certificate could not be fetched or read.
    #[error("its certificate cannot be used")]
    Certificate(#[source] CertificateError),
}

impl VerifyError {
    /// Returns the HTTP status to answer with.
    ///
    /// Credentials that are missing or wrong are 401, never 403: Postmark tries no more after a 403, and SNS sends its credentials only
    /// after a 401 with `WWW-Authenticate`. A certificate that could not be fetched is 503, so that the provider comes again.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } => 413,
            Self::Method => 405,
            Self::MissingCredentials | Self::WrongCredentials => 401,
            Self::Unprotected | Self::NoReplayGuard => 500,
            Self::CertificateNeeded { .. } | Self::Certificate(_) => 503,
            Self::Body { .. } => 400,
            _ => 403,
        }
    }
}

/// Why a key is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is empty.
    #[error("the key is empty")]
    Empty,
    /// It is not base64.
    #[error("the key is not base64")]
    Base64,
    /// It is not a public key of the right kind.
    #[error("the key is not {expected}")]
    Kind {
        /// What it should be: `an ECDSA key of P-256`.
        expected: &'static str,
    },
    /// It has a length that the standard does not allow.
    #[error("the key has {octets} octets; 24 to 64 are allowed")]
    Length {
        /// Its octets.
        octets: usize,
    },
}

/// Why a request that was verified cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The body is not JSON.
    #[error("the body is not JSON, at line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The body is not a form.
    #[error("the body is not a form that can be read")]
    Form,
    /// The body has not the form that the provider gives it.
    #[error("the body is not {expected}")]
    Shape {
        /// What it should be.
        expected: &'static str,
    },
    /// There are more events than are taken.
    #[error("there are more than {limit} events in it")]
    TooMany {
        /// How many are taken.
        limit: usize,
    },
}

impl ParseError {
    /// Returns the HTTP status to answer with.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::TooMany { .. } => 413,
            _ => 400,
        }
    }
}

impl ParseError {
    /// Says where JSON ceases to be JSON.
    pub(super) fn of_json(error: &serde_json::Error) -> Self {
        Self::Json {
            line: error.line(),
            column: error.column(),
        }
    }
}
