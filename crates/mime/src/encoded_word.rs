//! RFC 2047 encoded-words.

use crate::fold::Field;

const PREFIX_Q: &str = "=?utf-8?Q?";
const PREFIX_B: &str = "=?utf-8?B?";
const SUFFIX: &str = "?=";
const AROUND: usize = PREFIX_Q.len() + SUFFIX.len();
/// Longest encoded-word (RFC 2047 §2).
const WORD_LIMIT: usize = 75;
/// Longest line that holds an encoded-word (RFC 2047 §2).
const LINE_WITH_WORD_LIMIT: usize = 76;
/// Room below which a new line is begun rather than a word cut small.
const WORTH_STARTING: usize = 20;

/// Where encoded-words stand; phrases allow fewer literal characters (RFC 2047 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Text,
    Phrase,
}

#[derive(Clone, Copy)]
enum Encoding {
    Q,
    B,
}

/// Writes `text` as encoded-words, in the encoding that is shorter; no word splits a character.
pub(crate) fn write(field: &mut Field<'_>, text: &str, place: Place) {
    let encoding = if cost(text, Encoding::Q, place) <= cost(text, Encoding::B, place) {
        Encoding::Q
    } else {
        Encoding::B
    };
    let mut rest = text;
    while !rest.is_empty() {
        let mut taken = take(rest, room(field.column()), encoding, place);
        let is_cut = taken < rest.len() || cost(rest, encoding, place) > room(field.column());
        if is_cut && room(field.column()) < WORTH_STARTING {
            field.fold();
            taken = take(rest, room(field.column()), encoding, place);
        }
        if place == Place::Phrase && taken < rest.len() {
            // Some readers put a space between the words of a phrase: there is one, then.
            taken = rest
                .get(..taken)
                .and_then(|head| head.rfind(' '))
                .filter(|space| *space > 0)
                .unwrap_or(taken);
        }
        let (head, tail) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        rest = tail;
        match encoding {
            Encoding::Q => {
                field.glue_byte(b' ');
                field.glue(PREFIX_Q);
                write_q(field, head, place);
            }
            Encoding::B => {
                field.glue_byte(b' ');
                field.glue(PREFIX_B);
                write_b(field, head.as_bytes());
            }
        }
        field.glue(SUFFIX);
    }
}

/// Octets of encoded text that fit into one word on a line that is full up to `column`.
fn room(column: usize) -> usize {
    let in_line = LINE_WITH_WORD_LIMIT.saturating_sub(column + 1 + AROUND);
    in_line.min(WORD_LIMIT - AROUND)
}

/// Octets of `text`, whole characters, whose encoding fits into `room`; at least one character, so that it ends.
fn take(text: &str, room: usize, encoding: Encoding, place: Place) -> usize {
    let mut cost = 0;
    let mut taken = 0;
    for (offset, character) in text.char_indices() {
        let end = offset + character.len_utf8();
        let bytes = text.as_bytes().get(offset..end).unwrap_or_default();
        cost = match encoding {
            Encoding::Q => cost + bytes.iter().map(|byte| q_cost(*byte, place)).sum::<usize>(),
            Encoding::B => end.div_ceil(3) * 4,
        };
        if cost > room && taken > 0 {
            break;
        }
        taken = end;
        if cost > room {
            break;
        }
    }
    taken
}

/// Octets of the encoded text.
fn cost(text: &str, encoding: Encoding, place: Place) -> usize {
    match encoding {
        Encoding::Q => text.bytes().map(|byte| q_cost(byte, place)).sum(),
        Encoding::B => text.len().div_ceil(3) * 4,
    }
}

fn is_literal(byte: u8, place: Place) -> bool {
    match place {
        Place::Text => byte.is_ascii_graphic() && !matches!(byte, b'=' | b'?' | b'_'),
        Place::Phrase => byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte),
    }
}

fn q_cost(byte: u8, place: Place) -> usize {
    if byte == b' ' || is_literal(byte, place) { 1 } else { 3 }
}

fn write_q(field: &mut Field<'_>, text: &str, place: Place) {
    for byte in text.bytes() {
        if byte == b' ' {
            field.glue_byte(b'_');
        } else if is_literal(byte, place) {
            field.glue_byte(byte);
        } else {
            field.glue_byte(b'=');
            field.glue_byte(hex_digit(byte >> 4));
            field.glue_byte(hex_digit(byte & 0x0F));
        }
    }
}

/// Returns the upper-case hexadecimal digit for the low four bits of `value`.
pub(crate) fn hex_digit(value: u8) -> u8 {
    match value & 0x0F {
        digit @ 0..=9 => b'0' + digit,
        letter => b'A' + letter - 10,
    }
}

fn write_b(field: &mut Field<'_>, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let octet = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for position in 0..4_usize {
            if position > group.len() {
                field.glue_byte(b'=');
            } else {
                field.glue_byte(base64_digit(bits >> (18 - 6 * position)));
            }
        }
    }
}

fn base64_digit(bits: u32) -> u8 {
    // The cast keeps six bits only.
    match (bits & 0x3F) as u8 {
        value @ 0..=25 => b'A' + value,
        value @ 26..=51 => b'a' + value - 26,
        value @ 52..=61 => b'0' + value - 52,
        62 => b'+',
        _ => b'/',
    }
}
