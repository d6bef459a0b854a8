//! Address lists, as they stand in header fields.

use std::fmt;
use std::str::FromStr;

use crate::scanner::Scanner;
use crate::{Address, AddressError, AddressErrorKind as Kind, LenientList, Mailbox, ParseOptions, lenient};

/// A list of mailboxes and groups (RFC 5322 §3.4 `address-list`).
///
/// Comments, folding and the obsolete forms that RFC 5322 §4.4 asks readers to take are taken, and dropped; a semicolon
/// separates entries as a comma does. What would have to be guessed is an error: a name with bare commas, words beside an
/// address without angle brackets, a group inside a group. [`AddressList::parse_leniently`] reads on past such things.
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

    /// Reads a list as people type it and as careless programs write it; what is no address is handed back, with its place.
    ///
    /// Never for deciding what a header field means where somebody could gain from a second reading. What follows the grammar
    /// is read as [`AddressList::parse_with`] reads it. Beyond that, by rule and not by chance:
    ///
    /// - `Lovelace, Ada <ada@example.org>`: up to four parts with bare commas join the name in front of an angle bracket.
    /// - `Ada ada@example.org`, `ada@example.org Ada`: words beside the only address of an entry are its name. In front of a
    ///   bracket they may be the same address again.
    /// - `Ada < x <ada@example.org>`, `Ada <ada@example.org`: the name ends at the first bracket; a lost one is done without.
    /// - Groups end where the list ends; members of a group inside a group are members of the outer one.
    /// - Quotes and parentheses without an end are characters like others.
    ///
    /// An entry with two addresses, with none, or with a line break in its midst that is no folding is unreadable; the next
    /// one is read none the less.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_address::{AddressList, ParseOptions};
    ///
    /// let typed = "Lovelace, Ada <ada@example.org>; bob@@example.net, eve@example.com Eve";
    /// let read = AddressList::parse_leniently(typed, &ParseOptions::default());
    /// let wrong: Vec<&str> = read.unreadable().map(|entry| entry.text()).collect();
    /// assert_eq!(wrong, ["bob@@example.net"]);
    /// assert_eq!(read.into_list().to_string(), "\"Lovelace, Ada\" <ada@example.org>, Eve <eve@example.com>");
    /// ```
    #[must_use]
    pub fn parse_leniently(text: &str, options: &ParseOptions) -> LenientList {
        lenient::read(text, *options)
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: impl Into<Address>) {
        self.0.push(entry.into());
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

impl Extend<Address> for AddressList {
    fn extend<I: IntoIterator<Item = Address>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

impl From<Mailbox> for AddressList {
    fn from(mailbox: Mailbox) -> Self {
        Self(vec![mailbox.into()])
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
    /// Writes a form that [`FromStr`] reads back to the same value; with an address literal, [`AddressList::parse_with`].
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
