//! Replies of a server: bounded, multi-line, with every line kept (RFC 5321 §4.2, RFC 2034).

use std::borrow::Cow;

use posthaste_transport::{EnhancedStatus, Reply};

/// The longest reply line read, in octets. RFC 5321 §4.5.3.1.5 asks for 512; real servers write longer ones.
const MAX_LINE: usize = 8 * 1024;
/// The largest reply read, in octets.
const MAX_REPLY: usize = 64 * 1024;
/// The most lines of one reply.
const MAX_LINES: usize = 1000;

/// Why bytes are not an SMTP reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A line does not begin with a code from 200 to 599 followed by a space, a hyphen or its end.
    #[error("reply line {line} does not begin with a reply code")]
    NoCode {
        /// Number of the line inside the reply, from 1.
        line: usize,
    },
    /// The lines of one reply carry different codes.
    #[error("reply line {line} has code {found}, the first had {first}")]
    MixedCodes {
        /// Number of the line inside the reply, from 1.
        line: usize,
        /// Code of the first line.
        first: u16,
        /// Code of this line.
        found: u16,
    },
    /// A line is longer than 8192 octets.
    #[error("a reply line is longer than {MAX_LINE} octets")]
    LineTooLong,
    /// The reply is longer than 65536 octets or 1000 lines.
    #[error("the reply is longer than {MAX_REPLY} octets or {MAX_LINES} lines")]
    TooLong,
}

/// Reads replies from bytes that come in pieces of any size.
///
/// A line ends with LF; a CR before it is dropped. At most 64 KiB are held. After an error the stream cannot be
/// trusted any more: close it.
#[derive(Debug, Default)]
pub struct ReplyParser {
    /// What has come of a line whose end has not.
    line: Vec<u8>,
    /// The code, if a line of the reply has come.
    code: Option<u16>,
    text: Vec<u8>,
    ends: Vec<usize>,
    size: usize,
}

impl ReplyParser {
    /// Makes a parser that stands before the first reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `input` and returns how many of its bytes were used, with the reply they complete, if any.
    ///
    /// Without a reply every byte was used. With one, the bytes after it are left: they belong to the next reply.
    ///
    /// # Errors
    ///
    /// [`ReplyError`] when the bytes cannot be a reply or are more than a reply may be.
    pub fn advance(&mut self, input: &[u8]) -> Result<(usize, Option<WireReply>), ReplyError> {
        let mut used = 0;
        for piece in input.split_inclusive(|&byte| byte == b'\n') {
            used += piece.len();
            self.size += piece.len();
            if self.line.len() + piece.len() > MAX_LINE {
                return Err(ReplyError::LineTooLong);
            }
            if self.size > MAX_REPLY {
                return Err(ReplyError::TooLong);
            }
            let reply = match piece.strip_suffix(b"\n") {
                None => {
                    self.line.extend_from_slice(piece);
                    None
                }
                Some(line) if self.line.is_empty() => self.end_line(line)?,
                Some(end) => {
                    let mut line = std::mem::take(&mut self.line);
                    line.extend_from_slice(end);
                    self.end_line(&line)?
                }
            };
            if reply.is_some() {
                return Ok((used, reply));
            }
        }
        Ok((used, None))
    }

    /// Whether the parser stands inside a reply.
    pub fn is_mid_reply(&self) -> bool {
        self.size > 0
    }

    /// Lets the next reply have the memory of one that nobody needs any more.
    pub(crate) fn recycle(&mut self, reply: WireReply) {
        if self.text.capacity() == 0 && reply.text.capacity() <= MAX_LINE {
            self.text = reply.text;
            self.text.clear();
        }
    }

    fn end_line(&mut self, line: &[u8]) -> Result<Option<WireReply>, ReplyError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let number = match self.code {
            None => 1,
            Some(_) => self.ends.len() + 2,
        };
        if number > MAX_LINES {
            return Err(ReplyError::TooLong);
        }
        let (code, more, text) = split_line(line).ok_or(ReplyError::NoCode { line: number })?;
        let first = *self.code.get_or_insert(code);
        if first != code {
            return Err(ReplyError::MixedCodes {
                line: number,
                first,
                found: code,
            });
        }
        if number > 1 {
            self.ends.push(self.text.len());
        }
        self.text.extend_from_slice(text);
        if more {
            return Ok(None);
        }
        self.code = None;
        self.size = 0;
        Ok(Some(WireReply {
            code,
            text: std::mem::take(&mut self.text),
            ends: std::mem::take(&mut self.ends),
        }))
    }
}

/// Splits a line into its code, whether another follows, and its text.
fn split_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(200..=599).contains(&code) {
        return None;
    }
    match rest.split_first() {
        None => Some((code, false, rest)),
        Some((b' ', text)) => Some((code, false, text)),
        Some((b'-', text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

/// One whole reply as it came: the code and every line's octets after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireReply {
    code: u16,
    /// The lines one behind the other,
    text: Vec<u8>,
    /// and where each but the last ends.
    ends: Vec<usize>,
}

impl WireReply {
    /// Returns the reply code, from 200 to 599.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Returns the enhanced status code that the text begins with, if its class is the reply's (RFC 2034 §4).
    pub fn enhanced(&self) -> Option<EnhancedStatus> {
        let first = self.raw_lines().next()?;
        let word = first.split(|&byte| byte == b' ').next()?;
        let status: EnhancedStatus = std::str::from_utf8(word).ok()?.parse().ok()?;
        (status.class() == self.code / 100).then_some(status)
    }

    /// Returns the text of every line, without its code, as UTF-8 with what is not replaced.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = Cow<'_, str>> + ExactSizeIterator {
        self.raw_lines().map(String::from_utf8_lossy)
    }

    /// Returns the octets of every line, without its code and line end.
    pub fn raw_lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        (0..self.ends.len().saturating_add(1)).map(|number| {
            let start = number.checked_sub(1).and_then(|before| self.ends.get(before).copied());
            let end = self.ends.get(number).copied();
            self.text
                .get(start.unwrap_or(0)..end.unwrap_or(self.text.len()))
                .unwrap_or_default()
        })
    }

    /// Whether the code is 2xx.
    pub fn is_positive(&self) -> bool {
        self.code < 300
    }

    /// Whether the code is 3xx: the server waits for more.
    pub fn is_intermediate(&self) -> bool {
        (300..400).contains(&self.code)
    }

    /// Whether the code is 4xx: the same may work later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether the code is 5xx.
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Whether the server says with this reply that it closes the connection.
    pub fn is_closing(&self) -> bool {
        self.code == 421
    }
}

