//! Named groups, and what an address list is made of.

use std::fmt;
use std::str::FromStr;

use crate::mailbox::{checked_name, write_phrase};
use crate::scanner::Scanner;
use crate::{AddressError, AddressErrorKind as Kind, EmailAddress, Mailbox, ParseOptions};

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

    /// Parses a group with options.
    ///
    /// # Errors
    ///
    /// [`AddressError`], with the byte at which `text` goes wrong.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, AddressError> {
        Scanner::new(text, *options).only(Scanner::group)
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

impl FromStr for Group {
    type Err = AddressError;

    /// Parses `Name: a@b, c@d;` with the default [`ParseOptions`].
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(text, &ParseOptions::default())
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
    /// Parses a mailbox or a group with options.
    ///
    /// # Errors
    ///
    /// [`AddressError`], with the byte at which `text` goes wrong.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, AddressError> {
        Scanner::new(text, *options).only(Scanner::address)
    }

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

impl From<EmailAddress> for Address {
    fn from(address: EmailAddress) -> Self {
        Self::Mailbox(address.into())
    }
}

impl From<Group> for Address {
    fn from(group: Group) -> Self {
        Self::Group(group)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Parses a mailbox or a group with the default [`ParseOptions`].
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(text, &ParseOptions::default())
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
