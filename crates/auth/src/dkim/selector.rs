//! Selectors.

use std::fmt;
use std::str::FromStr;

/// Names one of a domain's keys: one DNS label or several (RFC 6376 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector(Box<str>);

impl Selector {
    /// The selector as it stands in `s=` and in DNS.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text is not a selector: it is not DNS labels of letters, digits, hyphens and underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("selector is not made of DNS labels: letters, digits, `-` and `_`, 1 to 63 octets each")]
#[non_exhaustive]
pub struct SelectorError;

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let label_is_valid = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // With `._domainkey.` and a domain it must still be a name.
        if text.len() <= 200 && text.split('.').all(label_is_valid) {
            Ok(Self(text.into()))
        } else {
            Err(SelectorError)
        }
    }
}

impl TryFrom<&str> for Selector {
    type Error = SelectorError;

    fn try_from(text: &str) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
