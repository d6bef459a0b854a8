//! TLS-RPT: a domain asks for reports on how TLS to its mail hosts went (RFC 8460 §3).
//!
//! ```
//! use posthaste_publish::tls_rpt::Record;
//!
//! let record = Record::new(["mailto:tls@example.org".parse()?]);
//! assert_eq!(record.to_string(), "v=TLSRPTv1; rua=mailto:tls@example.org");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What the RFC leaves open: an address with another scheme than `mailto` and `https` is passed over, and a record
//! without any other is wrong; of several `rua`, the first counts.

use std::{fmt, str::FromStr};

use crate::fields::{FieldError, fields, is_extension_value, is_wsp};

const VERSION: &str = "v=TLSRPTv1";

/// Says where reports go: a `mailto:` or `https://` URI, as it is written.
///
/// # Examples
///
/// ```
/// use posthaste_publish::tls_rpt::{ReportUri, ReportUriError};
///
/// assert!("https://reports.example.org/tls".parse::<ReportUri>().is_ok());
/// assert_eq!("http://reports.example.org/".parse::<ReportUri>(), Err(ReportUriError::Scheme));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportUri(String);

/// Why a text is no address for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportUriError {
    /// Its scheme is neither `mailto` nor `https`.
    #[error("scheme is neither mailto nor https")]
    Scheme,
    /// It holds what must be percent-encoded there: `,`, `!`, `;`, white space, or anything but visible ASCII.
    #[error("character at octet {0} must be percent-encoded")]
    Character(usize),
    /// It names no mailbox or no host.
    #[error("URI has no mailbox or host")]
    Empty,
}

impl ReportUri {
    /// Gives the URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether reports go there by HTTPS, not by mail.
    pub fn is_https(&self) -> bool {
        after_scheme(&self.0, "https://").is_some()
    }
}

impl FromStr for ReportUri {
    type Err = ReportUriError;

    fn from_str(text: &str) -> Result<Self, ReportUriError> {
        if let Some(at) = text
            .bytes()
            .position(|octet| !matches!(octet, b'!'..=b'~') || matches!(octet, b',' | b'!' | b';'))
        {
            return Err(ReportUriError::Character(at));
        }
        let names_something = match (after_scheme(text, "mailto:"), after_scheme(text, "https://")) {
            (Some(address), _) => {
                let address = address.split('?').next().unwrap_or_default();
                address
                    .rsplit_once('@')
                    .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            }
            (None, Some(rest)) => !rest.starts_with(['/', '?', '#', ':', '@']) && !rest.is_empty(),
            (None, None) => return Err(ReportUriError::Scheme),
        };
        if names_something {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReportUriError::Empty)
        }
    }
}

/// RFC 3986 §3.1: a scheme's case does not count.
fn after_scheme<'a>(uri: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = uri.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks for reports (RFC 8460 §3). It stands at `_smtp._tls.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    uris: Vec<ReportUri>,
}

/// Why a domain has no TLS-RPT record that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The text does not start with `v=TLSRPTv1`, in this case.
    #[error("record does not start with v=TLSRPTv1")]
    Version,
    /// A field is not `name=value`.
    #[error("not a field at octet {0}")]
    Syntax(usize),
    /// There is no `rua`.
    #[error("there is no rua")]
    MissingRua,
    /// None of the addresses can be reported to; this is wrong with the first.
    #[error("no address can be reported to")]
    Rua(#[source] ReportUriError),
    /// None of the texts at the name is such a record.
    #[error("there is no TLS-RPT record")]
    None,
    /// Several of the texts at the name are: then no report is sent (§3).
    #[error("there are several TLS-RPT records")]
    Several,
}

impl Record {
    /// Makes a record. Without an address it asks for nothing, and does not read back.
    pub fn new(uris: impl IntoIterator<Item = ReportUri>) -> Self {
        Self {
            uris: uris.into_iter().collect(),
        }
    }

