//! Private keys.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::public_key::der_value;

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `rsa-sha256` (RFC 6376, RFC 8301).
    RsaSha256,
    /// `ed25519-sha256` (RFC 8463).
    Ed25519Sha256,
}

impl Algorithm {
    /// The name in `a=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a key cannot be used. Never holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not PEM with a private key in it.
    #[error("not a PEM file with a private key (PKCS#8, or PKCS#1 for RSA)")]
    Pem,
    /// The bytes are not a private key of a kind that DKIM signs with.
    #[error("not an RSA or Ed25519 private key")]
    Unknown,
    /// An RSA key shorter than the 2048 bits that RFC 8301 §3.2 asks signers for, or longer than verifiers take.
    #[error("RSA key of {bits} bits: signing needs 2048 to 8192")]
    Size {
        /// The length of its modulus in bits.
        bits: usize,
    },
    /// The random number generator failed.
    #[error("a key could not be generated")]
    Generation,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A private key to sign with.
///
/// Its `Debug` shows the algorithm alone.
pub struct SigningKey(Pair);

impl SigningKey {
    /// Reads a PEM file: `PRIVATE KEY` (PKCS#8, RSA or Ed25519) or `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    ///
    /// [`KeyError`], if it is no such file, no such key, or an RSA key that is too short.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let begin = pem.find("-----BEGIN ").ok_or(KeyError::Pem)?;
        let rest = pem.get(begin..).unwrap_or_default();
        let (label, rest) = rest.split_once('\n').ok_or(KeyError::Pem)?;
        if !label.trim_end().ends_with("PRIVATE KEY-----") || label.contains("ENCRYPTED") {
            return Err(KeyError::Pem);
        }
        let (text, _) = rest.split_once("-----END ").ok_or(KeyError::Pem)?;
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
        let der = Zeroizing::new(STANDARD.decode(text.as_bytes()).map_err(|_| KeyError::Pem)?);
        Self::from_der(&der)
    }

    /// Reads DER: PKCS#8 (RSA or Ed25519) or PKCS#1.
    ///
    /// # Errors
    ///
    /// [`KeyError`], if it is no such key, or an RSA key that is too short.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            return Ok(Self(Pair::Rsa(Box::new(pair))));
        }
        if let Some(bits) = rsa_bits(der).filter(|bits| !(2048..=8192).contains(bits)) {
            return Err(KeyError::Size { bits });
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Unknown)?;
        Ok(Self(Pair::Ed25519(Box::new(pair))))
    }

    /// Takes the 32 octets of an Ed25519 key (RFC 8032 §5.1.5).
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`], if there are not 32 of them.
    pub fn from_ed25519_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Unknown)?;
        Ok(Self(Pair::Ed25519(Box::new(pair))))
    }

    /// Makes a new RSA key of 2048 bits, the size that every verifier knows.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`].
    pub fn generate_rsa_2048() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
        Ok(Self(Pair::Rsa(Box::new(pair))))
    }

    /// Makes a new Ed25519 key. Pair it with an RSA key: not every verifier knows it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`].
    pub fn generate_ed25519() -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Generation)?;
        Ok(Self(Pair::Ed25519(Box::new(pair))))
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// The text of the TXT record to publish at `selector._domainkey.domain` (RFC 6376 §3.6.1, RFC 8463 §4).
    ///
    /// An RSA key's is longer than the 255 octets of one DNS string: publish it as several strings of one record.
    #[must_use]
    pub fn dns_record(&self) -> String {
        let (kind, public) = match &self.0 {
            Pair::Rsa(pair) => {
                let der: Result<PublicKeyX509Der<'_>, _> = pair.public_key().as_der();
                // The DER of a public key that is in memory cannot fail but for want of memory; PKCS#1 is as legal.
                let public = der.map_or_else(
                    |_| STANDARD.encode(pair.public_key()),
                    |der| STANDARD.encode(der.as_ref()),
                );
                ("rsa", public)
            }
            Pair::Ed25519(pair) => ("ed25519", STANDARD.encode(pair.public_key())),
        };
        format!("v=DKIM1; k={kind}; p={public}")
    }

    /// The key as a PEM file, `PRIVATE KEY` (PKCS#8), to keep it: whoever reads it can sign in the domain's name.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unknown`], if the key cannot be written.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der: Pkcs8V1Der<'_> = match &self.0 {
            Pair::Rsa(pair) => pair.as_der(),
            Pair::Ed25519(pair) => pair.as_der(),
        }
        .map_err(|_| KeyError::Unknown)?;
        let text = Zeroizing::new(STANDARD.encode(der.as_ref()));
        let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
        for (index, c) in text.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem.push_str("\n-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// Signs the canonical header: RSA over its hash, Ed25519 over its hash as the message (RFC 8463 §3).
    pub(crate) fn sign(&self, header: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), header, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Pair::Ed25519(pair) => {
                let hash = digest::digest(&digest::SHA256, header);
                Some(pair.try_sign(hash.as_ref()).ok()?.as_ref().to_vec())
            }
        }
    }
}

/// The length of an RSA private key's modulus, in PKCS#8 (RFC 5208 §5) or PKCS#1 (RFC 8017 §A.1.2).
fn rsa_bits(der: &[u8]) -> Option<usize> {
    let (content, _) = der_value(der, 0x30)?;
    let (_version, rest) = der_value(content, 0x02)?;
    let modulus = match der_value(rest, 0x30) {
        Some((_algorithm, rest)) => {
            let (key, _) = der_value(rest, 0x04)?;
            return der_value(key, 0x30)
                .filter(|(key, _)| key.starts_with(&[0x02]))
                .and_then(|_| rsa_bits(key));
        }
        None => der_value(rest, 0x02)?.0,
    };
    Some(modulus.iter().skip_while(|&&octet| octet == 0).count() * 8)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, redacted)", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_pem() {
        for key in [
            SigningKey::generate_rsa_2048().unwrap(),
            SigningKey::generate_ed25519().unwrap(),
        ] {
            let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
            assert_eq!(again.dns_record(), key.dns_record());
            assert_eq!(again.algorithm(), key.algorithm());
        }
    }

    #[test]
    fn errors_and_debug_keep_the_key() {
        let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(ed25519-sha256, redacted)");
        assert_eq!(SigningKey::from_pem("no").unwrap_err(), KeyError::Pem);
        assert_eq!(
            SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").unwrap_err(),
            KeyError::Unknown
        );
        assert_eq!(
            SigningKey::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----").unwrap_err(),
            KeyError::Pem
        );
        assert_eq!(SigningKey::from_ed25519_seed(&[7; 31]).unwrap_err(), KeyError::Unknown);
    }
}
