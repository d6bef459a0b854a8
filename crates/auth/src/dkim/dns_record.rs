//! The records that signers publish.

use std::fmt;

use posthaste_address::Domain;

use super::selector::Selector;

/// How long one string of a TXT record is at most, in octets (RFC 1035 §3.3).
const STRING: usize = 255;

/// A TXT record that publishes a key (RFC 6376 §3.6).
///
/// Its `Display` is a line of a zone file, in as many strings as the text needs.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dkim::SigningKey;
///
/// let key = SigningKey::generate_rsa_2048()?;
/// let record = key.dns_record_at(&"s1".parse()?, &"example.org".parse()?);
/// assert_eq!(record.name(), "s1._domainkey.example.org");
/// assert_eq!(record.strings().count(), 2);
/// assert!(record.to_string().starts_with("s1._domainkey.example.org. IN TXT ( \"v=DKIM1; k=rsa; p="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsRecord {
    name: String,
    text: String,
}

impl DnsRecord {
    /// `text` is printable ASCII without quotes and backslashes.
    pub(crate) fn new(selector: &Selector, domain: &Domain, text: String) -> Self {
        Self {
            name: record_name(selector, domain),
            text,
        }
    }

    /// The name, without a final dot.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text in one piece, as control panels of DNS providers take it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text in strings of at most 255 octets, as DNS holds it; put together they are the text.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.text.as_str();
        std::iter::from_fn(move || {
            let (string, behind) = rest.split_at_checked(STRING).unwrap_or((rest, ""));
            rest = behind;
            (!string.is_empty()).then_some(string)
        })
    }
}

impl fmt::Display for DnsRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. IN TXT", self.name)?;
        if self.text.len() <= STRING {
            return write!(f, " \"{}\"", self.text);
        }
        f.write_str(" (")?;
        for string in self.strings() {
            write!(f, " \"{string}\"")?;
        }
        f.write_str(" )")
    }
}

/// Where the key of a signature stands (RFC 6376 §3.6.2.1).
pub(crate) fn record_name(selector: &Selector, domain: &Domain) -> String {
    format!("{selector}._domainkey.{}", domain.as_str())
}
