//! Key records: what stands at `selector._domainkey.domain` (RFC 6376 §3.6.1).

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::Algorithm;
use super::tags::{Tags, is_space, squeeze};

/// Why a key record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// It is not a tag list.
    #[error("key record is not a tag list")]
    Syntax,
    /// `v=` is not `DKIM1`, or not the first tag.
    #[error("key record is not of version DKIM1")]
    Version,
    /// `k=` names a key type that is not known.
    #[error("key type is not known")]
    KeyType,
    /// `h=` leaves SHA-256 out.
    #[error("key record does not allow SHA-256")]
    HashNotAllowed,
    /// `s=` leaves email out.
    #[error("key record is not for email")]
    NotForEmail,
    /// `p=` is missing.
    #[error("key record has no key")]
    NoKey,
    /// `p=` is empty: the key is revoked.
    #[error("key is revoked")]
    Revoked,
    /// `p=` is not a key of its type.
    #[error("public key cannot be read")]
    Malformed,
    /// An RSA key shorter than 1024 bits (RFC 8301 §3.2).
    #[error("RSA key is shorter than 1024 bits")]
    TooShort,
}

/// A public key, with what its record says about its use.
#[derive(Debug)]
pub struct PublicKey {
    key: ParsedPublicKey,
    algorithm: Algorithm,
    testing: bool,
    strict: bool,
}

impl PublicKey {
    /// Parses a key record.
    ///
    /// # Errors
    ///
    /// [`KeyRecordError`], one for each rule of RFC 6376 §3.6.1, RFC 8301 and RFC 8463 that it breaks.
    pub fn parse(record: &str) -> Result<Self, KeyRecordError> {
        let tags = Tags::parse(record).map_err(|_| KeyRecordError::Syntax)?;
        if tags
            .get("v")
            .is_some_and(|version| version != "DKIM1" || tags.first() != Some("v"))
        {
            return Err(KeyRecordError::Version);
        }
        let listed = |name: &str, words: &[&str]| {
            tags.get(name)
                .is_none_or(|list| list.split(':').any(|word| words.contains(&word.trim_matches(is_space))))
        };
        if !listed("h", &["sha256"]) {
            return Err(KeyRecordError::HashNotAllowed);
        }
        if !listed("s", &["email", "*"]) {
            return Err(KeyRecordError::NotForEmail);
        }
        let algorithm = match tags.get("k").unwrap_or("rsa") {
            "rsa" => Algorithm::RsaSha256,
            "ed25519" => Algorithm::Ed25519Sha256,
            _ => return Err(KeyRecordError::KeyType),
        };
        let public = squeeze(tags.get("p").ok_or(KeyRecordError::NoKey)?);
        if public.is_empty() {
            return Err(KeyRecordError::Revoked);
        }
        let public = STANDARD.decode(public).map_err(|_| KeyRecordError::Malformed)?;
        let has_flag = |flag: &str| {
            tags.get("t")
                .is_some_and(|list| list.split(':').any(|word| word.trim_matches(is_space) == flag))
        };
        Ok(Self {
            key: parse_key(algorithm, &public)?,
            algorithm,
            testing: has_flag("y"),
            strict: has_flag("s"),
        })
    }

    /// What signatures of this key are made with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The domain is only trying DKIM out (`t=y`).
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// The domain of `i=` must be that of `d=`, not one below it (`t=s`).
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Says whether `signature` is this key's over the canonical header.
    #[must_use]
    pub fn verifies(&self, header: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::RsaSha256 => self.key.verify_sig(header, signature).is_ok(),
            Algorithm::Ed25519Sha256 => {
                let hash = digest::digest(&digest::SHA256, header);
                self.key.verify_sig(hash.as_ref(), signature).is_ok()
            }
        }
    }
}

fn parse_key(algorithm: Algorithm, public: &[u8]) -> Result<ParsedPublicKey, KeyRecordError> {
    match algorithm {
        Algorithm::RsaSha256 => {
            // SubjectPublicKeyInfo, or a bare RSAPublicKey, which some publish.
            let rsa = aws_lc_rs::rsa::PublicKey::from_der(public).map_err(|_| KeyRecordError::Malformed)?;
            if modulus_octets(rsa.as_ref()).is_none_or(|octets| octets < 128) {
                return Err(KeyRecordError::TooShort);
            }
            ParsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, public)
        }
        Algorithm::Ed25519Sha256 if public.len() != 32 => return Err(KeyRecordError::Malformed),
        Algorithm::Ed25519Sha256 => ParsedPublicKey::new(&ED25519, public),
    }
    .map_err(|_| KeyRecordError::Malformed)
}

/// The length of the modulus in an RSAPublicKey (RFC 8017 §A.1.1): the first INTEGER of the SEQUENCE.
fn modulus_octets(der: &[u8]) -> Option<usize> {
    let (sequence, _) = der_value(der, 0x30)?;
    let (modulus, _) = der_value(sequence, 0x02)?;
    Some(modulus.iter().skip_while(|&&octet| octet == 0).count())
}

/// Splits the value of one DER element of type `tag` from what follows it.
pub(crate) fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first().filter(|_| first == tag)?;
    if length < 0x80 {
        return rest.split_at_checked(usize::from(length));
    }
    let (octets, rest) = rest
        .split_at_checked(usize::from(length & 0x7f))
        .filter(|(octets, _)| octets.len() <= 4)?;
    let length = octets
        .iter()
        .fold(0_usize, |length, &octet| length << 8 | usize::from(octet));
    rest.split_at_checked(length)
}
