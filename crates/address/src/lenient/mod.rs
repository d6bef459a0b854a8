//! Reads lists as people type them and as careless programs write them.

mod parts;
mod splitter;

use std::ops::Range;

use crate::local_part::is_break;
use crate::scanner::Scanner;
use crate::{Address, AddressError, AddressErrorKind as Kind, AddressList, EmailAddress, Group, Mailbox, ParseOptions};
use parts::Parts;
use splitter::Splitter;

/// How many parts of a name that bare commas tore apart are joined.
const LONGEST_NAME: usize = 5;

/// What [`AddressList::parse_leniently`] made of a text: entry by entry an address, or what is none and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LenientList {
    entries: Vec<Result<Address, Unreadable>>,
}

impl LenientList {
    /// The entries in their order. What is unreadable in a group stands before the group.
    pub fn entries(&self) -> impl Iterator<Item = Result<&Address, &Unreadable>> {
        self.entries.iter().map(Result::as_ref)
    }

    /// All mailboxes in their order, those inside groups included.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.entries.iter().flatten().flat_map(Address::mailboxes)
    }

    /// What no address could be read from.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.entries.iter().filter_map(|entry| entry.as_ref().err())
    }

    /// The addresses as a list, without what is unreadable.
    #[must_use]
    pub fn into_list(self) -> AddressList {
        self.entries.into_iter().flatten().collect()
    }
}

/// An entry of a list that no address could be read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    text: Box<str>,
    error: AddressError,
}

impl Unreadable {
    /// What was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it; the offset counts from the beginning of the whole list.
    #[must_use]
    pub fn error(&self) -> &AddressError {
        &self.error
    }
}

/// Reads a list to its end, whatever it holds.
pub(crate) fn read(text: &str, options: ParseOptions) -> LenientList {
    let mut splitter = Splitter::new(text);
    let mut reader = Reader {
        text,
        options,
        entries: Vec::new(),
        torn: Vec::new(),
        group: None,
    };
    while let Some((piece, separator)) = splitter.next() {
        reader.piece(piece, separator);
    }
    reader.give_up_torn();
    reader.close_group();
    LenientList {
        entries: reader.entries,
    }
}

/// A group that has begun.
struct Open {
    name: String,
    members: Vec<Mailbox>,
    /// How many groups began inside it: their members are its own.
    inner: usize,
}

struct Reader<'a> {
    text: &'a str,
    options: ParseOptions,
    entries: Vec<Result<Address, Unreadable>>,
    /// Parts of a name that a comma stands behind.
    torn: Vec<Range<usize>>,
    group: Option<Open>,
}

