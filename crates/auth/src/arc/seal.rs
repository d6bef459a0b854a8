//! ARC-Seal (RFC 8617 §4.1.3).

use posthaste_address::Domain;

use super::chain::Reason;
use super::message_signature::required;
use crate::dkim::{Algorithm, Selector, SignatureError, Tags, algorithm, base64, domain, number};

/// A seal that can be verified.
#[derive(Debug)]
pub(super) struct Seal {
    pub(super) algorithm: Algorithm,
    pub(super) domain: Domain,
    pub(super) selector: Selector,
    pub(super) signature: Vec<u8>,
    pub(super) time: Option<u64>,
}

impl Seal {
    pub(super) fn parse(tags: &Tags<'_>) -> Result<Self, Reason> {
        check_no_names(tags)?;
        let required = |name| required(tags, name);
        Ok(Self {
            algorithm: algorithm(required("a")?)?,
            domain: domain(required("d")?)?,
            selector: required("s")?.parse().map_err(|_| SignatureError::Invalid("s"))?,
            signature: base64(required("b")?, "b")?,
            time: number(tags.get("t"), "t", 12)?,
        })
    }
}

/// RFC 8617 §4.1.3: what a seal covers is not its choice.
fn check_no_names(tags: &Tags<'_>) -> Result<(), Reason> {
    match tags.get("h") {
        Some(_) => Err(Reason::SealNamesFields),
        None => Ok(()),
    }
}

/// RFC 8617 §5.2, step 3: the first seal says `cv=none`, every other `cv=pass`.
pub(super) fn check_chain_validation(tags: &Tags<'_>, instance: u8) -> Result<(), Reason> {
    let expected = if instance == 1 { "none" } else { "pass" };
    if tags.get("cv") == Some(expected) {
        Ok(())
    } else {
        Err(Reason::ChainValidation)
    }
}

/// RFC 8617 §5.2, step 2: what the last sealer found broken stays broken.
pub(super) fn is_marked_failed(tags: &Tags<'_>) -> bool {
    tags.get("cv") == Some("fail")
}
