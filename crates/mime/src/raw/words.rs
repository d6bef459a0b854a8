//! Decodes RFC 2047 encoded-words, the broken ones of the wild among them.

use super::charset::{self, Charset};
use super::{base64, quoted_printable};
use crate::text::is_control;

/// Longest name of a charset that is looked at.
const CHARSET_LIMIT: usize = 64;

/// Returns `value` as text that can be shown: words decoded, controls replaced.
pub(super) fn decode(value: &[u8], charset: Option<&str>) -> String {
    harmless(&decode_all(value, charset))
}

/// Replaces control characters and line breaks; a tab stays.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| {
            if is_control(c) && c != '\t' {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

fn decode_all(value: &[u8], charset: Option<&str>) -> String {
    let mut text = String::new();
    let mut rest = value;
    let mut position = 0;
    while let Some(mark) = find_mark(rest.get(position..).unwrap_or_default()) {
        position += mark;
        let (before, from) = rest.split_at_checked(position).unwrap_or((rest, &[]));
        match run(from) {
            Some((decoded, length)) => {
                text.push_str(&charset::undeclared(before, charset));
                text.push_str(&decoded);
                rest = from.get(length..).unwrap_or_default();
                position = 0;
            }
            None => position += 1,
        }
    }
    text + &charset::undeclared(rest, charset)
}

fn find_mark(text: &[u8]) -> Option<usize> {
    text.windows(2).position(|pair| pair == b"=?")
}

/// Decodes the encoded-words that `text` begins with; white space between them does not count (RFC 2047 §6.2). Returns
/// the text and the octets that were read.
///
/// Neighbours in one charset are put together before they are decoded: some writers cut characters in two.
pub(super) fn run(text: &[u8]) -> Option<(String, usize)> {
    let first = word(text)?;
    let mut decoded = String::new();
    let (mut charset, mut bytes, mut read) = (first.charset, first.bytes, first.length);
    loop {
        let rest = text.get(read..).unwrap_or_default();
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
            .count();
        let Some(next) = rest.get(blanks..).and_then(word) else {
            decoded.push_str(&charset.decode(&bytes));
            return Some((decoded, read));
        };
        if next.charset == charset {
            bytes.extend_from_slice(&next.bytes);
        } else {
            decoded.push_str(&charset.decode(&bytes));
            (charset, bytes) = (next.charset, next.bytes);
        }
        read += blanks + next.length;
    }
}

struct Word {
    charset: Charset,
    bytes: Vec<u8>,
    length: usize,
}

/// Reads one `=?charset*language?encoding?text?=`.
fn word(text: &[u8]) -> Option<Word> {
    let rest = text.strip_prefix(b"=?")?;
    let (charset, rest) =
        before_question_mark(rest.get(..rest.len().min(CHARSET_LIMIT + 1))?).map(|(charset, _)| {
            let after = rest.get(charset.len() + 1..).unwrap_or_default();
            (charset, after)
        })?;
    let charset = std::str::from_utf8(charset).ok()?;
    let charset = Charset::of(charset.split('*').next().unwrap_or_default())?;
    let (encoding, rest) = before_question_mark(rest.get(..rest.len().min(2))?).map(|(encoding, _)| {
        let after = rest.get(encoding.len() + 1..).unwrap_or_default();
        (encoding, after)
    })?;
    let (encoded, after) = before_question_mark(rest)?;
    let after = after.strip_prefix(b"=")?;
    let bytes = match encoding {
        b"Q" | b"q" => quoted_printable::decode_word(encoded),
        b"B" | b"b" => base64::decode_word(encoded)?,
        _ => return None,
    };
    Some(Word {
        charset,
        bytes,
        length: text.len() - after.len(),
    })
}

fn before_question_mark(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'?')?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(decode(value.as_bytes(), None), expected, "{value:?}");
    }

    #[test]
    fn words_are_decoded() {
        check(
            "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= an =?UTF-8*de?b?YWxsZQ==?=!",
            "Grüße an alle!",
        );
        check("=?iso-8859-1?q?a_b?=", "a b");
        check("=?us-ascii?Q??=x", "x");
    }

    #[test]
    fn space_between_words_does_not_count() {
        check("=?utf-8?Q?a?= \t=?utf-8?Q?b?= c", "ab c");
        check("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü");
        check("=?utf-8?Q?=C3?= =?iso-8859-1?Q?=BC?=", "\u{FFFD}¼");
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in [
            "=?",
            "=?utf-8",
            "=?utf-8?Q",
            "=?utf-8?Q?x",
            "=?utf-8?Q?x?",
            "=?utf-8?X?x?=",
            "=?nonsense?Q?x?=",
            "=??Q?x?=",
            "=?utf-8?B?a b?=",
            "?==?",
        ] {
            check(text, text);
        }
        check("=?=?utf-8?Q?x?=", "=?x");
    }

    #[test]
    fn controls_in_words_are_replaced() {
        check("=?utf-8?Q?a=0D=0ABcc:_x?=", "a\u{FFFD}\u{FFFD}Bcc: x");
        check("=?utf-8?Q?a=E2=80=A8b=09c?=", "a\u{FFFD}b\tc");
    }
}
