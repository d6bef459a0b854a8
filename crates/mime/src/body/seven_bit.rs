//! Text that can be written as it is.

use super::scan::printable_len;

/// Longest line that is not folded by encoding it, its line break not counted.
const LINE: usize = 76;

/// Length of `text` as [`write`] writes it, if it does.
pub(super) fn len(text: &[u8]) -> Option<usize> {
    let mut len = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let count = line_len(rest)?;
        let (line, tail) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        if matches!(line.last(), Some(b' ' | b'\t')) {
            return None;
        }
        len += count + if tail.is_empty() { 0 } else { 2 };
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    Some(len)
}

/// Appends `text` with CRLF line breaks if it is ASCII without control characters, in lines of at most 76 that do not end
/// with white space. Otherwise returns false; what was written has to be taken back then.
pub(super) fn write(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let Some(count) = line_len(rest) else {
            return false;
        };
        let (line, tail) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        if matches!(line.last(), Some(b' ' | b'\t')) {
            return false;
        }
        out.extend_from_slice(line);
        if !tail.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
        let after = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..));
        rest = after.unwrap_or_default();
    }
    true
}

/// Length of the first line, if all of it can stand as it is.
fn line_len(text: &[u8]) -> Option<usize> {
    // One octet more than fits, to see whether the line ends there.
    let window = text.get(..LINE + 1).unwrap_or(text);
    let mut count = 0;
    loop {
        count += printable_len::<false>(window.get(count..).unwrap_or_default());
        match window.get(count) {
            Some(b'\t') => count += 1,
            Some(b'\r' | b'\n') => return Some(count),
            None if window.len() <= LINE => return Some(count),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_survives_as_it_is() {
        let (fits, long) = ("x".repeat(76), "x".repeat(77));
        for (text, expected) in [
            ("", Some("")),
            ("a\r\nb\nc\rd", Some("a\r\nb\r\nc\r\nd")),
            ("a\r\r\nb\r", Some("a\r\n\r\nb\r\n")),
            ("\n\n", Some("\r\n\r\n")),
            ("tab\there", Some("tab\there")),
            (&fits, Some(&fits)),
            (&long, None),
            ("space \n", None),
            ("tab\t", None),
            ("ü", None),
            ("\x07", None),
            ("\x7F", None),
        ] {
            let mut out = Vec::new();
            let written = write(text.as_bytes(), &mut out);
            assert_eq!(
                written.then(|| String::from_utf8(out).unwrap()).as_deref(),
                expected,
                "{text:?}"
            );
            assert_eq!(len(text.as_bytes()), expected.map(str::len), "{text:?}");
        }
    }
}
