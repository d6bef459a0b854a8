//! What a feedback report says.

use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;

use super::words::{AuthFailure, DeliveryResult, FeedbackType, IdentityAlignment};
use crate::Deviations;

/// Holds a feedback report about one message.
///
/// What the report does not say, or says in a way that cannot be read, is `None` and, where it must be there, among the
/// [`deviations`](Self::deviations). Nothing in it is to be trusted: anybody can send such a report. Strings may hold any
/// character but controls. `Debug` shows neither addresses of people nor anything of the message.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// What it is about.
    pub kind: Option<FeedbackType>,
    /// The program that made it.
    pub user_agent: Option<String>,
    /// The version of the format: 1.
    pub version: Option<u64>,
    /// The id that the sender gave the envelope, or that the receiver knows the message by.
    pub original_envelope_id: Option<String>,
    /// The reverse-path, without angle brackets; empty for the null one.
    pub original_mail_from: Option<String>,
    /// The recipients, without angle brackets. Many reporters leave them out or blot them out.
    pub original_rcpt_to: Vec<String>,
    /// When the message arrived.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::instant::serialize"))]
    pub arrival_date: Option<SystemTime>,
    /// The server that reports, as it names itself.
    pub reporting_mta: Option<String>,
    /// The address that the message came from.
    pub source_ip: Option<IpAddr>,
    /// The port that it came from (RFC 6692).
    pub source_port: Option<u16>,
    /// How many messages the report stands for; one, if it says nothing.
    pub incidents: Option<u64>,
    /// What authentication found: Authentication-Results, on one line each.
    pub authentication_results: Vec<String>,
    /// Domains that have to do with it.
    pub reported_domains: Vec<String>,
    /// Links that have to do with it.
    pub reported_uris: Vec<String>,
    /// What failed, in reports of failed authentication; several of them were sent by some.
    pub auth_failure: Option<AuthFailure>,
    /// What became of the message.
    pub delivery_result: Option<DeliveryResult>,
    /// Which authenticated identifiers were aligned.
    pub identity_alignment: Option<IdentityAlignment>,
    /// The `d=` of the signature that failed.
    pub dkim_domain: Option<String>,
    /// Its `i=`.
    pub dkim_identity: Option<String>,
    /// Its `s=`.
    pub dkim_selector: Option<String>,
    /// The record of its key.
    pub dkim_selector_dns: Option<String>,
    /// The header as the receiver canonicalized it, in base64 without white space.
    pub dkim_canonicalized_header: Option<String>,
    /// The body as the receiver canonicalized it, in base64 without white space.
    pub dkim_canonicalized_body: Option<String>,
    /// The ADSP record.
    pub dkim_adsp_dns: Option<String>,
    /// The SPF records that counted.
    pub spf_dns: Vec<String>,
    /// Fields that no standard here has, with their names as they are written.
    pub other_fields: Vec<(String, String)>,
    /// The message, if the report has it whole.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub message: Option<Bytes>,
    /// Its header, if the report has no more.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub header: Option<Bytes>,
    pub(crate) deviations: Deviations,
}

impl Report {
    /// Makes what must be there.
    pub fn new(kind: FeedbackType, user_agent: impl Into<String>) -> Self {
        Self {
            kind: Some(kind),
            user_agent: Some(user_agent.into()),
            version: Some(1),
            ..Self::default()
        }
    }

    /// Lists where the report departs from the standard.
    pub fn deviations(&self) -> &Deviations {
        &self.deviations
    }
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report")
            .field("kind", &self.kind)
            .field("user_agent", &self.user_agent)
            .field("version", &self.version)
            .field("original_envelope_id", &self.original_envelope_id)
            .field("arrival_date", &self.arrival_date)
            .field("reporting_mta", &self.reporting_mta)
            .field("source_ip", &self.source_ip)
            .field("incidents", &self.incidents)
            .field("reported_domains", &self.reported_domains)
            .field("auth_failure", &self.auth_failure)
            .field("delivery_result", &self.delivery_result)
            .field("identity_alignment", &self.identity_alignment)
            .field("dkim_domain", &self.dkim_domain)
            .field("dkim_selector", &self.dkim_selector)
            .field("message_octets", &self.message.as_ref().map(Bytes::len))
            .field("header_octets", &self.header.as_ref().map(Bytes::len))
            .field("deviations", &self.deviations)
            .finish_non_exhaustive()
    }
}
