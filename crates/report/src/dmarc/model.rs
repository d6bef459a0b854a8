//! What an aggregate report says.

use std::net::IpAddr;
use std::time::SystemTime;

use super::words::{Alignment, DiscoveryMethod, Disposition, DkimWord, Outcome, Override, Policy, Scope, SpfWord};
use crate::Deviations;
use crate::element::Element;

/// Holds an aggregate report: what one receiver saw of one domain's mail in one period.
///
/// What the report does not say, or says in a way that cannot be read, is `None` and among the
/// [`deviations`](Self::deviations). Nothing in it is to be trusted: anybody can send such a report.
///
/// Strings may hold any character but those that XML forbids: line breaks too. Escape them before they are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The version of the format, as it is written: `1.0`.
    pub version: Option<String>,
    /// The XML namespace: `urn:ietf:params:xml:ns:dmarc-2.0` for RFC 9990, mostly none for RFC 7489.
    pub namespace: Option<String>,
    /// Who reports, and on which period.
    pub metadata: Metadata,
    /// The policy that was found.
    pub policy: PublishedPolicy,
    /// What was seen, grouped.
    pub records: Vec<Record>,
    /// What extensions say of the whole.
    pub extensions: Vec<Element>,
    pub(crate) deviations: Deviations,
}

/// Says who reports, and on which period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Metadata {
    /// The name of the receiver.
    pub org_name: Option<String>,
    /// An address to write to about the report.
    pub email: Option<String>,
    /// How else to reach the receiver.
    pub extra_contact_info: Option<Text>,
    /// What tells the report from others of the receiver about the domain.
    pub report_id: Option<String>,
    /// Where the period begins.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::instant::serialize"))]
    pub begin: Option<SystemTime>,
    /// Where the period ends.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::instant::serialize"))]
    pub end: Option<SystemTime>,
    /// What went wrong with the domain's policy.
    pub errors: Vec<Text>,
    /// The program that made the report (RFC 9990).
    pub generator: Option<String>,
}

/// Holds text for people, with its language.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// The language it says it is in; English where it says nothing.
    pub language: Option<String>,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { text, language: None }
    }
}

/// Says which policy was found at the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PublishedPolicy {
    /// Where the record was found.
    pub domain: Option<String>,
    /// How it was found (RFC 9990).
    pub discovery_method: Option<DiscoveryMethod>,
    /// For the domain.
    pub p: Option<Policy>,
    /// For its subdomains.
    pub sp: Option<Policy>,
    /// For those of them that do not exist (RFC 9990).
    pub np: Option<Policy>,
    /// The options of failure reports, as they are written.
    pub fo: Option<String>,
    /// How alike the domain of a DKIM signature must be.
    pub adkim: Option<Alignment>,
    /// How alike the domain of the reverse-path must be.
    pub aspf: Option<Alignment>,
    /// Whether the policy is on trial (RFC 9990).
    pub testing: Option<bool>,
    /// For which share of the mail, in percent, the policy is (RFC 7489 only).
    pub pct: Option<u8>,
    /// The version of the record, which drafts between RFC 7489 and RFC 9990 had.
    pub version_published: Option<String>,
}

impl PublishedPolicy {
    /// Makes what must be there.
    pub fn new(domain: impl Into<String>, p: Policy) -> Self {
        Self {
            domain: Some(domain.into()),
            p: Some(p),
            ..Self::default()
        }
    }
}

/// Says what was seen of messages that are alike: source, results, identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Record {
    /// Where they came from.
    pub source_ip: Option<IpAddr>,
    /// How many there were.
    pub count: Option<u64>,
    /// What came of DMARC.
    pub evaluated: PolicyEvaluated,
    /// The domains that they named.
    pub identifiers: Identifiers,
    /// What came of DKIM and SPF, aligned or not.
    pub auth_results: AuthResults,
    /// What extensions say of them.
    pub extensions: Vec<Element>,
}

impl Record {
    /// Tells whether the messages passed DMARC: by DKIM or by SPF.
    pub fn is_pass(&self) -> bool {
        [&self.evaluated.dkim, &self.evaluated.spf].contains(&&Some(Outcome::Pass))
    }
}

