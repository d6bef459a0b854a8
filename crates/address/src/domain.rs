//! Domain names, as A-labels.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::local_part::is_break;
use crate::plain::PlainAddress;
use crate::{AddressError, AddressErrorKind as Kind, ParseOptions};

/// A DNS name, kept as lower-case A-labels without a trailing dot; or, only inside an
/// [`EmailAddress`](crate::EmailAddress) parsed with that option, an address literal such as `[192.0.2.1]`.
///
/// It is a name of DNS, so it may hold underscores and is read with a dot at its end; behind the `@` of an address neither
/// may stand (RFC 5321 §4.1.2), nor a label with hyphens in third and fourth place that is not `xn--` and Punycode (RFC 5891 §4.2.3.1).
///
/// # Examples
///
/// ```
/// use posthaste_address::Domain;
///
/// let domain: Domain = "Mail.BÜCHER.co.uk".parse()?;
/// assert_eq!(domain.as_str(), "mail.xn--bcher-kva.co.uk");
/// let registrable = domain.registrable().unwrap();
/// assert_eq!(registrable.to_unicode(), "bücher.co.uk");
/// assert!(domain.is_subdomain_of(&registrable));
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// The name in A-labels (ASCII, lower case), or the literal with its brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in U-labels, for people to read; as [`Self::as_str`] if an `xn--` label in it cannot be decoded.
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
        match inner.strip_prefix("IPv6:") {
            Some(v6) => v6.parse().ok().map(IpAddr::V6),
            None => inner.parse().ok().map(IpAddr::V4),
        }
    }

    /// The name that its owner registered: one label below a suffix of the Public Suffix List, private section included.
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

    /// A name that this crate knows to be one.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(name.into())
    }

    /// Parses what stands behind an `@`: a host name in the narrow sense of RFC 5321 §4.1.2, or a literal if allowed.
    pub(crate) fn parse_for_mail(text: &str, options: ParseOptions) -> Result<Self, AddressError> {
        let domain = match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) if options.allows_literals() => Self::parse_literal(inner).map_err(|error| error.shifted(1))?,
            _ => parse_name(text, Rules::Mail)?,
        };
        if options.wants_public_domains() && !domain.is_literal() && !domain.looks_public() {
            let top = text.char_indices().rev().find(|(_, c)| is_dot(*c));
            let top = top.map_or(0, |(offset, dot)| offset + dot.len_utf8());
            return Err(AddressError::new(Kind::NotPublic, top));
        }
        Ok(domain)
    }

    /// Takes over what was read in one pass.
    pub(crate) fn from_plain(found: &PlainAddress<'_>) -> Self {
        let mut name: Box<str> = found.domain.into();
        if found.has_upper_case {
            name.make_ascii_lowercase();
        }
        Self(name)
    }

    /// Refuses a name of DNS that may not stand behind an `@`.
    pub(crate) fn check_for_mail(&self) -> Result<(), AddressError> {
        if self.is_literal() {
            return Ok(());
        }
        check_characters(&self.0, Rules::Mail)?;
        check_labels(&self.0, &self.0, Rules::Mail)
    }

    /// Says whether it has two labels or more, and a top-level one without digits or an A-label.
    fn looks_public(&self) -> bool {
        let Some((_, top)) = self.0.rsplit_once('.') else {
            return false;
        };
        top.starts_with("xn--") || !top.contains(|c: char| c.is_ascii_digit())
    }

    /// Parses what stands between the brackets of an address literal (RFC 5321 §4.1.3).
    fn parse_literal(inner: &str) -> Result<Self, AddressError> {
        let invalid = AddressError::new(Kind::InvalidLiteral, 0);
        let text = match inner.split_at_checked(5) {
            Some((tag, v6)) if tag.eq_ignore_ascii_case("ipv6:") => {
                format!("[IPv6:{}]", v6.parse::<Ipv6Addr>().map_err(|_| invalid.shifted(5))?)
            }
            _ => format!("[{}]", inner.parse::<Ipv4Addr>().map_err(|_| invalid)?),
        };
        Ok(Self(text.into()))
    }
}

/// How narrow a name is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// What DNS holds: underscores, a dot at the end, any hyphens inside a label.
    Dns,
    /// What an address may hold: letters, digits and single-purpose hyphens.
    Mail,
}