    /// Picks the record from all texts at the name (§3): those that start with other than `v=TLSRPTv1;` are not meant.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: there is none, or several, or it is wrong.
    pub fn select(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, RecordError> {
        let mut found = texts.into_iter().filter(|text| {
            text.as_ref()
                .strip_prefix(VERSION.as_bytes())
                .is_some_and(|rest| rest.first() == Some(&b';'))
        });
        match (found.next(), found.next()) {
            (None, _) => Err(RecordError::None),
            (Some(_), Some(_)) => Err(RecordError::Several),
            (Some(text), None) => match std::str::from_utf8(text.as_ref()) {
                Ok(text) => text.parse(),
                Err(error) => Err(RecordError::Syntax(error.valid_up_to())),
            },
        }
    }

    /// Gives where reports go.
    pub fn uris(&self) -> &[ReportUri] {
        &self.uris
    }
}

/// Gives the name of the record: `_smtp._tls.` and the domain.
pub fn record_name(domain: &str) -> String {
    format!("_smtp._tls.{domain}")
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let fields = fields(text, VERSION).map_err(|error| match error {
            FieldError::Version => RecordError::Version,
            FieldError::Syntax(offset) => RecordError::Syntax(offset),
        })?;
        let is_wrong = |field: &&crate::fields::Field<'_>| field.name != "rua" && !is_extension_value(field.value);
        if let Some(wrong) = fields.iter().find(is_wrong) {
            return Err(RecordError::Syntax(wrong.offset));
        }
        let rua = fields
            .iter()
            .find(|field| field.name == "rua")
            .ok_or(RecordError::MissingRua)?;
        let mut uris = Vec::new();
        let mut wrong = None;
        for uri in rua.value.split(',') {
            match uri.trim_matches(is_wsp).parse() {
                Ok(uri) => uris.push(uri),
                Err(error) => _ = wrong.get_or_insert(error),
            }
        }
        match wrong {
            Some(error) if uris.is_empty() => Err(RecordError::Rua(error)),
            _ => Ok(Self { uris }),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}; rua=")?;
        for (index, uri) in self.uris.iter().enumerate() {
            write!(f, "{}{uri}", if index > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], RecordError>) {
        let record = text.parse::<Record>();
        let uris = record
            .as_ref()
            .map(|record| record.uris().iter().map(ReportUri::as_str).collect::<Vec<_>>());
        assert_eq!(
            uris.as_deref().map_err(|error| **error),
            expected.as_ref().map(|uris| *uris).map_err(|error| *error),
            "{text}"
        );
    }

    #[test]
    fn addresses_are_found() {
        check("v=TLSRPTv1;rua=mailto:a@b.example", Ok(&["mailto:a@b.example"]));
        check(
            "v=TLSRPTv1; x=1; rua=MAILTO:a@b.example , https://c.example/?d=e;",
            Ok(&["MAILTO:a@b.example", "https://c.example/?d=e"]),
        );
        check("v=TLSRPTv1; rua=ftp://x,mailto:a@b", Ok(&["mailto:a@b"]));
        assert!("https://a".parse::<ReportUri>().unwrap().is_https());
    }

    #[test]
    fn wrong_records_say_why() {
        check("v=TLSRPTv2; rua=mailto:a@b", Err(RecordError::Version));
        check("v=TLSRPTv1; x=1", Err(RecordError::MissingRua));
        check("v=TLSRPTv1; rua=ftp://x", Err(RecordError::Rua(ReportUriError::Scheme)));
        check("v=TLSRPTv1; rua=mailto:a", Err(RecordError::Rua(ReportUriError::Empty)));
        check("v=TLSRPTv1; rua=https://", Err(RecordError::Rua(ReportUriError::Empty)));
        check(
            "v=TLSRPTv1; rua=mailto:a@b!10m",
            Err(RecordError::Rua(ReportUriError::Character(10))),
        );
        check("v=TLSRPTv1; rua=mailto:a@b; y=a=b", Err(RecordError::Syntax(28)));
    }

    #[test]
    fn one_record_counts() {
        let one = "v=TLSRPTv1; rua=mailto:a@b";
        assert_eq!(Record::select(["x", one]).unwrap().to_string(), one);
        assert_eq!(Record::select(["x"]), Err(RecordError::None));
        assert_eq!(Record::select([one, one]), Err(RecordError::Several));
        assert_eq!(Record::select([b"v=TLSRPTv1;\xff"]), Err(RecordError::Syntax(11)));
    }
}
