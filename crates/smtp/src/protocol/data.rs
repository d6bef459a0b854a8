//! A message as it comes in after DATA or BDAT.

use bytes::{Bytes, BytesMut};

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

/// Reads a message up to CR LF `.` CR LF, and to nothing else, undoing the doubled dots.
///
/// Once a fault is found nothing more is kept, yet the message is still read to its true end, so that the session
/// stays in step. Memory is bounded by the size limit.
#[derive(Debug)]
pub struct DataReader {
    state: State,
    content: BytesMut,
    line_length: usize,
    max_size: usize,
    max_line: usize,
    fault: Option<ContentFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    /// A dot at the start of a line, not kept yet.
    Dot,
    /// A dot and a CR at the start of a line, not kept yet.
    DotCr,
    Text,
    Cr,
    Done,
}

impl DataReader {
    /// Makes a reader that takes messages of at most `max_size` octets and lines of `max_line` octets, CR LF included.
    pub fn new(max_size: usize, max_line: usize) -> Self {
        Self {
            state: State::LineStart,
            content: BytesMut::new(),
            line_length: 0,
            max_size,
            max_line,
            fault: None,
        }
    }

    /// Takes octets up to the end of the message and returns how many: fewer than there are once the end was found.
    pub fn advance(&mut self, input: &[u8]) -> usize {
        let mut rest = input;
        while let Some((&byte, after)) = rest.split_first() {
            match (self.state, byte) {
                (State::Done, _) => break,
                (State::LineStart, b'.') => self.state = State::Dot,
                (State::Dot, b'\r') => self.state = State::DotCr,
                (State::DotCr, b'\n') => self.state = State::Done,
                (State::DotCr, _) => {
                    self.fail(ContentFault::BareLineEnd);
                    self.state = if byte == b'\r' { State::Cr } else { State::Text };
                }
                (State::Cr, b'\n') => {
                    self.keep(b"\r\n");
                    self.line_length = 0;
                    self.state = State::LineStart;
                }
                (State::Cr, _) => {
                    self.fail(ContentFault::BareLineEnd);
                    self.state = if byte == b'\r' { State::Cr } else { State::Text };
                }
                (_, b'\r') => self.state = State::Cr,
                (_, b'\n') => {
                    self.fail(ContentFault::BareLineEnd);
                    self.state = State::Text;
                }
                (State::LineStart | State::Dot | State::Text, _) => {
                    let run = rest
                        .iter()
                        .position(|&byte| byte == b'\r' || byte == b'\n')
                        .unwrap_or(rest.len());
                    let (text, after) = rest.split_at(run);
                    self.keep(text);
                    self.state = State::Text;
                    rest = after;
                    continue;
                }
            }
            rest = after;
        }
        input.len() - rest.len()
    }

    /// Whether the end of the message was read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Returns the message without its terminator.
    ///
    /// # Errors
    ///
    /// The first [`ContentFault`] found.
    pub fn finish(self) -> Result<Bytes, ContentFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.content.freeze()),
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        self.line_length += octets.len();
        if self.line_length > self.max_line {
            self.fail(ContentFault::LongLine);
        }
        if self.fault.is_some() {
            return;
        }
        if self.content.len() + octets.len() > self.max_size {
            self.fail(ContentFault::TooBig);
            return;
        }
        self.content.extend_from_slice(octets);
    }

    fn fail(&mut self, fault: ContentFault) {
        self.fault.get_or_insert(fault);
        self.content = BytesMut::new();
    }
}

/// Checks a whole message that came by length, as BDAT does: it is held to the same line rules as one after DATA.
pub(crate) fn check_lines(message: &[u8], max_line: usize) -> Result<(), ContentFault> {
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        let text = match (line.strip_suffix(b"\r\n"), line.last()) {
            (Some(text), _) => text,
            (None, Some(b'\n')) => return Err(ContentFault::BareLineEnd),
            (None, _) => line,
        };
        if text.contains(&b'\r') {
            return Err(ContentFault::BareLineEnd);
        }
        if text.len() + 2 > max_line {
            return Err(ContentFault::LongLine);
        }
    }
    Ok(())
}

/// Counts the `Received` fields of a message: how many servers have handled it (RFC 5321 §6.3).
pub fn count_received(message: &[u8]) -> usize {
    message
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.trim_ascii().is_empty())
        .filter(|line| {
            line.get(..9)
                .is_some_and(|name| name.eq_ignore_ascii_case(b"received:"))
        })
        .count()
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

    #[test]
    fn checks_lines_that_came_by_length() {
        assert_eq!(check_lines(b"a\r\n.\r\nb", 10), Ok(()));
        for bad in [&b"a\nb"[..], b"a\rb\r\n", b"a\r", b"\n"] {
            assert_eq!(check_lines(bad, 10), Err(ContentFault::BareLineEnd), "{bad:?}");
        }
        assert_eq!(check_lines(b"123456789\r\n", 10), Err(ContentFault::LongLine));
    }

    #[test]
    fn counts_received_in_the_header_only() {
        assert_eq!(
            count_received(b"Received: a\r\nX: b\r\nreceived: c\r\n d\r\n\r\nReceived: body\r\n"),
            2
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), any::<u8>()], 0..60)) {
            read(&bytes);
        }
    }
}
