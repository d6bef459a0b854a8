//! Validating (RFC 8617 §5.2).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use posthaste_dns::Resolver;

use super::MOST_SETS;
use super::chain::{Broken, Chain, ChainResult, FieldKind, Reason, Set};
use super::keys::Keys;
use super::message_signature::MessageSignature;
use super::seal::{Seal, check_chain_validation};
use super::structure::{Collected, RawSet};
use crate::authres::AuthenticationResults;
use crate::dkim::{
    self, BodyHash, Canonicalization, Fields, KeyCache, canonical_header, push_field, push_signature_field,
};

/// How much work a chain may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(super) sets: usize,
    pub(super) octets: usize,
    leeway: Duration,
}

impl Default for Limits {
    /// Fifty sets, as RFC 8617 §4.2.1 has it, of 512 KiB altogether; ten hours for clocks that run ahead.
    fn default() -> Self {
        Self {
            sets: usize::from(MOST_SETS),
            octets: 512 * 1024,
            leeway: Duration::from_secs(10 * 3600),
        }
    }
}

impl Limits {
    /// How many sets a chain may have: 50 at most.
    #[must_use]
    pub fn sets(mut self, most: usize) -> Self {
        self.sets = most.min(usize::from(MOST_SETS));
        self
    }

    /// How long all ARC fields together may be, in octets.
    #[must_use]
    pub fn octets(mut self, most: usize) -> Self {
        self.octets = most;
        self
    }

    /// How far in the future `t=` may be.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }
}

/// Validates the chain of a raw message, with the default [`Limits`] (RFC 8617 §5.2).
///
/// Line ends must be CRLF. Failures of DNS are [`ChainResult::TempError`], never a fail.
pub async fn validate(message: &[u8], resolver: &dyn Resolver, now: SystemTime) -> Chain {
    validate_with(message, resolver, now, &Limits::default()).await
}

/// Validates like [`validate`], with limits of your own.
pub async fn validate_with(message: &[u8], resolver: &dyn Resolver, now: SystemTime, limits: &Limits) -> Chain {
    validate_cached(message, resolver, now, limits, &KeyCache::new(0)).await
}

/// Validates like [`validate_with`], with keys that are kept from one message to the next.
pub async fn validate_cached(
    message: &[u8],
    resolver: &dyn Resolver,
    now: SystemTime,
    limits: &Limits,
    keys: &KeyCache,
) -> Chain {
    let fields = Fields::parse(message);
    let collected = Collected::new(&fields, limits);
    let mut chain = Chain {
        result: ChainResult::None,
        broken: None,
        sets: Vec::new(),
        oldest_pass: None,
        highest: collected.highest(),
        fingerprint: collected.fingerprint(),
    };
    if collected.is_empty() {
        return chain;
    }
    let mut validation = Validation {
        fields: &fields,
        body: message.get(fields.body_offset()..).unwrap_or_default(),
        keys: Keys::new(resolver, keys),
        now: now.duration_since(UNIX_EPOCH).unwrap_or_default(),
        leeway: limits.leeway,
        hashes: [None, None],
    };
    match validation.run(&collected, &mut chain.sets).await {
        Ok(oldest_pass) => {
            chain.result = ChainResult::Pass;
            chain.oldest_pass = Some(oldest_pass);
        }
        Err(broken) => {
            let is_temporary = broken.reason.is_temporary();
            chain.result = if is_temporary {
                ChainResult::TempError
            } else {
                ChainResult::Fail
            };
            chain.broken = Some(broken);
        }
    }
    chain
}

/// Remembers the first failure that may pass, and lets only what is broken for certain end the work.
fn put_off(outcome: Result<(), Broken>, temporary: &mut Option<Broken>) -> Result<(), Broken> {
    match outcome {
        Err(broken) if broken.reason.is_temporary() => {
            temporary.get_or_insert(broken);
            Ok(())
        }
        outcome => outcome,
    }
}

struct Validation<'m, 'r> {
    fields: &'m Fields<'m>,
    body: &'m [u8],
    keys: Keys<'r>,
    now: Duration,
    leeway: Duration,
    /// The hash and the length of the simple and of the relaxed body, once they were asked for.
    hashes: [Option<(Vec<u8>, u64)>; 2],
}

impl Validation<'_, '_> {
    /// Gives the oldest pass.
    async fn run(&mut self, collected: &Collected<'_, '_>, found: &mut Vec<Set>) -> Result<u8, Broken> {
        collected.check_newest()?;
        let sets = collected.sets()?;
        for set in &sets {
            let check = set
                .seal
                .tags()
                .and_then(|tags| check_chain_validation(tags, set.instance));
            check.map_err(|reason| Broken::at(set.instance, FieldKind::Seal, reason))?;
        }
        let seals = parse_seals(&sets)?;
        found.extend(sets.iter().zip(&seals).map(|(set, seal)| Set {
            instance: set.instance,
            domain: seal.domain.clone(),
            selector: seal.selector.clone(),
            time: seal.time,
            results: AuthenticationResults::parse(set.results.results).ok(),
        }));
        let mut temporary = None;
        if let Some(newest) = sets.last() {
            let outcome = self.check_message_signature(newest).await;
            let outcome = outcome.map_err(|reason| Broken::at(newest.instance, FieldKind::MessageSignature, reason));
            put_off(outcome, &mut temporary)?;
        }
        self.check_seals(&sets, &seals, &mut temporary).await?;
        match temporary {
            Some(broken) => Err(broken),
            None => Ok(self.oldest_pass(&sets).await),
        }
    }

