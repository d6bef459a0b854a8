//! Decodes quoted-printable as it is received: what is no escape stands for itself (RFC 2045 §6.7).

/// Decodes a body.
pub(super) fn decode(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    each_piece(encoded, |piece| decoded.extend_from_slice(piece));
    decoded
}

/// Counts the octets that [`decode`] makes.
pub(super) fn decoded_len(encoded: &[u8]) -> usize {
    let mut length = 0;
    each_piece(encoded, |piece| length += piece.len());
    length
}

/// Decodes the text of an encoded-word, in which `_` is a space (RFC 2047 §4.2).
pub(super) fn decode_word(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [byte, after @ ..] = rest {
        if let Some(octet) = escape(rest) {
            decoded.push(octet);
            rest = rest.get(3..).unwrap_or_default();
        } else {
            decoded.push(if *byte == b'_' { b' ' } else { *byte });
            rest = after;
        }
    }
    decoded
}

/// Hands out what `encoded` stands for, piece by piece. Each octet is looked at a bounded number of times.
fn each_piece(encoded: &[u8], mut out: impl FnMut(&[u8])) {
    let mut rest = encoded;
    while !rest.is_empty() {
        let plain = rest
            .iter()
            .position(|byte| matches!(byte, b'=' | b' ' | b'\t'))
            .unwrap_or(rest.len());
        let (piece, special) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        if !piece.is_empty() {
            out(piece);
        }
        if special.is_empty() {
            return;
        }
        let length = if special.starts_with(b"=") {
            match (escape(special), soft_break(special)) {
                (Some(octet), _) => {
                    out(&[octet]);
                    3
                }
                (None, Some(length)) => length,
                (None, None) => {
                    out(b"=");
                    1
                }
            }
        } else {
            // White space at the end of a line was added on the way.
            let blanks = blanks(special);
            let (run, after) = special.split_at_checked(blanks).unwrap_or((special, &[]));
            if line_break(after).is_none() {
                out(run);
            }
            blanks
        };
        rest = special.get(length..).unwrap_or_default();
    }
}

/// The octet that `text` begins with in the form `=XX`.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'=', high, low, ..] = text else {
        return None;
    };
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Length of the soft line break that `text` begins with.
fn soft_break(text: &[u8]) -> Option<usize> {
    let after = text.get(1..)?;
    let blanks = blanks(after);
    let length = line_break(after.get(blanks..)?)?;
    Some(1 + blanks + length)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Length of the line break that `text` begins with; the end of the text is one of length 0.
fn line_break(text: &[u8]) -> Option<usize> {
    match text {
        [] => Some(0),
        [b'\r', b'\n', ..] => Some(2),
        [b'\n', ..] => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(encoded: &str, expected: &[u8]) {
        assert_eq!(decode(encoded.as_bytes()), expected, "{encoded:?}");
        assert_eq!(decoded_len(encoded.as_bytes()), expected.len(), "{encoded:?}");
    }

    #[test]
    fn escapes_and_breaks() {
        check("a=3Db=c3=A9", b"a=b\xC3\xA9");
        check("a=\r\nb=\nc= \t\r\nd=", b"abcd");
        check("a\r\nb\n", b"a\r\nb\n");
    }

    #[test]
    fn white_space_at_line_ends_is_dropped() {
        check("a \t\r\nb \nc d ", b"a\r\nb\nc d");
        check("a=20\r\n", b"a \r\n");
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        check("a=b=zz=4", b"a=b=zz=4");
        check("= x", b"= x");
        check("==41", b"=A");
    }

    #[test]
    fn words_have_underscores_for_spaces() {
        assert_eq!(decode_word(b"a_b=5Fc d=4"), b"a b_c d=4");
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_the_octets(encoded in "[=0-9A-F a\t\r\n]{0,200}") {
            prop_assert_eq!(decoded_len(encoded.as_bytes()), decode(encoded.as_bytes()).len());
        }
    }
}
