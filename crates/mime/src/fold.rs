//! Writes header fields: words one after another, folded before the line gets long.

use crate::encoded_word;
use crate::text::{LINE_LIMIT, TOKEN_LIMIT, is_atext, is_regular_ascii};
use posthaste_address::{Address, EmailAddress, Group, Mailbox};

/// Length that lines keep to where they can be folded (RFC 5322 §2.1.1).
const FOLD_AT: usize = 78;
/// Longest word of a display name that is written as it is: an atom and an address fit on one line.
const PHRASE_WORD_LIMIT: usize = 600;
/// Longest quoted-string with spaces inside; longer ones would have to be folded at them.
const QUOTED_LIMIT: usize = 70;

/// Writes one header field.
///
/// Every word is written with the white space before it: a space, or a line break and a space.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
    /// Nothing but the name is written.
    first: bool,
}

impl<'a> Field<'a> {
    /// Begins the field `name`.
    pub(crate) fn begin(out: &'a mut Vec<u8>, name: &str) -> Self {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        Self {
            out,
            column: name.len() + 1,
            first: true,
        }
    }

    /// Ends the field.
    pub(crate) fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// Returns how many octets stand on the line.
    pub(crate) fn column(&self) -> usize {
        self.column
    }

    /// Begins a new line, unless this one is new.
    pub(crate) fn fold(&mut self) {
        if self.column > 0 {
            self.out.extend_from_slice(b"\r\n");
            self.column = 0;
        }
    }

    /// Begins a new line if `length` octets and a space no longer fit on this one.
    pub(crate) fn make_room(&mut self, length: usize) {
        if self.column + 1 + length > FOLD_AT {
            self.fold();
        }
    }

    /// Writes the white space and then `word`.
    pub(crate) fn word(&mut self, word: &str) {
        self.word_and(word, 0);
    }

    /// Writes the white space and then `word`, keeping room for `tail` octets behind it.
    pub(crate) fn word_and(&mut self, word: &str, tail: usize) {
        self.make_room(word.len() + tail);
        self.glue_byte(b' ');
        self.glue(word);
    }

    /// Writes `text` directly behind what stands there.
    pub(crate) fn glue(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.column += text.len();
        self.first = false;
    }

    /// Writes one octet directly behind what stands there.
    pub(crate) fn glue_byte(&mut self, byte: u8) {
        self.out.push(byte);
        self.column += 1;
        self.first = false;
    }

    /// Writes ASCII text that may be folded at its spaces and nowhere else.
    ///
    /// The first word of the field stays beside the name whatever its length: some readers (Python's `email`) take
    /// the space of a fold that stands there for text.
    pub(crate) fn words(&mut self, text: &str) {
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if self.first && self.column + 1 + word.len() <= LINE_LIMIT {
                self.first = false;
                self.glue_byte(b' ');
                self.glue(word);
            } else {
                self.word(word);
            }
        }
    }

    /// Writes unstructured text (RFC 5322 §2.2.1), with encoded-words for what would not survive as it is.
    ///
    /// Encoded are the words from the first to the last one that is not ASCII, looks like an encoded-word or cannot be
    /// folded, and white space that is more than one space.
    pub(crate) fn unstructured(&mut self, text: &str) {
        let Some((start, end)) = span_to_encode(text) else {
            return self.words(text);
        };
        self.words(text.get(..start).unwrap_or_default());
        encoded_word::write(
            self,
            text.get(start..end).unwrap_or_default(),
            encoded_word::Place::Text,
        );
        self.words(text.get(end..).unwrap_or_default());
    }

    /// Writes a phrase (RFC 5322 §3.2.5): atoms, a quoted-string or encoded-words.
    pub(crate) fn phrase(&mut self, name: &str) -> PhraseForm {
        let form = PhraseForm::of(name);
        match form {
            PhraseForm::Atoms => self.words(name),
            PhraseForm::Quoted => {
                self.make_room(quoted_len(name));
                self.glue_byte(b' ');
                self.quoted_string(name);
            }
            PhraseForm::Encoded => encoded_word::write(self, name, encoded_word::Place::Phrase),
        }
        form
    }

    /// Writes `text` as a quoted-string directly behind what stands there.
    pub(crate) fn quoted_string(&mut self, text: &str) {
        self.glue_byte(b'"');
        for byte in text.bytes() {
            if matches!(byte, b'"' | b'\\') {
                self.glue_byte(b'\\');
            }
            self.glue_byte(byte);
        }
        self.glue_byte(b'"');
    }

    /// Writes mailboxes and groups, folded between them where possible.
    pub(crate) fn addresses<'m>(&mut self, addresses: impl IntoIterator<Item = &'m Address>) {
        let mut addresses = addresses.into_iter().peekable();
        while let Some(address) = addresses.next() {
            match address {
                Address::Mailbox(mailbox) => self.mailbox(mailbox),
                Address::Group(group) => self.group(group),
                // A kind of address that is newer than this code would have to be written here.
                _ => continue,
            }
            if addresses.peek().is_some() {
                self.glue_byte(b',');
            }
        }
    }

    /// Writes mailboxes, folded between them where possible.
    pub(crate) fn mailboxes(&mut self, mailboxes: &[Mailbox]) {
        let mut mailboxes = mailboxes.iter().peekable();
        while let Some(mailbox) = mailboxes.next() {
            self.mailbox(mailbox);
            if mailboxes.peek().is_some() {
                self.glue_byte(b',');
            }
        }
    }

    /// Writes one mailbox, keeping room for the comma or semicolon that may follow.
    pub(crate) fn mailbox(&mut self, mailbox: &Mailbox) {
        let address = mailbox.address();
        let address_len = address.local_part().len() + 1 + address.domain().as_str().len();
        match mailbox.name().filter(|name| !name.is_empty()) {
            None => {
                self.make_room(address_len + 1);
                self.glue_byte(b' ');
                self.address(address);
            }
            Some(name) => {
                let whole = quoted_len(name) + address_len + 4;
                if whole < FOLD_AT {
                    self.make_room(whole);
                }
                self.phrase(name);
                self.make_room(address_len + 3);
                self.glue(" <");
                self.address(address);
                self.glue_byte(b'>');
            }
        }
    }

    fn group(&mut self, group: &Group) {
        // An encoded-word in a phrase stands apart from specials (RFC 2047 §5).
        match self.phrase(group.name()) {
            PhraseForm::Encoded => self.glue(" :"),
            PhraseForm::Atoms | PhraseForm::Quoted => self.glue_byte(b':'),
        }
        self.mailboxes(group.members());
        self.glue_byte(b';');
    }

    fn address(&mut self, address: &EmailAddress) {
        self.glue(address.local_part());
        self.glue_byte(b'@');
        self.glue(address.domain().as_str());
    }
}

