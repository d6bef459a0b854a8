//! Text that is kept no longer than it may be.

/// Shortens a text to a length in octets, between characters.
pub(crate) fn cut_at(text: &mut String, length: usize) {
    if text.len() > length {
        let end = (0..=length).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
}
