//! An address with a display name.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::local_part::{is_break, is_phrase_text};
use crate::scanner::Scanner;
use crate::{AddressError, AddressErrorKind as Kind, EmailAddress, ParseOptions};

/// An address with the name that people see beside it (RFC 5322 §3.4 `mailbox`).
///
/// # Examples
///
/// ```
/// use posthaste_address::Mailbox;
///
/// let mailbox: Mailbox = "John Q. Public <john@example.org>".parse()?;
/// assert_eq!(mailbox.name(), Some("John Q. Public"));
/// assert_eq!(mailbox.to_string(), r#""John Q. Public" <john@example.org>"#);
///
/// assert!(Mailbox::with_name("John\r\nBcc: eve@example.com", mailbox.address().clone()).is_err());
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
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

    /// Joins an address and a name that was read, and so cannot hold a line break.
    pub(crate) fn from_parts(name: &str, address: EmailAddress) -> Self {
        Self {
            name: (!name.is_empty()).then(|| name.into()),
            address,
        }
    }

    /// Parses a mailbox with options.
    ///
    /// # Errors
    ///
    /// [`AddressError`], with the byte at which `text` goes wrong.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, AddressError> {
        Scanner::new(text, *options).only(Scanner::mailbox)
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

/// Refuses a name that could end its line somewhere.
pub(crate) fn checked_name(name: String) -> Result<Box<str>, AddressError> {
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

    /// Parses `Name <a@b>`, `"Quoted, name" <a@b>`, `<a@b>`, `a@b` or `a@b (Name)` with the default [`ParseOptions`].
    /// Encoded-words (RFC 2047) are not decoded.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(text, &ParseOptions::default())
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
pub(crate) fn write_phrase(f: &mut fmt::Formatter<'_>, phrase: &str) -> fmt::Result {
    let is_words = phrase
        .split(' ')
        .all(|word| !word.is_empty() && word.chars().all(is_phrase_text));
    if is_words {
        return f.write_str(phrase);
    }
    f.write_str("\"")?;
    for c in phrase.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        f.write_char(c)?;
    }
    f.write_str("\"")
}

impl fmt::Display for Mailbox {
    /// Writes a form that [`FromStr`] reads back to the same value; with an address literal, [`Mailbox::parse_with`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => {
                write_phrase(f, name)?;
                f.write_str(" <")?;
                self.address.fmt(f)?;
                f.write_str(">")
            }
            None => self.address.fmt(f),
        }
    }
}
