//! Composing sealers.

use std::sync::Arc;

use posthaste_address::Domain;

use super::Sealer;
use crate::dkim::{HeaderNames, Key, RemoteKey, Selector, SignerError, SigningKey, check_names, check_record};

/// What is signed beside what DKIM signs (RFC 8617 §4.1.2): the signatures that were there.
const MORE: &[&str] = &["DKIM-Signature"];

/// What is not signed: later hosts remove it or add to it (RFC 8617 §4.1.2).
const NEVER: [&str; 4] = [
    "ARC-Seal",
    "ARC-Message-Signature",
    "ARC-Authentication-Results",
    "Authentication-Results",
];

/// Why a sealer cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealerError {
    /// The domain, the key or the list of header fields is none that can sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A message signature must not cover this field (RFC 8617 §4.1.2).
    #[error("`{0}` must not be signed")]
    NeverSigned(String),
}

/// Composes a [`Sealer`].
#[derive(Debug)]
#[must_use]
pub struct SealerBuilder {
    domain: Domain,
    key: Option<(Selector, Key)>,
    names: Option<Vec<String>>,
}

impl SealerBuilder {
    pub(super) fn new(domain: Domain) -> Self {
        Self {
            domain,
            key: None,
            names: None,
        }
    }

    /// Sets the key. A set is sealed with one.
    pub fn key(mut self, selector: Selector, key: SigningKey) -> Self {
        self.key = Some((selector, Key::Local(key)));
        self
    }

    /// Sets a key that is in a key service. Messages are sealed by [`Sealer::seal_async`] then. RSA keys must have 1024 bits, as RFC
    /// 8301 §3.2 demands.
    pub fn remote_key(mut self, selector: Selector, key: Arc<dyn RemoteKey>) -> Self {
        self.key = Some((selector, Key::Remote(key)));
        self
    }

    /// Signs exactly these header fields instead of the default: one for each time a name is listed, from the bottom up,
    /// and none, for good, for each time that is more than there are. Default: what a [`Signer`](crate::dkim::Signer) signs, and
    /// DKIM-Signature.
    pub fn headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Checks it all.
    ///
    /// # Errors
    ///
    /// [`SealerError`], naming what is wrong.
    pub fn build(self) -> Result<Sealer, SealerError> {
        let (selector, key) = self.key.ok_or(SignerError::NoKey)?;
        check_record(&selector, &self.domain)?;
        if let Key::Remote(remote) = &key
            && remote
                .public_key()
                .is_some_and(|public| public.algorithm() != remote.algorithm())
        {
            return Err(SignerError::PublicKey(selector).into());
        }
        if let Some(names) = &self.names {
            check_names(names)?;
            let never = |name: &&String| NEVER.iter().any(|never| never.eq_ignore_ascii_case(name));
            if let Some(wrong) = names.iter().find(never) {
                return Err(SealerError::NeverSigned(wrong.clone()));
            }
        }
        Ok(Sealer::new(
            self.domain,
            selector,
            key,
            HeaderNames::or_default(self.names, MORE),
        ))
    }
}
