//! Key records: what stands at `selector._domainkey.domain` (RFC 6376 §3.6.1).

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::der;
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
    /// What `p=` holds.
    octets: Vec<u8>,
    bits: usize,
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
        let key = Self::new(algorithm, public)?;
        Ok(Self {
            testing: has_flag("y"),
            strict: has_flag("s"),
            ..key
        })
    }

    /// Reads the DER of a public key, as key services give it: SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of RSA or Ed25519, or a
    /// bare RSAPublicKey (RFC 8017 §A.1.1).
    ///
    /// # Errors
    ///
    /// [`KeyRecordError::KeyType`], [`KeyRecordError::Malformed`] or [`KeyRecordError::TooShort`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyRecordError> {
        let (content, _) = der::value(der, der::SEQUENCE).ok_or(KeyRecordError::Malformed)?;
        match der::algorithm(content) {
            None | Some((der::RSA, _)) => Self::new(Algorithm::RsaSha256, der.to_vec()),
            Some((der::ED25519, rest)) => {
                let (bits, _) = der::value(rest, der::BIT_STRING).ok_or(KeyRecordError::Malformed)?;
                // The first octet says how many bits of the last are unused: none.
                let key = bits.strip_prefix(&[0]).ok_or(KeyRecordError::Malformed)?;
                Self::new(Algorithm::Ed25519Sha256, key.to_vec())
            }
            Some(_) => Err(KeyRecordError::KeyType),
        }
    }

    fn new(algorithm: Algorithm, octets: Vec<u8>) -> Result<Self, KeyRecordError> {
        let (key, bits) = parse_key(algorithm, &octets)?;
        Ok(Self {
            key,
            algorithm,
            octets,
            bits,
            testing: false,
            strict: false,
        })
    }

    /// The text of a TXT record for this key (RFC 6376 §3.6.1, RFC 8463 §4); without flags.
    #[must_use]
    pub fn dns_record(&self) -> String {
        record_text(self.algorithm, &self.octets)
    }

    /// The length of an RSA key's modulus in bits; 256 for an Ed25519 key.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
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

/// The text of the record that publishes a key.
pub(super) fn record_text(algorithm: Algorithm, public: &[u8]) -> String {
    let kind = match algorithm {
        Algorithm::RsaSha256 => "rsa",
        Algorithm::Ed25519Sha256 => "ed25519",
    };
    format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(public))
}

/// The key, and its length in bits.
fn parse_key(algorithm: Algorithm, public: &[u8]) -> Result<(ParsedPublicKey, usize), KeyRecordError> {
    let (parsed, bits) = match algorithm {
        Algorithm::RsaSha256 => {
            // SubjectPublicKeyInfo, or a bare RSAPublicKey, which some publish.
            let rsa = aws_lc_rs::rsa::PublicKey::from_der(public).map_err(|_| KeyRecordError::Malformed)?;
            let bits = modulus(rsa.as_ref()).map_or(0, der::bits);
            if bits < 1024 {
                return Err(KeyRecordError::TooShort);
            }
            (
                ParsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, public),
                bits,
            )
        }
        Algorithm::Ed25519Sha256 if public.len() != 32 => return Err(KeyRecordError::Malformed),
        Algorithm::Ed25519Sha256 => (ParsedPublicKey::new(&ED25519, public), 256),
    };
    Ok((parsed.map_err(|_| KeyRecordError::Malformed)?, bits))
}

/// The modulus in an RSAPublicKey (RFC 8017 §A.1.1): the first INTEGER of the SEQUENCE.
fn modulus(rsa: &[u8]) -> Option<&[u8]> {
    let (sequence, _) = der::value(rsa, der::SEQUENCE)?;
    Some(der::unsigned(sequence)?.0)
}
