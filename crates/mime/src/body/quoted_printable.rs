//! Quoted-printable (RFC 2045 §6.7), in one pass over the text.

use super::scan::{printable_len, special};

/// Longest line, its line break not counted.
pub(super) const LINE: usize = 76;

/// Why a text is not written as quoted-printable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It holds a control character other than TAB, LF and CR.
    Control,
    /// It would come out longer than allowed.
    TooLong,
}

/// Appends `text` in quoted-printable, every line break (CRLF, lone CR, lone LF) as CRLF.
///
/// It stops, with what was written still there, at a control character, or as soon as more than `limit` octets and the
/// line that began within them are written. Characters of UTF-8 are kept on one line.
pub(super) fn encode(text: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    let end = out.len().saturating_add(limit);
    let mut lines = Lines { start: out.len(), out };
    let mut rest = text;
    loop {
        let count = lines.literals(rest);
        let Some((&byte, after)) = rest.get(count..).and_then(<[u8]>::split_first) else {
            lines.close();
            return Ok(());
        };
        rest = after;
        match byte {
            b'\n' | b'\r' => {
                if byte == b'\r' {
                    rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                }
                lines.hard_break();
            }
            b'\t' => lines.run(b"\t", false),
            b'=' => lines.escape(escaped(byte)),
            0xC0..=0xDF => match rest.split_first() {
                Some((&second, after)) => {
                    let ([a, b, c], [d, e, f]) = (escaped(byte), escaped(second));
                    lines.escape([a, b, c, d, e, f]);
                    rest = after;
                }
                None => lines.escape(escaped(byte)),
            },
            0x80.. => {
                let following = match byte {
                    0xF0.. => 3,
                    0xE0.. => 2,
                    _ => 0,
                };
                let (following, after) = rest.split_at_checked(following).unwrap_or((rest, &[]));
                lines.make_room(3 * (1 + following.len()));
                lines.escape(escaped(byte));
                for &byte in following {
                    lines.escape(escaped(byte));
                }
                rest = after;
            }
            _ => return Err(Stop::Control),
        }
        if lines.start > end {
            return Err(Stop::TooLong);
        }
    }
}

/// The lines that are being written.
struct Lines<'a> {
    out: &'a mut Vec<u8>,
    /// Where the last one starts.
    start: usize,
}

impl Lines<'_> {
    #[inline]
    fn column(&self) -> usize {
        self.out.len() - self.start
    }

    /// Writes the literal characters that `rest` begins with, and returns how many there are.
    #[inline]
    fn literals(&mut self, rest: &[u8]) -> usize {
        let count = match rest.first_chunk::<8>() {
            Some(word) => {
                let special = special::<true>(u64::from_le_bytes(*word));
                if special == 0 {
                    8 + printable_len::<true>(rest.get(8..).unwrap_or_default())
                } else {
                    let count = (special.trailing_zeros() / 8) as usize;
                    if self.column() + count < LINE {
                        // Eight at once and some of them taken back: quicker than a copy of unknown length.
                        let len = self.out.len() + count;
                        self.out.extend_from_slice(word);
                        self.out.truncate(len);
                        return count;
                    }
                    count
                }
            }
            None => printable_len::<true>(rest),
        };
        let (run, tail) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        self.run(run, matches!(tail.first(), None | Some(b'\r' | b'\n')));
        count
    }

    /// Writes literal characters; `ends` says that the line ends behind them.
    fn run(&mut self, mut run: &[u8], ends: bool) {
        loop {
            let room = LINE - self.column();
            // The last place of a line is for the sign that it goes on, unless it does not.
            if run.len() < room || (run.len() == room && ends) {
                self.out.extend_from_slice(run);
                return;
            }
            let (now, later) = run.split_at_checked(room - 1).unwrap_or((run, &[]));
            self.out.extend_from_slice(now);
            self.soft_break();
            run = later;
        }
    }

    #[inline]
    fn make_room(&mut self, count: usize) {
        if self.column() + count >= LINE {
            self.soft_break();
        }
    }

    #[inline]
    fn escape<const N: usize>(&mut self, bytes: [u8; N]) {
        self.make_room(N);
        self.out.extend_from_slice(&bytes);
    }

    #[inline]
    fn soft_break(&mut self) {
        self.out.extend_from_slice(b"=\r\n");
        self.start = self.out.len();
    }

    #[inline]
    fn hard_break(&mut self) {
        self.close();
        self.out.extend_from_slice(b"\r\n");
        self.start = self.out.len();
    }

    /// Escapes white space at the end of the line: some relays take it away (RFC 2045 §6.7 rule 3).
    #[inline]
    fn close(&mut self) {
        let line = self.out.get(self.start..).unwrap_or_default();
        if let Some(&last @ (b' ' | b'\t')) = line.last() {
            self.out.pop();
            if self.column() + 3 > LINE {
                self.soft_break();
            }
            self.out.extend_from_slice(&escaped(last));
        }
    }
}

