//! What comes of validating a chain.

use std::fmt;
use std::net::IpAddr;

use posthaste_address::Domain;

use crate::authres::{AuthenticationResults, MethodResult};
use crate::dkim::{self, Selector, SignatureError, TagError};

/// What came of validating a chain, in the words of RFC 8617 §4.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainResult {
    /// There is no chain.
    None,
    /// The chain holds.
    Pass,
    /// The chain is broken, for good.
    Fail,
    /// It could not be validated for now; later it may.
    TempError,
}

impl ChainResult {
    /// The word in Authentication-Results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
        }
    }
}

impl fmt::Display for ChainResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of the three header fields of a set (RFC 8617 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// What a host found (§4.1.1).
    AuthenticationResults,
    /// The signature over the message (§4.1.2).
    MessageSignature,
    /// The signature over the sets (§4.1.3).
    Seal,
}

impl FieldKind {
    /// All of them, in the order in which a seal covers them (§5.1.1).
    pub(super) const ALL: [Self; 3] = [Self::AuthenticationResults, Self::MessageSignature, Self::Seal];

    /// The field's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthenticationResults => "ARC-Authentication-Results",
            Self::MessageSignature => "ARC-Message-Signature",
            Self::Seal => "ARC-Seal",
        }
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a chain does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// There are more sets than a chain may have (RFC 8617 §4.2.1), or than were asked to be looked at.
    #[error("chain has too many sets")]
    TooManySets,
    /// The fields of the sets are longer than anybody needs.
    #[error("chain is too long")]
    TooLong,
    /// The field is not text.
    #[error("field is not text")]
    NotText,
    /// The field is not a tag list.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// `i=` is missing, or not a number from 1 to 50 (§4.2.1).
    #[error("instance is missing, or not a number from 1 to 50")]
    Instance,
    /// A set lacks this field, or is not there at all though a later one is (§5.2, step 3).
    #[error("field is missing")]
    Missing,
    /// A set has this field twice (§5.2, step 3).
    #[error("field stands there twice")]
    Duplicate,
    /// The newest seal says `cv=fail` (§5.2, step 2).
    #[error("the last sealer found the chain broken")]
    MarkedFailed,
    /// `cv=` is not `none` in the first set, or not `pass` in a later one (§5.2, step 3).
    #[error("the seal says another result of the chain before it than there can be")]
    ChainValidation,
    /// A seal has `h=` (§4.1.3).
    #[error("seal has a list of header fields")]
    SealNamesFields,
    /// The message signature covers a seal (§4.1.2).
    #[error("message signature covers a seal")]
    SignsSeal,
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] dkim::Reason),
}

impl Reason {
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self, Self::Signature(dkim::Reason::Dns(error)) if error.is_temporary())
    }
}

impl From<SignatureError> for Reason {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error.into())
    }
}

/// A reason, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) reason: Reason,
    pub(super) instance: Option<u8>,
    pub(super) field: Option<FieldKind>,
}

impl Broken {
    pub(super) fn at(instance: u8, field: FieldKind, reason: impl Into<Reason>) -> Self {
        Self {
            reason: reason.into(),
            instance: Some(instance),
            field: Some(field),
        }
    }
}

/// One hop: who sealed, and what they had found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub(super) instance: u8,
    pub(super) domain: Domain,
    pub(super) selector: Selector,
    pub(super) time: Option<u64>,
    pub(super) results: Option<AuthenticationResults>,
}

impl Set {
    /// The number of the hop, from 1.
    #[must_use]
    pub fn instance(&self) -> u8 {
        self.instance
    }

    /// Who sealed: `d=` of the ARC-Seal. It is proven only by a chain that passes.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The name of the key that sealed.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// When it was sealed, in seconds since 1970.
    #[must_use]
    pub fn time(&self) -> Option<u64> {
        self.time
    }

    /// What the host had found: its ARC-Authentication-Results, if they can be read.
    #[must_use]
    pub fn results(&self) -> Option<&AuthenticationResults> {
        self.results.as_ref()
    }
}

/// The chain of one message, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub(super) result: ChainResult,
    pub(super) broken: Option<Broken>,
    pub(super) sets: Vec<Set>,
    pub(super) oldest_pass: Option<u8>,
    /// The highest instance there is, whatever else is wrong.
    pub(super) highest: u8,
    /// The hash of all ARC fields in canonical form, which tells whether a message has this chain.
    pub(super) fingerprint: [u8; 32],
}

impl Chain {
    /// The result.
    #[must_use]
    pub fn result(&self) -> ChainResult {
        self.result
    }

    /// Why it is not a pass.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.broken.as_ref().map(|broken| &broken.reason)
    }

    /// The number of the set at which the chain is broken, if it is known.
    #[must_use]
    pub fn broken_at(&self) -> Option<u8> {
        self.broken.as_ref()?.instance
    }

    /// The field in which the chain is broken, if it is one.
    #[must_use]
    pub fn broken_field(&self) -> Option<FieldKind> {
        self.broken.as_ref()?.field
    }

    /// The sets, from the first hop to the last; none if the chain is not well-formed.
    #[must_use]
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The first hop after which the message was not changed any more, where the chain passes; 0 if it never was (RFC 8617 §5.2,
    /// step 5).
    ///
    /// A hop whose key cannot be had for now counts as one before a change.
    #[must_use]
    pub fn oldest_pass(&self) -> Option<u8> {
        self.oldest_pass
    }

    /// The result for Authentication-Results (RFC 8617 §10.1): with the host that the message came from, which whoever reads the
    /// chain later cannot see for themselves.
    #[must_use]
    pub fn method_result(&self, remote: Option<IpAddr>) -> MethodResult {
        let mut result = MethodResult::new("arc", self.result.as_str());
        if let Some(reason) = self.reason() {
            result = result.reason(match self.broken_at() {
                Some(instance) => format!("i={instance}: {reason}"),
                None => reason.to_string(),
            });
        }
        if let Some(remote) = remote {
            result = result.property("smtp", "remote-ip", remote);
        }
        match self.oldest_pass {
            Some(oldest) => result.property("header", "oldest-pass", oldest),
            None => result,
        }
    }
}
