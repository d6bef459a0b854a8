//! Reverse-paths that say whose bounce it is (VERP), with a code that only the sender can make.
//!
//! Anybody can write a bounce. One that comes to an address with a code in it answers a message that was really sent.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use posthaste_address::{AddressError, Domain, EmailAddress};

/// Octets of the code: 80 bits, 16 characters.
const CODE: usize = 10;
/// The alphabet of base32 (RFC 4648 §6) in lower case: local parts may be written in any case on their way.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Makes reverse-paths, and reads them when bounces come.
///
/// An address is `PREFIX+WORDS-CODE@DOMAIN`; the words are the recipient, as `bob=example.net`, or an id of the caller's.
///
/// # Examples
///
/// ```
/// use posthaste_events::verp::{Verp, VerpSubject};
///
/// let verp = Verp::new(b"a secret of 32 octets or more ...", "bounce", "mail.example.org".parse()?)?;
/// let reverse_path = verp.for_recipient(&"bob@example.net".parse()?)?;
/// assert!(reverse_path.to_string().starts_with("bounce+bob=example.net-"));
///
/// assert_eq!(verp.read(&reverse_path), Some(VerpSubject::Recipient("bob@example.net".parse()?)));
/// assert_eq!(verp.read(&"bounce+eve=example.net-aaaaaaaaaaaaaaaa@mail.example.org".parse()?), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verp {
    key: hmac::Key,
    prefix: String,
    domain: Domain,
}

/// Whose bounce it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerpSubject {
    /// The recipient.
    Recipient(EmailAddress),
    /// The caller's id.
    Id(String),
}

/// Why a reverse-path cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerpError {
    /// The secret is shorter than 16 octets.
    #[error("the secret has fewer than 16 octets")]
    ShortSecret,
    /// The prefix is empty, longer than 20 octets, or has other characters than letters and digits.
    #[error("the prefix is not 1 to 20 letters and digits")]
    Prefix,
    /// The id is empty or has other characters than letters, digits and `_`.
    #[error("the id has other characters than letters, digits and `_`, or none")]
    Id,
    /// The local part would be longer than 64 octets (RFC 5321 §4.5.3.1.1). Use an id of your own.
    #[error("the local part would have {0} octets; 64 are the most")]
    TooLong(usize),
    /// The recipient cannot be written in a local part: it has signs that need quotes, or is not ASCII. Use an id of your own.
    #[error("the recipient cannot be part of an address")]
    Recipient(#[source] AddressError),
}