#[inline]
fn escaped(byte: u8) -> [u8; 3] {
    let digit = |value: u8| value + if value > 9 { b'A' - 10 } else { b'0' };
    [b'=', digit(byte >> 4), digit(byte & 15)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &[u8]) -> Result<String, Stop> {
        let mut out = b"before".to_vec();
        encode(text, usize::MAX, &mut out)?;
        Ok(String::from_utf8(out.split_off(6)).unwrap())
    }

    /// RFC 2045 §6.7, the strict way.
    fn decode(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'=' {
                out.push(byte);
            } else if let Some(after) = rest.strip_prefix(b"\r\n") {
                rest = after;
            } else {
                let digits = std::str::from_utf8(&rest[..2]).unwrap();
                assert_eq!(digits, digits.to_uppercase());
                out.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &rest[2..];
            }
        }
        out
    }

    #[test]
    fn examples() {
        for (text, expected) in [
            ("", ""),
            ("a=b\n", "a=3Db\r\n"),
            ("trailing \nspace\t", "trailing=20\r\nspace=09"),
            ("a\r\nb\rc\nd", "a\r\nb\r\nc\r\nd"),
            ("Grüße", "Gr=C3=BC=C3=9Fe"),
            ("日本 🦀", "=E6=97=A5=E6=9C=AC =F0=9F=A6=80"),
        ] {
            assert_eq!(encoded(text.as_bytes()).unwrap(), expected);
        }
        assert_eq!(encoded(b"bell \x07"), Err(Stop::Control));
        assert_eq!(encoded(b"del \x7F"), Err(Stop::Control));
    }

    #[test]
    fn lines_of_76_stand_and_longer_ones_are_broken() {
        let line = |count| "x".repeat(count);
        assert_eq!(encoded(line(76).as_bytes()).unwrap(), line(76));
        assert_eq!(encoded((line(76) + "\r\n").as_bytes()).unwrap(), line(76) + "\r\n");
        assert_eq!(encoded(line(77).as_bytes()).unwrap(), line(75) + "=\r\nxx");
        assert_eq!(encoded((line(74) + "ü").as_bytes()).unwrap(), line(74) + "=\r\n=C3=BC");
        assert_eq!(encoded((line(75) + " ").as_bytes()).unwrap(), line(75) + "=\r\n=20");
    }

    #[test]
    fn what_gets_too_long_is_given_up() {
        let text = "ü".repeat(10_000);
        let mut out = Vec::new();
        assert_eq!(encode(text.as_bytes(), 1000, &mut out), Err(Stop::TooLong));
        assert!(out.len() < 1100, "{}", out.len());
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_read_again(
            pieces in prop::collection::vec("[ -~]{0,90}|\r\n|\n|\r|[ \t]{1,3}|[äöü]{1,20}|[ -~äß日🦀\t]{0,12}|[\\x80-\\x84]", 0..30),
        ) {
            let text = pieces.concat();
            let encoded = encoded(text.as_bytes()).unwrap();
            prop_assert_eq!(decode(&encoded), super::super::canonical(&text).into_bytes());
            for line in encoded.split("\r\n") {
                prop_assert!(line.len() <= LINE, "{line}");
                prop_assert!(!line.ends_with([' ', '\t']));
                prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
                // No character is split.
                let whole = decode(line.strip_suffix('=').unwrap_or(line));
                prop_assert!(std::str::from_utf8(&whole).is_ok(), "{line}");
            }
        }

        #[test]
        fn any_octets_are_encoded_or_refused(text in prop::collection::vec(any::<u8>(), 0..300)) {
            let refused = text.iter().any(|byte| (*byte < b' ' && !b"\t\r\n".contains(byte)) || *byte == 0x7F);
            // Octets that only look like the beginning of a character may take a control character along.
            if let Ok(encoded) = encoded(&text) {
                let decoded = decode(&encoded);
                prop_assert!(refused || decoded.len() >= text.len() - text.iter().filter(|byte| **byte == b'\n').count());
            } else {
                prop_assert!(refused);
            }
        }
    }
}
