//! Encoded-words (RFC 2047), for providers that hand text on as it is or stumble over quoted names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Mailbox;

use crate::addresses;

/// Longest encoded-word (RFC 2047 §2), without what stands around its text.
const ROOM: usize = 75 - "=?utf-8?q??=".len();

/// Writes text as encoded-words, in the encoding that is shorter. No word splits a character.
pub(crate) fn encode(text: &str) -> String {
    let quoted: usize = text.chars().map(quoted_len).sum();
    if text.len().div_ceil(3) * 4 < quoted {
        let mut words = Words::default();
        let mut piece = String::new();
        for character in text.chars() {
            if (piece.len() + character.len_utf8()).div_ceil(3) * 4 > ROOM {
                words.push('b', &STANDARD.encode(&piece));
                piece.clear();
            }
            piece.push(character);
        }
        words.push('b', &STANDARD.encode(&piece));
        words.0
    } else {
        quoted_words(text)
    }
}

/// Writes text as encoded-words that can be read without a table: the encoding Q.
pub(crate) fn quoted_words(text: &str) -> String {
    let mut words = Words::default();
    let mut piece = String::new();
    for character in text.chars() {
        if piece.len() + quoted_len(character) > ROOM {
            words.push('q', &piece);
            piece.clear();
        }
        match character {
            ' ' => piece.push('_'),
            character if is_literal(character) => piece.push(character),
            character => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    piece.push_str(&format!("={byte:02X}"));
                }
            }
        }
    }
    words.push('q', &piece);
    words.0
}

/// Writes text that is not ASCII as encoded-words, any other as it is.
pub(crate) fn unless_ascii(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { encode(text) }
}

/// Writes `name <address>`, the name in encoded-words if it is not ASCII.
pub(crate) fn mailbox(mailbox: &Mailbox) -> String {
    match mailbox.name() {
        Some(name) if !name.is_ascii() => format!("{} <{}>", encode(name), addresses::address(mailbox.address())),
        _ => addresses::text(mailbox),
    }
}

/// Tells whether a name has to be quoted or encoded to stand in a header field (RFC 5322 §3.2.3).
pub(crate) fn is_special(name: &str) -> bool {
    !name
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(character))
}

#[derive(Default)]
struct Words(String);

impl Words {
    fn push(&mut self, encoding: char, text: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str("=?utf-8?");
        self.0.push(encoding);
        self.0.push('?');
        self.0.push_str(text);
        self.0.push_str("?=");
    }
}

/// What may stand for itself in a word of a phrase (RFC 2047 §5).
fn is_literal(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!*+-/".contains(character)
}

fn quoted_len(character: char) -> usize {
    if character == ' ' || is_literal(character) {
        1
    } else {
        3 * character.len_utf8()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(encode("With, Comma"), "=?utf-8?q?With=2C_Comma?=");
        assert_eq!(encode("Další"), "=?utf-8?b?RGFsxaHDrQ==?=");
        assert_eq!(unless_ascii("a, b"), "a, b");
        let plain = "\"a, b\" <a@example.net>".parse().unwrap();
        assert_eq!(mailbox(&plain), "\"a, b\" <a@example.net>");
        let other = "Інше <a@b\u{fc}cher.example>".parse().unwrap();
        assert_eq!(mailbox(&other), "=?utf-8?b?0IbQvdGI0LU=?= <a@xn--bcher-kva.example>");
    }

    proptest! {
        #[test]
        fn words_are_short_and_hold_the_text(text in "\\PC{0,200}") {
            for written in [encode(&text), quoted_words(&text)] {
                prop_assert!(written.is_ascii());
                let mut read = Vec::new();
                for word in written.split(' ') {
                    prop_assert!(word.len() <= 75, "{}", word);
                    let inner = word.strip_prefix("=?utf-8?").and_then(|word| word.strip_suffix("?=")).unwrap();
                    let bytes = match inner.split_once('?').unwrap() {
                        ("b", inner) => STANDARD.decode(inner).unwrap(),
                        (_, inner) => {
                            let mut bytes = Vec::new();
                            let mut rest = inner.bytes();
                            while let Some(byte) = rest.next() {
                                bytes.push(match byte {
                                    b'_' => b' ',
                                    b'=' => {
                                        let digits = [rest.next().unwrap(), rest.next().unwrap()];
                                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                                    }
                                    byte => byte,
                                });
                            }
                            bytes
                        }
                    };
                    // Each word stands for whole characters.
                    prop_assert!(std::str::from_utf8(&bytes).is_ok());
                    read.extend(bytes);
                }
                prop_assert_eq!(String::from_utf8(read).unwrap(), text.clone());
            }
        }
    }
}
