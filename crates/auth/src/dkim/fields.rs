//! The header section of a raw message, as DKIM sees it: fields with every octet they were written with.

use super::names::Names;
use super::scan::find;

/// One header field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// What stands before the colon, white space trimmed.
    pub(crate) name: &'a [u8],
    /// The whole field, its line ends included.
    pub(crate) raw: &'a [u8],
    /// Where the field begins in the message.
    pub(crate) start: usize,
    /// How many octets stand before the value: the name and the colon.
    value: usize,
}

impl<'a> Field<'a> {
    fn new(raw: &'a [u8], start: usize) -> Option<Self> {
        let colon = find(raw, b':')?;
        let name = raw.get(..colon)?.trim_ascii_end();
        (!name.is_empty()).then_some(Self {
            name,
            raw,
            start,
            value: colon + 1,
        })
    }

    /// What stands behind the colon, line ends included.
    pub(crate) fn value(&self) -> &'a [u8] {
        self.raw.get(self.value..).unwrap_or_default()
    }

    pub(crate) fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A header section, and where the body begins.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    fields: Vec<Field<'a>>,
    body: usize,
    has_end: bool,
    has_bare_line_end: bool,
    has_stray_line: bool,
    has_mbox_line: bool,
    is_folded: bool,
}

impl<'a> Fields<'a> {
    /// Splits a message at its first empty line; without one, it is all header.
    pub(crate) fn parse(message: &'a [u8]) -> Self {
        let mut fields = Vec::with_capacity(16);
        let mut start = 0;
        let mut position = 0;
        let mut has_end = false;
        let (mut has_stray_line, mut has_mbox_line) = (false, false);
        // The line that begins a message in an mbox is borne where it stands.
        let mut look_at = |raw: &[u8], start: usize| {
            if start == 0 && raw.starts_with(b"From ") {
                has_mbox_line |= is_stray(raw);
            } else {
                has_stray_line |= is_stray(raw);
            }
        };
        let (mut line_ends, mut bare) = (0, false);
        while position < message.len() && !has_end {
            let rest = message.get(position..).unwrap_or_default();
            let end = find(rest, b'\n').map_or(rest.len(), |line_feed| line_feed + 1);
            let line = rest.get(..end).unwrap_or_default();
            let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
            if position > start && !is_folded {
                let raw = message.get(start..position).unwrap_or_default();
                look_at(raw, start);
                fields.extend(Field::new(raw, start));
                start = position;
            }
            has_end = matches!(line, b"\r\n" | b"\n");
            if line.ends_with(b"\r\n") {
                line_ends += 1;
            } else if line.ends_with(b"\n") {
                bare = true;
            }
            position += end;
        }
        if !has_end {
            let raw = message.get(start..).unwrap_or_default();
            look_at(raw, start);
            fields.extend(Field::new(raw, start));
        }
        let header = message.get(..position).unwrap_or_default();
        Self {
            fields,
            body: position,
            has_end,
            has_stray_line,
            has_mbox_line,
            is_folded: matches!(message.first(), Some(b' ' | b'\t')),
            has_bare_line_end: bare || header.iter().filter(|&&byte| byte == b'\r').count() != line_ends,
        }
    }

    /// From the top to the bottom.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Field<'a>> + Clone {
        self.fields.iter()
    }

    /// How many fields have this name.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.fields.iter().filter(|field| field.is(name.as_bytes())).count()
    }

    /// Where the body begins, in octets.
    pub(crate) fn body_offset(&self) -> usize {
        self.body
    }

    /// Says whether the empty line is there that ends the header section.
    pub(crate) fn has_end(&self) -> bool {
        self.has_end
    }

    /// Says whether the header section has a CR without its LF, or an LF without its CR.
    pub(crate) fn has_bare_line_end(&self) -> bool {
        self.has_bare_line_end
    }

    /// Says whether the header section has a line that is no field (RFC 5322 §2.2): some readers take it for the first of the body.
    pub(crate) fn has_stray_line(&self) -> bool {
        self.has_stray_line
    }

    /// Says whether the message begins with the line that messages in an mbox have: with a field in front it is a stray line.
    pub(crate) fn has_mbox_line(&self) -> bool {
        self.has_mbox_line
    }

    /// Says whether the first line looks as if it went on from a line before it.
    pub(crate) fn is_folded(&self) -> bool {
        self.is_folded
    }

    /// Stacks the fields by their names, the lowest on top. The field that is being verified is in none of the stacks (RFC 6376
    /// §3.5, `h=`).
    pub(super) fn stacks<T: AsRef<[u8]>>(&self, names: &Names<T>, verified: Option<&Field<'_>>) -> Stacks<'_, 'a> {
        let mut tops = vec![None; names.len()];
        let below = self
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let is_verified = verified.is_some_and(|verified| verified.start == field.start);
                let name = names.number(field.name).filter(|_| !is_verified)?;
                tops.get_mut(name)?.replace(index)
            })
            .collect();
        Stacks {
            fields: &self.fields,
            tops,
            below,
        }
    }
}

