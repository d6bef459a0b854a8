//! Decodes base64 as it is received: whatever is not of the alphabet is skipped (RFC 2045 §6.8).

use encodify::base64::MIME;

/// Marks an octet that is not of the alphabet.
const OTHER: u8 = 0xFF;

/// What each octet stands for.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [OTHER; 256];
    let mut index = 0;
    while index < 64 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
        {
            values[ALPHABET[index] as usize] = index as u8;
        }
        index += 1;
    }
    values
}

fn value(byte: u8) -> u8 {
    VALUES.get(usize::from(byte)).copied().unwrap_or(OTHER)
}

/// Decodes a body. Padding ends a run, and another one may follow: some writers pad each line.
pub(super) fn decode(encoded: &[u8]) -> Vec<u8> {
    // The same, and faster, as long as nothing but white space is to be skipped.
    MIME.decode(encoded).unwrap_or_else(|_| decode_anything(encoded))
}

fn decode_anything(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let (mut bits, mut digits) = (0_u32, 0_u8);
    for byte in encoded {
        let value = value(*byte);
        if value != OTHER {
            bits = bits << 6 | u32::from(value);
            digits += 1;
            if digits == 4 {
                let [_, first, second, third] = bits.to_be_bytes();
                decoded.extend_from_slice(&[first, second, third]);
                (bits, digits) = (0, 0);
            }
        } else if *byte == b'=' {
            end_run(&mut decoded, bits, digits);
            (bits, digits) = (0, 0);
        }
    }
    end_run(&mut decoded, bits, digits);
    decoded
}

/// Counts the octets that [`decode`] makes.
pub(super) fn decoded_len(encoded: &[u8]) -> usize {
    MIME.decoded_len(encoded).unwrap_or_else(|_| count_anything(encoded))
}

fn count_anything(encoded: &[u8]) -> usize {
    encoded
        .split(|byte| *byte == b'=')
        .map(|run| {
            let digits = run.iter().filter(|byte| value(**byte) != OTHER).count();
            digits / 4 * 3 + (digits % 4).saturating_sub(1)
        })
        .sum()
}

/// Decodes the text of an encoded-word; `None` if it holds anything but digits and the padding behind them.
pub(super) fn decode_word(encoded: &[u8]) -> Option<Vec<u8>> {
    let digits = encoded.iter().take_while(|byte| value(**byte) != OTHER).count();
    let padding = encoded.get(digits..)?;
    padding.iter().all(|byte| *byte == b'=').then(|| decode(encoded))
}

/// Adds what is left when a run ends: two digits make an octet, three make two, one makes none.
fn end_run(decoded: &mut Vec<u8>, bits: u32, digits: u8) {
    match digits {
        2 => {
            let [.., first] = (bits >> 4).to_be_bytes();
            decoded.push(first);
        }
        3 => {
            let [.., first, second] = (bits >> 2).to_be_bytes();
            decoded.extend_from_slice(&[first, second]);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(encoded: &str, expected: &str) {
        assert_eq!(decode(encoded.as_bytes()), expected.as_bytes(), "{encoded:?}");
        assert_eq!(decoded_len(encoded.as_bytes()), expected.len(), "{encoded:?}");
    }

    #[test]
    fn whole_and_padded_groups() {
        check("", "");
        check("Zm9v", "foo");
        check("Zm9vYg==", "foob");
        check("Zm9vYmE=", "fooba");
    }

    #[test]
    fn padding_may_be_missing_too_long_or_in_the_middle() {
        check("Zm9vYg", "foob");
        check("Zm9vYmE", "fooba");
        check("Zm9v====", "foo");
        check("Zg==\r\nZm9v\r\n", "ffoo");
        check("Z", "");
    }

    #[test]
    fn other_octets_are_skipped() {
        check("Zm\r\n9v\0 !", "foo");
    }

    #[test]
    fn words_are_strict() {
        assert_eq!(decode_word(b"Zm9v"), Some(b"foo".to_vec()));
        assert_eq!(decode_word(b"Zm9vYg==="), Some(b"foob".to_vec()));
        assert_eq!(decode_word(b"Zm9 v"), None);
        assert_eq!(decode_word(b"Zg==Zg"), None);
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_the_octets(encoded in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decoded_len(&encoded), decode(&encoded).len());
        }

        #[test]
        fn both_ways_decode_alike(encoded in "[A-Za-z0-9+/=\r\n]{0,200}") {
            let decoded = decode(encoded.as_bytes());
            prop_assert_eq!(decoded_len(encoded.as_bytes()), decoded.len());
            prop_assert_eq!(count_anything(encoded.as_bytes()), decoded.len());
            prop_assert_eq!(decode_anything(encoded.as_bytes()), decoded);
        }
    }
}