impl Verp {
    /// Takes the secret, the begin of the local parts, and the domain to which bounces go.
    ///
    /// # Errors
    ///
    /// [`VerpError::ShortSecret`] and [`VerpError::Prefix`].
    pub fn new(secret: &[u8], prefix: &str, domain: Domain) -> Result<Self, VerpError> {
        if secret.len() < 16 {
            return Err(VerpError::ShortSecret);
        }
        if prefix.is_empty() || prefix.len() > 20 || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(VerpError::Prefix);
        }
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            prefix: prefix.to_ascii_lowercase(),
            domain,
        })
    }

    /// Makes the reverse-path of a message to one recipient.
    ///
    /// # Errors
    ///
    /// [`VerpError::TooLong`] for some 20 octets of address and more, depending on the prefix; [`VerpError::Recipient`] for addresses
    /// with quotes, or that are not ASCII.
    pub fn for_recipient(&self, recipient: &EmailAddress) -> Result<EmailAddress, VerpError> {
        let written = recipient.to_string();
        let Some((local, domain)) = written.rsplit_once('@') else {
            return self.make(&written);
        };
        self.make(&format!("{local}={domain}"))
    }

    /// Makes the reverse-path of a message that the caller knows by an id: letters, digits and `_`.
    ///
    /// Ids are taken without regard to case: they are read back in lower case.
    ///
    /// # Errors
    ///
    /// [`VerpError::Id`] and [`VerpError::TooLong`].
    pub fn for_id(&self, id: &str) -> Result<EmailAddress, VerpError> {
        let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if id.is_empty() || !id.bytes().all(is_id) {
            return Err(VerpError::Id);
        }
        self.make(&id.to_ascii_lowercase())
    }

    fn make(&self, words: &str) -> Result<EmailAddress, VerpError> {
        let local = format!("{}+{words}-{}", self.prefix, self.code(words));
        if local.len() > 64 {
            return Err(VerpError::TooLong(local.len()));
        }
        format!("{local}@{}", self.domain).parse().map_err(VerpError::Recipient)
    }

    /// Reads whose bounce came to an address; `None` if the address was not made with this secret.
    #[must_use]
    pub fn read(&self, address: &EmailAddress) -> Option<VerpSubject> {
        let written = address.to_string();
        let (local, domain) = written.rsplit_once('@')?;
        if !domain.eq_ignore_ascii_case(self.domain.as_str()) {
            return None;
        }
        let (prefix, rest) = local.split_once('+')?;
        let (words, code) = rest.rsplit_once('-')?;
        let is_ours = prefix.eq_ignore_ascii_case(&self.prefix)
            && verify_slices_are_equal(code.to_ascii_lowercase().as_bytes(), self.code(words).as_bytes()).is_ok();
        if !is_ours {
            return None;
        }
        match words.rsplit_once('=') {
            Some((local, domain)) => Some(VerpSubject::Recipient(format!("{local}@{domain}").parse().ok()?)),
            None => Some(VerpSubject::Id(words.to_ascii_lowercase())),
        }
    }

    /// The code of some words, whatever their case: servers on the way may change it.
    fn code(&self, words: &str) -> String {
        let tag = hmac::sign(&self.key, words.to_ascii_lowercase().as_bytes());
        let octets = tag.as_ref().get(..CODE).unwrap_or_default();
        let mut code = String::with_capacity(CODE * 8 / 5);
        let (mut bits, mut held) = (0u32, 0u32);
        for octet in octets {
            bits = bits << 8 | u32::from(*octet);
            held += 8;
            while held >= 5 {
                held -= 5;
                let index = (bits >> held & 31) as usize;
                code.push(ALPHABET.get(index).map_or('a', |letter| char::from(*letter)));
            }
            bits &= (1 << held) - 1;
        }
        code
    }
}

impl fmt::Debug for Verp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verp")
            .field("prefix", &self.prefix)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verp() -> Verp {
        Verp::new(b"0123456789abcdef", "b", "example.org".parse().unwrap()).unwrap()
    }

    #[test]
    fn refuses_what_cannot_be_written() {
        let domain = || "example.org".parse().unwrap();
        assert_eq!(Verp::new(b"short", "b", domain()).unwrap_err(), VerpError::ShortSecret);
        assert_eq!(Verp::new(&[1; 16], "b+", domain()).unwrap_err(), VerpError::Prefix);
        assert_eq!(verp().for_id("a-b").unwrap_err(), VerpError::Id);
        let long = format!("{}@example.net", "a".repeat(40)).parse().unwrap();
        assert!(matches!(verp().for_recipient(&long), Err(VerpError::TooLong(_))));
        let quoted = "\"a b\"@example.net".parse().unwrap();
        assert!(matches!(verp().for_recipient(&quoted), Err(VerpError::Recipient(_))));
    }

    #[test]
    fn reads_what_changed_its_case() {
        let made = verp().for_recipient(&"Bob@example.net".parse().unwrap()).unwrap();
        let shouted = made.to_string().to_uppercase().parse().unwrap();
        let Some(VerpSubject::Recipient(read)) = verp().read(&shouted) else {
            panic!("not read")
        };
        assert!(read.to_string().eq_ignore_ascii_case("bob@example.net"));
    }

    #[test]
    fn shows_no_secret() {
        assert!(!format!("{:?}", verp()).contains("0123"));
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_and_nothing_else(id in "[a-z0-9_]{1,30}", at in 0usize..64, with in "[a-z2-7]") {
            let made = verp().for_id(&id).unwrap();
            prop_assert_eq!(verp().read(&made), Some(VerpSubject::Id(id)));
            let mut forged = made.to_string();
            let end = forged.find('@').unwrap();
            let at = 2 + at % (end - 2);
            if forged.get(at..=at) != Some(with.as_str()) {
                forged.replace_range(at..=at, &with);
                if let Ok(forged) = forged.parse() {
                    prop_assert_eq!(verp().read(&forged), None);
                }
            }
        }
    }
}
