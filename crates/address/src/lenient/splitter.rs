//! Where one entry of a list ends.

use std::ops::Range;

/// Cuts a list at the separators that stand in no quotes, comment, literal or route.
///
/// A quote or parenthesis without its end is taken for a character like others, and so are all that follow it: every byte is
/// looked at a bounded number of times.
pub(super) struct Splitter<'a> {
    text: &'a str,
    position: usize,
    quotes: bool,
    comments: bool,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            quotes: true,
            comments: true,
        }
    }

    pub(super) fn next(&mut self) -> Option<(Range<usize>, Option<u8>)> {
        let bytes = self.text.as_bytes();
        let start = self.position;
        if start >= bytes.len() {
            return None;
        }
        let mut is_address = false;
        let mut last = 0;
        while let Some(&byte) = bytes.get(self.position) {
            if matches!(byte, b',' | b';') || (byte == b':' && !is_address) {
                let end = self.position;
                self.position += 1;
                return Some((start..end, Some(byte)));
            }
            is_address |= matches!(byte, b'@' | b'<');
            let rest = bytes.get(self.position..).unwrap_or_default();
            let length = match byte {
                b'"' if self.quotes => match quoted_length(rest) {
                    Some(length) => length,
                    None => {
                        self.quotes = false;
                        1
                    }
                },
                b'(' if self.comments => match comment_length(rest) {
                    Some(length) => length,
                    None => {
                        self.comments = false;
                        1
                    }
                },
                b'<' => route_length(rest),
                b'[' if last == b'@' => literal_length(rest),
                _ => 1,
            };
            if !byte.is_ascii_whitespace() {
                last = byte;
            }
            self.position += length;
        }
        Some((start..bytes.len(), None))
    }
}

/// Length of the quoted string at the start, if it ends.
pub(super) fn quoted_length(bytes: &[u8]) -> Option<usize> {
    let mut index = 1;
    loop {
        match bytes.get(index)? {
            b'"' => return Some(index + 1),
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
}

/// Length of the comment at the start, if it ends.
pub(super) fn comment_length(bytes: &[u8]) -> Option<usize> {
    let (mut index, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(index)? {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(index + 1),
            b')' => depth -= 1,
            b'\\' => index += 1,
            _ => {}
        }
        index += 1;
    }
}

/// Length of the bracket at the start with the source route behind it, if there is one (RFC 5322 §4.4).
fn route_length(bytes: &[u8]) -> usize {
    let route = bytes.iter().skip(1).position(|byte| !matches!(byte, b' ' | b'\t'));
    let begins = route.and_then(|at| bytes.get(at + 1));
    if !matches!(begins, Some(b'@' | b',')) {
        return 1;
    }
    let end = bytes
        .iter()
        .skip(1)
        .position(|byte| matches!(byte, b':' | b'<' | b'>' | b';' | b'"' | b'('));
    match end {
        Some(end) if bytes.get(end + 1) == Some(&b':') => end + 2,
        _ => 1,
    }
}

/// Length of the address literal at the start, or of its bracket if it does not look like one.
fn literal_length(bytes: &[u8]) -> usize {
    let inside = bytes
        .iter()
        .skip(1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-'))
        .count();
    match bytes.get(inside + 1) {
        Some(b']') => inside + 2,
        _ => 1,
    }
}
