//! Verifying.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use posthaste_address::Domain;
use posthaste_dns::{LookupError, Negative, Resolver, ResolverExt};

use super::body::BodyHash;
use super::canonicalization::{Canonicalization, push_field};
use super::dns_record::record_name;
use super::fields::{Field, Fields};
use super::key_cache::{KeyCache, Record};
use super::names::Names;
use super::public_key::KeyRecordError;
use super::selector::Selector;
use super::signature::{Claims, Signature, SignatureError};
use super::tags::Tags;

/// What came of verifying a signature, in the words of RFC 8601 §2.7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DkimResult {
    /// The message is not signed.
    None,
    /// The signature holds.
    Pass,
    /// The signature does not hold.
    Fail,
    /// The signature holds, but for reasons of its own is not accepted.
    Policy,
    /// The signature cannot be judged.
    Neutral,
    /// It could not be verified for now; later it may.
    TempError,
    /// It can never be verified.
    PermError,
}

impl DkimResult {
    /// The word in Authentication-Results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for DkimResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a signature does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The field is not a signature.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The field is not text.
    #[error("signature is not text")]
    NotText,
    /// The message has no From field (RFC 6376 §5.4).
    #[error("message has no From field")]
    NoFrom,
    /// The header section has a line that is no field (RFC 6376 §3.8): some readers take it for the first line of the body, and
    /// would show a body that nobody signed.
    #[error("header section has a line that is no field")]
    StrayLine,
    /// There are more signatures than anybody needs. This many were not looked at: one verdict stands for them all.
    #[error("too many signatures: {0} were not looked at")]
    TooManySignatures(usize),
    /// `x=` has passed.
    #[error("signature has expired")]
    Expired,
    /// `t=` is yet to come.
    #[error("signature was made in the future")]
    Future,
    /// The key cannot be had.
    #[error("key not found: {0}")]
    Dns(LookupError),
    /// The key record cannot be used.
    #[error(transparent)]
    Key(#[from] KeyRecordError),
    /// The key is of another kind than the signature.
    #[error("key is not for this algorithm")]
    KeyAlgorithm,
    /// The key is for `d=` alone, and `i=` is below it (`t=s`).
    #[error("key does not sign for subdomains")]
    StrictIdentity,
    /// `l=` is more than there is.
    #[error("signed body is longer than the body")]
    LengthTooLong,
    /// `l=` leaves a part of the body unsigned, which anybody may have added.
    #[error("part of the body is not signed")]
    PartlySigned,
    /// The body was changed.
    #[error("body hash does not match")]
    BodyHash,
    /// The header was changed, or the signature is forged.
    #[error("signature does not match")]
    Mismatch,
}

impl Reason {
    /// The result that each reason leads to.
    fn result(&self) -> DkimResult {
        match self {
            Self::BodyHash | Self::Mismatch => DkimResult::Fail,
            Self::Dns(error) if error.is_temporary() => DkimResult::TempError,
            Self::PartlySigned | Self::TooManySignatures(_) => DkimResult::Neutral,
            Self::Key(KeyRecordError::TooShort) => DkimResult::Policy,
            _ => DkimResult::PermError,
        }
    }
}

/// What came of one DKIM-Signature field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    result: DkimResult,
    reason: Option<Reason>,
    domain: Option<Domain>,
    identity: Option<Domain>,
    selector: Option<Selector>,
    algorithm: Option<String>,
    signature: Option<String>,
    testing: bool,
}

impl Verdict {
    /// Makes a verdict that others came to, to hand it to DMARC.
    #[must_use]
    pub fn new(result: DkimResult, domain: Domain) -> Self {
        Self {
            result,
            reason: None,
            identity: Some(domain.clone()),
            domain: Some(domain),
            selector: None,
            algorithm: None,
            signature: None,
            testing: false,
        }
    }

