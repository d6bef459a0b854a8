//! Keys to publish.

use std::time::Duration;

use posthaste_address::Domain;
use posthaste_auth::dkim::{Algorithm, PublicKey, Selector, SigningKey};
use posthaste_dns::Record;

use crate::{ZoneRecord, ZoneRecordError};

/// Publishes one DKIM key (RFC 6376 §3.6.1), or says that it is no more.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dkim::SigningKey;
/// use posthaste_publish::DkimKey;
///
/// let key = SigningKey::generate_ed25519()?;
/// let published = DkimKey::new("s1".parse()?, &key).testing(true);
/// assert!(published.text().starts_with("v=DKIM1; k=ed25519; t=y; p="));
/// assert_eq!(DkimKey::revoked("s0".parse()?).text(), "v=DKIM1; p=");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DkimKey {
    selector: Selector,
    /// What the key is of; `None` for one that is revoked.
    algorithm: Option<Algorithm>,
    /// Without flags.
    text: String,
    testing: bool,
    strict: bool,
}

impl DkimKey {
    /// Publishes the public half of a key pair.
    pub fn new(selector: Selector, key: &SigningKey) -> Self {
        Self::of(selector, Some(key.algorithm()), key.dns_record())
    }

    /// Publishes a public key, whose private half is elsewhere.
    pub fn public(selector: Selector, key: &PublicKey) -> Self {
        Self::of(selector, Some(key.algorithm()), key.dns_record())
    }

    /// Says that the key of this selector was revoked: what it signed is to fail.
    pub fn revoked(selector: Selector) -> Self {
        Self::of(selector, None, "v=DKIM1; p=".to_owned())
    }

    fn of(selector: Selector, algorithm: Option<Algorithm>, text: String) -> Self {
        Self {
            selector,
            algorithm,
            text,
            testing: false,
            strict: false,
        }
    }

    /// Says that DKIM is only being tried out (`t=y`): verifiers treat such mail as unsigned.
    #[must_use]
    pub fn testing(mut self, testing: bool) -> Self {
        self.testing = testing;
        self
    }

    /// Says that the key does not sign for subdomains (`t=s`).
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Gives the selector.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Tells what the key signs with; `None` for one that is revoked.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Tells whether DKIM is only being tried out.
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// Gives the text of the record.
    pub fn text(&self) -> String {
        let flags = match (self.testing, self.strict) {
            (true, true) => "; t=y:s",
            (true, false) => "; t=y",
            (false, true) => "; t=s",
            (false, false) => "",
        };
        match self.text.split_once("; p=") {
            Some((head, key)) => format!("{head}{flags}; p={key}"),
            None => self.text.clone(),
        }
    }

    /// Gives the record for a domain: at `SELECTOR._domainkey.DOMAIN`.
    ///
    /// # Errors
    ///
    /// [`ZoneRecordError`], if the name becomes too long.
    pub fn record(&self, domain: &Domain, ttl: Duration) -> Result<ZoneRecord, ZoneRecordError> {
        let name = format!("{}._domainkey.{domain}", self.selector);
        ZoneRecord::new(&name, ttl, Record::txt(self.text()))
    }
}

/// Leaves a domain's DKIM keys to an operator, who can change them without asking: the domain publishes aliases, and the
/// operator what they lead to. Amazon calls it Easy DKIM.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_publish::HostedDkim;
///
/// let hosted = HostedDkim::new("example.net".parse()?).token("qx7d2".parse()?).token("zp0fa".parse()?);
/// let aliases = hosted.aliases(&"example.org".parse()?, Duration::from_secs(3600))?;
/// assert_eq!(
///     aliases[0].to_string(),
///     "qx7d2._domainkey.example.org. 3600 IN CNAME qx7d2.dkim.example.net."
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedDkim {
    target: Domain,
    tokens: Vec<Selector>,
    keys: Vec<DkimKey>,
}

