//! Fields that name people: encoded-words in names, and one error for each field that cannot be read.

use std::borrow::Cow;

use posthaste_address::{AddressList, LenientList, Mailbox, ParseOptions};

use super::error::RawFieldError;
use super::field::RawField;
use super::words;

/// Reads a field as a list of addresses. `index` says which of its name it is.
pub(super) fn read(field: &RawField, index: usize) -> Result<AddressList, RawFieldError> {
    let value = field.value();
    let list = text_of(&value).parse::<AddressList>();
    let name = || field.name().to_owned();
    let is_text = |mailbox: &Mailbox| !mailbox.address().local_part().contains(char::REPLACEMENT_CHARACTER);
    match list {
        Ok(list) if list.mailboxes().all(is_text) => Ok(list),
        Err(source) if std::str::from_utf8(&value).is_ok() => Err(RawFieldError::Address {
            field: name(),
            index,
            source,
        }),
        _ => Err(RawFieldError::Encoding { field: name(), index }),
    }
}

/// Reads a field past everything that is no address.
pub(super) fn read_leniently(field: &RawField) -> LenientList {
    AddressList::parse_leniently(&text_of(&field.value()), &ParseOptions::default())
}

/// A value as text in which encoded-words are quoted-strings.
fn text_of(value: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(value);
    if text.contains("=?") {
        Cow::Owned(with_words_quoted(&text))
    } else {
        text
    }
}

/// Where in the grammar a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among words; `true` right behind something that a word cannot follow without space.
    Phrase(bool),
    Quoted,
    Comment(usize),
    Angle,
}

/// Writes each run of encoded-words as a quoted-string with the decoded text.
///
/// What they say can then name nobody: a comma or an address in them is text (RFC 2047 §5). Those inside angle brackets
/// and before an `@` stay as they are.
fn with_words_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut place = Place::Phrase(false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let may_begin = matches!(place, Place::Phrase(false) | Place::Quoted | Place::Comment(_));
        if may_begin
            && rest.starts_with("=?")
            && let Some((decoded, length)) = words::run(rest.as_bytes())
            && let Some(after) = rest.get(length..)
            && (place != Place::Phrase(false) || !after.starts_with(['@', '.']))
        {
            push_quoted(&mut out, &words::harmless(&decoded), place);
            rest = after;
            continue;
        }
        let mut length = c.len_utf8();
        place = match (place, c) {
            (Place::Quoted | Place::Comment(_), '\\') => {
                length += rest.chars().nth(1).map_or(0, char::len_utf8);
                place
            }
            (Place::Quoted, '"') => Place::Phrase(true),
            (Place::Comment(0), ')') => Place::Phrase(false),
            (Place::Comment(depth), ')') => Place::Comment(depth - 1),
            (Place::Comment(depth), '(') => Place::Comment(depth + 1),
            (Place::Angle, '>') => Place::Phrase(false),
            (Place::Phrase(_), '"') => Place::Quoted,
            (Place::Phrase(_), '(') => Place::Comment(0),
            (Place::Phrase(_), '<') => Place::Angle,
            (Place::Phrase(_), c) => Place::Phrase(!matches!(c, ' ' | '\t' | ',' | ';' | ':')),
            _ => place,
        };
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(taken);
        rest = after;
    }
    out
}

fn push_quoted(out: &mut String, text: &str, place: Place) {
    let in_phrase = matches!(place, Place::Phrase(_));
    if in_phrase {
        out.push('"');
    }
    for c in text.chars() {
        let c = if c == '\t' { ' ' } else { c };
        if matches!(c, '"' | '\\') || (matches!(place, Place::Comment(_)) && matches!(c, '(' | ')')) {
            out.push('\\');
        }
        out.push(c);
    }
    if in_phrase {
        out.push('"');
    }
}

/// Lists whom a message names, and what of it could not be read.
///
/// # Examples
///
/// ```
/// use posthaste_mime::RawMessage;
///
/// let message = RawMessage::parse("To: Ada <ada@example.org>\r\nCc: Lovelace, Ada <ada@example.org>\r\n\r\n")?;
/// let recipients = message.recipients();
/// assert_eq!(recipients.to().len(), 1);
/// assert_eq!(recipients.errors()[0].field(), "Cc");
/// assert!(recipients.complete().is_err());
/// # Ok::<(), posthaste_mime::RawError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawRecipients {
    to: Vec<Mailbox>,
    cc: Vec<Mailbox>,
    bcc: Vec<Mailbox>,
    errors: Vec<RawFieldError>,
}

impl RawRecipients {
    pub(super) fn add_to(&mut self, fields: impl Iterator<Item = RawField>) {
        collect(fields, &mut self.to, &mut self.errors);
    }

    pub(super) fn add_cc(&mut self, fields: impl Iterator<Item = RawField>) {
        collect(fields, &mut self.cc, &mut self.errors);
    }