/// Whether a line, with those folded behind it, has no name of a field.
fn is_stray(raw: &[u8]) -> bool {
    if raw.is_empty() {
        return false;
    }
    let name = raw.split(|&byte| byte == b':').next().unwrap_or_default();
    if name.len() == raw.len() {
        return true;
    }
    let space = name
        .iter()
        .rev()
        .take_while(|&&byte| matches!(byte, b' ' | b'\t'))
        .count();
    let name = name.get(..name.len() - space).unwrap_or_default();
    name.is_empty() || !name.iter().all(u8::is_ascii_graphic)
}

/// Fields as `h=` picks them: each time a name comes, the next field of it from the bottom up (RFC 6376 §5.4.2).
pub(super) struct Stacks<'f, 'a> {
    fields: &'f [Field<'a>],
    /// By the number of the name: the lowest field that was not picked yet.
    tops: Vec<Option<usize>>,
    /// By the field: the next above it of the same name.
    below: Vec<Option<usize>>,
}

impl<'f, 'a> Stacks<'f, 'a> {
    /// Takes the next field with the name of this number.
    pub(super) fn pop(&mut self, name: usize) -> Option<&'f Field<'a>> {
        let top = self.tops.get_mut(name)?;
        let index = (*top)?;
        *top = self.below.get(index).copied().flatten();
        self.fields.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_empty_line() {
        let message = b"A: 1\r\nB: 2\r\n 3\r\na: 4\r\n\r\nbody\r\n\r\nmore";
        let fields = Fields::parse(message);
        assert_eq!(fields.count("a"), 2);
        assert_eq!(&message[fields.body_offset()..], b"body\r\n\r\nmore");
        assert!(fields.has_end() && !fields.has_bare_line_end());

        let names: Names<&str> = ["a", "b"].into_iter().collect();
        let mut stacks = fields.stacks(&names, None);
        let raw: Vec<&[u8]> = [0, 1, 0, 0, 2]
            .into_iter()
            .filter_map(|name| stacks.pop(name))
            .map(|field| field.raw)
            .collect();
        assert_eq!(raw, [b"a: 4\r\n".as_slice(), b"B: 2\r\n 3\r\n", b"A: 1\r\n"]);
        let last = fields.iter().next_back();
        let mut stacks = fields.stacks(&names, last);
        assert_eq!(stacks.pop(0).map(|field| field.raw), Some(b"A: 1\r\n".as_slice()));
    }

    #[test]
    fn all_header_without_an_empty_line() {
        let fields = Fields::parse(b"A: 1");
        assert_eq!((fields.body_offset(), fields.has_end()), (4, false));
        assert_eq!(Fields::parse(b"").iter().count(), 0);
        assert_eq!(Fields::parse(b": 1\r\nA\r\n\r\n").iter().count(), 0);
    }

    #[test]
    fn lines_that_are_no_fields_are_told() {
        for (header, stray) in [
            ("", false),
            ("\r\nbody\r\n", false),
            ("A: 1\r\nB \t: 2\r\n 3\r\n\r\n", false),
            ("From ada Mon Nov 23\r\nA: 1\r\n\r\n", false),
            ("A: 1\r\nFrom ada Mon Nov 23\r\n\r\n", true),
            ("A: 1\r\nDear Bob: hello\r\n\r\n", true),
            ("A: 1\r\nhello\r\n", true),
            ("A: 1\r\nhello", true),
            ("A: 1\r\n: 2\r\n\r\n", true),
            ("A\0: 1\r\n\r\n", true),
            (" A: 1\r\n\r\n", true),
        ] {
            assert_eq!(Fields::parse(header.as_bytes()).has_stray_line(), stray, "{header:?}");
        }
    }

    #[test]
    fn the_first_line_of_an_mbox_is_told_from_a_field() {
        for (header, mbox) in [
            ("From ada Mon Nov 23 10:00:00 2026\r\nA: 1\r\n\r\n", true),
            ("From \r\n :", true),
            ("From : ada@example.org\r\n\r\n", false),
            ("From: ada@example.org\r\n\r\n", false),
            ("A: 1\r\nFrom ada\r\n\r\n", false),
        ] {
            assert_eq!(Fields::parse(header.as_bytes()).has_mbox_line(), mbox, "{header:?}");
        }
    }

    #[test]
    fn bare_line_ends_are_told() {
        for (header, bare) in [
            ("A: 1\r\n\r\n", false),
            ("A: 1\r\nB: 2", false),
            ("A: 1\r\n\r\nbody\n\r", false),
            ("A: 1\n\r\n", true),
            ("A: 1\r\n\n", true),
            ("A: 1\r1\r\n\r\n", true),
            ("A: 1\r", true),
            ("A: 1\r\r\n", true),
        ] {
            assert_eq!(Fields::parse(header.as_bytes()).has_bare_line_end(), bare, "{header:?}");
        }
    }
}