    fn refused(reason: Reason, claims: Claims, testing: bool) -> Self {
        Self {
            result: reason.result(),
            reason: Some(reason),
            identity: claims.domain.clone(),
            domain: claims.domain,
            selector: claims.selector,
            algorithm: claims.algorithm,
            signature: claims.signature,
            testing,
        }
    }

    /// The result.
    #[must_use]
    pub fn result(&self) -> DkimResult {
        self.result
    }

    /// Why it is not a pass.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }

    /// Who signed: `d=`. It is proven only by a pass.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// The domain of `i=`.
    #[must_use]
    pub fn identity(&self) -> Option<&Domain> {
        self.identity.as_ref()
    }

    /// The key's name: `s=`.
    #[must_use]
    pub fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }

    /// The algorithm: `a=`, in lower case.
    #[must_use]
    pub fn algorithm(&self) -> Option<&str> {
        self.algorithm.as_deref()
    }

    /// The first eight octets of `b=`, which tell signatures apart (RFC 6008).
    #[must_use]
    pub fn signature_prefix(&self) -> Option<&str> {
        self.signature
            .as_deref()
            .map(|signature| signature.get(..8).unwrap_or(signature))
    }

    /// The domain is only trying DKIM out (`t=y`): treat a failure like an unsigned message. It is known once the key was looked
    /// up, which is not done where the body hash does not match or the signature is broken.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.testing
    }
}

/// How much work a message may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    signatures: usize,
    leeway: Duration,
}

impl Default for Limits {
    /// Ten signatures; ten hours for clocks that run ahead.
    fn default() -> Self {
        Self {
            signatures: 10,
            leeway: Duration::from_secs(10 * 3600),
        }
    }
}

impl Limits {
    /// How many signatures are looked at, from the top.
    #[must_use]
    pub fn signatures(mut self, most: usize) -> Self {
        self.signatures = most;
        self
    }

    /// How far in the future `t=` may be.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }
}

/// How many records at one key's name are tried; more than one is already a mistake of its owner.
const KEYS: usize = 4;

/// Verifies every signature of a raw message, from the top to the bottom, with the default [`Limits`].
///
/// An unsigned message has no verdict. Signatures beyond the limit share one, [`Reason::TooManySignatures`]. Line ends must be CRLF.
/// Failures of DNS are [`DkimResult::TempError`], never a fail.
pub async fn verify(message: &[u8], resolver: &dyn Resolver, now: SystemTime) -> Vec<Verdict> {
    verify_with(message, resolver, now, &Limits::default()).await
}

/// Verifies like [`verify`], with limits of your own.
pub async fn verify_with(message: &[u8], resolver: &dyn Resolver, now: SystemTime, limits: &Limits) -> Vec<Verdict> {
    verify_cached(message, resolver, now, limits, &KeyCache::new(0)).await
}

/// Verifies like [`verify_with`], with keys that are kept from one message to the next.
pub async fn verify_cached(
    message: &[u8],
    resolver: &dyn Resolver,
    now: SystemTime,
    limits: &Limits,
    keys: &KeyCache,
) -> Vec<Verdict> {
    verify_fields(&Fields::parse(message), message, resolver, now, limits, keys).await
}

/// Verifies a message whose header was split before.
pub(crate) async fn verify_fields(
    fields: &Fields<'_>,
    message: &[u8],
    resolver: &dyn Resolver,
    now: SystemTime,
    limits: &Limits,
    keys: &KeyCache,
) -> Vec<Verdict> {
    let mut verifier = Verifier {
        body: message.get(fields.body_offset()..).unwrap_or_default(),
        fields,
        resolver,
        keys,
        now: now.duration_since(UNIX_EPOCH).unwrap_or_default(),
        leeway: limits.leeway,
        hashes: Vec::new(),
    };
    let mut verdicts = Vec::new();
    let mut signatures = fields.iter().filter(|field| field.is(b"DKIM-Signature"));
    for field in signatures.by_ref().take(limits.signatures) {
        verdicts.push(verifier.judge(field).await);
    }
    let unseen = signatures.count();
    if unseen > 0 {
        let reason = Reason::TooManySignatures(unseen);
        verdicts.push(Verdict::refused(reason, Claims::default(), false));
    }
    verdicts
}

