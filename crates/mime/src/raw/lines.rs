//! Lines of a message, and what may stand at their ends.

/// Where the line that begins at `position` ends, its line break included.
pub(super) fn next_line(source: &[u8], position: usize) -> usize {
    next_after(source, position, b'\n')
}

/// Where the first `octet` from `position` on ends; the end of `source` if there is none.
pub(super) fn next_after(source: &[u8], position: usize, octet: u8) -> usize {
    let mut rest = source.get(position..).unwrap_or_default();
    // Reading from a slice cannot fail; this is the fastest search for an octet that the standard library has.
    let length = std::io::BufRead::skip_until(&mut rest, octet).unwrap_or(rest.len());
    position + length
}

/// A line without what ends it.
pub(super) fn without_break(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}

pub(super) fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}

/// Length of the name if `line` begins a field: printable ASCII up to a colon, white space before that allowed as it
/// once was (RFC 5322 §4.5).
pub(super) fn name_length(line: &[u8]) -> Option<usize> {
    let length = line
        .iter()
        .position(|byte| !byte.is_ascii_graphic() || *byte == b':')
        .filter(|length| *length > 0)?;
    let rest = trim_blanks_start(line.get(length..)?);
    (rest.first() == Some(&b':')).then_some(length)
}

/// Without the spaces and tabs at the start.
pub(super) fn trim_blanks_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(Some(*byte))).count();
    text.get(blanks..).unwrap_or_default()
}

/// Without the spaces and tabs at both ends.
pub(super) fn trim_blanks(text: &[u8]) -> &[u8] {
    let text = trim_blanks_start(text);
    let blanks = text.iter().rev().take_while(|byte| is_blank(Some(*byte))).count();
    text.get(..text.len() - blanks).unwrap_or_default()
}
