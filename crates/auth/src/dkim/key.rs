//! Private keys.

mod pem;

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Domain;
use zeroize::Zeroizing;

use super::der;
use super::dns_record::DnsRecord;
use super::public_key::record_text;
use super::selector::Selector;

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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not PEM: there is no block in it, or one that does not end or is not base64.
    #[error("not a PEM file, or a broken one")]
    Pem,
    /// The blocks in the PEM file are none that a key is read from. The text is the label of the nearest.
    #[error("PEM block is `{0}`; a `PRIVATE KEY` (PKCS#8) or an `RSA PRIVATE KEY` (PKCS#1) is needed")]
    Label(Box<str>),
    /// The key is encrypted. Decrypt it first, by `openssl pkey` say.
    #[error("private key is encrypted")]
    Encrypted,
    /// The PEM file has more than one private key.
    #[error("PEM file has more than one private key")]
    Several,
    /// The key is public.
    #[error("key is a public one")]
    Public,
    /// The key is of a kind that DKIM does not sign with: EC, DSA, Ed448.
    #[error("key is neither RSA nor Ed25519")]
    KeyType,
    /// The bytes are not a private key, or a broken one.
    #[error("private key cannot be read")]
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
    /// Certificates and other blocks beside the key, text around them, and any line ends do no harm.
    ///
    /// # Errors
    ///
    /// [`KeyError`], if there is no such block or more than one, or what is in it is encrypted, of another kind, or an RSA key
    /// that is too short.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_der(&pem::private_key(pem)?)
    }

    /// Reads DER: PKCS#8 (RSA or Ed25519, RFC 5208 and its second version, RFC 5958) or PKCS#1 (RFC 8017 §A.1.2).
    ///
    /// # Errors
    ///
    /// [`KeyError`], if it is no such key, or an RSA key that is too short.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let pair = match Form::of(der)? {
            Form::Pkcs8Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Unknown)?;
                return Ok(Self(Pair::Ed25519(Box::new(pair))));
            }
            form @ (Form::Pkcs8Rsa { bits } | Form::Pkcs1 { bits }) => {
                if !(2048..=8192).contains(&bits) {
                    return Err(KeyError::Size { bits });
                }
                match form {
                    Form::Pkcs1 { .. } => RsaKeyPair::from_der(der),
                    _ => RsaKeyPair::from_pkcs8(der),
                }
            }
        };
        Ok(Self(Pair::Rsa(Box::new(pair.map_err(|_| KeyError::Unknown)?))))
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
        Self::generate_rsa(KeySize::Rsa2048)
    }

    /// Makes a new RSA key of 3072 bits: a signature takes three times as long to make as with 2048.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`].
    pub fn generate_rsa_3072() -> Result<Self, KeyError> {
        Self::generate_rsa(KeySize::Rsa3072)
    }

    /// Makes a new RSA key of 4096 bits: a signature takes seven times as long to make as with 2048, and not every DNS server
    /// takes so long a record.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`].
    pub fn generate_rsa_4096() -> Result<Self, KeyError> {
        Self::generate_rsa(KeySize::Rsa4096)
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
    /// An RSA key's is longer than the 255 octets of one DNS string: [`Self::dns_record_at`] has it in pieces.
    #[must_use]
    pub fn dns_record(&self) -> String {
        match &self.0 {
            Pair::Rsa(pair) => {
                let der: Result<PublicKeyX509Der<'_>, _> = pair.public_key().as_der();
                // The DER of a public key that is in memory cannot fail but for want of memory; PKCS#1 is as legal.
                der.map_or_else(
                    |_| record_text(Algorithm::RsaSha256, pair.public_key().as_ref()),
                    |der| record_text(Algorithm::RsaSha256, der.as_ref()),
                )
            }
            Pair::Ed25519(pair) => record_text(Algorithm::Ed25519Sha256, pair.public_key().as_ref()),
        }
    }

    /// The TXT record to publish, with its name: its `Display` is a line of a zone file.
    #[must_use]
    pub fn dns_record_at(&self, selector: &Selector, domain: &Domain) -> DnsRecord {
        DnsRecord::new(selector, domain, self.dns_record())
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

    /// Signs the hash of the canonical header and writes the signature over `out`: RSA signs the hash, Ed25519 takes it for the
    /// message (RFC 8463 §3).
    pub(crate) fn sign(&self, hash: &digest::Digest, out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        match &self.0 {
            Pair::Rsa(pair) => {
                out.resize(pair.public_modulus_len(), 0);
                pair.sign_digest(&RSA_PKCS1_SHA256, hash, out).ok()
            }
            Pair::Ed25519(pair) => {
                out.extend_from_slice(pair.try_sign(hash.as_ref()).ok()?.as_ref());
                Some(())
            }
        }
    }

    fn generate_rsa(size: KeySize) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Generation)?;
        Ok(Self(Pair::Rsa(Box::new(pair))))
    }
}

/// What DER holds, by its first elements.
#[derive(Clone, Copy)]
enum Form {
    Pkcs8Rsa { bits: usize },
    Pkcs8Ed25519,
    Pkcs1 { bits: usize },
}

impl Form {
    fn of(der: &[u8]) -> Result<Self, KeyError> {
        let (content, _) = der::value(der, der::SEQUENCE).ok_or(KeyError::Unknown)?;
        if let Some((_, rest)) = der::algorithm(content) {
            return Err(if der::value(rest, der::BIT_STRING).is_some() {
                KeyError::Public
            } else if der::value(rest, der::OCTET_STRING).is_some() {
                // RFC 5958 §3: EncryptedPrivateKeyInfo.
                KeyError::Encrypted
            } else {
                KeyError::Unknown
            });
        }
        let (version, rest) = der::value(content, der::INTEGER).ok_or(KeyError::Unknown)?;
        if der::value(rest, der::INTEGER).is_some() {
            // What begins with a modulus and not with a version is an RSAPublicKey (RFC 8017 §A.1.1).
            return if version.len() > 1 {
                Err(KeyError::Public)
            } else {
                let bits = rsa_bits(der).ok_or(KeyError::Unknown)?;
                Ok(Self::Pkcs1 { bits })
            };
        }
        match der::algorithm(rest) {
            Some((der::RSA, rest)) => {
                let bits = der::value(rest, der::OCTET_STRING).and_then(|(key, _)| rsa_bits(key));
                Ok(Self::Pkcs8Rsa {
                    bits: bits.ok_or(KeyError::Unknown)?,
                })
            }
            Some((der::ED25519, _)) => Ok(Self::Pkcs8Ed25519),
            Some(_) => Err(KeyError::KeyType),
            // RFC 5915 §3: ECPrivateKey.
            None if der::value(rest, der::OCTET_STRING).is_some() => Err(KeyError::KeyType),
            None => Err(KeyError::Unknown),
        }
    }
}

/// The length of the modulus in an RSAPrivateKey (RFC 8017 §A.1.2): the second INTEGER of the SEQUENCE.
fn rsa_bits(der: &[u8]) -> Option<usize> {
    let (content, _) = der::value(der, der::SEQUENCE)?;
    let (_version, rest) = der::value(content, der::INTEGER)?;
    let (modulus, _) = der::unsigned(rest)?;
    Some(der::bits(modulus))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, redacted)", self.algorithm())
    }
}

#[cfg(test)]
mod tests;
