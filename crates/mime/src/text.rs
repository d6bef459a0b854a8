//! Which characters text in a header may hold.

use crate::HeaderError;

/// Longest line of a message, without its CRLF (RFC 5322 §2.1.1).
pub(crate) const LINE_LIMIT: usize = 998;
/// Longest piece that can stand on a line of its own behind the space that folds it.
pub(crate) const TOKEN_LIMIT: usize = LINE_LIMIT - 1;

/// Tells whether some reader takes `character` for a control or a line break: C0, DEL, C1 (with NEL), U+2028, U+2029.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Refuses controls and line breaks; a tab may stand where `tab_allowed`.
pub(crate) fn refuse_controls(field: &'static str, text: &str, tab_allowed: bool) -> Result<(), HeaderError> {
    let found = text
        .char_indices()
        .find(|(_, c)| is_control(*c) && !(tab_allowed && *c == '\t'));
    match found {
        Some((offset, character)) => Err(HeaderError::Control {
            field,
            character,
            offset,
        }),
        None => Ok(()),
    }
}

/// Refuses the first character that `allowed` does not allow: as a control if it is one.
pub(crate) fn refuse_others(
    field: &'static str,
    text: &str,
    allowed: impl Fn(char) -> bool,
) -> Result<(), HeaderError> {
    match text.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((offset, character)) if is_control(character) => Err(HeaderError::Control {
            field,
            character,
            offset,
        }),
        Some((offset, character)) => Err(HeaderError::Character {
            field,
            character,
            offset,
        }),
        None => Ok(()),
    }
}

/// Refuses text of more than `limit` octets.
pub(crate) fn refuse_longer(field: &'static str, text: &str, limit: usize) -> Result<(), HeaderError> {
    if text.len() > limit {
        return Err(HeaderError::TooLong {
            field,
            length: text.len(),
            limit,
        });
    }
    Ok(())
}

/// Tells whether `text` is regular ASCII: printable, single spaces between words, none around them.
pub(crate) fn is_regular_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|b| (b' '..=b'~').contains(b))
        && bytes.first() != Some(&b' ')
        && bytes.last() != Some(&b' ')
        && !text.contains("  ")
}

/// Tells whether `byte` is atext (RFC 5322 §3.2.3).
pub(crate) fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// Tells whether `byte` may stand in a MIME token (RFC 2045 §5.1).
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}
