//! Sealing (RFC 8617 §5.1).

mod builder;
mod draft;
mod error;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Domain;

pub use self::builder::{SealerBuilder, SealerError};
use self::draft::Draft;
pub use self::error::SealError;
use super::MOST_SETS;
use super::chain::{Chain, ChainResult, FieldKind, Reason};
use super::payload::Payload;
use super::structure::Collected;
use super::validate::{Limits, canonical_sets};
use crate::dkim::{
    BodyHash, Canonicalization, DnsRecord, Fields, HeaderNames, Key, LATEST, Selector, SignError, SigningInput,
    check_header, is_plausible, push_field,
};

/// What [`Sealer::seal_async`] gives: the fields of a set, some time later.
pub type SealFuture = Pin<Box<dyn Future<Output = Result<String, SealError>> + Send>>;

/// The length of the shortest RSA key in bits (RFC 8301 §3.2).
const SHORTEST_KEY: usize = 1024;

/// Adds a set to the chain of a message: what was found of it, a signature over it, and a seal over the whole chain.
///
/// Clones share the key. Header and body are signed in relaxed form; `l=` is never written.
#[derive(Clone, Debug)]
pub struct Sealer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    domain: Domain,
    selector: Selector,
    key: Key,
    names: HeaderNames,
}

impl Sealer {
    /// Begins a sealer for `domain`, the `d=` of its seals.
    pub fn builder(domain: Domain) -> SealerBuilder {
        SealerBuilder::new(domain)
    }

    fn new(domain: Domain, selector: Selector, key: Key, names: HeaderNames) -> Self {
        Self(Arc::new(Inner {
            domain,
            selector,
            key,
            names,
        }))
    }

    /// The record to publish; `None` of a remote key that does not say its public key.
    #[must_use]
    pub fn dns_record(&self) -> Option<DnsRecord> {
        let Inner {
            domain, selector, key, ..
        } = &*self.0;
        let text = match key {
            Key::Local(key) => key.dns_record(),
            Key::Remote(key) => key.public_key()?.dns_record(),
        };
        Some(DnsRecord::new(selector, domain, text))
    }

    /// Seals a message as it is passed on, and gives ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results, each ended by
    /// CRLF, to be put before it.
    ///
    /// `chain` is what [`validate`](super::validate) found of the message when it came in; it may have been changed since, but for its
    /// ARC fields. `results` are what is sealed: [`AuthenticationResults`](crate::authres::AuthenticationResults), or text as a
    /// [`Payload`]. A broken chain, or one that `results` call failed (`arc=fail`), is sealed with `cv=fail`, over the new set alone
    /// (RFC 8617 §5.1.2).
    ///
    /// # Errors
    ///
    /// [`SealError`]: the chain is another message's, was not validated for want of DNS, was already sealed as broken or has 50 sets;
    /// the results are of another chain; or the message cannot be signed, for the reasons that [`Signer::sign`](crate::dkim::Signer::sign) has.
    pub fn seal(
        &self,
        message: &[u8],
        results: impl Into<Payload>,
        chain: &Chain,
        now: SystemTime,
    ) -> Result<String, SealError> {
        let mut set = self.0.begin(message, &results.into(), chain, now)?;
        let signature = self.0.sign(&set.message_signature)?;
        let message_signature = set.message_signature.complete(&signature);
        let seal = set.seal(&self.0, &message_signature);
        let signature = self.0.sign(&seal)?;
        Ok(seal.complete(&signature) + &message_signature + &set.results)
    }

    /// Seals like [`Self::seal`], and waits for a key in a key service, which is asked twice.
    ///
    /// The message is read in the call, and not needed after it.
    pub fn seal_async(
        &self,
        message: &[u8],
        results: impl Into<Payload>,
        chain: &Chain,
        now: SystemTime,
    ) -> SealFuture {
        let sealer = Arc::clone(&self.0);
        let begun = sealer.begin(message, &results.into(), chain, now);
        Box::pin(async move {
            let mut set = begun?;
            let signature = sealer.sign_async(&set.message_signature).await?;
            let message_signature = set.message_signature.complete(&signature);
            let seal = set.seal(&sealer, &message_signature);
            let signature = sealer.sign_async(&seal).await?;
            Ok(seal.complete(&signature) + &message_signature + &set.results)
        })
    }
}

/// A set on its way.
struct NewSet {
    instance: u8,
    chain_validation: &'static str,
    time: u64,
    /// ARC-Authentication-Results, complete.
    results: String,
    message_signature: Draft,
    /// What the seal covers beside the set: the chain so far, or nothing if it is broken.
    canonical_chain: Vec<u8>,
}

