//! Hashing bodies in their canonical form (RFC 6376 §3.4.3 and §3.4.4).

use std::fmt;

use aws_lc_rs::digest;
use bytes::Bytes;

use super::canonicalization::Canonicalization;
use super::scan::gap;

/// How many canonical octets are gathered before they are hashed.
const SLICE: usize = 2048;

/// Runs as long as this are hashed where they stand.
const LONG: usize = 256;

/// Hashes a body as it comes, in chunks cut anywhere (RFC 6376 §3.4.3 and §3.4.4).
///
/// A clone goes on from the same place: what many bodies begin with is hashed once. [`Signer::body`] makes one that fits a
/// signer, [`Signer::sign_body`] takes it.
///
/// [`Signer::body`]: super::Signer::body
/// [`Signer::sign_body`]: super::Signer::sign_body
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use posthaste_auth::dkim::{Signer, SigningKey};
///
/// let key = SigningKey::generate_ed25519()?;
/// let signer = Signer::builder("example.org".parse()?).key("s1".parse()?, key).build()?;
///
/// let mut greeting = signer.body();
/// greeting.update(b"Dear ");
/// for name in ["Ada", "Charles"] {
///     let mut body = greeting.clone();
///     body.update(name.as_bytes());
///     body.update(b",\r\n");
///     let fields = signer.sign_body(b"From: ada@example.org\r\n", body, SystemTime::now())?;
///     assert!(fields.starts_with("DKIM-Signature: "));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BodyHash {
    canonicalization: Canonicalization,
    hash: digest::Context,
    out: Vec<u8>,
    /// A CR whose LF may be in the next chunk.
    cr: bool,
    /// White space that counts only if something follows it on its line. Never in a simple body.
    space: bool,
    /// Line ends that count only if something follows them.
    line_ends: u64,
    /// How many octets of the canonical body may still be hashed: the `l=` tag of others.
    limit: u64,
    length: u64,
}

impl BodyHash {
    /// Begins an empty body.
    #[must_use]
    pub fn new(canonicalization: Canonicalization) -> Self {
        Self {
            canonicalization,
            hash: digest::Context::new(&digest::SHA256),
            out: Vec::new(),
            cr: false,
            space: false,
            line_ends: 0,
            limit: u64::MAX,
            length: 0,
        }
    }

    /// Hashes at most `limit` octets of the canonical body.
    pub(crate) fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// How the body is canonicalised.
    #[must_use]
    pub fn canonicalization(&self) -> Canonicalization {
        self.canonicalization
    }

    /// Takes what comes next of the body. Line ends must be CRLF, as on the wire.
    pub fn update(&mut self, chunk: &[u8]) {
        match self.canonicalization {
            Canonicalization::Simple => self.update_simple(chunk),
            Canonicalization::Relaxed => self.update_relaxed(chunk),
        }
    }

    /// Takes what comes next, known to be canonical: nothing is left to do but SHA-256.
    ///
    /// The hash is the one that [`Self::update`] would give, whatever stands before and behind the chunk.
    pub fn update_canonical(&mut self, chunk: &CanonicalBytes) {
        if self.cr || self.space {
            // What is held back may belong together with how the chunk begins.
            self.update(&chunk.bytes);
            return;
        }
        let (text, _) = chunk.bytes.split_at_checked(chunk.text).unwrap_or((&chunk.bytes, &[]));
        self.text(text);
        self.line_ends += ((chunk.bytes.len() - text.len()) / 2) as u64;
    }

    /// Only line ends at the end of the body may have to go.
    fn update_simple(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        if self.cr && !rest.is_empty() {
            self.cr = false;
            if let Some(behind) = rest.strip_prefix(b"\n") {
                self.line_ends += 1;
                rest = behind;
            } else {
                self.text(b"\r");
            }
        }
        if let Some(before) = rest.strip_suffix(b"\r") {
            self.cr = true;
            rest = before;
        }
        let text = without_line_ends(rest);
        self.text(text);
        self.line_ends += ((rest.len() - text.len()) / 2) as u64;
    }

