//! Keeps a subject on one line.

/// Takes everything out of `subject` that could end the header line or hide in it.
///
/// A run of white space that holds a line break or tab becomes one space, or nothing at either end; other control
/// characters vanish. What has none of them is returned as it is.
pub(crate) fn one_line(subject: String) -> String {
    if subject.bytes().all(is_plain) || !subject.chars().any(is_unsafe) {
        return subject;
    }
    let mut out = String::with_capacity(subject.len());
    let mut run = String::new();
    let mut broken = false;
    for c in subject.chars() {
        if is_break(c) {
            broken = true;
        } else if c == ' ' {
            run.push(c);
        } else if !is_unsafe(c) {
            flush(&mut out, &mut run, &mut broken);
            out.push(c);
        }
    }
    if !broken {
        out.push_str(&run);
    }
    out
}

fn flush(out: &mut String, run: &mut String, broken: &mut bool) {
    if !std::mem::take(broken) {
        out.push_str(run);
    } else if !out.is_empty() {
        out.push(' ');
    }
    run.clear();
}

/// Whether a byte is surely no part of what [`is_unsafe`] means: those begin with 0xC2 or 0xE2 or are ASCII controls.
fn is_plain(byte: u8) -> bool {
    byte >= b' ' && !matches!(byte, 0x7f | 0xc2 | 0xe2)
}

/// Control characters, and the separators that some software takes for line ends.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_break(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(subject: &str, expected: &str) {
        assert_eq!(one_line(subject.to_owned()), expected);
    }

    #[test]
    fn subjects_stay_on_one_line() {
        check("Hello  Ada", "Hello  Ada");
        check("x\r\nBcc: v@evil.example", "x Bcc: v@evil.example");
        check("a\r\n  b", "a b");
        check("a  \n\n b", "a b");
        check("\n a \n", "a");
        check("a\0b\u{7f}c", "abc");
        check("a\u{2028}b\u{85}c\td", "a b c d");
    }
}