impl HostedDkim {
    /// Starts with no key, of an operator whose keys are below `dkim.` and `target`.
    pub fn new(target: Domain) -> Self {
        Self {
            target,
            tokens: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Adds a token that the operator gave. Messages will have it for a selector.
    #[must_use]
    pub fn token(mut self, token: Selector) -> Self {
        if !self.tokens.contains(&token) {
            self.tokens.push(token);
        }
        self
    }

    /// Adds a key, whose selector is the token: the operator's side, to be published there too.
    #[must_use]
    pub fn key(self, key: DkimKey) -> Self {
        let mut this = self.token(key.selector.clone());
        this.keys.push(key);
        this
    }

    /// Gives what the domain publishes.
    ///
    /// # Errors
    ///
    /// [`ZoneRecordError`], if a name becomes too long.
    pub fn aliases(&self, domain: &Domain, ttl: Duration) -> Result<Vec<ZoneRecord>, ZoneRecordError> {
        let alias = |token: &Selector| {
            let name = format!("{token}._domainkey.{domain}");
            ZoneRecord::new(&name, ttl, Record::Cname(self.name_of(token)))
        };
        self.tokens.iter().map(alias).collect()
    }

    /// Gives what the operator publishes: a record for each token whose key is known here.
    ///
    /// # Errors
    ///
    /// [`ZoneRecordError`], if a name becomes too long.
    pub fn hosted(&self, ttl: Duration) -> Result<Vec<ZoneRecord>, ZoneRecordError> {
        self.keys
            .iter()
            .map(|key| ZoneRecord::new(&self.name_of(&key.selector), ttl, Record::txt(key.text())))
            .collect()
    }

    fn name_of(&self, token: &Selector) -> String {
        format!("{token}.dkim.{}", self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_before_the_key() {
        let key = SigningKey::generate_ed25519().unwrap();
        for (testing, strict) in [(false, false), (true, false), (false, true), (true, true)] {
            let text = DkimKey::new("s1".parse().unwrap(), &key)
                .testing(testing)
                .strict(strict)
                .text();
            let read = PublicKey::parse(&text).unwrap();
            assert_eq!((read.is_testing(), read.is_strict()), (testing, strict), "{text}");
            assert_eq!(read.dns_record(), key.dns_record());
            let public = DkimKey::public("s1".parse().unwrap(), &read);
            assert_eq!(public, DkimKey::new("s1".parse().unwrap(), &key));
        }
    }

    #[test]
    fn the_operator_publishes_what_aliases_lead_to() {
        let key = SigningKey::generate_ed25519().unwrap();
        let hosted = HostedDkim::new("example.net".parse().unwrap())
            .key(DkimKey::new("t1".parse().unwrap(), &key))
            .key(DkimKey::revoked("t2".parse().unwrap()))
            .token("t3".parse().unwrap());
        let ttl = Duration::from_secs(60);
        let aliases = hosted.aliases(&"example.org".parse().unwrap(), ttl).unwrap();
        let published = hosted.hosted(ttl).unwrap();
        assert_eq!((aliases.len(), published.len()), (3, 2));
        assert_eq!(aliases[0].value(), published[0].name());
        assert_eq!(published[0].value(), key.dns_record());
        assert_eq!(
            published[1].to_string(),
            "t2.dkim.example.net. 60 IN TXT \"v=DKIM1; p=\""
        );
    }

    #[test]
    fn names_that_become_too_long_are_refused() {
        let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(50)].join(".");
        let domain: Domain = long.parse().unwrap();
        let key = DkimKey::revoked("selector".parse().unwrap());
        assert!(key.record(&domain, Duration::ZERO).is_err());
        let hosted = HostedDkim::new(domain.clone()).key(key);
        assert!(hosted.hosted(Duration::ZERO).is_err());
        assert!(hosted.aliases(&domain, Duration::ZERO).is_err());
    }
}