    fn update_relaxed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.cr {
                self.cr = false;
                if byte == b'\n' {
                    self.end_line();
                    rest = tail;
                    continue;
                }
                self.text(b"\r");
            }
            match byte {
                b'\r' => {
                    if let Some(behind) = tail.strip_prefix(b"\n") {
                        self.end_line();
                        rest = behind;
                    } else {
                        self.cr = true;
                        rest = tail;
                    }
                }
                b' ' | b'\t' => {
                    self.space = true;
                    rest = without_white_space(tail);
                }
                _ => {
                    let (run, tail) = rest.split_at_checked(run(rest)).unwrap_or((rest, &[]));
                    self.text(run);
                    rest = tail;
                }
            }
        }
    }

    fn end_line(&mut self) {
        self.line_ends += 1;
        self.space = false;
    }

    /// Takes octets that count, and with them what was held back before them.
    fn text(&mut self, run: &[u8]) {
        if run.is_empty() {
            return;
        }
        if self.line_ends == 1 && self.space {
            self.line_ends = 0;
            self.space = false;
            self.push(b"\r\n ");
        }
        while self.line_ends > 0 {
            self.line_ends -= 1;
            self.push(b"\r\n");
        }
        if self.space {
            self.space = false;
            self.push(b" ");
        }
        self.push(run);
    }

    fn push(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        let taken = usize::try_from(self.limit).unwrap_or(usize::MAX).min(bytes.len());
        self.limit -= taken as u64;
        let bytes = bytes.get(..taken).unwrap_or_default();
        let is_long = bytes.len() >= LONG;
        if !is_long {
            self.out.extend_from_slice(bytes);
        }
        if is_long || self.out.len() >= SLICE {
            self.hash.update(&self.out);
            self.out.clear();
        }
        if is_long {
            self.hash.update(bytes);
        }
    }

    /// The hash of the canonical body, and how long that body is in octets, whatever the limit.
    pub(crate) fn finish(mut self) -> (digest::Digest, u64) {
        if self.cr {
            self.cr = false;
            self.text(b"\r");
        }
        // §3.4.3: a simple body ends with one CRLF, an empty one is that CRLF. §3.4.4: an empty relaxed body is empty.
        if self.length > 0 || self.canonicalization == Canonicalization::Simple {
            self.push(b"\r\n");
        }
        self.hash.update(&self.out);
        (self.hash.finish(), self.length)
    }
}

/// Shows the canonicalisation and the canonical length so far, never the body.
impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyHash")
            .field("canonicalization", &self.canonicalization)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// A chunk of a body that is its own canonical form, simple and relaxed, so that [`BodyHash::update_canonical`] need not
/// look at it: base64, say. Clones share the bytes.
///
/// It may stand anywhere in a body, and need not begin or end with a line: hashing keeps back the line ends at its end, and
/// looks at the chunk after all where white space or half a line end stands right before it.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dkim::CanonicalBytes;
///
/// assert!(CanonicalBytes::new("SGVsbG8g\r\nd29ybGQ=".into()).is_some());
/// assert!(CanonicalBytes::new("Two  spaces, which relaxed makes one".into()).is_none());
/// ```
#[derive(Clone)]
pub struct CanonicalBytes {
    bytes: Bytes,
    /// How many octets stand before the line ends that end the chunk.
    text: usize,
}

impl CanonicalBytes {
    /// Proves it by looking at every octet once: no tab, no white space beside white space or before a line end, no CR but
    /// before LF. `None`: the chunk is not canonical, or not certainly.
    #[must_use]
    pub fn new(bytes: Bytes) -> Option<Self> {
        let text = without_line_ends(&bytes);
        let is_canonical = run(text) == text.len();
        let text = text.len();
        is_canonical.then_some(Self { bytes, text })
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Unwraps the bytes.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// Shows the length, never the bytes.
impl fmt::Debug for CanonicalBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalBytes({} octets)", self.bytes.len())
    }
}

/// The chunk without the line ends that it ends with.
fn without_line_ends(chunk: &[u8]) -> &[u8] {
    let mut text = chunk;
    while let Some(before) = text.strip_suffix(b"\r\n") {
        text = before;
    }
    text
}

/// The chunk without the white space that it begins with.
fn without_white_space(chunk: &[u8]) -> &[u8] {
    let count = chunk.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    chunk.get(count..).unwrap_or_default()
}

/// How many octets at the start of `text` stand as they are in a relaxed body, whatever comes before and behind them, but for
/// line ends before the first of them.
///
/// Single spaces before text stand, and so do line ends that neither follow white space nor are the last.
fn run(text: &[u8]) -> usize {
    let end = rough(text);
    let (text, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    // Whether a CR that is the last octet is half a line end is not known yet.
    let text = text.strip_suffix(b"\r").filter(|_| rest.is_empty()).unwrap_or(text);
    without_line_ends(text).len()
}

/// Where the first [`gap`] is, which may have to be changed.
fn rough(text: &[u8]) -> usize {
    let mut index = 0;
    loop {
        let rest = text.get(index..).unwrap_or_default();
        // The octet behind the block tells what its last one is.
        let near = rest.get(..=BLOCK).unwrap_or(rest);
        let found = gap(near);
        if found < BLOCK || near.len() == rest.len() {
            return index + found;
        }
        index += BLOCK;
        index += smooth(text.get(index..).unwrap_or_default());
    }
}

/// How many octets are looked at together for what may have to be changed.
const BLOCK: usize = 128;

/// How many octets at the start of `text` are in blocks that certainly have no [`gap`]. There is one branch for a block, so
/// that the compiler can look at many octets at once.
fn smooth(text: &[u8]) -> usize {
    let mut count = 0;
    while let Some(block) = text.get(count..).and_then(<[u8]>::first_chunk::<{ BLOCK + 1 }>) {
        let mut least = u8::MAX;
        for (&here, &next) in block.iter().zip(&block[1..]) {
            // Zero where `here` is a space and `next` is no more than one; zero where `here` is a tab or less.
            let gap = (here ^ b' ') | next.saturating_sub(b' ');
            least = least.min(gap).min(here.saturating_sub(b'\t'));
        }
        if least == 0 {
            break;
        }
        count += BLOCK;
    }
    count
}

#[cfg(test)]
mod tests;
