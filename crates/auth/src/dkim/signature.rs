//! One DKIM-Signature field, parsed (RFC 6376 §3.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Domain;

use super::canonicalization::Canonicalization;
use super::key::Algorithm;
use super::selector::Selector;
use super::tags::{TagError, Tags, is_space, squeeze};

/// Why a DKIM-Signature field is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is not a tag list.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// A tag that must be there is not.
    #[error("tag `{0}=` is missing")]
    Missing(&'static str),
    /// A tag holds what it may not hold.
    #[error("tag `{0}=` is not valid")]
    Invalid(&'static str),
    /// An algorithm that is not known.
    #[error("algorithm is not known")]
    Algorithm,
    /// `rsa-sha1`, which RFC 8301 §3.1 withdrew.
    #[error("rsa-sha1 is no longer a signature")]
    Sha1,
    /// `h=` leaves From out (RFC 6376 §5.4).
    #[error("From is not signed")]
    FromNotSigned,
    /// `i=` is not `d=` or below it (RFC 6376 §3.5).
    #[error("the domain of `i=` is not that of `d=` or below it")]
    Identity,
    /// `x=` is not after `t=` (RFC 6376 §3.5).
    #[error("the signature expires before it was made")]
    ExpiryBeforeTime,
}

/// A DKIM-Signature field that can be verified.
#[derive(Clone, Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) header: Canonicalization,
    pub(crate) body: Canonicalization,
    pub(crate) domain: Domain,
    pub(crate) selector: Selector,
    pub(crate) identity: Domain,
    pub(crate) names: &'a str,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) length: Option<u64>,
    pub(crate) time: Option<u64>,
    pub(crate) expiry: Option<u64>,
}

/// What can be told of a signature even where it is not valid, for the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) domain: Option<Domain>,
    pub(crate) selector: Option<Selector>,
    pub(crate) algorithm: Option<String>,
    pub(crate) signature: Option<String>,
}

impl Claims {
    pub(crate) fn of(tags: &Tags<'_>) -> Self {
        Self {
            domain: tags.get("d").and_then(|domain| domain.parse().ok()),
            selector: tags.get("s").and_then(|value| selector(value).ok()),
            ..Self::of_signature(tags)
        }
    }

    /// Without what a signature that was read says itself.
    pub(crate) fn of_signature(tags: &Tags<'_>) -> Self {
        Self {
            domain: None,
            selector: None,
            algorithm: tags
                .get("a")
                .map(str::to_ascii_lowercase)
                .filter(|a| a.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')),
            signature: tags.get("b").filter(|signature| signature.is_ascii()).map(squeeze),
        }
    }
}

impl<'a> Signature<'a> {
    pub(crate) fn of(tags: &Tags<'a>) -> Result<Self, SignatureError> {
        let required = |name: &'static str| {
            tags.get(name)
                .filter(|v| !v.is_empty())
                .ok_or(SignatureError::Missing(name))
        };
        if required("v")? != "1" {
            return Err(SignatureError::Invalid("v"));
        }
        let algorithm = algorithm(required("a")?)?;
        let (header, body) = canonicalizations(tags.get("c"))?;
        let domain = domain(required("d")?)?;
        let identity = identity(tags.get("i"), &domain)?;
        let names = required("h")?;
        if !header_names(names).all(|name| !name.is_empty()) {
            return Err(SignatureError::Invalid("h"));
        }
        if !header_names(names).any(|name| name.eq_ignore_ascii_case(b"from")) {
            return Err(SignatureError::FromNotSigned);
        }
        if let Some(methods) = tags.get("q")
            && !methods
                .split(':')
                .any(|method| method.trim_matches(is_space).eq_ignore_ascii_case("dns/txt"))
        {
            return Err(SignatureError::Invalid("q"));
        }
        let (time, expiry) = times(tags)?;
        Ok(Self {
            algorithm,
            header,
            body,
            selector: selector(required("s")?)?,
            identity,
            domain,
            names,
            body_hash: base64(required("bh")?, "bh")?,
            signature: base64(required("b")?, "b")?,
            length: number(tags.get("l"), "l", 76)?,
            time,
            expiry,
        })
    }

    /// The names in `h=`, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        header_names(self.names)
    }
}

