//! `local@domain`.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use crate::{AddressError, AddressErrorKind as Kind, Domain};

/// What an address may look like beyond the everyday. Default: no address literals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseOptions {
    domain_literals: bool,
}

impl ParseOptions {
    /// Allows address literals: `user@[192.0.2.1]`, `user@[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    #[must_use]
    pub fn domain_literals(mut self, allow: bool) -> Self {
        self.domain_literals = allow;
        self
    }
}

/// An email address that can stand in an SMTP envelope: RFC 5321 `Mailbox`, with RFC 6531's UTF-8 local parts.
///
/// The local part is compared as it stands, the domain without regard to case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    local: Box<str>,
    domain: Domain,
}

impl EmailAddress {
    /// Parses an address with options.
    ///
    /// # Errors
    ///
    /// [`AddressError`], with the byte at which `text` goes wrong.
    pub fn parse_with(text: &str, options: &ParseOptions) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::new(Kind::Empty, 0));
        }
        let (local, at) = local_part(text)?;
        let rest = text.get(at..).unwrap_or_default();
        let Some(domain) = rest.strip_prefix('@') else {
            let kind = if rest.is_empty() {
                Kind::MissingAt
            } else {
                Kind::ForbiddenCharacter
            };
            return Err(AddressError::new(kind, at));
        };
        let domain = match domain.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) if options.domain_literals => Domain::parse_literal(inner),
            _ => domain.parse(),
        }
        .map_err(|error| error.shifted(at + 1))?;
        if text.ends_with('.') {
            return Err(AddressError::new(Kind::MisplacedDot, text.len() - 1));
        }
        if local.len() > 64 {
            return Err(AddressError::new(Kind::LocalPartTooLong, 64));
        }
        if local.len() + 1 + domain.as_str().len() > 254 {
            return Err(AddressError::new(Kind::TooLong, 254.min(text.len())));
        }
        Ok(Self {
            local: local.into(),
            domain,
        })
    }

    /// What stands before the `@`, in quotes if it needs them.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Says whether only a server with SMTPUTF8 (RFC 6531) can take it: the local part is not ASCII.
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii()
    }

    /// The address with its domain in U-labels, for people to read.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        format!("{}@{}", self.local, self.domain.to_unicode())
    }
}

/// RFC 5322 §3.2.3 `atext`, and RFC 6531's UTF-8 beyond ASCII.
pub(crate) fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(c)
        || (!c.is_ascii() && !c.is_control() && !c.is_whitespace() && !is_break(c))
}

/// Characters that some reader takes for a line break.
pub(crate) fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{feff}')
}

/// Reads the local part at the start of `text`: its wire form, and where it ends.
pub(crate) fn local_part(text: &str) -> Result<(String, usize), AddressError> {
    if let Some(inner) = text.strip_prefix('"') {
        let mut value = String::new();
        let mut chars = inner.char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => return Ok((quote_if_needed(&value), offset + 2)),
                '\\' => match chars.next() {
                    // RFC 5321 §4.1.2 quoted-pairSMTP: printable ASCII only.
                    Some((_, escaped)) if (' '..='~').contains(&escaped) => value.push(escaped),
                    Some((offset, _)) => return Err(AddressError::new(Kind::ControlCharacter, offset + 1)),
                    None => break,
                },
                c if is_break(c) => return Err(AddressError::new(Kind::ControlCharacter, offset + 1)),
                c => value.push(c),
            }
        }
        return Err(AddressError::new(Kind::UnclosedQuote, 0));
    }
    let mut previous_dot = true;
    let mut end = text.len();
    for (offset, c) in text.char_indices() {
        match c {
            '@' => {
                end = offset;
                break;
            }
            '.' if previous_dot => return Err(AddressError::new(Kind::MisplacedDot, offset)),
            '.' => previous_dot = true,
            c if is_atext(c) => previous_dot = false,
            c if is_break(c) => return Err(AddressError::new(Kind::ControlCharacter, offset)),
            _ => {
                end = offset;
                break;
            }
        }
    }
    let local = text.get(..end).unwrap_or_default();
    if local.is_empty() {
        return Err(AddressError::new(
            if text.starts_with('@') {
                Kind::EmptyLocalPart
            } else {
                Kind::ForbiddenCharacter
            },
            0,
        ));
    }
    if previous_dot {
        return Err(AddressError::new(Kind::MisplacedDot, end.saturating_sub(1)));
    }
    Ok((local.to_owned(), end))
}

/// Puts a local part in quotes unless it is a dot-atom.
pub(crate) fn quote_if_needed(value: &str) -> String {
    let is_dot_atom = value
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
    if is_dot_atom {
        return value.to_owned();
    }
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(text, &ParseOptions::default())
    }
}

impl TryFrom<&str> for EmailAddress {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl fmt::Display for EmailAddress {
    /// Writes the form that goes over the wire, the domain in A-labels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({self})")
    }
}