impl From<&WireReply> for Reply {
    /// Keeps the code, the enhanced code and the lines; a leading enhanced code moves out of the text.
    fn from(reply: &WireReply) -> Self {
        Self::new(reply.code, reply.lines())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> Result<Option<WireReply>, ReplyError> {
        ReplyParser::new().advance(bytes).map(|(_, reply)| reply)
    }

    fn check(bytes: &[u8], code: u16, lines: &[&str], enhanced: Option<&str>) {
        let reply = parse(bytes).unwrap().unwrap();
        assert_eq!(reply.code(), code);
        assert_eq!(reply.lines().collect::<Vec<_>>(), lines);
        assert_eq!(reply.enhanced().map(|status| status.to_string()).as_deref(), enhanced);
    }

    #[test]
    fn reads_single_and_multiple_lines() {
        check(b"250 OK\r\n", 250, &["OK"], None);
        check(b"250\r\n", 250, &[""], None);
        check(b"250 \r\n", 250, &[""], None);
        check(b"250-a\r\n250-b\r\n250 c\r\n", 250, &["a", "b", "c"], None);
        check(b"250-a\n250 b\n", 250, &["a", "b"], None);
        check(b"550 5.7.606 no\r\n", 550, &["5.7.606 no"], Some("5.7.606"));
        check(b"550 5.1.1\r\n", 550, &["5.1.1"], Some("5.1.1"));
        check(b"550 4.1.1 class differs\r\n", 550, &["4.1.1 class differs"], None);
        check(b"550 5.1.1.1 not one\r\n", 550, &["5.1.1.1 not one"], None);
        check(b"550 5.1.1000 not one\r\n", 550, &["5.1.1000 not one"], None);
    }

    #[test]
    fn keeps_raw_octets() {
        let reply = parse(b"550 Us\xe9r \0 x\r\n").unwrap().unwrap();
        assert!(reply.raw_lines().eq([b"Us\xe9r \0 x"]));
    }

    #[test]
    fn refuses_what_is_no_reply() {
        for bytes in [
            &b"600 x\r\n"[..],
            b"199 x\r\n",
            b"25\r\n",
            b"\r\n",
            b"2x0 a\r\n",
            b"250+a\r\n",
            b"HTTP/1.1 400\r\n",
            b"+OK\r\n",
        ] {
            assert_eq!(parse(bytes), Err(ReplyError::NoCode { line: 1 }), "{bytes:?}");
        }
        assert_eq!(
            parse(b"250-a\r\n550 b\r\n"),
            Err(ReplyError::MixedCodes {
                line: 2,
                first: 250,
                found: 550
            })
        );
        assert_eq!(parse(b"250-a\r\n").unwrap(), None);
    }

    #[test]
    fn is_bounded() {
        assert_eq!(parse(&[b'2'; 100_000]), Err(ReplyError::LineTooLong));
        assert_eq!(parse(&b"250-x\r\n".repeat(100_000)), Err(ReplyError::TooLong));
        let long = [&b"250-"[..], &[b'x'; 4000], b"\r\n"].concat().repeat(100);
        assert_eq!(parse(&long), Err(ReplyError::TooLong));
    }

    #[test]
    fn leaves_the_next_reply() {
        let mut parser = ReplyParser::new();
        let (used, reply) = parser.advance(b"220 go\r\n250 INJECTED\r\n").unwrap();
        assert_eq!((used, reply.unwrap().code()), (8, 220));
        assert!(!parser.is_mid_reply());
    }

    #[test]
    fn moves_the_enhanced_code_out_of_the_text() {
        let reply = parse(b"550-5.7.1 blocked\r\n550 5.7.1 see there\r\n").unwrap().unwrap();
        assert_eq!(Reply::from(&reply).lines(), ["blocked", "see there"]);
    }

    proptest! {
        #[test]
        fn never_panics_and_splits_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
            let whole = parse(&bytes);
            let (left, right) = bytes.split_at(at.min(bytes.len()));
            let mut parser = ReplyParser::new();
            let pieces = match parser.advance(left) {
                Ok((_, None)) => parser.advance(right).map(|(_, reply)| reply),
                other => other.map(|(_, reply)| reply),
            };
            prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn reads_back_what_is_written(code in 200u16..600, lines in proptest::collection::vec("[ -~]{0,60}", 1..6)) {
            let last = lines.len() - 1;
            let text: String = lines
                .iter()
                .enumerate()
                .map(|(i, line)| format!("{code}{}{line}\r\n", if i == last { ' ' } else { '-' }))
                .collect();
            let reply = parse(text.as_bytes()).unwrap().unwrap();
            prop_assert_eq!(reply.code(), code);
            prop_assert_eq!(reply.lines().map(Cow::into_owned).collect::<Vec<_>>(), lines);
        }
    }
}
