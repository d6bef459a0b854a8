//! Signing.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Domain;

use super::body::BodyHash;
use super::canonicalization::{Canonicalization, push_field};
use super::fields::Fields;
use super::key::SigningKey;
use super::selector::Selector;

/// Fields of which one more is signed than there are, so that none can be added later (RFC 6376 §8.15).
const OVERSIGNED: [&str; 9] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Reply-To",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
];

/// Fields that are signed where there are any, and then once more than there are.
const OVERSIGNED_IF_PRESENT: [&str; 5] = [
    "Sender",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
];

/// Fields that are signed as often as there are any.
const SIGNED: [&str; 15] = [
    "In-Reply-To",
    "References",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Date",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Feedback-ID",
];

/// How long a line of the signature field is at most, in octets.
const LINE: usize = 76;

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
    /// A name in the list of header fields is not one.
    #[error("`{0}` is not the name of a header field")]
    HeaderName(String),
    /// From must be signed (RFC 6376 §5.4).
    #[error("the header fields to sign must contain From")]
    FromNotSigned,
    /// A signature would expire when it is made.
    #[error("signatures must hold for a second at least")]
    Expiry,
}

/// Why a message is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message has no From field (RFC 6376 §5.4).
    #[error("message has no From field")]
    NoFrom,
    /// The header section has line ends that are not CRLF, so that nobody could say where it ends (RFC 6376 §5.3).
    #[error("header section has line ends that are not CRLF")]
    LineEnds,
    /// The body was hashed in another canonical form than the signer's.
    #[error("body was hashed in another canonical form than the signer's")]
    Canonicalization,
    /// The time is before 1970.
    #[error("time of signing is before 1970")]
    Time,
    /// The private-key operation failed.
    #[error("the private-key operation failed")]
    Key,
}

#[derive(Debug)]
struct Identity {
    domain: Domain,
    selector: Selector,
    key: SigningKey,
}

/// Signs messages with one key or several. Clones share the keys.
///
/// It signs the fields that make up what a reader sees, and one more of each than there are, so that nobody can add
/// another (RFC 6376 §8.15). It never writes `l=`.
#[derive(Clone, Debug)]
pub struct Signer {
    identities: Arc<[Identity]>,
    header: Canonicalization,
    body: Canonicalization,
    names: Option<Arc<[String]>>,
    expire_after: Option<Duration>,
}

/// Composes a [`Signer`].
#[derive(Debug)]
#[must_use]
pub struct SignerBuilder {
    domain: Domain,
    identities: Vec<Identity>,
    header: Canonicalization,
    body: Canonicalization,
    names: Option<Vec<String>>,
    expire_after: Option<Duration>,
}

impl SignerBuilder {
    /// Adds a key of the signer's domain.
    pub fn key(self, selector: Selector, key: SigningKey) -> Self {
        let domain = self.domain.clone();
        self.key_for(domain, selector, key)
    }

    /// Adds a key of another domain: a provider that signs for itself too, say.
    pub fn key_for(mut self, domain: Domain, selector: Selector, key: SigningKey) -> Self {
        self.identities.push(Identity { domain, selector, key });
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
        if self.identities.is_empty() {
            return Err(SignerError::NoKey);
        }
        if let Some(identity) = self
            .identities
            .iter()
            .find(|identity| identity.domain.is_literal() || !identity.domain.as_str().contains('.'))
        {
            return Err(SignerError::Domain(identity.domain.clone()));
        }
        if let Some(names) = &self.names {
            let is_name = |name: &&String| {
                !name.is_empty() && name.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b':' && b != b';')
            };
            if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
                return Err(SignerError::HeaderName(wrong.clone()));
            }
            if !names.iter().any(|name| name.eq_ignore_ascii_case("from")) {
                return Err(SignerError::FromNotSigned);
            }
        }
        if self.expire_after.is_some_and(|time| time.as_secs() == 0) {
            return Err(SignerError::Expiry);
        }
        Ok(Signer {
            identities: self.identities.into(),
            header: self.header,
            body: self.body,
            names: self.names.map(Into::into),
            expire_after: self.expire_after,
        })
    }
}

impl Signer {
    /// Begins a signer for `domain`, the `d=` of its signatures.
    pub fn builder(domain: Domain) -> SignerBuilder {
        SignerBuilder {
            domain,
            identities: Vec::new(),
            header: Canonicalization::Relaxed,
            body: Canonicalization::Relaxed,
            names: None,
            expire_after: None,
        }
    }

