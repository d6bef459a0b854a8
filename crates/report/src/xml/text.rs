//! Text of elements, bounded, and which characters XML allows.

use std::borrow::Cow;

/// Collects the text of one element.
///
/// White space around it is taken for layout, unless a character reference or CDATA says otherwise.
#[derive(Debug)]
pub(crate) struct Collected<'a> {
    text: Cow<'a, str>,
    /// How much of it is there on purpose, white space or not.
    exact: usize,
    limit: usize,
    too_long: bool,
}

impl<'a> Collected<'a> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            text: Cow::Borrowed(""),
            exact: 0,
            limit,
            too_long: false,
        }
    }

    /// Adds text.
    pub(crate) fn text(&mut self, text: Cow<'a, str>) {
        if self.text.is_empty() {
            let layout = text.len() - text.trim_start_matches(is_space).len();
            let text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.get(layout..).unwrap_or_default()),
                Cow::Owned(text) => Cow::Owned(text.get(layout..).unwrap_or_default().to_owned()),
            };
            self.too_long |= text.trim_end_matches(is_space).len() > self.limit;
            if !self.too_long {
                self.text = text;
            }
        } else {
            self.push(&text);
        }
    }

    /// Adds characters that are there on purpose.
    pub(crate) fn exact(&mut self, text: &str) {
        self.push(text);
        if !self.too_long {
            self.exact = self.text.len();
        }
    }

    fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // White space at the end may be layout, and then does not count.
        let fits = |text: &str| self.text.len() + text.len() <= self.limit;
        if fits(text) {
            self.text.to_mut().push_str(text);
        } else if text.trim_end_matches(is_space).is_empty() && self.text.len() <= self.limit {
            // One octet over the limit: whatever follows is too long.
            let room = self.limit + 1 - self.text.len();
            self.text.to_mut().extend(std::iter::repeat_n(' ', room));
        } else if fits(text.trim_end_matches(is_space)) {
            self.text.to_mut().push_str(text.trim_end_matches(is_space));
            let room = self.limit + 1 - self.text.len();
            self.text.to_mut().extend(std::iter::repeat_n(' ', room));
        } else {
            self.too_long = true;
        }
    }

    /// Returns the text; `None` if it is too long.
    pub(crate) fn finish(self) -> Option<Cow<'a, str>> {
        let end = self.text.trim_end_matches(is_space).len().max(self.exact);
        if self.too_long || end > self.limit {
            return None;
        }
        Some(match self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        })
    }
}

/// White space of XML (XML 1.0 §2.3).
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Tells whether XML can hold a character (XML 1.0 §2.2).
fn is_legal(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    }
}

/// Puts U+FFFD in place of characters that XML cannot hold; tells whether there were any.
pub(crate) fn legal(text: Cow<'_, str>) -> (Cow<'_, str>, bool) {
    // U+FFFE and U+FFFF begin with this octet.
    let plain = text.bytes().all(|byte| byte >= b' ' && byte != 0xEF);
    if plain || text.chars().all(is_legal) {
        return (text, false);
    }
    let legal = text.chars().map(|c| if is_legal(c) { c } else { '\u{FFFD}' }).collect();
    (Cow::Owned(legal), true)
}
