//! What one entry of a list is made of.

use std::ops::Range;

use super::splitter::{comment_length, quoted_length};
use crate::local_part::is_break;

/// What an entry is made of.
#[derive(Default)]
pub(super) struct Parts<'a> {
    /// Words and quoted strings in front of the first angle bracket, then those behind it.
    before: Vec<&'a str>,
    behind: Vec<&'a str>,
    comments: Vec<&'a str>,
    /// Words that have an `@` in them.
    pub(super) addresses: Vec<Range<usize>>,
    /// Brackets with an `@` in them.
    pub(super) angles: Vec<Range<usize>>,
    has_empty_angle: bool,
}

impl<'a> Parts<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut parts = Self::default();
        let (mut position, mut is_behind, mut quotes, mut comments) = (0, false, true, true);
        while let Some(&byte) = bytes.get(position) {
            let rest = bytes.get(position..).unwrap_or_default();
            let start = position;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => position += 1,
                b'(' if comments => match comment_length(rest) {
                    Some(length) => {
                        position += length;
                        parts.comments.extend(text.get(start + 1..position - 1));
                    }
                    None => comments = false,
                },
                b'<' => {
                    is_behind = true;
                    position += 1;
                    let has_at = parts.angle(bytes, &mut position, &mut quotes);
                    if has_at {
                        parts.angles.push(start..position);
                    } else {
                        parts.has_empty_angle = true;
                    }
                }
                _ => {
                    let has_at = word(bytes, &mut position, &mut quotes, comments);
                    if has_at {
                        parts.addresses.push(start..position);
                    } else if is_behind {
                        parts.behind.extend(text.get(start..position));
                    } else {
                        parts.before.extend(text.get(start..position));
                    }
                }
            }
        }
        parts
    }

    /// Goes to the end of what a bracket holds; says whether an `@` is in it.
    fn angle(&self, bytes: &[u8], position: &mut usize, quotes: &mut bool) -> bool {
        let mut has_at = false;
        while let Some(&byte) = bytes.get(*position) {
            match byte {
                b'<' => return has_at,
                b'>' => {
                    *position += 1;
                    return has_at;
                }
                b'"' if *quotes => *position += skip_quoted(bytes, *position, quotes),
                _ => {
                    has_at |= byte == b'@';
                    *position += 1;
                }
            }
        }
        has_at
    }

    /// Says whether there is nothing but comments.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.behind.is_empty() && !self.mentions_address()
    }

    pub(super) fn mentions_address(&self) -> bool {
        self.has_empty_angle || !self.addresses.is_empty() || !self.angles.is_empty()
    }

    /// The name: words in front of the address, else words behind it, else what comments say.
    pub(super) fn name(&self) -> String {
        let behind = || self.behind.iter().filter(|word| word.contains(char::is_alphanumeric));
        if !self.before.is_empty() {
            joined(self.before.iter())
        } else if behind().next().is_some() {
            joined(behind())
        } else {
            joined(self.comments.iter())
        }
    }
}

/// Goes to the end of a word, in which quoted strings may stand; says whether an `@` is in it, outside of those.
fn word(bytes: &[u8], position: &mut usize, quotes: &mut bool, comments: bool) -> bool {
    let mut has_at = false;
    while let Some(&byte) = bytes.get(*position) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b'<' => break,
            b'(' if comments => break,
            b'"' if *quotes => *position += skip_quoted(bytes, *position, quotes),
            _ => {
                has_at |= byte == b'@';
                *position += 1;
            }
        }
    }
    has_at
}

/// Length of the quoted string at `position`, or of its quote if it does not end.
fn skip_quoted(bytes: &[u8], position: usize, quotes: &mut bool) -> usize {
    match quoted_length(bytes.get(position..).unwrap_or_default()) {
        Some(length) => length,
        None => {
            *quotes = false;
            1
        }
    }
}

/// Joins words by single spaces, without quotes, backslashes and folding.
fn joined<'a>(words: impl Iterator<Item = &'a &'a str>) -> String {
    let mut name = String::new();
    for word in words {
        if !name.is_empty() {
            name.push(' ');
        }
        let mut chars = word.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => {}
                '\\' => name.extend(chars.next().filter(|c| !is_break(*c))),
                '\t' => name.push(' '),
                c if is_break(c) => {}
                c => name.push(c),
            }
        }
    }
    name.trim().to_owned()
}
