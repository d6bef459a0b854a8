//! The signer.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Domain;

use super::builder::SignerBuilder;
use super::error::SignError;
use super::field::{Folding, push_b, push_signature};
use super::header_names::HeaderNames;
use super::identity::{Identity, Key};
use super::join::{Pending, try_join};
use crate::dkim::body::BodyHash;
use crate::dkim::canonicalization::{Canonicalization, push_field};
use crate::dkim::dns_record::DnsRecord;
use crate::dkim::fields::Fields;
use crate::dkim::key::Algorithm;
use crate::dkim::remote::{RemoteKey, SigningInput};

/// The latest time that `t=` and `x=` may hold, in seconds: twelve digits (RFC 6376 §3.5).
pub(crate) const LATEST: u64 = 999_999_999_999;

/// What [`Signer::sign_async`] gives: signature fields, some time later.
pub type SignFuture = Pin<Box<dyn Future<Output = Result<String, SignError>> + Send>>;

/// Signs messages with one key or several. Clones share the keys.
///
/// It signs the fields that make up what a reader sees, and of those one more than there are, so that nobody can add
/// another (RFC 6376 §8.15). It never writes `l=`.
#[derive(Clone, Debug)]
pub struct Signer {
    pub(super) identities: Arc<[Identity]>,
    pub(super) header: Canonicalization,
    pub(super) body: Canonicalization,
    pub(super) names: Arc<HeaderNames>,
    pub(super) expire_after: Option<Duration>,
}

/// What all signatures of one message have in common.
struct Prepared {
    header: Canonicalization,
    /// The canonical header up to the signature field.
    canonical: Vec<u8>,
    constant: usize,
    /// The signature field from its time to `b=`.
    tags: String,
}

impl Prepared {
    /// Appends the signature field up to its signature, and says what is to be signed.
    fn begin(&mut self, identity: &Identity, out: &mut String) -> Digest {
        let start = out.len();
        out.push_str(&identity.opening);
        out.push_str(&self.tags);
        self.canonical.truncate(self.constant);
        let field = out.get(start..).unwrap_or_default();
        push_field(&mut self.canonical, field.as_bytes(), self.header);
        // RFC 6376 §3.7: the signature field goes in last, without its line end.
        self.canonical.truncate(self.canonical.len() - b"\r\n".len());
        digest(&SHA256, &self.canonical)
    }
}

impl Signer {
    /// Begins a signer for `domain`, the `d=` of its signatures.
    pub fn builder(domain: Domain) -> SignerBuilder {
        SignerBuilder::new(domain)
    }

