//! Bodies: line breaks, transfer encodings, and the traps of mail-builder's encoders closed around them.
//!
//! mail-builder writes a part's `Content-Type` line, the `Content-Transfer-Encoding` it picks, and the body. It leaves
//! lone CRs and control characters in 7bit bodies and bare LFs inside base64 text, so what it is given is put right
//! before, and its choice is looked at afterwards.

use std::borrow::Cow;

use bytes::Bytes;
use mail_builder::headers::content_type::ContentType as TypeLine;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

/// How a body is written (RFC 2045 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    SevenBit,
    QuotedPrintable,
    Base64,
}

/// Text bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextKind {
    Plain,
    Html,
}

impl TextKind {
    fn essence(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::Html => "text/html",
        }
    }
}

const CHARSET_UTF8: &str = "; charset=utf-8";

/// Writes `Content-Type`, `Content-Transfer-Encoding`, an empty line and the body, with CRLF line breaks.
///
/// ASCII text with short lines is written as it is (7bit); other text as quoted-printable or base64, whichever is
/// shorter; text with control characters as base64.
pub(crate) fn write_text(kind: TextKind, text: &str, out: &mut Vec<u8>) -> Transfer {
    let survey = Survey::of(text);
    if survey.control {
        write_base64_text(kind, &canonical(text), out);
        return Transfer::Base64;
    }
    // Base64 is what mostly non-ASCII text becomes, and it must hold CRLF.
    let prepared = if survey.lone_cr || (survey.bare_lf && survey.high * 5 > text.len()) {
        Cow::Owned(canonical(text))
    } else {
        Cow::Borrowed(text)
    };
    let start = out.len();
    let transfer = write_part(kind, &prepared, out);
    if transfer == Transfer::Base64 && survey.bare_lf && matches!(prepared, Cow::Borrowed(_)) {
        out.truncate(start);
        return write_part(kind, &canonical(text), out);
    }
    transfer
}

fn write_part(kind: TextKind, text: &str, out: &mut Vec<u8>) -> Transfer {
    let start = out.len();
    MimePart::new(TypeLine::new(kind.essence()), text).write_part(out);
    // The second line names the encoding.
    let head = out.get(start..).unwrap_or_default();
    let line = head.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    if line.ends_with(b"base64\r") {
        Transfer::Base64
    } else if line.ends_with(b"quoted-printable\r") {
        Transfer::QuotedPrintable
    } else {
        Transfer::SevenBit
    }
}

fn write_base64_text(kind: TextKind, text: &str, out: &mut Vec<u8>) {
    // A raw Content-Type keeps mail-builder from looking into the text.
    let type_line = format!("{}{CHARSET_UTF8}", kind.essence());
    MimePart::raw(text.as_bytes())
        .header("Content-Type", Raw::new(type_line))
        .write_part(out);
}

/// Head that mail-builder writes before base64; it is cut off.
const BASE64_HEAD: &str = "Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n";

/// Encodes `data` as base64 in lines of 76, without the last CRLF.
pub(crate) fn base64(data: &[u8]) -> Bytes {
    let digits = data.len().div_ceil(3).saturating_mul(4);
    // The encoder asks for a little more than it writes.
    let slack = BASE64_HEAD.len() + 256;
    let mut out = Vec::with_capacity(digits.saturating_add(digits.div_ceil(76).saturating_mul(2) + slack));
    MimePart::raw(data)
        .header("Content-Type", Raw::new("a/b"))
        .write_part(&mut out);
    debug_assert!(out.starts_with(BASE64_HEAD.as_bytes()));
    let end = if out.ends_with(b"\r\n") {
        out.len() - 2
    } else {
        out.len()
    };
    let encoded = Bytes::from(out);
    let start = BASE64_HEAD.len().min(end);
    encoded.slice(start..end.max(start))
}

/// What a text holds that asks for care.
#[derive(Debug, Default)]
struct Survey {
    /// A control character other than TAB, LF and CR.
    control: bool,
    /// A CR that no LF follows.
    lone_cr: bool,
    /// An LF that no CR precedes.
    bare_lf: bool,
    /// How many octets are not ASCII.
    high: usize,
}

impl Survey {
    /// Looks at every octet without a branch, so that the compiler looks at many at once.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut survey = Self::default();
        let (mut any_cr, mut any_lf) = (0_u8, 0_u8);
        // Blocks of at most 255 octets, so that a count fits into one.
        let (blocks, rest) = bytes.as_chunks::<192>();
        for block in blocks.iter().map(<[u8; 192]>::as_slice).chain([rest]) {
            let (mut control, mut high) = (0_u8, 0_u8);
            for &byte in block {
                let (cr, lf) = (u8::from(byte == b'\r'), u8::from(byte == b'\n'));
                control |= u8::from(byte < b' ') ^ (cr | lf | u8::from(byte == b'\t'));
                any_cr |= cr;
                any_lf |= lf;
                high += byte >> 7;
            }
            survey.control |= control != 0;
            survey.high += usize::from(high);
        }
        if any_cr == 0 {
            survey.bare_lf = any_lf != 0;
            return survey;
        }
        let (mut lone_cr, mut bare_lf) = (0_u8, 0_u8);
        for (&first, &second) in bytes.iter().zip(bytes.get(1..).unwrap_or_default()) {
            let (cr, lf) = (u8::from(first == b'\r'), u8::from(second == b'\n'));
            lone_cr |= cr & (lf ^ 1);
            bare_lf |= lf & (cr ^ 1);
        }
        survey.lone_cr = lone_cr != 0 || bytes.last() == Some(&b'\r');
        survey.bare_lf = bare_lf != 0 || bytes.first() == Some(&b'\n');
        survey
    }
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
        assert_eq!(write_text(TextKind::Plain, text, &mut out), expected, "{text:?}");
        let out = String::from_utf8(out).unwrap();
        let (head, body) = out.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, wire);
        let name = match expected {
            Transfer::SevenBit => "7bit",
            Transfer::QuotedPrintable => "quoted-printable",
            Transfer::Base64 => "base64",
        };
        let [type_line, encoding_line] = head.split("\r\n").collect::<Vec<_>>()[..] else {
            panic!("{head}")
        };
        assert!(
            type_line.replace('"', "") == "Content-Type: text/plain; charset=utf-8",
            "{type_line}"
        );
        assert_eq!(encoding_line, format!("Content-Transfer-Encoding: {name}"));
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
