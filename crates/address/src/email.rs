//! `local@domain`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::plain::{self, PlainAddress};
use crate::{AddressError, AddressErrorKind as Kind, AddressKey, Domain, KeyRules, local_part};

/// What an address may look like. Default: whatever SMTP can carry (RFC 5321, RFC 6531), but no address literals.
///
/// # Examples
///
/// ```
/// use posthaste_address::{EmailAddress, ParseOptions};
///
/// // For a sign-up form: a name that the public DNS can have, and no symbols that people mistake for letters.
/// let form = ParseOptions::default().public_domains(true).identifiers(true);
/// assert!(EmailAddress::parse_with("jürgen@example.org", &form).is_ok());
/// assert!(EmailAddress::parse_with("ada@localhost", &form).is_err());
/// assert!(EmailAddress::parse_with("€uro@example.org", &form).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseOptions {
    domain_literals: bool,
    public_domains: bool,
    identifiers: bool,
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

    /// Asks for domains of the form that names in the public DNS have: two labels or more, and no digit in the top-level one
    /// unless it is an A-label (RFC 1123 §2.1, RFC 3696 §2).
    ///
    /// It refuses `ada@localhost` and `ada@10.0.0.1`, which SMTP can carry. It does not ask whether the name exists.
    #[must_use]
    pub fn public_domains(mut self, only: bool) -> Self {
        self.public_domains = only;
        self
    }

    /// Asks that a local part hold, beyond ASCII, only letters, digits and marks (RFC 8264 §9.1).
    ///
    /// It refuses symbols, punctuation and emoji, which SMTP can carry (RFC 6531 §3.3) and some mailboxes have.
    #[must_use]
    pub fn identifiers(mut self, only: bool) -> Self {
        self.identifiers = only;
        self
    }

    pub(crate) fn allows_literals(self) -> bool {
        self.domain_literals
    }

    pub(crate) fn wants_public_domains(self) -> bool {
        self.public_domains
    }

    pub(crate) fn wants_identifiers(self) -> bool {
        self.identifiers
    }
}

/// An email address that can stand in an SMTP envelope: RFC 5321 §4.1.2 `Mailbox`, with RFC 6531's UTF-8.
///
/// It has one spelling: the local part in NFC and in quotes only where it needs them, the domain in lower-case A-labels.
/// The local part is compared with regard to case, the domain without; [`KeyRules`] compare more loosely.
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
        if let Some(found) = plain::address(text)
            && found.len() == text.len()
            && let Some(address) = Self::from_plain(&found, *options)
        {
            return Ok(address);
        }
        Self::parse_any(text, *options)
    }

    /// Parses by the full grammar.
    fn parse_any(text: &str, options: ParseOptions) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::new(Kind::Empty, 0));
        }
        let (local, at) = local_part::read(text)?;
        let rest = text.get(at..).unwrap_or_default();
        let Some(domain) = rest.strip_prefix('@') else {
            return Err(expected_at(rest, at));
        };
        local_part::check_identifier(&local, text, options)?;
        let domain = Domain::parse_for_mail(domain, options).map_err(|error| error.shifted(at + 1))?;
        Self::assemble(&local, domain).map_err(|error| error.within(text))
    }

    /// Joins a local part, as it is meant and not in quotes, with a domain.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if `local` is empty or holds what no local part can, with its byte there; if it or the whole is too
    /// long; or if no address can have the domain, as one with an underscore.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_address::EmailAddress;
    ///
    /// let domain = "bounces.example.org".parse()?;
    /// let bounces = EmailAddress::from_parts("bounce+ada=example.net", &domain)?;
    /// assert_eq!(bounces.to_string(), "bounce+ada=example.net@bounces.example.org");
    /// let quoted = EmailAddress::from_parts("ada lovelace", &domain)?;
    /// assert_eq!(quoted.local_part(), r#""ada lovelace""#);
    /// assert!(EmailAddress::from_parts("ada\r\nRCPT TO:<eve", &domain).is_err());
    /// # Ok::<(), posthaste_address::AddressError>(())
    /// ```
    pub fn from_parts(local: &str, domain: &Domain) -> Result<Self, AddressError> {
        if local.is_empty() {
            return Err(AddressError::new(Kind::EmptyLocalPart, 0));
        }
        local_part::check_meaning(local)?;
        let behind = |error: AddressError| error.shifted(local.len() + 1);
        domain.check_for_mail().map_err(behind)?;
        Self::assemble(local, domain.clone())
    }

    /// Takes over what was read in one pass; `None` if the options ask for more than that looked at.
    pub(crate) fn from_plain(found: &PlainAddress<'_>, options: ParseOptions) -> Option<Self> {
        if options.wants_public_domains() {
            return None;
        }
        Some(Self {
            local: found.local.into(),
            domain: Domain::from_plain(found),
        })
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

    /// What stands before the `@` as it is meant, not in quotes: `ada lovelace` of `"ada lovelace"@example.org`.
    #[must_use]
    pub fn unquoted_local_part(&self) -> Cow<'_, str> {
        local_part::meaning(&self.local)
    }

    /// Makes the key by which it is compared with others under `rules`; as [`KeyRules::key`].
    #[must_use]
    pub fn key(&self, rules: &KeyRules) -> AddressKey {
        rules.key(self)
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
        f.write_str(&self.local)?;
        f.write_str("@")?;
        f.write_str(self.domain.as_str())
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_pass_finds_what_the_grammar_finds(
            text in "[A-Za-z0-9.+\"-]{0,6}(x{58})?[a.]{0,2}@([xX]n--)?[A-Za-z0-9.-]{0,9}[a-z-]{0,2}(\\.(y{60}|[a-z0-9-]{1,4})){0,4}"
        ) {
            let options = ParseOptions::default();
            prop_assert_eq!(EmailAddress::parse_with(&text, &options), EmailAddress::parse_any(&text, options));
        }
    }

    #[test]
    fn one_pass_keeps_the_limits() {
        let options = ParseOptions::default();
        for local in [63, 64, 65] {
            for last in 57..=64 {
                let (local, label) = ("a".repeat(local), "b".repeat(63));
                let text = format!("{local}@{label}.{label}.{}", "c".repeat(last));
                let found = EmailAddress::parse_with(&text, &options);
                assert_eq!(found, EmailAddress::parse_any(&text, options));
                assert_eq!(
                    found.is_ok(),
                    text.len() <= 254 && local.len() <= 64 && last <= 63,
                    "{text}"
                );
            }
        }
    }
}