    /// Signs a message given in chunks that may be cut anywhere, and gives one DKIM-Signature field for each key, each
    /// ended by CRLF, to be put before the message.
    ///
    /// The body is hashed once, and neither copied nor kept; line ends must be CRLF, as on the wire.
    ///
    /// # Errors
    ///
    /// [`SignError`]: the message has no From field, its header section is not in lines ended by CRLF or begins with white
    /// space, `now` is before 1970, or a private-key operation failed; [`SignError::RemoteKey`] if a key is in a key service.
    pub fn sign<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>, now: SystemTime) -> Result<String, SignError> {
        self.complete(self.prepare(chunks, now)?)
    }

    /// Begins the hash of a body that this signer is to sign: [`Self::sign_body`] takes it.
    #[must_use]
    pub fn body(&self) -> BodyHash {
        BodyHash::new(self.body)
    }

    /// Signs a message whose body was hashed already, and gives what [`Self::sign`] gives.
    ///
    /// `header` is the header section, with the empty line that ends it or without.
    ///
    /// # Errors
    ///
    /// [`SignError`], as of [`Self::sign`]; [`SignError::HeaderEnd`] if `header` goes on behind its empty line, and
    /// [`SignError::Canonicalization`] if `body` was begun by a signer that canonicalises bodies in another way.
    pub fn sign_body(&self, header: &[u8], body: BodyHash, now: SystemTime) -> Result<String, SignError> {
        self.complete(self.prepare_header(header, body, now)?)
    }

    /// Signs like [`Self::sign`], and waits for keys in key services.
    ///
    /// The message is read in the call, and not needed after it. Services are asked all at once; the first that does not sign
    /// ends it. Dropping the future cancels what they were asked. Keys that are here sign when the future is first polled.
    ///
    /// The future gives [`SignError`], as [`Self::sign`] does; [`SignError::KeyService`] if a key service gives no signature, and
    /// [`SignError::WrongSignature`] if it gives one that is not of this key.
    #[must_use]
    pub fn sign_async<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>, now: SystemTime) -> SignFuture {
        self.complete_async(self.prepare(chunks, now))
    }

    /// Signs like [`Self::sign_body`], and waits for keys in key services, as [`Self::sign_async`] does.
    #[must_use]
    pub fn sign_body_async(&self, header: &[u8], body: BodyHash, now: SystemTime) -> SignFuture {
        self.complete_async(self.prepare_header(header, body, now))
    }

    /// Says whether a key is in a key service, so that only [`Self::sign_async`] can sign.
    #[must_use]
    pub fn has_remote_keys(&self) -> bool {
        self.identities
            .iter()
            .any(|identity| matches!(identity.key, Key::Remote(_)))
    }

    /// The TXT records to publish, one for each key that is here or whose service tells its public key.
    #[must_use]
    pub fn dns_records(&self) -> Vec<DnsRecord> {
        self.identities
            .iter()
            .filter_map(|identity| {
                let text = match &identity.key {
                    Key::Local(key) => key.dns_record(),
                    Key::Remote(key) => key.public_key()?.dns_record(),
                };
                Some(DnsRecord::new(&identity.selector, &identity.domain, text))
            })
            .collect()
    }

    fn prepare<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>, now: SystemTime) -> Result<Prepared, SignError> {
        let mut body = self.body();
        let mut chunks = chunks.into_iter();
        let first = chunks.next().unwrap_or_default();
        let fields = Fields::parse(first);
        if fields.has_end() {
            body.update(first.get(fields.body_offset()..).unwrap_or_default());
            chunks.for_each(|chunk| body.update(chunk));
            return self.prepare_fields(&fields, body, now);
        }
        let header = split(first, chunks, &mut body);
        let fields = Fields::parse(&header);
        if fields.body_offset() != header.len() {
            return Err(SignError::LineEnds);
        }
        self.prepare_fields(&fields, body, now)
    }

    fn prepare_header(&self, header: &[u8], body: BodyHash, now: SystemTime) -> Result<Prepared, SignError> {
        let fields = Fields::parse(header);
        if fields.body_offset() != header.len() {
            return Err(SignError::HeaderEnd);
        }
        self.prepare_fields(&fields, body, now)
    }

    fn prepare_fields(&self, fields: &Fields<'_>, body: BodyHash, now: SystemTime) -> Result<Prepared, SignError> {
        if body.canonicalization() != self.body {
            return Err(SignError::Canonicalization);
        }
        let time = now.duration_since(UNIX_EPOCH).map_err(|_| SignError::Time)?.as_secs();
        if time > LATEST {
            return Err(SignError::Time);
        }
        check_header(fields)?;
        let mut tags = String::with_capacity(512);
        let mut folding = Folding::new(&mut tags);
        folding.fold();
        // Writing to a string does not fail.
        let _ = write!(tags, "t={time};");
        if let Some(after) = self.expire_after {
            let _ = write!(tags, " x={};", time.saturating_add(after.as_secs()).min(LATEST));
        }
        Folding::new(&mut tags).tag("bh", &STANDARD.encode(body.finish().0));
        let mut canonical = Vec::with_capacity(fields.body_offset() + 1024);
        self.names.select(fields, self.header, &mut canonical, &mut tags);
        push_b(&mut tags);
        Ok(Prepared {
            header: self.header,
            constant: canonical.len(),
            canonical,
            tags,
        })
    }

    fn complete(&self, mut prepared: Prepared) -> Result<String, SignError> {
        let mut signed = String::with_capacity((prepared.tags.len() + 600) * self.identities.len());
        let mut signature = Vec::with_capacity(512);
        for identity in self.identities.iter() {
            let Key::Local(key) = &identity.key else {
                return Err(SignError::RemoteKey(identity.selector.clone()));
            };
            let hash = prepared.begin(identity, &mut signed);
            key.sign(&hash, &mut signature).ok_or(SignError::Key)?;
            push_signature(&mut signed, &signature);
        }
        Ok(signed)
    }

    fn complete_async(&self, prepared: Result<Prepared, SignError>) -> SignFuture {
        let identities = Arc::clone(&self.identities);
        Box::pin(async move {
            let mut prepared = prepared?;
            let parts: Vec<Part<'_>> = identities
                .iter()
                .map(|identity| Part::new(identity, &mut prepared))
                .collect();
            let signatures: Vec<Vec<u8>> = try_join(parts.iter().map(Part::sign).collect()).await?;
            let mut signed = String::new();
            for (part, signature) in parts.iter().zip(signatures) {
                signed.push_str(&part.field);
                push_signature(&mut signed, &signature);
            }
            Ok(signed)
        })
    }
}

