//! Parameters of Content-Type and Content-Disposition: tokens, quoted-strings and RFC 2231.

use crate::encoded_word::hex_digit;
use crate::fold::Field;
use crate::text::{is_regular_ascii, is_token_byte};

/// Longest value that is written in one piece.
const PLAIN_LIMIT: usize = 60;
/// Longest piece of an RFC 2231 value; with its name, number and charset it stays below 78 octets.
const PIECE_LIMIT: usize = 48;

/// Writes `; name=value` in the simplest form that every reader gives back exactly.
///
/// A value that needs RFC 2231 is followed by a plain ASCII version if `fallback`. The extended form comes first:
/// readers that take the first of two (Python's `email` does) then take the exact one.
pub(crate) fn write(field: &mut Field<'_>, name: &str, value: &str, fallback: bool) {
    field.glue_byte(b';');
    if is_token(value) {
        field.word_and(&format!("{name}={value}"), 1);
    } else if is_plain(value) {
        write_quoted(field, name, value);
    } else {
        write_extended(field, name, value);
        if fallback {
            field.glue_byte(b';');
            write_quoted(field, name, &ascii_fallback(value));
        }
    }
}

fn is_token(value: &str) -> bool {
    // A file name such as `a'b` is a token, yet some readers take an apostrophe or percent sign for RFC 2231.
    !value.is_empty()
        && value.len() <= PLAIN_LIMIT
        && value
            .bytes()
            .all(|byte| is_token_byte(byte) && !matches!(byte, b'\'' | b'%' | b'*'))
}

fn is_plain(value: &str) -> bool {
    value.len() <= PLAIN_LIMIT
        && is_regular_ascii(value)
        && !value.contains("=?")
        && !value
            .bytes()
            .any(|byte| matches!(byte, b'"' | b'\\' | b'%' | b'\'' | b'*'))
}

fn write_quoted(field: &mut Field<'_>, name: &str, value: &str) {
    field.make_room(name.len() + value.len() + 4);
    field.glue_byte(b' ');
    field.glue(name);
    field.glue_byte(b'=');
    field.quoted_string(value);
}

/// Writes RFC 2231 pieces: one if it is short, else numbered ones. No piece splits a character.
fn write_extended(field: &mut Field<'_>, name: &str, value: &str) {
    let mut pieces = Pieces { rest: value };
    let Some(first) = pieces.next() else {
        return write_quoted(field, name, "");
    };
    if pieces.rest.is_empty() {
        return field.word_and(&format!("{name}*=utf-8''{first}"), 1);
    }
    field.word_and(&format!("{name}*0*=utf-8''{first}"), 1);
    for (index, piece) in pieces.enumerate() {
        field.glue_byte(b';');
        field.word_and(&format!("{name}*{}*={piece}", index + 1), 1);
    }
}

struct Pieces<'a> {
    rest: &'a str,
}

impl Iterator for Pieces<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.rest.is_empty() {
            return None;
        }
        let mut piece = String::with_capacity(PIECE_LIMIT);
        let mut characters = self.rest.chars();
        while let Some(character) = characters.clone().next() {
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).bytes();
            let cost: usize = bytes
                .clone()
                .map(|byte| if is_attribute_byte(byte) { 1 } else { 3 })
                .sum();
            if piece.len() + cost > PIECE_LIMIT {
                break;
            }
            for byte in bytes {
                if is_attribute_byte(byte) {
                    piece.push(char::from(byte));
                } else {
                    piece.push('%');
                    piece.push(char::from(hex_digit(byte >> 4)));
                    piece.push(char::from(hex_digit(byte)));
                }
            }
            characters.next();
        }
        self.rest = characters.as_str();
        Some(piece)
    }
}

/// Tells whether `byte` is an attribute-char (RFC 2231 §7).
fn is_attribute_byte(byte: u8) -> bool {
    is_token_byte(byte) && !matches!(byte, b'*' | b'\'' | b'%')
}

/// Returns an ASCII stand-in for readers that do not know RFC 2231: short, with the extension kept.
fn ascii_fallback(value: &str) -> String {
    let ascii = |text: &str| -> String {
        text.trim()
            .chars()
            .map(|c| {
                if c == ' ' || (c.is_ascii_graphic() && !"\"\\/%'*=?".contains(c)) {
                    c
                } else {
                    '_'
                }
            })
            .collect()
    };
    let (stem, extension) = match value.rsplit_once('.') {
        Some((stem, extension)) if extension.chars().count() <= 10 => (stem, Some(extension)),
        _ => (value, None),
    };
    let mut fallback: String = ascii(stem).chars().take(40).collect();
    if let Some(extension) = extension {
        fallback.push('.');
        fallback.push_str(&ascii(extension));
    }
    fallback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        let mut out = Vec::new();
        let mut field = Field::begin(&mut out, "X");
        field.word("attachment");
        write(&mut field, "filename", value, true);
        field.end();
        assert_eq!(String::from_utf8(out).unwrap(), format!("X: attachment;{expected}\r\n"));
    }

    #[test]
    fn ascii_names_are_plain() {
        check("a.txt", " filename=a.txt");
        check("a b.txt", " filename=\"a b.txt\"");
        check("", " filename=\"\"");
    }

    #[test]
    fn names_that_readers_differ_about_are_extended() {
        check("é.txt", " filename*=utf-8''%C3%A9.txt; filename=\"_.txt\"");
        check("a\"b.txt", " filename*=utf-8''a%22b.txt; filename=\"a_b.txt\"");
        check("a\\b.txt", " filename*=utf-8''a%5Cb.txt; filename=\"a_b.txt\"");
        check("50% off", " filename*=utf-8''50%25%20off; filename=\"50_ off\"");
        check("a  b", " filename*=utf-8''a%20%20b; filename=\"a  b\"");
        check("it's", " filename*=utf-8''it%27s; filename=\"it_s\"");
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        check(
            &format!("{}.pdf", "é".repeat(20)),
            "\r\n filename*0*=utf-8''%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9;\r\n \
             filename*1*=%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9;\r\n \
             filename*2*=%C3%A9%C3%A9%C3%A9%C3%A9.pdf;\r\n filename=\"____________________.pdf\"",
        );
    }
}