impl NewSet {
    /// RFC 8617 §5.1.1: the seal covers the chain, the results, the message signature, and itself.
    fn seal(&mut self, sealer: &Inner, message_signature: &str) -> Draft {
        let mut signed = std::mem::take(&mut self.canonical_chain);
        for field in [self.results.as_str(), message_signature] {
            push_field(&mut signed, field.as_bytes(), Canonicalization::Relaxed);
        }
        let Inner {
            domain, selector, key, ..
        } = sealer;
        let closing = format!(
            " cv={};\r\n\td={};\r\n\ti={}; s={selector}; t={}\r\n",
            self.chain_validation,
            domain.as_str(),
            self.instance,
            self.time
        );
        Draft::new(FieldKind::Seal, key.algorithm(), closing, signed)
    }
}

impl Inner {
    fn begin(&self, message: &[u8], results: &Payload, chain: &Chain, now: SystemTime) -> Result<NewSet, SealError> {
        let fields = Fields::parse(message);
        check_header(&fields)?;
        let time = now.duration_since(UNIX_EPOCH).map_err(|_| SignError::Time)?.as_secs();
        if time > LATEST {
            return Err(SignError::Time.into());
        }
        let collected = Collected::new(&fields, &Limits::default());
        let instance = next_instance(chain, &collected)?;
        let chain_validation = chain_validation(chain, results)?;
        let canonical_chain = match chain_validation {
            "pass" => canonical_sets(&collected.sets().map_err(|_| SealError::OtherChain)?).0,
            _ => Vec::new(),
        };
        let mut body = BodyHash::new(Canonicalization::Relaxed);
        body.update(message.get(fields.body_offset()..).unwrap_or_default());
        let mut signed = Vec::with_capacity(fields.body_offset() + 1024);
        let mut closing = format!(
            "\r\n\tbh={}; c=relaxed/relaxed;\r\n\td={};",
            STANDARD.encode(body.finish().0),
            self.domain.as_str()
        );
        self.names
            .select(&fields, Canonicalization::Relaxed, &mut signed, &mut closing);
        // A space, not a tab: dkimpy looks for ` i=1;` in the field as it stands, and gives up where that is not there.
        closing.push_str(&format!("\r\n i={instance}; s={}; t={time}\r\n", self.selector));
        Ok(NewSet {
            instance,
            chain_validation,
            time,
            results: format!(
                "{}: i={instance}; {}\r\n",
                FieldKind::AuthenticationResults,
                results.as_str()
            ),
            message_signature: Draft::new(FieldKind::MessageSignature, self.key.algorithm(), closing, signed),
            canonical_chain,
        })
    }

    fn sign(&self, draft: &Draft) -> Result<Vec<u8>, SignError> {
        match &self.key {
            Key::Local(key) => {
                let mut signature = Vec::new();
                key.sign(&digest(&SHA256, draft.signed()), &mut signature)
                    .ok_or(SignError::Key)?;
                Ok(signature)
            }
            Key::Remote(_) => Err(SignError::RemoteKey(self.selector.clone())),
        }
    }

    async fn sign_async(&self, draft: &Draft) -> Result<Vec<u8>, SignError> {
        let Key::Remote(key) = &self.key else {
            return self.sign(draft);
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, draft.signed()).as_ref());
        let input = SigningInput {
            domain: self.domain.clone(),
            selector: self.selector.clone(),
            header: draft.signed().to_vec(),
            hash,
        };
        let signature = key.sign(&input).await.map_err(|source| SignError::KeyService {
            selector: self.selector.clone(),
            source,
        })?;
        if is_plausible(&**key, &signature, draft.signed(), SHORTEST_KEY) {
            Ok(signature)
        } else {
            Err(SignError::WrongSignature(self.selector.clone()))
        }
    }
}

/// RFC 8617 §5.1, steps 2 and 3: one more than the highest instance, unless the chain has ended.
fn next_instance(chain: &Chain, collected: &Collected<'_, '_>) -> Result<u8, SealError> {
    if chain.fingerprint != collected.fingerprint() {
        return Err(SealError::OtherChain);
    }
    if chain.reason() == Some(&Reason::MarkedFailed) {
        return Err(SealError::AlreadyFailed);
    }
    if chain.highest >= MOST_SETS {
        return Err(SealError::TooManySets);
    }
    Ok(chain.highest + 1)
}

/// RFC 8617 §5.1.1: what `cv=` says of the chain so far. What is broken by our own look or by what the results say is broken;
/// results of a message with a chain cannot be those of one without.
fn chain_validation(chain: &Chain, results: &Payload) -> Result<&'static str, SealError> {
    match chain.result() {
        ChainResult::TempError => Err(SealError::Undecided),
        ChainResult::None if results.says("pass") => Err(SealError::Contradiction),
        ChainResult::Pass | ChainResult::Fail if results.says("none") => Err(SealError::Contradiction),
        ChainResult::None => Ok("none"),
        ChainResult::Pass if !results.says("fail") => Ok("pass"),
        ChainResult::Pass | ChainResult::Fail => Ok("fail"),
    }
}