/// RFC 8301 §3.1 withdrew `rsa-sha1`.
pub(crate) fn algorithm(value: &str) -> Result<Algorithm, SignatureError> {
    match value.to_ascii_lowercase().as_str() {
        "rsa-sha256" => Ok(Algorithm::RsaSha256),
        "ed25519-sha256" => Ok(Algorithm::Ed25519Sha256),
        "rsa-sha1" => Err(SignatureError::Sha1),
        _ => Err(SignatureError::Algorithm),
    }
}

/// The names in a list as `h=` holds it.
pub(crate) fn header_names(list: &str) -> impl Iterator<Item = &[u8]> {
    list.split(':').map(|name| name.trim_matches(is_space).as_bytes())
}

/// How header and body are canonicalised, by the value of `c=`.
pub(crate) fn canonicalizations(value: Option<&str>) -> Result<(Canonicalization, Canonicalization), SignatureError> {
    let one = |word: &str| match word.to_ascii_lowercase().as_str() {
        "simple" => Ok(Canonicalization::Simple),
        "relaxed" => Ok(Canonicalization::Relaxed),
        _ => Err(SignatureError::Invalid("c")),
    };
    let Some(value) = value else {
        return Ok((Canonicalization::Simple, Canonicalization::Simple));
    };
    match value.split_once('/') {
        Some((header, body)) => Ok((one(header)?, one(body)?)),
        None => Ok((one(value)?, Canonicalization::Simple)),
    }
}

/// A signing domain: a name of two labels or more, as nobody signs for a top-level domain.
pub(crate) fn domain(value: &str) -> Result<Domain, SignatureError> {
    let domain: Domain = value.parse().map_err(|_| SignatureError::Invalid("d"))?;
    if value.ends_with('.') || !domain.as_str().contains('.') {
        return Err(SignatureError::Invalid("d"));
    }
    Ok(domain)
}

/// The selector as it is asked for: U-labels become A-labels (RFC 8616 §3).
pub(crate) fn selector(value: &str) -> Result<Selector, SignatureError> {
    let wrong = |_| SignatureError::Invalid("s");
    if value.is_ascii() {
        return value.parse().map_err(wrong);
    }
    // Labels are converted one by one, so another one behind them makes a domain of them and changes nothing.
    const BEHIND: &str = ".example";
    let name: Domain = format!("{value}{BEHIND}")
        .parse()
        .map_err(|_| SignatureError::Invalid("s"))?;
    let labels = name.as_str().strip_suffix(BEHIND).unwrap_or_default();
    labels.parse().map_err(wrong)
}

/// The domain of `i=`, by default that of `d=`.
fn identity(value: Option<&str>, domain: &Domain) -> Result<Domain, SignatureError> {
    let Some(value) = value else { return Ok(domain.clone()) };
    let (_, host) = value.rsplit_once('@').ok_or(SignatureError::Invalid("i"))?;
    let host: Domain = host.parse().map_err(|_| SignatureError::Invalid("i"))?;
    if host.is_subdomain_of(domain) {
        Ok(host)
    } else {
        Err(SignatureError::Identity)
    }
}

/// A number of at most `digits` digits; one too large for 64 bits is as good as infinite.
pub(crate) fn number(value: Option<&str>, name: &'static str, digits: usize) -> Result<Option<u64>, SignatureError> {
    let Some(value) = value else { return Ok(None) };
    let is_number = (1..=digits).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        Ok(Some(value.parse().unwrap_or(u64::MAX)))
    } else {
        Err(SignatureError::Invalid(name))
    }
}

/// RFC 6376 §3.5: the values of `t=` and `x=`, of which the second is later.
pub(crate) fn times(tags: &Tags<'_>) -> Result<(Option<u64>, Option<u64>), SignatureError> {
    let time = number(tags.get("t"), "t", 12)?;
    let expiry = number(tags.get("x"), "x", 12)?;
    match (time, expiry) {
        (Some(time), Some(expiry)) if expiry <= time => Err(SignatureError::ExpiryBeforeTime),
        times => Ok(times),
    }
}

/// Octets in base64, which may be folded anywhere.
pub(crate) fn base64(value: &str, name: &'static str) -> Result<Vec<u8>, SignatureError> {
    STANDARD
        .decode(squeeze(value))
        .map_err(|_| SignatureError::Invalid(name))
}
