//! Encoded-words in charsets other than UTF-8 (RFC 2047).

use super::Charset;
use crate::body;
use crate::encoded_word::{self, Place};
use crate::fold::{Field, span_to_encode};

/// Longest encoded-word (RFC 2047 §2).
const WORD_LIMIT: usize = 75;
/// Longest line that holds an encoded-word (RFC 2047 §2).
const LINE_LIMIT: usize = 76;
/// Room below which a new line is begun rather than a word cut small.
const WORTH_STARTING: usize = 16;

/// Writes unstructured text as [`Field::unstructured`], with what is not plain ASCII in `charset`.
pub(crate) fn unstructured(field: &mut Field<'_>, text: &str, charset: Charset) {
    let Some((start, end)) = span_to_encode(text) else {
        return field.words(text);
    };
    let middle = text.get(start..end).unwrap_or_default();
    field.words(text.get(..start).unwrap_or_default());
    if charset == Charset::UTF_8 || charset.encode(middle).is_err() {
        encoded_word::write(field, middle, Place::Text);
    } else {
        write(field, middle, charset);
    }
    field.words(text.get(end..).unwrap_or_default());
}

/// Writes words of whole characters, each of which begins and ends in ASCII.
fn write(field: &mut Field<'_>, text: &str, charset: Charset) {
    let around = "=??B??=".len() + charset.name().len();
    let room = |column: usize| {
        (LINE_LIMIT.saturating_sub(column + 1))
            .min(WORD_LIMIT)
            .saturating_sub(around)
    };
    let mut rest = text;
    while !rest.is_empty() {
        let (mut head, mut octets) = take(rest, room(field.column()), charset);
        if head.len() < rest.len() && room(field.column()) < WORTH_STARTING
            || octets.len().div_ceil(3) * 4 > room(field.column())
        {
            field.fold();
            (head, octets) = take(rest, room(field.column()), charset);
        }
        field.glue(" =?");
        field.glue(charset.name());
        field.glue("?B?");
        // A word is shorter than a line of base64.
        field.glue(std::str::from_utf8(&body::base64(&octets)).unwrap_or_default());
        field.glue("?=");
        rest = rest.get(head.len()..).unwrap_or_default();
    }
}

/// Takes as many characters as fit into `room` octets of base64, at least one, and encodes them.
fn take(text: &str, room: usize, charset: Charset) -> (&str, Vec<u8>) {
    let mut best = ("", Vec::new());
    for (offset, character) in text.char_indices() {
        let Some(head) = text.get(..offset + character.len_utf8()) else {
            break;
        };
        let octets = charset.encode(head).unwrap_or_default();
        if octets.len().div_ceil(3) * 4 > room && !best.0.is_empty() {
            break;
        }
        best = (head, octets);
    }
    best
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str, label: &str) -> String {
        let mut out = Vec::new();
        let mut field = Field::begin(&mut out, "Subject");
        unstructured(&mut field, text, Charset::from_label(label).unwrap());
        field.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_name_their_charset() {
        assert_eq!(written("plain", "iso-2022-jp"), "Subject: plain\r\n");
        assert_eq!(
            written("a 日本", "iso-2022-jp"),
            "Subject: a =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\n"
        );
        assert_eq!(written("é x", "latin1"), "Subject: =?iso-8859-1?B?6Q==?= x\r\n");
        assert_eq!(written("é", "utf-8"), "Subject: =?utf-8?B?w6k=?=\r\n");
    }

    proptest! {
        #[test]
        fn words_come_back(text in "[a-z日本語あア ]{1,120}", label in prop::sample::select(vec!["iso-2022-jp", "shift_jis", "euc-jp", "gb18030"])) {
            let header = written(&text, label);
            for line in header.trim_end().split("\r\n") {
                prop_assert!(line.len() <= 78, "{}", line);
                for word in line.split(' ') {
                    prop_assert!(word.len() <= 75);
                }
            }
            let message = format!("{header}\r\n");
            let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
            let subject = parsed.subject().unwrap_or_default();
            prop_assert_eq!(subject.trim(), text.trim());
        }
    }
}
