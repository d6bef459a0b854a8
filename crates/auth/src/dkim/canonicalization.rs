//! What is done to header fields and bodies before they are hashed (RFC 6376 §3.4).

use std::fmt;

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
/// `raw` is the field as it stands in the message, from its name to its CRLF.
pub(crate) fn push_field(out: &mut Vec<u8>, raw: &[u8], canonicalization: Canonicalization) {
    if canonicalization == Canonicalization::Simple {
        out.extend_from_slice(raw);
        return;
    }
    let colon = raw.iter().position(|&byte| byte == b':').unwrap_or(raw.len());
    let (name, value) = raw.split_at(colon);
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let mut space = false;
    let mut any = false;
    for &byte in value.get(1..).unwrap_or_default() {
        match byte {
            b'\r' | b'\n' => {}
            b' ' | b'\t' => space = true,
            byte => {
                if space && any {
                    out.push(b' ');
                }
                space = false;
                any = true;
                out.push(byte);
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
    }
}
