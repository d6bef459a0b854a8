//! HTML escaping, character for character as handlebars.js does it.

fn replacement(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#x27;"),
        b'`' => Some("&#x60;"),
        b'=' => Some("&#x3D;"),
        _ => None,
    }
}

/// Appends `text` to `out` with ``& < > " ' ` =`` replaced.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = suspect(bytes, at) {
        at = found + 1;
        if let Some(replacement) = bytes.get(found).copied().and_then(replacement) {
            out.push_str(text.get(from..found).unwrap_or_default());
            out.push_str(replacement);
            from = at;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// A byte in each of eight lanes.
const fn lanes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The high bits of those lanes that may hold something to replace, the lowest of them exactly.
#[inline]
fn suspects(word: u64) -> u64 {
    // In each lane: zero becomes 0x80. Only lanes above a zero can be wrong.
    let zeros = |word: u64| word.wrapping_sub(lanes(1)) & !word & lanes(0x80);
    // Two or four neighbours at once; `?` is among them and is sorted out later.
    zeros(word ^ lanes(b'"'))
        | zeros((word | lanes(0x01)) ^ lanes(b'\''))
        | zeros((word & lanes(0xfc)) ^ lanes(b'<'))
        | zeros(word ^ lanes(b'`'))
}

/// Finds the first byte from `at` on that may have to be replaced.
#[inline]
fn suspect(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = bytes.get(at..)?;
        let found = match rest.first_chunk::<8>() {
            Some(word) => suspects(u64::from_le_bytes(*word)),
            None if rest.is_empty() => return None,
            None => {
                let mut word = [0; 8];
                for (lane, byte) in word.iter_mut().zip(rest) {
                    *lane = *byte;
                }
                suspects(u64::from_le_bytes(word))
            }
        };
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape_into(&mut out, text);
        out
    }

    /// The same, a character at a time.
    fn plainly(text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            match u8::try_from(c).ok().and_then(replacement) {
                Some(replacement) => out.push_str(replacement),
                None => out.push(c),
            }
        }
        out
    }

    #[test]
    fn escapes_what_handlebars_escapes() {
        assert_eq!(escaped("ä<b>&\"'`=/ö"), "ä&lt;b&gt;&amp;&quot;&#x27;&#x60;&#x3D;/ö");
        assert_eq!(escaped("what? all?"), "what? all?");
    }

    #[test]
    fn every_character_in_every_place() {
        for c in (0..0x100).filter_map(char::from_u32) {
            for length in 0..20 {
                for place in 0..=length {
                    let text = format!("{}{c}{}", "x".repeat(place), "?".repeat(length - place));
                    assert_eq!(escaped(&text), plainly(&text));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn words_and_bytes_agree(text in "[a-z?<>&\"'`=%;@#äß\u{80}\u{ffff}]{0,60}") {
            prop_assert_eq!(escaped(&text), plainly(&text));
        }
    }
}
