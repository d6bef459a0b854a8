//! A message as it comes in after DATA or BDAT.

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

/// Why a message that came in cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentFault {
    /// A CR or LF that is not part of CR LF: the sign of a smuggled message (RFC 5321 §2.3.8).
    #[error("bare CR or LF in the message")]
    BareLineEnd,
    /// A line longer than the limit.
    #[error("a line of the message is too long")]
    LongLine,
    /// More octets than the limit.
    #[error("the message is too big")]
    TooBig,
}

/// Reads a message up to CR LF `.` CR LF, and to nothing else, undoing the doubled dots. Keeps nothing itself: what is
/// found is handed over piece by piece.
///
/// Once a fault is found nothing more is handed over, yet the message is still read to its true end, so that the session
/// stays in step.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::protocol::DataDecoder;
///
/// let mut decoder = DataDecoder::new(1000, 1000);
/// let mut content = Vec::new();
/// let used = decoder.advance(b"..a\r\n.\r\nQUIT\r\n", |piece| content.extend_from_slice(piece));
/// assert_eq!((used, decoder.is_done()), (8, true));
/// assert_eq!(content, b".a\r\n");
/// ```
#[derive(Debug)]
pub struct DataDecoder {
    state: State,
    line_length: usize,
    size: usize,
    max_size: usize,
    max_line: usize,
    fault: Option<ContentFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    /// A dot at the start of a line, not handed over.
    Dot,
    /// A dot and a CR at the start of a line, not handed over.
    DotCr,
    Text,
    Cr,
    Done,
}

impl DataDecoder {
    /// Makes a decoder that takes messages of at most `max_size` octets and lines of `max_line` octets, CR LF included.
    pub fn new(max_size: usize, max_line: usize) -> Self {
        Self {
            state: State::LineStart,
            line_length: 0,
            size: 0,
            max_size,
            max_line,
            fault: None,
        }
    }

    /// Takes octets up to the end of the message, hands what is content to `keep`, and returns how many were taken: fewer
    /// than there are once the end was found.
    pub fn advance(&mut self, input: &[u8], mut keep: impl FnMut(&[u8])) -> usize {
        // `input[span..at]` is content that was not handed over yet.
        let (mut span, mut at) = (0, 0);
        while let Some(&byte) = input.get(at) {
            match (self.state, byte) {
                (State::Done, _) => break,
                (State::LineStart, b'.') => {
                    self.hand_over(input, span, at, &mut keep);
                    self.state = State::Dot;
                    at += 1;
                    span = at;
                }
                (State::Dot, b'\r') => {
                    self.state = State::DotCr;
                    at += 1;
                    span = at;
                }
                (State::DotCr, b'\n') => {
                    self.state = State::Done;
                    at += 1;
                    span = at;
                }
                (State::Cr, b'\n') => {
                    at += 1;
                    self.end_line();
                }
                (State::DotCr | State::Cr, _) => {
                    self.fail(ContentFault::BareLineEnd);
                    self.state = State::Text;
                }
                (State::LineStart | State::Dot | State::Text, _) => {
                    let rest = input.get(at..).unwrap_or_default();
                    let run = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    self.line_length += run;
                    if self.line_length > self.max_line {
                        self.fail(ContentFault::LongLine);
                    }
                    at += run;
                    match (rest.get(run), rest.get(run + 1)) {
                        (Some(b'\r'), Some(b'\n')) => {
                            at += 2;
                            self.end_line();
                        }
                        (Some(b'\r'), _) => {
                            at += 1;
                            self.state = State::Cr;
                        }
                        (Some(_), _) => {
                            at += 1;
                            self.fail(ContentFault::BareLineEnd);
                            self.state = State::Text;
                        }
                        (None, _) => self.state = State::Text,
                    }
                }
            }
        }
        self.hand_over(input, span, at, &mut keep);
        at
    }

    /// Whether the end of the message was read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Returns the first fault found.
    pub fn fault(&self) -> Option<ContentFault> {
        self.fault
    }

    fn end_line(&mut self) {
        if self.line_length + 2 > self.max_line {
            self.fail(ContentFault::LongLine);
        }
        self.line_length = 0;
        self.state = State::LineStart;
    }

    fn hand_over(&mut self, input: &[u8], from: usize, to: usize, keep: &mut impl FnMut(&[u8])) {
        let piece = input.get(from..to).unwrap_or_default();
        self.size = self.size.saturating_add(piece.len());
        if self.size > self.max_size {
            self.fail(ContentFault::TooBig);
        }
        if self.fault.is_none() && !piece.is_empty() {
            keep(piece);
        }
    }

