//! Text that is kept no longer than it may be.

/// Shortens a text to a length in octets, between characters.
pub(crate) fn cut_at(text: &mut String, length: usize) {
    text.truncate(beginning(text, length).len());
}

/// Returns the beginning of `text`, at most `length` octets, without half a character.
pub(crate) fn beginning(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or_default()
}
