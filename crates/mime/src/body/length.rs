//! How long a body gets, without writing it.

use encodify::base64::MIME;

use super::scan::printable_len;
use super::{Transfer, quoted_printable, seven_bit};

/// Returns how [`write_encoded`](super::write_encoded) writes `text`, and in how many octets.
pub(crate) fn encoded_len(text: &str) -> (Transfer, usize) {
    let bytes = text.as_bytes();
    let (transfer, len) = if let Some(len) = seven_bit::len(bytes) {
        (Transfer::SevenBit, len)
    } else if let Some(len) = quoted_printable_len(bytes, MIME.encoded_len(bytes.len())) {
        (Transfer::QuotedPrintable, len)
    } else {
        (Transfer::Base64, MIME.encoded_len(canonical_len(bytes)))
    };
    (transfer, transfer.head().len() + len)
}

/// Length of `text` with every line break as CRLF.
fn canonical_len(text: &[u8]) -> usize {
    let mut len = 0;
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        let (_, ending) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        len += at + 2;
        rest = ending
            .strip_prefix(b"\r\n")
            .or_else(|| ending.get(1..))
            .unwrap_or_default();
    }
    len + rest.len()
}

/// Length of quoted-printable, or `None` where [`quoted_printable::encode`] gives up. It goes the same steps.
fn quoted_printable_len(text: &[u8], limit: usize) -> Option<usize> {
    let mut lines = Lines::default();
    let mut rest = text;
    loop {
        let count = printable_len::<true>(rest);
        let (run, tail) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        lines.run(run, matches!(tail.first(), None | Some(b'\r' | b'\n')));
        let Some((&byte, after)) = tail.split_first() else {
            lines.close();
            return Some(lines.start + lines.column);
        };
        rest = after;
        match byte {
            b'\n' | b'\r' => {
                if byte == b'\r' {
                    rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                }
                lines.close();
                lines.begin(2);
            }
            b'\t' => lines.run(b"\t", false),
            b'=' => lines.escape(1),
            0x80.. => {
                let following = match byte {
                    0xF0.. => 3,
                    0xE0.. => 2,
                    0xC0.. => 1,
                    _ => 0,
                };
                lines.escape(1 + following);
                rest = rest.get(following..).unwrap_or_default();
            }
            _ => return None,
        }
        if lines.start > limit {
            return None;
        }
    }
}

/// The lines that would be written.
#[derive(Debug, Default)]
struct Lines {
    /// Where the last one starts.
    start: usize,
    /// How long it is.
    column: usize,
    /// It ends with white space.
    blank: bool,
}

impl Lines {
    /// Begins a line behind a line break of `length` octets.
    fn begin(&mut self, length: usize) {
        self.start += self.column + length;
        self.column = 0;
        self.blank = false;
    }

    fn run(&mut self, run: &[u8], ends: bool) {
        let mut len = run.len();
        loop {
            let room = quoted_printable::LINE - self.column;
            if len < room || (len == room && ends) {
                self.column += len;
                break;
            }
            self.column += room - 1;
            len -= room - 1;
            self.begin(3);
        }
        if let Some(last) = run.last() {
            self.blank = matches!(last, b' ' | b'\t') && self.column > 0;
        }
    }

    /// Writes a character of so many octets.
    fn escape(&mut self, octets: usize) {
        if self.column + 3 * octets >= quoted_printable::LINE {
            self.begin(3);
        }
        self.column += 3 * octets;
        self.blank = false;
    }

    fn close(&mut self) {
        if self.blank {
            self.column -= 1;
            if self.column + 3 > quoted_printable::LINE {
                self.begin(3);
            }
            self.column += 3;
            self.blank = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::body;

    #[track_caller]
    fn check(text: &str) {
        let mut out = Vec::new();
        let transfer = body::write_encoded(text, &[], &mut out);
        assert_eq!(
            encoded_len(text),
            (transfer, out.len()),
            "{text:?} as {:?}",
            String::from_utf8_lossy(&out)
        );
    }

    #[test]
    fn every_encoding_has_its_length() {
        let line = |count| "x".repeat(count);
        for text in [
            "",
            "a",
            "a\n",
            "\r\n",
            "a\r\rb\n\r",
            "a \n",
            " ",
            "\t",
            "é",
            "日本語\n",
            "a\0b\n",
            "=",
            "\u{7f}",
            "a\u{80}b",
        ] {
            check(text);
        }
        for count in 70..82 {
            for tail in ["", "\n", " ", " \n", "\t", "é", "日", "🎉", "=", "=\n"] {
                check(&(line(count) + tail));
                check(&format!("{} {}{tail}", line(10), line(count)));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn of_any_text(pieces in prop::collection::vec(
            "[ -~]{0,90}|\r\n|\n|\r|[ \t]{1,3}|[äöü]{1,20}|[日本語]{1,30}|[ -~äß日🦀\t]{0,12}|[\\x80-\\x84\0]|=", 0..30,
        )) {
            check(&pieces.concat());
        }
    }
}
