//! A display name with an address, and named groups of them.

use std::fmt;
use std::str::FromStr;

use crate::email::is_break;
use crate::list::Scanner;
use crate::{AddressError, AddressErrorKind as Kind, EmailAddress};

/// An address with the name that people see beside it (RFC 5322 §3.4 `mailbox`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox {
    name: Option<Box<str>>,
    address: EmailAddress,
}

impl Mailbox {
    /// An address without a name.
    #[must_use]
    pub fn new(address: EmailAddress) -> Self {
        Self { name: None, address }
    }

    /// An address with a name; an empty name is none.
    ///
    /// # Errors
    ///
    /// [`AddressErrorKind::ControlCharacter`](Kind::ControlCharacter) if `name` holds a control character or a line break
    /// of any script, with its byte offset.
    pub fn with_name(name: impl Into<String>, address: EmailAddress) -> Result<Self, AddressError> {
        let name = checked_name(name.into())?;
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address,
        })
    }

    /// The name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }
}

fn checked_name(name: String) -> Result<Box<str>, AddressError> {
    match name.char_indices().find(|(_, c)| is_break(*c)) {
        Some((offset, _)) => Err(AddressError::new(Kind::ControlCharacter, offset)),
        None => Ok(name.into_boxed_str()),
    }
}

impl From<EmailAddress> for Mailbox {
    fn from(address: EmailAddress) -> Self {
        Self::new(address)
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    /// Parses `Name <a@b>`, `"Quoted, name" <a@b>`, `<a@b>` or `a@b`. Encoded-words (RFC 2047) are not decoded.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut scanner = Scanner::new(text);
        let mailbox = scanner.mailbox()?;
        scanner.end()?;
        Ok(mailbox)
    }
}

impl TryFrom<&str> for Mailbox {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for Mailbox {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

/// Writes a phrase, in quotes if it is more than words.
fn write_phrase(f: &mut fmt::Formatter<'_>, phrase: &str) -> fmt::Result {
    let is_words = phrase
        .split(' ')
        .all(|word| !word.is_empty() && word.chars().all(crate::email::is_atext));
    if is_words {
        return f.write_str(phrase);
    }
    f.write_str("\"")?;
    for c in phrase.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

impl fmt::Display for Mailbox {
    /// Writes a form that [`FromStr`] reads back to the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => {
                write_phrase(f, name)?;
                write!(f, " <{}>", self.address)
            }
            None => self.address.fmt(f),
        }
    }
}

/// Mailboxes under one name (RFC 5322 §3.4 `group`); it may be empty, as in `undisclosed-recipients:;`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    name: Box<str>,
    members: Vec<Mailbox>,
}

impl Group {
    /// Names some mailboxes.
    ///
    /// # Errors
    ///
    /// As [`Mailbox::with_name`], and [`AddressErrorKind::Empty`](Kind::Empty) for an empty name.
    pub fn new(name: impl Into<String>, members: impl IntoIterator<Item = Mailbox>) -> Result<Self, AddressError> {
        let name = checked_name(name.into())?;
        if name.is_empty() {
            return Err(AddressError::new(Kind::Empty, 0));
        }
        Ok(Self {
            name,
            members: members.into_iter().collect(),
        })
    }

    /// The group's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who is in it.
    #[must_use]
    pub fn members(&self) -> &[Mailbox] {
        &self.members
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_phrase(f, &self.name)?;
        f.write_str(":")?;
        for (index, member) in self.members.iter().enumerate() {
            write!(f, "{} {member}", if index == 0 { "" } else { "," })?;
        }
        f.write_str(";")
    }
}

/// A mailbox or a group (RFC 5322 §3.4 `address`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Address {
    /// One mailbox.
    Mailbox(Mailbox),
    /// A named group.
    Group(Group),
}

impl Address {
    /// The mailboxes in it: one, or a group's members.
    #[must_use]
    pub fn mailboxes(&self) -> &[Mailbox] {
        match self {
            Self::Mailbox(mailbox) => std::slice::from_ref(mailbox),
            Self::Group(group) => group.members(),
        }
    }
}

impl From<Mailbox> for Address {
    fn from(mailbox: Mailbox) -> Self {
        Self::Mailbox(mailbox)
    }
}

impl From<Group> for Address {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(mailbox) => mailbox.fmt(f),
            Self::Group(group) => group.fmt(f),
        }
    }
}