/// Says what came of DMARC.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PolicyEvaluated {
    /// What was done.
    pub disposition: Option<Disposition>,
    /// Whether an aligned DKIM signature holds.
    pub dkim: Option<Outcome>,
    /// Whether SPF passed for an aligned domain.
    pub spf: Option<Outcome>,
    /// Why what was done is not what the policy asks for.
    pub reasons: Vec<Reason>,
}

/// Says why the policy was not applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Reason {
    /// The kind of reason: `type` in XML.
    pub kind: Option<Override>,
    /// More about it.
    pub comment: Option<Text>,
}

impl Reason {
    /// Makes a reason without a comment.
    pub fn new(kind: Override) -> Self {
        Self {
            kind: Some(kind),
            comment: None,
        }
    }
}

/// Says which domains the messages named.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Identifiers {
    /// In the From field.
    pub header_from: Option<String>,
    /// In the reverse-path; empty if that was null.
    pub envelope_from: Option<String>,
    /// In the recipients.
    pub envelope_to: Option<String>,
}

/// Says what came of DKIM and SPF.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AuthResults {
    /// The signatures.
    pub dkim: Vec<DkimResult>,
    /// SPF; RFC 9990 has at most one.
    pub spf: Vec<SpfResult>,
}

/// Says what came of one DKIM signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DkimResult {
    /// Whose it is: `d=`.
    pub domain: Option<String>,
    /// Its key: `s=`.
    pub selector: Option<String>,
    /// The result.
    pub result: Option<DkimWord>,
    /// More about it.
    pub human_result: Option<Text>,
}

impl DkimResult {
    /// Makes what must be there.
    pub fn new(domain: impl Into<String>, selector: impl Into<String>, result: DkimWord) -> Self {
        Self {
            domain: Some(domain.into()),
            selector: Some(selector.into()),
            result: Some(result),
            human_result: None,
        }
    }
}

/// Says what came of SPF.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpfResult {
    /// Which domain was looked at.
    pub domain: Option<String>,
    /// Where that domain stood.
    pub scope: Option<Scope>,
    /// The result.
    pub result: Option<SpfWord>,
    /// More about it.
    pub human_result: Option<Text>,
}

impl SpfResult {
    /// Makes the result for a reverse-path.
    pub fn new(domain: impl Into<String>, result: SpfWord) -> Self {
        Self {
            domain: Some(domain.into()),
            scope: Some(Scope::MailFrom),
            result: Some(result),
            human_result: None,
        }
    }
}

/// Counts the messages of a report. Numbers that do not fit stay at the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Totals {
    /// All of them.
    pub messages: u64,
    /// Those that passed DMARC.
    pub passed: u64,
    /// Those with an aligned DKIM signature that holds.
    pub dkim_passed: u64,
    /// Those that passed SPF for an aligned domain.
    pub spf_passed: u64,
    /// Those that were treated with suspicion.
    pub quarantined: u64,
    /// Those that were refused.
    pub rejected: u64,
}

impl Report {
    /// Makes a report without records.
    pub fn new(metadata: Metadata, policy: PublishedPolicy) -> Self {
        Self {
            metadata,
            policy,
            ..Self::default()
        }
    }

    /// Lists where the report departs from the standard.
    pub fn deviations(&self) -> &Deviations {
        &self.deviations
    }

    /// Counts the messages.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for record in &self.records {
            let count = record.count.unwrap_or(0);
            let evaluated = &record.evaluated;
            let pass = Some(Outcome::Pass);
            for (is_so, total) in [
                (true, &mut totals.messages),
                (record.is_pass(), &mut totals.passed),
                (evaluated.dkim == pass, &mut totals.dkim_passed),
                (evaluated.spf == pass, &mut totals.spf_passed),
                (
                    evaluated.disposition == Some(Disposition::Quarantine),
                    &mut totals.quarantined,
                ),
                (evaluated.disposition == Some(Disposition::Reject), &mut totals.rejected),
            ] {
                if is_so {
                    *total = total.saturating_add(count);
                }
            }
        }
        totals
    }
}
