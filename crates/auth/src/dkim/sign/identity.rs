//! Who signs: a domain, a selector, a key.

use std::fmt::Write as _;
use std::sync::Arc;

use posthaste_address::Domain;

use super::field::Folding;
use crate::dkim::canonicalization::Canonicalization;
use crate::dkim::key::{Algorithm, SigningKey};
use crate::dkim::remote::RemoteKey;
use crate::dkim::selector::Selector;

/// A private key, here or elsewhere.
#[derive(Debug)]
pub(crate) enum Key {
    Local(SigningKey),
    Remote(Arc<dyn RemoteKey>),
}

impl Key {
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Local(key) => key.algorithm(),
            Self::Remote(key) => key.algorithm(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Identity {
    pub(super) domain: Domain,
    pub(super) selector: Selector,
    pub(super) key: Key,
    /// The signature field up to what every message has of its own.
    pub(super) opening: String,
}

impl Identity {
    pub(super) fn new(
        domain: Domain,
        selector: Selector,
        key: Key,
        (header, body): (Canonicalization, Canonicalization),
        auid: Option<&Auid>,
    ) -> Self {
        let mut opening = "DKIM-Signature: v=1;".to_owned();
        let mut tags = Folding::new(&mut opening);
        tags.tag("a", key.algorithm().as_str());
        tags.tag("c", &format!("{header}/{body}"));
        tags.tag("d", domain.as_str());
        tags.tag("s", selector.as_str());
        if let Some(auid) = auid {
            tags.tag("i", &auid.0);
        }
        Self {
            domain,
            selector,
            key,
            opening,
        }
    }
}

/// The Agent or User Identifier, as `i=` holds it (RFC 6376 §3.5).
#[derive(Debug)]
pub(super) struct Auid(String);

impl Auid {
    /// Takes `local@domain` or `@domain`, where the domain is `signing` or below it.
    pub(super) fn parse(text: &str, signing: &Domain) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let domain: Domain = domain.parse().ok()?;
        // RFC 5321 §4.5.3.1.1: a local part has 64 octets at most.
        if local.len() > 64 || local.chars().any(char::is_control) || !domain.is_subdomain_of(signing) {
            return None;
        }
        let mut tag = String::new();
        for byte in local.bytes() {
            // RFC 6376 §2.11, dkim-quoted-printable.
            match byte {
                b'!'..=b'~' if !matches!(byte, b';' | b'=') => tag.push(char::from(byte)),
                // Writing to a string does not fail.
                _ => {
                    let _ = write!(tag, "={byte:02X}");
                }
            }
        }
        tag.push('@');
        tag.push_str(domain.as_str());
        Some(Self(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_at_the_domain_or_below_it() {
        let domain: Domain = "example.org".parse().unwrap();
        let tag = |text: &str| Auid::parse(text, &domain).map(|auid| auid.0);
        assert_eq!(tag("ada@example.org").as_deref(), Some("ada@example.org"));
        assert_eq!(tag("@Mail.Example.ORG").as_deref(), Some("@mail.example.org"));
        assert_eq!(tag("a;b=c d@example.org").as_deref(), Some("a=3Bb=3Dc=20d@example.org"));
        assert_eq!(tag("zo\u{eb}@example.org").as_deref(), Some("zo=C3=AB@example.org"));
        for wrong in [
            "",
            "ada",
            "ada@",
            "ada@example.com",
            "ada@notexample.org",
            "a\r\nb@example.org",
            "@org",
        ] {
            assert_eq!(tag(wrong), None, "{wrong:?}");
        }
    }
}
