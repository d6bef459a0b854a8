//! What a TLS report says.

use std::net::IpAddr;
use std::time::SystemTime;

use super::words::{PolicyType, ResultType};
use crate::Deviations;

/// Holds a TLS report: what one sender saw of the servers of a domain in one period (RFC 8460 §4.4).
///
/// What the report does not say, or says in a way that cannot be read, is `None` and among the
/// [`deviations`](Self::deviations). Nothing in it is to be trusted: anybody can send such a report. Strings may hold any
/// character: escape them before they are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// Who reports.
    pub organization_name: Option<String>,
    /// Where the period begins.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::instant::serialize"))]
    pub begin: Option<SystemTime>,
    /// Where the period ends.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::instant::serialize"))]
    pub end: Option<SystemTime>,
    /// How to reach who reports.
    pub contact_info: Option<String>,
    /// What tells the report from others.
    pub report_id: Option<String>,
    /// What was seen, for each policy that was applied.
    pub policies: Vec<PolicyResult>,
    pub(crate) deviations: Deviations,
}

/// Says what became of connections under one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PolicyResult {
    /// The policy.
    pub policy: Policy,
    /// How many sessions were encrypted as the policy asks.
    pub successful: Option<u64>,
    /// How many were not.
    pub failed: Option<u64>,
    /// Why they were not.
    pub failures: Vec<Failure>,
}

/// Says which policy was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Policy {
    /// Its kind.
    pub kind: Option<PolicyType>,
    /// Its text: the lines of an MTA-STS policy, or TLSA records.
    pub strings: Vec<String>,
    /// The domain that has it.
    pub domain: Option<String>,
    /// The servers that it names: `mx-host`.
    pub mx_hosts: Vec<String>,
}

/// Says why sessions failed that are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Failure {
    /// The kind of failure.
    pub result: Option<ResultType>,
    /// The address that the sender used.
    pub sending_mta_ip: Option<IpAddr>,
    /// The name of the server.
    pub receiving_mx_hostname: Option<String>,
    /// What the server called itself.
    pub receiving_mx_helo: Option<String>,
    /// The address of the server.
    pub receiving_ip: Option<IpAddr>,
    /// How many sessions.
    pub sessions: Option<u64>,
    /// Where to learn more: text or a link.
    pub additional_information: Option<String>,
    /// The reason in the words of the sender's TLS library.
    pub failure_reason_code: Option<String>,
}

/// Counts the sessions of a report. Numbers that do not fit stay at the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Totals {
    /// Those that were encrypted as the policies ask.
    pub successful: u64,
    /// Those that were not.
    pub failed: u64,
}

impl Policy {
    /// Makes a policy of a domain.
    pub fn new(kind: PolicyType, domain: impl Into<String>) -> Self {
        Self {
            kind: Some(kind),
            domain: Some(domain.into()),
            ..Self::default()
        }
    }
}

impl PolicyResult {
    /// Makes what must be there.
    pub fn new(policy: Policy, successful: u64, failed: u64) -> Self {
        Self {
            policy,
            successful: Some(successful),
            failed: Some(failed),
            failures: Vec::new(),
        }
    }
}

impl Failure {
    /// Makes what must be there.
    pub fn new(result: ResultType, sessions: u64) -> Self {
        Self {
            result: Some(result),
            sessions: Some(sessions),
            ..Self::default()
        }
    }
}

impl Report {
    /// Lists where the report departs from the standard.
    pub fn deviations(&self) -> &Deviations {
        &self.deviations
    }

    /// Counts the sessions.
    pub fn totals(&self) -> Totals {
        let sum = |count: fn(&PolicyResult) -> Option<u64>| {
            let counts = self.policies.iter().filter_map(count);
            counts.fold(0, u64::saturating_add)
        };
        Totals {
            successful: sum(|policy| policy.successful),
            failed: sum(|policy| policy.failed),
        }
    }
}
