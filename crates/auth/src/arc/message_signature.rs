//! ARC-Message-Signature (RFC 8617 §4.1.2): a DKIM signature without `v=`, whose `i=` is the instance.

use posthaste_address::Domain;

use super::chain::Reason;
use crate::dkim::{
    Algorithm, Canonicalization, Selector, SignatureError, Tags, algorithm, base64, canonicalizations, domain,
    header_names, number, selector, times,
};

/// What stands for a missing `c=`. Unlike a DKIM-Signature without one, which is simple, sealers that leave it out mean the
/// canonicalization that seals have: so do the test suite of the authors of RFC 8617, and dkimpy.
const DEFAULT_CANONICALIZATION: Option<&str> = Some("relaxed/relaxed");

/// A message signature that can be verified.
#[derive(Debug)]
pub(super) struct MessageSignature<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) header: Canonicalization,
    pub(super) body: Canonicalization,
    pub(super) domain: Domain,
    pub(super) selector: Selector,
    names: &'a str,
    pub(super) body_hash: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) length: Option<u64>,
    pub(super) time: Option<u64>,
    pub(super) expiry: Option<u64>,
}

impl<'a> MessageSignature<'a> {
    pub(super) fn parse(tags: &Tags<'a>) -> Result<Self, Reason> {
        let required = |name| required(tags, name);
        let (header, body) = canonicalizations(tags.get("c").or(DEFAULT_CANONICALIZATION))?;
        // Unlike DKIM's, the list may leave From out, and be empty.
        let names = tags.get("h").ok_or(SignatureError::Missing("h"))?;
        check_names(names)?;
        let (time, expiry) = times(tags)?;
        Ok(Self {
            algorithm: algorithm(required("a")?)?,
            header,
            body,
            domain: domain(required("d")?)?,
            selector: selector(required("s")?)?,
            names,
            body_hash: base64(required("bh")?, "bh")?,
            signature: base64(required("b")?, "b")?,
            length: number(tags.get("l"), "l", 76)?,
            time,
            expiry,
        })
    }

    /// The names in `h=`, in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        header_names(self.names).filter(|name| !name.is_empty())
    }
}

/// The value of a tag that must be there and hold something.
pub(super) fn required<'a>(tags: &Tags<'a>, name: &'static str) -> Result<&'a str, SignatureError> {
    let value = tags.get(name).filter(|value| !value.is_empty());
    value.ok_or(SignatureError::Missing(name))
}

/// RFC 8617 §4.1.2: seals are not signed, as each hop adds one.
fn check_names(names: &str) -> Result<(), Reason> {
    if header_names(names).any(|name| name.eq_ignore_ascii_case(b"arc-seal")) {
        return Err(Reason::SignsSeal);
    }
    Ok(())
}
