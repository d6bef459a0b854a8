//! BIMI: a domain says where its logo is (draft-brand-indicators-for-message-identification).
//!
//! ```
//! use posthaste_publish::bimi::Record;
//!
//! let record = Record::new("https://example.org/logo.svg")?.authority("https://example.org/logo.pem")?;
//! assert_eq!(record.to_string(), "v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/logo.pem");
//! assert_eq!(record.to_string().parse::<Record>()?, record);
//! # Ok::<(), posthaste_publish::bimi::RecordError>(())
//! ```

use std::{fmt, str::FromStr};

use crate::fields::{MAX_TEXT, is_wsp};

/// Says where a logo is, and the evidence that the domain may use it (§4.2). It stands at `default._bimi.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    location: Option<String>,
    authority: Option<String>,
}

/// Why a text is no BIMI record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It does not begin with `v=BIMI1`.
    #[error("record does not begin with v=BIMI1")]
    Version,
    /// A tag is not `name=value`.
    #[error("not a tag at octet {0}")]
    Syntax(usize),
    /// A tag stands there twice.
    #[error("a tag stands there twice, again at octet {0}")]
    Twice(usize),
    /// There is no `l=`.
    #[error("there is no l=")]
    MissingLocation,
    /// The tag's value is not an `https://` URI of visible ASCII without `;` and `,`.
    #[error("`{0}=` is not an https URI")]
    Uri(&'static str),
}

impl Record {
    /// Makes a record for the logo at an `https://` URI: an SVG file of the profile Tiny PS.
    ///
    /// # Errors
    ///
    /// [`RecordError::Uri`].
    pub fn new(location: impl Into<String>) -> Result<Self, RecordError> {
        Ok(Self {
            location: Some(uri("l", location.into())?),
            authority: None,
        })
    }

    /// Makes a record that says: no logo, do not look further (§4.2.1).
    pub fn declined() -> Self {
        Self {
            location: None,
            authority: None,
        }
    }

    /// Sets where the certificate for the logo is: a PEM file at an `https://` URI. Most receivers show no logo without.
    ///
    /// # Errors
    ///
    /// [`RecordError::Uri`].
    pub fn authority(mut self, certificate: impl Into<String>) -> Result<Self, RecordError> {
        self.authority = Some(uri("a", certificate.into())?);
        Ok(self)
    }

    /// Gives where the logo is; `None` if the domain declines to have one.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// Gives where the certificate for it is.
    pub fn certificate(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Tells whether the domain declines to have a logo.
    pub fn is_declined(&self) -> bool {
        self.location.is_none() && self.authority.is_none()
    }
}

/// Gives the name of a record: the selector, which is `default` unless messages say otherwise, `._bimi.` and the domain.
pub fn record_name(selector: &str, domain: &str) -> String {
    format!("{selector}._bimi.{domain}")
}

/// §4.2: HTTPS only, and nothing that would end the tag or start a list.
fn uri(tag: &'static str, text: String) -> Result<String, RecordError> {
    let visible = text
        .bytes()
        .all(|octet| matches!(octet, b'!'..=b'~') && !matches!(octet, b';' | b','));
    let host = text
        .get(..8)
        .filter(|scheme| scheme.eq_ignore_ascii_case("https://"))
        .and_then(|_| text.get(8..))
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '@']));
    if visible && host {
        Ok(text)
    } else {
        Err(RecordError::Uri(tag))
    }
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        if text.len() > MAX_TEXT {
            return Err(RecordError::Syntax(MAX_TEXT));
        }
        let (mut location, mut authority) = (None, None);
        let mut offset = 0;
        let mut specs = text.split(';').peekable();
        while let Some(spec) = specs.next() {
            let start = offset;
            offset += spec.len() + 1;
            if spec.chars().all(is_wsp) && start > 0 && specs.peek().is_none() {
                break;
            }
            let tag = spec.split_once('=');
            let tag = tag.map(|(name, value)| (name.trim_matches(is_wsp), value.trim_matches(is_wsp)));
            if start == 0 {
                if tag != Some(("v", "BIMI1")) {
                    return Err(RecordError::Version);
                }
                continue;
            }
            let (name, value) = tag.ok_or(RecordError::Syntax(start))?;
            let slot = match name {
                "l" => &mut location,
                "a" => &mut authority,
                "v" => return Err(RecordError::Twice(start)),
                _ if !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_') => {
                    continue;
                }
                _ => return Err(RecordError::Syntax(start)),
            };
            if slot.replace(value).is_some() {
                return Err(RecordError::Twice(start));
            }
        }
        let given = |tag, value: &str| (!value.is_empty()).then(|| uri(tag, value.to_owned())).transpose();
        Ok(Self {
            location: given("l", location.ok_or(RecordError::MissingLocation)?)?,
            // §4.2: `self` says that there is no other evidence.
            authority: given("a", authority.filter(|value| *value != "self").unwrap_or_default())?,
        })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=BIMI1; l={}", self.location.as_deref().unwrap_or_default())?;
        match &self.authority {
            Some(authority) => write!(f, "; a={authority}"),
            None if self.location.is_none() => f.write_str("; a="),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(Option<&str>, Option<&str>), RecordError>) {
        let record = text.parse::<Record>();
        let found = record
            .as_ref()
            .map(|record| (record.location(), record.certificate()))
            .map_err(|error| *error);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn records_are_read() {
        check("v=BIMI1; l=https://a.b/c.svg", Ok((Some("https://a.b/c.svg"), None)));
        check(
            "v = BIMI1 ;l=https://a;a=self; avp=brand;",
            Ok((Some("https://a"), None)),
        );
        check("v=BIMI1; l=; a=;", Ok((None, None)));
        check("v=BIMI1; l=; a=https://b", Ok((None, Some("https://b"))));
        assert!("v=BIMI1; l=; a=".parse::<Record>().unwrap().is_declined());
        assert_eq!(Record::declined().to_string(), "v=BIMI1; l=; a=");
    }

    #[test]
    fn wrong_records_say_why() {
        check("v=BIMI2; l=https://a", Err(RecordError::Version));
        check("l=https://a; v=BIMI1", Err(RecordError::Version));
        check("", Err(RecordError::Version));
        check("v=BIMI1", Err(RecordError::MissingLocation));
        check("v=BIMI1; l=http://a", Err(RecordError::Uri("l")));
        check("v=BIMI1; l=https://a; a=http://b", Err(RecordError::Uri("a")));
        check("v=BIMI1; l=https://", Err(RecordError::Uri("l")));
        check("v=BIMI1; l=https://ä", Err(RecordError::Uri("l")));
        check("v=BIMI1; l=https://a; l=https://b", Err(RecordError::Twice(21)));
        check("v=BIMI1; l", Err(RecordError::Syntax(8)));
        check("v=BIMI1; ; l=https://a", Err(RecordError::Syntax(8)));
        assert_eq!(Record::new("https://a;b"), Err(RecordError::Uri("l")));
    }
}
