//! What is done to header fields and bodies before they are hashed (RFC 6376 §3.4).

use std::fmt;

use super::scan::{find, plain};

/// How a header section or a body is made comparable before it is hashed (RFC 6376 §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Canonicalization {
    /// Tolerates next to nothing.
    Simple,
    /// Tolerates changed white space, refolding and the case of field names.
    #[default]
    Relaxed,
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        })
    }
}

/// Appends one header field in canonical form, its line end included.
///
/// `raw` is the field as it stands in the message, from its name to its CRLF, which may be missing.
pub(crate) fn push_field(out: &mut Vec<u8>, raw: &[u8], canonicalization: Canonicalization) {
    let Some(colon) = find(raw, b':').filter(|_| canonicalization == Canonicalization::Relaxed) else {
        out.extend_from_slice(raw);
        if !raw.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
        return;
    };
    let (name, value) = raw.split_at_checked(colon).unwrap_or((raw, &[]));
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let empty = out.len();
    let mut rest = value.get(1..).unwrap_or_default();
    let mut space = false;
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'\n' => rest = tail,
            // §3.4.2 unfolds at CRLF: a CR of its own is text, or lines could be hidden in a signed field.
            b'\r' if matches!(tail.first(), Some(b'\n') | None) => rest = tail,
            b' ' | b'\t' => {
                space = true;
                rest = tail;
            }
            _ => {
                if space && out.len() > empty {
                    out.push(b' ');
                }
                space = false;
                // A control character counts as one octet of text.
                let (word, behind) = rest.split_at_checked(plain(rest).max(1)).unwrap_or((rest, &[]));
                out.extend_from_slice(word);
                rest = behind;
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields() {
        let mut out = Vec::new();
        push_field(&mut out, b"A: X\r\n", Canonicalization::Relaxed);
        push_field(&mut out, b"B : Y\t\r\n\tZ  \r\n", Canonicalization::Relaxed);
        push_field(&mut out, b"B : Y\t\r\n\tZ  \r\n", Canonicalization::Simple);
        assert_eq!(out, b"a:X\r\nb:Y Z\r\nB : Y\t\r\n\tZ  \r\n");
        for (raw, relaxed) in [
            ("A: b\rFrom: c\r\n", "a:b\rFrom: c\r\n"),
            ("A:", "a:\r\n"),
            ("A: \r\n \r\n", "a:\r\n"),
            ("A:\u{1}b \u{2}\tc", "a:\u{1}b \u{2} c\r\n"),
            (
                "A: Gr\u{fc}\u{df}e  aus: weit weg\r\n",
                "a:Gr\u{fc}\u{df}e aus: weit weg\r\n",
            ),
        ] {
            out.clear();
            push_field(&mut out, raw.as_bytes(), Canonicalization::Relaxed);
            assert_eq!(out, relaxed.as_bytes());
        }
    }
}
