//! Why a lookup gave nothing.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::Dnssec;

/// Says why a lookup gave no record.
///
/// The difference that matters to mail is between "there is none" ([`is_void`](Self::is_void)) and "nobody knows right
/// now" ([`is_temporary`](Self::is_temporary)): the first is an answer, the second is a reason to try again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The name does not exist, nor does any name below it (RFC 8020).
    #[error("the name does not exist")]
    NxDomain(Negative),
    /// The name exists, but has no record of this type (RFC 2308 §2.2).
    #[error("the name has no record of this type")]
    NoData(Negative),
    /// The server could not answer.
    #[error("the server failed")]
    ServFail,
    /// The server would not answer.
    #[error("the server refused")]
    Refused,
    /// No server answered in time.
    #[error("no server answered in time")]
    Timeout,
    /// The answer was cut off, and the rest could not be had.
    #[error("the answer was cut off")]
    Truncated,
    /// The answer fails DNSSEC validation: it must not be used (RFC 4035 §4.3).
    #[error("the answer fails DNSSEC validation")]
    Bogus,
    /// The name cannot be asked for: an empty label, one over 63 octets, or a name over 253 (RFC 1035 §2.3.4).
    #[error("not a domain name")]
    InvalidName,
    /// The network or the protocol failed.
    #[error("the lookup failed")]
    Network(#[source] NetworkError),
}

impl LookupError {
    /// Tells whether the same question may well be answered later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::NxDomain(_) | Self::NoData(_) | Self::InvalidName => false,
            Self::ServFail | Self::Refused | Self::Timeout | Self::Truncated | Self::Bogus | Self::Network(_) => true,
        }
    }

    /// Tells whether the DNS answered that there is nothing: no such name, or no such record. RFC 7208 §4.6.4 calls
    /// this a void lookup.
    pub fn is_void(&self) -> bool {
        self.negative().is_some()
    }

    /// Tells whether the name does not exist.
    pub fn is_nx_domain(&self) -> bool {
        matches!(self, Self::NxDomain(_))
    }

    /// Tells whether the name exists and has no record of the type.
    pub fn is_no_data(&self) -> bool {
        matches!(self, Self::NoData(_))
    }

    /// Gives what is known of an answer that there is nothing.
    pub fn negative(&self) -> Option<&Negative> {
        match self {
            Self::NxDomain(negative) | Self::NoData(negative) => Some(negative),
            _ => None,
        }
    }
}

/// Says for how long "there is none" holds, and how far DNSSEC vouches for it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_dns::{Dnssec, LookupError, Negative};
///
/// let none = LookupError::NoData(Negative::default().with_ttl(Duration::from_secs(300)).with_dnssec(Dnssec::Secure));
/// assert!(none.is_no_data());
/// assert_eq!(none.negative().and_then(|negative| negative.ttl), Some(Duration::from_secs(300)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Negative {
    /// For how long the answer may be cached (RFC 2308 §5); `None` when no SOA record came with it: then not at all.
    pub ttl: Option<Duration>,
    /// What DNSSEC says of the proof that there is nothing.
    pub dnssec: Dnssec,
}

impl Negative {
    /// Sets for how long the answer may be cached.
    #[must_use]
    pub fn with_ttl(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Sets what DNSSEC says of the proof.
    #[must_use]
    pub fn with_dnssec(mut self, dnssec: Dnssec) -> Self {
        self.dnssec = dnssec;
        self
    }
}

/// Carries the failure beneath a lookup. Two are equal when they are the same one.
#[derive(Clone, Debug)]
pub struct NetworkError(Arc<dyn Error + Send + Sync>);

impl NetworkError {
    /// Wraps the failure of whatever a resolver is built on.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NetworkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for NetworkError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_nothing_is_not_temporary() {
        let known = Negative::default().with_ttl(Duration::from_secs(60));
        for error in [LookupError::NxDomain(known), LookupError::NoData(known)] {
            assert!(error.is_void() && !error.is_temporary());
            assert_eq!(error.negative(), Some(&known));
            assert_ne!(error.is_nx_domain(), error.is_no_data());
        }
        for error in [
            LookupError::ServFail,
            LookupError::Timeout,
            LookupError::Bogus,
            LookupError::Refused,
        ] {
            assert!(error.is_temporary() && !error.is_void() && error.negative().is_none());
        }
        assert!(!LookupError::InvalidName.is_void() && !LookupError::InvalidName.is_temporary());
    }

    #[test]
    fn the_failure_beneath_is_the_source() {
        let error = LookupError::Network(NetworkError::new("cable cut"));
        assert_eq!(error.to_string(), "the lookup failed");
        assert_eq!(error.source().unwrap().to_string(), "cable cut");
        assert_eq!(error, error.clone());
        assert_ne!(error, LookupError::Network(NetworkError::new("cable cut")));
    }
}
