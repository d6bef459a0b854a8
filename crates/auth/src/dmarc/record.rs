//! DMARC policy records (RFC 9989 §4.7).

use std::fmt;
use std::str::FromStr;

use super::RecordBuilder;

/// What a domain wants done with mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Nothing but reports.
    None,
    /// Treat it with suspicion.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    /// The word in the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| word.eq_ignore_ascii_case(policy.as_str()))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How close an authenticated domain must be to that of From.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alignment {
    /// The same organisational domain.
    #[default]
    Relaxed,
    /// The same domain.
    Strict,
}

/// What `psd=` says of a domain (RFC 9989 §4.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicSuffix {
    /// It is one.
    Yes,
    /// It is an organisational domain.
    No,
    /// It says nothing.
    #[default]
    Unknown,
}

/// Where reports go: a `mailto:` URI, with the largest report that is welcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportAddress {
    pub(super) address: String,
    pub(super) max_size: Option<u64>,
}

impl ReportAddress {
    /// The address, as the URI spells it, percent-encoding undone.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The size limit in octets.
    #[must_use]
    pub fn max_size(&self) -> Option<u64> {
        self.max_size
    }
}

/// Why text is not a DMARC policy record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It does not begin with `v=DMARC1`.
    #[error("record does not begin with v=DMARC1")]
    Version,
    /// A tag is not `name=value`.
    #[error("not a tag list at byte {0}")]
    Syntax(usize),
    /// A tag stands there twice.
    #[error("tag `{0}` stands there twice")]
    Duplicate(String),
    /// More tags than anybody has a use for.
    #[error("more than {MOST} tags")]
    TooMany,
    /// A policy is missing or unknown, and no report address shows that DMARC is meant all the same (§4.7).
    #[error("tag `{0}` is missing or not a policy, and there is no `rua`")]
    Policy(&'static str),
}

/// A DMARC policy record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub(super) policy: Policy,
    pub(super) subdomain_policy: Option<Policy>,
    pub(super) nonexistent_policy: Option<Policy>,
    pub(super) dkim_alignment: Alignment,
    pub(super) spf_alignment: Alignment,
    pub(super) public_suffix: PublicSuffix,
    pub(super) testing: bool,
    pub(super) failure_options: String,
    pub(super) aggregate: Vec<ReportAddress>,
    pub(super) failure: Vec<ReportAddress>,
}

impl Record {
    /// Starts a record with this policy for the domain itself.
    #[must_use]
    pub fn builder(policy: Policy) -> RecordBuilder {
        RecordBuilder::new(policy)
    }

    /// The record that says `p=` and nothing else.
    pub(super) fn of_policy(policy: Policy) -> Self {
        Self {
            policy,
            subdomain_policy: None,
            nonexistent_policy: None,
            dkim_alignment: Alignment::Relaxed,
            spf_alignment: Alignment::Relaxed,
            public_suffix: PublicSuffix::Unknown,
            testing: false,
            failure_options: "0".to_owned(),
            aggregate: Vec::new(),
            failure: Vec::new(),
        }
    }

    /// The policy for the domain itself (`p=`).
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The policy for its subdomains (`sp=`, by default `p=`).
    #[must_use]
    pub fn subdomain_policy(&self) -> Policy {
        self.subdomain_policy.unwrap_or(self.policy)
    }

    /// The policy for subdomains that don't exist (`np=`, by default that for subdomains).
    #[must_use]
    pub fn nonexistent_policy(&self) -> Policy {
        self.nonexistent_policy.unwrap_or_else(|| self.subdomain_policy())
    }

    /// How close the domain of DKIM must be (`adkim=`).
    #[must_use]
    pub fn dkim_alignment(&self) -> Alignment {
        self.dkim_alignment
    }

    /// How close the domain of SPF must be (`aspf=`).
    #[must_use]
    pub fn spf_alignment(&self) -> Alignment {
        self.spf_alignment
    }

    /// Whether the domain is a public suffix (`psd=`).
    #[must_use]
    pub fn public_suffix(&self) -> PublicSuffix {
        self.public_suffix
    }

    /// The domain is only trying the policy out: apply the next weaker one (`t=y`).
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// What failure reports are wanted for (`fo=`, by default `0`): the options that are known, with colons between them.
    #[must_use]
    pub fn failure_options(&self) -> &str {
        &self.failure_options
    }

    /// Where aggregate reports go (`rua=`).
    #[must_use]
    pub fn aggregate_reports(&self) -> &[ReportAddress] {
        &self.aggregate
    }

    /// Where failure reports go (`ruf=`).
    #[must_use]
    pub fn failure_reports(&self) -> &[ReportAddress] {
        &self.failure
    }
}

/// Says whether a TXT record is meant for DMARC: others may stand at the same name (§4.10).
pub(crate) fn is_dmarc(text: &str) -> bool {
    text.split(';').next().is_some_and(is_version)
}