/// How a phrase is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PhraseForm {
    /// As it is.
    Atoms,
    /// In quotes.
    Quoted,
    /// As RFC 2047 encoded-words.
    Encoded,
}

impl PhraseForm {
    fn of(name: &str) -> Self {
        let fits = name.split(' ').all(|word| quoted_len(word) <= PHRASE_WORD_LIMIT);
        if !fits || !is_regular_ascii(name) || name.contains("=?") {
            Self::Encoded
        } else if name.bytes().all(|byte| byte == b' ' || is_atext(byte)) {
            Self::Atoms
        } else if quoted_len(name) <= QUOTED_LIMIT || !name.contains(' ') {
            Self::Quoted
        } else {
            Self::Encoded
        }
    }
}

/// Length of `name` as a quoted-string.
fn quoted_len(name: &str) -> usize {
    2 + name.len() + name.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// Finds the part of `text` that must be encoded: from the first to the last word that cannot stand as it is. The part
/// neither begins nor ends between two spaces.
pub(crate) fn span_to_encode(text: &str) -> Option<(usize, usize)> {
    if text.is_empty() {
        return None;
    }
    let mut span: Option<(usize, usize)> = None;
    let mut offset = 0;
    for word in text.split(' ') {
        let end = offset + word.len();
        let plain = !word.is_empty()
            && word.len() <= TOKEN_LIMIT
            && word.bytes().all(|byte| byte.is_ascii_graphic())
            && !word.contains("=?");
        if !plain {
            span = Some((span.map_or(offset, |(start, _)| start), end));
        }
        offset = end + 1;
    }
    let (mut start, mut end) = span?;
    // An empty word stands for one space too many: take the words beside it along, so that the spaces are inside.
    while start > 0 && matches!(text.as_bytes().get(start), None | Some(b' ')) {
        start = text
            .get(..start - 1)
            .and_then(|before| before.rfind(' '))
            .map_or(0, |space| space + 1);
    }
    while end < text.len() && (end == 0 || text.as_bytes().get(end - 1) == Some(&b' ')) {
        end = text
            .get(end + 1..)
            .and_then(|after| after.find(' '))
            .map_or(text.len(), |space| end + 1 + space);
    }
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn subject(text: &str, expected: &str) {
        let mut out = Vec::new();
        let mut field = Field::begin(&mut out, "Subject");
        field.unstructured(text);
        field.end();
        assert_eq!(String::from_utf8(out).unwrap(), format!("Subject:{expected}\r\n"));
    }

    #[track_caller]
    fn to(name: &str, expected: &str) {
        let mailbox = Mailbox::with_name(name, "a@b.example".parse().unwrap()).unwrap();
        let mut out = Vec::new();
        let mut field = Field::begin(&mut out, "To");
        field.mailbox(&mailbox);
        field.end();
        assert_eq!(String::from_utf8(out).unwrap(), format!("To:{expected}\r\n"));
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        subject("", "");
        subject("Hello, world: = ? _", " Hello, world: = ? _");
    }

    #[test]
    fn only_what_needs_it_is_encoded() {
        subject("plain été plain", " plain =?utf-8?B?w6l0w6k=?= plain");
        subject("plain Übermittlung", " plain =?utf-8?Q?=C3=9Cbermittlung?=");
        subject("a é b é c", " a =?utf-8?B?w6kgYiDDqQ==?= c");
        subject("日本 x", " =?utf-8?B?5pel5pys?= x");
    }

    #[test]
    fn spaces_are_inside_words() {
        subject(" a b", " =?utf-8?Q?_a?= b");
        subject("a b ", " a =?utf-8?Q?b_?=");
        subject("a  b c", " =?utf-8?Q?a__b?= c");
        subject("  ", " =?utf-8?Q?__?=");
        subject("a\tb", " =?utf-8?B?YQli?=");
    }

    #[test]
    fn what_looks_like_an_encoded_word_is_encoded() {
        subject("=?utf-8?Q?x?=", " =?utf-8?B?PT91dGYtOD9RP3g/PQ==?=");
    }

    #[test]
    fn words_fold_before_column_78() {
        let word = "x".repeat(30);
        subject(&format!("{word} {word} {word}"), &format!(" {word} {word}\r\n {word}"));
    }

    #[test]
    fn names_take_the_simplest_form() {
        to("Jane Doe", " Jane Doe <a@b.example>");
        to("Dr. Q. Public", " \"Dr. Q. Public\" <a@b.example>");
        to("say \"hi\"\\", " \"say \\\"hi\\\"\\\\\" <a@b.example>");
        to("Jörg (x)", " =?utf-8?B?SsO2cmcgKHgp?= <a@b.example>");
        to(" x", " =?utf-8?Q?_x?= <a@b.example>");
        to("", " a@b.example");
    }

    #[test]
    fn long_words_of_names_stay_whole() {
        let word = "x".repeat(90);
        to(&word, &format!(" {word}\r\n <a@b.example>"));
    }
}