    fn fail(&mut self, fault: ContentFault) {
        self.fault.get_or_insert(fault);
    }
}

/// Reads a message as [`DataDecoder`] does, and keeps it. Memory is bounded by the size limit.
#[derive(Debug)]
pub struct DataReader {
    decoder: DataDecoder,
    content: BytesMut,
}

impl DataReader {
    /// Makes a reader that takes messages of at most `max_size` octets and lines of `max_line` octets, CR LF included.
    pub fn new(max_size: usize, max_line: usize) -> Self {
        Self {
            decoder: DataDecoder::new(max_size, max_line),
            content: BytesMut::new(),
        }
    }

    /// Takes octets up to the end of the message and returns how many: fewer than there are once the end was found.
    pub fn advance(&mut self, input: &[u8]) -> usize {
        let used = self
            .decoder
            .advance(input, |piece| self.content.extend_from_slice(piece));
        if self.decoder.fault().is_some() {
            self.content = BytesMut::new();
        }
        used
    }

    /// Whether the end of the message was read.
    pub fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Returns the message without its terminator.
    ///
    /// # Errors
    ///
    /// The first [`ContentFault`] found.
    pub fn finish(self) -> Result<Bytes, ContentFault> {
        match self.decoder.fault() {
            Some(fault) => Err(fault),
            None => Ok(self.content.freeze()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `wire` in two pieces cut everywhere; the result must not depend on the cut.
    fn read(wire: &[u8]) -> Option<(Result<Bytes, ContentFault>, usize)> {
        let results: Vec<_> = (0..=wire.len())
            .map(|at| {
                let mut reader = DataReader::new(100, 50);
                let (left, right) = wire.split_at(at);
                let mut used = reader.advance(left);
                if !reader.is_done() {
                    used += reader.advance(right);
                }
                reader.is_done().then(|| (reader.finish(), used))
            })
            .collect();
        assert!(
            results.windows(2).all(|pair| pair[0] == pair[1]),
            "{wire:?}: {results:?}"
        );
        results.into_iter().next().flatten()
    }

    #[test]
    fn only_the_true_end_ends() {
        assert_eq!(read(b".\r\nX"), Some((Ok(Bytes::new()), 3)));
        assert_eq!(
            read(b"a\r\n..b\r\n.\r\nQUIT\r\n"),
            Some((Ok(Bytes::from_static(b"a\r\n.b\r\n")), 11))
        );
        assert_eq!(
            read(b"a\r\n.b\r\n.\r\n"),
            Some((Ok(Bytes::from_static(b"a\r\nb\r\n")), 10))
        );
        for near in [
            "\n.\n",
            "\n.\r\n",
            "\r.\r",
            "\r.\n",
            "\r\n.\n",
            "\r\n.\r",
            "\r\n.\r\r\n",
            "\r\n\0.\r\n",
            "\u{c}.\r\n",
            "\r.\r\n",
            "\u{85}.\u{85}",
            "\r\n .\r\n",
            "\r\n. \r\n",
            "\n\n.\n\n",
        ] {
            assert_eq!(read(format!("a{near}b").as_bytes()), None, "{near:?}");
            let (result, _) = read(format!("a{near}b\r\n.\r\n").as_bytes()).unwrap();
            let crlf_only = !near.replace("\r\n", "").contains(['\r', '\n']);
            assert_eq!(result.is_ok(), crlf_only, "{near:?}");
        }
        assert_eq!(read(b"a\r\r\n.\r\n"), Some((Err(ContentFault::BareLineEnd), 7)));
    }

    #[test]
    fn is_bounded_and_stays_in_step() {
        let wire = [&b"x\r\n".repeat(1000)[..], b".\r\n"].concat();
        let mut reader = DataReader::new(100, 50);
        assert_eq!(reader.advance(&wire), wire.len());
        assert!(reader.is_done());
        assert_eq!(reader.finish(), Err(ContentFault::TooBig));

        let wire = [&[b'x'; 51][..], b"\r\n.\r\n"].concat();
        let mut reader = DataReader::new(100, 50);
        assert_eq!(reader.advance(&wire), wire.len());
        assert_eq!(reader.finish(), Err(ContentFault::LongLine));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), any::<u8>()], 0..60)) {
            read(&bytes);
        }
    }
}
