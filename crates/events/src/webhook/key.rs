//! Keys that signatures are checked with: several, while one is changed for another.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ParsedPublicKey, VerificationAlgorithm};

use super::hash::{from_base64, from_hex, mac, same};
use super::{KeyError, Request, VerifyError};

/// Secrets that both sides know.
#[derive(Clone)]
pub(super) struct Secrets {
    algorithm: hmac::Algorithm,
    keys: Vec<hmac::Key>,
}

impl Secrets {
    pub(super) fn new(algorithm: hmac::Algorithm) -> Self {
        Self {
            algorithm,
            keys: Vec::new(),
        }
    }

    /// Makes them of one secret, for HMAC-SHA256.
    pub(super) fn sha256(secret: &[u8]) -> Result<Self, KeyError> {
        let mut secrets = Self::new(hmac::HMAC_SHA256);
        secrets.add(secret)?;
        Ok(secrets)
    }

    /// Makes them of one secret, for HMAC-SHA1.
    pub(super) fn sha1(secret: &[u8]) -> Result<Self, KeyError> {
        let mut secrets = Self::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY);
        secrets.add(secret)?;
        Ok(secrets)
    }

    pub(super) fn add(&mut self, secret: &[u8]) -> Result<(), KeyError> {
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        self.keys.push(hmac::Key::new(self.algorithm, secret));
        Ok(())
    }

    /// Checks a MAC over pieces with each key.
    pub(super) fn check(&self, pieces: &[&[u8]], signature: &[u8]) -> Result<(), VerifyError> {
        // All keys are tried, so that the time does not tell which one it was.
        let right = self
            .keys
            .iter()
            .fold(false, |right, key| right | same(mac(key, pieces).as_ref(), signature));
        if right {
            Ok(())
        } else {
            Err(VerifyError::WrongSignature)
        }
    }
}

/// Checks the MAC over the whole body that stands in a header field, in hexadecimal digits.
pub(super) fn check_body_mac(secrets: &Secrets, request: &Request, name: &'static str) -> Result<(), VerifyError> {
    let signature: [u8; 32] = from_hex(request.required(name)?).ok_or(VerifyError::Encoding {
        place: name,
        expected: "64 hexadecimal digits",
    })?;
    secrets.check(&[request.body()], &signature)
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.keys.len())
    }
}

/// Public keys of the one who signs.
pub(super) struct PublicKeys(Vec<ParsedPublicKey>);

impl PublicKeys {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes a key in base64 of SPKI DER, as providers show it: with or without line breaks and PEM's lines.
    pub(super) fn add(
        &mut self,
        algorithm: &'static dyn VerificationAlgorithm,
        text: &str,
        expected: &'static str,
    ) -> Result<(), KeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
        let bare: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
        if bare.is_empty() {
            return Err(KeyError::Empty);
        }
        let der = from_base64(&bare).ok_or(KeyError::Base64)?;
        let key = ParsedPublicKey::new(algorithm, der).map_err(|_| KeyError::Kind { expected })?;
        self.0.push(key);
        Ok(())
    }

    /// Checks a signature with each key.
    pub(super) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        let right = self.0.iter().any(|key| key.verify_sig(message, signature).is_ok());
        if right {
            Ok(())
        } else {
            Err(VerifyError::WrongSignature)
        }
    }
}

impl fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}