/// One signature that is waited for.
struct Part<'a> {
    identity: &'a Identity,
    field: String,
    hash: Digest,
    input: SigningInput,
}

impl<'a> Part<'a> {
    fn new(identity: &'a Identity, prepared: &mut Prepared) -> Self {
        let mut field = String::with_capacity(prepared.tags.len() + 600);
        let hash = prepared.begin(identity, &mut field);
        let mut octets = [0; 32];
        octets.copy_from_slice(hash.as_ref());
        Self {
            identity,
            field,
            input: SigningInput {
                domain: identity.domain.clone(),
                selector: identity.selector.clone(),
                header: prepared.canonical.clone(),
                hash: octets,
            },
            hash,
        }
    }

    fn sign(&self) -> Pending<'_, Vec<u8>, SignError> {
        Box::pin(self.sign_in_time())
    }

    async fn sign_in_time(&self) -> Result<Vec<u8>, SignError> {
        match &self.identity.key {
            Key::Local(key) => {
                let mut signature = Vec::new();
                key.sign(&self.hash, &mut signature).ok_or(SignError::Key)?;
                Ok(signature)
            }
            Key::Remote(key) => {
                let selector = &self.identity.selector;
                let signature = key.sign(&self.input).await.map_err(|source| SignError::KeyService {
                    selector: selector.clone(),
                    source,
                })?;
                if is_plausible(&**key, &signature, self.input.header(), 2048) {
                    Ok(signature)
                } else {
                    Err(SignError::WrongSignature(selector.clone()))
                }
            }
        }
    }
}

/// Says whether it verifies, or, where the public key is not known, whether it could be a signature of this algorithm by its length.
/// `least` is the length of the shortest RSA key in bits.
pub(crate) fn is_plausible(key: &dyn RemoteKey, signature: &[u8], header: &[u8], least: usize) -> bool {
    match key.public_key() {
        Some(public) => public.verifies(header, signature),
        None => match key.algorithm() {
            Algorithm::RsaSha256 => (least / 8..=8192 / 8).contains(&signature.len()),
            Algorithm::Ed25519Sha256 => signature.len() == 64,
        },
    }
}

/// Gathers the header section, its empty line included, and hashes what follows it.
fn split<'a>(first: &'a [u8], chunks: impl Iterator<Item = &'a [u8]>, body: &mut BodyHash) -> Vec<u8> {
    let mut header = Vec::new();
    let mut in_body = false;
    for chunk in std::iter::once(first).chain(chunks) {
        if in_body {
            body.update(chunk);
            continue;
        }
        match header_end(&header, chunk) {
            Some(end) => {
                let (last, rest) = chunk.split_at_checked(end).unwrap_or((chunk, &[]));
                header.extend_from_slice(last);
                in_body = true;
                body.update(rest);
            }
            None => header.extend_from_slice(chunk),
        }
    }
    header
}

/// Where in `chunk` the header section ends that `seen` began; the empty line may have been cut in two.
fn header_end(seen: &[u8], chunk: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let before = seen.get(seen.len().saturating_sub(END.len() - 1)..).unwrap_or_default();
    let border: Vec<u8> = before.iter().chain(chunk.iter().take(END.len() - 1)).copied().collect();
    if let Some(at) = border.windows(END.len()).position(|window| window == END) {
        return Some(at + END.len() - before.len());
    }
    chunk
        .windows(END.len())
        .position(|window| window == END)
        .map(|at| at + END.len())
}

/// What a header section needs to be signed (RFC 6376 §5.3, §5.4).
pub(crate) fn check_header(fields: &Fields<'_>) -> Result<(), SignError> {
    if fields.has_bare_line_end() {
        return Err(SignError::LineEnds);
    }
    if fields.is_folded() {
        return Err(SignError::FirstLine);
    }
    // A signature goes in front, and what was the first line of an mbox would then be stray.
    if fields.has_stray_line() || fields.has_mbox_line() {
        return Err(SignError::StrayLine);
    }
    if fields.count("From") == 0 {
        return Err(SignError::NoFrom);
    }
    Ok(())
}