    /// RFC 8617 §5.2, step 6: every seal, from the newest to the oldest.
    async fn check_seals(
        &mut self,
        sets: &[RawSet<'_, '_, '_>],
        seals: &[Seal],
        temporary: &mut Option<Broken>,
    ) -> Result<(), Broken> {
        let (mut canonical, before_seals) = canonical_sets(sets);
        for ((set, seal), end) in sets.iter().zip(seals).zip(before_seals).rev() {
            canonical.truncate(end);
            push_signature_field(&mut canonical, set.seal.field.raw, Canonicalization::Relaxed);
            let outcome = self.check_seal(seal, &canonical).await;
            let outcome = outcome.map_err(|reason| Broken::at(set.instance, FieldKind::Seal, reason));
            put_off(outcome, temporary)?;
        }
        Ok(())
    }

    async fn check_seal(&mut self, seal: &Seal, signed: &[u8]) -> Result<(), Reason> {
        self.check_time(seal.time)?;
        let key = (&seal.selector, &seal.domain);
        let outcome = self.keys.verify(key, seal.algorithm, &seal.signature, signed).await;
        outcome.map_err(Reason::Signature)
    }

    /// RFC 8617 §5.2, step 4: as a DKIM signature (RFC 6376 §6.1).
    async fn check_message_signature(&mut self, set: &RawSet<'_, '_, '_>) -> Result<(), Reason> {
        let signature = MessageSignature::parse(set.signature.tags()?)?;
        if signature.expiry.is_some_and(|expiry| expiry < self.now.as_secs()) {
            return Err(dkim::Reason::Expired.into());
        }
        self.check_time(signature.time)?;
        if self.fields.has_stray_line() {
            return Err(dkim::Reason::StrayLine.into());
        }
        // The body first: a hash costs less than a question to the DNS.
        self.check_body(&signature)?;
        let signed = canonical_header(self.fields, set.signature.field, signature.names(), signature.header);
        let key = (&signature.selector, &signature.domain);
        let outcome = self
            .keys
            .verify(key, signature.algorithm, &signature.signature, &signed)
            .await;
        outcome.map_err(Reason::Signature)
    }

    /// RFC 8617 §5.2, step 5: how far back the message is what it was.
    async fn oldest_pass(&mut self, sets: &[RawSet<'_, '_, '_>]) -> u8 {
        let older = sets.split_last().map_or(sets, |(_, older)| older);
        for set in older.iter().rev() {
            if self.check_message_signature(set).await.is_err() {
                return set.instance + 1;
            }
        }
        0
    }

    fn check_time(&self, time: Option<u64>) -> Result<(), Reason> {
        if time.is_some_and(|time| time > self.now.saturating_add(self.leeway).as_secs()) {
            return Err(dkim::Reason::Future.into());
        }
        Ok(())
    }

    /// RFC 6376 §3.7, step 1. `l=` must be the whole body, which therefore needs to be hashed once for each canonicalization.
    fn check_body(&mut self, signature: &MessageSignature<'_>) -> Result<(), Reason> {
        let [simple, relaxed] = &mut self.hashes;
        let made = match signature.body {
            Canonicalization::Simple => simple,
            Canonicalization::Relaxed => relaxed,
        };
        let (hash, length) = made.get_or_insert_with(|| {
            let mut hash = BodyHash::new(signature.body);
            hash.update(self.body);
            let (hash, length) = hash.finish();
            (hash.as_ref().to_vec(), length)
        });
        match signature.length {
            Some(limit) if limit > *length => return Err(dkim::Reason::LengthTooLong.into()),
            Some(limit) if limit < *length => return Err(dkim::Reason::PartlySigned.into()),
            _ => {}
        }
        verify_slices_are_equal(hash, &signature.body_hash).map_err(|_| dkim::Reason::BodyHash.into())
    }
}

fn parse_seals(sets: &[RawSet<'_, '_, '_>]) -> Result<Vec<Seal>, Broken> {
    let parse = |set: &RawSet<'_, '_, '_>| {
        let seal = set.seal.tags().and_then(Seal::parse);
        seal.map_err(|reason| Broken::at(set.instance, FieldKind::Seal, reason))
    };
    sets.iter().map(parse).collect()
}

/// RFC 8617 §5.1.1: the sets in their order, and where each seal stands among them.
pub(super) fn canonical_sets(sets: &[RawSet<'_, '_, '_>]) -> (Vec<u8>, Vec<usize>) {
    let mut canonical = Vec::new();
    let mut before_seals = Vec::with_capacity(sets.len());
    for set in sets {
        for field in set.fields() {
            if field.kind == FieldKind::Seal {
                before_seals.push(canonical.len());
            }
            push_field(&mut canonical, field.field.raw, Canonicalization::Relaxed);
        }
    }
    (canonical, before_seals)
}
