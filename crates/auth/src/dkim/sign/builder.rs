//! Composing signers.

use std::sync::Arc;
use std::time::Duration;

use posthaste_address::Domain;

use super::header_names::HeaderNames;
use super::identity::{Auid, Identity, Key};
use super::signer::Signer;
use crate::dkim::canonicalization::Canonicalization;
use crate::dkim::dns_record::record_name;
use crate::dkim::key::{Algorithm, SigningKey};
use crate::dkim::remote::RemoteKey;
use crate::dkim::selector::Selector;

/// How long the name of a field to sign may be, in octets.
const LONGEST_NAME: usize = 255;

/// How long a domain name is at most, in octets (RFC 1035 §2.3.4), as written without the final dot.
const LONGEST_DOMAIN: usize = 253;

/// Why a signer cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// There is no key.
    #[error("a signer needs at least one key")]
    NoKey,
    /// The domain is an address literal or a top-level domain.
    #[error("`{0}` is not a domain that can sign")]
    Domain(Domain),
    /// The name of a key's record would be longer than names in DNS may be.
    #[error("`{0}` is longer than a name in DNS may be")]
    RecordName(String),
    /// Two keys have the same record.
    #[error("there are two keys for `{0}`")]
    SameRecord(String),
    /// A name in the list of header fields is not one.
    #[error("`{0}` is not the name of a header field")]
    HeaderName(String),
    /// From must be signed (RFC 6376 §5.4).
    #[error("the header fields to sign must contain From")]
    FromNotSigned,
    /// The identity is not an address, or `@` and a domain, at the signer's domain or below it.
    #[error("`{0}` is not an identity at the signing domain or below it")]
    Identity(String),
    /// A signature would expire when it is made.
    #[error("signatures must hold for a second at least")]
    Expiry,
    /// The public key of a remote key is for another algorithm than the key.
    #[error("the public key of `{0}` is for another algorithm")]
    PublicKey(Selector),
    /// A remote RSA key is shorter than the 2048 bits that RFC 8301 §3.2 asks signers for.
    #[error("the RSA key of `{selector}` has {bits} bits: signing needs 2048")]
    KeySize {
        /// The key's name.
        selector: Selector,
        /// The length of its modulus in bits.
        bits: usize,
    },
}

/// Composes a [`Signer`].
#[derive(Debug)]
#[must_use]
pub struct SignerBuilder {
    domain: Domain,
    keys: Vec<(Domain, Selector, Key)>,
    header: Canonicalization,
    body: Canonicalization,
    names: Option<Vec<String>>,
    identity: Option<String>,
    expire_after: Option<Duration>,
}

impl SignerBuilder {
    pub(super) fn new(domain: Domain) -> Self {
        Self {
            domain,
            keys: Vec::new(),
            header: Canonicalization::Relaxed,
            body: Canonicalization::Relaxed,
            names: None,
            identity: None,
            expire_after: None,
        }
    }

    /// Adds a key of the signer's domain.
    pub fn key(self, selector: Selector, key: SigningKey) -> Self {
        let domain = self.domain.clone();
        self.key_for(domain, selector, key)
    }

    /// Adds a key of another domain: a provider that signs for itself too, say.
    pub fn key_for(mut self, domain: Domain, selector: Selector, key: SigningKey) -> Self {
        self.keys.push((domain, selector, Key::Local(key)));
        self
    }

    /// Adds a key of the signer's domain that is in a key service. Messages are signed by [`Signer::sign_async`] then.
    pub fn remote_key(self, selector: Selector, key: Arc<dyn RemoteKey>) -> Self {
        let domain = self.domain.clone();
        self.remote_key_for(domain, selector, key)
    }

    /// Adds a key of another domain that is in a key service.
    pub fn remote_key_for(mut self, domain: Domain, selector: Selector, key: Arc<dyn RemoteKey>) -> Self {
        self.keys.push((domain, selector, Key::Remote(key)));
        self
    }

    /// Sets how header and body are canonicalised. Default: both relaxed.
    pub fn canonicalization(mut self, header: Canonicalization, body: Canonicalization) -> Self {
        self.header = header;
        self.body = body;
        self
    }

    /// Signs exactly these header fields instead of the default: one for each time a name is listed, from the bottom up,
    /// and none, for good, for each time that is more than there are.
    pub fn headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Says who it is signed for (`i=`, RFC 6376 §3.5): an address at the signer's domain or below it, or `@` and such a domain.
    /// Default: nobody in particular. Signatures of other domains' keys do not say it.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Lets signatures expire (`x=`) this long after they were made. Mail may take days; a week is a common choice.
    pub fn expire_after(mut self, time: Duration) -> Self {
        self.expire_after = Some(time);
        self
    }

    /// Checks it all.
    ///
    /// # Errors
    ///
    /// [`SignerError`], naming what is wrong.
    pub fn build(self) -> Result<Signer, SignerError> {
        if self.keys.is_empty() {
            return Err(SignerError::NoKey);
        }
        if let Some(names) = &self.names {
            check_names(names)?;
        }
        if self.expire_after.is_some_and(|time| time.as_secs() == 0) {
            return Err(SignerError::Expiry);
        }
        let auid = match &self.identity {
            None => None,
            Some(text) => Some(Auid::parse(text, &self.domain).ok_or_else(|| SignerError::Identity(text.clone()))?),
        };
        let mut records: Vec<String> = Vec::new();
        let mut identities = Vec::with_capacity(self.keys.len());
        for (domain, selector, key) in self.keys {
            check_key(&selector, &key)?;
            let record = check_record(&selector, &domain)?;
            if records.contains(&record) {
                return Err(SignerError::SameRecord(record));
            }
            records.push(record);
            let auid = auid.as_ref().filter(|_| domain == self.domain);
            identities.push(Identity::new(domain, selector, key, (self.header, self.body), auid));
        }
        Ok(Signer {
            identities: identities.into(),
            header: self.header,
            body: self.body,
            names: Arc::new(HeaderNames::new(self.names)),
            expire_after: self.expire_after,
        })
    }
}

/// Says whether a domain can sign, and whether names in DNS can be as long as that of its key.
pub(crate) fn check_record(selector: &Selector, domain: &Domain) -> Result<String, SignerError> {
    check_domain(domain)?;
    let record = record_name(selector, domain);
    if record.len() > LONGEST_DOMAIN {
        return Err(SignerError::RecordName(record));
    }
    Ok(record)
}

fn check_domain(domain: &Domain) -> Result<(), SignerError> {
    if domain.is_literal() || !domain.as_str().contains('.') {
        return Err(SignerError::Domain(domain.clone()));
    }
    Ok(())
}

fn check_key(selector: &Selector, key: &Key) -> Result<(), SignerError> {
    let Key::Remote(key) = key else { return Ok(()) };
    let Some(public) = key.public_key() else { return Ok(()) };
    if public.algorithm() != key.algorithm() {
        return Err(SignerError::PublicKey(selector.clone()));
    }
    if public.algorithm() == Algorithm::RsaSha256 && public.bits() < 2048 {
        return Err(SignerError::KeySize {
            selector: selector.clone(),
            bits: public.bits(),
        });
    }
    Ok(())
}

pub(crate) fn check_names(names: &[String]) -> Result<(), SignerError> {
    let is_name = |name: &&String| {
        (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b':' && b != b';')
    };
    if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
        return Err(SignerError::HeaderName(wrong.clone()));
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case("from")) {
        return Err(SignerError::FromNotSigned);
    }
    Ok(())
}
