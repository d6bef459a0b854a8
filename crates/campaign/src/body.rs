//! Hashes bodies that have much in common.

use std::io;

use bytes::Bytes;
use posthaste_auth::dkim::{BodyHash, CanonicalBytes, Signer};
use posthaste_mime::{Prototype, Rope};

/// Hashes the bodies of messages made from one prototype.
///
/// What of them is constant was looked at once: an encoded attachment is its own canonical form, so that SHA-256 is all
/// that is left; and if the attachments come first, they are hashed once.
#[derive(Debug)]
pub(crate) struct BodyHasher {
    start: BodyHash,
    canonical: Vec<CanonicalBytes>,
    /// The chunks with which bodies begin, and their hash so far.
    leading: Vec<Bytes>,
    led: BodyHash,
}

impl BodyHasher {
    pub(crate) fn new(signer: &Signer, prototype: &Prototype) -> Self {
        let start = signer.body();
        let canonical = prototype.shared_chunks().cloned().filter_map(CanonicalBytes::new);
        let leading: Vec<Bytes> = prototype.leading_chunks().cloned().collect();
        let mut led = start.clone();
        for chunk in &leading {
            led.update(chunk);
        }
        Self {
            canonical: canonical.collect(),
            start,
            leading,
            led,
        }
    }

    /// Hashes `body`, reading what has to be read.
    pub(crate) fn hash(&self, body: &Rope) -> io::Result<BodyHash> {
        let Some(chunks) = body.in_memory() else {
            let mut hash = self.start.clone();
            for chunk in body.chunks() {
                hash.update(&chunk?);
            }
            return Ok(hash);
        };
        let begins = chunks.len() >= self.leading.len()
            && self
                .leading
                .iter()
                .zip(chunks.clone())
                .all(|(known, chunk)| is_same(known, chunk));
        let (mut hash, known) = if begins {
            (self.led.clone(), self.leading.len())
        } else {
            (self.start.clone(), 0)
        };
        chunks.skip(known).for_each(|chunk| self.update(&mut hash, chunk));
        Ok(hash)
    }

    fn update(&self, hash: &mut BodyHash, chunk: &Bytes) {
        match self.canonical.iter().find(|known| is_same(known.as_bytes(), chunk)) {
            Some(known) => hash.update_canonical(known),
            None => hash.update(chunk),
        }
    }
}

/// Tells whether both are the same octets of memory, which nobody can change.
fn is_same(known: &Bytes, chunk: &Bytes) -> bool {
    known.as_ptr() == chunk.as_ptr() && known.len() == chunk.len()
}