/// No name of 253 octets in A-labels is longer than this in any sane spelling; it bounds the work of mapping.
const LONGEST_SPELLING: usize = 1024;

fn parse_name(text: &str, rules: Rules) -> Result<Domain, AddressError> {
    check_characters(text, rules)?;
    let name = match text.strip_suffix('.') {
        Some(name) if rules == Rules::Dns => name,
        Some("") => return Err(AddressError::new(Kind::MisplacedDot, 0)),
        Some(name) if !name.ends_with('.') => return Err(AddressError::new(Kind::MisplacedDot, name.len())),
        _ => text,
    };
    let ascii = to_a_labels(name)?;
    check_labels(&ascii, name, rules)?;
    if ascii.len() > 253 {
        return Err(AddressError::new(Kind::DomainTooLong, 253.min(text.len())));
    }
    Ok(Domain(ascii.into()))
}

/// Judges each label of a mapped name; errors point into the name as it was `written`.
fn check_labels(ascii: &str, written: &str, rules: Rules) -> Result<(), AddressError> {
    for (index, label) in ascii.split('.').enumerate() {
        check_label(label, rules).map_err(|kind| AddressError::new(kind, label_offset(written, index)))?;
    }
    Ok(())
}

/// Refuses what can be told without mapping: ASCII that no name holds, controls, white space, absurd length.
fn check_characters(text: &str, rules: Rules) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::new(Kind::EmptyDomain, 0));
    }
    if text.starts_with('[') {
        return Err(AddressError::new(Kind::LiteralNotAllowed, 0));
    }
    for (offset, c) in text.char_indices() {
        if is_break(c) {
            return Err(AddressError::new(Kind::ControlCharacter, offset));
        }
        let forbidden = if c.is_ascii() {
            !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.') || (c == '_' && rules == Rules::Dns))
        } else {
            c.is_whitespace()
        };
        if forbidden {
            return Err(AddressError::new(Kind::ForbiddenCharacter, offset));
        }
    }
    if text.len() > LONGEST_SPELLING {
        return Err(AddressError::new(Kind::DomainTooLong, 253));
    }
    Ok(())
}

/// Maps a name to lower-case A-labels: UTS 46, non-transitional.
///
/// ASCII is what DNS will be asked for, so it is kept, an `xn--` label that IDNA would refuse included.
fn to_a_labels(name: &str) -> Result<String, AddressError> {
    if name.is_ascii() {
        return Ok(name.to_ascii_lowercase());
    }
    map(name).ok_or_else(|| {
        let bad = name.split(is_dot).position(|label| map(label).is_none());
        AddressError::new(Kind::InvalidDomain, bad.map_or(0, |index| label_offset(name, index)))
    })
}

fn map(name: &str) -> Option<String> {
    Uts46::new()
        .to_ascii(name.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// Judges one label after mapping, which can give ASCII that was not there before (U+037E is a semicolon).
fn check_label(label: &str, rules: Rules) -> Result<(), Kind> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'_' && rules == Rules::Dns);
    if label.is_empty() || label.len() > 63 {
        return Err(Kind::LabelLength);
    }
    if !label.bytes().all(is_allowed) {
        return Err(Kind::ForbiddenCharacter);
    }
    let is_reserved =
        rules == Rules::Mail && label.get(2..4) == Some("--") && !label.strip_prefix("xn--").is_some_and(is_punycode);
    if label.starts_with('-') || label.ends_with('-') || is_reserved {
        return Err(Kind::InvalidDomain);
    }
    Ok(())
}

/// Says whether text behind `xn--` decodes (RFC 3492), be it to a label that IDNA would refuse.
fn is_punycode(text: &str) -> bool {
    !text.is_empty() && idna::punycode::decode_to_string(text).is_some()
}

/// The dots of UTS 46.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Where label number `index` begins in `name`, as it was written.
fn label_offset(name: &str, index: usize) -> usize {
    let Some(dot) = index.checked_sub(1) else { return 0 };
    name.match_indices(is_dot)
        .nth(dot)
        .map_or(name.len(), |(offset, dot)| offset + dot.len())
}

impl FromStr for Domain {
    type Err = AddressError;

    /// Parses a name in A-labels, U-labels or both: UTS 46, non-transitional. A dot at the end is dropped.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse_name(text, Rules::Dns)
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
