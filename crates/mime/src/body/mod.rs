//! Bodies: line breaks, transfer encodings, and which of them a text gets.

mod common;
mod length;
mod quoted_printable;
mod scan;
mod seven_bit;

use bytes::Bytes;
use encodify::base64::MIME;

pub(crate) use common::CommonLines;
use quoted_printable::Stop;

pub(crate) use length::encoded_len;

/// How a body is written (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    SevenBit,
    QuotedPrintable,
    Base64,
}

/// Writes `Content-Transfer-Encoding`, an empty line and the body, with CRLF line breaks.
///
/// ASCII text with short lines is written as it is (7bit); other text as quoted-printable or base64, whichever is
/// shorter; text with control characters as base64. Lines of `common` that are found are taken as they were encoded before.
pub(crate) fn write_encoded(text: &str, common: &[CommonLines], out: &mut Vec<u8>) -> Transfer {
    let start = out.len();
    Transfer::SevenBit.write(out);
    if seven_bit::write(text.as_bytes(), out) {
        return Transfer::SevenBit;
    }
    out.truncate(start);
    Transfer::QuotedPrintable.write(out);
    match common::encode(text.as_bytes(), common, MIME.encoded_len(text.len()), out) {
        Ok(()) => Transfer::QuotedPrintable,
        Err(Stop::Control | Stop::TooLong) => {
            out.truncate(start);
            Transfer::Base64.write(out);
            MIME.encode_append(canonical(text), out);
            Transfer::Base64
        }
    }
}

impl Transfer {
    /// Writes the header, and the empty line that ends the section.
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head());
    }

    /// Returns the header, and the empty line that ends the section.
    pub(crate) fn head(self) -> &'static [u8] {
        match self {
            Self::SevenBit => b"Content-Transfer-Encoding: 7bit\r\n\r\n",
            Self::QuotedPrintable => b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            Self::Base64 => b"Content-Transfer-Encoding: base64\r\n\r\n",
        }
    }
}

/// Encodes `data` as base64 in lines of 76, without the last CRLF.
pub(crate) fn base64(data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(MIME.encoded_len(data.len()));
    MIME.encode_append(data, &mut out);
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
    Bytes::from(out)
}

/// Returns `text` with every line break (CRLF, lone CR, lone LF) as CRLF.
pub(crate) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16 + 2);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let followed = lines.peek().is_some();
        let line = if followed {
            line.strip_suffix('\r').unwrap_or(line)
        } else {
            line
        };
        let mut pieces = line.split('\r');
        out.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            out.push_str("\r\n");
            out.push_str(piece);
        }
        if followed {
            out.push_str("\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Transfer, wire: &str) {
        let mut out = Vec::new();
        assert_eq!(write_encoded(text, &[], &mut out), expected, "{text:?}");
        let out = String::from_utf8(out).unwrap();
        let (head, body) = out.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, wire);
        let name = match expected {
            Transfer::SevenBit => "7bit",
            Transfer::QuotedPrintable => "quoted-printable",
            Transfer::Base64 => "base64",
        };
        assert_eq!(head, format!("Content-Transfer-Encoding: {name}"));
    }

    #[test]
    fn line_breaks_become_crlf() {
        check("a\r\nb\nc\rd", Transfer::SevenBit, "a\r\nb\r\nc\r\nd");
        check("a\r\r\nb\r", Transfer::SevenBit, "a\r\n\r\nb\r\n");
        check("", Transfer::SevenBit, "");
    }

    #[test]
    fn base64_text_holds_crlf() {
        check("日本語\n", Transfer::Base64, "5pel5pys6KqeDQo=\r\n");
        check(
            "日本語日本語a\nb",
            Transfer::Base64,
            "5pel5pys6Kqe5pel5pys6KqeYQ0KYg==\r\n",
        );
    }

    #[test]
    fn control_characters_are_never_sent_bare() {
        check("a\0b\n", Transfer::Base64, "YQBiDQo=\r\n");
        check("\x1b[2J", Transfer::Base64, "G1sySg==\r\n");
    }

    #[test]
    fn trailing_space_and_long_lines_become_quoted_printable() {
        check("a \r\n", Transfer::QuotedPrintable, "a=20\r\n");
        let long = "x".repeat(100);
        let wire = format!("{}=\r\n{}", "x".repeat(75), "x".repeat(25));
        check(&long, Transfer::QuotedPrintable, &wire);
    }

    #[test]
    fn base64_chunks_have_no_head_and_no_last_line_break() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"hello"), "aGVsbG8=");
        let long = base64(&[0; 58]);
        assert_eq!(long.len(), 76 + 2 + 4);
        assert_eq!(&long[76..], b"\r\nAA==");
    }
}