impl Reader<'_> {
    fn piece(&mut self, piece: Range<usize>, separator: Option<u8>) {
        let piece = self.trimmed(piece);
        if separator == Some(b':') {
            self.give_up_torn();
            if !piece.is_empty() {
                self.open_group(piece);
            }
            return;
        }
        if !piece.is_empty() {
            self.entry(piece);
        }
        if separator == Some(b';') {
            self.give_up_torn();
            match &mut self.group {
                Some(group) if group.inner > 0 => group.inner -= 1,
                _ => self.close_group(),
            }
        }
    }

    fn at(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let text = self.at(&range);
        let start = range.start + (text.len() - text.trim_start_matches(is_space).len());
        start..(range.end - (text.len() - text.trim_end_matches(is_space).len())).max(start)
    }

    fn refuse(&mut self, range: &Range<usize>, error: AddressError) {
        let text = self.at(range).into();
        self.entries.push(Err(Unreadable { text, error }));
    }

    fn open_group(&mut self, piece: Range<usize>) {
        if let Some(error) = stray_break(self.at(&piece)) {
            return self.refuse(&piece, error.shifted(piece.start));
        }
        if let Some(group) = &mut self.group {
            group.inner += 1;
            return;
        }
        let name = Parts::of(self.at(&piece)).name();
        self.group = Some(Open {
            name,
            members: Vec::new(),
            inner: 0,
        });
    }

    fn close_group(&mut self) {
        let Some(group) = self.group.take() else { return };
        match Group::new(group.name, group.members.iter().cloned()) {
            Ok(group) => self.entries.push(Ok(group.into())),
            Err(_) => self
                .entries
                .extend(group.members.into_iter().map(|member| Ok(member.into()))),
        }
    }

    fn take(&mut self, mailbox: Mailbox) {
        match &mut self.group {
            Some(group) => group.members.push(mailbox),
            None => self.entries.push(Ok(mailbox.into())),
        }
    }

    fn entry(&mut self, piece: Range<usize>) {
        let text = self.at(&piece);
        let parts = Parts::of(text);
        if parts.is_empty() && stray_break(text).is_none() {
            return;
        }
        if !parts.mentions_address() && stray_break(text).is_none() {
            if self.torn.len() + 1 == LONGEST_NAME {
                self.give_up_torn();
            }
            self.torn.push(piece);
            return;
        }
        let has_angle = !parts.angles.is_empty();
        match self.mailbox(text, &parts) {
            Ok(mailbox) if has_angle && !self.torn.is_empty() => {
                let mut name = String::new();
                for part in std::mem::take(&mut self.torn) {
                    name.push_str(&Parts::of(self.at(&part)).name());
                    name.push_str(", ");
                }
                name.push_str(mailbox.name().unwrap_or_default());
                let name = name.trim_end_matches(", ");
                self.take(Mailbox::from_parts(name, mailbox.address().clone()));
            }
            Ok(mailbox) => {
                self.give_up_torn();
                self.take(mailbox);
            }
            Err(error) => {
                self.give_up_torn();
                self.refuse(&piece, error.shifted(piece.start));
            }
        }
    }

    /// Reads one mailbox, by the grammar if it follows that; errors point into `text`.
    fn mailbox(&self, text: &str, parts: &Parts<'_>) -> Result<Mailbox, AddressError> {
        let strict = match Scanner::new(text, self.options).only(Scanner::mailbox) {
            Ok(mailbox) => return Ok(mailbox),
            Err(error) => error,
        };
        if let Some(error) = stray_break(text) {
            return Err(error);
        }
        let words = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let bare = || parts.addresses.iter().map(words);
        let address = match (parts.angles.as_slice(), parts.addresses.as_slice()) {
            ([angle], _) => self
                .bracketed(words(angle))
                .map_err(|error| error.shifted(angle.start))?,
            ([], [word]) => self.bare(words(word)).map_err(|error| error.shifted(word.start))?,
            _ => return Err(strict),
        };
        // What looks like another recipient must not become the name of this one.
        let is_other = |word: &str| !self.bare(word).is_ok_and(|other| other == address);
        if !parts.angles.is_empty() && bare().any(is_other) {
            return Err(strict);
        }
        Ok(Mailbox::from_parts(&parts.name(), address))
    }

    fn bare(&self, text: &str) -> Result<EmailAddress, AddressError> {
        Scanner::new(text, self.options).only(Scanner::addr_spec)
    }

    fn bracketed(&self, text: &str) -> Result<EmailAddress, AddressError> {
        if text.ends_with('>') {
            let mailbox = Scanner::new(text, self.options).only(Scanner::mailbox)?;
            return Ok(mailbox.address().clone());
        }
        let inside = text.strip_prefix('<').unwrap_or(text);
        self.bare(inside).map_err(|error| error.shifted(1))
    }

    /// Parts of a name behind which no address came are none.
    fn give_up_torn(&mut self) {
        for part in std::mem::take(&mut self.torn) {
            self.refuse(&part, AddressError::new(Kind::MissingAt, part.end));
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Finds a line break or another control character that is no folding.
fn stray_break(text: &str) -> Option<AddressError> {
    let is_folding = |rest: &str| rest.starts_with("\r\n ") || rest.starts_with("\r\n\t");
    let mut skipped = 0;
    text.char_indices().find_map(|(offset, c)| {
        let is_stray = offset >= skipped && is_break(c) && c != '\t';
        if is_stray && is_folding(text.get(offset..).unwrap_or_default()) {
            skipped = offset + 2;
            return None;
        }
        is_stray.then(|| AddressError::new(Kind::ControlCharacter, offset))
    })
}
