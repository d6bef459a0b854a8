//! Domain names, as A-labels.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::{AddressError, AddressErrorKind};

/// A DNS name, kept as lower-case A-labels without a trailing dot; or, only inside an
/// [`EmailAddress`](crate::EmailAddress) parsed with that option, an address literal such as `[192.0.2.1]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// The name in A-labels (ASCII, lower case), or the literal with its brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in U-labels, for people to read.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        if self.is_literal() || !self.0.contains("xn--") {
            return self.0.to_string();
        }
        match idna::domain_to_unicode(&self.0) {
            (name, Ok(())) => name,
            (_, Err(_)) => self.0.to_string(),
        }
    }

    /// Says whether this is an address literal and not a name.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.0.starts_with('[')
    }

    /// The address in an address literal.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        let inner = self.0.strip_prefix('[')?.strip_suffix(']')?;
        match inner.strip_prefix("ipv6:") {
            Some(v6) => v6.parse().ok().map(IpAddr::V6),
            None => inner.parse().ok().map(IpAddr::V4),
        }
    }

    /// The name that its owner registered: one label below a public suffix.
    ///
    /// `None` for a public suffix itself, a single label and a literal.
    #[must_use]
    pub fn registrable(&self) -> Option<Self> {
        if self.is_literal() {
            return None;
        }
        psl::domain_str(&self.0).map(|name| Self(name.into()))
    }

    /// Says whether this is `other` or a name below it.
    #[must_use]
    pub fn is_subdomain_of(&self, other: &Self) -> bool {
        match self.0.strip_suffix(other.as_str()) {
            Some("") => true,
            Some(rest) => rest.ends_with('.') && !self.is_literal(),
            None => false,
        }
    }

    /// Parses what stands between the brackets of an address literal (RFC 5321 §4.1.3).
    pub(crate) fn parse_literal(inner: &str) -> Result<Self, AddressError> {
        let invalid = AddressError::new(AddressErrorKind::InvalidLiteral, 0);
        let tag = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("ipv6:"));
        let text = match tag {
            Some(_) => {
                let text = inner.get(5..).unwrap_or_default();
                let v6 = text.parse::<Ipv6Addr>().map_err(|_| invalid)?;
                format!("[ipv6:{v6}]")
            }
            None => format!("[{}]", inner.parse::<Ipv4Addr>().map_err(|_| invalid)?),
        };
        Ok(Self(text.into()))
    }
}

/// Letters, digits and inner hyphens (RFC 1123 §2.1).
fn is_ldh(label: &str) -> bool {
    !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// UTS 46, non-transitional, with the checks that registries make.
fn to_ascii(name: &str) -> Option<String> {
    let name = idna::uts46::Uts46::new()
        .to_ascii(
            name.as_bytes(),
            idna::AsciiDenyList::STD3,
            idna::uts46::Hyphens::Check,
            idna::uts46::DnsLength::Ignore,
        )
        .ok()?;
    Some(name.into_owned())
}

impl FromStr for Domain {
    type Err = AddressError;

    /// Parses a name in A-labels, U-labels or both; UTS 46, non-transitional.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::new(AddressErrorKind::EmptyDomain, 0));
        }
        if text.starts_with('[') {
            return Err(AddressError::new(AddressErrorKind::LiteralNotAllowed, 0));
        }
        for (offset, c) in text.char_indices() {
            if c.is_control() {
                return Err(AddressError::new(AddressErrorKind::ControlCharacter, offset));
            }
            if c.is_ascii() && !(c.is_ascii_alphanumeric() || c == '-' || c == '.') || c.is_whitespace() {
                return Err(AddressError::new(AddressErrorKind::ForbiddenCharacter, offset));
            }
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        // What is ASCII already is what the DNS will be asked for, an ill-formed `xn--` label included.
        let ascii = if name.is_ascii() {
            name.to_ascii_lowercase()
        } else {
            to_ascii(name).ok_or_else(|| AddressError::new(AddressErrorKind::InvalidDomain, 0))?
        };
        if ascii.len() > 253 {
            return Err(AddressError::new(AddressErrorKind::DomainTooLong, 253.min(text.len())));
        }
        let mut offset = 0;
        for label in ascii.split('.') {
            if label.is_empty() || label.len() > 63 {
                return Err(AddressError::new(AddressErrorKind::LabelLength, offset.min(text.len())));
            }
            if !is_ldh(label) {
                return Err(AddressError::new(
                    AddressErrorKind::InvalidDomain,
                    offset.min(text.len()),
                ));
            }
            offset += label.len() + 1;
        }
        Ok(Self(ascii.into()))
    }
}

impl TryFrom<&str> for Domain {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for Domain {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}
