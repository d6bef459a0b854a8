//! A message as it comes in after BDAT, by length (RFC 3030).

use memchr::memchr2;

use super::ContentFault;

/// Takes the chunks of a message: counts their octets, and holds the lines in them to the same rules as those after DATA.
/// Keeps nothing itself: what is found is handed over piece by piece.
///
/// Once a fault is found nothing more is handed over, yet a chunk is still read to its end, so that the session stays in
/// step.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::protocol::ChunkDecoder;
///
/// let mut decoder = ChunkDecoder::new(1000, 1000);
/// let mut content = Vec::new();
/// decoder.begin(3);
/// let used = decoder.advance(b"a\r\nBDAT 0 LAST\r\n", |piece| content.extend_from_slice(piece));
/// assert_eq!((used, decoder.left()), (3, 0));
/// assert_eq!(decoder.finish(), Ok(()));
/// assert_eq!(content, b"a\r\n");
/// ```
#[derive(Debug)]
pub struct ChunkDecoder {
    /// Octets of the chunk that did not come yet.
    left: u64,
    size: u64,
    max_size: u64,
    max_line: usize,
    line_length: usize,
    /// Whether the last octet was a CR.
    cr: bool,
    fault: Option<ContentFault>,
}

impl ChunkDecoder {
    /// Makes a decoder that takes messages of at most `max_size` octets and lines of `max_line` octets, CR LF included.
    pub fn new(max_size: usize, max_line: usize) -> Self {
        Self {
            left: 0,
            size: 0,
            max_size: u64::try_from(max_size).unwrap_or(u64::MAX),
            max_line,
            line_length: 0,
            cr: false,
            fault: None,
        }
    }

    /// Begins a chunk of `length` octets. What is left of the one before is forgotten.
    pub fn begin(&mut self, length: u64) {
        self.left = length;
        self.size = self.size.saturating_add(length);
        if self.size > self.max_size {
            self.fail(ContentFault::TooBig);
        }
    }

    /// Takes octets up to the end of the chunk, hands them to `keep`, and returns how many were taken.
    pub fn advance(&mut self, input: &[u8], mut keep: impl FnMut(&[u8])) -> usize {
        let length = usize::try_from(self.left).map_or(input.len(), |left| left.min(input.len()));
        let piece = input.get(..length).unwrap_or_default();
        self.left -= u64::try_from(length).unwrap_or(self.left);
        if self.fault.is_none() {
            self.check(piece);
        }
        if self.fault.is_none() && !piece.is_empty() {
            keep(piece);
        }
        length
    }

    /// Returns how many octets of the chunk did not come yet.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Returns the first fault found.
    pub fn fault(&self) -> Option<ContentFault> {
        self.fault
    }

    /// Ends the message after its last chunk.
    ///
    /// # Errors
    ///
    /// The first [`ContentFault`] found: a CR at the very end is one, too.
    pub fn finish(&mut self) -> Result<(), ContentFault> {
        if self.cr {
            self.fail(ContentFault::BareLineEnd);
        }
        self.fault.map_or(Ok(()), Err)
    }

    fn check(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some(&first) = rest.first() {
            if self.cr {
                self.cr = false;
                if first != b'\n' {
                    return self.fail(ContentFault::BareLineEnd);
                }
                if self.line_length + 2 > self.max_line {
                    return self.fail(ContentFault::LongLine);
                }
                self.line_length = 0;
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let run = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            self.line_length += run;
            if self.line_length + 2 > self.max_line {
                return self.fail(ContentFault::LongLine);
            }
            match rest.get(run) {
                None => return,
                Some(b'\r') => self.cr = true,
                Some(_) => return self.fail(ContentFault::BareLineEnd),
            }
            rest = rest.get(run + 1..).unwrap_or_default();
        }
    }

    fn fail(&mut self, fault: ContentFault) {
        self.fault.get_or_insert(fault);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `message` as one chunk, cut in two everywhere; the result must not depend on the cut.
    fn read(message: &[u8], max_size: usize, max_line: usize) -> Result<Vec<u8>, ContentFault> {
        let results: Vec<_> = (0..=message.len())
            .map(|at| {
                let mut decoder = ChunkDecoder::new(max_size, max_line);
                let mut content = Vec::new();
                decoder.begin(message.len() as u64);
                let (left, right) = message.split_at(at);
                assert_eq!(
                    decoder.advance(left, |piece| content.extend_from_slice(piece)),
                    left.len()
                );
                assert_eq!(
                    decoder.advance(right, |piece| content.extend_from_slice(piece)),
                    right.len()
                );
                assert_eq!(decoder.left(), 0);
                decoder.finish().map(|()| content)
            })
            .collect();
        assert!(
            results.windows(2).all(|pair| pair[0] == pair[1]),
            "{message:?}: {results:?}"
        );
        results.into_iter().next().unwrap()
    }

    /// Whether `text` holds a CR or LF that is not part of CR LF: what the decoder finds piece by piece, said in one.
    fn has_bare_line_end(text: &[u8]) -> bool {
        let mut rest = text;
        while let Some(at) = memchr2(b'\r', b'\n', rest) {
            if !rest[at..].starts_with(b"\r\n") {
                return true;
            }
            rest = &rest[at + 2..];
        }
        false
    }

    #[test]
    fn holds_lines_to_the_rules() {
        assert_eq!(read(b"a\r\n.\r\nb", 100, 10).unwrap(), b"a\r\n.\r\nb");
        for bad in [&b"a\nb"[..], b"a\rb\r\n", b"a\r", b"\n", b"a\r\r\n"] {
            assert_eq!(read(bad, 100, 10), Err(ContentFault::BareLineEnd), "{bad:?}");
        }
        assert_eq!(read(b"123456789\r\n", 100, 10), Err(ContentFault::LongLine));
        assert_eq!(read(b"1234\r\n", 5, 10), Err(ContentFault::TooBig));
    }

    #[test]
    fn takes_no_more_than_the_chunk() {
        let mut decoder = ChunkDecoder::new(10, 10);
        decoder.begin(2);
        assert_eq!((decoder.advance(b"abc", |_| ()), decoder.left()), (2, 0));
        decoder.begin(u64::MAX);
        assert_eq!(decoder.fault(), Some(ContentFault::TooBig));
        assert_eq!(decoder.advance(b"abc", |_| panic!("not kept")), 3);
    }

    proptest! {
        #[test]
        fn finds_every_bare_line_end(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..60)) {
            prop_assert_eq!(read(&bytes, 100, 100).is_err(), has_bare_line_end(&bytes));
        }
    }
}