/// What is known of a key that was looked at.
#[derive(Default)]
struct Seen {
    testing: bool,
}

/// A body hash that was made already: how, and what came out.
struct Made {
    canonicalization: Canonicalization,
    limit: Option<u64>,
    hash: Vec<u8>,
    length: u64,
}

struct Verifier<'m, 'r> {
    fields: &'m Fields<'m>,
    body: &'m [u8],
    resolver: &'r dyn Resolver,
    keys: &'r KeyCache,
    now: Duration,
    leeway: Duration,
    hashes: Vec<Made>,
}

impl Verifier<'_, '_> {
    /// Comes to a verdict on one signature.
    async fn judge(&mut self, field: &Field<'_>) -> Verdict {
        let tags = match std::str::from_utf8(field.value()) {
            Ok("") | Err(_) => return Verdict::refused(Reason::NotText, Claims::default(), false),
            Ok(text) => Tags::parse(text),
        };
        let tags = match tags {
            Ok(tags) => tags,
            Err(wrong) => {
                let reason = Reason::Signature(wrong.into());
                return Verdict::refused(reason, Claims::default(), false);
            }
        };
        let signature = match Signature::of(&tags) {
            Ok(signature) => signature,
            Err(wrong) => return Verdict::refused(wrong.into(), Claims::of(&tags), false),
        };
        let claims = Claims::of_signature(&tags);
        let mut seen = Seen::default();
        match self.verify(field, &signature, &mut seen).await {
            Ok(()) => Verdict {
                result: DkimResult::Pass,
                reason: None,
                domain: Some(signature.domain),
                identity: Some(signature.identity),
                selector: Some(signature.selector),
                algorithm: claims.algorithm,
                signature: claims.signature,
                testing: seen.testing,
            },
            Err(reason) => {
                let (domain, selector) = (Some(signature.domain), Some(signature.selector));
                let claims = Claims {
                    domain,
                    selector,
                    ..claims
                };
                Verdict::refused(reason, claims, seen.testing)
            }
        }
    }

    async fn verify(&mut self, field: &Field<'_>, signature: &Signature<'_>, seen: &mut Seen) -> Result<(), Reason> {
        if self.fields.count("From") == 0 {
            return Err(Reason::NoFrom);
        }
        if self.fields.has_stray_line() {
            return Err(Reason::StrayLine);
        }
        self.check_times(signature)?;
        // The body first: a hash costs less than a question to the DNS.
        self.check_body(signature)?;
        let name = record_name(&signature.selector, &signature.domain);
        let records = self.resolver.txt(&name).await.map_err(Reason::Dns)?;
        let header = canonical_header(self.fields, field, signature.names(), signature.header);
        let mut reason = Reason::Dns(LookupError::NoData(Negative::default()));
        for record in records.iter().take(KEYS) {
            match check_key(&self.keys.read(&record.to_text()), signature, &header, seen) {
                Ok(()) => return Ok(()),
                // Another record's complaint says less than a key that does not fit.
                Err(_) if reason == Reason::Mismatch => {}
                Err(wrong) => reason = wrong,
            }
        }
        Err(reason)
    }

    /// RFC 6376 §3.5, `t=` and `x=`.
    fn check_times(&self, signature: &Signature<'_>) -> Result<(), Reason> {
        if signature.expiry.is_some_and(|expiry| expiry < self.now.as_secs()) {
            return Err(Reason::Expired);
        }
        if signature
            .time
            .is_some_and(|time| time > self.now.saturating_add(self.leeway).as_secs())
        {
            return Err(Reason::Future);
        }
        Ok(())
    }