    /// Signs a message given in chunks that may be cut anywhere, and gives one DKIM-Signature field for each key, each
    /// ended by CRLF, to be put before the message.
    ///
    /// The body is hashed once, and neither copied nor kept; line ends must be CRLF, as on the wire.
    ///
    /// # Errors
    ///
    /// [`SignError`]: the message has no From field, its header section is not in lines ended by CRLF, `now` is before
    /// 1970, or a private-key operation failed.
    pub fn sign<'a>(&self, chunks: impl IntoIterator<Item = &'a [u8]>, now: SystemTime) -> Result<String, SignError> {
        let mut body = self.body();
        let header = split(chunks, &mut body);
        self.sign_body(&header, body, now)
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
    /// [`SignError`], as of [`Self::sign`], and [`SignError::Canonicalization`] if `body` was made by a signer that canonicalises
    /// bodies in another way.
    pub fn sign_body(&self, header: &[u8], body: BodyHash, now: SystemTime) -> Result<String, SignError> {
        if body.canonicalization() != self.body {
            return Err(SignError::Canonicalization);
        }
        let time = now.duration_since(UNIX_EPOCH).map_err(|_| SignError::Time)?.as_secs();
        let fields = Fields::parse(header);
        if fields.body_offset() != header.len() || has_bare_line_end(header) {
            return Err(SignError::LineEnds);
        }
        if fields.count("From") == 0 {
            return Err(SignError::NoFrom);
        }
        let names = self.names_in(&fields);
        let mut canonical = Vec::with_capacity(header.len() + 512);
        for field in fields.select(names.iter().map(|name| name.as_bytes()), None) {
            push_field(&mut canonical, field.raw, self.header);
        }
        let body_hash = STANDARD.encode(body.finish().0);

        let constant = canonical.len();
        let mut signed = String::with_capacity(1024 * self.identities.len());
        for identity in self.identities.iter() {
            let mut field = self.field(identity, &names, &body_hash, time);
            canonical.truncate(constant);
            push_field(&mut canonical, field.as_bytes(), self.header);
            // RFC 6376 §3.7: the signature field goes in last, without its line end. A simple one has none here yet.
            if canonical.ends_with(b"\r\n") {
                canonical.truncate(canonical.len() - 2);
            }
            let signature = STANDARD.encode(identity.key.sign(&canonical).ok_or(SignError::Key)?);
            push_folded(&mut field, &signature);
            field.push_str("\r\n");
            signed.push_str(&field);
        }
        Ok(signed)
    }

    /// The names for `h=`.
    fn names_in(&self, fields: &Fields<'_>) -> Vec<&str> {
        if let Some(names) = &self.names {
            return names.iter().map(String::as_str).collect();
        }
        let mut names = Vec::with_capacity(32);
        for name in OVERSIGNED {
            names.extend(std::iter::repeat_n(name, fields.count(name) + 1));
        }
        for name in OVERSIGNED_IF_PRESENT {
            let count = fields.count(name);
            names.extend(std::iter::repeat_n(name, if count > 0 { count + 1 } else { 0 }));
        }
        for name in SIGNED {
            names.extend(std::iter::repeat_n(name, fields.count(name)));
        }
        names
    }

    /// The field up to `b=`, folded.
    fn field(&self, identity: &Identity, names: &[&str], body_hash: &str, time: u64) -> String {
        let mut field = "DKIM-Signature: v=1;".to_owned();
        let mut line = field.len();
        let mut push = |tag: &str| {
            if line + 1 + tag.len() > LINE {
                field.push_str("\r\n\t");
                line = 1;
            } else {
                field.push(' ');
                line += 1;
            }
            field.push_str(tag);
            line += tag.len();
        };
        push(&format!("a={};", identity.key.algorithm()));
        push(&format!("c={}/{};", self.header, self.body));
        push(&format!("d={};", identity.domain));
        push(&format!("s={};", identity.selector));
        push(&format!("t={time};"));
        if let Some(after) = self.expire_after {
            push(&format!("x={};", time.saturating_add(after.as_secs())));
        }
        let last = names.len().saturating_sub(1);
        for (index, name) in names.iter().enumerate() {
            let prefix = if index == 0 { "h=" } else { "" };
            push(&format!("{prefix}{name}{}", if index == last { ";" } else { ":" }));
        }
        push(&format!("bh={body_hash};"));
        field.push_str("\r\n\tb=");
        field
    }
}

/// Appends base64, folded.
fn push_folded(field: &mut String, text: &str) {
    let mut room = LINE - 3;
    for c in text.chars() {
        if room == 0 {
            field.push_str("\r\n\t");
            room = LINE - 1;
        }
        field.push(c);
        room -= 1;
    }
}

/// Gathers the header section, its empty line included, and hashes what follows it.
fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, body: &mut BodyHash) -> Vec<u8> {
    let mut header = Vec::new();
    let mut in_body = false;
    for chunk in chunks {
        if in_body {
            body.update(chunk);
            continue;
        }
        match header_end(&header, chunk) {
            Some(end) => {
                let (last, rest) = chunk.split_at(end);
                header.extend_from_slice(last);
                in_body = true;
                body.update(rest);
            }
            None => header.extend_from_slice(chunk),
        }
    }
    header
}

/// Says whether there is a CR without its LF, or an LF without its CR.
fn has_bare_line_end(header: &[u8]) -> bool {
    let mut previous = 0;
    let bare = header.iter().any(|&byte| {
        let bare = (byte == b'\n') != (previous == b'\r');
        previous = byte;
        bare
    });
    bare || previous == b'\r'
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
