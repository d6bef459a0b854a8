//! The `xtext` encoding of ENVID, ORCPT and AUTH parameters (RFC 3461 §4).

/// Decodes xtext, or returns `None` when `text` is not xtext or does not stand for UTF-8.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::protocol::xtext;
///
/// assert_eq!(xtext::decode("a+2Bb+3Dc").as_deref(), Some("a+b=c"));
/// assert_eq!(xtext::decode("a+b"), None);
/// ```
pub fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                decoded.push(high << 4 | low);
            }
            b'!'..=b'~' if byte != b'=' => decoded.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(decoded).ok()
}

/// Encodes `text` as xtext.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'+' && byte != b'=' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("+{byte:02X}")),
        }
    }
    encoded
}

/// Only upper-case digits are xtext.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_not_xtext() {
        for text in ["a b", "a=b", "+", "+4", "+4g", "+2b", "\u{e9}", "a\r\n", "+FF"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(text in any::<String>()) {
            let encoded = encode(&text);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(decode(&encoded), Some(text));
        }
    }
}