fn is_version(spec: &str) -> bool {
    spec.split_once('=').is_some_and(|(name, value)| {
        !name.starts_with(char::is_whitespace) && name.trim_end().eq_ignore_ascii_case("v") && value.trim() == "DMARC1"
    })
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        if !is_dmarc(text) {
            return Err(RecordError::Version);
        }
        let tags = tags(text)?;
        let get = |name: &str| {
            tags.iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| *value)
        };
        let aggregate = report_addresses(get("rua"));
        let policy = |name: &'static str| match get(name).map(|word| (word, Policy::parse(word))) {
            None => Ok(None),
            Some((_, Some(policy))) => Ok(Some(policy)),
            Some((_, None)) => Err(RecordError::Policy(name)),
        };
        // §4.7: a policy that cannot be read is taken for `p=none` if there is a report address.
        let policies = match (policy("p"), policy("sp"), policy("np")) {
            (Ok(Some(p)), Ok(sp), Ok(np)) => (p, sp, np),
            _ if !aggregate.is_empty() => (Policy::None, None, None),
            (Ok(None), ..) => return Err(RecordError::Policy("p")),
            (Err(error), ..) | (_, Err(error), _) | (_, _, Err(error)) => return Err(error),
        };
        let alignment = |name| match get(name) {
            Some(word) if word.eq_ignore_ascii_case("s") => Alignment::Strict,
            _ => Alignment::Relaxed,
        };
        Ok(Self {
            policy: policies.0,
            subdomain_policy: policies.1,
            nonexistent_policy: policies.2,
            dkim_alignment: alignment("adkim"),
            spf_alignment: alignment("aspf"),
            public_suffix: match get("psd") {
                Some(word) if word.eq_ignore_ascii_case("y") => PublicSuffix::Yes,
                Some(word) if word.eq_ignore_ascii_case("n") => PublicSuffix::No,
                _ => PublicSuffix::Unknown,
            },
            testing: get("t").is_some_and(|word| word.eq_ignore_ascii_case("y")),
            failure_options: failure_options(get("fo")),
            failure: report_addresses(get("ruf")),
            aggregate,
        })
    }
}

/// How many tags a record may have, of which RFC 9989 knows a dozen, and how many addresses a list.
const MOST: usize = 64;

fn tags(text: &str) -> Result<Vec<(&str, &str)>, RecordError> {
    let mut tags: Vec<(&str, &str)> = Vec::new();
    let mut offset = 0;
    for spec in text.split(';') {
        if !spec.trim().is_empty() {
            let (name, value) = spec.split_once('=').ok_or(RecordError::Syntax(offset))?;
            let (name, value) = (name.trim(), value.trim());
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(RecordError::Syntax(offset));
            }
            if tags.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                return Err(RecordError::Duplicate(name.to_owned()));
            }
            if tags.len() >= MOST {
                return Err(RecordError::TooMany);
            }
            tags.push((name, value));
        }
        offset += spec.len() + 1;
    }
    Ok(tags)
}

/// The options of a list that are known (§4.7); `0` if there is none.
fn failure_options(list: Option<&str>) -> String {
    let words = list.unwrap_or_default().split(':').map(str::trim);
    let known = words.filter_map(|word| {
        ["0", "1", "d", "s"]
            .into_iter()
            .find(|known| word.eq_ignore_ascii_case(known))
    });
    let mut found: Vec<&str> = Vec::new();
    for option in known {
        if !found.contains(&option) {
            found.push(option);
        }
    }
    if found.is_empty() {
        "0".to_owned()
    } else {
        found.join(":")
    }
}

/// The `mailto:` URIs of a list; others are left out (§4.7), and so are those behind the first [`MOST`]: one record must not have
/// thousands written to.
fn report_addresses(list: Option<&str>) -> Vec<ReportAddress> {
    list.unwrap_or_default()
        .split(',')
        .filter_map(|uri| report_address(uri.trim()))
        .take(MOST)
        .collect()
}

fn report_address(uri: &str) -> Option<ReportAddress> {
    let rest = uri
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .and_then(|_| uri.get(7..))?;
    let (address, limit) = match rest.split_once('!') {
        Some((address, limit)) => (address, Some(limit)),
        None => (rest, None),
    };
    let address = percent_decode(address.split('?').next().unwrap_or_default())?;
    if !address.contains('@') || address.chars().any(char::is_control) {
        return None;
    }
    Some(ReportAddress {
        address,
        max_size: limit.and_then(size),
    })
}

/// `10m`: digits and a unit, in powers of 1024.
fn size(text: &str) -> Option<u64> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (text.get(..at)?, unit.to_ascii_lowercase()),
        _ => (text, ' '),
    };
    let shift = match unit {
        ' ' => 0,
        'k' => 10,
        'm' => 20,
        'g' => 30,
        't' => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}