    /// RFC 6376 §3.7, step 1; a body that is signed in part is not worth more than one that is not (§8.2).
    fn check_body(&mut self, signature: &Signature<'_>) -> Result<(), Reason> {
        let (canonicalization, limit) = (signature.body, signature.length);
        let made = self
            .hashes
            .iter()
            .position(|made| made.canonicalization == canonicalization && made.limit == limit);
        let index = made.unwrap_or_else(|| {
            let mut hash = BodyHash::new(canonicalization).with_limit(limit.unwrap_or(u64::MAX));
            hash.update(self.body);
            let (hash, length) = hash.finish();
            self.hashes.push(Made {
                canonicalization,
                limit,
                hash: hash.as_ref().to_vec(),
                length,
            });
            self.hashes.len() - 1
        });
        let Some(made) = self.hashes.get(index) else {
            return Err(Reason::BodyHash);
        };
        if limit.is_some_and(|limit| limit > made.length) {
            return Err(Reason::LengthTooLong);
        }
        verify_slices_are_equal(&made.hash, &signature.body_hash).map_err(|_| Reason::BodyHash)?;
        if limit.is_some_and(|limit| limit < made.length) {
            return Err(Reason::PartlySigned);
        }
        Ok(())
    }
}

/// RFC 6376 §3.7, step 2: the fields that `h=` names, and the signature field without its signature.
pub(crate) fn canonical_header<'h>(
    fields: &Fields<'_>,
    field: &Field<'_>,
    signed: impl Iterator<Item = &'h [u8]>,
    canonicalization: Canonicalization,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    let mut names = Names::new();
    let order: Vec<usize> = signed.map(|name| names.add(name)).collect();
    let mut stacks = fields.stacks(&names, Some(field));
    for selected in order.into_iter().filter_map(|name| stacks.pop(name)) {
        push_field(&mut out, selected.raw, canonicalization);
    }
    push_signature_field(&mut out, field.raw, canonicalization);
    out
}

/// Appends a signature field in canonical form, without its signature and without its line end.
pub(crate) fn push_signature_field(out: &mut Vec<u8>, raw: &[u8], canonicalization: Canonicalization) {
    push_field(out, &without_signature(raw), canonicalization);
    for byte in [b'\n', b'\r'] {
        out.pop_if(|last| *last == byte);
    }
}

/// RFC 6376 §6.1.2 and §6.1.3: whether the key is for this signature, and the signature its own.
fn check_key(key: &Record, signature: &Signature<'_>, header: &[u8], seen: &mut Seen) -> Result<(), Reason> {
    let key = key.as_ref().map_err(|error| *error)?;
    seen.testing = key.is_testing();
    if key.algorithm() != signature.algorithm {
        return Err(Reason::KeyAlgorithm);
    }
    if key.is_strict() && signature.identity != signature.domain {
        return Err(Reason::StrictIdentity);
    }
    if !key.verifies(header, &signature.signature) {
        return Err(Reason::Mismatch);
    }
    Ok(())
}

/// The field with the value of its `b=` tag taken out.
fn without_signature(raw: &[u8]) -> Vec<u8> {
    let colon = raw
        .iter()
        .position(|&byte| byte == b':')
        .map_or(raw.len(), |colon| colon + 1);
    let (name, value) = raw.split_at(colon);
    let mut out = Vec::with_capacity(raw.len());
    out.extend_from_slice(name);
    for (index, spec) in value.split(|&byte| byte == b';').enumerate() {
        if index > 0 {
            out.push(b';');
        }
        let equals = spec.iter().position(|&byte| byte == b'=').unwrap_or(spec.len());
        let (tag, _) = spec.split_at(equals);
        if tag.trim_ascii() == b"b" && equals < spec.len() {
            out.extend_from_slice(spec.get(..=equals).unwrap_or_default());
        } else {
            out.extend_from_slice(spec);
        }
    }
    out
}
