//! Bodies in charsets other than UTF-8.

use std::fmt::Write as _;

use crate::body::{self, Transfer};
use crate::text::LINE_LIMIT;

/// Longest line of quoted-printable, its line break not counted.
const LINE: usize = 76;

/// Writes `Content-Transfer-Encoding`, an empty line and the body: 7bit for lines that switch charsets in 7-bit octets, as
/// ISO-2022-JP does, else quoted-printable or base64, whichever is shorter. Line breaks are CRLF already.
pub(crate) fn write(octets: &[u8], out: &mut Vec<u8>) {
    if is_seven_bit(octets) {
        out.extend_from_slice(Transfer::SevenBit.head());
        out.extend_from_slice(octets);
        return;
    }
    let base64 = body::base64(octets);
    match quoted_printable(octets, base64.len()) {
        Some(quoted) => {
            out.extend_from_slice(Transfer::QuotedPrintable.head());
            out.extend_from_slice(quoted.as_bytes());
        }
        None => {
            out.extend_from_slice(Transfer::Base64.head());
            out.extend_from_slice(&base64);
        }
    }
}

fn is_seven_bit(octets: &[u8]) -> bool {
    octets.split(|octet| *octet == b'\n').all(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.len() <= LINE_LIMIT
            && !matches!(line.last(), Some(b' ' | b'\t'))
            && line.iter().all(|octet| matches!(octet, b' '..=b'~' | b'\t' | 0x1B))
    })
}

/// Writes quoted-printable (RFC 2045 §6.7), unless it is longer than `limit`.
fn quoted_printable(octets: &[u8], limit: usize) -> Option<String> {
    let mut out = String::with_capacity(octets.len() + octets.len() / 4);
    let mut column = 0;
    let mut rest = octets;
    while let Some((&octet, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(b"\r\n") {
            out.push_str("\r\n");
            column = 0;
            rest = after;
            continue;
        }
        let at_end = after.is_empty() || after.starts_with(b"\r\n");
        let literal = match octet {
            b' ' | b'\t' => !at_end,
            _ => octet.is_ascii_graphic() && octet != b'=',
        };
        let width = if literal { 1 } else { 3 };
        if column + width > LINE - usize::from(!at_end) {
            out.push_str("=\r\n");
            column = 0;
        }
        if literal {
            out.push(char::from(octet));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "={octet:02X}");
        }
        column += width;
        if out.len() > limit {
            return None;
        }
        rest = after;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn written(octets: &[u8]) -> String {
        let mut out = Vec::new();
        write(octets, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_shortest_encoding_is_taken() {
        assert_eq!(
            written(b"a\x1b$BF|\x1b(B\r\n"),
            "Content-Transfer-Encoding: 7bit\r\n\r\na\x1b$BF|\x1b(B\r\n"
        );
        assert!(written(b"na\xEFve caf\xE9 \r\n").ends_with("quoted-printable\r\n\r\nna=EFve caf=E9=20\r\n"));
        assert!(written(b"\xE9\xE8\xE0").ends_with("base64\r\n\r\n6ejg"));
        let long = [b"\x1b$B".as_slice(), &[b'F'; 998], b"\x1b(B"].concat();
        assert!(written(&long).starts_with("Content-Transfer-Encoding: quoted-printable\r\n\r\n=1B$BFF"));
    }

    proptest! {
        #[test]
        fn octets_come_back(lines in prop::collection::vec(prop::collection::vec(prop_oneof![4 => b' '..=b'~', 1 => 128_u8..=255], 0..120), 0..6)) {
            let octets = lines.join(b"\r\n".as_slice());
            let message = format!("MIME-Version: 1.0\r\nContent-Type: application/x\r\n{}", written(&octets));
            for line in message.split("\r\n") {
                prop_assert!(line.len() <= 998 && !line.contains(['\r', '\n']));
            }
            let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
            prop_assert_eq!(parsed.part(0).unwrap().contents(), octets);
        }
    }
}
