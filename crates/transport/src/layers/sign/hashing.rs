//! Signing a message that has to be read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use posthaste_auth::dkim::{SignFuture, Signer};
use posthaste_mime::{Chunks, Clock};

/// The longest header section of a message that is streamed, in bytes. A message that is built has it in its first chunk.
const MAX_HEADER: usize = 1 << 20;

/// How much of a chunk is looked at, at once, for the end of the header section.
const STEP: usize = 4096;

const END: &[u8] = b"\r\n\r\n";

/// Calls the hashing off when it is dropped.
#[derive(Default)]
pub(super) struct CallOff(pub(super) Arc<AtomicBool>);

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What it takes to sign on a thread of its own.
pub(super) struct Hashing {
    pub(super) signer: Arc<Signer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) called_off: Arc<AtomicBool>,
}

impl Hashing {
    /// Reads all chunks and hashes the body; signing is left to do. Only one chunk is in memory at a time.
    pub(super) fn sign(&self, chunks: Chunks) -> io::Result<SignFuture> {
        let mut header = Header::default();
        let mut body = self.signer.body();
        for chunk in chunks {
            if self.called_off.load(Ordering::Relaxed) {
                return Err(io::Error::other("the send was called off"));
            }
            let chunk = chunk?;
            body.update(header.take(&chunk)?);
        }
        Ok(self.signer.sign_body_async(&header.octets, body, self.clock.now()))
    }
}

/// The header section, as far as it was seen.
#[derive(Debug, Default)]
struct Header {
    octets: Vec<u8>,
    complete: bool,
}

impl Header {
    /// Takes what belongs to the header section off `chunk`, its empty line included, and returns the rest.
    fn take<'a>(&mut self, chunk: &'a [u8]) -> io::Result<&'a [u8]> {
        let mut rest = chunk;
        while !self.complete && !rest.is_empty() {
            if self.octets.len() > MAX_HEADER {
                let message = format!("the header section has more than {MAX_HEADER} octets");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            let (step, behind) = rest.split_at(rest.len().min(STEP));
            let seen = self.octets.len();
            self.octets.extend_from_slice(step);
            let from = seen.saturating_sub(END.len() - 1);
            let window = self.octets.get(from..).unwrap_or_default();
            if let Some(at) = window.windows(END.len()).position(|window| window == END) {
                let end = from + at + END.len();
                self.octets.truncate(end);
                self.complete = true;
                rest = rest.get(end - seen..).unwrap_or_default();
            } else {
                rest = behind;
            }
        }
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_ends_where_it_ends_however_it_is_cut() {
        let mut message = b"A: b\r\n".repeat(2000);
        message.extend_from_slice(b"\r\nbody\r\n\r\nmore");
        let header = 2000 * 6 + 2;
        for size in [
            1,
            2,
            3,
            4,
            5,
            4095,
            4096,
            4097,
            header - 1,
            header,
            header + 1,
            message.len(),
        ] {
            let mut taken = Header::default();
            let mut body = Vec::new();
            for chunk in message.chunks(size) {
                body.extend_from_slice(taken.take(chunk).unwrap());
            }
            assert_eq!(taken.octets, message[..header], "{size}");
            assert_eq!(body, message[header..], "{size}");
        }
    }

    #[test]
    fn a_header_without_an_end_is_not_kept_for_ever() {
        let mut header = Header::default();
        let chunk = vec![b'x'; 64 << 10];
        let taken = (0..100).take_while(|_| header.take(&chunk).is_ok()).count();
        assert!(taken <= 17, "{taken}");
        assert!(header.octets.len() <= MAX_HEADER + STEP);
    }
}
