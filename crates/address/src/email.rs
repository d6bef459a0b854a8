//! `local@domain`.

use std::fmt;
use std::str::FromStr;

use crate::{AddressError, AddressErrorKind as Kind, Domain, local_part};

/// What an address may look like beyond the everyday. Default: no address literals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseOptions {
    domain_literals: bool,
}

impl ParseOptions {
    /// Allows address literals: `user@[192.0.2.1]`, `user@[IPv6:2001:db8::1]` (RFC 5321 §4.1.3).
    ///
    /// They name a machine past DNS and all policy published there, so they are for callers who know the network.
    #[must_use]
    pub fn domain_literals(mut self, allow: bool) -> Self {
        self.domain_literals = allow;
        self
    }

    /// Says whether address literals are allowed.
    pub(crate) fn allows_literals(self) -> bool {
        self.domain_literals
    }
}

/// An email address that can stand in an SMTP envelope: RFC 5321 §4.1.2 `Mailbox`, with RFC 6531's UTF-8.
///
/// It has one spelling: the local part in NFC and in quotes only where it needs them, the domain in lower-case A-labels.
/// The local part is compared with regard to case, the domain without.
///
/// # Examples
///
/// ```
/// use posthaste_address::EmailAddress;
///
/// let address: EmailAddress = r#""ada\.lovelace"@BÜCHER.example"#.parse()?;
/// assert_eq!(address.local_part(), "ada.lovelace");
/// assert_eq!(address.to_string(), "ada.lovelace@xn--bcher-kva.example");
///
/// // What looks like another address inside quotes stays there.
/// let quoted: EmailAddress = r#""eve@evil.example"@example.org"#.parse()?;
/// assert_eq!(quoted.domain().as_str(), "example.org");
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
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
        let (local, at) = local_part::read(text)?;
        let rest = text.get(at..).unwrap_or_default();
        let Some(domain) = rest.strip_prefix('@') else {
            return Err(expected_at(rest, at));
        };
        let domain = Domain::parse_for_mail(domain, *options).map_err(|error| error.shifted(at + 1))?;
        Self::assemble(&local, domain).map_err(|error| error.within(text))
    }

    /// Joins what a local part means with a domain.
    pub(crate) fn assemble(local: &str, domain: Domain) -> Result<Self, AddressError> {
        let meant = local;
        let local = local_part::canonical(meant);
        // NFC may be shorter or longer than what was given; neither may exceed the limits (RFC 5321 §4.5.3.1).
        let length = local.len().max(meant.len());
        if length > 64 {
            return Err(AddressError::new(Kind::LocalPartTooLong, 64));
        }
        if length + 1 + domain.as_str().len() > 254 {
            return Err(AddressError::new(Kind::TooLong, 254));
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

/// Says why there is no `@` at `rest`, which begins at `offset`.
pub(crate) fn expected_at(rest: &str, offset: usize) -> AddressError {
    let kind = match rest.chars().next() {
        None => Kind::MissingAt,
        Some(c) if local_part::is_break(c) => Kind::ControlCharacter,
        Some(_) => Kind::ForbiddenCharacter,
    };
    AddressError::new(kind, offset)
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    /// Parses with the default [`ParseOptions`].
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
