//! Whom a message says it is from.

use posthaste_address::{AddressList, Domain, ParseOptions};

use crate::dkim::{Field, Fields};

/// Says why a message has no single author domain, so that DMARC cannot be evaluated (RFC 9989 §5.3.1).
///
/// The RFC exempts messages with several author domains from DMARC and leaves it to receivers what becomes of those that break
/// RFC 5322. Either is a permanent error here: nobody is to gain by adding a second author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// There is no From field.
    #[error("message has no From field")]
    Missing,
    /// There are several From fields, or what some readers take for one: with a control character in the name, behind a CR that ends
    /// no line, or behind white space that begins the message.
    #[error("message has several From fields")]
    SeveralFields,
    /// The From field is not a list of addresses.
    #[error("From field is not a list of addresses")]
    Unreadable,
    /// The From field names nobody: it is empty, or an empty group.
    #[error("From field names nobody")]
    Nobody,
    /// The From field names authors of several domains.
    #[error("From field names several domains")]
    SeveralDomains,
    /// The author's domain is an address literal.
    #[error("From field names an address literal, which has no domain")]
    Literal,
}

impl AuthorError {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::SeveralFields => "several_fields",
            Self::Unreadable => "unreadable",
            Self::Nobody => "nobody",
            Self::SeveralDomains => "several_domains",
            Self::Literal => "literal",
        }
    }
}

/// The one domain that the From field names.
pub(super) fn domain(fields: &Fields<'_>) -> Result<Domain, AuthorError> {
    let mut from = fields.iter().filter(|field| field.is(b"From"));
    let field = from.next().ok_or(AuthorError::Missing)?;
    let is_odd = fields.has_bare_line_end() || fields.has_stray_line() || fields.is_folded();
    if from.next().is_some() || (is_odd && fields.iter().map(count_authors).sum::<usize>() > 1) {
        return Err(AuthorError::SeveralFields);
    }
    // Display names may be in a charset of old; addresses that are not UTF-8 do not parse below.
    let value = String::from_utf8_lossy(field.value());
    let options = ParseOptions::default().domain_literals(true);
    let list = AddressList::parse_with(value.trim_end(), &options).map_err(|_| AuthorError::Unreadable)?;
    let mut domains = list.mailboxes().map(|mailbox| mailbox.address().domain());
    let first = domains.next().ok_or(AuthorError::Nobody)?;
    if domains.any(|domain| domain != first) {
        return Err(AuthorError::SeveralDomains);
    }
    if first.is_literal() {
        return Err(AuthorError::Literal);
    }
    Ok(first.clone())
}

/// How many From fields a forgiving reader finds in a field.
fn count_authors(field: &Field<'_>) -> usize {
    let is_leading = field.start == 0 && matches!(field.raw.first(), Some(b' ' | b'\t'));
    field
        .raw
        .split(|&octet| octet == b'\r' || (is_leading && octet == b'\n'))
        .filter(|line| is_author(line))
        .count()
}

/// Folded lines behind a CRLF still have its LF here, and are not looked at.
fn is_author(line: &[u8]) -> bool {
    let Some(colon) = line
        .iter()
        .position(|&octet| octet == b':')
        .filter(|_| !line.starts_with(b"\n"))
    else {
        return false;
    };
    let (name, _) = line.split_at(colon);
    let printable = name.iter().filter(|octet| octet.is_ascii_graphic());
    printable.map(u8::to_ascii_lowercase).eq(*b"from")
}
