//! Address lists, as they stand in header fields.

use std::fmt;
use std::str::FromStr;

use crate::scanner::Scanner;
use crate::{Address, AddressError, AddressErrorKind as Kind, Mailbox, ParseOptions};

/// A list of mailboxes and groups (RFC 5322 §3.4 `address-list`).
///
/// Comments, folding and the obsolete forms that RFC 5322 §4.4 asks readers to take are taken, and dropped; a semicolon
/// separates entries as a comma does. What would have to be guessed is an error: a name with bare commas, words beside an
/// address without angle brackets, a group inside a group.
///
/// # Examples
///
/// ```
/// use posthaste_address::AddressList;
///
/// let list: AddressList = "Ada <ada@example.org>, Friends: bob@example.net (Bob), eve@example.com;".parse()?;
/// assert_eq!(list.len(), 2);
/// assert_eq!(list.mailboxes().nth(1).and_then(|bob| bob.name()), Some("Bob"));
///
/// let error = "Lovelace, Ada <ada@example.org>".parse::<AddressList>().unwrap_err();
/// assert_eq!(error.to_string(), "`@` is missing at byte 8");
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressList(Vec<Address>);

impl AddressList {
    /// Parses a list with options.
    ///
    /// # Errors
    ///
    /// [`AddressError`], with the byte at which `text` goes wrong.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, AddressError> {
        let mut scanner = Scanner::new(text, *options);
        let mut entries = Vec::new();
        loop {
            scanner.skip_space()?;
            if scanner.at_end() {
                return Ok(Self(entries));
            }
            if scanner.eat(',') || scanner.eat(';') {
                continue;
            }
            let entry = scanner.address()?;
            scanner.skip_space()?;
            let is_closed = matches!(entry, Address::Group(_)) || scanner.at_end();
            if !is_closed && !scanner.eat(',') && !scanner.eat(';') {
                return Err(scanner.error(Kind::TrailingText));
            }
            entries.push(entry);
        }
    }

    /// The entries in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Address> {
        self.0.iter()
    }

    /// All mailboxes in their order, those inside groups included.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.iter().flat_map(Address::mailboxes)
    }

    /// How many entries there are; a group counts as one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Address>> for AddressList {
    fn from(entries: Vec<Address>) -> Self {
        Self(entries)
    }
}

impl FromIterator<Address> for AddressList {
    fn from_iter<I: IntoIterator<Item = Address>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl IntoIterator for AddressList {
    type Item = Address;
    type IntoIter = std::vec::IntoIter<Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a AddressList {
    type Item = &'a Address;
    type IntoIter = std::slice::Iter<'a, Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for AddressList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            write!(f, "{}{entry}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl FromStr for AddressList {
    type Err = AddressError;

    /// Parses with the default [`ParseOptions`]; empty entries, as in `a@b,,c@d`, are skipped (RFC 5322 §4.4).
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(text, &ParseOptions::default())
    }
}