    pub(super) fn add_bcc(&mut self, fields: impl Iterator<Item = RawField>) {
        collect(fields, &mut self.bcc, &mut self.errors);
    }

    /// Returns the mailboxes of `To`, in their order, those in groups included.
    pub fn to(&self) -> &[Mailbox] {
        &self.to
    }

    /// Returns the mailboxes of `Cc`.
    pub fn cc(&self) -> &[Mailbox] {
        &self.cc
    }

    /// Returns the mailboxes of `Bcc`.
    pub fn bcc(&self) -> &[Mailbox] {
        &self.bcc
    }

    /// Returns all mailboxes: those of `To`, `Cc` and `Bcc`.
    pub fn iter(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }

    /// Returns what is wrong with the fields that could not be read; nobody that they name is in the lists.
    pub fn errors(&self) -> &[RawFieldError] {
        &self.errors
    }

    /// Returns the recipients if every field could be read.
    ///
    /// # Errors
    ///
    /// The first of [`errors`](Self::errors).
    pub fn complete(self) -> Result<Self, RawFieldError> {
        match self.errors.first() {
            Some(error) => Err(error.clone()),
            None => Ok(self),
        }
    }
}

fn collect(fields: impl Iterator<Item = RawField>, mailboxes: &mut Vec<Mailbox>, errors: &mut Vec<RawFieldError>) {
    for (index, field) in fields.enumerate() {
        match read(&field, index) {
            Ok(list) => mailboxes.extend(list.mailboxes().cloned()),
            Err(error) => errors.push(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn names(value: &str) -> Vec<(String, String)> {
        let raw = Bytes::from(format!("To: {value}\r\n"));
        let list = read(&RawField::new(raw, 2), 0).unwrap();
        list.mailboxes()
            .map(|mailbox| {
                (
                    mailbox.name().unwrap_or_default().to_owned(),
                    mailbox.address().to_string(),
                )
            })
            .collect()
    }

    #[track_caller]
    fn check(value: &str, name: &str, address: &str) {
        assert_eq!(names(value), [(name.to_owned(), address.to_owned())], "{value:?}");
    }

    #[test]
    fn names_are_decoded() {
        check("=?utf-8?Q?Zo=C3=AB?= <a@b.example>", "Zoë", "a@b.example");
        check(
            "=?utf-8?Q?Zo?= =?utf-8?Q?=C3=AB?= M <a@b.example>",
            "Zoë M",
            "a@b.example",
        );
        check("\"=?utf-8?Q?Zo=C3=AB?= M\" <a@b.example>", "Zoë M", "a@b.example");
        check("a@b.example (=?utf-8?Q?Zo=C3=AB_(x)?=)", "Zoë (x)", "a@b.example");
        check(
            "=?utf-8?Q?say_=22hi=22=5C?= <a@b.example>",
            "say \"hi\"\\",
            "a@b.example",
        );
    }

    #[test]
    fn what_words_say_names_nobody() {
        check(
            "=?utf-8?Q?=3Cx@evil.example=3E,_y?= <a@b.example>",
            "<x@evil.example>, y",
            "a@b.example",
        );
        check(
            "=?utf-8?Q?x=0D=0ABcc:?= <a@b.example>",
            "x\u{FFFD}\u{FFFD}Bcc:",
            "a@b.example",
        );
        check("=?utf-8?Q?x?=@b.example", "", "=?utf-8?Q?x?=@b.example");
        check("y <=?utf-8?Q?x?=@b.example>", "y", "=?utf-8?Q?x?=@b.example");
    }

    #[test]
    fn octets_that_are_no_text_may_stand_in_names_only() {
        let field = |raw: &'static [u8]| RawField::new(Bytes::from_static(raw), 2);
        let list = read(&field(b"To: J\xF6rg <a@b.example>"), 0).unwrap();
        assert_eq!(list.mailboxes().next().unwrap().name(), Some("J\u{FFFD}rg"));
        let error = read(&field(b"To: j\xF6rg@b.example"), 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "To (number 3 of its name) is not UTF-8 and no list of addresses"
        );
    }

    proptest! {
        #[test]
        fn any_value_can_be_read(value in "[a-c@<>\",;:() \\\\=?Q.\u{e9}]{0,40}") {
            let _ = read(&RawField::new(Bytes::from(format!("To: {value}")), 2), 0);
        }

        #[test]
        fn encoded_names_come_out_exactly(name in "[a-z\u{e9}][ -~\u{e9}]{0,30}[a-z\u{e9}]") {
            let encoded: String = name.bytes().map(|byte| format!("={byte:02X}")).collect();
            let read = names(&format!("=?utf-8?Q?{encoded}?= <a@b.example>"));
            prop_assert_eq!(&read, &[(name, "a@b.example".to_owned())]);
        }
    }
}
