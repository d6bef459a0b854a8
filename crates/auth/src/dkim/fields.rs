//! The header section of a raw message, as DKIM sees it: fields with every octet they were written with.

use std::collections::HashMap;

/// One header field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// What stands before the colon, white space trimmed.
    pub(crate) name: &'a [u8],
    /// The whole field, its line ends included.
    pub(crate) raw: &'a [u8],
    /// Where the field begins in the message.
    pub(crate) start: usize,
}

impl<'a> Field<'a> {
    /// What stands behind the colon, line ends included.
    pub(crate) fn value(&self) -> &'a [u8] {
        let colon = self
            .raw
            .iter()
            .position(|&byte| byte == b':')
            .map_or(self.raw.len(), |colon| colon + 1);
        self.raw.get(colon..).unwrap_or_default()
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
}

impl<'a> Fields<'a> {
    /// Splits a message at its first empty line; without one, it is all header.
    pub(crate) fn parse(message: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        let mut start = 0;
        let mut position = 0;
        while position < message.len() {
            let line_end = end_of_line(message, position);
            let line = message.get(position..line_end).unwrap_or_default();
            let is_empty = matches!(line, b"\r\n" | b"\n");
            let is_folded = line.starts_with(b" ") || line.starts_with(b"\t");
            if position > start && !is_folded {
                fields.extend(field(message.get(start..position).unwrap_or_default(), start));
                start = position;
            }
            if is_empty {
                return Self { fields, body: line_end };
            }
            position = line_end;
        }
        fields.extend(field(message.get(start..).unwrap_or_default(), start));
        Self {
            fields,
            body: message.len(),
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

    /// Picks fields as `h=` names them: each time a name comes, the next field of it from the bottom up (RFC 6376 §5.4.2).
    /// The field that is being verified is none of them (§3.5, `h=`).
    ///
    /// Takes time in proportion to the fields and the names, however many there are of either.
    pub(crate) fn select<'n>(
        &self,
        names: impl Iterator<Item = &'n [u8]>,
        verified: Option<&Field<'_>>,
    ) -> Vec<&Field<'a>> {
        let mut left: HashMap<Vec<u8>, Vec<&Field<'a>>> = HashMap::new();
        for field in &self.fields {
            if verified.is_none_or(|verified| verified.start != field.start) {
                left.entry(field.name.to_ascii_lowercase()).or_default().push(field);
            }
        }
        names
            .filter_map(|name| left.get_mut(&name.to_ascii_lowercase())?.pop())
            .collect()
    }
}

fn end_of_line(message: &[u8], from: usize) -> usize {
    message
        .get(from..)
        .and_then(|rest| rest.iter().position(|&byte| byte == b'\n'))
        .map_or(message.len(), |line_feed| from + line_feed + 1)
}

fn field(raw: &[u8], start: usize) -> Option<Field<'_>> {
    let colon = raw.iter().position(|&byte| byte == b':')?;
    let name = raw.get(..colon)?.trim_ascii_end();
    (!name.is_empty()).then_some(Field { name, raw, start })
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
        let selected = fields.select([b"a".as_slice(), b"b", b"a", b"a"].into_iter(), None);
        let raw: Vec<&[u8]> = selected.iter().map(|field| field.raw).collect();
        assert_eq!(raw, [b"a: 4\r\n".as_slice(), b"B: 2\r\n 3\r\n", b"A: 1\r\n"]);
    }

    #[test]
    fn all_header_without_an_empty_line() {
        assert_eq!(Fields::parse(b"A: 1").body_offset(), 4);
        assert_eq!(Fields::parse(b"").iter().count(), 0);
    }
}
